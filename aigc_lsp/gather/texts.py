"""Texts of indexed files: those at hand, and those that are being read.

The index keeps no text. What is asked for again and again is kept here, some megabytes at most; an open document's text
is the one that its symbols in the index were taken from, since it is that text that their offsets mean. Secrets are
written over before anything is cut from a text, at the same length.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict

from aigc_lsp.context.secrets import masked
from aigc_lsp.index.build import Indexer
from aigc_lsp.index.table import EDITED
from aigc_lsp.syntax import language_of
from aigc_lsp.text import Text

MOST_CHARACTERS = 4_000_000
"""Of all texts together."""


class Texts:
    """Belongs to the event loop. Paths are relative to the indexer's root, but for those of open documents."""

    def __init__(self) -> None:
        self.open: dict[str, Text] = {}
        """By absolute path."""
        self._held: OrderedDict[tuple[str, str], tuple[int, Text]] = OrderedDict()
        self._length = 0
        self._reading: dict[tuple[str, str], asyncio.Task[None]] = {}

    def at_hand(self, indexer: Indexer, path: str) -> Text | None:
        """The text for which the index's offsets hold; where there is none yet, it is read behind our back."""
        entry = indexer.index.files.get(path)
        if entry is None:
            return None
        if entry.stamp == EDITED:
            return self.open.get(os.path.join(indexer.index.root, path))
        stamp, text = self._held.get((indexer.index.root, path), (None, None))
        if stamp == entry.stamp:
            self._held.move_to_end((indexer.index.root, path))
            return text
        self._read(indexer, path, entry.stamp)
        return None

    @property
    def is_whole(self) -> bool:
        """Whether all that was asked for has been read."""
        return not self._reading

    async def wait(self, seconds: float | None = None) -> None:
        """Return when all that was asked for has been read, or after `seconds`."""
        if self._reading:
            await asyncio.wait(list(self._reading.values()), timeout=seconds)

    def _read(self, indexer: Indexer, path: str, stamp: int) -> None:
        key = indexer.index.root, path
        if key not in self._reading:
            self._reading[key] = asyncio.create_task(self._take(indexer, path, stamp))
            self._reading[key].add_done_callback(lambda _: self._reading.pop(key))

    async def _take(self, indexer: Indexer, path: str, stamp: int) -> None:
        source = await indexer.text(path)
        if source is None:
            return
        source = await asyncio.to_thread(masked, source, language_of(path) or "")
        _, before = self._held.pop((indexer.index.root, path), (0, None))
        self._held[indexer.index.root, path] = stamp, Text(source)
        self._length += len(source) - (len(before) if before is not None else 0)
        while self._length > MOST_CHARACTERS and len(self._held) > 1:
            _, (_, dropped) = self._held.popitem(last=False)
            self._length -= len(dropped)
