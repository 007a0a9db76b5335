"""Work-done progress while the model is fetched, converted and loaded."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from aigc_lsp.service.wire import Health

if TYPE_CHECKING:
    from aigc_lsp.server.app import Server

_TITLES = {"fetch": "Fetching the model", "convert": "Converting the model", "load": "Loading the model"}
CLIENT_SECONDS = 5.0


class LoadProgress:
    """One progress from the first sign of loading to ready or failed; silent where the client has none."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._token: str | None = None

    async def report(self, health: Health | None) -> None:
        if health is None or health.ready or health.phase == "error":
            self._end("ready" if health is not None and health.ready else "not available")
            return
        message, percentage = describe(health)
        if self._token is None:
            await self._begin(message)
        elif self._token:
            report = types.WorkDoneProgressReport(message=message, percentage=percentage)
            self._server.work_done_progress.report(self._token, report)

    async def _begin(self, message: str) -> None:
        window = self._server.client_capabilities.window
        self._token = ""
        if window is None or not window.work_done_progress:
            return
        token = f"aigc-{uuid.uuid4()}"
        request = self._server.work_done_progress.create_async(token)
        with contextlib.suppress(JsonRpcException, TimeoutError):
            await asyncio.wait_for(asyncio.shield(request), CLIENT_SECONDS)
            begin = types.WorkDoneProgressBegin(title="aigc-lsp", message=message, percentage=0, cancellable=False)
            self._server.work_done_progress.begin(token, begin)
            self._token = token

    def _end(self, message: str) -> None:
        if self._token:
            self._server.work_done_progress.end(self._token, types.WorkDoneProgressEnd(message=message))
            self._server.work_done_progress.tokens.pop(self._token, None)  # pygls keeps them for ever
        self._token = None


def describe(health: Health) -> tuple[str, int | None]:
    """A line for the status bar, and a percentage where one is known."""
    title = _TITLES.get(health.phase, "Starting the model server")
    return f"{title} {health.model}", health.percentage
