"""An editor without a screen: the real language server on real stdio, one buffer, typed into key by key."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcMethodNotFound, JsonRpcRequestCancelled
from pygls.io_ import run_async
from pygls.lsp.client import LanguageClient

from aigc_lsp import __version__

PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` is the ghost text, empty for none; `ms` the time from key to answer; `span` what it replaces, `command`
    what is to be executed once it is accepted."""

    text: str
    ms: float
    span: types.Range | None = None
    command: types.Command | None = None


class Editor:
    """One language server and one buffer. Positions are 0-based and count UTF-16 units, as in VS Code."""

    def __init__(
        self,
        on_progress: Callable[[str, int | None], None] = lambda message, percentage: None,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`folder` is the workspace; the server runs in `environment`, this process's if there is none."""
        self._folder, self._environment = folder, environment
        self._client = LanguageClient("aigc-demo", __version__)
        self._uri = ""
        self._version = 0
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.messages: list[str] = []
        self.status: dict[str, Any] = {}
        """What `aigc/status` said last."""

        @self._client.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)
        def create(params: types.WorkDoneProgressCreateParams) -> None:
            return None

        @self._client.feature(types.PROGRESS)
        def progress(params: types.ProgressParams) -> None:
            value = params.value
            if isinstance(value, dict):
                on_progress(str(value.get("message") or ""), value.get("percentage"))

        @self._client.feature("aigc/status")
        def status(params: Any) -> None:  # `object` would be taken for the client itself
            self.status = plain(params)

        @self._client.feature(types.WINDOW_SHOW_MESSAGE)
        def show(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)

    async def start(self) -> float:
        """Start the server; milliseconds from exec to the answer of initialize."""
        began = time.perf_counter()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "aigc_lsp", "serve", "--stdio"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # pygls' own way to start one leaves a pipe that nobody empties
            env=self._environment,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._client.protocol.set_writer(self._process.stdin)
        self._reading = asyncio.create_task(
            run_async(threading.Event(), self._process.stdout, self._client.protocol)  # until the process ends
        )
        capabilities = types.ClientCapabilities(
            text_document=types.TextDocumentClientCapabilities(
                inline_completion=types.InlineCompletionClientCapabilities()
            ),
            window=types.WindowClientCapabilities(work_done_progress=True),
        )
        folders = [types.WorkspaceFolder(self._folder.as_uri(), self._folder.name)] if self._folder else None
        await self._client.initialize_async(types.InitializeParams(capabilities, workspace_folders=folders))
        took = (time.perf_counter() - began) * 1e3
        self._client.initialized(types.InitializedParams())
        return took

    @property
    def pid(self) -> int:
        """Of the language server."""
        assert self._process is not None
        return self._process.pid

    def open(self, uri: str, language: str, text: str) -> None:
        self._uri, self._version = uri, 1
        item = types.TextDocumentItem(uri, language, self._version, text)
        self._client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def close(self, uri: str) -> None:
        document = types.TextDocumentIdentifier(uri)
        self._client.text_document_did_close(types.DidCloseTextDocumentParams(document))

    def insert(self, position: types.Position, text: str) -> None:
        self.edit(types.Range(position, position), text)

    def edit(self, span: types.Range, text: str) -> None:
        self._version += 1
        change = types.TextDocumentContentChangePartial(range=span, text=text)
        document = types.VersionedTextDocumentIdentifier(version=self._version, uri=self._uri)
        self._client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    async def ask(self, position: types.Position) -> Answer:
        """Ghost text at `position`, asked as after a keystroke. Cancelled, it tells the server so."""
        number = uuid.uuid4().hex
        params = types.InlineCompletionParams(
            context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
            text_document=types.TextDocumentIdentifier(self._uri),
            position=position,
        )
        began = time.perf_counter()
        reply = self._client.protocol.send_request_async(types.TEXT_DOCUMENT_INLINE_COMPLETION, params, number)
        # The reply to a cancelled request comes, too: what waits for it must still be there, and nobody hears of it.
        try:
            found = await asyncio.shield(reply)
        except asyncio.CancelledError:
            reply.add_done_callback(_heard)
            self._client.protocol.notify(types.CANCEL_REQUEST, types.CancelParams(number))
            raise
        except JsonRpcRequestCancelled:
            found = None
        ms = (time.perf_counter() - began) * 1e3
        items = found.items if isinstance(found, types.InlineCompletionList) else found or []
        if not items:
            return Answer("", ms)
        text, item = items[0].insert_text, items[0]
        return Answer(text if isinstance(text, str) else text.value, ms, item.range, item.command)

    async def execute(self, command: types.Command) -> None:
        """As an editor does behind what it has inserted; what the server makes of it is its own affair."""
        params = types.ExecuteCommandParams(command.command, command.arguments)
        with contextlib.suppress(JsonRpcException):
            await self._client.workspace_execute_command_async(params)

    async def explain(self) -> dict[str, Any]:
        """What the last completion of the document cost, and where it came from; empty where the server cannot tell."""
        params = {"textDocument": {"uri": self._uri}}
        try:
            found = plain(await self._client.protocol.send_request_async("aigc/explain", params))
        except JsonRpcMethodNotFound:
            return {}
        return found if isinstance(found, dict) else {}

    async def stop(self) -> None:
        """End the server, by force where it does not go."""
        if self._process is None or self._reading is None:
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._client.shutdown_async(None)
                self._client.exit(None)
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading


def plain(said: Any) -> Any:
    """What pygls has made of JSON that it has no type for, as JSON again."""
    if isinstance(said, tuple) and hasattr(said, "_asdict"):
        said = said._asdict()
    if isinstance(said, Mapping):
        return {str(name): plain(value) for name, value in said.items()}
    if isinstance(said, list | tuple):
        return [plain(value) for value in said]
    return {name: plain(value) for name, value in vars(said).items()} if hasattr(said, "__dict__") else said


def _heard(reply: asyncio.Future[Any]) -> None:
    if not reply.cancelled():
        reply.exception()
