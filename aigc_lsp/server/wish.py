"""Our wish that a model be in memory, said to a model server that other windows share.

It is said once, when we begin: where two windows want different models that do not fit beside each other, only their
requests bring one back, or the two would take the memory from each other for ever. Refused, it is said again.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aigc_lsp.service.backend import Backend
    from aigc_lsp.service.wire import Phase

RETRY_SECONDS = 30.0


class Wish:
    def __init__(self, backend: Backend, model: str) -> None:
        self._backend = backend
        self.model = model
        self._due = 0.0  # on the monotonic clock
        self._saying: asyncio.Task[str] | None = None
        self._refusal = ""

    def consider(self, phase: Phase) -> str:
        """Say it where it is due and `phase`, which the model is in, allows it; why it was refused, or ""."""
        now = time.monotonic()
        if self._saying is not None and self._saying.done():
            self._refusal = self._saying.result()
            self._saying, self._due = None, now + RETRY_SECONDS if self._refusal else math.inf
        if phase == "ready":
            self._due = math.inf
        elif phase == "error":
            self._due = min(self._due, now + RETRY_SECONDS)
        if phase not in ("idle", "error"):
            self._refusal = ""
        elif self._saying is None and now >= self._due:
            from aigc_lsp.service.backend import ask_for  # not needed to answer initialize

            self._saying = asyncio.create_task(ask_for(self._backend, self.model))
        return self._refusal

    def close(self) -> None:
        if self._saying is not None:
            self._saying.cancel()
