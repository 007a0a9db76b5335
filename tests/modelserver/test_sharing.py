"""Many windows on one engine: fair turns, reading ahead that gives way, and the newest request of a document."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from tiny_server import TinyHost, wait_until

from aigc_lsp.engine.generate import CHUNK, Outcome
from aigc_lsp.errors import Superseded
from aigc_lsp.modelserver.host import Job
from aigc_lsp.service.wire import InfillRequest

TEXT = "".join(f"line {n}\n" for n in range(400))


def request(prefix: str, n_predict: int = 2, **more: object) -> InfillRequest:
    return InfillRequest(prefix, n_predict=n_predict, heal=False, prefix_tokens=16_384, **more)  # type: ignore[arg-type]


def submitted(host: TinyHost, wanted: InfillRequest) -> tuple[Job, list[object]]:
    events: list[object] = []
    job = Job(wanted, events.append)
    host.submit(job)
    return job, events


def ended(events: list[object]) -> bool:
    return any(isinstance(event, (Outcome, Exception)) for event in events)


async def until(condition) -> None:  # type: ignore[no-untyped-def]
    await asyncio.to_thread(wait_until, condition)


async def test_reading_ahead_gives_way_and_goes_on_where_it_was(http: httpx.AsyncClient, host: TinyHost) -> None:
    host.engine.hold()
    _, ahead = submitted(host, request(TEXT, 0, user="a"))
    await until(lambda: host.engine.waiting)
    host.engine.allow(1)  # one chunk of it
    await until(lambda: host.engine.passes == 1 and host.engine.waiting)
    _, asked = submitted(host, request("def f(", user="b"))
    host.engine.release()
    await until(lambda: ended(asked) and ended(ahead))
    assert len(ahead) == 1
    outcome = ahead[0]
    assert isinstance(outcome, Outcome)
    # Its second try found what the first had read, which stays of use.
    assert outcome.timings.reused_tokens >= CHUNK
    assert outcome.timings.prompt_tokens > 3 * CHUNK
    again = await http.post("/infill", json=request(TEXT, 1).to_json())
    assert again.json()["timings"]["prompt_n"] == 1


async def test_one_that_is_no_longer_wanted_is_not_taken_up_again(host: TinyHost, http: httpx.AsyncClient) -> None:
    host.engine.hold()
    job, ahead = submitted(host, request(TEXT, 0))
    await until(lambda: host.engine.waiting)
    job.cancelled.set()
    _, asked = submitted(host, request("x"))
    host.engine.release()
    await until(lambda: ended(asked) and ended(ahead))
    outcome = ahead[-1]
    assert isinstance(outcome, Outcome)
    assert outcome.stop_reason == "cancelled"


async def test_a_flood_of_one_window_does_not_starve_another(host: TinyHost, http: httpx.AsyncClient) -> None:
    host.engine.hold()
    flood = [submitted(host, request("flood", user="flood"))[1]]
    await until(lambda: host.engine.waiting)
    flood += [submitted(host, request(f"flood {n}", user="flood"))[1] for n in range(19)]
    _, quiet = submitted(host, request("quiet", user="quiet"))
    host.engine.allow(4)  # two tokens for each of two
    await until(lambda: ended(quiet))
    assert [ended(events) for events in flood] == [True] + [False] * 19
    host.engine.release()
    await until(lambda: all(map(ended, flood)))


async def test_only_the_newest_request_of_a_document_costs_anything(host: TinyHost, http: httpx.AsyncClient) -> None:
    host.engine.hold()
    older = [submitted(host, request("d", 50, user="u", document="d"))[1]]
    await until(lambda: host.engine.waiting)
    older += [submitted(host, request(f"d{n}", 50, user="u", document="d"))[1] for n in range(4)]
    _, newest = submitted(host, request("d9", user="u", document="d"))
    # Those that had not begun are answered at once, while the engine still stands.
    assert [isinstance(events[-1], Superseded) for events in older[1:]] == [True] * 4
    host.engine.release()
    await until(lambda: ended(newest) and ended(older[0]))
    first = older[0][-1]
    assert isinstance(first, Outcome)
    assert first.stop_reason == "cancelled"
    assert host.engine.passes <= 1 + 2


async def test_what_is_asked_twice_over_http_is_answered_both_times(http: httpx.AsyncClient, host: TinyHost) -> None:
    host.engine.hold()
    body = request("x", 500, user="u", document="d").to_json()
    first = asyncio.create_task(http.post("/infill", json=body))
    await until(lambda: host.engine.waiting)
    second = asyncio.create_task(http.post("/infill", json=body))
    await until(lambda: len(host.jobs) == 2)
    third = asyncio.create_task(http.post("/infill", json=body | {"n_predict": 1}))
    await until(lambda: len(host.jobs) == 3)
    host.engine.release()
    assert (await first).json()["stop_type"] == "cancelled"
    assert (await second).json()["stop_type"] == "cancelled"
    assert (await third).json()["stop_type"] == "limit"


async def test_the_status_counts_who_runs_and_who_waits(host: TinyHost) -> None:
    host.start()
    host.engine.hold()
    jobs = [submitted(host, request(f"{n}")) for n in range(3)]
    await until(lambda: host.engine.waiting)
    assert (host.health.running, host.health.waiting) == (1, 2)
    await until(lambda: host.health.stalled_s > 0)
    host.engine.release()
    await until(lambda: all(ended(events) for _, events in jobs) and host.health.requests == 3)
    await until(lambda: (host.health.running, host.health.waiting, host.health.stalled_s) == (0, 0, 0.0))
    first, whole = host.health.latencies_ms[-1]
    assert 0 < first <= whole
    host.stop()


@pytest.mark.parametrize("n_predict", [0, 2])
async def test_an_error_is_one_events_and_the_last(host: TinyHost, n_predict: int) -> None:
    host.start()
    host.engine.error = ValueError("x")
    _, events = submitted(host, request("abc", n_predict))
    await until(lambda: ended(events))
    assert [type(event) for event in events] == [ValueError]
    host.stop()
