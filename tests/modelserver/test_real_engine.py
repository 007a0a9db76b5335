"""The model server with the real weights, from its start to `aigc-lsp stop`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import processes
import pytest

from aigc_lsp.service import life
from aigc_lsp.service.client import EngineClient
from aigc_lsp.service.wire import InfillRequest

pytestmark = pytest.mark.model

PREFIX = "def add(a, b):\n    return a "
SUFFIX = "\n\n\nprint(add(1, 2))\n"


home = pytest.fixture(processes.home_with_models)


async def answer(client: EngineClient, request: InfillRequest) -> tuple[str, str | None]:
    async with client.infill(request) as pieces:
        found = [piece async for piece in pieces]
    return "".join(piece.content for piece in found), found[-1].stop_type


async def test_from_start_to_stop(home: Path) -> None:
    client = life.connect()
    found = await life.attach(client, {})
    phases = [found.phase]
    async for ready in life.follow(client, None):
        phases.append(ready.phase)
    assert ready.ready
    assert "error" not in phases
    text, _ = await answer(client, InfillRequest(PREFIX, SUFFIX, n_predict=8))
    assert text.startswith("+ b")

    # Left in the middle: of 2,000 tokens a few are made, and the next one is served.
    async with client.infill(InfillRequest("# The numbers from 1 to 1000\n1\n2\n3\n", n_predict=2000)) as pieces:
        seen = [await anext(pieces) for _ in range(3)]
    assert all(piece.stop_type is None for piece in seen)
    again, why = await answer(client, InfillRequest(PREFIX, SUFFIX, n_predict=8))
    assert again == text
    assert why in ("eos", "limit")
    after = await client.health()
    assert after.requests >= 2  # each is counted a moment after its answer
    assert after.kv_bytes > 0
    await client.close()

    command = [sys.executable, "-m", "aigc_lsp", "stop"]
    stopped = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
    assert stopped.returncode == 0, stopped.stderr
    assert "Stopped" in stopped.stdout
    assert not life.is_running()


async def test_idle_weights_leave_memory_and_come_back(home: Path) -> None:
    client = life.connect()
    await life.attach(client, {"AIGC_LSP_ENGINE_IDLE_UNLOAD": "2"})
    loaded = 0
    try:
        async for health in client.watch():
            loaded = max(loaded, health.resident_bytes)
            if health.phase == "idle":
                break
        assert health.loaded == ()
        assert health.resident_bytes < min(600 << 20, loaded // 2)
        text, _ = await answer(client, InfillRequest(PREFIX, SUFFIX, n_predict=8))
        assert text.startswith("+ b")
        assert (await client.health()).ready
    finally:
        assert await life.stop(client)
        await client.close()
