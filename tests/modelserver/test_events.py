"""`GET /events`: at once, at each change, as a heartbeat; and who listens is known."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tiny_server import HANG, MODEL, OTHER, TinyHost, raw_client, served, wait_until

from aigc_lsp.modelserver import events as events_module
from aigc_lsp.service.wire import Health


@contextlib.asynccontextmanager
async def listening(http: httpx.AsyncClient) -> AsyncIterator[AsyncIterator[Health]]:
    async with http.stream("GET", "/events") as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"

        async def told() -> AsyncIterator[Health]:
            async for line in response.aiter_lines():
                if line:
                    assert line.startswith("data: ")
                    yield Health.from_json(json.loads(line[6:]))

        yield told()


async def until(told: AsyncIterator[Health], **wanted: object) -> list[Health]:
    """What is told up to and with the first event that is as `wanted`."""
    seen = []
    async with asyncio.timeout(HANG):
        async for health in told:
            seen.append(health)
            if all(getattr(health, name) == value for name, value in wanted.items()):
                return seen
    raise AssertionError("the stream ended")


async def test_it_tells_at_once_and_at_each_change(host: TinyHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "HEARTBEAT_SECONDS", 1e6)
    host.residents.may_load.clear()
    with served(host) as socket:
        async with raw_client(socket) as http, listening(http) as told:
            first = (await until(told, phase="load"))[-1]
            assert first.model == MODEL
            host.residents.may_load.set()
            ready = (await until(told, phase="ready"))[-1]
            assert ready.loaded == (MODEL,)
            await http.post("/infill", json={"input_prefix": "x", "n_predict": 1, "model": OTHER})
            assert (await until(told, model=OTHER, phase="ready"))[-1].loaded == (MODEL, OTHER)


async def test_it_beats_while_nothing_changes(
    http: httpx.AsyncClient, host: TinyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "HEARTBEAT_SECONDS", 0.05)
    await asyncio.to_thread(wait_until, lambda: host.health.ready)
    async with listening(http) as told:
        seen = [await asyncio.wait_for(anext(told), HANG) for _ in range(4)]
    assert {health.phase for health in seen} == {"ready"}


@pytest.mark.process
async def test_the_next_beat_tells_what_is_no_news(http: httpx.AsyncClient, host: TinyHost) -> None:
    """The count of requests is worth no event of its own, yet it is told in time: here, by the true heartbeat."""
    async with listening(http) as told:
        await until(told, phase="ready")
        await http.post("/infill", json={"input_prefix": "x", "n_predict": 1})
        assert len(await until(told, requests=1)) == 1


async def test_fast_changes_are_told_together(http: httpx.AsyncClient, host: TinyHost) -> None:
    async with listening(http) as told:
        await until(told, phase="ready")
        began = time.monotonic()
        for done in range(1, 400):
            host._change(done=done, total=400)
        seen = await until(told, done=399)
        most = (time.monotonic() - began) / events_module.LEAST_SECONDS + 2
    assert len(seen) <= most < 399


async def test_who_listens_is_counted_until_he_leaves(http: httpx.AsyncClient, host: TinyHost) -> None:
    async with listening(http) as told:
        await until(told, clients=1)
        async with listening(http) as other:
            await until(other, clients=2)
        await asyncio.to_thread(wait_until, lambda: host.health.clients == 1)
    await asyncio.to_thread(wait_until, lambda: host.health.clients == 0)
    assert not host._listeners


async def test_a_server_that_leaves_ends_the_stream(host: TinyHost, caplog: pytest.LogCaptureFixture) -> None:
    ended = asyncio.Event()

    async def listen(socket: Path) -> None:
        async with raw_client(socket) as http, listening(http) as told:
            async for _ in told:
                began.set()
        ended.set()

    began = asyncio.Event()
    with contextlib.ExitStack() as stack:
        listener = asyncio.create_task(listen(stack.enter_context(served(host))))
        await asyncio.wait_for(began.wait(), HANG)
        await asyncio.to_thread(stack.close)
    await asyncio.wait_for(listener, HANG)
    assert ended.is_set()
    assert not [record for record in caplog.records if record.exc_info], "leaving is no error"
