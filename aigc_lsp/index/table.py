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
from aigc_lsp.syntax import DefinitionKind, Symbols

COMMON = 64
"""A name defined in more files than this says nothing by itself."""
MOST_IN_FILE = 4000
"""Definitions kept of one file; what has more is data."""
EDITED = 0
"""The stamp of a file whose text is an editor's."""

_KINDS: tuple[str, ...] = get_args(DefinitionKind)
_KIND_CODES = {kind: code for code, kind in enumerate(_KINDS)}
_COLUMNS = 5  # kind, parent + 1 (0: none), start, header end, end


class Defined(NamedTuple):
    """A definition: the whole of it is `start..end`, what one reads to use it `start..header_end`."""

    path: str
    name: str
    kind: str
    parent: str  # name of the class or function that it is in, or ""
    start: int
    header_end: int
    end: int


class Imported(NamedTuple):
    """An import as it is written: from `module`, the `names` (none: the module itself, or all of it)."""

    module: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the table keeps of one file. `stamp` changes when the file does (`read.stamp_of`)."""

    path: str
    language: str
    stamp: int
    names: tuple[str, ...]
    numbers: array[int]  # _COLUMNS for each name
    imports: tuple[str, ...]  # module and names, joined by NUL

    def definition(self, position: int) -> Defined:
        kind, parent, start, header_end, end = self.numbers[position * _COLUMNS : (position + 1) * _COLUMNS]
        owner = self.names[parent - 1] if parent else ""
        return Defined(self.path, self.names[position], _KINDS[kind], owner, start, header_end, end)

    def packed(self) -> list[Any]:
        """As JSON can have it."""
        return [self.path, self.language, self.stamp, self.names, self.numbers.tolist(), self.imports]


def unpacked(fields: Sequence[Any]) -> Entry:
    """The entry that `packed` was made from, with one string for equal names in all entries."""
    path, language, stamp, names, numbers, imports = fields
    return Entry(path, sys.intern(language), stamp, _interned(names), array("I", numbers), _interned(imports))


def entry_of(path: str, language: str, stamp: int, symbols: Symbols) -> Entry:
    definitions = symbols.definitions[:MOST_IN_FILE]
    numbers = array("I")
    for each in definitions:
        numbers.extend(
            (_KIND_CODES[each.kind], 0 if each.parent is None else each.parent + 1, each.span.start, each.header.end, each.span.end)
        )
    names = _interned(each.name for each in definitions)
    imports = _interned("\0".join((each.module, *each.names)) for each in symbols.imports)
    return Entry(path, language, stamp, names, numbers, imports)


def _interned(texts: Iterable[str]) -> tuple[str, ...]:
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

    def imports(self, path: str) -> list[Imported]:
        """What a file imports, as it is written there."""
        entry = self._entries.get(path)
        parts = [] if entry is None else [each.split("\0") for each in entry.imports]
        return [Imported(module, tuple(names)) for module, *names in parts]
