"""How failures that nobody foresaw are logged: kind and place, never the message, which may hold source text."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import Any

log = logging.getLogger(__name__)


def described(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def on_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The event loop's exception handler."""
    error = context.get("exception")
    if isinstance(error, asyncio.InvalidStateError):
        return  # anyio, where data came in the moment that its reader was cancelled: no error
    log.error("the event loop: %s", described(error) if error else context.get("message"))
