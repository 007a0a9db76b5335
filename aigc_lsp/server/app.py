"""The language server: its state, its handlers, its process."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from typing import TYPE_CHECKING, Any, BinaryIO

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError
from pygls.io_ import run_async
from pygls.lsp.server import LanguageServer

from aigc_lsp import __version__
from aigc_lsp.server import (
    chat_actions,
    code_actions,
    commands,
    configuration,
    explain,
    inline_completion,
    lifecycle,
    notebooks,
    sync,
    workspace,
)
from aigc_lsp.server.abilities import Abilities
from aigc_lsp.server.definitions import Definitions
from aigc_lsp.server.docstring_hints import Hints
from aigc_lsp.server.docstrings import Turns
from aigc_lsp.server.events import Events
from aigc_lsp.server.failure import described
from aigc_lsp.server.keeper import Keeper, Standing
from aigc_lsp.server.open_documents import OpenDocuments
from aigc_lsp.server.pace import Pace
from aigc_lsp.server.progress import LoadProgress
from aigc_lsp.server.protocol import Protocol
from aigc_lsp.server.session import Session
from aigc_lsp.server.status import Status
from aigc_lsp.server.stdio import Fed, Said
from aigc_lsp.server.working import Errands
from aigc_lsp.server.workspace import Folders

if TYPE_CHECKING:
    from aigc_lsp.gather.gatherer import Gatherer
    from aigc_lsp.index.workspace import Workspace

log = logging.getLogger(__name__)


class Server(LanguageServer):
    protocol: Protocol

    def __init__(self) -> None:
        super().__init__(
            "aigc-lsp", __version__, notebook_document_sync=notebooks.SYNC, protocol_cls=Protocol, max_workers=2
        )
        self.session = Session()
        self.pace = Pace()
        self.notebooks = notebooks.Notebooks(self.session)
        self.status = Status(self)
        self.load_progress = LoadProgress(self)
        self.keeper = Keeper(self._show, self.tell_once, self.session.supersede_all)
        self.folders = Folders(self)
        self.open_documents = self.session.listener = OpenDocuments(self)
        self.definitions = Definitions(self)
        self.hints = Hints(self)
        self.errands = Errands(self)
        self.turns = Turns()
        self.abilities = Abilities()  # until `initialize` tells
        self.events = Events(self)
        self.gatherer: Gatherer | None = None  # until the index is up
        self.startup_messages: list[str] = []
        self.client_info: types.ClientInfo | None = None
        self._told: set[str] = set()

    def start_io(self, stdin: BinaryIO | None = None, stdout: BinaryIO | None = None) -> None:
        self._stop_event = threading.Event()
        self.protocol.set_writer(Said(stdout or sys.stdout.buffer))
        log_of_messages = logging.getLogger("pygls.server")
        reader = Fed(stdin or sys.stdin.buffer, lambda: self.protocol.is_shutting_down)
        work = run_async(self._stop_event, reader, self.protocol, log_of_messages, self.report_server_error)
        try:
            asyncio.run(work)
        except (KeyboardInterrupt, SystemExit):
            pass
        finally:
            self.shutdown()

    def tell_once(self, message: str) -> None:
        """Show the user a sentence; the same one never twice in a session."""
        if message not in self._told:
            self._told.add(message)
            self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, message))

    def bring_up_gatherer(self, workspace: Workspace) -> None:
        from aigc_lsp.gather.gatherer import Gatherer  # not needed to answer initialize

        self.gatherer = Gatherer(workspace, ask=self.definitions.ask if self.definitions.is_offered else None)

    def _show(self, standing: Standing) -> None:
        self.load_progress.show(standing)
        self.status.touch()

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Not to the user's window: every request has its reply, and a message may hold source text."""
        if isinstance(error, JsonRpcException) and not isinstance(error, JsonRpcInternalError):
            log.info("answered with %s", type(error).__name__)  # the client's mistake
            return
        # After `exit` nobody hears what is still under way.
        level = logging.INFO if sys.stdout.buffer.closed else logging.ERROR
        log.log(
            level, "a handler failed: %s", described(sys.exc_info()[1] or error)
        )  # pygls calls this where it caught it


def build_server() -> Server:
    server = Server()
    for module in (
        lifecycle,
        configuration,
        sync,
        notebooks,
        workspace,
        inline_completion,
        explain,
        code_actions,
        commands,
        chat_actions,
    ):
        module.register(server)
    server.events.register(server)
    return server


SWITCH_SECONDS = 0.0005
"""So long a thread that computes keeps the interpreter from a key that has come: Python's own 5 ms count twice, for the
thread that reads stdin and for the loop."""


def serve() -> int:
    """Speak LSP on stdio until told to exit; the process's exit code."""
    sys.setswitchinterval(SWITCH_SECONDS)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # it logs whole messages, source text included
    server = build_server()
    server.start_io()
    return 0 if server.protocol.was_shut_down else 1
