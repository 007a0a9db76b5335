"""Holes in a whole project, where it matters what other files define: `aigc-lsp eval repo`.

cross-call   the cursor stands right behind `name(` of a call, where `name` is defined in another file
cross-rest   the cursor stands somewhere before or inside a name that is defined in another file
other        the line uses no such name; the cursor stands somewhere in it

Always the rest of the line is masked. What is defined where is read off the trees here, and not asked of the index,
which is what is being measured. A name counts as another file's where it

- is defined there at the top or as a member of a class, and is neither defined nor assigned to in this file,
- is a member (`a.name`) of something that was not imported from outside the project; or was imported by name from
  within it; or, in languages that see more than they import by name, is simply there,
- is no keyword, no builtin, no method of the language's own strings and containers, and has three letters or more.

What is picked depends on the tree and the seed alone. Offsets are in the text as `holes.read_source` has it.
"""

from __future__ import annotations

import builtins
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle, islice
from pathlib import Path, PurePosixPath
from typing import Literal

from aigc_lsp.measure import holes
from aigc_lsp.measure.holes import Row, Source
from aigc_lsp.syntax import Definition, Import, Use
from aigc_lsp.text import Span, Text

Kind = Literal["cross-call", "cross-rest", "other"]
KINDS: tuple[Kind, ...] = ("cross-call", "cross-rest", "other")
MIN_NAME = 3

_BY_NAME = {"python", "javascript", "javascriptreact", "typescript", "typescriptreact", "rust"}
"""Languages in which a plain name of another file is imported by name, or not there."""

_ASSIGNED = re.compile(
    r"^[ \t]*(?:(?:export|const|let|var|final|static|public|private|protected|readonly)[ \t]+)*"
    r"[\w.,*<>\[\]&\t ]*?\b(\w+)[ \t]*(?:[:,][^=\n]*)?=(?![=>])",
    re.MULTILINE,
)
_ACCESS = ".>:"


def _words(said: str) -> set[str]:
    return set(said.split())


_OWN_TYPES = (str, bytes, bytearray, list, tuple, dict, set, int, float, BaseException, type(None), type(open))
_OWN = {
    "python": {*dir(builtins), *(name for each in _OWN_TYPES for name in dir(each)), "self", "cls"},
    "web": _words(
        "Array Boolean Date Error Function JSON Map Math Number Object Promise Proxy Reflect RegExp Set String Symbol "
        "WeakMap WeakRef WeakSet add all apply assign at bind call catch charAt clear concat constructor create "
        "delete endsWith entries every filter finally find findIndex flat flatMap forEach freeze from fromEntries "
        "get has includes indexOf isArray iterator join keys length map match message name next of parse pop push "
        "race reduce reject repeat replace replaceAll resolve return reverse set shift size slice some sort splice "
        "split startsWith stringify substring test then throw toString trim unshift value valueOf values console "
        "super this undefined log warn error info debug prototype"
    ),
    "java": _words(
        "add addAll append charAt clear close compareTo contains containsKey entrySet equals equalsIgnoreCase "
        "format get getClass getKey getMessage getName getValue hasNext hashCode indexOf isEmpty iterator join "
        "keySet length matches name next ordinal parseInt put putAll println printStackTrace remove replace run "
        "set size split startsWith endsWith stream substring toArray toLowerCase toString toUpperCase trim valueOf "
        "values super this Object String Integer Boolean Long Double Float List Map Set Override Exception"
    ),
}
_OWN_OF = {
    "python": "python",
    "java": "java",
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), "web"),
}


@dataclass(frozen=True, slots=True)
class RepoHole:
    """`start..end`, the rest of a line of `path` in `project`, is masked. `names` are those of other files in it.

    For a call the name left of the cursor is the first of them.
    """

    project: str
    path: str
    start: int
    end: int
    kind: Kind
    names: tuple[str, ...]

    def row(self, text: Text) -> Row:
        """The hole in `text`, the whole of its file; `task_id` tells it from all others."""
        line = text.line_at(self.start)
        place = f"{line + 1}:{self.start - text.line_start(line) + 1}"
        return Row(
            prompt=text.slice(Span(0, self.start)),
            suffix=text.slice(Span(self.end, len(text))),
            canonical_solution=text.slice(Span(self.start, self.end)),
            kind=self.kind,
            path=self.path,
            task_id=f"{self.project}/{self.path}:{place}:{self.kind}",
        )


