"""A server elsewhere that follows a script, and a backend on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from peer_server import PeerServer
from remote_bench import PROXIES, TOKEN, connected

from aigc_lsp.service import remote_gate
from aigc_lsp.service.backend import Backend


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("PEER_TOKEN", TOKEN)


@pytest.fixture
def peer() -> PeerServer:
    return PeerServer()


@pytest.fixture
async def url(peer: PeerServer) -> AsyncIterator[str]:
    async with peer.up() as url:
        yield url


@pytest.fixture
async def backend(url: str) -> AsyncIterator[Backend]:
    """For `/v1/completions`."""
    async with connected(url, api="openai") as backend:
        yield backend


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_gate, "BACKOFF_SECONDS", (0.0,))
