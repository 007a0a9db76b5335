"""`GET /events`: how the model server is, told to whoever listens, at once, at each change, and as a heartbeat."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from aigc_lsp.modelserver.answer import STREAM_START, hung_up, server_sent
from aigc_lsp.service.wire import HEARTBEAT_SECONDS, Health

if TYPE_CHECKING:
    from aigc_lsp.modelserver.activity import Activity
    from aigc_lsp.modelserver.host import Host

LEAST_SECONDS = 0.1
"""Between two events: progress may change faster than anybody reads."""


class Events(Response):
    """Server-sent events, each a `Health`, until the client hangs up or the server leaves."""

    def __init__(self, host: Host, activity: Activity) -> None:
        super().__init__()
        self._host, self._activity = host, activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server is about to leave
                loop.call_soon_threadsafe(changed.set)

        gone = asyncio.create_task(hung_up(receive))
        gone.add_done_callback(lambda _: changed.set())
        stop_listening = self._host.listen(wake)
        try:
            with self._activity.client():
                self._host.clients = self._activity.clients
                await send(STREAM_START)
                await self._tell(send, changed, gone)
        except asyncio.CancelledError:  # the server leaves, and ends the stream as it should be
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._host.clients = self._activity.clients
            stop_listening()
            gone.cancel()

    async def _tell(self, send: Send, changed: asyncio.Event, gone: asyncio.Task[None]) -> None:
        told: tuple[Any, ...] | None = None
        next_at = time.monotonic()
        while not gone.done():
            changed.clear()
            health = self._host.health
            if _news(health) != told or time.monotonic() >= next_at:
                await send({"type": "http.response.body", "body": server_sent(health.to_json()), "more_body": True})
                told, next_at = _news(health), time.monotonic() + HEARTBEAT_SECONDS
                await asyncio.sleep(LEAST_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(next_at - time.monotonic()):
                    await changed.wait()


def _news(health: Health) -> tuple[Any, ...]:
    """What is told at once when it changes; the rest is told with the next heartbeat."""
    return health.phase, health.model, health.loaded, health.message, health.done, health.note
