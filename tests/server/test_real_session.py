"""The whole way, with real weights: the language server starts `aigc-lsp engine` by itself."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from conftest import Bench, started
from harness import CANCELLED, engine_pid, environment, initialize_params, replacement, short_folder, until

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.weights.store import Store, default_root

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.model]

LOAD_SECONDS = 60.0
EXAMPLE = "def add(a, b):\n    return a + b\n\n\n"
TYPED = "def multiply(a, b):\n    return "


async def stop_engine(environ: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "aigc_lsp", "stop", env=environ)
    await process.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def real() -> AsyncIterator[Bench]:
    if Store().state(catalogue.load(Config().model)) == "absent" and "CI" not in os.environ:
        pytest.skip(f"the model is not here: `aigc-lsp models pull {Config().model}`")
    with short_folder() as folder:
        environ = environment(folder, AIGC_LSP_ENGINE_START="true", AIGC_LSP_MODELS_DIR=str(default_root()))
        del environ["XDG_CACHE_HOME"]
        try:
            params = initialize_params("vscode")
            async with started(folder, params=params, environ=environ, engine=False) as bench:
                await until(lambda: answers(bench), "the model", LOAD_SECONDS)
                yield bench
                await bench.client.end()
        finally:
            await stop_engine(environ)


async def answers(bench: Bench) -> bool:
    lines = (EXAMPLE + TYPED).split("\n")
    return bool(await bench.client.ghost(bench.fresh(EXAMPLE + TYPED), len(lines) - 1, len(lines[-1])))


async def test_typing_key_by_key(real: Bench) -> None:
    uri = real.fresh(EXAMPLE)
    line, column = EXAMPLE.count("\n"), 0
    seen: dict[str, list[str]] = {}
    for number, key in enumerate(TYPED):
        real.client.change(uri, number + 2, replacement((line, column), (line, column), key))
        line, column = (line + 1, 0) if key == "\n" else (line, column + 1)
        seen[TYPED[: number + 1]] = await real.client.ghost(uri, line, column)
    assert seen[TYPED] == ["a * b"]
    assert seen["def multiply("] == ["a, b):"]
    assert sum(map(bool, seen.values())) > len(seen) // 2
    assert "begin" in real.client.progress()
    assert real.client.messages() == []


async def test_cancelling_while_a_prompt_is_read_frees_the_model(real: Bench) -> None:
    """Nothing of the prompt is known to the model, so it cannot have answered so soon; the next request is answered."""
    long = "".join(f"LIMIT_{number} = read_limit({number * 7919 % 1013}, unit='row')\n" for number in range(120))
    uri = real.fresh(f"{long}\n\ndef smallest(")
    request = real.client.ask_inline(uri, long.count("\n") + 2, len("def smallest("))
    await asyncio.sleep(0.2)
    request.cancel()
    assert await request.error_code() == CANCELLED
    assert await answers(real)


async def test_the_last_of_overlapping_requests_wins(real: Bench) -> None:
    uri = real.fresh(EXAMPLE + TYPED)
    line = (EXAMPLE + TYPED).count("\n")
    requests = [real.client.ask_inline(uri, line, 11) for _ in range(5)]
    texts = [[item["insertText"] for item in (await request.reply())["items"]] for request in requests]
    assert texts == [[]] * 4 + [["a * b"]]


async def test_a_killed_model_server_comes_back(real: Bench) -> None:
    pid = await engine_pid(real.folder)
    os.kill(pid, signal.SIGKILL)
    assert not await answers(real)
    await until(lambda: answers(real), "completions again", LOAD_SECONDS)
    assert await engine_pid(real.folder) != pid
    real.client.check()
