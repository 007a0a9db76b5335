"""Whether to wait a moment before the model is asked.

What the model says is of use to the keys that follow too, so mostly it is asked at once. Only where keys come twice as
fast as it answers (one is held down, an editor plays a macro) even those come too soon for it, and asking at each one
just heats the machine: there half a gap between two keys is waited for. Who pauses waits for nothing, and what needs no
model is never held back.
"""

from __future__ import annotations

import statistics
import time
from collections import deque

PAUSE_SECONDS = 1.0
"""What is longer is no gap between two keys, but a pause."""
_NEW = 0.3
"""Share of the latest in a mean that moves."""
LATEST = 9
"""Answers: one that had a file to read first does not count for more than another."""


class Pace:
    def __init__(self) -> None:
        self._key_at = 0.0
        self._gap = PAUSE_SECONDS
        self._answers: deque[float] = deque(maxlen=LATEST)

    def key(self) -> None:
        now = time.monotonic()
        gap, self._key_at = now - self._key_at, now
        self._gap = PAUSE_SECONDS if gap >= PAUSE_SECONDS else self._gap + _NEW * (gap - self._gap)

    @property
    def rests(self) -> bool:
        """Whether nobody types at this moment."""
        return time.monotonic() - self._key_at >= PAUSE_SECONDS

    def answered(self, seconds: float) -> None:
        """The model took so long."""
        self._answers.append(seconds)

    def hold_seconds(self, most: float) -> float:
        is_burst = self._answers and self._gap < statistics.median(self._answers) / 2
        return min(most, self._gap / 2) if is_burst else 0.0
