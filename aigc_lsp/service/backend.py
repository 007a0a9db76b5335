"""Who is asked for text: the model server on this machine (`client`), or one elsewhere (`remote`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from aigc_lsp.service.wire import Health, InfillPiece, InfillRequest


class Backend(Protocol):
    def infill(self, request: InfillRequest) -> AbstractAsyncContextManager[AsyncIterator[InfillPiece]]:
        """The pieces of the answer as they come. Leaving the block hangs up.

        Raises `EngineUnavailable`, on entering or between pieces.
        """
        ...

    def watch(self) -> AsyncIterator[Health]:
        """How it is: at once, at each change, and every few seconds. Ends only by `EngineUnavailable`: it is gone, or
        (`EngineHung`) it has given no sign of life for too long."""
        ...

    async def close(self) -> None: ...
