"""A raw LSP client on a real server process, and a model server that follows a script.

`Client` speaks JSON-RPC over stdio and answers what a server asks an editor. When it ends, it checks what every test
wants to know: each request got exactly one reply, the process ended in time with the right code, and no traceback or
error was logged.

`ScriptedEngine` is an HTTP server on a Unix socket in the shape of `aigc_lsp/modelserver/app.py`. It says what the test
put in `script`, and records what it was asked and who hung up.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aigc_lsp.config import Config
from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.pipeline import AHEAD_TOKENS
from aigc_lsp.service.client import EngineClient

FIXTURES = Path(__file__).parent / "fixtures"
PATIENCE = 15.0
"""Seconds: a hang, not a slow machine."""
EXIT_PATIENCE = 10.0
HEARTBEAT = 1.0
"""Seconds between two events of a scripted model server to which nothing happens."""

CLIENTS = {
    "vscode": ("initialize-vscode-1.100.3.json", "utf-16"),
    "neovim-0.11": ("initialize-neovim-0.11.4.json", "utf-8"),
    "neovim-0.12": ("initialize-neovim-0.12.4.json", "utf-8"),
    "eglot": ("initialize-eglot-1.17.30.json", "utf-32"),
}
CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}

# JSON-RPC and LSP error codes.
INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32600, -32601, -32602
NOT_INITIALIZED, CANCELLED = -32002, -32800


def initialize_params(name: str) -> dict[str, Any]:
    return json.loads((FIXTURES / CLIENTS[name][0]).read_text())


def units(text: str, encoding: str) -> int:
    """How many of the encoding's units `text` takes: what `character` counts."""
    codec, size = CODECS[encoding]
    return len(text.encode(codec, "surrogatepass")) // size


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """Sockets need short paths, which pytest's own folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="aigc-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """An environment where nothing of the user's is found and nothing is started."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIGC_LSP_", "XDG_"))}
    own = {
        "AIGC_LSP_RUNTIME_DIR": str(folder),
        "AIGC_LSP_ENGINE_START": "false",
        **{f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("CONFIG", "CACHE", "STATE", "DATA")},
    }
    return kept | own | more


async def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait until `condition()` (or what it awaits) is true; give that back."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if isinstance(value, Awaitable):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.01)


async def engine_pid(folder: Path) -> int:
    """The model server of that runtime folder, where it answers; else 0."""
    client = EngineClient(folder / "engine.sock")
    try:
        return (await client.health()).pid
    except EngineUnavailable:
        return 0
    finally:
        await client.close()


# The editor


