"""The counts of one language server: added to at once, read and written by a thread, a while later.

Runs on the event loop. What cannot be written is kept, and tried again with the next count.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from aigc_lsp.feedback import store
from aigc_lsp.feedback.counts import Counts, Tally, named, together

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

WRITE_SECONDS = 10.0
"""After the first count the file is written so much later, with all that came meanwhile."""
CLOSE_SECONDS = 2.0
"""The last write may take so long."""


class Counting:
    """`may`: whether the user wants to be learnt from. While not, nothing is read, counted or written."""

    def __init__(self, may: Callable[[], bool]) -> None:
        self._may = may
        self._path: Path | None = None
        self._ledger: store.Ledger | None = None
        self._unwritten: Counts = {}
        self._in_writing: Counts = {}
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._has_complained = False

    def open(self) -> None:
        """Read the file, where nobody has; what it says is known a little later."""
        if self._path is None:
            self._path = store.default_path()
            self._task = asyncio.create_task(self._read(self._path))

    def recent(self, language: str) -> Mapping[int, Tally]:
        """By decile: what the threshold is learnt from, with what is not written yet."""
        known = self._ledger.recent if self._ledger is not None else {}
        found: Counts = {}
        for counts in (known, self._in_writing, self._unwritten):
            found = together(found, {language: counts.get(named(language), {})})
        return found[language]

    def count(self, counts: Counts) -> None:
        if not self._may():
            return
        self._unwritten = together(self._unwritten, counts)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WRITE_SECONDS, self._begin_to_write)

    async def close(self) -> None:
        """Write what is left. A disk that hangs is not waited for."""
        if self._timer is not None:
            self._timer.cancel()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                if self._task is not None:
                    await asyncio.shield(self._task)
                await self._write()
        except TimeoutError:
            log.warning("the counts of suggestions could not be written in time")

    async def _read(self, path: Path) -> None:
        try:
            ledger = await asyncio.to_thread(store.read, path)
        except (OSError, ValueError) as error:  # whoever writes it next sets it aside, or says that it cannot
            log.info("the counts of suggestions cannot be read (%s)", type(error).__name__)
            return
        if self._ledger is None:  # else it was written meanwhile, and is newer
            self._ledger = ledger

    def _begin_to_write(self) -> None:
        self._timer = None
        if self._task is not None and not self._task.done():  # a disk that hangs gets no second thread
            self._timer = asyncio.get_running_loop().call_later(WRITE_SECONDS, self._begin_to_write)
            return
        self._task = asyncio.create_task(self._write())

    async def _write(self) -> None:
        path, counts, self._unwritten = self._path, self._unwritten, {}
        if path is None or not counts or not self._may():
            return
        self._in_writing = counts
        try:
            self._ledger = await asyncio.to_thread(store.add, path, counts)
        except OSError as error:
            self._unwritten = together(counts, self._unwritten)  # with the next count it is tried again
            if not self._has_complained:
                self._has_complained = True
                log.warning("the counts of suggestions cannot be written: %s", error)
        finally:
            self._in_writing = {}
