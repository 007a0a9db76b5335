"""The language server starts a real model server's process by itself. That is killed or stopped while an editor works,
or has no model: each request gets one reply, no request fails, and completions come back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from conftest import Bench, started
from harness import (
    CANCELLED,
    ReplyError,
    Request,
    engine_pid,
    environment,
    initialize_params,
    menu_params,
    replacement,
    until,
)

from aigc_lsp.service.wire import HUNG_SECONDS

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="session")]

REQUESTS = 500
LINE = "x = ["
PATIENT = {"completion": {"timeBudgetMs": 60_000}}


@contextlib.asynccontextmanager
async def opened(folder: Path, **more: str) -> AsyncIterator[Bench]:
    """An editor without inline completion: both kinds of request have a provider. No model server outlives it."""
    environ = environment(
        folder,
        AIGC_LSP_ENGINE_START="true",
        AIGC_LSP_ENGINE_IDLE_EXIT="5",  # also of one that is just being started when a test fails
        AIGC_LSP_MODELS_DIR=str(folder / "models"),
        **more,
    )
    try:
        async with started(folder, params=initialize_params("eglot"), environ=environ, engine=False) as bench:
            yield bench
            await bench.client.end()
    finally:
        while pid := await engine_pid(folder):
            os.kill(pid, signal.SIGKILL)
            await until(lambda: is_gone(pid), "the model server's end")


@pytest_asyncio.fixture(loop_scope="session")
async def window(folder: Path) -> AsyncIterator[Bench]:
    """With light models."""
    async with opened(folder, PYTHONPATH=str(Path(__file__).parent / "light")) as bench:
        await completes(bench)
        yield bench


def is_gone(pid: int) -> bool:
    """Or a zombie, where its parent has not looked."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def completes(bench: Bench) -> None:
    uri = bench.fresh(LINE)

    async def found() -> bool:
        return bool(await bench.client.ghost(uri, 0, len(LINE)))

    await until(found, "a completion")


class Storm:
    """Whatever an editor may do, at random and as fast as it comes."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench = bench
        self.chance = random.Random(seed)
        self.documents = {bench.fresh(LINE): 1 for _ in range(8)}
        self.requests: list[Request] = []

    async def blow(self) -> None:
        while len(self.requests) < REQUESTS:
            act = self.chance.choices(
                [self.inline, self.menu, self.cancel, self.edit, self.reopen, self.configure],
                weights=[40, 20, 10, 20, 3, 2],
            )[0]
            act()
            if self.chance.random() < 0.7:
                await asyncio.sleep(self.chance.uniform(0, 0.03))

    def document(self) -> str:
        return self.chance.choice(list(self.documents))

    def inline(self) -> None:
        trigger = self.chance.choice([1, 2, 2, 2])
        self.requests.append(self.bench.client.ask_inline(self.document(), 0, len(LINE), trigger))

    def menu(self) -> None:
        params = menu_params(self.document(), 0, len(LINE))
        self.requests.append(self.bench.client.post("textDocument/completion", params))

    def cancel(self) -> None:
        if self.requests:
            self.chance.choice(self.requests[-5:]).cancel()

    def edit(self) -> None:
        uri = self.document()
        self.documents[uri] += 1
        change = replacement((0, 0), (0, 1), self.chance.choice("xyz"))
        self.bench.client.change(uri, self.documents[uri], change)

    def reopen(self) -> None:
        uri = self.document()
        self.bench.client.close(uri)
        del self.documents[uri]
        self.documents[self.bench.fresh(LINE)] = 1

    def configure(self) -> None:
        settings = self.chance.choice([{}, PATIENT, {"context": {"prefixTokens": self.chance.randint(64, 1024)}}])
        self.bench.client.notify("workspace/didChangeConfiguration", {"settings": {"aigc": settings}})

    async def outcomes(self) -> Counter[str]:
        """Of all requests: text, empty or cancelled. Anything else fails."""
        found: Counter[str] = Counter()
        for request in self.requests:
            try:
                found["text" if (await request.reply())["items"] else "empty"] += 1
            except ReplyError as error:
                if error.code != CANCELLED:
                    raise
                found["cancelled"] += 1
        return found


@pytest.mark.parametrize("seed", [1])
async def test_killed_at_random_moments_during_five_hundred_requests(window: Bench, seed: int) -> None:
    storm = Storm(window, seed)
    killed: set[int] = set()

    async def kill() -> None:
        while True:
            await asyncio.sleep(storm.chance.uniform(0.1, 1.0))
            if pid := await engine_pid(window.folder):
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
                storm.configure()  # or it would wait longer each time, and give up in the end

    killing = asyncio.create_task(kill())
    try:
        await storm.blow()
    finally:
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
    outcomes = await storm.outcomes()
    assert len(killed) >= 3
    assert outcomes.total() == REQUESTS
    assert all(outcomes[kind] for kind in ("text", "empty", "cancelled")), outcomes
    await completes(window)
    assert await engine_pid(window.folder) not in {0, *killed}
    assert window.client.messages() == []


async def test_stopped_in_the_middle_of_many_requests(window: Bench) -> None:
    """SIGSTOP: it is there, and gives no sign of life."""
    storm = Storm(window, 2)
    window.client.notify("workspace/didChangeConfiguration", {"settings": {"aigc": PATIENT}})
    pid = await engine_pid(window.folder)
    for _ in range(40):
        storm.inline()
        await asyncio.sleep(0.005)
    os.kill(pid, signal.SIGSTOP)
    for _ in range(40):
        storm.inline()
    outcomes = await asyncio.wait_for(storm.outcomes(), HUNG_SECONDS + 10)
    assert outcomes["empty"] >= 4
    assert await window.client.inline(window.fresh(LINE), 0, len(LINE)) == []
    await completes(window)
    assert is_gone(pid)
    assert await engine_pid(window.folder) not in (0, pid)
    assert window.client.messages() == []


async def test_without_its_model_it_is_said_once_what_to_do(folder: Path) -> None:
    async with opened(folder, AIGC_LSP_DOWNLOAD="false") as bench:
        await until(bench.client.messages, "the message")
        uri = bench.fresh(LINE)
        for _ in range(3):
            assert await bench.client.ghost(uri, 0, len(LINE)) == []
        bench.client.notify("workspace/didChangeConfiguration", {"settings": {"aigc": {}}})
        await until(lambda: bench.client.statuses()[-1]["kind"] == "Error", "the status")
        (sentence,) = bench.client.messages()
        assert "aigc-lsp models pull" in sentence
        assert bench.client.statuses()[-1]["message"] == sentence
