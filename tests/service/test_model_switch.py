"""The `model` field: one model at a time, and a model that fails takes nothing else with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import raw_client
from tiny_server import MODEL, OTHER, TinyHost, served, wait_until

import aigc_lsp.service.host as host_module
from aigc_lsp.config import Config
from aigc_lsp.errors import FetchFailed
from aigc_lsp.weights.store import Store


async def infill(http: httpx.AsyncClient, model: str | None = None) -> tuple[int, str]:
    """The status, and the sentence where there is one."""
    body: dict[str, Any] = {"input_prefix": "x", "n_predict": 2} | ({"model": model} if model is not None else {})
    response = await http.post("/infill", json=body)
    return response.status_code, response.json().get("error", {}).get("message", "")


async def test_the_named_model_replaces_the_one_in_use(http: httpx.AsyncClient, host: TinyHost) -> None:
    assert await infill(http) == (200, "")
    assert await infill(http, MODEL) == (200, "")
    assert host.loads == [MODEL]
    first = host.engine
    assert await infill(http, OTHER) == (200, "")
    assert host.loads == [MODEL, OTHER]
    assert host.engine is not first
    assert host.health.ready
    assert host.health.model == OTHER
    # Who names none takes the one in use.
    assert await infill(http) == (200, "")
    assert await infill(http, "") == (200, "")
    assert host.loads == [MODEL, OTHER]
    assert await infill(http, MODEL) == (200, "")
    assert host.loads == [MODEL, OTHER, MODEL]


async def test_an_unknown_model_is_an_error_of_that_request_alone(http: httpx.AsyncClient, host: TinyHost) -> None:
    assert await infill(http) == (200, "")
    engine = host.engine
    for _ in range(2):
        status, said = await infill(http, "qwen2.5-coder-0.5")
        assert status == 404
        assert "`qwen2.5-coder-0.5`" in said
        assert MODEL in said
    assert host.health.ready
    assert host.health.model == MODEL
    assert await infill(http) == (200, "")
    assert await infill(http, MODEL) == (200, "")
    assert host.engine is engine
    assert host.loads == [MODEL]


async def test_a_model_that_fails_is_not_tried_again_at_once_and_bars_no_other(
    http: httpx.AsyncClient, host: TinyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.failing[OTHER] = FetchFailed("It cannot be fetched. Look at the network.")
    assert await infill(http) == (200, "")
    refused = (503, "It cannot be fetched. Look at the network.")
    assert await infill(http, OTHER) == refused
    assert host.health.phase == "error"
    assert host.loads == [MODEL, OTHER]
    assert await infill(http, OTHER) == refused
    assert host.loads == [MODEL, OTHER]
    # The good one is back with the next request for it, and for none by name.
    assert await infill(http) == (200, "")
    assert host.health.ready
    assert host.health.model == MODEL
    assert host.health.message == ""
    assert host.loads == [MODEL, OTHER, MODEL]
    # A failure that is still fresh does not cost the good one its place.
    assert await infill(http, OTHER) == refused
    assert await infill(http, MODEL) == (200, "")
    assert host.loads == [MODEL, OTHER, MODEL]
    monkeypatch.setattr(host_module, "RETRY_SECONDS", 0.0)
    assert await infill(http, OTHER) == refused
    assert host.loads == [MODEL, OTHER, MODEL, OTHER]
    del host.failing[OTHER]
    assert await infill(http, OTHER) == (200, "")
    assert host.health.model == OTHER


async def test_a_failure_at_the_start_bars_neither_another_model_nor_a_later_try(
    host: TinyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.failing[MODEL] = FetchFailed("Not now.")
    with served(host) as socket:
        wait_until(lambda: host.health.phase == "error")
        async with raw_client(socket) as http:
            assert await infill(http) == (503, "Not now.")
            assert await infill(http, MODEL) == (503, "Not now.")
            assert host.loads == [MODEL]
            assert (await infill(http, "no-such-model"))[0] == 404
            # That one is unknown does not make it the one that is wanted.
            assert await infill(http) == (503, "Not now.")
            assert host.health.model == MODEL
            assert await infill(http, OTHER) == (200, "")
            assert host.loads == [MODEL, OTHER]
            monkeypatch.setattr(host_module, "RETRY_SECONDS", 0.0)
            del host.failing[MODEL]
            assert await infill(http, MODEL) == (200, "")


async def test_a_model_that_is_not_here_and_may_not_be_fetched_leaves_the_one_in_use(tmp_path: Path) -> None:
    host = TinyHost(replace(Config(), download=False), Store(tmp_path))
    with served(host) as socket:
        async with raw_client(socket) as http:
            assert await infill(http) == (200, "")
            engine = host.engine
            status, said = await infill(http, OTHER)
            assert status == 503
            assert f"aigc-lsp models pull {OTHER}" in said
            assert host.health.ready
            assert await infill(http) == (200, "")
            assert host.engine is engine
