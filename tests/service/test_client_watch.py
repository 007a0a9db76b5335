"""The client on a server that follows a script: what it hears, and when it says that one is hung, or gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tiny_server import HANG

from aigc_lsp.errors import EngineHung, EngineUnavailable
from aigc_lsp.service import client as room
from aigc_lsp.service.client import EngineClient
from aigc_lsp.service.wire import Health, InfillRequest

STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def event(health: Health) -> bytes:
    return b"data: " + json.dumps(health.to_json()).encode() + b"\n\n"


@pytest.fixture
def path() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="aigc-", dir="/tmp"))
    yield folder / "s"
    shutil.rmtree(folder)


@contextlib.asynccontextmanager
async def serving(path: Path, handle: Handler) -> AsyncIterator[EngineClient]:
    """A client of a server that calls `handle` with each request, and hangs up when it returns."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line]
            body = await reader.readexactly(length[0]) if length else b""
            await handle(body, writer)
        writer.close()

    server = await asyncio.start_unix_server(connected, path)
    client = EngineClient(path)
    try:
        yield client
    finally:
        await client.close()
        server.close()


async def heard(client: EngineClient) -> tuple[list[Health], EngineUnavailable | None]:
    """All that it says, and how it ends; None where it leaves by itself."""
    found: list[Health] = []
    try:
        async for health in client.watch():
            found.append(health)
    except EngineUnavailable as error:
        return found, error
    return found, None


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "HUNG_SECONDS", 1.0)


async def test_it_hears_each_event_and_the_end(path: Path) -> None:
    said = [Health("load", "m", done=1, total=2), Health("ready", "m", loaded=("m",)), Health("idle", "m")]

    async def handle(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + b": a comment\n\n" + b"".join(map(event, said)))
        await writer.drain()

    async with serving(path, handle) as client:
        found, end = await heard(client)
    assert found == said
    assert end is None


