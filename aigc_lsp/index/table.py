"""The symbol table of one workspace folder: which files there are, and what is defined in each.

Contract
    A file is named by its path relative to the root (see `paths`), a place in it by code points of its text as `read`
    gives it. A look-up is a few dict hits however many files there are; `put` and `drop` cost what the one file has.

Invariants
    What `definitions`, `in_file` and `paths` say comes from the same entries: after any changes the table is the one
    that would be built from its entries anew. No source text is kept.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

from aigc_lsp.index.paths import Paths
from aigc_lsp.index.postings import Postings
from aigc_lsp.index.projects import Project
from aigc_lsp.syntax import DefinitionKind, Import, Symbols
from aigc_lsp.text import Span

COMMON = 64
"""A name defined in more files than this says nothing by itself."""
MOST_IN_FILE = 4000
"""Definitions kept of one file; what has more is data."""
EDITED = 0
"""The stamp of a file whose text is an editor's."""

_KINDS: tuple[str, ...] = get_args(DefinitionKind)
_KIND_CODES = {kind: code for code, kind in enumerate(_KINDS)}
_COLUMNS = 8  # codes of kind and parent; where span, header and doc start and end
_BETWEEN_NAMES = "\0"
_BEFORE_LOCAL = "\x1f"


class Defined(NamedTuple):
    """A definition and where it is; the spans are those of `syntax.Definition`."""

    path: str
    name: str
    kind: str
    parent: str
    span: Span
    header: Span
    doc: Span | None


class Imported(NamedTuple):
    """An import of an indexed file: a `syntax.Import` without its place."""

    module: str
    names: tuple[tuple[str, str], ...]
    alias: str


Wanted = Import | Imported


@dataclass(frozen=True, slots=True)
class Entry:
    """What the table keeps of one file. `stamp` changes when the file does (`read.stamp_of`)."""

    path: str
    language: str
    stamp: int
    names: tuple[str, ...]
    parents: tuple[str, ...]
    numbers: array[int]  # _COLUMNS for each name
    imports: tuple[str, ...]

    def definition(self, position: int) -> Defined:
        kind, parent, *places = self.numbers[position * _COLUMNS : (position + 1) * _COLUMNS]
        span, header, doc = (Span(places[at], places[at + 1]) for at in (0, 2, 4))
        name, owner = self.names[position], self.parents[parent]
        return Defined(self.path, name, _KINDS[kind], owner, span, header, doc if len(doc) else None)

    def packed(self) -> list[Any]:
        """As JSON can have it."""
        return [self.path, self.language, self.stamp, self.names, self.parents, self.numbers.tolist(), self.imports]


def unpacked(fields: Sequence[Any]) -> Entry:
    """The entry that `packed` was made from."""
    path, language, stamp, names, parents, numbers, imports = fields
    return Entry(
        path, sys.intern(language), stamp, _shared(names), _shared(parents), array("I", numbers), _shared(imports)
    )


def entry_of(path: str, language: str, stamp: int, symbols: Symbols) -> Entry:
    definitions = symbols.definitions[:MOST_IN_FILE]
    parents: dict[str, int] = {}
    numbers = array("I")
    for each in definitions:
        doc = each.doc or Span(0, 0)
        numbers.extend((_KIND_CODES[each.kind], parents.setdefault(each.parent, len(parents))))
        numbers.extend((each.span.start, each.span.end, each.header.start, each.header.end, doc.start, doc.end))
    names = _shared(each.name for each in definitions)
    return Entry(path, language, stamp, names, _shared(parents), numbers, _shared(map(_as_text, symbols.imports)))


def _as_text(wanted: Import) -> str:
    names = (f"{name}{_BEFORE_LOCAL}{local}" for name, local in wanted.names)
    return _BETWEEN_NAMES.join((wanted.module, wanted.alias, *names))


def parts_of(text: str) -> list[str]:
    """An import as an `Entry` keeps it: module, alias, and each name with what it gets here."""
    return text.split(_BETWEEN_NAMES)


def names_of(text: str) -> set[str]:
    """What an import as an `Entry` keeps it brings: the names there and here."""
    return {each for part in parts_of(text)[2:] for each in part.split(_BEFORE_LOCAL)}


def _from_text(text: str) -> Imported:
    module, alias, *names = parts_of(text)
    pairs = (name.partition(_BEFORE_LOCAL) for name in names)
    return Imported(module, tuple((name, local) for name, _, local in pairs), alias)


def _shared(texts: Iterable[str]) -> tuple[str, ...]:
    """One string for equal ones, in all entries."""
    return tuple(map(sys.intern, texts))


class Index:
    """The table of one root. Belongs to one thread."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.paths = Paths()
        self.projects: dict[str, Project] = {}  # path of a project's file → what it says
        self._entries: dict[str, Entry] = {}
        self._definers = Postings()  # name → the files that define it

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    @property
    def files(self) -> Mapping[str, Entry]:
        return self._entries

    def put(self, entry: Entry) -> None:
        """Take in a file, in the place of what was known of it."""
        before = self._entries.get(entry.path)
        self._entries[entry.path] = entry
        old, new = set(before.names if before else ()), set(entry.names)
        for name in old - new:
            self._definers.discard(name, entry.path)
        for name in new - old:
            self._definers.add(name, entry.path)
        if before is None:
            self.paths.add(entry.path)

    def drop(self, path: str) -> None:
        """Forget a file; one that is not known is forgotten already."""
        self.projects.pop(path, None)
        entry = self._entries.pop(path, None)
        if entry is not None:
            for name in set(entry.names):
                self._definers.discard(name, path)
            self.paths.discard(path)

    def defines(self, name: str) -> bool:
        return self._definers.count(name) > 0

    def definitions(self, name: str) -> list[Defined]:
        """Where `name` is defined, by path; none where that is in more than `COMMON` files."""
        if self._definers.count(name) > COMMON:
            return []
        return [found for path in sorted(self._definers.of(name)) for found in self.named_in(path, name)]

    def named_in(self, path: str, name: str) -> list[Defined]:
        """The definitions of `name` in one file, from its top to its end."""
        entry = self._entries.get(path)
        if entry is None:
            return []
        return [entry.definition(at) for at, other in enumerate(entry.names) if other == name]

    def in_file(self, path: str) -> list[Defined]:
        """Every definition in a file, from its top to its end."""
        entry = self._entries.get(path)
        return [] if entry is None else [entry.definition(at) for at in range(len(entry.names))]

    def members(self, path: str, parent: str) -> list[Defined]:
        """The definitions of a file that are right in `parent`, a dotted name."""
        entry = self._entries.get(path)
        if entry is None or parent not in entry.parents:
            return []
        code = entry.parents.index(parent)
        return [entry.definition(at) for at in range(len(entry.names)) if entry.numbers[at * _COLUMNS + 1] == code]

    def imports(self, path: str) -> list[Imported]:
        """What a file imports, as it is written there."""
        entry = self._entries.get(path)
        return [] if entry is None else [_from_text(each) for each in entry.imports]
