from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from tiny_server import TinyHost, raw_client, served

from aigc_lsp.service.client import EngineClient


@pytest.fixture
def host() -> TinyHost:
    return TinyHost()


@pytest.fixture
def socket(host: TinyHost) -> Iterator[Path]:
    with served(host) as path:
        yield path


@pytest.fixture
async def http(socket: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with raw_client(socket) as client:
        yield client


@pytest.fixture
async def client(socket: Path) -> AsyncIterator[EngineClient]:
    client = EngineClient(socket)
    yield client
    await client.close()
