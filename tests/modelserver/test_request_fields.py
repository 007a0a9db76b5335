"""Fields of ours beside llama.cpp's: alternatives, latency targets, and reading ahead."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import Any

import httpx
import pytest
from tiny_server import TinyHost, wait_until

from aigc_lsp.modelserver.preparing import NICENESS


async def test_alternatives(http: httpx.AsyncClient) -> None:
    body = {"input_prefix": "a = ", "n_predict": 4, "n": 3, "heal": False}
    answer = (await http.post("/infill", json=body)).json()
    texts = [choice["content"] for choice in answer["choices"]]
    assert len(set(texts)) == len(texts) == 3
    assert answer["content"] == texts[0]
    means = [choice["mean_logprob"] for choice in answer["choices"]]
    assert means == sorted(means, reverse=True)
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert "choices" not in (await http.post("/infill", json=body | {"n": 1})).json()


@pytest.mark.parametrize("given", [0, -1, 9, "two", 1.5])
async def test_alternatives_that_cannot_be(http: httpx.AsyncClient, given: Any) -> None:
    answer = await http.post("/infill", json={"input_prefix": "x", "n": given})
    assert answer.status_code == 400
    assert "field n " in answer.json()["error"]["message"]


async def test_budgets_bound_what_is_read(http: httpx.AsyncClient) -> None:
    long = {"input_prefix": "x" * 900, "input_suffix": "y" * 900, "n_predict": 1, "heal": False}
    free = (await http.post("/infill", json=long)).json()
    assert free["tokens_evaluated"] > 1100
    extra = [{"filename": "a.py", "text": "z" * 50}, {"filename": "b.py", "text": "w" * 50}]
    budgets = {"prefix_tokens": 100, "suffix_tokens": 50, "extra_tokens": 100, "input_extra": extra}
    bound = (await http.post("/infill", json=long | budgets | {"input_head": "import h\n"})).json()
    assert 100 < bound["tokens_evaluated"] <= 250 + 4
    assert bound["truncated"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")
async def test_reading_ahead_has_a_lower_priority(
    http: httpx.AsyncClient, host: TinyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until(lambda: host.health.ready and not host.health.running)  # the model was brought up by reading ahead
    nice: list[tuple[str, int]] = []
    forward = type(host.engine).forward

    def noting(*args: Any, **kwargs: Any) -> Any:
        nice.append((threading.current_thread().name, os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
        return forward(*args, **kwargs)

    monkeypatch.setattr(type(host.engine), "forward", noting)
    await http.post("/infill", json={"input_prefix": "x = 1\n", "n_predict": 0})
    await http.post("/infill", json={"input_prefix": "x = 1\ny", "n_predict": 1})
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert nice[0][0].startswith("warming")
    assert nice[0][1] == NICENESS
    assert nice[-1] == ("engine", own)


async def test_reading_ahead_is_reused_and_gives_way(http: httpx.AsyncClient, host: TinyHost) -> None:
    text = "x = 1\n" * 100
    await http.post("/infill", json={"input_prefix": text, "n_predict": 0})
    warm = (await http.post("/infill", json={"input_prefix": text + "y", "n_predict": 1})).json()
    assert warm["timings"]["prompt_n"] <= 4
    host.engine.hold()
    answered: list[tuple[int, str]] = []

    async def ask(prefix: str, n_predict: int) -> None:
        response = await http.post("/infill", json={"input_prefix": prefix, "n_predict": n_predict})
        answered.append((n_predict, response.json()["stop_type"]))

    ahead = asyncio.create_task(ask("z = 2\n" * 300, 0))
    await asyncio.to_thread(wait_until, lambda: host.engine.waiting)
    asked = asyncio.create_task(ask(text, 1))
    await asyncio.to_thread(wait_until, lambda: len(host.jobs) == 4)
    host.engine.release()
    await asyncio.gather(ahead, asked)
    assert answered == [(1, "limit"), (0, "limit")]  # who waits for text comes first; then the rest is read
