"""The model server is missing, loads, dies, comes back, talks nonsense: no request of an editor fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Bench, started
from harness import READY, Answer, environment, initialize_params, loading, until

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="session")]


async def test_no_model_server(folder: Path) -> None:
    """Only a socket that nobody listens on, left by one that was killed. Later there is one."""
    async with started(folder, initialize=False) as bench:
        await bench.engine.down()
        assert bench.engine.path.exists()
        await bench.client.initialize()
        uri = bench.fresh("x = ")
        for _ in range(3):
            assert await bench.client.inline(uri, 0, 4) == []
        await until(bench.client.messages, "a word about it")
        assert await bench.client.inline(uri, 0, 4) == []
        await bench.engine.up()
        await bench.completes()
        assert len(bench.client.messages()) == 1
        await bench.client.end()


async def test_loading_is_shown_and_then_it_completes(folder: Path) -> None:
    async with started(folder, initialize=False) as bench:
        engine, client = bench.engine, bench.client
        engine.health = loading(phase="fetch", done=250, total=1000)
        await client.initialize()
        await until(client.progress, "the progress")
        uri = bench.fresh("x = ")
        engine.says("1")
        assert await client.inline(uri, 0, 4) == []
        assert engine.asked == []  # answered at once, without asking
        engine.health = loading()
        await until(lambda: any("Loading" in str(params) for _, params in client.notifications), "the next phase")
        engine.health = READY
        await until(lambda: "end" in client.progress(), "the end")
        assert await client.ghost(uri, 0, 4) == ["1"]

        kinds = client.progress()
        assert kinds == ["begin", *["report"] * (len(kinds) - 2), "end"]
        values = [params["value"] for method, params in client.notifications if method == "$/progress"]
        assert values[0]["percentage"] == 25
        assert "Fetching" in values[0]["message"]
        assert [method for method, _ in client.asked].count("window/workDoneProgress/create") == 1
        assert client.messages() == []
        await client.end()


@pytest.mark.parametrize("how", ["no capability", "refused"])
async def test_loading_without_progress(folder: Path, how: str) -> None:
    """A client that is asked for nothing, or one that says no to the token and to all else."""
    async with started(folder, initialize=False) as bench:
        engine, client = bench.engine, bench.client
        engine.health = loading()
        questions = ("window/workDoneProgress/create", "client/registerCapability", "workspace/configuration")
        client.refused = {method: {"code": -32601, "message": "no"} for method in questions}
        params: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": {}}
        if how == "refused":
            params = initialize_params("vscode")
        await client.initialize(params)
        uri = bench.fresh("x = ")
        assert await client.inline(uri, 0, 4) == []
        if how == "refused":
            await until(lambda: len(client.asked) == 4, "the questions")  # two of them are registrations
        engine.health = READY
        await bench.completes()
        assert client.progress() == []
        assert {method for method, _ in client.asked} == (set(questions) if how == "refused" else set())
        await client.end()


async def test_death_and_return(folder: Path) -> None:
    """Between two requests, and in the middle of one."""
    async with started(folder) as bench:
        await bench.ready()
        engine, client = bench.engine, bench.client
        uri = bench.fresh("x = ")
        await engine.down()
        assert await client.inline(uri, 0, 4) == []
        await engine.up()
        await bench.completes()

        engine.says("1", hang=True)
        request = client.ask_inline(uri, 0, 4)
        await until(lambda: engine.asked, "the request")
        await engine.down()
        assert await request.reply() == {"items": []}
        assert await client.inline(uri, 0, 4) == []
        await engine.up()
        await bench.completes()
        assert client.messages() == []  # it mended itself before anybody had to be told
        await client.end()


NONSENSE = {
    "503": Answer(status=503),
    "500": Answer(status=500),
    "404": Answer(status=404),
    "hang-up before a piece": Answer(hang_up=True),
    "hang-up after a piece": Answer(("1",), hang_up=True),
    "not JSON": Answer(raw=b"data: {\n\n"),
    "not an object": Answer(raw=b"data: 7\n\n"),
    "no event": Answer(raw=b"\x00\xff\xfe garbage\n\n: comment\n\n"),
    "nothing": Answer(raw=b"data: \n\n"),
    "fields of other types": Answer(raw=b'data: {"content": 1, "timings": [1], "stop": "x"}\n\n'),
    "numbers that are none": Answer(raw=b'data: {"content": "1", "timings": {"cache_n": "many"}}\n\n'),
    "an error event": Answer(raw=b'data: {"content": "", "stop": true, "error": {"message": "out of memory"}}\n\n'),
    "an odd error event": Answer(raw=b'data: {"error": "text"}\n\n'),
    "OpenAI's end": Answer(raw=b"data: [DONE]\n\n"),
}


@pytest.mark.parametrize("kind", list(NONSENSE))
async def test_nonsense_to_a_request(bench: Bench, kind: str) -> None:
    uri = bench.fresh("x = ")
    bench.engine.says()
    bench.engine.script = lambda body: NONSENSE[kind]
    bench.client.errors_expected = True
    assert await bench.client.inline(uri, 0, 4) == []
    await bench.completes()


async def test_a_model_that_cannot_be_loaded(folder: Path) -> None:
    sentence = "The model nope is unknown. `aigc-lsp models list` shows those that can be had."
    async with started(folder, initialize=False) as bench:
        engine, client = bench.engine, bench.client
        engine.health = loading(phase="error", status="error", message=sentence)
        engine.script = lambda body: Answer(status=503, message=sentence)
        await client.initialize()
        await until(client.messages, "the message")
        uri = bench.fresh("x = ")
        for _ in range(3):
            assert await client.inline(uri, 0, 4) == []
        assert client.messages() == [sentence]
        engine.health = READY
        await bench.completes()
        assert client.messages() == [sentence]
        await client.end()


async def test_a_runtime_folder_that_cannot_be(folder: Path) -> None:
    """Said once, and nothing fails."""
    (folder / "file").write_text("")
    environ = environment(folder) | {"AIGC_LSP_RUNTIME_DIR": str(folder / "file" / "run")}
    async with started(folder, engine=False, environ=environ) as bench:
        await until(bench.client.messages, "the message")
        assert await bench.client.inline(bench.fresh("x = "), 0, 4) == []
        (message,) = bench.client.messages()
        assert "Traceback" not in message
        await bench.client.end(errors=True)
