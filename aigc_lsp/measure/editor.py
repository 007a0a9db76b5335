"""An editor without a screen: the real language server on real stdio, one buffer, typed into key by key."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lsprotocol import types
from pygls.io_ import run_async
from pygls.lsp.client import LanguageClient

from aigc_lsp import __version__

PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` is the ghost text, empty for none; `ms` the time from key to answer."""

    text: str
    ms: float


class Editor:
    """One language server and one buffer. Positions are 0-based and count UTF-16 units, as in VS Code."""

    def __init__(self, on_progress: Callable[[str, int | None], None] = lambda message, percentage: None) -> None:
        self._client = LanguageClient("aigc-demo", __version__)
        self._uri = ""
        self._version = 0
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.messages: list[str] = []

        @self._client.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)
        def create(params: types.WorkDoneProgressCreateParams) -> None:
            return None

        @self._client.feature(types.PROGRESS)
        def progress(params: types.ProgressParams) -> None:
            value = params.value
            if isinstance(value, dict):
                on_progress(str(value.get("message") or ""), value.get("percentage"))

        @self._client.feature("aigc/status")
        def status(params: object) -> None:
            return None

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
        await self._client.initialize_async(types.InitializeParams(capabilities=capabilities))
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

    def insert(self, position: types.Position, text: str) -> None:
        self._version += 1
        change = types.TextDocumentContentChangePartial(range=types.Range(position, position), text=text)
        document = types.VersionedTextDocumentIdentifier(version=self._version, uri=self._uri)
        self._client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    async def ask(self, position: types.Position) -> Answer:
        """Ghost text at `position`, asked as after a keystroke."""
        began = time.perf_counter()
        found = await self._client.text_document_inline_completion_async(
            types.InlineCompletionParams(
                context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
                text_document=types.TextDocumentIdentifier(self._uri),
                position=position,
            )
        )
        ms = (time.perf_counter() - began) * 1e3
        items = found.items if isinstance(found, types.InlineCompletionList) else found or []
        text = items[0].insert_text if items else ""
        return Answer(text if isinstance(text, str) else text.value, ms)

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
