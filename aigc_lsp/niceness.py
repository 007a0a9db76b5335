"""Coming behind others where all want the processor."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def give_way(by: int) -> None:
    """Be nicer by `by`. On Linux sessions are weighed as wholes (autogroup), so that of this process is told, too: it
    should be one of its own."""
    with contextlib.suppress(AttributeError, OSError):  # Windows has no such thing
        os.nice(by)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(by), encoding="ascii")
