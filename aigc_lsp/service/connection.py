"""HTTP/1.1 to the model server on this machine: h11 over its Unix socket or its port, and nothing more.

A client for any server takes a millisecond longer over each request, and 10 MB and a fifth of a second to load in every
language server. A connection has one request at a time; one that is free is used again.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import h11

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.service import peer
from aigc_lsp.service.place import Address

CONNECT_SECONDS = 2.0
KEEP_SECONDS = 30.0
"""Of a connection that nothing is sent over: less than the model server keeps it, or a request might meet its end."""
CROWDED_SECONDS = 0.01
READ_BYTES = 1 << 16

FAILURES = (OSError, h11.RemoteProtocolError)
"""What comes of a server that is not there, goes away or speaks something else. One that takes too long to let us in is
a `TimeoutError`, which is among them."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: AsyncIterator[bytes]


class Connections:
    """To one address. Raises `FAILURES`, and `EngineUnavailable` where another user listens there."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._free: list[_Connection] = []

    @contextlib.asynccontextmanager
    async def ask(
        self, method: str, path: str, body: bytes = b"", seconds: float | None = None
    ) -> AsyncIterator[Answer]:
        """Leaving the block before the answer's end hangs up. `seconds`: until the answer begins, or `TimeoutError`."""
        connection = self._used() or await _connect(self._address)
        try:
            async with asyncio.timeout(seconds):
                status = await connection.ask(method, path, body, self._address.token)
            yield Answer(status, connection.body())
        finally:
            if connection.is_free():
                self._free.append(connection)
            else:
                connection.close()

    def close(self) -> None:
        while self._free:
            self._free.pop().close()

    def _used(self) -> _Connection | None:
        while self._free:
            connection = self._free.pop()
            if connection.is_fresh:
                return connection
            connection.close()
        return None


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._protocol = h11.Connection(h11.CLIENT)
        self._used_at = time.monotonic()

    async def ask(self, method: str, path: str, body: bytes, token: str) -> int:
        """Send a request; the status of its answer."""
        headers = [("host", "127.0.0.1"), ("content-type", "application/json"), ("content-length", str(len(body)))]
        if token:
            headers.append(("authorization", f"Bearer {token}"))
        events = (h11.Request(method=method, target=path, headers=headers), h11.Data(body), h11.EndOfMessage())
        self._writer.write(b"".join(self._protocol.send(event) or b"" for event in events))
        while not isinstance(event := await self._event(), h11.Response):
            pass
        return event.status_code

    async def body(self) -> AsyncIterator[bytes]:
        while not isinstance(event := await self._event(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                yield bytes(event.data)

    def is_free(self) -> bool:
        """Whether the answer was read to its end; another request may follow then."""
        if self._protocol.our_state is not h11.DONE or self._protocol.their_state is not h11.DONE:
            return False
        self._protocol.start_next_cycle()
        self._used_at = time.monotonic()
        return True

    @property
    def is_fresh(self) -> bool:
        return not self._reader.at_eof() and time.monotonic() - self._used_at < KEEP_SECONDS

    def close(self) -> None:
        self._writer.close()

    async def _event(self) -> object:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            self._protocol.receive_data(await self._reader.read(READ_BYTES))
        return event


async def _connect(address: Address) -> _Connection:
    async with asyncio.timeout(CONNECT_SECONDS):
        if address.socket is None:
            return _Connection(*await asyncio.open_connection("127.0.0.1", address.port))
        reader, writer = await asyncio.open_unix_connection(sock=await _let_in(address.socket))
    if not peer.is_own(writer.get_extra_info("socket")):
        writer.close()
        await writer.wait_closed()
        raise EngineUnavailable("The model server's socket is another user's. Remove it.")
    return _Connection(reader, writer)


async def _let_in(path: Path) -> socket.socket:
    """A socket that is connected, for which one may have to try again: where too many wait to be let in, a Unix socket
    says so, and asyncio takes that for the beginning of a connection."""
    connected = socket.socket(socket.AF_UNIX)
    connected.setblocking(False)
    try:
        while True:
            try:
                connected.connect(str(path))
                return connected
            except BlockingIOError:
                await asyncio.sleep(CROWDED_SECONDS)
    except BaseException:
        connected.close()
        raise
