"""`make demo`: a person types into a real file, and the real server answers each key. Nothing here is staged: the ghost
text is what the model says now, right or wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types
from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from aigc_lsp.measure.editor import Answer, Editor

PATIENCE_SECONDS = 900
"""For the first run: fetch half a gigabyte and convert it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Below `after`, `pasted` is put in at once and `typed` key by key."""

    file: str
    language: str
    after: str
    pasted: str
    typed: str


SCENES = (
    Scene(
        "shop.py",
        "python",
        "    def is_empty(self) -> bool:\n        return not self.items\n",
        "\n    def count(self) -> int:",
        "\n        return sum(item.q",
    ),
    Scene(
        "cart.ts",
        "typescript",
        "  isEmpty(): boolean {\n    return this.items.length === 0;\n  }\n",
        "\n  count(): number {",
        "\n    return this.items.re",
    ),
)


async def run(samples: Path, picture: Path | None = None) -> int:
    """Play all scenes; 0 if there was ghost text. `picture`: an SVG of what the terminal showed."""
    console = Console(highlight=False, record=picture is not None, width=88 if picture else None)
    with console.status("Starting the language server…") as status:

        def progress(message: str, percentage: int | None) -> None:
            if message:
                status.update(message + (f" {percentage} %" if percentage is not None else ""))

        editor = Editor(progress)
        took = await editor.start()
        status.update("Waiting for the model…")
        if not await _ready(editor, samples / SCENES[0].file):
            console.print("[red]The model did not come up.[/]", *editor.messages)
            await editor.stop()
            return 1
    console.print(f"[bold]aigc-lsp serve[/] answered initialize in {took:.0f} ms; the model is loaded.\n")
    answers = [answer for scene in SCENES for answer in await _play(console, editor, samples, scene)]
    await editor.stop()
    shown = sum(bool(answer.text) for answer in answers)
    console.print(
        f"{len(answers)} keys, {shown} with ghost text; from key to answer: "
        f"median {statistics.median(answer.ms for answer in answers):.0f} ms, "
        f"slowest {max(answer.ms for answer in answers):.0f} ms.\n"
        "Try it on your own code: [bold]aigc-lsp complete FILE:LINE:COL[/]; in your editor: see README.md."
    )
    if picture is not None:
        svg = console.export_svg(title="make demo")
        # Without the font that rich would have every reader fetch from a server; any monospaced one does.
        picture.write_text(re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL), encoding="utf-8")
    return 0 if shown else 1


async def _ready(editor: Editor, file: Path) -> bool:
    """Until the model is there the server answers at once and empty; so ask where it has something to say."""
    text = file.read_text(encoding="utf-8")
    line = text[: text.index("return self.price")].count("\n")
    editor.open(file.as_uri(), "python", text.replace("return self.price * self.quantity", "return self.price *"))
    for _ in range(PATIENCE_SECONDS * 4):
        if (await editor.ask(types.Position(line, len("        return self.price *")))).text:
            return True
        await asyncio.sleep(0.25)
    return False


async def _play(console: Console, editor: Editor, samples: Path, scene: Scene) -> list[Answer]:
    """Type the scene; one line of output for each key."""
    text = (samples / scene.file).read_text(encoding="utf-8")
    at = text.index(scene.after) + len(scene.after)
    # A file of its own to the server: the scene's line is not in it yet, and the warm-up's text is another's.
    editor.open((samples / scene.file).as_uri() + "#demo", scene.language, text)
    console.rule(f"[bold]{scene.file}", align="left")
    before = text[:at][-240:].split("\n\n", 1)[-1].rstrip() + "\n" + scene.pasted
    console.print(Syntax(before, scene.language, background_color="default"))
    position = types.Position(text[:at].count("\n"), 0)
    editor.insert(position, "\n")  # what stands there moves down
    answers, typed = [], ""
    for key in [scene.pasted, *_keys(scene.typed)]:
        editor.insert(position, key)
        typed += key
        position = _behind(position, key)
        answer = await editor.ask(position)
        answers.append(answer)
        _show(console, typed.rpartition("\n")[2], answer)
    console.print()
    return answers


def _behind(position: types.Position, text: str) -> types.Position:
    head, newline, last = text.rpartition("\n")
    if not newline:
        return types.Position(position.line, position.character + len(text))
    return types.Position(position.line + head.count("\n") + 1, len(last))


def _keys(typed: str) -> list[str]:
    """Keys as an editor sends them: Enter brings the indentation along."""
    keys: list[str] = []
    for character in typed:
        if keys and character in " \n" and keys[-1].startswith("\n") and not keys[-1].strip():
            keys[-1] += character
        else:
            keys.append(character)
    return keys


def _show(console: Console, line: str, answer: Answer) -> None:
    first, newline, more = answer.text.partition("\n")
    row = Text(f"{answer.ms:6.0f} ms  ", style="cyan")
    row.append(line, style="bold").append("▏", style="yellow").append(first, style="italic bright_black")
    if newline:
        row.append(f" ↵ and {more.count(chr(10)) + 1} more", style="bright_black")
    console.print(row, no_wrap=True, overflow="ellipsis")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", type=Path, nargs="?", default=Path("tests/samples"))
    parser.add_argument("--svg", type=Path, help="save a picture of the terminal here")
    arguments = parser.parse_args()
    sys.exit(asyncio.run(run(arguments.samples.resolve(), arguments.svg)))
