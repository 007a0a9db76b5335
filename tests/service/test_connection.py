"""Connections to a server on this machine that does what a test says: reuse, hang-up, and what can go wrong."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from aigc_lsp.service import connection
from aigc_lsp.service.connection import FAILURES, Connections
from aigc_lsp.service.place import Address

HANG = 15.0

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Counts who connects and who hangs up; `handle` has each request, whose head was read."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self.connected = 0
        self.heads: list[bytes] = []
        self.hung_up = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                await self._handle(reader, writer)
                await writer.drain()
        self.hung_up.set()
        writer.close()


@contextlib.asynccontextmanager
async def serving(handle: Handle, port: bool = False) -> AsyncIterator[tuple[Server, Connections]]:
    server = Server(handle)
    with tempfile.TemporaryDirectory(prefix="aigc-", dir="/tmp") as folder:
        path = Path(folder) / "s"
        listener = await (
            asyncio.start_server(server, "127.0.0.1") if port else asyncio.start_unix_server(server, path)
        )
        address = Address(port=listener.sockets[0].getsockname()[1], token="word") if port else Address(path)
        connections = Connections(address)
        async with listener:
            yield server, connections
            connections.close()


async def told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


async def whole(connections: Connections, body: bytes = b"") -> tuple[int, bytes]:
    async with asyncio.timeout(HANG), connections.ask("POST", "/x", body) as answer:
        return answer.status, b"".join([part async for part in answer.body])


async def test_one_connection_serves_one_request_after_another() -> None:
    async with serving(told) as (server, connections):
        assert [await whole(connections) for _ in range(3)] == [(200, b"ok")] * 3
    assert server.connected == 1
    assert server.heads[0].startswith(b"POST /x HTTP/1.1\r\n")
    assert b"authorization" not in server.heads[0].lower()


async def test_a_port_is_asked_with_its_token() -> None:
    async with serving(told, port=True) as (server, connections):
        assert await whole(connections) == (200, b"ok")
    assert b"authorization: bearer word\r\n" in server.heads[0].lower()


async def test_a_body_arrives_whole() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = await reader.readexactly(1_000_000)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for part in (body[:300_000], body[300_000:]):
            writer.write(b"%x\r\n%s\r\n" % (len(part), part))
        writer.write(b"0\r\n\r\n")

    body = bytes(range(250)) * 4000
    async with serving(echo) as (_, connections):
        assert await whole(connections, body) == (200, body)


async def test_two_at_once_have_a_connection_each() -> None:
    both = asyncio.Barrier(2)

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await both.wait()
        await told(reader, writer)

    async with serving(wait) as (server, connections):
        await asyncio.gather(whole(connections), whole(connections))
        await asyncio.gather(whole(connections), whole(connections))
    assert server.connected == 2


async def test_leaving_before_the_end_hangs_up() -> None:
    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")

    async with serving(begin) as (server, connections):
        async with connections.ask("GET", "/x") as answer:
            assert await anext(answer.body) == b"only this"
        await asyncio.wait_for(server.hung_up.wait(), HANG)


async def test_cancelling_before_the_answer_hangs_up() -> None:
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.readexactly(1)

    async with serving(silent) as (server, connections):
        task = asyncio.create_task(whole(connections))
        await asyncio.wait_for(asked.wait(), HANG)
        task.cancel()
        await asyncio.wait_for(server.hung_up.wait(), HANG)


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    async def last(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await told(reader, writer)
        writer.close()

    async with serving(last) as (server, connections):
        assert await whole(connections) == (200, b"ok")
        async with asyncio.timeout(HANG):
            while connections._free[0].is_fresh:  # its end has not arrived yet
                await asyncio.sleep(0)
        assert await whole(connections) == (200, b"ok")
    assert server.connected == 2


async def test_a_connection_that_was_idle_for_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(told) as (server, connections):
        await whole(connections)
        monkeypatch.setattr(connection, "KEEP_SECONDS", 0.0)
        await whole(connections)
    assert server.connected == 2


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhal",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
async def test_what_is_no_answer_is_a_failure(said: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        writer.close()

    async with serving(speak) as (_, connections):
        with pytest.raises(FAILURES):
            await whole(connections)


async def test_a_server_that_does_not_begin_to_answer_in_time() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)

    async with serving(silent) as (server, connections):
        with pytest.raises(TimeoutError):
            async with connections.ask("GET", "/x", seconds=0.05):
                pass
        await asyncio.wait_for(server.hung_up.wait(), HANG)


async def test_nobody_there() -> None:
    with tempfile.TemporaryDirectory(prefix="aigc-", dir="/tmp") as folder, pytest.raises(FAILURES):
        await whole(Connections(Address(Path(folder) / "s")))


async def test_a_crowd_is_let_in_one_after_another() -> None:
    """More than a socket's queue holds: the kernel refuses some at first."""
    with tempfile.TemporaryDirectory(prefix="aigc-", dir="/tmp") as folder:
        path = Path(folder) / "s"
        server = Server(told)
        async with await asyncio.start_unix_server(server, path, backlog=1):
            connections = Connections(Address(path))
            answers = await asyncio.gather(*(whole(connections) for _ in range(40)))
            connections.close()
    assert answers == [(200, b"ok")] * 40
