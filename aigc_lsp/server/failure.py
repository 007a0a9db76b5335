"""How a failure that nobody foresaw is logged: its kind and its place, never its message, which may hold source text."""

from __future__ import annotations

import traceback


def described(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
