"""Holes masked in any source tree, with the text that stood there: `aigc-lsp eval build`.

A row of the data has the fields of HumanEval-Infilling (Bavarian et al. 2022), so that its files are read as well:
`prompt`, `suffix`, `canonical_solution`, and for those that can be run `test` and `entry_point`. What is picked depends
on the tree and the seed alone. Line ends are `\\n`, as in the window that a model is shown.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from itertools import cycle, islice
from pathlib import Path, PurePath
from typing import Literal, cast

from aigc_lsp.errors import UsageError
from aigc_lsp.syntax import Tree, has_grammar, language_of, parse
from aigc_lsp.text import Edit, Span, Text

Kind = Literal["line", "rest", "span", "lines", "block"]
KINDS: tuple[Kind, ...] = ("line", "rest", "span", "lines", "block")
"""line: all behind the indentation; rest: all behind a column inside the line, also inside a word; span: characters
within one to three lines; lines: two to twelve, all behind the first one's indentation; block: the body of a function,
loop or branch, behind its docstring."""
DEFAULT_KINDS: tuple[Kind, ...] = ("line", "rest", "span", "block")

PER_FILE = 4
MAX_BYTES = 200_000
MAX_LINE = 300
MAX_SPAN_LINES = 3
MIN_BLOCK_LINES, MAX_BLOCK_LINES = 2, 12
PROMPT_CHARACTERS, SUFFIX_CHARACTERS = 6000, 4000
_TRIES = 60  # lines of a file that are looked at for one hole

NOT_WRITTEN = {
    *("__pycache__", "_vendor", "bower_components", "build", "coverage", "dist", "env", "node_modules", "out"),
    *("site-packages", "target", "third_party", "vendor", "venv"),
}
"""Folders of what is generated or comes from elsewhere; hidden ones are left out as well."""

_GENERATED = re.compile(r"\.min\.|\.d\.[mc]?ts$|_pb2\.py")
_OPENS_DOCSTRING = re.compile(r"[rRuUbBfF]{0,2}(\"\"\"|''')")
_COMMENTS = ("#", "//", "/*", "*")
_OPENS_BLOCK = (":", "{", '"""', "'''")


@dataclass(frozen=True, slots=True)
class Row:
    """`canonical_solution` is what stands between `prompt` and `suffix`; `check(entry_point)` of `test` tries it."""

    prompt: str
    suffix: str
    canonical_solution: str
    kind: str = ""
    path: str = ""
    task_id: str = ""
    test: str = ""
    entry_point: str = ""

    @property
    def is_one_line(self) -> bool:
        return "\n" not in self.canonical_solution.rstrip("\n")


def build(
    root: Path,
    count: int,
    seed: int = 1,
    kinds: Sequence[Kind] = DEFAULT_KINDS,
    suffixes: Sequence[str] = (),
    exclude: Sequence[str] = (),
    per_file: int = PER_FILE,
) -> list[Row]:
    """`count` holes below `root`, fewer where it has not so many; the same for the same tree and arguments.

    Each file gives one hole before any gives another. A kind that is named twice comes twice as often. `suffixes` are
    endings such as "py", all that have a grammar where there are none; folders named in `exclude` are left out.
    """
    files = source_files(root, suffixes, exclude)
    sources = {path.relative_to(root).as_posix(): partial(read_source, path) for path in files}
    return pick(sources, count, seed, kinds, per_file)


def pick(
    sources: Mapping[str, Callable[[], Source | None]], count: int, seed: int, kinds: Sequence[Kind], per_source: int
) -> list[Row]:
    """As `build`, of sources by name, which are read when they are looked at. Holes of one source do not touch."""
    names = list(sources)
    random.Random(seed).shuffle(names)
    targets = Counter(islice(cycle(kinds), count))
    taken: dict[str, list[Span]] = {}
    found: Counter[Kind] = Counter()
    rows: list[Row] = []
    for turn in range(per_source):
        for name in names:
            missing = [kind for kind in targets if found[kind] < targets[kind]]
            if not missing:
                return rows
            missing.sort(key=lambda kind: found[kind] / targets[kind])
            chance = random.Random(f"{seed} {turn} {name}")
            if (source := sources[name]()) and (hole := _mask_any(source, missing, chance, taken.get(name, []))):
                kind, span = hole
                taken.setdefault(name, []).append(span)
                found[kind] += 1
                rows.append(_row(source.text, span, kind, name))
        names = [name for name in names if name in taken]
    return rows


