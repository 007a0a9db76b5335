"""Out of memory: first the KV cache goes, then the bfloat16 weights; the request is answered if any rung can."""

from __future__ import annotations

import weakref
from typing import Any

import httpx
import pytest
import torch
from tiny_server import MODEL, TinyHost

from aigc_lsp.engine.memory import LEAST_KV_BYTES
from aigc_lsp.errors import ModelDamaged


def refuses(host: TinyHost, monkeypatch: pytest.MonkeyPatch, times: int, error: Exception) -> list[int]:
    """The next `times` passes of whatever engine there is fail; how many were tried."""
    tried: list[int] = []
    forward = type(host.engine).forward

    def failing(*args: Any, **kwargs: Any) -> torch.Tensor:
        tried.append(1)
        if len(tried) <= times:
            raise error
        return forward(*args, **kwargs)

    monkeypatch.setattr(type(host.engine), "forward", failing)
    return tried


OUT = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"
)
BODY = {"input_prefix": "def f(x):\n    ret", "n_predict": 3}


async def test_the_cache_goes_first(http: httpx.AsyncClient, host: TinyHost, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await http.post("/infill", json=BODY)).status_code == 200
    engine = host.engine
    before = (await http.post("/infill", json=BODY)).json()["content"]
    refuses(host, monkeypatch, 1, OUT)
    answer = await http.post("/infill", json=BODY)
    assert (answer.status_code, answer.json()["content"]) == (200, before)
    assert host.engine is engine
    assert engine.store.budget_bytes == LEAST_KV_BYTES
    assert "KV cache" in (await http.get("/health")).json()["note"]


async def test_then_the_wide_weights(http: httpx.AsyncClient, host: TinyHost, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = host.engine
    refuses(host, monkeypatch, 2, torch.OutOfMemoryError("CUDA out of memory"))
    assert (await http.post("/infill", json=BODY)).status_code == 200
    assert host.engine is not engine
    assert (host.loads, host.residents.profiles) == ([MODEL, MODEL], [None, "small"])
    assert "packed weights" in (await http.get("/health")).json()["note"]


async def test_then_a_refusal_that_says_what_to_do(
    http: httpx.AsyncClient, host: TinyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = refuses(host, monkeypatch, 3, OUT)
    answer = await http.post("/infill", json=BODY)
    assert answer.status_code == 503
    assert "Close other programs" in answer.json()["error"]["message"]
    assert len(tried) == 3
    assert (await http.post("/infill", json=BODY)).status_code == 200  # the next one is tried as ever


async def test_another_error_gives_nothing_up(
    http: httpx.AsyncClient, host: TinyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = host.engine.store.budget_bytes
    tried = refuses(host, monkeypatch, 1, RuntimeError("shapes cannot be multiplied"))
    assert (await http.post("/infill", json=BODY)).status_code == 500
    assert len(tried) == 1
    assert host.engine.store.budget_bytes == budget


async def test_where_it_cannot_be_loaded_again_the_status_says_so(
    http: httpx.AsyncClient, host: TinyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses(host, monkeypatch, 2, OUT)
    host.residents.failing[MODEL] = MemoryError()
    assert (await http.post("/infill", json=BODY)).status_code == 503
    assert host.health.phase == "error"
    host.residents.failing.clear()


async def test_what_is_given_up_is_gone_before_the_next_try(
    http: httpx.AsyncClient, host: TinyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what was computed when memory ran out nor the engine that it ran out in is held by anything."""
    first = weakref.ref(host.engine)
    forward = type(host.engine).forward
    branches: list[weakref.ref[Any]] = []
    alive: list[list[bool]] = []

    def failing(engine: Any, branch: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        alive.append([each() is not None for each in (first, *branches)])
        if len(alive) <= 2:
            branches.append(weakref.ref(branch))
            raise RuntimeError(str(OUT))
        return forward(engine, branch, *args, **kwargs)

    monkeypatch.setattr(type(host.engine), "forward", failing)
    assert (await http.post("/infill", json=BODY)).status_code == 200
    assert alive[:3] == [[True], [True, False], [False, False, False]]


async def test_one_that_cannot_be_loaded_anew_is_no_longer_loading(
    http: httpx.AsyncClient, host: TinyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses(host, monkeypatch, 2, OUT)
    host.residents.failing[MODEL] = ModelDamaged("It is damaged.")
    assert (await http.post("/infill", json=BODY)).status_code == 503
    assert host.health.phase == "error"