def build(project: str, root: Path, count: int, seed: int = 1, suffixes: Sequence[str] = ()) -> list[RepoHole]:
    """`count` holes below `root`, as many of each kind, fewer where it has not so many; in order of path and place.

    Each file gives one hole before any gives another, and none more than `holes.PER_FILE`.
    """
    files = _read(root, suffixes)
    table = _Table(files)
    choices = {file.path: _Choices(file, table, seed) for file in files}
    random.Random(seed).shuffle(files)
    targets = Counter(islice(cycle(KINDS), count))
    found: list[RepoHole] = []
    have: Counter[Kind] = Counter()
    for _ in range(holes.PER_FILE):
        for file in files:
            missing = [kind for kind in targets if have[kind] < targets[kind]]
            missing.sort(key=lambda kind: have[kind] / targets[kind])
            for kind in missing:
                if picked := choices[file.path].take(kind):
                    span, names = picked
                    found.append(RepoHole(project, file.path, span.start, span.end, kind, names))
                    have[kind] += 1
                    break
    return sorted(found, key=lambda hole: (hole.path, hole.start))


@dataclass
class _File:
    """A file of the project, with what is asked of it again and again."""

    path: str
    source: Source

    @cached_property
    def defined(self) -> tuple[Definition, ...]:
        return self.source.tree.definitions()

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return self.source.tree.imports()

    @cached_property
    def given(self) -> set[str]:
        """Names that are defined or assigned to here."""
        return {each.name for each in self.defined} | set(_ASSIGNED.findall(self.source.text.source))

    @property
    def language(self) -> str:
        return self.source.tree.language_id

    def public(self) -> Iterator[tuple[str, bool]]:
        """Names that other files may use, and whether they are at the top rather than in a class."""
        kinds = {each.path: each.kind for each in self.defined}
        for path in [each.path for each in self.defined if each.kind == "module"]:
            kinds.update(dict.fromkeys(_prefixes(path), "module"))  # `a` of Java's package `a.b`
        for each in self.defined:
            # What a class has may be defined where the class is not.
            around = [kinds.get(parent, "class") for parent in _prefixes(each.parent)]
            if each.kind != "module" and all(kind in ("class", "module", "type") for kind in around):
                yield each.name, all(kind == "module" for kind in around)


class _Table:
    """Which files of a project define a name, and which modules are its own."""

    def __init__(self, files: Sequence[_File]) -> None:
        self._top: dict[str, set[str]] = {}
        self._any: dict[str, set[str]] = {}
        self._own: set[str] = set()
        for file in files:
            for name, is_top in file.public():
                self._any.setdefault(name, set()).add(file.path)
                if is_top:
                    self._top.setdefault(name, set()).add(file.path)
            parts = PurePosixPath(file.path).with_suffix("").parts
            self._own.update(islice(parts if parts[0] != "src" else parts[1:], 1))
            self._own.update("/".join(parts[at : at + 2]) for at in range(len(parts) - 1))

    def has(self, name: str, path: str, at_top: bool) -> bool:
        """Whether a file other than `path` defines `name`."""
        return bool((self._top if at_top else self._any).get(name, set()) - {path})

    def is_own(self, module: str) -> bool:
        """Whether an import names something of this project, by the looks of it."""
        if module.startswith((".", "@/", "~/", "crate", "self", "super", '"')):
            return True
        parts = _parts(module)
        return "/".join(parts[:2]) in self._own or (len(parts) < 3 and parts[0] in self._own)


