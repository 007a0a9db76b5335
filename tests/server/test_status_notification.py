"""`aigc/status`: what an editor can show of us, each time that it changes and never else."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
from conftest import Bench, started
from harness import READY, Answer, initialize_params, loading, until

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="session")]

NORMAL = {"busy": False, "kind": "Normal", "message": ""}


def kind(bench: Bench) -> str:
    return bench.client.statuses()[-1]["kind"]


async def becomes(bench: Bench, expected: str, word: str = "") -> None:
    def is_said() -> bool:
        last = bench.client.statuses()[-1]
        return last["kind"] == expected and word in last["message"] and not last["busy"]

    await until(is_said, f"{expected}: {word}, not {bench.client.statuses()[-1:]}")


def push(bench: Bench, settings: dict[str, Any]) -> None:
    bench.client.notify("workspace/didChangeConfiguration", {"settings": {"aigc": settings}})


async def test_it_follows_the_model_server(folder: Path) -> None:
    async with started(folder, initialize=False) as bench:
        engine, client = bench.engine, bench.client
        engine.health = loading(phase="fetch", done=1, total=10)
        await client.initialize()
        await until(client.statuses, "the first")
        assert client.statuses()[0]["kind"] == "Warning"
        await becomes(bench, "Warning", "Fetching the model")
        engine.health = loading(phase="fetch", done=9, total=10)  # nothing new: the progress says that
        engine.health = loading()
        await becomes(bench, "Warning", "Loading the model")
        engine.health = READY
        await becomes(bench, "Normal")
        assert client.statuses()[-1] == NORMAL
        engine.health = READY | {"note": "Memory is short."}
        await becomes(bench, "Warning", "Memory is short.")
        engine.health = READY | {"phase": "idle"}
        await becomes(bench, "Inactive", "the next request loads it")
        engine.script = lambda body: Answer(status=503, message="The model is gone.")
        engine.health = loading(phase="error", message="The model is gone.")
        await becomes(bench, "Error", "The model is gone.")
        engine.health = READY
        await becomes(bench, "Normal")
        await engine.down()
        await becomes(bench, "Warning", "aigc-lsp status")
        await engine.up()
        await becomes(bench, "Normal")
        statuses = client.statuses()
        assert all(one != other for one, other in itertools.pairwise(statuses)), statuses
        await client.end()


async def test_busy_is_one_word_for_many_requests(folder: Path) -> None:
    async with started(folder) as bench:
        await bench.ready()
        await becomes(bench, "Normal")
        before = len(bench.client.statuses())
        bench.engine.says("1", hang=True)
        uri = bench.fresh("x = ")
        request = bench.client.ask_inline(uri, 0, 4)
        for number in range(20):
            await asyncio.sleep(0.02)
            if number % 2:  # some clients cancel the older one, others do not
                request.cancel()
            request = bench.client.ask_inline(uri, 0, 4)
        await until(lambda: len(bench.client.statuses()) > before, "the word that it is busy")
        await bench.client.settled()
        said = bench.client.statuses()[before:]
        assert said[-1] == NORMAL | {"busy": True}
        assert len(said) < 10  # one, where the machine has time
        request.cancel()
        await until(lambda: not bench.client.statuses()[-1]["busy"], "the word that it is not busy any more")
        assert bench.client.statuses()[before:] == [NORMAL | {"busy": True}, NORMAL]
        await bench.client.end()


async def test_it_is_inactive_where_nothing_is_wanted(folder: Path) -> None:
    async with started(folder) as bench:
        await bench.ready()
        await becomes(bench, "Normal")
        push(bench, {"enabled": False})
        await becomes(bench, "Inactive", "enabled")
        push(bench, {"languagesOff": ["lua"]})
        await becomes(bench, "Normal")
        off, on = bench.fresh("x = ", "lua", "lua"), bench.fresh("x = ")
        assert await bench.client.inline(off, 0, 4) == []
        await becomes(bench, "Inactive", "lua")
        await bench.client.inline(on, 0, 4)
        await becomes(bench, "Normal")
        await bench.client.inline(bench.fresh("\0\1\2"), 0, 0)
        await becomes(bench, "Inactive", "no text")
        await bench.client.end()


@pytest.mark.parametrize("asks", [False, True])
async def test_lsp_mode_has_to_ask_for_it(folder: Path, asks: bool) -> None:
    """It opens a window with a warning for each notification that it does not know."""
    params = initialize_params("vscode") | {"clientInfo": {"name": "emacs", "version": "GNU Emacs 30.1"}}
    if asks:
        params["capabilities"]["experimental"] = {"aigcStatus": True}
    async with started(folder, params=params) as bench:
        await bench.ready()
        if asks:
            await becomes(bench, "Normal")
        assert bool(bench.client.statuses()) == asks
        await bench.client.end()


async def test_a_client_can_do_without(folder: Path) -> None:
    params = initialize_params("neovim-0.12")
    params["capabilities"]["experimental"] = {"aigcStatus": False}
    async with started(folder, params=params) as bench:
        await bench.ready()
        assert bench.client.statuses() == []
        await bench.client.end()
