"""The model server at work: its HTTP server on the open sockets, until a signal, idleness or the loss of its place."""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import replace

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from aigc_lsp.config import Config
from aigc_lsp.modelserver.activity import Activity
from aigc_lsp.modelserver.app import build_app
from aigc_lsp.modelserver.host import Host
from aigc_lsp.modelserver.listen import Doors
from aigc_lsp.service import peer
from aigc_lsp.service.connection import KEEP_SECONDS

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0

AT_WORK = ("starting", "fetch", "convert", "load")


class OwnUserOnly(HttpToolsProtocol):
    """Hangs up at once on whoever comes over the Unix socket and is another user."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection.family == getattr(socket, "AF_UNIX", None) and not peer.is_own(connection):
            log.warning("a connection of another user was closed: %s", peer.peer_of(connection))
            transport.abort()


def serve(config: Config, doors: Doors) -> None:
    """Returns when it is time to leave; a signal is raised again as `KeyboardInterrupt`."""
    if doors.network:
        # Somebody put it there for others, and nobody would start it again.
        config = replace(config, engine=replace(config.engine, idle_exit=0))
    host, activity = Host(config), Activity()
    server = uvicorn.Server(
        uvicorn.Config(
            build_app(host, activity, doors.token or None),
            http=OwnUserOnly,
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_keep_alive=int(2 * KEEP_SECONDS),
            timeout_graceful_shutdown=1,
        )
    )
    host.start()
    log.info("serving %s on %s", config.model, ", ".join(filter(None, (doors.place, doors.network))))
    asyncio.run(_serve(server, doors, host, activity, config.engine.idle_exit))


async def _serve(server: uvicorn.Server, doors: Doors, host: Host, activity: Activity, idle_exit: int) -> None:
    async def leave_in_time() -> None:
        while not server.should_exit:
            await asyncio.sleep(LOOK_SECONDS)
            if activity.clients or host.state.phase in AT_WORK:
                activity.touch()  # somebody is there, or waits for the model
            if idle_exit and activity.idle_seconds > idle_exit:
                log.info("%d s without a client or a request: stopping", idle_exit)
                server.should_exit = True
            elif not doors.are_intact():
                log.warning("%s or its lock was removed or replaced: stopping", doors.place)
                server.should_exit = True

    watcher = asyncio.create_task(leave_in_time())
    await server.serve(sockets=list(doors.sockets))
    watcher.cancel()
