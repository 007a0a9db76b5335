"""The model server as a process: `aigc-lsp engine`.

Whoever holds the lock is the model server, for as long as it lives; the lock falls with the process, however it ends.
So an address that is found without its lock is stale and may be replaced, and of many that start at once one stays. The
others leave before they have loaded anything.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import signal
import sys
from logging.handlers import RotatingFileHandler

from filelock import FileLock, Timeout

from aigc_lsp.config import Config
from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.modelserver.listen import Network, opened
from aigc_lsp.niceness import give_way
from aigc_lsp.service.place import errors_path, lock_path, log_path, unusable

log = logging.getLogger(__name__)

NICENESS = 5
"""Three times less of a core that somebody else wants too. A key that needs no model was answered after 47 ms in the
worst case (p99), and after 21 with the model server behind the language server."""

LAST_WORDS = 8192
"""Bytes of what an earlier model server wrote to stderr that are kept."""


def run_engine(config: Config, network: Network | None = None) -> bool:
    """Serve until stopped or idle for `engine.idle_exit`; false at once where a model server already runs. Raises
    `EngineUnavailable`. In the end the process is gone."""
    path = lock_path()
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0.2, poll_interval=0.02)  # `place.is_running` holds it for a moment
    except Timeout:
        return False
    except OSError as error:
        raise unusable(path, error) from error
    _start_log(config.log_level)
    if network is None:
        give_way(NICENESS)
    # uvicorn leaves on SIGTERM and SIGINT and then raises them again: both arrive here as KeyboardInterrupt.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.suppress(KeyboardInterrupt), opened(network) as doors:
            from aigc_lsp.modelserver.serving import serve

            try:
                serve(config, doors)
            finally:
                for sign in (signal.SIGTERM, signal.SIGINT):  # it leaves already
                    signal.signal(sign, signal.SIG_IGN)
    except EngineUnavailable as error:
        log.error("%s", error)
        raise
    log.info("stopped")
    # The engine's thread may be inside a long torch call; nothing of it needs saving.
    logging.shutdown()
    os._exit(0)


def _start_log(level: str) -> None:
    """Log to the file; a disk that is full or cannot be written to is no reason not to serve."""
    logging.raiseExceptions = False
    handlers: list[logging.Handler] = []
    with contextlib.suppress(OSError):
        handlers.append(
            RotatingFileHandler(
                log_path(), maxBytes=1_000_000, backupCount=2, encoding="utf-8", errors="backslashreplace"
            )
        )
    if sys.stderr is not None and sys.stderr.isatty():
        handlers.append(logging.StreamHandler())
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=handlers or [logging.NullHandler()], force=True)
    logging.getLogger("aigc_lsp").setLevel(getattr(logging, level.upper()) if level == "debug" else logging.INFO)
    for name in ("httpx", "httpcore", "filelock", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    _take_last_words()
    if sys.stderr is not None:
        faulthandler.enable()


def _take_last_words() -> None:
    """Have in the log what model servers before this one wrote to stderr, the stack of a crash for one; and begin
    that file anew, which would grow for ever otherwise."""
    with contextlib.suppress(OSError):
        with open(errors_path(), "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LAST_WORDS))
            said = file.read().decode("utf-8", "replace").strip()
            file.truncate(0)
        if said:
            log.warning("on stderr until now:\n%s", said)
