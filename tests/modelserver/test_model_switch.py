"""The `model` field: models beside one another where they fit, and one that fails takes nothing else with it."""

from __future__ import annotations

import asyncio
import threading
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tiny_server import MODEL, OTHER, TinyHost, raw_client, served, wait_until

import aigc_lsp.modelserver.host as host_module
from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.engine import memory
from aigc_lsp.errors import FetchFailed, ModelDamaged, NotEnoughMemory, PackedElsewhere

OK = (200, "")


async def infill(http: httpx.AsyncClient, model: str | None = None, n_predict: int = 2) -> tuple[int, str]:
    """The status, and the sentence where there is one."""
    body: dict[str, Any] = {"input_prefix": "x", "n_predict": n_predict}
    response = await http.post("/infill", json=body | ({"model": model} if model is not None else {}))
    return response.status_code, response.json().get("error", {}).get("message", "")


async def until(condition) -> None:  # type: ignore[no-untyped-def]
    await asyncio.to_thread(wait_until, condition)


async def test_two_models_are_in_memory_beside_each_other(http: httpx.AsyncClient, host: TinyHost) -> None:
    assert await infill(http) == OK
    assert await infill(http, MODEL) == OK
    assert host.loads == [MODEL]
    first = host.engine
    assert await infill(http, OTHER) == OK
    assert host.loads == [MODEL, OTHER]
    assert host.engine is not first
    assert host.health.model == OTHER
    assert set(host.health.loaded) == {MODEL, OTHER}
    # Who names none takes the one that was used last.
    assert await infill(http) == OK
    assert await infill(http, "") == OK
    assert host.health.model == OTHER
    assert await infill(http, MODEL) == OK
    assert host.loads == [MODEL, OTHER]
    assert host.engine is first
    assert (host.health.phase, host.health.model) == ("ready", MODEL)


