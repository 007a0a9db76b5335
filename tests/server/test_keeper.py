"""The keeper lets an idle model server go, and has it back when the editor asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from aigc_lsp.config import Config
from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.server import keeper as room
from aigc_lsp.server.keeper import Keeper
from aigc_lsp.service.wire import Health


class Life:
    """A model server that is up or down, and how often it was started."""

    def __init__(self) -> None:
        self.is_up = False
        self.starts = 0

    def connect(self) -> Any:
        return self

    async def health(self) -> Health:
        if not self.is_up:
            raise EngineUnavailable("Nobody there.")
        return Health("ready", Config().model)

    async def attach(self, client: Any, overrides: Any, start: bool) -> Health:
        if not self.is_up:
            self.starts += 1
            self.is_up = True
        return await self.health()

    async def follow(self, client: Any, model: str | None, interval: float) -> AsyncIterator[Health]:
        yield await self.health()

    def is_ready(self, health: Health, model: str | None) -> bool:
        return health.ready

    async def close(self) -> None:
        pass


@pytest.fixture
async def kept(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SimpleNamespace]:
    life = Life()
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(room, "_life", lambda: life)
    monkeypatch.setattr(room, "WATCH_SECONDS", 0.02)
    monkeypatch.setattr(room, "time", SimpleNamespace(monotonic=lambda: clock.now))
    told: list[str] = []

    async def report(health: Health | None) -> None:
        pass

    keeper = Keeper(report, told.append)
    keeper.start(Config(), {})
    yield SimpleNamespace(keeper=keeper, life=life, clock=clock, told=told)
    await keeper.close()


async def until(true: Any) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.005)


async def test_a_model_server_that_left_when_idle_is_left_alone_until_asked_for(kept: SimpleNamespace) -> None:
    await until(lambda: kept.keeper.ready)
    kept.clock.now += room.RESTING_SECONDS + 1
    kept.life.is_up = False
    await until(lambda: not kept.keeper.ready)
    await asyncio.sleep(0.2)  # ten looks
    assert kept.life.starts == 1
    kept.keeper.asked()
    await until(lambda: kept.keeper.ready)
    assert kept.life.starts == 2
    assert kept.told == []


async def test_one_that_dies_while_it_is_used_is_started_again_at_once(kept: SimpleNamespace) -> None:
    await until(lambda: kept.keeper.ready)
    kept.life.is_up = False
    await until(lambda: kept.life.starts == 2)
    await until(lambda: kept.keeper.ready)
    assert kept.told == []


async def test_an_idle_one_that_stays_is_kept(kept: SimpleNamespace) -> None:
    await until(lambda: kept.keeper.ready)
    kept.clock.now += 10 * room.RESTING_SECONDS
    await asyncio.sleep(0.1)
    assert kept.keeper.ready
    assert kept.life.starts == 1
