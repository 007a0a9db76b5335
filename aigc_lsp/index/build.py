"""Keeps the index of one root true, in the background.

Contract
    Everything here runs on the event loop and returns at once. What there is to walk, read and parse is done by a
    worker process, or by a thread where it is a handful of small files; the loop only takes in what they found, a few
    milliseconds at a time. The index can be asked at any time: it is as true as it has got.

Invariants
    What the editor says comes before what is found on disk: of an open document, and of a file that was said to have
    changed while a scan was under way, that scan's findings are dropped (the change is looked at by a scan of its own).
    Of two scans at a time, one is of everything and one of what changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from aigc_lsp.context.hidden import GIT_EXCLUDE
from aigc_lsp.index.ignoring import IGNORE_FILES
from aigc_lsp.index.look import Changed, Stamps, look
from aigc_lsp.index.paths import split
from aigc_lsp.index.process import WorkerEnded, found_by_worker
from aigc_lsp.index.read import read_source
from aigc_lsp.index.scan import NEVER, Finding, Task, scan_handful
from aigc_lsp.index.table import EDITED, Index, entry_of
from aigc_lsp.syntax import Symbols

log = logging.getLogger(__name__)

SLICE_SECONDS = 0.003
"""The longest that the event loop is held to take in findings."""
SETTLING_SECONDS = 0.2
"""So long after a change it is looked at: changes come in bursts."""
LOOK_SECONDS = 3.0
"""The shortest time between two looks at the disk."""
MANY = 500
"""So many changes at once are a branch switch: everything is scanned."""
LOOKED_AT = 5000
"""Folders that one look looks at; of more, the next one looks at the next."""
FROZEN_AFTER = 1000
"""After so many files are taken in, Python's garbage collector is told to leave them alone, and others how many."""


@dataclass(slots=True, eq=False)
class _Scan:
    """One that is under way, and the paths that the editor has told of since it began."""

    touched: set[str] = field(default_factory=set)

    def is_overtaken(self, path: str) -> bool:
        while self.touched:
            if path in self.touched:
                return True
            if not path:
                break
            path = split(path)[0]
        return False