async def test_a_stream_that_breaks_off_is_a_fall(path: Path) -> None:
    """What a killed process leaves behind; one that leaves by itself ends its stream first."""

    async def handle(_: bytes, writer: asyncio.StreamWriter) -> None:
        body = event(Health("ready", "m"))
        head = STREAM.replace(b"\r\n\r\n", b"\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(head + b"%x\r\n" % len(body) + body + b"\r\n")
        await writer.drain()

    async with serving(path, handle) as client:
        found, end = await heard(client)
    assert found == [Health("ready", "m")]
    assert isinstance(end, EngineUnavailable)
    assert not isinstance(end, EngineHung)


@pytest.mark.process
async def test_silence_after_a_while_is_a_hang(path: Path, impatient: None) -> None:
    async def handle(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM)
        for _ in range(3):  # longer in all than its patience for one
            writer.write(event(Health("ready", "m")))
            await asyncio.sleep(0.4)
        await asyncio.sleep(HANG)

    async with serving(path, handle) as client:
        found, end = await heard(client)
    assert len(found) == 3
    assert isinstance(end, EngineHung)


async def test_one_that_accepts_and_never_answers_is_hung(path: Path, impatient: None) -> None:
    """What a stopped process does: the kernel accepts in its place."""

    async def handle(_: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(HANG)

    async with serving(path, handle) as client:
        assert isinstance((await heard(client))[1], EngineHung)
        with pytest.raises(EngineHung, match="aigc-lsp stop"):
            await client.health(timeout=0.2)


async def test_noise_is_no_sign_of_life(path: Path, impatient: None) -> None:
    async def handle(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + event(Health("ready", "m")))
        while True:
            writer.write(b": not an event\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serving(path, handle) as client:
        found, end = await heard(client)
    assert len(found) == 1
    assert isinstance(end, EngineHung)


async def test_an_engine_that_stalls_is_hung_though_its_server_speaks(path: Path) -> None:
    async def handle(_: bytes, writer: asyncio.StreamWriter) -> None:
        for seconds in (0.0, room.HUNG_SECONDS, room.HUNG_SECONDS + 0.1):
            writer.write((STREAM if not seconds else b"") + event(Health("ready", "m", stalled_s=seconds)))
        await asyncio.sleep(HANG)

    async with serving(path, handle) as client:
        found, end = await heard(client)
    assert len(found) == 2
    assert isinstance(end, EngineHung)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff garbage",
        STREAM + b"data: {\n\n",
        STREAM + b"data: 7\n\n",
        STREAM + b"data: \n\n",
        STREAM + b'data: {"stalled_s": "x", "status": "ok"}\n\n',
        b'HTTP/1.1 404 Not Found\r\ncontent-length: 32\r\n\r\n{"error": {"message": "Not here"}',
    ],
)
async def test_nonsense_is_the_end_and_no_hang(path: Path, answer: bytes) -> None:
    async def handle(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    async with serving(path, handle) as client:
        found, end = await heard(client)
    assert not isinstance(end, EngineHung)
    assert found == []


async def test_a_refusal_comes_with_its_sentence(path: Path) -> None:
    async def handle(_: bytes, writer: asyncio.StreamWriter) -> None:
        body = b'{"error": {"message": "A token is needed."}}'
        writer.write(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()

    async with serving(path, handle) as client:
        assert str((await heard(client))[1]) == "A token is needed."


async def test_nobody_there_is_no_hang(path: Path) -> None:
    client = EngineClient(path)
    _, end = await heard(client)
    assert not isinstance(end, EngineHung)
    with pytest.raises(EngineUnavailable) as raised:
        await client.health()
    assert not isinstance(raised.value, EngineHung)
    await client.close()


async def test_whoever_stops_listening_hangs_up(path: Path) -> None:
    gone = asyncio.Event()

    async def handle(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + event(Health("ready", "m")))
        await writer.drain()
        try:
            while not writer.is_closing():
                await asyncio.sleep(0.01)
                writer.write(b": anybody there?\n")
                await writer.drain()
        finally:
            gone.set()

    async with serving(path, handle) as client:
        async with contextlib.aclosing(client.watch()) as events:
            await anext(events)
        await asyncio.wait_for(gone.wait(), HANG)


async def test_requests_say_whose_they_are(path: Path) -> None:
    bodies: list[dict[str, object]] = []

    async def handle(body: bytes, writer: asyncio.StreamWriter) -> None:
        bodies.append(json.loads(body))
        writer.write(STREAM + b'data: {"content": "", "stop": true}\n\n')
        await writer.drain()

    async def ask(client: EngineClient, **fields: str) -> None:
        async with client.infill(InfillRequest(**fields)) as pieces:
            assert [piece.stop_type async for piece in pieces] == ["eos"]

    async with serving(path, handle) as client:
        await ask(client)
        await ask(client, document="d")
        await ask(client, user="somebody")
        another = EngineClient(path)
        await ask(another)
        await another.close()
    users = [body["user"] for body in bodies]
    assert users[0] == users[1]
    assert users[2] == "somebody"
    assert users[3] not in ("", users[0])
    assert bodies[1]["document"] == "d"


async def test_requests_that_hang_keep_no_other_waiting(path: Path) -> None:
    count, asked = 120, asyncio.Event()  # more than an HTTP client has connections by itself
    waiting = 0

    async def handle(body: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal waiting
        if body:
            waiting += 1
            if waiting == count:
                asked.set()
            await asyncio.sleep(HANG)
        said = json.dumps(Health("ready", "m").to_json()).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(said), said))
        await writer.drain()

    async def ask(client: EngineClient) -> None:
        async with client.infill(InfillRequest()):
            pass

    async with serving(path, handle) as client:
        tasks = [asyncio.create_task(ask(client)) for _ in range(count)]
        await asyncio.wait_for(asked.wait(), HANG)
        assert (await client.health(timeout=HANG)).ready
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
