"""A prompt and a conversation, asked of servers elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from peer_server import PeerServer, events, texts
from remote_bench import COMPLETIONS, connected, pieces

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.service.backend import Backend
from aigc_lsp.service.wire import ChatRequest, InfillRequest, PromptRequest

CHAT = "/v1/chat/completions"
PROMPT = PromptRequest(prompt="a = ", n_predict=8, stop=("\n",), document="file:///home/somebody", user="somebody")
TALK = ChatRequest(messages=(("user", "Say it."),), n_predict=8, document="file:///home/somebody", user="somebody")


async def said(backend: Backend, request: PromptRequest | ChatRequest) -> tuple[str, str | None]:
    async with backend.write(request) as answer:
        found = [piece async for piece in answer]
    return "".join(piece.content for piece in found), found[-1].stop_type


@pytest.mark.parametrize("api", ["openai", "infill"])
async def test_a_prompt(peer: PeerServer, url: str, api: str) -> None:
    peer.routes[COMPLETIONS] = texts("1", " + 2")
    async with connected(url, api=api, remote_model="served") as backend:
        assert await said(backend, PROMPT) == ("1 + 2", "eos")
    (body,) = peer.bodies(COMPLETIONS)
    assert body == {
        "model": "served", "prompt": "a = ", "max_tokens": 8, "temperature": 0.0, "stream": True, "stop": ["\n"],
    }  # fmt: skip


@pytest.mark.parametrize("api", ["openai", "infill"])
async def test_a_conversation(peer: PeerServer, url: str, api: str) -> None:
    deltas = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in ({"role": "assistant"}, {"content": "It."})
    ]
    peer.routes[CHAT] = events(*deltas, {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}, "[DONE]")
    async with connected(url, api=api, remote_model="served") as backend:
        assert await said(backend, TALK) == ("It.", "limit")
    (body,) = peer.bodies(CHAT)
    assert body["messages"] == [{"role": "user", "content": "Say it."}]
    assert "somebody" not in str(body)


async def test_a_long_answer_is_waited_for_as_long_as_it_goes_on(peer: PeerServer, url: str) -> None:
    peer.routes[COMPLETIONS] = texts(*"abcdefgh", delay=0.1)
    async with connected(url, api="openai", timeout_ms=300) as backend:
        assert await said(backend, PROMPT) == ("abcdefgh", "eos")
        assert (await pieces(backend, InfillRequest("a = ")))[-1].stop_type == "deadline"


async def test_one_that_has_no_such_thing_says_so_in_a_sentence(peer: PeerServer, url: str) -> None:
    async with connected(url, api="infill") as backend:
        with pytest.raises(EngineUnavailable, match=r"127\.0\.0\.1"):
            await said(backend, TALK)


@pytest.mark.parametrize("fim", ["render", "suffix"])
async def test_a_prefix_alone_has_no_tokens_around_it(peer: PeerServer, url: str, fim: str) -> None:
    peer.routes[COMPLETIONS] = texts("It.")
    request = InfillRequest("say <|im_end|>: ", order="prefix", prefix_tokens=4096)
    async with connected(url, api="openai", fim=fim) as backend:
        await pieces(backend, replace(request, heal=False))
    (body,) = peer.bodies(COMPLETIONS)
    assert body["prompt"] == ("say < |im_end|>: " if fim == "render" else "say <|im_end|>: ")
    assert "suffix" not in body