@pytest.mark.parametrize("why", ["a budget", "free memory"])
async def test_one_that_does_not_fit_beside_takes_the_others_place(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config()
    one = memory.SPARE_BYTES + config.engine.kv_bytes  # a tiny model's weights are no file and count for nothing
    if why == "a budget":
        config = replace(config, engine=replace(config.engine, memory_bytes=one * 3 // 2))
    host = TinyHost(config)
    if why == "free memory":
        free = lambda device: one * 3 // 2 - one * len(host.residents.names)  # noqa: E731
        monkeypatch.setattr(memory, "available_bytes", free)
    with served(host) as socket:
        async with raw_client(socket) as http:
            assert await infill(http) == OK
            assert await infill(http, OTHER) == OK
            assert host.health.loaded == (OTHER,)
            assert host.health.note == ""
            assert await infill(http, MODEL) == OK
            assert host.health.loaded == (MODEL,)
            assert host.loads == [MODEL, OTHER, MODEL]


async def test_who_makes_room_is_gone_before_the_other_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    host = TinyHost(Config())
    one = memory.SPARE_BYTES + Config().engine.kv_bytes
    with served(host) as socket:
        async with raw_client(socket) as http:
            assert await infill(http) == OK
            first = weakref.ref(host.engine)
            monkeypatch.setattr(memory, "available_bytes", lambda device: one * 3 // 2 - one * (first() is not None))
            assert await infill(http, OTHER) == OK
            assert (host.health.loaded, host.health.note) == ((OTHER,), "")


async def test_nobody_makes_room_for_what_does_not_fit_alone_either(monkeypatch: pytest.MonkeyPatch) -> None:
    host = TinyHost(Config())
    with served(host) as socket:
        async with raw_client(socket) as http:
            assert await infill(http) == OK
            monkeypatch.setattr(memory, "available_bytes", lambda device: -Config().engine.kv_bytes)
            status, said = await infill(http, OTHER)
            assert (status, host.health.loaded) == (503, (MODEL,))
            assert "Close other programs" in said


async def test_one_that_was_packed_anew_is_loaded_anew(http: httpx.AsyncClient, host: TinyHost) -> None:
    """It was trained further, say, and pulled."""
    packed = host.store.packed_path(catalogue.load(MODEL))
    packed.mkdir(parents=True)
    (packed / "manifest.json").write_text("one")
    assert await infill(http) == OK
    host.residents.drop(MODEL)
    assert await infill(http) == OK
    loads = len(host.loads)
    assert await infill(http) == OK
    assert len(host.loads) == loads
    (packed / "other").write_text("two")
    (packed / "other").replace(packed / "manifest.json")
    assert await infill(http) == OK
    assert len(host.loads) == loads + 1
    (packed / "manifest.json").unlink()  # removed: it stays of use until it leaves memory
    assert await infill(http) == OK
    assert len(host.loads) == loads + 1


async def test_one_that_fits_nowhere_says_so_and_the_next_request_brings_the_other_back(
    http: httpx.AsyncClient, host: TinyHost
) -> None:
    assert await infill(http) == OK
    host.residents.failing[OTHER] = NotEnoughMemory("The model needs more. Close other programs.")
    assert await infill(http, OTHER) == (503, "The model needs more. Close other programs.")
    assert host.health.phase == "error"
    assert await infill(http, MODEL) == OK
    assert (host.health.phase, host.health.model, host.health.message) == ("ready", MODEL, "")


async def test_an_unknown_model_is_an_error_of_that_request_alone(http: httpx.AsyncClient, host: TinyHost) -> None:
    assert await infill(http) == OK
    engine = host.engine
    for _ in range(2):
        status, said = await infill(http, "qwen2.5-coder-0.5")
        assert status == 404
        assert "`qwen2.5-coder-0.5`" in said
        assert MODEL in said
    assert host.health.ready
    assert host.health.model == MODEL
    assert await infill(http) == OK
    assert await infill(http, MODEL) == OK
    assert host.engine is engine
    assert host.loads == [MODEL]


async def test_others_are_served_while_a_model_is_fetched(http: httpx.AsyncClient, host: TinyHost) -> None:
    assert await infill(http) == OK
    host.store.absent.add(OTHER)
    host.store.may_prepare.clear()
    fetched = [asyncio.create_task(infill(http, OTHER)) for _ in range(3)]
    await until(lambda: host.health.phase == "fetch" and host.health.waiting == 3)
    assert (host.health.model, host.health.done, host.health.total) == (OTHER, 1, 2)
    for _ in range(3):
        assert await infill(http, MODEL) == OK
        assert (host.health.model, host.health.phase_of(OTHER)) == (OTHER, "fetch")  # its progress is still shown
        assert host.health.phase_of(MODEL) == "ready"
    host.store.may_prepare.set()
    assert await asyncio.gather(*fetched) == [OK] * 3
    assert host.store.prepared == [OTHER]
    assert host.loads == [MODEL, OTHER]


async def test_one_whose_asker_has_gone_is_at_hand_when_it_is_there(
    http: httpx.AsyncClient, socket: Path, host: TinyHost
) -> None:
    assert await infill(http) == OK
    host.store.absent.add(OTHER)
    host.store.may_prepare.clear()
    async with raw_client(socket) as gone:
        asking = asyncio.create_task(infill(gone, OTHER))
        await until(lambda: host.health.phase == "fetch" and host.health.waiting == 1)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    host.store.may_prepare.set()
    await until(lambda: host.store.prepared == [OTHER] and host.health.waiting == 0)
    assert host.health.phase_of(OTHER) == "idle"  # so that whoever wants it next asks for it
    assert await infill(http, OTHER) == OK


async def test_a_model_that_fails_is_not_tried_again_at_once_and_bars_no_other(
    http: httpx.AsyncClient, host: TinyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.store.absent.add(OTHER)
    host.store.failing[OTHER] = FetchFailed("It cannot be fetched. Look at the network.")
    tried = []
    fetch = host.store.fetch
    monkeypatch.setattr(host.store, "fetch", lambda model, report: (tried.append(model.name), fetch(model, report)))
    assert await infill(http) == OK
    refused = (503, "It cannot be fetched. Look at the network.")
    assert await infill(http, OTHER) == refused
    assert host.health.phase == "error"
    assert host.health.phase_of(MODEL) == "ready"
    assert await infill(http, OTHER) == refused
    assert tried == [OTHER]
    assert await infill(http) == OK
    assert (host.health.phase, host.health.model, host.health.message) == ("ready", MODEL, "")
    monkeypatch.setattr(host_module, "RETRY_SECONDS", 0.0)
    assert await infill(http, OTHER) == refused
    assert tried == [OTHER, OTHER]
    del host.store.failing[OTHER]
    assert await infill(http, OTHER) == OK
    assert host.loads == [MODEL, OTHER]


async def test_a_failure_at_the_start_bars_neither_another_model_nor_a_later_try(
    host: TinyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.store.absent.add(MODEL)
    host.store.failing[MODEL] = FetchFailed("Not now.")
    with served(host) as socket:
        await until(lambda: host.health.phase == "error")
        async with raw_client(socket) as http:
            assert await infill(http) == (503, "Not now.")
            assert await infill(http, MODEL) == (503, "Not now.")
            assert (await infill(http, "no-such-model"))[0] == 404
            # That one is unknown does not make it the one that is wanted.
            assert await infill(http) == (503, "Not now.")
            assert host.health.model == MODEL
            assert await infill(http, OTHER) == OK
            assert host.loads == [OTHER]
            monkeypatch.setattr(host_module, "RETRY_SECONDS", 0.0)
            del host.store.failing[MODEL]
            assert await infill(http, MODEL) == OK


async def test_a_model_that_is_not_here_and_may_not_be_fetched_leaves_the_one_in_use() -> None:
    host = TinyHost(replace(Config(), download=False))
    with served(host) as socket:
        async with raw_client(socket) as http:
            assert await infill(http) == OK
            engine = host.engine
            host.store.absent.add(OTHER)
            status, said = await infill(http, OTHER)
            assert status == 503
            assert f"aigc-lsp models pull {OTHER}" in said
            assert host.health.ready
            assert await infill(http) == OK
            assert host.engine is engine


@pytest.mark.parametrize("error", [ModelDamaged("It is damaged."), PackedElsewhere("Packed for another.")])
async def test_what_is_damaged_is_made_anew_once(error: Exception, host: TinyHost) -> None:
    host.residents.failing[MODEL] = error
    host.store.may_prepare.clear()
    with served(host) as socket:
        async with raw_client(socket) as http:
            await until(lambda: host.store.discarded == [MODEL])
            waiting = asyncio.create_task(infill(http))
            await until(lambda: host.health.waiting == 2)
            del host.residents.failing[MODEL]
            host.store.may_prepare.set()
            assert await waiting == OK
            assert host.store.prepared == [MODEL]
            assert host.health.ready
            # A second time it is not the cache that is at fault.
            host.residents.failing[MODEL] = error
            host.residents.drop(MODEL)
            assert await infill(http) == (503, str(error))
            assert host.health.phase == "error"
            assert host.store.discarded == [MODEL]


async def test_idle_models_leave_memory_and_come_back_with_the_next_request() -> None:
    config = replace(Config(), engine=replace(Config().engine, idle_unload=1))
    host = TinyHost(config)
    with served(host) as socket:
        async with raw_client(socket) as http:
            changes = threading.Event()
            host.listen(changes.set)
            assert await infill(http) == OK
            await until(lambda: host.health.phase == "idle")
            assert changes.is_set()
            assert host.health.loaded == ()
            assert host.health.kv_bytes == 0
            assert (await http.get("/health")).status_code == 200
            assert await infill(http) == OK
            assert host.health.ready
            assert host.loads == [MODEL, MODEL]


async def test_a_configured_model_that_nobody_knows_is_said_at_once() -> None:
    host = TinyHost(replace(Config(), model="no-such-model"))
    with served(host) as socket:
        await until(lambda: host.health.phase == "error")
        assert "`no-such-model`" in host.health.message
        async with raw_client(socket) as http:
            assert (await infill(http))[0] == 404
            assert await infill(http, MODEL) == OK
            assert host.health.ready
