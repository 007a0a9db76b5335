"""`GET /metrics`: what Prometheus reads, and whether it counts what happened."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tiny_server import MODEL, TinyHost, wait_until

from aigc_lsp.errors import EngineUnavailable, Superseded
from aigc_lsp.modelserver.answer import Ending
from aigc_lsp.modelserver.metrics import Metrics
from aigc_lsp.service.fields import BadRequest
from aigc_lsp.service.wire import Health, Usage

HOLE = {"input_prefix": "def add(a, b):\n    ", "n_predict": 8, "heal": False}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def read(http: httpx.AsyncClient) -> Samples:
    response = await http.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return parsed(response.text)


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0.0)


def requests(samples: Samples, endpoint: str, outcome: str) -> float:
    return of(samples, "aigc_requests_total", endpoint=endpoint, outcome=outcome)


async def test_an_answer_is_counted(http: httpx.AsyncClient) -> None:
    for _ in range(2):
        await http.post("/infill", json=HOLE)
    samples = await read(http)
    assert requests(samples, "/infill", "limit") == 2
    assert of(samples, "aigc_generated_tokens_total") == 16
    prompt = of(samples, "aigc_prefilled_tokens_total") + of(samples, "aigc_reused_tokens_total")
    assert prompt == 2 * (len(HOLE["input_prefix"]) + 3)
    assert of(samples, "aigc_reused_tokens_total") == prompt / 2 - 1
    for name in ("first_piece", "request", "prefill", "token"):
        assert of(samples, f"aigc_{name}_seconds_count") == 2, name
        assert of(samples, f"aigc_{name}_seconds_sum") > 0, name
    assert of(samples, "aigc_first_piece_seconds_sum") <= of(samples, "aigc_request_seconds_sum")


async def test_how_the_server_is(http: httpx.AsyncClient, host: TinyHost) -> None:
    await http.post("/infill", json=HOLE)
    await asyncio.to_thread(wait_until, lambda: not host.health.running)
    samples = await read(http)
    assert of(samples, "aigc_models_loaded") == 1
    assert of(samples, "aigc_kv_cache_bytes") > 0
    assert of(samples, "aigc_resident_memory_bytes") > 10_000_000
    assert of(samples, "aigc_requests_running") == of(samples, "aigc_requests_waiting") == 0
    assert of(samples, "aigc_clients") == 0
    (info,) = [dict(labels) for name, labels in samples if name == "aigc_server_info"]
    assert (info["model"], info["phase"], info["device"]) == (MODEL, "ready", "cpu")


async def test_how_requests_end(http: httpx.AsyncClient, host: TinyHost) -> None:
    await http.post("/infill", json=HOLE | {"n_predict": 0})
    text = (await http.post("/v1/completions", json={"prompt": "x", "max_tokens": 6})).json()["choices"][0]["text"]
    await http.post("/v1/completions", json={"prompt": "x", "max_tokens": 6, "stop": text[2]})
    await http.post("/v1/chat/completions", json={"messages": []})
    await http.post("/infill", content=b"{")
    await http.post("/infill", json=HOLE | {"model": "no-such"})
    host.engine.error = ValueError("x")
    await http.post("/infill", json=HOLE)
    samples = await read(http)
    assert requests(samples, "/infill", "read") == 1
    assert requests(samples, "/v1/completions", "limit") == 1
    assert requests(samples, "/v1/completions", "word") == 1
    assert requests(samples, "/v1/chat/completions", "refused") == 1
    assert requests(samples, "/infill", "refused") == 2
    assert requests(samples, "/infill", "failed") == 1
    assert of(samples, "aigc_first_piece_seconds_count") == of(samples, "aigc_request_seconds_count") == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_who_hangs_up_has_cancelled(http: httpx.AsyncClient, host: TinyHost, stream: bool) -> None:
    host.engine.hold()
    host.engine.allow(1)
    task = asyncio.create_task(http.post("/infill", json=HOLE | {"stream": stream}))
    await asyncio.to_thread(wait_until, lambda: host.engine.waiting and len(host.jobs) == 1)
    assert of(await read(http), "aigc_requests_running") == 1
    task.cancel()
    await asyncio.to_thread(host.jobs[0].cancelled.wait, 20)
    host.engine.release()
    await asyncio.to_thread(wait_until, lambda: not host.health.running)
    async with asyncio.timeout(20):
        while not requests(await read(http), "/infill", "cancelled"):
            await asyncio.sleep(0.01)
    assert of(await read(http), "aigc_request_seconds_count") == 0


async def test_a_request_that_a_newer_one_replaced_was_cancelled(http: httpx.AsyncClient, host: TinyHost) -> None:
    host.engine.hold()
    body = HOLE | {"user": "u", "document": "d"}
    running = asyncio.create_task(http.post("/infill", json=body))
    await asyncio.to_thread(wait_until, lambda: host.engine.waiting)
    waiting = asyncio.create_task(http.post("/infill", json=body))
    await asyncio.to_thread(wait_until, lambda: len(host.jobs) == 2)
    newest = asyncio.create_task(http.post("/infill", json=body))
    await asyncio.to_thread(wait_until, lambda: len(host.jobs) == 3)
    host.engine.release()
    answers = [(await task).json() for task in (running, waiting, newest)]
    assert [answer["stop_type"] for answer in answers] == ["cancelled", "cancelled", "limit"]
    assert answers[1]["content"] == ""
    samples = await read(http)
    assert requests(samples, "/infill", "cancelled") == 2
    assert requests(samples, "/infill", "limit") == 1


# --- one request's count


class Still:
    """A host of which only the health is asked."""

    def __init__(self) -> None:
        self.health = Health("idle", MODEL, kv_bytes=7, loaded=(), stalled_s=1.5)


def after(*events: Any, is_warming: bool = False) -> Samples:
    metrics = Metrics(Still())  # type: ignore[arg-type]
    with metrics.count("/infill", is_warming=is_warming) as count:
        for event in events:
            count.note(event)
    return parsed(metrics.render().decode())


USAGE = Usage(
    prompt_tokens=10, reused_tokens=6, generated_tokens=5, prefill_ms=30.0, decode_ms=100.0, drafted=9, accepted=4
)


def test_the_tokens_of_a_request() -> None:
    samples = after(Ending("eos", usage=USAGE))
    names = ("prefilled", "reused", "generated", "drafted", "accepted")
    assert [of(samples, f"aigc_{name}_tokens_total") for name in names] == [4, 6, 5, 9, 4]
    assert of(samples, "aigc_prefill_seconds_sum") == pytest.approx(0.03)
    assert of(samples, "aigc_token_seconds_sum") == pytest.approx(0.02)
    assert of(samples, "aigc_stalled_seconds") == 1.5
    assert of(samples, "aigc_kv_cache_bytes") == 7


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        (BadRequest("x"), "refused"),
        (EngineUnavailable("x"), "unavailable"),
        (ZeroDivisionError(), "failed"),
        (Ending("deadline"), "deadline"),
        (None, "cancelled"),
    ],
)
def test_the_outcome_of_a_request(event: Any, outcome: str) -> None:
    samples = after(*[event] if event else [])
    assert requests(samples, "/infill", outcome) == 1
    assert sum(value for (name, _), value in samples.items() if name == "aigc_requests_total") == 1


def test_reading_ahead_that_gave_way_was_cancelled() -> None:
    assert requests(after(Ending("cancelled"), is_warming=True), "/infill", "cancelled") == 1
    assert requests(after(Ending("limit"), is_warming=True), "/infill", "read") == 1
    assert requests(after(Superseded("x")), "/infill", "unavailable") == 1  # `answer` makes an ending of it


def test_two_apps_count_apart() -> None:
    assert requests(after(Ending("eos")), "/infill", "eos") == requests(after(Ending("eos")), "/infill", "eos") == 1
