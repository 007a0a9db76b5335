"""What follows when a model server is gone: it is started again after a pause, each time a longer one, until it has
fallen too often; one that left by itself, or fell while the editor rested, is let go until the next request."""

from __future__ import annotations

import time
from typing import Literal

PAUSES = (0.2, 1.0, 3.0, 10.0, 30.0)
"""Seconds after the first fall, the second, …; the last is also how often one that is not started is looked for."""

MOST_FALLS = 5
STEADY_SECONDS = 30.0
"""Falls before so long a time of steady service are forgotten."""

RECOVERY_SECONDS = 600.0
"""After so long, one that was given up is started again."""

CHANCE_SECONDS = 10.0
"""After so long it has one more chance where the user asks by hand. Some clients say so of every key."""

RESTING_SECONDS = 60.0
"""Without a request for so long, the editor rests."""

State = Literal["away", "resting", "given up"]
"""It will be looked for or started in a moment; the next request starts it; it is not started for now."""


class Patience:
    """`starts`: whether we may start it at all. Where not, it is only looked for, and for ever."""

    def __init__(self, starts: bool) -> None:
        self._starts = starts
        self._asked_at = time.monotonic()
        self._steady_since: float | None = None
        self._gave_up_at: float | None = None
        self._is_resting = False
        self.falls = 0

    @property
    def may_start(self) -> bool:
        return self._starts and not self._is_resting and self._gave_up_at is None

    @property
    def is_steady(self) -> bool:
        return self._steady_since is not None and time.monotonic() - self._steady_since >= STEADY_SECONDS

    def begin_anew(self) -> None:
        """The settings may be better now, so all is forgiven."""
        self._asked_at = time.monotonic()
        self.falls, self._gave_up_at, self._is_resting = 0, None, False

    def asked(self, *, manual: bool) -> bool:
        """The editor asks for something, or the user by hand; whether that is a reason to look for it at once."""
        self._asked_at = time.monotonic()
        if self._gave_up_at is not None and manual and self._asked_at - self._gave_up_at >= CHANCE_SECONDS:
            self.falls, self._gave_up_at = MOST_FALLS - 1, None
            return True
        was_resting, self._is_resting = self._is_resting, False
        return was_resting

    def serves(self, *, is_settled: bool) -> None:
        """It is there, and `is_settled` where it is not busy with bringing a model up."""
        if not is_settled:
            self._steady_since = None
        elif self._steady_since is None:
            self._steady_since = time.monotonic()

    def left(self) -> bool:
        """It ended by itself; whether that is well, and the next request starts it. Else it fell."""
        if not (self._starts and self.is_steady):
            return False
        self.falls, self._gave_up_at, self._steady_since, self._is_resting = 0, None, None, True
        return True

    def fell(self) -> tuple[State, float]:
        """It is gone, or was looked for in vain; what follows, and the pause in seconds until it is looked for."""
        now = time.monotonic()
        if self.is_steady:
            self.falls, self._gave_up_at = 0, None
        self._steady_since = None
        if self._gave_up_at is not None:
            if now - self._gave_up_at >= RECOVERY_SECONDS:
                self.falls, self._gave_up_at = 0, None
            return "given up", PAUSES[-1]
        if self._starts and now - self._asked_at >= RESTING_SECONDS:
            self._is_resting = True
            return "resting", PAUSES[-1]
        self.falls += 1
        if self._starts and self.falls >= MOST_FALLS:
            self._gave_up_at = now
            return "given up", PAUSES[-1]
        return "away", PAUSES[min(self.falls, len(PAUSES)) - 1]
