"""What the tests of servers elsewhere share: settings, and asking for a completion."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from aigc_lsp.config import Config, EngineConfig
from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.service.backend import Backend
from aigc_lsp.service.remote import connect
from aigc_lsp.service.wire import Health, InfillPiece, InfillRequest

PATIENCE = 15.0
"""Seconds: a hang, not a slow machine."""

COMPLETIONS = "/v1/completions"
TOKEN = "sk-very-secret-0123456789"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

HOLE = InfillRequest(
    input_prefix="def add(a, b):\n    return ",
    input_suffix="\n\nprint(add(1, 2))\n",
    n_predict=32,
    document="file:///home/somebody/secret/project/add.py",
    user="somebody's window",
)


def settings(url: str, **engine: Any) -> Config:
    return replace(Config(), engine=replace(EngineConfig(), url=url, **engine))


@contextlib.asynccontextmanager
async def connected(url: str, **engine: Any) -> AsyncIterator[Backend]:
    backend = connect(settings(url, **engine))
    try:
        yield backend
    finally:
        await backend.close()


async def pieces(backend: Backend, request: InfillRequest = HOLE) -> list[InfillPiece]:
    async with asyncio.timeout(PATIENCE):
        async with backend.infill(request) as answer:
            return [piece async for piece in answer]


async def text(backend: Backend, request: InfillRequest = HOLE) -> str:
    return "".join(piece.content for piece in await pieces(backend, request))


async def failure(backend: Backend) -> str:
    """The sentence of a request that fails."""
    with pytest.raises(EngineUnavailable) as found:
        await text(backend)
    return str(found.value)


async def health(backend: Backend) -> Health:
    """The first that `watch` says."""
    async with asyncio.timeout(PATIENCE):
        async with contextlib.aclosing(backend.watch()) as watching:
            return await anext(watching)


async def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.01)
    return found
