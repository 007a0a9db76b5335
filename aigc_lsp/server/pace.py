"""Whether to wait a moment before the model is asked.

While somebody types faster than the model answers, an answer comes too late for its key anyway, and asking at each one
only heats the machine. So there half a gap between two keys is waited for, and nowhere else: who pauses waits for
nothing, and what needs no model is never held back.
"""

from __future__ import annotations

import time

PAUSE_SECONDS = 1.0
"""What is longer is no gap between two keys, but a pause."""
_NEW = 0.3
"""Share of the latest in a mean that moves."""


class Pace:
    def __init__(self) -> None:
        self._key_at = 0.0
        self._gap = PAUSE_SECONDS
        self._answer = 0.0

    def key(self) -> None:
        now = time.monotonic()
        gap, self._key_at = now - self._key_at, now
        self._gap = PAUSE_SECONDS if gap >= PAUSE_SECONDS else _moved(self._gap, gap)

    @property
    def rests(self) -> bool:
        """Whether nobody types at this moment."""
        return time.monotonic() - self._key_at >= PAUSE_SECONDS

    def answered(self, seconds: float) -> None:
        """The model took so long."""
        self._answer = _moved(self._answer, seconds) if self._answer else seconds

    def hold_seconds(self, most: float) -> float:
        return min(most, self._gap / 2) if self._gap < self._answer else 0.0


def _moved(mean: float, latest: float) -> float:
    return mean + _NEW * (latest - mean)
