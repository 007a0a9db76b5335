"""Which files are most like one: those that import the same, are called the same, and lie beside it.

What is written in one file is often written alike in its kin, and a small model copies better than it invents.
"""

from __future__ import annotations

import asyncio
import posixpath
import re
from collections import OrderedDict
from collections.abc import Iterable

from aigc_lsp.index.paths import split
from aigc_lsp.index.table import Entry, Index, names_of, parts_of
from aigc_lsp.syntax import family_of

MOST = 12
MOST_HELD = 64
"""Files whose kin are remembered."""
MOST_LOOKED_AT = 4000
"""Files; a larger workspace is looked at beside and above this file only."""

_NAME = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Kin:
    """Belongs to the event loop; a thread does the comparing, 20 ms for two thousand files."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str, str], tuple[object, list[str]]] = OrderedDict()
        self._finding: dict[tuple[str, str, str], asyncio.Task[None]] = {}

    @property
    def is_whole(self) -> bool:
        """Whether all that was asked for is at hand."""
        return not self._finding

    def at_hand(self, index: Index, path: str, language: str) -> list[str]:
        """The kin of the file at `path`, as far as they are known. They are looked for again where it imports something
        else, or where there are twice as many files."""
        key, own = (index.root, path, language), index.files.get(path)
        state = len(index).bit_length(), own.imports if own is not None else ()
        held, found = self._held.get(key, (None, []))
        if held != state and key not in self._finding:
            self._finding[key] = asyncio.create_task(self._find(key, state, _candidates(index, path), own))
            self._finding[key].add_done_callback(lambda _: self._finding.pop(key))
        return found

    async def wait(self, seconds: float | None = None) -> None:
        """Return when all that was asked for is at hand, or after `seconds`."""
        if self._finding:
            await asyncio.wait(list(self._finding.values()), timeout=seconds)

    async def _find(self, key: tuple[str, str, str], state: object, others: list[Entry], own: Entry | None) -> None:
        _, path, language = key
        self._held[key] = state, await asyncio.to_thread(kin_among, others, path, own, language)
        self._held.move_to_end(key)
        if len(self._held) > MOST_HELD:
            self._held.popitem(last=False)


def kin_among(others: Iterable[Entry], path: str, own: Entry | None, language: str) -> list[str]:
    """Those of `others` that are of the same language, the most alike first."""
    own_imports, own_name, folder = _imported(own.imports if own is not None else ()), _words(path), split(path)[0]
    scored = []
    for entry in others:
        other = entry.path
        if other == path or family_of(entry.language) != family_of(language):
            continue
        imports = _imported(entry.imports)
        score = 2 * len(own_imports & imports) / (len(own_imports | imports) or 1)
        name = _words(other)
        score += len(own_name & name) / (len(own_name | name) or 1)
        score += (split(other)[0] == folder) + 0.5 * (split(folder)[0] == split(split(other)[0])[0])
        scored.append((-score, other))
    return [other for _, other in sorted(scored)[:MOST]]


def importers_of(index: Index, path: str, name: str) -> list[str]:
    """The files that import `name` from anywhere, those of the nearest folders first."""
    found = [
        entry.path
        for entry in _candidates(index, path)
        if entry.path != path and any(name in each and name in names_of(each) for each in entry.imports)
    ]
    return sorted(found, key=lambda other: (-len(posixpath.commonpath([f"/{other}", f"/{path}"])), other))[:MOST]


def _candidates(index: Index, path: str) -> list[Entry]:
    if len(index) <= MOST_LOOKED_AT:
        return list(index.files.values())
    folder = split(path)[0]
    places = dict.fromkeys((folder, *index.paths.folders_in(split(folder)[0]), *index.paths.folders_in(folder)))
    paths = (each for place in places for each in index.paths.files_in(place))
    return [index.files[each] for each in paths if each in index.files][:MOST_LOOKED_AT]


def _imported(imports: Iterable[str]) -> set[str]:
    """The modules that are imported, and the names with their modules."""
    found = set()
    for each in imports:
        module, _, *names = parts_of(each)
        found.add(module)
        found.update(f"{module}:{name}" for name in names)
    return found


def _words(path: str) -> set[str]:
    return {word.lower() for word in _NAME.findall(posixpath.splitext(split(path)[1])[0])}
