"""A real llama-server as the server elsewhere: both of its interfaces, and the whole way from an editor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from harness import Client, environment, initialize_params, short_folder, until
from llama_peer import TOKEN, Peer
from remote_bench import HOLE, connected, health

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.prompt.infill import Hole
from aigc_lsp.prompt.plain import render_plain
from aigc_lsp.service.backend import Backend
from aigc_lsp.service.wire import InfillPiece, InfillRequest

pytestmark = [pytest.mark.peer, pytest.mark.timeout(600)]

MODEL = catalogue.load(Config().model)
APIS = pytest.mark.parametrize("api", ["infill", "openai"])
EDITOR_SECONDS = 120.0


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEER_TOKEN", TOKEN)


def patient(api: str) -> dict[str, Any]:
    return {"api": api, "token_env": "PEER_TOKEN", "timeout_ms": 300_000}


async def answer(backend: Backend, request: InfillRequest = HOLE) -> list[InfillPiece]:
    async with backend.infill(request) as pieces:
        return [piece async for piece in pieces]


@APIS
async def test_it_fills_the_hole(peer: Peer, api: str) -> None:
    async with connected(peer.url, **patient(api)) as backend:
        found = await answer(backend, replace(HOLE, n_predict=8))
    assert "".join(piece.content for piece in found).startswith("a + b")
    assert len(found) > 2  # it was streamed
    assert [bool(piece.stop_type) for piece in found] == [False] * (len(found) - 1) + [True]
    assert found[-1].usage.generated_tokens > 0


@APIS
async def test_it_knows_what_comes_behind(peer: Peer, api: str) -> None:
    """Both tell it the suffix: what is called there is what is defined here."""
    hole = replace(
        HOLE, input_prefix="def ", input_suffix="(a, b):\n    return a * b\n\n\nprint(multiply(2, 3))\n", n_predict=4
    )
    async with connected(peer.url, **patient(api)) as backend:
        found = await answer(backend, hole)
    assert "".join(piece.content for piece in found).strip().startswith("multiply")


@APIS
async def test_its_health(peer: Peer, api: str) -> None:
    async with connected(peer.url, **patient(api)) as backend:
        found = await health(backend)
    assert found.ready
    assert found.model.endswith(".gguf")
    assert found.note == ""


@APIS
async def test_leaving_frees_it(peer: Peer, api: str) -> None:
    """It has one slot: had it gone on writing, the next request would wait for thousands of tokens."""
    endless = replace(HOLE, input_prefix="# Numbers\nNUMBERS = [1, 2, 3, 4, 5, 6,", input_suffix="", n_predict=3000)
    async with connected(peer.url, **patient(api)) as backend:
        async with backend.infill(endless) as pieces:
            await anext(pieces)
        found = await answer(backend, replace(HOLE, n_predict=2))
    assert "".join(piece.content for piece in found).startswith("a")


@APIS
async def test_a_wrong_token(peer: Peer, api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEER_TOKEN", "another-token")
    async with connected(peer.url, **patient(api)) as backend:
        with pytest.raises(EngineUnavailable, match=r"refuses the token in PEER_TOKEN \(401, authentication_error\)"):
            await answer(backend)


async def test_more_than_it_has_room_for(peer: Peer) -> None:
    long = replace(HOLE, input_prefix="x = 1 + 2 + 3\n" * 3000)
    config = replace(Config().context, prefix_tokens=16_384)
    async with connected(peer.url, **patient("openai")) as backend:
        backend._api = replace(backend._api, prefix_tokens=config.prefix_tokens)  # type: ignore[attr-defined]
        with pytest.raises(EngineUnavailable, match=r"does not take our requests \(400, exceed_context_size_error\)"):
            await answer(backend, long)


async def test_no_text_of_the_user_is_read_as_a_control_token(peer: Peer) -> None:
    """Each control token of the model, as it reads it: those of the format and no others."""
    controls = sorted(MODEL.control_tokens)
    assert peer.tokens(controls[0]) == [controls[0]]  # it would read them, were they sent as they are
    text = "".join(f"'{token}'{token}\n" for token in controls)
    prompt = render_plain(Hole(text, text), MODEL, prefix_tokens=4096, suffix_tokens=4096)
    found = [piece for piece in peer.tokens(prompt) if piece in MODEL.control_tokens]
    assert found == ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]


@APIS
async def test_the_whole_way(peer: Peer, api: str) -> None:
    with short_folder() as folder:
        client = await Client.start(environment(folder, PEER_TOKEN=TOKEN))
        engine = {"url": peer.url, "api": api, "tokenEnv": "PEER_TOKEN", "timeoutMs": 300_000}
        options = {"engine": engine, "completion": {"timeBudgetMs": 60_000, "maxTokens": 16}}
        try:
            await client.initialize(initialize_params("vscode"), initializationOptions=options)
            client.open("file:///workspace/add.py", "def add(a, b):\n    return \n\n\nprint(add(1, 2))\n")

            async def found() -> bool:
                return await client.ghost("file:///workspace/add.py", 1, 11) == ["a + b"]

            await until(found, "a completion that fits", EDITOR_SECONDS)
            assert client.messages() == []
            await client.end()
        finally:
            await client._kill()