def source_files(root: Path, suffixes: Sequence[str] = (), exclude: Sequence[str] = ()) -> Iterator[Path]:
    """The files below `root` that have a grammar and look written by hand, sorted.

    Links are left out: in somebody else's repository they may name anything on this machine.
    """
    endings = {f".{suffix.strip().lstrip('.').lower()}" for suffix in suffixes}
    for ending in sorted(endings):
        if not has_grammar(language_of(f"a{ending}") or ""):
            raise UsageError(f"There is no grammar for files that end in {ending}, so no holes can be masked in them.")
    if not root.is_dir():
        raise UsageError(f"{root} is not a folder; give the root of a source tree.")
    skipped = NOT_WRITTEN.union(exclude)
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if name not in skipped and not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            is_wanted = has_grammar(language_of(path) or "") and (not endings or path.suffix.lower() in endings)
            if not is_wanted or _GENERATED.search(name) or path.is_symlink() or not path.is_file():
                continue
            if path.stat().st_size <= MAX_BYTES:
                yield path


@dataclass(slots=True)
class Source:
    """A text with a sound tree, and what its lines are. Holes are masked from line `first` on."""

    text: Text
    tree: Tree
    first: int = 0
    _is_code: dict[int, bool] = field(default_factory=dict)

    def content(self, line: int) -> Span:
        """Line `line` without the blanks at both ends."""
        start, said = self.text.line_start(line), self.text.line(line)
        return Span(start + len(said) - len(said.lstrip()), start + len(said.rstrip())) if said.strip() else Span(0, 0)

    def is_code_at(self, offset: int) -> bool:
        return self.tree.place(offset).kind == "code"

    def is_code(self, line: int) -> bool:
        """Whether a line is worth a hole: code from end to end, no comment or docstring, not too long, no `}`."""
        if line not in self._is_code:
            span = self.content(line)
            said = self.text.slice(span)
            self._is_code[line] = (
                is_worth(said)
                and len(said) <= MAX_LINE
                and not _OPENS_DOCSTRING.match(said)
                and self.is_code_at(span.start)
                and self.tree.place(span.start + 1).kind != "comment"
                and self.is_code_at(span.end)
            )
        return self._is_code[line]


