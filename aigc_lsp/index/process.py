"""The worker, seen from the event loop: a task goes in, findings come out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncGenerator

from aigc_lsp.index.scan import Finding, Task, finding_from
from aigc_lsp.index.worker import task_lines

SILENT_SECONDS = 60.0
"""A worker that says nothing for so long hangs in one file, and is ended."""

_LONGEST_LINE = 1 << 24


class WorkerEnded(Exception):
    """The worker ended before its task did; `reading` is the file that it was at, or ""."""

    def __init__(self, reading: str) -> None:
        super().__init__(reading)
        self.reading = reading


async def found_by_worker(task: Task) -> AsyncGenerator[Finding, None]:
    """What `scan` finds, done by a process of its own, which ends with this. Raises `WorkerEnded`.

    Close it (`contextlib.aclosing`) where it may not be read to its end.
    """
    process, reading, is_done = await _started(), "", False
    try:
        await _tell(process, task)
        while found := await _next(process):
            reading = found.path if found.kind == "reading" else reading
            is_done = found.kind == "done"
            yield found
    finally:
        await _end(process)
    if not is_done:
        raise WorkerEnded(reading)


async def _started() -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "aigc_lsp.index.worker"),  # -P: nothing is imported from the user's folder
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            limit=_LONGEST_LINE,
            creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),
        )
    except OSError as error:
        raise WorkerEnded("") from error


async def _tell(process: asyncio.subprocess.Process, task: Task) -> None:
    """Its stdin stays open: the end of it is our end, and then the worker's."""
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):  # it ended: that is seen when it says nothing
        for line in task_lines(task):
            process.stdin.write(line)
            await process.stdin.drain()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill it where it goes on. One that has ended is not killed, or asyncio would miss how it did."""
    assert process.stdout is not None
    if not process.stdout.at_eof():
        process.kill()
    ended = asyncio.ensure_future(process.wait())
    try:
        await asyncio.shield(ended)
    except asyncio.CancelledError:
        await ended  # it is about to end, and who closes the index is promised that nothing of it runs any more
        raise


async def _next(process: asyncio.subprocess.Process) -> Finding | None:
    """None where there is no more, not in time, or not in our form."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SILENT_SECONDS):
            line = await process.stdout.readline()
        return finding_from(json.loads(line))
    except (TimeoutError, ValueError):
        return None
