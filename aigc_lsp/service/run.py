"""The model server as a process: `aigc-lsp engine`.

Whoever holds the lock is the model server, for as long as it lives; the lock falls with the process, however it ends.
So a socket that is found without its lock is stale and may be replaced, and of many that start at once one stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout

from aigc_lsp.config import Config
from aigc_lsp.service.app import Activity, build_app
from aigc_lsp.service.host import Host
from aigc_lsp.service.place import lock_path, log_path, socket_path

log = logging.getLogger(__name__)


def run_engine(config: Config) -> bool:
    """Serve until stopped or idle for `engine.idle_exit`; false at once where a model server already runs."""
    lock = FileLock(lock_path())
    try:
        lock.acquire(timeout=0.2, poll_interval=0.02)  # `life.is_running` holds it for a moment
    except Timeout:
        return False
    _start_log(config.log_level)
    path = socket_path()
    # uvicorn leaves on SIGTERM and SIGINT and then raises them again: both arrive here as KeyboardInterrupt.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), _bind(path) as listener:
        host, activity = Host(config), Activity()
        server = uvicorn.Server(
            uvicorn.Config(
                build_app(host, activity),
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=1,
            )
        )
        host.start()
        log.info("serving %s on %s", config.model, path)
        asyncio.run(_serve(server, listener, host, activity, config.engine.idle_exit))
    path.unlink(missing_ok=True)
    log.info("stopped")
    # The engine's thread may be inside a long torch call; nothing of it needs saving.
    logging.shutdown()
    os._exit(0)


async def _serve(
    server: uvicorn.Server, listener: socket.socket, host: Host, activity: Activity, idle_exit: int
) -> None:
    async def exit_when_idle() -> None:
        while not server.should_exit:
            await asyncio.sleep(1)
            if host.health.phase not in ("ready", "error"):
                activity.touch()  # it works on the model, which somebody waits for
            if idle_exit and activity.idle_seconds > idle_exit:
                log.info("idle for %d s: stopping", idle_exit)
                server.should_exit = True

    watcher = asyncio.create_task(exit_when_idle())
    await server.serve(sockets=[listener])
    watcher.cancel()


def _bind(path: Path) -> socket.socket:
    """A listening socket that is never open to others, not even for a moment. The caller holds the lock."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    previous = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(previous)
    return listener


def _start_log(level: str) -> None:
    handler = RotatingFileHandler(
        log_path(), maxBytes=1_000_000, backupCount=2, encoding="utf-8", errors="backslashreplace"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("aigc_lsp").setLevel(getattr(logging, level.upper()) if level == "debug" else logging.INFO)
    for name in ("httpx", "httpcore", "filelock", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if sys.stderr is not None and sys.stderr.isatty():
        logging.getLogger().addHandler(logging.StreamHandler())