class ReplyError(Exception):
    """An error reply."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.message: str = error["message"]


class Client:
    """An editor. Requests are futures; what the server sends by itself is in `notifications` and `asked`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.capabilities: dict[str, Any] = {}
        self.encoding = "utf-16"
        self.settings: Any = None
        self.notifications: list[tuple[str, Any]] = []
        self.asked: list[tuple[str, Any]] = []
        self.refused: dict[str, dict[str, Any]] = {}  # method of a server's request → the error to answer
        self.applies: Callable[[dict[str, Any]], dict[str, Any]] = lambda edit: {"applied": True}
        self.stderr = bytearray()
        self.errors_expected = False
        self._ids = 0
        self._checked = 0
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._methods: dict[int, str] = {}
        self._replies: Counter[int] = Counter()
        self._broken: list[str] = []
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._read_errors())]

    @classmethod
    async def start(cls, environ: dict[str, str]) -> Client:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "aigc_lsp",
            "serve",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environ,
        )
        return cls(process)

    # Messages

    def raw(self, body: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def send(self, message: dict[str, Any]) -> None:
        # ASCII JSON, so that lone surrogates can travel, as they can from JavaScript.
        self.raw(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"method": method, "params": params} if params is not None else {"method": method})

    def post(self, method: str, params: Any = None, *, without_params: bool = False) -> Request:
        """Send a request; its reply is awaited by whoever wants it."""
        self._ids += 1
        number = self._ids
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending[number], self._methods[number] = future, method
        self.send({"id": number, "method": method} | ({} if without_params else {"params": params}))
        return Request(self, number, future)

    async def request(self, method: str, params: Any = None) -> Any:
        return await self.post(method, params).reply()

    async def fails(self, method: str, params: Any = None) -> int:
        """The code of the error that a request is answered with."""
        return await self.post(method, params).error_code()

    # The life of a session

    async def initialize(self, params: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        given = initialize_params("vscode") if params is None else params
        result = await self.request("initialize", given | more)
        self.capabilities = result["capabilities"]
        self.encoding = self.capabilities.get("positionEncoding", "utf-16")
        self.notify("initialized", {})
        return result

    async def end(self, *, shutdown: bool = True, errors: bool = False) -> None:
        """Leave, and check what holds of every session. `errors`: some may have been logged."""
        try:
            if shutdown:
                assert await self.request("shutdown") is None
            self.notify("exit")
            await self._gone(code=0 if shutdown else 1)
        finally:
            await self._kill()
        self.check(errors=errors)

    async def hang_up(self, code: int) -> None:
        """Close stdin, as an editor that crashes does."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            await self._gone(code)
        finally:
            await self._kill()
        self.check()

    async def _gone(self, code: int) -> None:
        began = time.monotonic()
        found = await asyncio.wait_for(self.process.wait(), EXIT_PATIENCE)
        assert found == code, f"ended with {found} after {time.monotonic() - began:.1f} s: {self.stderr.decode()}"

    async def _kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        await asyncio.wait(self._tasks, timeout=EXIT_PATIENCE)

    def check(self, *, errors: bool = False) -> None:
        """What must hold at any time when nothing is awaited. It looks at what came since it was last called."""
        errors, self.errors_expected = errors or self.errors_expected, False
        log, self._checked = self.stderr[self._checked :].decode("utf-8", "replace"), len(self.stderr)
        broken, self._broken = self._broken, []
        methods, self._methods = self._methods, {}
        assert not broken, broken
        odd = {f"{method} {self._replies[number]} times" for number, method in methods.items()} - {
            f"{method} 1 times" for method in methods.values()
        }
        assert not odd, f"answered: {odd}"
        assert "Traceback" not in log, log
        assert "never awaited" not in log, log
        if not errors:
            assert not any(line.startswith(("ERROR", "CRITICAL")) for line in log.splitlines()), log

    # Documents

    def open(self, uri: str, text: str, language: str = "python", version: int = 1) -> None:
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, version: int, *changes: dict[str, Any]) -> None:
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})

    def close(self, uri: str) -> None:
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def ask_inline(self, uri: str, line: int, character: int, trigger: int = 2) -> Request:
        return self.post("textDocument/inlineCompletion", inline_params(uri, line, character, trigger))

    async def inline(self, uri: str, line: int, character: int) -> list[dict[str, Any]]:
        return (await self.ask_inline(uri, line, character).reply())["items"]

    async def menu(self, uri: str, line: int, character: int) -> dict[str, Any]:
        return await self.request("textDocument/completion", menu_params(uri, line, character))

    async def ghost(self, uri: str, line: int, character: int) -> list[str]:
        """The texts that the user would see."""
        return [item["insertText"] for item in await self.inline(uri, line, character)]

    async def settled(self) -> None:
        """All that was sent so far has been handled."""
        await self.ask_inline("file:///never-opened", 0, 0).reply()

    def messages(self) -> list[str]:
        return [params["message"] for method, params in self.notifications if method == "window/showMessage"]

    def forget_messages(self) -> None:
        """Those that a test has brought about are no other's business."""
        self.notifications = [each for each in self.notifications if each[0] != "window/showMessage"]

    def statuses(self) -> list[dict[str, Any]]:
        return [params for method, params in self.notifications if method == "aigc/status"]

    def progress(self) -> list[str]:
        return [params["value"]["kind"] for method, params in self.notifications if method == "$/progress"]

    # Reading

    async def _read(self) -> None:
        stdout = self.process.stdout
        assert stdout is not None
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = (await stdout.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.split(": ", 1) for line in head.strip().split("\r\n"))
                self._take(json.loads(await stdout.readexactly(int(fields["Content-Length"]))))

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("jsonrpc") != "2.0":
            self._broken.append(f"no JSON-RPC: {message}")
        elif "method" not in message:
            self._take_reply(message)
        elif "id" in message:
            self.asked.append((message["method"], message.get("params")))
            if error := self.refused.get(message["method"]):
                self.send({"id": message["id"], "error": error})
            else:
                self.send({"id": message["id"], "result": self._answer(message["method"], message.get("params"))})
        else:
            self.notifications.append((message["method"], message.get("params")))

    def _take_reply(self, message: dict[str, Any]) -> None:
        number = message.get("id")
        if number not in self._methods:
            self._broken.append(f"a reply to nobody: {message}")
            return
        if ("result" in message) == ("error" in message):
            self._broken.append(f"a reply needs a result or an error: {message}")
        self._replies[number] += 1
        future = self._pending.pop(number, None)
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(ReplyError(message["error"]))
            future.exception()  # who does not await it does not hear of it
        else:
            future.set_result(message["result"])

    def _answer(self, method: str, params: Any) -> Any:
        if method == "workspace/configuration":
            return [self.settings for _ in params["items"]]
        if method in ("window/workDoneProgress/create", "client/registerCapability", "workspace/diagnostic/refresh"):
            return None
        if method == "workspace/applyEdit":
            return self.applies(params["edit"])
        self._broken.append(f"the server asked for {method}")
        return None

    async def _read_errors(self) -> None:
        assert self.process.stderr is not None
        while chunk := await self.process.stderr.read(4096):
            self.stderr += chunk


@dataclass
class Request:
    """A request on its way."""

    client: Client
    id: int
    future: asyncio.Future[Any]

    async def reply(self) -> Any:
        try:
            return await asyncio.wait_for(asyncio.shield(self.future), PATIENCE)
        except TimeoutError:
            raise AssertionError(f"no reply: {self.client.stderr.decode()}") from None

    async def error_code(self) -> int:
        try:
            result = await self.reply()
        except ReplyError as error:
            return error.code
        raise AssertionError(f"no error, but {result}")

    def cancel(self) -> None:
        self.client.notify("$/cancelRequest", {"id": self.id})


def inline_params(uri: str, line: int, character: int, trigger: int = 2) -> dict[str, Any]:
    return menu_params(uri, line, character) | {"context": {"triggerKind": trigger}}


def menu_params(uri: str, line: int, character: int) -> dict[str, Any]:
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}


