"""Work-done progress while the model is fetched, converted and loaded."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from aigc_lsp.server.app import Server
    from aigc_lsp.server.keeper import Standing

_DOING = {
    "starting": "Starting the model server for",
    "fetch": "Fetching the model",
    "convert": "Converting the model",
    "load": "Loading the model",
}
CLIENT_SECONDS = 5.0


class LoadProgress:
    """One progress from the first sign of loading to ready or failed; silent where the client has none."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._line: tuple[str, int | None] = "", None
        self._beginning: asyncio.Task[None] | None = None
        self._token: str | None = None

    def show(self, standing: Standing) -> None:
        if standing.phase not in _DOING or standing.health is None:
            self._end("ready" if standing.phase == "ready" else "not available")
            return
        line = doing(standing.phase, standing.health.model), standing.health.percentage
        if self._beginning is None:
            self._line, self._beginning = line, asyncio.create_task(self._begin())
        elif line != self._line:
            self._line = line
            if self._token is not None:
                report = types.WorkDoneProgressReport(message=line[0], percentage=line[1])
                self._server.work_done_progress.report(self._token, report)

    async def _begin(self) -> None:
        def begin() -> types.WorkDoneProgressBegin:
            message, percentage = self._line
            return types.WorkDoneProgressBegin(
                "aigc-lsp", message=message, percentage=percentage or 0, cancellable=False
            )

        self._token = await begun(self._server, begin)

    def _end(self, message: str) -> None:
        if self._token is not None:
            ended(self._server, self._token, message)
        elif self._beginning is not None:
            self._beginning.cancel()
        self._token = self._beginning = None


async def begun(server: Server, begin: Callable[[], types.WorkDoneProgressBegin]) -> str | None:
    """The token of a progress that is shown from now on; None where the client shows none. `begin` says what is shown
    at first, once it may be."""
    window = server.client_capabilities.window
    if window is None or not window.work_done_progress:
        return None
    token = f"aigc-{uuid.uuid4()}"
    request = server.window_work_done_progress_create_async(types.WorkDoneProgressCreateParams(token))
    try:
        async with asyncio.timeout(CLIENT_SECONDS):
            await asyncio.shield(request)
    except (JsonRpcException, TimeoutError):
        return None
    server.work_done_progress.begin(token, begin())
    return token


def ended(server: Server, token: str, message: str) -> None:
    server.work_done_progress.end(token, types.WorkDoneProgressEnd(message=message))
    server.work_done_progress.tokens.pop(token, None)  # pygls keeps them for ever


def doing(phase: str, model: str) -> str:
    """What is done with `model` while it is in `phase`."""
    return f"{_DOING[phase]} {model}"
