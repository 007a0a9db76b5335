"""Work of seconds for a user who can go on meanwhile: seen as a progress, and ended by the user or by what it is about.

`Errands` are begun by a command that returns at once. What goes wrong with one is told to the user, in a sentence.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types

from aigc_lsp.errors import AigcError, EngineUnavailable
from aigc_lsp.server.failure import described
from aigc_lsp.server.progress import begun, ended
from aigc_lsp.server.tasks import Tasks

if TYPE_CHECKING:
    from aigc_lsp.server.app import Server
    from aigc_lsp.service.backend import Backend

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_SECONDS = 0.1
"""So often it is seen whether what the work is about is another."""
LOAD_SECONDS = 30.0
"""A model that is loaded, or begun to be, is waited for so long."""

Report = Callable[[str, int], None]
"""Hears what is done at the moment, and how many percent are."""


class EndedByUser(Exception):
    """Nobody is to be told of it."""


async def working(
    server: Server, title: str, work: Callable[[Report], Coroutine[Any, Any, T]], check: Callable[[], None]
) -> T:
    """What `work` gives, with a progress beside it. `check` raises what ends the work. Raises `EndedByUser`, and what
    `work` does."""
    shown = _Shown(server, title)
    task = asyncio.create_task(work(shown.report))
    shown.begin(end=task.cancel)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_SECONDS)
            check()
        if task.cancelled():
            raise EndedByUser
        return task.result()
    finally:
        task.cancel()
        shown.end()
        await asyncio.gather(task, return_exceptions=True)


async def model_at_hand(server: Server) -> Backend:
    """The backend, where there is one, or will be in a moment. Raises `EngineUnavailable` with the reason."""
    server.keeper.asked(manual=True)
    try:
        async with asyncio.timeout(LOAD_SECONDS):
            while server.keeper.at_hand is None and server.keeper.standing.phase not in ("error", "given up", "fetch"):
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        pass
    if server.keeper.at_hand is None:
        raise EngineUnavailable(server.keeper.standing.message or "There is no model at hand yet. Try it again later.")
    return server.keeper.at_hand


class Errands:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._tasks = Tasks("a command")

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` while the client goes on, and tell the user why where it does not succeed."""
        task = self._tasks.spawn(self._done(work))
        task.add_done_callback(lambda _: work.close())  # it may have been ended before it began

    async def close(self) -> None:
        await self._tasks.close()

    async def _done(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except EndedByUser:
            pass
        except AigcError as error:
            self.tell(str(error))
        except Exception as error:
            log.error("a command failed: %s", described(error))
            self.tell("It failed, and the log says where.")

    def tell(self, message: str, kind: types.MessageType = types.MessageType.Warning) -> None:
        self._server.window_show_message(types.ShowMessageParams(kind, message))


class _Shown:
    """The progress of one work; nothing where the client shows none."""

    def __init__(self, server: Server, title: str) -> None:
        self._server = server
        self._title = title
        self._line: tuple[str, int] = "", 0
        self._token: str | None = None
        self._beginning: asyncio.Task[None] | None = None

    def begin(self, end: Callable[[], object]) -> None:
        self._beginning = asyncio.create_task(self._begin(end))

    def report(self, message: str, percentage: int) -> None:
        self._line = message, percentage
        if self._token is not None:
            report = types.WorkDoneProgressReport(message=message, percentage=percentage, cancellable=True)
            self._server.work_done_progress.report(self._token, report)

    def end(self) -> None:
        if self._token is not None:
            ended(self._server, self._token, "")
        elif self._beginning is not None:
            self._beginning.cancel()

    async def _begin(self, end: Callable[[], object]) -> None:
        def begin() -> types.WorkDoneProgressBegin:
            message, percentage = self._line
            return types.WorkDoneProgressBegin(self._title, cancellable=True, message=message, percentage=percentage)

        def heard(future: Future[Any]) -> None:
            if future.cancelled():
                end()

        self._token = await begun(self._server, begin)
        if self._token is not None:
            self._server.work_done_progress.tokens[self._token].add_done_callback(heard)
