"""The folders of a workspace, each with its index. Paths are absolute here, as the editor has them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence

from aigc_lsp.index.build import Indexer
from aigc_lsp.index.table import Defined
from aigc_lsp.syntax import Symbols


class Workspace:
    """What lies outside every folder is not indexed; without a folder nothing is. `told` as in `Indexer`."""

    def __init__(self, told: Callable[[], None] = lambda: None) -> None:
        self._told = told
        self._indexers: dict[str, Indexer] = {}

    def __len__(self) -> int:
        """Files indexed."""
        return sum(len(each.index) for each in self._indexers.values())

    @property
    def is_complete(self) -> bool:
        """Whether everything was scanned once."""
        return all(each.is_complete for each in self._indexers.values())

    @property
    def note(self) -> str:
        """A sentence or two for the user where something is left out, or empty."""
        return " ".join(dict.fromkeys(each.note for each in self._indexers.values() if each.note))

    async def serve(self, folders: Iterable[str], exclude: Sequence[str] = ()) -> None:
        """Index these folders from now on, and no others, without what matches `exclude`."""
        wanted = sorted({os.path.normpath(folder) for folder in folders})
        ended = [self._indexers.pop(root) for root in list(self._indexers) if root not in wanted]
        for root in wanted:
            others = tuple(other for other in wanted if other.startswith(os.path.join(root, "")))
            if root in self._indexers:
                self._indexers[root].arrange(exclude, others)
            else:
                self._indexers[root] = Indexer(root, exclude, others, self._told)
                self._indexers[root].start()
        await asyncio.gather(*(each.close() for each in ended))

    async def close(self) -> None:
        await self.serve(())

    def locate(self, path: str) -> tuple[Indexer, str] | None:
        """The innermost folder's indexer, and the path in it."""
        path = os.path.normpath(path)
        roots = [root for root in self._indexers if path == root or path.startswith(os.path.join(root, ""))]
        if not roots:
            return None
        root = max(roots, key=len)
        return self._indexers[root], path[len(root) :].strip(os.sep).replace(os.sep, "/")

    def defines(self, name: str) -> bool:
        """Whether any file is known to define `name`."""
        return any(indexer.index.defines(name) for indexer in self._indexers.values())

    def definitions(self, name: str) -> list[tuple[str, Defined]]:
        """Where `name` is defined, with the folder that each path is relative to."""
        return [(root, found) for root, each in self._indexers.items() for found in each.index.definitions(name)]

    # What one may tell it; see `Indexer`

    def changed(self, paths: Iterable[str]) -> None:
        for path in paths:
            if place := self.locate(path):
                place[0].changed([place[1]])

    def opened(self, path: str, language: str, symbols: Symbols) -> None:
        if place := self.locate(path):
            place[0].opened(place[1], language, symbols)

    def closed(self, path: str) -> None:
        if place := self.locate(path):
            place[0].closed(place[1])

    def look(self) -> None:
        for each in self._indexers.values():
            each.look()