class _Choices:
    """The holes that a file could give, each kind's in an order that the seed decides, and what was taken."""

    def __init__(self, file: _File, table: _Table, seed: int) -> None:
        self._file = file
        self._chance = random.Random(f"{seed} {file.path}")
        self._taken: set[int] = set()
        cross, plain = _lines(file, table)
        pairs = [(line, use) for line, uses in cross.items() for use in uses]
        self._chance.shuffle(pairs)
        self._chance.shuffle(plain)
        self._cross = cross
        self._pairs = pairs
        self._plain = plain

    def take(self, kind: Kind) -> tuple[Span, tuple[str, ...]] | None:
        """A hole of `kind` in a line that none was taken from."""
        if kind == "other":
            return self._take_plain()
        for at, (line, use) in enumerate(self._pairs):
            start = None if line in self._taken else self._start(kind, line, use)
            if start is not None and (span := self._span(line, start)):
                del self._pairs[: at + 1]
                self._taken.add(line)
                return span, self._names(line, use, start)
        return None

    def _take_plain(self) -> tuple[Span, tuple[str, ...]] | None:
        while self._plain:
            line = self._plain.pop()
            content = self._file.source.content(line)
            if span := self._span(line, self._chance.randint(content.start, content.end - 1)):
                self._taken.add(line)
                return span, ()
        return None

    def _start(self, kind: Kind, line: int, use: Use) -> int | None:
        end = use.offset + len(use.name)
        if kind == "cross-call":
            return end + 1 if self._file.source.text.source.startswith("(", end) else None
        return self._chance.randint(self._file.source.content(line).start, end - 1)

    def _span(self, line: int, start: int) -> Span | None:
        source = self._file.source
        span = Span(start, max(start, source.content(line).end))
        is_fit = holes.is_worth(source.text.slice(span)) and source.is_code(line) and source.is_code_at(start)
        return span if is_fit else None

    def _names(self, line: int, used: Use, start: int) -> tuple[str, ...]:
        masked = [use.name for use in self._cross[line] if use.offset + len(use.name) > start]
        return tuple(dict.fromkeys([used.name, *masked]))


def _lines(file: _File, table: _Table) -> tuple[dict[int, list[Use]], list[int]]:
    """Lines with the uses of names from other files, and those without any; imports are neither. Not all are code."""
    text = file.source.text
    imports = {
        line
        for each in file.imports
        for line in range(text.line_at(each.span.start), text.line_at(max(each.span.start, each.span.end - 1)) + 1)
    }
    outside = _outside(file, table)
    imported = _imported(file, table)
    cross: dict[int, list[Use]] = {}
    plain = []
    for line in range(text.line_count):
        content = file.source.content(line)
        if line in imports or content.start == content.end:
            continue
        uses = file.source.tree.identifiers(content.start, content.end)
        found = [use for use in uses if _is_cross(use, file, table, imported, outside)]
        if found:
            cross[line] = found
        elif not any(table.has(use.name, file.path, at_top=False) and use.name not in file.given for use in uses):
            plain.append(line)  # a line that may use another file's name is neither
    return cross, plain


def _is_cross(use: Use, file: _File, table: _Table, imported: set[str], outside: set[str]) -> bool:
    name = use.name
    if len(name) < MIN_NAME or name in _OWN.get(_OWN_OF.get(file.language, ""), ()) or name in file.given:
        return False
    if file.source.text.source[max(use.offset - 1, 0)] in _ACCESS and use.offset:
        return use.receiver not in outside and table.has(name, file.path, at_top=False)
    if name in imported:
        return True
    return file.language not in _BY_NAME and table.has(name, file.path, at_top=use.role != "call")


def _imported(file: _File, table: _Table) -> set[str]:
    """Names that this file gets from other files of the project; renamed ones are left out."""
    found: set[str] = set()
    for each in file.imports:
        if table.is_own(each.module):
            found.update(name for name, alias in each.names if not alias)
            if not each.names and not each.alias:
                found.add(_parts(each.module)[-1])  # `use crate::store::Store`
    return {name for name in found if table.has(name, file.path, at_top=True)}


def _outside(file: _File, table: _Table) -> set[str]:
    """Names in this file that come from outside the project: of modules, and of what was taken from them."""
    found: set[str] = set()
    for each in file.imports:
        if not table.is_own(each.module):
            parts = _parts(each.module)
            found.update(alias or name for name, alias in each.names)
            found.update([each.alias] if each.alias else [parts[0], parts[-1]])
    return found


def _parts(module: str) -> list[str]:
    return [part for part in re.split(r"[./:\\]+", module) if part] or [module]


def _prefixes(path: str) -> list[str]:
    """`a`, `a.b` and `a.b.c` of `a.b.c`."""
    parts = path.split(".") if path else []
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def _read(root: Path, suffixes: Sequence[str]) -> list[_File]:
    """The files of the project that are understood."""
    return [
        _File(path.relative_to(root).as_posix(), source)
        for path in holes.source_files(root, suffixes)
        if (source := holes.read_source(path))
    ]
