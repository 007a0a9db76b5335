"""When the keeper starts a model server, when it lets it be, and when it gives up. Its clock is the test's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aigc_lsp.config import Config, EngineConfig
from aigc_lsp.errors import EngineHung, EngineUnavailable
from aigc_lsp.server import keeper as room
from aigc_lsp.server import patience, wish
from aigc_lsp.server.keeper import Keeper, Standing
from aigc_lsp.service.wire import Health, InfillPiece, InfillRequest

MODEL = Config().model
READY = Health("ready", MODEL, loaded=(MODEL,))


class Life:
    """A model server on this machine, or elsewhere, and what was done to it."""

    def __init__(self) -> None:
        self.is_up = False
        self.starts = self.looks = self.kills = self.watches = self.closes = 0
        self.cannot_start = ""
        self.sentence = ""
        self.first = READY
        self.asked: list[InfillRequest] = []
        self.refusal = ""
        self._news: asyncio.Queue[Health | Exception | None] = asyncio.Queue()

    def says(self, health: Health) -> None:
        self._news.put_nowait(health)

    def falls(self, error: Exception | None = None) -> None:
        self._news.put_nowait(error or EngineUnavailable("The model server hung up."))

    def leaves(self) -> None:
        self._news.put_nowait(None)

    # As `service.life`

    def connect(self) -> Any:
        return self

    async def attach(self, client: Any, overrides: Any, start: bool) -> Health:
        self.looks += 1
        if not self.is_up:
            if not start:
                raise EngineUnavailable("Nobody there.")
            self.starts += 1
            if self.cannot_start:
                raise EngineUnavailable(self.cannot_start)
            self.is_up = True
        return READY

    async def renew(self, client: Any, health: Health, overrides: Any) -> tuple[Health, str]:
        return health, self.sentence

    async def kill(self, client: Any) -> bool:
        self.kills += 1
        self.is_up = False
        return True

    # As a backend

    async def watch(self) -> AsyncIterator[Health]:
        self.watches += 1
        yield self.first
        while (news := await self._news.get()) is not None:
            if isinstance(news, Exception):
                self.is_up = isinstance(news, EngineHung)
                raise news
            yield news
        self.is_up = False

    @asynccontextmanager
    async def infill(self, request: InfillRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        self.asked.append(request)
        if self.refusal:
            raise EngineUnavailable(self.refusal)

        async def pieces() -> AsyncIterator[InfillPiece]:
            yield InfillPiece("", stop_type="limit")

        yield pieces()

    async def close(self) -> None:
        self.closes += 1


class Kept:
    """A keeper and all that it meets."""

    def __init__(self) -> None:
        self.life = Life()
        self.now = 1000.0
        self.told: list[str] = []
        self.shown: list[Standing] = []
        self.drops = 0
        self.keeper = Keeper(self.shown.append, self.tell, self.drop)

    def tell(self, sentence: str) -> None:
        if sentence not in self.told:
            self.told.append(sentence)

    def drop(self) -> None:
        self.drops += 1

    def start(self, **engine: Any) -> None:
        self.keeper.start(replace(Config(), engine=replace(EngineConfig(), **engine)), {})

    async def stands(self, phase: str) -> None:
        await until(lambda: self.keeper.standing.phase == phase)
        assert (self.keeper.at_hand is not None) == (phase in ("ready", "idle"))

    async def hears(self, health: Health) -> None:
        """It is told so, and has dealt with it."""
        shown = len(self.shown)
        self.life.says(health)
        await until(lambda: len(self.shown) > shown)

    async def looked(self, times: int = 3) -> None:
        """That many looks later."""
        looks = self.life.looks
        await until(lambda: self.life.looks >= looks + times)


@pytest.fixture
async def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Kept]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    kept = Kept()
    monkeypatch.setattr(room, "_life", lambda: kept.life)
    for module in (patience, wish):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: kept.now))
    monkeypatch.setattr(patience, "PAUSES", (0.005,) * len(patience.PAUSES))
    monkeypatch.setattr(room, "PAUSES", patience.PAUSES)
    yield kept
    await kept.keeper.close()
    assert kept.keeper.at_hand is None


async def until(true: Any) -> None:
    async with asyncio.timeout(15):
        while not true():
            await asyncio.sleep(0.005)


async def test_one_that_falls_while_it_is_used_is_started_again_at_once(kept: Kept) -> None:
    kept.start()
    await kept.stands("ready")
    drops = kept.drops
    kept.life.falls()
    await until(lambda: kept.life.starts == 2)
    await kept.stands("ready")
    assert kept.drops > drops  # what was under way is ended
    assert [standing.phase for standing in kept.shown] == ["looking", "ready", "away", "ready"]
    assert kept.told == []


async def test_one_that_falls_while_the_editor_rests_is_left_alone_until_a_request(kept: Kept) -> None:
    kept.start()
    await kept.stands("ready")
    kept.now += patience.RESTING_SECONDS
    kept.life.falls()
    await kept.stands("resting")
    await kept.looked()
    assert kept.life.starts == 1
    kept.keeper.asked(manual=False)
    await kept.stands("ready")
    assert kept.life.starts == 2
    assert kept.told == []


async def test_one_that_leaves_by_itself_is_left_alone_until_a_request(kept: Kept) -> None:
    """`aigc-lsp stop`, or a newer program that takes its place."""
    kept.start()
    await kept.stands("ready")
    kept.now += patience.STEADY_SECONDS
    kept.keeper.asked(manual=False)
    kept.life.leaves()
    await kept.stands("resting")
    await kept.looked()
    assert kept.life.starts == 1
    kept.life.is_up = True  # the newer one is there
    await kept.stands("ready")
    assert kept.life.starts == 1


async def test_one_that_leaves_as_soon_as_it_has_come_has_fallen(kept: Kept) -> None:
    kept.start()
    for _ in range(patience.MOST_FALLS):
        kept.life.leaves()
    await kept.stands("given up")
    assert kept.life.starts == patience.MOST_FALLS


async def given_up(kept: Kept) -> None:
    kept.start()
    for _ in range(patience.MOST_FALLS):
        kept.life.falls()
    await kept.stands("given up")


async def test_one_that_falls_again_and_again_is_given_up_with_one_message(kept: Kept, tmp_path: Path) -> None:
    await given_up(kept)
    assert kept.life.starts == patience.MOST_FALLS
    (sentence,) = kept.told
    assert sentence == kept.keeper.standing.message
    assert f"{tmp_path}/" in sentence
    assert "engine.log" in sentence
    assert "aigc-lsp doctor" in sentence
    kept.keeper.asked(manual=False)
    await kept.looked()
    assert kept.life.starts == patience.MOST_FALLS
    assert kept.keeper.standing.phase == "given up"
    assert len(kept.told) == 1


async def test_one_that_cannot_be_started_is_given_up_with_its_own_reason(kept: Kept) -> None:
    kept.life.cannot_start = "The model server did not start: the disk is full."
    kept.start()
    await kept.stands("given up")
    (sentence,) = kept.told
    assert sentence.startswith(kept.life.cannot_start)
    assert kept.life.starts == patience.MOST_FALLS


@pytest.mark.parametrize("reason", ["settings", "manual", "later"])
async def test_one_that_was_given_up_has_another_chance(kept: Kept, reason: str) -> None:
    await given_up(kept)
    if reason == "settings":
        kept.start()
    elif reason == "manual":
        kept.now += patience.CHANCE_SECONDS
        kept.keeper.asked(manual=True)
    else:
        kept.now += patience.RECOVERY_SECONDS
        kept.keeper.asked(manual=False)
    await kept.stands("ready")
    assert len(kept.told) == 1


async def test_a_client_that_calls_every_key_manual_gives_one_chance_at_a_time(kept: Kept) -> None:
    await given_up(kept)
    kept.life.cannot_start = "The disk is full."
    for chances in (1, 2):
        kept.now += patience.CHANCE_SECONDS
        for _ in range(20):
            kept.keeper.asked(manual=True)
            await asyncio.sleep(0)
        await until(lambda chances=chances: kept.life.starts == patience.MOST_FALLS + chances)
        await kept.stands("given up")
        await kept.looked()
        assert kept.life.starts == patience.MOST_FALLS + chances


async def test_one_that_was_given_up_and_that_somebody_else_starts_is_used(kept: Kept) -> None:
    await given_up(kept)
    kept.life.is_up = True
    await kept.stands("ready")
    assert kept.life.starts == patience.MOST_FALLS


async def test_falls_long_ago_are_forgotten(kept: Kept) -> None:
    kept.start()
    for _ in range(3 * patience.MOST_FALLS):
        await kept.stands("ready")
        kept.now += patience.STEADY_SECONDS
        kept.keeper.asked(manual=False)
        watches = kept.life.watches
        kept.life.falls()
        await until(lambda watches=watches: kept.life.watches > watches)
    assert kept.told == []


async def test_a_model_server_that_is_busy_with_a_model_is_not_steady(kept: Kept) -> None:
    """One that dies over each load is given up, however long a load takes."""
    kept.life.first = replace(READY, phase="load")
    kept.start()
    for _ in range(patience.MOST_FALLS):
        await kept.stands("load")
        kept.now += patience.STEADY_SECONDS
        kept.keeper.asked(manual=False)
        watches = kept.life.watches
        kept.life.falls()
        await until(lambda watches=watches: kept.life.watches > watches or kept.told)
    await kept.stands("given up")


async def test_one_that_hangs_is_killed_and_started_again(kept: Kept) -> None:
    kept.start()
    await kept.stands("ready")
    kept.life.falls(EngineHung("No sign of life."))
    await until(lambda: kept.life.starts == 2)
    await kept.stands("ready")
    assert kept.life.kills == 1


async def test_one_that_we_may_not_start_is_not_killed_either_and_said_once(kept: Kept) -> None:
    kept.life.is_up = True
    kept.start(start=False)
    await kept.stands("ready")
    kept.life.falls(EngineHung("No sign of life."))
    kept.life.falls()
    await until(lambda: kept.told)
    await kept.looked(patience.MOST_FALLS)
    assert (kept.life.starts, kept.life.kills) == (0, 0)
    assert kept.told == ["Nobody there."]
    assert kept.keeper.standing.phase == "away"
    kept.life.is_up = True
    await kept.stands("ready")


async def test_the_sentence_about_other_settings_is_told(kept: Kept) -> None:
    kept.life.sentence = "The model server runs with engine.threads = 2."
    kept.start()
    await kept.stands("ready")
    assert kept.told == [kept.life.sentence]


async def test_what_nobody_foresaw_does_not_end_the_keeping(kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    kept.start()
    await kept.stands("ready")
    kept.life.falls(RuntimeError("secret text"))
    await until(lambda: kept.life.starts == 2)
    await kept.stands("ready")
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


async def test_the_fourth_pause_is_longer_than_the_first() -> None:
    patient = patience.Patience(starts=True)
    pauses = [patient.fell()[1] for _ in range(patience.MOST_FALLS)]
    assert pauses == sorted(set(pauses))


# Elsewhere


async def test_a_server_elsewhere_is_only_watched(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    from aigc_lsp.service import remote

    monkeypatch.setattr(remote, "connect", lambda config: kept.life)
    kept.life.first = Health("ready", "starcoder")
    kept.start(url="http://gpu:8000")
    await kept.stands("ready")
    kept.life.says(Health("error", "starcoder", "http://gpu:8000 does not answer."))
    await kept.stands("away")
    assert kept.keeper.standing.message == "http://gpu:8000 does not answer."
    kept.life.says(Health("ready", "starcoder"))
    await kept.stands("ready")
    for _ in range(2 * patience.MOST_FALLS):
        kept.life.falls(EngineHung("No sign of life."))
    await until(lambda: kept.life.watches > 2 * patience.MOST_FALLS)
    await kept.stands("ready")
    assert (kept.life.looks, kept.life.starts, kept.life.kills) == (0, 0, 0)
    assert kept.life.asked == []
    assert kept.told == []


async def test_another_address_is_another_backend(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    from aigc_lsp.service import remote

    urls = []

    def connect(config: Config) -> Life:
        urls.append(config.engine.url)
        return kept.life

    monkeypatch.setattr(remote, "connect", connect)
    kept.start()
    await kept.stands("ready")
    kept.start(url="http://one")
    await until(lambda: urls == ["http://one"])
    await kept.stands("ready")
    kept.start(url="http://one")
    kept.start(url="http://two")
    await until(lambda: urls == ["http://one", "http://two"])
    await kept.stands("ready")
    assert kept.life.closes == 2
    kept.start()
    await until(lambda: kept.life.closes == 3)
    await kept.stands("ready")


async def test_settings_that_cannot_be_are_said_and_other_ones_waited_for(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aigc_lsp.service import remote

    def connect(config: Config) -> Life:
        raise EngineUnavailable("engine.url is no address.")

    monkeypatch.setattr(remote, "connect", connect)
    kept.start(url="nonsense")
    await kept.stands("error")
    assert kept.told == ["engine.url is no address."]
    kept.start()
    await kept.stands("ready")
    assert len(kept.told) == 1


# The model


async def test_a_model_that_is_not_in_memory_is_wished_for_once(kept: Kept) -> None:
    """Another window's is there. What it does later is its own affair: else the two would fight for the memory."""
    kept.life.first = Health("ready", "other", loaded=("other",))
    kept.start()
    await kept.stands("idle")
    await until(lambda: kept.life.asked)
    assert (kept.life.asked[0].model, kept.life.asked[0].n_predict) == (MODEL, 0)
    await kept.hears(READY)
    await kept.stands("ready")
    for _ in range(3):
        kept.now += wish.RETRY_SECONDS
        await kept.hears(Health("ready", "other", loaded=("other",)))
        assert kept.keeper.standing.phase == "idle"
        await kept.hears(Health("ready", "other", loaded=("other", MODEL)))
        assert kept.keeper.standing.phase == "ready"
    assert len(kept.life.asked) == 1


