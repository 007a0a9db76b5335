"""A server elsewhere that follows a script: it plays llama-server, vLLM, Ollama, a limit, a hang, garbage.

It speaks HTTP/1.1 by hand, so that it can break every rule, and runs on the test's own event loop, on a free port of
this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures" / "peers"
CERTIFICATE = FIXTURES / "localhost.pem"


@dataclass(frozen=True)
class Reply:
    """`chunks` are written one by one, `delay` seconds before each. Then the answer ends, or `hang`s, or the connection
    is `cut`. `endless`: the last chunk again and again. `raw`: instead of all that, these bytes."""

    chunks: tuple[bytes, ...] = ()
    status: int = 200
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    hang: bool = False
    cut: bool = False
    endless: bool = False
    raw: bytes | None = None


@dataclass
class Asked:
    """One request as it came, and whether its client hung up before it was answered to the end."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)


def recorded(name: str) -> Reply:
    """A file of `tests/fixtures/peers`: events one by one, or JSON."""
    data = (FIXTURES / name).read_bytes()
    if name.endswith(".sse"):
        return events(*(event.removeprefix(b"data: ") for event in data.split(b"\n\n") if event))
    return Reply((data,))


def events(*data: bytes | str | dict[str, Any], **more: Any) -> Reply:
    """An event stream, each event a chunk."""
    texts = (json.dumps(each).encode() if isinstance(each, dict) else each for each in data)
    chunks = tuple(b"data: " + (text.encode() if isinstance(text, str) else text) + b"\n\n" for text in texts)
    return Reply(chunks, kind="text/event-stream", **more)


def said(value: Any, status: int = 200, **headers: str) -> Reply:
    """JSON. Underscores in the names of headers stand for hyphens."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply((json.dumps(value).encode(),), status=status, headers=named)


def texts(*pieces: str, finish: str | None = "stop", **more: Any) -> Reply:
    """A completion as OpenAI streams it."""
    said = [{"choices": [{"index": 0, "text": piece, "finish_reason": None}]} for piece in pieces]
    end = [{"choices": [{"index": 0, "text": "", "finish_reason": finish}]}, "[DONE]"] if finish else []
    return events(*said, *end, **more)


NOT_FOUND = said({"detail": "Not Found"}, 404)
MODELS = said({"object": "list", "data": [{"id": "served"}, {"id": "another"}]})


class PeerServer:
    """`routes`: path → what to say, or a function of the request. Every request is in `asked`."""

    def __init__(self) -> None:
        self.routes: dict[str, Reply | Callable[[Asked], Reply]] = {"/v1/models": MODELS}
        self.asked: list[Asked] = []
        self.connections = 0
        self.port = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    def paths(self) -> list[str]:
        return [each.path for each in self.asked]

    def bodies(self, path: str) -> list[Any]:
        return [each.body for each in self.asked if each.path == path]

    @contextlib.asynccontextmanager
    async def up(self, port: int = 0, tls: bool = False) -> AsyncIterator[str]:
        """Its address, while it listens."""
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
        server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether there may be another."""
        asked = await _request(reader)
        self.asked.append(asked)
        route = self.routes.get(asked.path, NOT_FOUND)
        reply = route if isinstance(route, Reply) else route(asked)
        # The client sends nothing more until it has its answer: what can be read is the end of the connection.
        gone = asyncio.create_task(reader.read(1))
        saying = asyncio.create_task(_say(reply, writer))
        try:
            await asyncio.wait({gone, saying}, return_when=asyncio.FIRST_COMPLETED)
            if not saying.done() or saying.exception() is not None:
                asked.hung_up.set()
                return False
            return not (reply.cut or reply.raw is not None or gone.done())
        finally:
            saying.cancel()
            gone.cancel()
            await asyncio.gather(saying, gone, return_exceptions=True)


async def _request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, target, headers, json.loads(body) if body else None)


async def _say(reply: Reply, writer: asyncio.StreamWriter) -> None:
    if reply.raw is not None:
        writer.write(reply.raw)
    else:
        headers = [("content-type", reply.kind), ("transfer-encoding", "chunked"), *reply.headers]
        writer.write(f"HTTP/1.1 {reply.status} X\r\n".encode())
        writer.write("".join(f"{name}: {value}\r\n" for name, value in headers).encode() + b"\r\n")
    await writer.drain()
    for chunk in _repeated(reply):
        await asyncio.sleep(reply.delay)
        writer.write(b"%x\r\n" % len(chunk) + chunk + b"\r\n")
        await writer.drain()
    if reply.hang:
        await asyncio.Event().wait()
    if not reply.cut and reply.raw is None:
        writer.write(b"0\r\n\r\n")
        await writer.drain()


def _repeated(reply: Reply) -> Iterator[bytes]:
    yield from reply.chunks
    while reply.endless:
        yield reply.chunks[-1]
