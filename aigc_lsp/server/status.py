"""`aigc/status`: what an editor may show of us in its status bar, in the shape of Copilot's `didChangeStatus`.

    busy      whether a completion is being generated
    kind      Normal; Warning: nothing is suggested now, or less well, and that mends itself; Error: somebody must do
              something; Inactive: nothing is suggested, and that is as it should be
    message   a sentence, or empty
    index     {files, complete, note}: how many files are indexed, whether all that there are, and a sentence about what
              is left out, or empty. Not there where no folder is open

Sent once after `initialized`, and when it changes. Clients ignore notifications that they do not know; only lsp-mode
opens a window with a warning for each, so it gets none unless it asks, by the experimental capability `aigcStatus`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from lsprotocol import types

from aigc_lsp.server.keeper import Standing
from aigc_lsp.server.progress import doing
from aigc_lsp.server.workspace import Indexed

if TYPE_CHECKING:
    from aigc_lsp.server.app import Server

METHOD = "aigc/status"
SETTLING_SECONDS = 0.1
"""A change is sent so much later, if it still is one: with each key one completion ends and another begins."""

Kind = Literal["Normal", "Warning", "Error", "Inactive"]


@dataclass(frozen=True, slots=True)
class Report:
    busy: bool
    kind: Kind
    message: str
    index: Indexed | None

    def packed(self) -> dict[str, Any]:
        said = asdict(self)
        return said if self.index is not None else {name: said[name] for name in said if name != "index"}


class Status:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._uri = ""  # of the document that was asked about last
        self._busy = 0
        self._sent: Report | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_wanted = False

    def begin(self) -> None:
        self._is_wanted = _wants(self._server.client_info, self._server.client_capabilities)
        self._send()

    def end(self) -> None:
        self._is_wanted = False
        if self._timer is not None:
            self._timer.cancel()

    def touch(self) -> None:
        """Something that it is made of may have changed."""
        if self._is_wanted and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SETTLING_SECONDS, self._send)

    def looks_at(self, uri: str) -> None:
        """Completions of this document are asked for: whether it has any is part of the status."""
        if uri != self._uri:
            self._uri = uri
            self.touch()

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        self._busy += 1
        self.touch()
        try:
            yield
        finally:
            self._busy -= 1
            self.touch()

    def _send(self) -> None:
        self._timer = None
        report = self._report()
        if self._is_wanted and report != self._sent:
            self._sent = report
            self._server.protocol.notify(METHOD, report.packed())

    def _report(self) -> Report:
        session = self._server.session
        refusal = session.refusal(session.documents.get(self._uri))
        kind, message = _of(self._server.keeper.standing, session.config.model)
        if kind == "Normal" and (trouble := self._server.folders.trouble):
            kind, message = "Warning", trouble
        return Report(self._busy > 0, "Inactive" if refusal else kind, refusal or message, self._server.folders.indexed)


def _of(standing: Standing, model: str) -> tuple[Kind, str]:
    """What there is to say where completions are wanted."""
    match standing.phase:
        case "ready":
            note = standing.health.note if standing.health is not None else ""
            return ("Warning", note) if note else ("Normal", "")
        case "idle":
            return "Inactive", f"The model {model} is not in memory; the next request loads it."
        case "resting":
            return "Inactive", "The model server has ended; the next request starts it."
        case "looking":
            return "Warning", "Looking for the model server."
        case "error" | "given up":
            return "Error", standing.message
        case "away":
            return "Warning", standing.message
    return "Warning", f"{doing(standing.phase, model)}."


def _wants(client: types.ClientInfo | None, capabilities: types.ClientCapabilities) -> bool:
    experimental = capabilities.experimental
    asked = experimental.get("aigcStatus") if isinstance(experimental, dict) else None
    is_lsp_mode = client is not None and client.name == "emacs"
    return asked if isinstance(asked, bool) else not is_lsp_mode
