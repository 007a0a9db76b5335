"""stdin read by the event loop itself.

pygls has a thread read it, three times for each message: under load that is three times that somebody waits for a
processor, twice. Where stdin cannot be polled (a file, Windows) it stays with that.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import IO

HEADER_BYTES = 1 << 16


def may_be_polled(stdin: IO[bytes], stdout: IO[bytes]) -> bool:
    """Whether the loop can read `stdin`, and reading it without blocking does not make writing `stdout` so."""
    if sys.platform == "win32":
        return False
    try:
        one, other = os.fstat(stdin.fileno()), os.fstat(stdout.fileno())
    except (OSError, ValueError):
        return False
    is_pipe = (one.st_mode & 0o170000) in (0o010000, 0o140000)  # a FIFO or a socket
    return is_pipe and (one.st_dev, one.st_ino) != (other.st_dev, other.st_ino)


class Polled:
    """What pygls wants of a reader. At its end it gives no bytes, also in the middle of a message."""

    def __init__(self, stdin: IO[bytes]) -> None:
        self._stdin = stdin
        self._reader: asyncio.StreamReader | None = None

    async def readline(self) -> bytes:
        try:
            return await (await self._opened()).readline()
        except ValueError:  # a line that is no header
            return b""

    async def readexactly(self, count: int) -> bytes:
        try:
            return await (await self._opened()).readexactly(count)
        except asyncio.IncompleteReadError:
            return b""

    async def _opened(self) -> asyncio.StreamReader:
        if self._reader is None:
            reader = self._reader = asyncio.StreamReader(HEADER_BYTES)
            protocol = asyncio.StreamReaderProtocol(reader)
            await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, self._stdin)
        return self._reader
