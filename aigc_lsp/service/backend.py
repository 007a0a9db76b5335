"""Who is asked for text: the model server on this machine (`client`), or one elsewhere (`remote`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.service.wire import ChatRequest, Health, InfillPiece, InfillRequest, PromptRequest


class Backend(Protocol):
    def infill(self, request: InfillRequest) -> AbstractAsyncContextManager[AsyncIterator[InfillPiece]]:
        """The pieces of the answer as they come. Leaving the block hangs up.

        Raises `EngineUnavailable`, on entering or between pieces.
        """
        ...

    def write(self, request: PromptRequest | ChatRequest) -> AbstractAsyncContextManager[AsyncIterator[InfillPiece]]:
        """The same for a prompt as it is, or for a conversation."""
        ...

    def watch(self) -> AsyncIterator[Health]:
        """How it is: at once, at each change, and every few seconds. Ends where it left by itself. Raises `EngineHung`
        where it has given no sign of life for too long, and `EngineUnavailable` where it is gone otherwise."""
        ...

    async def close(self) -> None: ...


async def ask_for(backend: Backend, model: str | None) -> str:
    """Have the model server bring `model` up; why it cannot, or ""."""
    try:
        async with backend.infill(InfillRequest(n_predict=0, model=model)) as pieces:
            async for _ in pieces:
                pass
    except EngineUnavailable as error:
        return str(error)
    return ""
