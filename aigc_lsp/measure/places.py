"""Places picked by a seed in any source tree, completed with `aigc-lsp complete` and set beside the true line.

    python -m aigc_lsp.measure.places DIR --suffix .py --count 20 --seed 1

For each place the rest of a line behind a random column is taken out of a copy of the file, and the command is asked
for it. Exact: the answer, stripped, is what was taken out. A first look at quality, not a benchmark: see `eval`.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from aigc_lsp.syntax import language_of, parse
from aigc_lsp.text import Text


@dataclass(frozen=True, slots=True)
class Picked:
    """The rest of line `line` of `path` behind column `column` (both from 1) is the truth."""

    path: Path
    line: int
    column: int
    before: str
    truth: str


def pick(root: Path, suffix: str, count: int, seed: int) -> list[Picked]:
    """`count` places inside lines of code, at most one a file; the same for the same tree and seed."""
    chance = random.Random(seed)
    files = [path for path in sorted(root.rglob(f"*{suffix}")) if _is_fit(path)]
    chance.shuffle(files)
    picked: list[Picked] = []
    for path in files:
        if len(picked) == count:
            break
        text = Text(path.read_text(encoding="utf-8"))
        lines = [number for number in range(20, text.line_count) if len(text.line(number).strip()) >= 12]
        chance.shuffle(lines)
        for number in lines[:50]:
            line = text.line(number)
            indent = len(line) - len(line.lstrip())
            column = chance.randint(indent + 2, len(line.rstrip()) - 3)
            if _is_code(path, text, text.line_start(number) + column):
                picked.append(Picked(path, number + 1, column + 1, line[:column], line[column:]))
                break
    return picked


def ask(place: Picked) -> dict:
    """What `aigc-lsp complete --json` answers in a copy of the file without the truth."""
    source = place.path.read_text(encoding="utf-8")
    lines = source.split("\n")
    lines[place.line - 1] = place.before
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / place.path.name
        copy.write_text("\n".join(lines), encoding="utf-8")
        command = [sys.executable, "-m", "aigc_lsp", "complete", f"{copy}:{place.line}:{place.column}", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _is_fit(path: Path) -> bool:
    parts = {"test", "tests", "lib2to3", "node_modules", "site-packages", "encodings", "idlelib"} & set(path.parts)
    return path.is_file() and not parts and ".min." not in path.name and 1500 < path.stat().st_size < 200_000


def _is_code(path: Path, text: Text, offset: int) -> bool:
    tree = parse(language_of(path) or "", text)
    return tree is not None and tree.place(offset).kind == "code"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--suffix", default=".py")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    exact, times = 0, []
    for place in pick(arguments.root, arguments.suffix, arguments.count, arguments.seed):
        answer = ask(place)
        same = answer["text"].strip() == place.truth.strip()
        exact += same
        times.append(answer["total_ms"])
        where = f"{place.path.relative_to(arguments.root)}:{place.line}:{place.column}"
        print(f"{'=' if same else ' '} {where}  {answer['total_ms']:.0f} ms, {answer['prompt_tokens']} tokens")
        print(f"    {place.before.strip()}▏")
        print(f"    true:  {place.truth.rstrip()}\n    model: {answer['text']}", flush=True)
    print(f"{exact} of {len(times)} exact, median {statistics.median(times):.0f} ms")


if __name__ == "__main__":
    main()