def replacement(first: tuple[int, int], last: tuple[int, int], text: str) -> dict[str, Any]:
    """An incremental change."""
    start, end = ({"line": line, "character": character} for line, character in (first, last))
    return {"range": {"start": start, "end": end}, "text": text}


# The model server


@dataclass(frozen=True)
class Answer:
    """What to say to one /infill. After the pieces: end properly, or `hang`, or `hang_up`.

    `raw`: this as the event stream. `status`: an error reply with `message`.
    """

    pieces: tuple[str, ...] = ()
    delay: float = 0.0
    stop_type: str = "eos"
    hang: bool = False
    hang_up: bool = False
    raw: bytes | None = None
    status: int = 200
    message: str = "The scripted model server says no."


@dataclass(frozen=True)
class Events:
    """What to say to `GET /events`: the health at once, at each change and as a heartbeat; or an error `status`; or
    `raw`, whatever that is. After `raw`, or (`silent`) the first event: nothing more, or (`ends`) the end."""

    status: int = 200
    raw: bytes | None = None
    silent: bool = False
    ends: bool = False


@dataclass
class Asked:
    """One /infill as it came, and what became of it."""

    body: dict[str, Any]
    hung_up: Flag = field(default_factory=lambda: Flag())
    ended: Flag = field(default_factory=lambda: Flag())

    @property
    def text(self) -> str:
        return self.body["input_prefix"] + self.body["input_suffix"]