async def test_a_model_that_cannot_be_had_is_said_once_and_wished_for_again(kept: Kept) -> None:
    kept.life.refusal = "The model is not on this machine."
    kept.life.first = Health("error", MODEL, "The model is not on this machine.")
    kept.start()
    await until(lambda: len(kept.life.asked) == 1)
    await kept.hears(kept.life.first)
    await kept.stands("error")
    await until(lambda: kept.told)
    for count in (2, 3):
        kept.now += wish.RETRY_SECONDS
        await kept.hears(kept.life.first)
        await until(lambda count=count: len(kept.life.asked) == count)
        await kept.hears(kept.life.first)
    assert kept.told == [kept.life.refusal]
    await kept.hears(READY)
    await kept.stands("ready")
    assert kept.keeper.standing.message == ""


async def test_a_refused_model_is_not_asked_although_it_looks_idle(kept: Kept) -> None:
    kept.life.refusal = "The model nope is unknown."
    kept.life.first = other = Health("ready", "other", loaded=("other",))
    kept.start()
    await until(lambda: kept.life.asked)
    await kept.hears(other)
    await kept.stands("error")
    assert kept.told == [kept.life.refusal]
    kept.life.refusal = ""
    kept.now += wish.RETRY_SECONDS
    await kept.hears(other)
    await until(lambda: len(kept.life.asked) == 2)
    await kept.hears(other)
    await kept.stands("idle")
