"""Who uses the model server: what idle exit goes by."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator


class Activity:
    def __init__(self) -> None:
        self._busy = 0
        self._last = time.monotonic()
        self.clients = 0
        """Open streams of `/events`. To listen is no use of the engine, but somebody is there."""

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            self.touch()

    @contextlib.contextmanager
    def client(self) -> Iterator[None]:
        self.clients += 1
        try:
            yield
        finally:
            self.clients -= 1

    def touch(self) -> None:
        self._last = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Since the last request ended; 0 while one is answered."""
        return 0.0 if self._busy else time.monotonic() - self._last
