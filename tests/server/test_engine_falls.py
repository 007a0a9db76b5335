"""What is under way when the model server dies, hangs or talks nonsense about itself is answered empty, soon."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from conftest import Bench, started
from harness import READY, Answer, Events, Request, loading, short_folder, until

from aigc_lsp.service.wire import HUNG_SECONDS

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="session")]

PATIENT = {"aigc": {"completion": {"timeBudgetMs": 60_000}}}
"""Under these, nothing but the keeper ends a request of its own accord while a test lasts."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def alone() -> AsyncIterator[Bench]:
    """An editor whose model server only this module maltreats."""
    with short_folder() as folder:
        async with started(folder) as bench:
            await bench.ready()
            yield bench
            await bench.client.end()


@pytest_asyncio.fixture(loop_scope="session")
async def patient(alone: Bench) -> AsyncIterator[Bench]:
    """The model server is as it should be, before and after each test."""
    alone.client.notify("workspace/didChangeConfiguration", {"settings": PATIENT})
    await alone.completes()
    yield alone
    alone.engine.events, alone.engine.health = Events(), READY
    alone.engine.cut_events()
    alone.client.notify("workspace/didChangeConfiguration", {"settings": PATIENT})  # a reason to look again, at once
    await alone.completes()
    alone.client.check()


async def pending(bench: Bench) -> Request:
    """A request that the model server has and does not answer."""
    bench.engine.says("1", hang=True)
    request = bench.client.ask_inline(bench.fresh("x = "), 0, 4)
    await until(lambda: bench.engine.asked, "the request")
    return request


async def test_an_end_of_the_events_ends_what_is_under_way(patient: Bench) -> None:
    """The request's own connection stands: only who listens knows that the model server is gone."""
    requests = [await pending(patient), await pending(patient)]
    began = time.monotonic()
    patient.engine.cut_events()
    for request in requests:
        assert await request.reply() == {"items": []}
    assert time.monotonic() - began < HUNG_SECONDS / 2
    for asked in patient.engine.asked:
        await asked.hung_up.wait()


async def test_one_that_gives_no_sign_of_life_is_noticed(patient: Bench) -> None:
    patient.engine.events = Events(silent=True)
    listened = patient.engine.listened
    patient.engine.cut_events()
    await until(lambda: patient.engine.listened > listened, "somebody to listen")
    request = await pending(patient)
    began = time.monotonic()
    assert await request.reply() == {"items": []}
    assert time.monotonic() - began < HUNG_SECONDS + 5
    await patient.engine.asked[0].hung_up.wait()
    assert await patient.client.inline(patient.fresh("x = "), 0, 4) == []


async def test_one_whose_engine_stands_still_is_noticed(patient: Bench) -> None:
    """It answers, and its heart beats; but whoever computes in it does not."""
    request = await pending(patient)
    patient.engine.health = READY | {"running": 1, "stalled_s": HUNG_SECONDS + 1}
    assert await request.reply() == {"items": []}
    await patient.engine.asked[0].hung_up.wait()


async def test_one_that_is_well_and_never_answers(patient: Bench) -> None:
    settings = {"aigc": {"completion": {"timeBudgetMs": 100}}}
    patient.client.notify("workspace/didChangeConfiguration", {"settings": settings})
    request = await pending(patient)
    assert await request.reply() == {"items": []}
    await patient.engine.asked[0].hung_up.wait()


async def test_what_waits_for_a_model_waits_while_it_is_loaded_and_no_longer(patient: Bench) -> None:
    engine, client = patient.engine, patient.client
    engine.health = READY | {"phase": "idle"}
    engine.script = lambda body: Answer(("2",), delay=1.0)
    engine.asked = []
    uri = patient.fresh("y = ")
    request = client.ask_inline(uri, 0, 4)
    await until(lambda: engine.asked, "the request")
    engine.health = loading()
    await until(lambda: "begin" in client.progress(), "the progress")
    assert await client.inline(patient.fresh("z = "), 0, 4) == []  # another one is answered at once
    assert [item["insertText"] for item in (await request.reply())["items"]] == ["2"]
    assert len(engine.asked) == 1

    engine.health = READY | {"phase": "idle"}
    await patient.completes()
    request = await pending(patient)
    engine.health = loading(phase="fetch")
    assert await request.reply() == {"items": []}


async def test_one_that_closes_the_stream_again_and_again_is_not_asked_in_a_loop(patient: Bench) -> None:
    engine, client = patient.engine, patient.client
    engine.events = Events(raw=b"data: " + json.dumps(READY).encode() + b"\n\n", ends=True)
    engine.listened = 0
    engine.cut_events()
    await until(lambda: engine.listened >= 3, "three looks")
    began = time.monotonic()
    uri = patient.fresh("x = ")
    while time.monotonic() - began < 2:
        await client.inline(uri, 0, 4)
        await asyncio.sleep(0.02)
    assert engine.listened <= 4


EVENTS = {
    "404, of an older one": Events(status=404),
    "500": Events(status=500),
    "nothing": Events(raw=b"", ends=True),
    "garbage": Events(raw=b"\x00\xff\xfe garbage\n\n", ends=True),
    "half an event": Events(raw=b'data: {"phase": "rea', ends=True),
    "not JSON": Events(raw=b"data: {\n\n"),
    "a list": Events(raw=b"data: []\n\n"),
    "a number": Events(raw=b"data: 7\n\n"),
    "no fields": Events(raw=b"data: {}\n\n"),
    "fields of other types": Events(raw=b'data: {"phase": 3, "done": "x", "total": [], "message": {}}\n\n'),
    "a phase that cannot be": Events(raw=b'data: {"phase": [], "stalled_s": 0}\n\n'),
    "a phase of the future": Events(raw=b'data: {"phase": "dreaming", "model": ""}\n\n'),
    "numbers that are none": Events(raw=b'data: {"phase": "ready", "model": "m", "stalled_s": "long"}\n\n'),
    "null": Events(raw=b'data: {"status": "ok", "phase": null}\n\n'),
}


@pytest.mark.parametrize("kind", list(EVENTS))
async def test_nonsense_among_the_events(patient: Bench, kind: str) -> None:
    """The keeper does not fall over it for good, and no request fails."""
    engine, client = patient.engine, patient.client
    client.errors_expected = True
    engine.events, engine.listened = EVENTS[kind], 0
    engine.cut_events()
    await until(lambda: engine.listened, "somebody to listen")
    for _ in range(3):
        assert await client.inline(patient.fresh("x = "), 0, 4) == []


async def test_a_death_in_the_middle_of_many_requests(folder: Path) -> None:
    """All of them are answered once, and the editor has its completions again when there is a model server again."""
    async with started(folder) as bench:
        await bench.ready()
        bench.engine.says("1", hang=True)
        requests = [bench.client.ask_inline(bench.fresh(f"x{number} = "), 0, 5) for number in range(20)]
        await until(lambda: len(bench.engine.asked) == 20, "the requests")
        await bench.engine.down()
        for request in requests:
            assert await request.reply() == {"items": []}
        await bench.engine.up()
        await bench.completes()
        assert bench.client.messages() == []
        await bench.client.end()