READY: dict[str, Any] = {"status": "ok", "phase": "ready", "model": Config().model, "version": "0", "device": "cpu"}


def loading(**more: Any) -> dict[str, Any]:
    return READY | {"status": "loading model", "phase": "load"} | more


def is_read_on(body: dict[str, Any], before: dict[str, Any]) -> bool:
    """Whether an /infill asks for the line behind what was said to the one `before` it, which nobody has typed yet."""
    prefix, begun = body["input_prefix"], before["input_prefix"]
    return prefix.startswith(begun) and prefix.endswith("\n") and body["n_predict"] == AHEAD_TOKENS


class Flag(threading.Event):
    """Set in the model server's thread, waited for in a test's event loop."""

    async def wait(self) -> None:  # type: ignore[override]
        while not self.is_set():
            await asyncio.sleep(0.01)


class ScriptedEngine:
    """A model server with an event loop in a thread of its own: it answers between tests, too, as a real one does."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.path = folder / "engine.sock"
        self.health: Any = READY
        self.events = Events()
        self.listened = 0
        """How often somebody began to listen to the events."""
        self.script: Callable[[dict[str, Any]], Answer] = lambda body: Answer()
        self.asked: list[Asked] = []
        self._before: dict[str, Any] | None = None
        self.writes: Callable[[dict[str, Any]], Answer] = lambda body: Answer(("words",))
        """As `script`, of what is asked in OpenAI's shape; `written` as `asked`."""
        self.written: list[Asked] = []
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._listeners: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def says(self, *pieces: str, **more: Any) -> None:
        """From now on, answer everything with this, and forget what was asked."""
        answer = Answer(pieces, **more)
        self.script = lambda body: answer
        self.asked = []

    async def up(self) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._up(), self._loop))

    async def down(self) -> None:
        """Die, as with SIGKILL: connections break, and the socket file stays."""
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._down(), self._loop))

    def cut_events(self) -> None:
        """Break the streams of events, and nothing else."""

        def cut() -> None:
            for writer in self._listeners:
                writer.transport.abort()

        self._loop.call_soon_threadsafe(cut)

    async def _up(self) -> None:
        self._server = await asyncio.start_unix_server(self._accept, self.path)

    async def _down(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._serve_one(reader, writer):
                    pass
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request of a connection; whether the connection is kept."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request, *lines = head.strip().split("\r\n")
        fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(fields.get("content-length", 0)))
        if request.startswith("GET /health "):
            await _whole(writer, 200 if self.health["phase"] == "ready" else 503, json.dumps(self.health).encode())
            return True
        if request.startswith("GET /events "):
            self.listened += 1
            return await self._tell(self.events, reader, writer)
        asked = Asked(json.loads(body))
        if request.startswith("POST /v1/"):
            self.written.append(asked)
            shape = _chat_event if "/chat/" in request.split(" ")[1] else _text_event
            return await self._answer(asked, self.writes(asked.body), shape, reader, writer)
        assert request.startswith("POST /infill "), request
        if self._before is not None and is_read_on(asked.body, self._before):
            return await self._answer(asked, Answer(), _infill_event, reader, writer)
        self._before = asked.body
        self.asked.append(asked)
        return await self._answer(asked, self.script(asked.body), _infill_event, reader, writer)

    async def _answer(
        self,
        asked: Asked,
        answer: Answer,
        shape: Shape,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        if answer.status != 200:
            error = {"error": {"code": answer.status, "message": answer.message, "type": "unavailable_error"}}
            await _whole(writer, answer.status, json.dumps(error).encode())
            asked.ended.set()
            return True
        is_said, is_gone = await _said(_say(answer, shape, writer), reader)
        if not is_said:
            asked.hung_up.set()
        asked.ended.set()
        return not (is_gone or answer.hang_up)

    async def _tell(self, events: Events, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if events.status != 200:
            await _whole(writer, events.status, b"{}")
            return True

        async def tell() -> None:
            await _begin(writer)
            told, at = None, 0.0
            while events.raw is None and not (events.silent and told is not None):
                health, now = json.dumps(self.health), time.monotonic()
                if health != told or now - at > HEARTBEAT:
                    await _chunk(writer, f"data: {health}\n\n".encode())
                    told, at = health, now
                await asyncio.sleep(0.02)
            if events.raw:
                await _chunk(writer, events.raw)
            if not events.ends:
                await asyncio.Event().wait()
            await _end(writer)

        self._listeners.add(writer)
        await _said(tell(), reader)
        self._listeners.discard(writer)
        return False


async def _said(saying: Awaitable[None], reader: asyncio.StreamReader) -> tuple[bool, bool]:
    """Say it while the client listens; whether it was said to its end, and whether the client is gone."""
    # The client sends nothing more until it has its answer: what can be read is the end of the connection.
    gone, said = asyncio.ensure_future(reader.read(1)), asyncio.ensure_future(saying)
    await asyncio.wait({gone, said}, return_when=asyncio.FIRST_COMPLETED)
    is_said, is_gone = said.done() and said.exception() is None, gone.done()
    said.cancel()
    gone.cancel()
    await asyncio.gather(gone, said, return_exceptions=True)
    return is_said, is_gone or not is_said


async def _whole(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    writer.write(b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(body)))
    writer.write(body)
    await writer.drain()


async def _begin(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    await writer.drain()


async def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n" % len(data) + data + b"\r\n")
    await writer.drain()


async def _end(writer: asyncio.StreamWriter) -> None:
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _say(answer: Answer, shape: Shape, writer: asyncio.StreamWriter) -> None:
    await _begin(writer)
    if answer.raw is not None:
        await _chunk(writer, answer.raw)
    for piece in answer.pieces:
        await asyncio.sleep(answer.delay)
        await _chunk(writer, shape(piece, ""))
    if answer.hang:
        await asyncio.Event().wait()
    if answer.hang_up:
        return
    if answer.raw is None:
        await _chunk(writer, shape("", answer.stop_type))
    await _end(writer)


Shape = Callable[[str, str], bytes]
"""The event of a piece of text, or, with a `stop_type`, of its end."""


def _infill_event(piece: str, stop_type: str) -> bytes:
    return _event({"content": piece, "stop": bool(stop_type)} | ({"stop_type": stop_type} if stop_type else {}))


def _text_event(piece: str, stop_type: str) -> bytes:
    return _openai_event({"text": piece}, stop_type)


def _chat_event(piece: str, stop_type: str) -> bytes:
    return _openai_event({"delta": {"content": piece}}, stop_type)


def _openai_event(said: dict[str, Any], stop_type: str) -> bytes:
    finished = {"": None, "limit": "length"}.get(stop_type, "stop")
    events = [{"choices": [{"index": 0, **said, "finish_reason": finished}]}]
    if finished:
        events.append({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}})
    lines = [f"data: {json.dumps(event)}\n\n" for event in events] + ["data: [DONE]\n\n"] * bool(finished)
    return "".join(lines).encode()


def _event(values: dict[str, Any]) -> bytes:
    timings = {"cache_n": 0, "prompt_n": 1, "prompt_ms": 1.0, "predicted_n": 1, "predicted_ms": 1.0}
    return f"data: {json.dumps({'index': 0, 'timings': timings} | values)}\n\n".encode()
