"""stdin and stdout. stdin is read by one thread that hands on what comes, as it comes.

pygls has a thread of a pool read each line and each body, three changes of thread for a message, and under load each
waits for a processor twice. Here it is one. (A loop that polls stdin needs none, but not every stdin can be polled.)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import IO

from pygls.io_ import StdoutWriter

log = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 16
SHUTDOWN_SECONDS = 10.0
"""Who shuts down for longer is not waited for."""


class Said(StdoutWriter):
    """Where nobody reads any more, there is nobody to tell; the end of stdin ends the server."""

    def write(self, data: bytes) -> None:
        try:
            super().write(data)
        except (BrokenPipeError, ValueError):  # gone, or closed by us
            log.info("the client is gone")

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # what it had not taken yet
            super().close()


class Fed:
    """What pygls wants of a reader. At its end it gives no bytes, also in the middle of a message."""

    def __init__(self, stdin: IO[bytes], is_shutting_down: Callable[[], bool]) -> None:
        self._is_shutting_down = is_shutting_down
        self._patience = 0.0
        self._number = stdin.fileno()
        self._reader: asyncio.StreamReader | None = None

    async def readline(self) -> bytes:
        await asyncio.sleep(0)  # between two messages others have their turn, however many lie here
        while self._is_shutting_down():  # `exit`, or the end, may be right behind it
            self._patience = self._patience or time.monotonic() + SHUTDOWN_SECONDS
            if time.monotonic() > self._patience:
                break
            await asyncio.sleep(0.005)
        try:
            return await self._opened().readline()
        except ValueError:  # a line that is no header
            return b""

    async def readexactly(self, count: int) -> bytes:
        try:
            return await self._opened().readexactly(count)
        except asyncio.IncompleteReadError:
            return b""

    def _opened(self) -> asyncio.StreamReader:
        if self._reader is None:
            self._reader = asyncio.StreamReader(CHUNK_BYTES)
            # A daemon: nothing ends its reading but the client.
            threading.Thread(target=self._feed, args=(asyncio.get_running_loop(),), name="stdin", daemon=True).start()
        return self._reader

    def _feed(self, loop: asyncio.AbstractEventLoop) -> None:
        reader = self._opened()
        while True:
            try:
                # Not through `sys.stdin.buffer`, whose lock would be held while the interpreter ends.
                data = os.read(self._number, CHUNK_BYTES)
            except OSError:
                data = b""
            try:
                loop.call_soon_threadsafe(*((reader.feed_data, data) if data else (reader.feed_eof,)))
            except RuntimeError:  # the loop has ended
                return
            if not data:
                return