class Indexer:
    """`others` are roots within this one that have an indexer of their own. Paths are relative to the root. `told` is
    called when there is news for a status: much was taken in, a scan ended, something went wrong."""

    def __init__(
        self,
        root: str,
        exclude: Sequence[str] = (),
        others: Sequence[str] = (),
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self.index = Index(root)
        self.note = ""
        """A sentence for the user where something is left out, or empty."""
        self.is_complete = False
        """Whether everything was scanned once."""
        self._told = told
        self._task = Task(root, exclude=tuple(exclude), others=tuple(others))
        self._open: set[str] = set()
        self._languages: set[str] = set()
        self._scans: list[_Scan] = []
        self._changed: set[str] = set()
        self._has_changes, self._is_stale = asyncio.Event(), asyncio.Event()
        self._folders: dict[str, Stamps] = {}  # folder → its stamps as it was listed
        self._looked_at = 0.0  # on the monotonic clock
        self._next_look = 0
        self._taken = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self.rescan()
        self._spawn(self._scan_everything())
        self._spawn(self._scan_changes())

    async def close(self) -> None:
        """Nothing of it runs any more when this returns."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # What one may tell it

    def arrange(self, exclude: Sequence[str], others: Sequence[str]) -> None:
        """Leave out something else from now on."""
        task = replace(self._task, exclude=tuple(exclude), others=tuple(others))
        if task != self._task:
            self._task = task
            self._reconsider()

    def rescan(self) -> None:
        """Anything may have changed; what has the same stamp is not read again."""
        self._is_stale.set()

    def changed(self, paths: Iterable[str]) -> None:
        """Files or folders were made, written, renamed (say both names) or deleted."""
        for path in paths:
            if split(path)[1] in IGNORE_FILES or path in ("", GIT_EXCLUDE):
                self._reconsider()
            else:
                self._touch(path)

    def opened(self, path: str, language: str, symbols: Symbols) -> None:
        """An editor has the file open, and `symbols` are those of its text. To be said again as the text changes, and
        not of a hidden file."""
        self._open.add(path)
        self._languages.add(language)
        self.index.put(entry_of(path, language, EDITED, symbols))

    def closed(self, path: str) -> None:
        self._open.discard(path)
        self._touch(path)

    def look(self) -> None:
        """Somebody is at work: look for changes that nobody tells of, unless that was done just now."""
        if time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = time.monotonic()
            self._spawn(self._look())

    async def text(self, path: str) -> str | None:
        """The text of an indexed file, for which the offsets hold; None where it is another by now, or gone."""
        entry = self.index.files.get(path)
        if entry is None or entry.stamp == EDITED:
            return None
        source = await asyncio.to_thread(read_source, self.index.root, path)
        if source is not None and source.stamp == entry.stamp:
            return source.text
        self.changed([path])
        return None

    # What it does about it

    async def _scan_everything(self) -> None:
        while True:
            await self._is_stale.wait()
            self._is_stale.clear()
            self._folders.clear()
            self.note = await self._scan(("",))
            self.is_complete = self.is_complete or not self._is_stale.is_set()
            self._told()

    async def _scan_changes(self) -> None:
        while True:
            await self._has_changes.wait()
            await asyncio.sleep(SETTLING_SECONDS)
            self._has_changes.clear()
            paths, self._changed = self._changed, set()
            if len(paths) > MANY:
                self.rescan()
            else:
                self.note = await self._scan(sorted(paths)) or self.note
                self._told()

    async def _scan(self, scope: Sequence[str]) -> str:
        """Bring what is at and below `scope` up to date; why not all of it, or ""."""
        turns, under_way, note = _Turns(), _Scan(), ""
        self._scans.append(under_way)
        try:
            async with contextlib.aclosing(self._findings(scope, turns)) as findings:
                async for found in findings:
                    await turns.give()
                    if found.kind == "stopped":
                        note = found.value
                    elif not under_way.is_overtaken(found.path):
                        self._take(found)
                    elif under_way.is_overtaken(""):
                        break
        finally:
            self._scans.remove(under_way)
        return note

    async def _findings(self, scope: Sequence[str], turns: _Turns) -> AsyncGenerator[Finding, None]:
        known = await self._known(scope, turns)
        task = replace(self._task, scope=scope, known=known, languages=tuple(self._languages))
        handful = await asyncio.to_thread(scan_handful, task)
        for found in handful or ():
            yield found
        if handful is not None:
            return
        for _ in range(2):
            try:
                async with contextlib.aclosing(found_by_worker(task)) as findings:
                    async for found in findings:
                        yield found
                return
            except WorkerEnded as ended:
                log.warning("the indexing process ended before its work did")
                task = replace(task, known=await self._known(scope, turns), skip=(*task.skip, ended.reading))
        yield Finding(
            "stopped", value="Indexing failed twice, so some files are not indexed. Restart the language server."
        )

    async def _known(self, scope: Sequence[str], turns: _Turns) -> dict[str, int]:
        """What is indexed at and below `scope`, but for open documents, with its stamp."""
        files, known = self.index.files, {}
        below = tuple(f"{path}/" for path in scope if self.index.paths.has_folder(path))
        single = {path for path in scope if path in files}
        for path in list(files) if below or "" in scope else single:
            await turns.give()
            entry = files.get(path)
            if entry and path not in self._open and ("" in scope or path in single or path.startswith(below)):
                known[path] = entry.stamp
        for path in self.index.projects:
            if "" in scope or path in scope or path.startswith(below):
                known.setdefault(path, NEVER)
        return known

    def _take(self, found: Finding) -> None:
        if found.kind == "folder":
            self._folders[found.path] = found.value
        elif found.kind == "project":
            self.index.projects[found.path] = found.value
        elif found.kind == "no project":
            self.index.projects.pop(found.path, None)
        elif found.path in self._open:
            pass
        elif found.kind == "gone":
            self.index.drop(found.path)
        elif found.kind == "file":
            self.index.put(found.value)
            self._taken += 1
            if self._taken % FROZEN_AFTER == 0:
                gc.freeze()  # looking through a large index takes a tenth of a second, and frees nothing
                self._told()

    async def _look(self) -> None:
        stamps = list(islice(self._folders.items(), self._next_look, self._next_look + LOOKED_AT))
        self._next_look = self._next_look + LOOKED_AT if len(stamps) == LOOKED_AT else 0
        for changed in await asyncio.to_thread(look, self.index.root, stamps):
            self._look_into(changed)

    def _look_into(self, changed: Changed) -> None:
        before = self._folders.get(changed.folder)
        self._folders[changed.folder] = changed.stamps
        if before is None or before[1] != changed.stamps[1]:
            self._reconsider()
            return
        paths = self.index.paths
        known = {*paths.files_in(changed.folder), *paths.folders_in(changed.folder)}
        for path in known.union(changed.files, changed.folders):
            if path not in self._folders or path not in changed.folders:
                self._touch(path)

    def _reconsider(self) -> None:
        """What is hidden has changed: no scan that is under way knows."""
        for scan in self._scans:
            scan.touched.add("")
        self.rescan()

    def _touch(self, path: str) -> None:
        self._changed.add(path)
        for scan in self._scans:
            scan.touched.add(path)
        self._has_changes.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("indexing failed: %s", type(error).__name__)  # no message: it may hold the user's text
            self.note = "Indexing failed, so the index is not kept up to date. Restart the language server."
            self._told()


class _Turns:
    """Gives the event loop its turn whenever it was held for `SLICE_SECONDS`."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    async def give(self) -> None:
        if time.perf_counter() - self._began > SLICE_SECONDS:
            await asyncio.sleep(0)
            self._began = time.perf_counter()