def read_source(path: Path) -> Source | None:
    """The file at `path`, None where it is no UTF-8 text or its syntax is not understood."""
    try:
        text = Text(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return None
    tree = parse(language_of(path) or "", text)
    return None if tree is None or tree.has_errors else Source(text, tree)


def mask(source: Source, kind: Kind, chance: random.Random, taken: Sequence[Span] = ()) -> Span | None:
    """A hole of `kind` that touches none of `taken`, None where a few tries find none."""
    lines = list(range(source.first, source.text.line_count))
    chance.shuffle(lines)
    tries = 0
    for line in lines:
        if not source.text.line(line).strip():
            continue
        if tries == _TRIES:
            return None
        tries += 1
        span = _MASKS[kind](source, line, chance) if source.is_code(line) else None
        if span and all(span.end < other.start or other.end < span.start for other in taken):
            return span
    return None


def _mask_any(
    source: Source, kinds: Sequence[Kind], chance: random.Random, taken: Sequence[Span]
) -> tuple[Kind, Span] | None:
    for kind in kinds:
        if span := mask(source, kind, chance, taken):
            return kind, span
    return None


def _line(source: Source, line: int, chance: random.Random) -> Span:
    return source.content(line)


def _rest(source: Source, line: int, chance: random.Random) -> Span | None:
    content = source.content(line)
    span = Span(chance.randint(content.start + 1, content.end - 1), content.end)
    return span if is_worth(source.text.slice(span)) and source.is_code_at(span.start) else None


def _span(source: Source, line: int, chance: random.Random) -> Span | None:
    last = line + chance.randrange(MAX_SPAN_LINES)
    if last >= source.text.line_count or not all(map(source.is_code, range(line, last + 1))):
        return None
    start = chance.randrange(source.content(line).start, source.content(line).end)
    end = chance.randint(max(start, source.content(last).start) + 1, source.content(last).end)
    said = source.text.slice(Span(start, end))
    is_fit = said == said.strip() and is_worth(said) and source.is_code_at(start) and source.is_code_at(end)
    # With a word's halves on both sides no editor asks.
    is_in_word = re.fullmatch(r"\w\w", source.text.source[start - 1 : start] + source.text.source[end : end + 1])
    return Span(start, end) if is_fit and not is_in_word else None


def _lines(source: Source, line: int, chance: random.Random) -> Span | None:
    start = source.content(line).start
    scope = source.tree.place(start).scope
    end = min(line + MAX_BLOCK_LINES, source.text.line_count)
    below = [source.content(last).end for last in range(line + MIN_BLOCK_LINES - 1, end) if source.is_code(last)]
    ends = [last for last in below if source.tree.place(last).scope == scope]
    span = Span(start, chance.choice(ends)) if ends else None
    return span if span and max(map(len, source.text.slice(span).split("\n"))) <= MAX_LINE else None


def _block(source: Source, line: int, chance: random.Random) -> Span | None:
    """The body that begins with `line`, up to its last statement: without it, `Place.opens_block` is true there."""
    above = (source.text.line(number).strip() for number in range(line - 1, -1, -1))
    if not next((said for said in above if said and not said.startswith(_COMMENTS)), "").endswith(_OPENS_BLOCK):
        return None
    start = source.content(line).start
    place = source.tree.place(start)
    if place.block_end is None or (place.scope and place.scope[-1][1] == "class"):
        return None
    last = source.text.line_at(place.block_end)
    while last > line and _indent(source, last) <= len(place.block_indent.expandtabs(8)):
        last -= 1  # blank lines, and the brace that closes the block
    end = source.content(last).end
    said = source.text.slice(Span(start, max(start, end)))
    if not MIN_BLOCK_LINES <= said.count("\n") + 1 <= MAX_BLOCK_LINES or not source.is_code_at(end):
        return None
    if any(len(one) > MAX_LINE for one in said.split("\n")):
        return None
    masked = parse(source.tree.language_id, source.text.apply(Edit(Span(start, end), "")))
    return Span(start, end) if masked is not None and masked.place(start).opens_block else None


_MASKS: Mapping[Kind, Callable[[Source, int, random.Random], Span | None]] = {
    "line": _line,
    "rest": _rest,
    "span": _span,
    "lines": _lines,
    "block": _block,
}


def _indent(source: Source, line: int) -> int:
    """Columns; 0 for a blank line."""
    said = source.text.line(line).expandtabs(8)
    return len(said) - len(said.lstrip()) if said.strip() else 0


def is_worth(said: str) -> bool:
    """At least three characters, one of them a word's."""
    return len(said.strip()) >= 3 and re.search(r"\w", said) is not None


def _row(text: Text, span: Span, kind: Kind, name: str) -> Row:
    """The hole with the lines around it, as far as they are wanted."""
    first = text.line_at(max(0, span.start - PROMPT_CHARACTERS))
    start = text.line_start(first)
    if span.start - start > PROMPT_CHARACTERS:
        start = text.line_start(first + 1)
    end = min(len(text), span.end + SUFFIX_CHARACTERS)
    if end < len(text):
        end = text.line_start(text.line_at(end))
    line = text.line_at(span.start)
    return Row(
        prompt=text.slice(Span(start, span.start)),
        suffix=text.slice(Span(span.end, max(span.end, end))),
        canonical_solution=text.slice(span),
        kind=kind,
        path=name,
        task_id=f"{name}:{line + 1}:{span.start - text.line_start(line) + 1}:{kind}",
    )


def kinds_named(said: str) -> tuple[Kind, ...]:
    """ "line,rest" as kinds; raises `UsageError` for what is none."""
    kinds = [word.strip() for word in said.split(",") if word.strip()]
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(f"{kind!r} is not a kind of hole; the kinds are {', '.join(KINDS)}.")
    if not kinds:
        raise UsageError(f"No kind of hole is named; the kinds are {', '.join(KINDS)}.")
    return cast("tuple[Kind, ...]", tuple(kinds))


def to_json(rows: Sequence[Row]) -> str:
    """One line of JSON for each row, without the fields that are empty."""
    return "".join(
        json.dumps({key: value for key, value in asdict(row).items() if value or key in _NEEDED}, ensure_ascii=False)
        + "\n"
        for row in rows
    )


_NEEDED = ("prompt", "suffix", "canonical_solution")
_FIELDS = tuple(each.name for each in fields(Row))


def read_rows(path: PurePath) -> list[Row]:
    """The rows of a JSONL file; fields of other names are ignored. Raises `UsageError`, which names the line."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text (byte {error.start}); rows are JSON, one on each line.") from error
    rows = [_parsed(line, f"Line {number} of {path}") for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise UsageError(f"{path} has no rows; `aigc-lsp eval build` writes some.")
    return rows


def _parsed(line: str, where: str) -> Row:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise UsageError(f"{where} is not JSON ({reason}).") from error
    if not isinstance(values, dict):
        raise UsageError(f"{where} is not a JSON object.")
    for name in _NEEDED:
        if name not in values:
            raise UsageError(f"{where} has no field `{name}`; needed are {', '.join(_NEEDED)}.")
    known = {name: values[name] for name in _FIELDS if values.get(name) is not None or name in _NEEDED}
    if isinstance(known.get("task_id"), int):
        known["task_id"] = str(known["task_id"])
    for name, value in known.items():
        if not isinstance(value, str):
            raise UsageError(f"{where}: the field `{name}` must be a text.")
    return Row(**known)


def whole_lines(path: Path) -> list[bytes]:
    """The lines of a log that runs go on with, made where it is not there, without the one that a run was ended in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        path.write_bytes(whole)
    return whole.splitlines()
