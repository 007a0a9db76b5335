"""An editor without a screen: the real language server on real stdio, one buffer, typed into key by key.

Raw JSON-RPC, without a library's objects in between: what is measured is to be the server. A change is held back until
the request behind it, and both go out in one write; the clock runs from just before that to when the reply is here and
not yet parsed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsprotocol import types

from aigc_lsp.errors import EngineUnavailable

PATIENCE_SECONDS = 5.0
_HELD_SECONDS = 0.02
"""Where no request follows a change."""
_AUTOMATIC = 2
_METHOD_NOT_FOUND, _CANCELLED = -32601, -32800
_CAPABILITIES = {"textDocument": {"inlineCompletion": {}}, "window": {"workDoneProgress": True}}


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` is the ghost text, empty for none; `ms` the time from key to answer; `span` what it replaces, `command`
    what is to be executed once it is accepted, as the server has sent it."""

    text: str
    ms: float
    span: types.Range | None = None
    command: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Reply:
    result: Any
    at: float
    """On `perf_counter`: when its bytes were read."""


class Editor:
    """One language server and one buffer. Positions are 0-based and count UTF-16 units, as in VS Code."""

    def __init__(
        self,
        on_progress: Callable[[str, int | None], None] = lambda message, percentage: None,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`folder` is the workspace; the server runs in `environment`, this process's if there is none."""
        self._on_progress, self._folder, self._environment = on_progress, folder, environment
        self._uri, self._version, self._number = "", 0, 0
        self._held: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: dict[int, asyncio.Future[_Reply]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.messages: list[str] = []
        self.status: dict[str, Any] = {}
        """What `aigc/status` said last."""

    async def start(self) -> float:
        """Start the server; milliseconds from exec to the answer of initialize."""
        began = time.perf_counter()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "aigc_lsp", "serve", "--stdio"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=self._environment,
        )
        self._reading = asyncio.create_task(self._read())
        folders = [{"uri": self._folder.as_uri(), "name": self._folder.name}] if self._folder else None
        params = {"processId": None, "rootUri": None, "capabilities": _CAPABILITIES, "workspaceFolders": folders}
        reply = await self._request("initialize", params)
        self._notify("initialized", {})
        return (reply.at - began) * 1e3

    @property
    def pid(self) -> int:
        """Of the language server."""
        assert self._process is not None
        return self._process.pid

    def open(self, uri: str, language: str, text: str) -> None:
        self._uri, self._version = uri, 1
        item = {"uri": uri, "languageId": language, "version": self._version, "text": text}
        self._notify("textDocument/didOpen", {"textDocument": item})

    def close(self, uri: str) -> None:
        self._notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def insert(self, position: types.Position, text: str) -> None:
        self.edit(types.Range(position, position), text)

    def edit(self, span: types.Range, text: str) -> None:
        self._version += 1
        change = {"range": {"start": _plain(span.start), "end": _plain(span.end)}, "text": text}
        document = {"uri": self._uri, "version": self._version}
        self._hold(
            {"method": "textDocument/didChange", "params": {"textDocument": document, "contentChanges": [change]}}
        )

    async def ask(self, position: types.Position) -> Answer:
        """Ghost text at `position`, asked as after a keystroke. Cancelled, it tells the server so.

        Raises `Refused`, or `EngineUnavailable` where the language server has ended.
        """
        params = {
            "context": {"triggerKind": _AUTOMATIC},
            "textDocument": {"uri": self._uri},
            "position": _plain(position),
        }
        number, asked = self._post("textDocument/inlineCompletion", params)
        began = time.perf_counter()
        self._flush()
        try:
            reply = await asked
        except asyncio.CancelledError:
            self._notify("$/cancelRequest", {"id": number})
            raise
        except Refused as refused:
            if refused.code != _CANCELLED:
                raise
            return Answer("", (time.perf_counter() - began) * 1e3)
        finally:
            self._waiting.pop(number, None)
        ms, found = (reply.at - began) * 1e3, reply.result
        items = found.get("items") if isinstance(found, dict) else found
        if not items:
            return Answer("", ms)
        text, span = items[0]["insertText"], items[0].get("range")
        if isinstance(text, dict):
            text = text["value"]
        return Answer(text, ms, _range(span) if span else None, items[0].get("command"))

    def execute(self, command: Mapping[str, Any]) -> None:
        """As an editor does behind what it has inserted: nobody waits for what the server makes of it. Goes out with
        the next request."""
        params = {"command": command["command"], "arguments": command.get("arguments") or []}
        number, _ = self._post("workspace/executeCommand", params)
        del self._waiting[number]

    async def explain(self) -> dict[str, Any]:
        """What the last completion of the document cost, and where it came from; empty where the server cannot tell."""
        with contextlib.suppress(Refused):
            found = (await self._request("aigc/explain", {"textDocument": {"uri": self._uri}})).result
            return found if isinstance(found, dict) else {}
        return {}

    async def stop(self) -> None:
        """End the server, by force where it does not go."""
        if self._process is None or self._reading is None:
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                with contextlib.suppress(Refused, EngineUnavailable):
                    await self._request("shutdown", None)
                self._notify("exit", None)
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    # Out

    def _post(self, method: str, params: Any) -> tuple[int, asyncio.Future[_Reply]]:
        """Hold a request back; its number, and what its reply comes to."""
        self._number += 1
        future = self._waiting[self._number] = asyncio.get_running_loop().create_future()
        if self._reading is None or self._reading.done():
            future.set_exception(_gone())
        self._hold({"id": self._number, "method": method, "params": params})
        return self._number, future

    async def _request(self, method: str, params: Any) -> _Reply:
        number, future = self._post(method, params)
        self._flush()
        try:
            return await future
        finally:
            self._waiting.pop(number, None)

    def _notify(self, method: str, params: Any) -> None:
        self._hold({"method": method, "params": params})
        self._flush()

    def _hold(self, message: Mapping[str, Any]) -> None:
        said = {name: value for name, value in message.items() if name != "params" or value is not None}
        body = json.dumps({"jsonrpc": "2.0", **said}).encode()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_HELD_SECONDS, self._flush)
        self._held.append(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._held and self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(b"".join(self._held))
            self._held.clear()

    # In

    async def _read(self) -> None:
        """Until the process ends: then nobody waits any longer."""
        assert self._process is not None
        stdout = self._process.stdout
        assert stdout is not None
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await stdout.readuntil(b"\r\n\r\n")
                length = next(line[15:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
                body = await stdout.readexactly(int(length))
                self._take(body, time.perf_counter())
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(_gone())

    def _take(self, body: bytes, at: float) -> None:
        message = json.loads(body)
        if "method" not in message:
            future = self._waiting.get(message["id"])
            if future is None or future.done():  # nobody waits for what was cancelled
                return
            if "error" in message:
                future.set_exception(Refused(message["error"]))
            else:
                future.set_result(_Reply(message.get("result"), at))
        elif "id" in message:
            self._hold({"id": message["id"], **_answer(message["method"], message.get("params"))})
            self._flush()
        else:
            self._hear(message["method"], message.get("params"))

    def _hear(self, method: str, params: Any) -> None:
        if method == "aigc/status":
            self.status = params
        elif method == "window/showMessage":
            self.messages.append(params["message"])
        elif method == "$/progress" and isinstance(params["value"], dict):
            self._on_progress(str(params["value"].get("message") or ""), params["value"].get("percentage"))


def _gone() -> EngineUnavailable:
    return EngineUnavailable("The language server has ended.")


def _answer(method: str, params: Any) -> dict[str, Any]:
    """What an editor without settings answers its server."""
    if method == "workspace/configuration":
        return {"result": [None for _ in params["items"]]}
    if method in ("window/workDoneProgress/create", "client/registerCapability", "client/unregisterCapability"):
        return {"result": None}
    return {"error": {"code": _METHOD_NOT_FOUND, "message": f"This editor has no {method}."}}


def _plain(position: types.Position) -> dict[str, int]:
    return {"line": position.line, "character": position.character}


def _range(said: Mapping[str, Any]) -> types.Range:
    return types.Range(*(types.Position(said[end]["line"], said[end]["character"]) for end in ("start", "end")))
