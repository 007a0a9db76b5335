"""A prompt as it is and a conversation, asked of our own model server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_server import TinyHost, served, wait_until

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.service.client import EngineClient
from aigc_lsp.service.wire import ChatRequest, InfillPiece, PromptRequest

PROMPT = PromptRequest(prompt="def add(a, b):\n    ", n_predict=8, document="a", user="me")
TALK = ChatRequest(messages=(("system", "Be brief."), ("user", "Say it.")), n_predict=8)


@pytest.fixture
def host() -> TinyHost:
    return TinyHost()


@pytest.fixture
def socket(host: TinyHost) -> Iterator[Path]:
    with served(host) as path:
        yield path


@pytest.fixture
async def client(socket: Path) -> AsyncIterator[EngineClient]:
    client = EngineClient(socket)
    yield client
    await client.close()


async def pieces(client: EngineClient, request: PromptRequest | ChatRequest) -> list[InfillPiece]:
    async with client.write(request) as answer:
        return [piece async for piece in answer]


@pytest.mark.parametrize("request_", [PROMPT, TALK], ids=["prompt", "talk"])
async def test_the_text_comes_in_pieces_and_the_figures_at_the_end(
    client: EngineClient, request_: PromptRequest | ChatRequest
) -> None:
    *said, last = await pieces(client, request_)
    assert len("".join(piece.content for piece in said)) == 8  # a token is a byte
    assert [piece.stop_type for piece in said] == [None] * len(said)
    assert (last.content, last.stop_type) == ("", "limit")
    assert last.usage.generated_tokens == 8
    assert last.usage.prompt_tokens >= 18


async def test_what_was_read_is_read_once(client: EngineClient) -> None:
    await pieces(client, PROMPT)
    again = await pieces(client, PromptRequest(prompt=PROMPT.prompt + "ret", n_predict=1))  # type: ignore[operator]
    usage = again[-1].usage
    assert usage.prompt_tokens - usage.reused_tokens <= 4


async def test_it_says_whose_it_is_and_what_about(client: EngineClient, host: TinyHost) -> None:
    await pieces(client, PROMPT)
    await pieces(client, TALK)
    asked = [job.request for job in host.jobs]
    assert [(each.document, each.user) for each in asked] == [("a", "me"), ("", asked[1].user)]
    assert asked[1].user
    assert asked[1].messages == TALK.messages  # type: ignore[attr-defined]


async def test_a_connection_is_used_again(client: EngineClient) -> None:
    await pieces(client, PROMPT)
    assert client._connections is not None
    (free,) = client._connections._free
    await pieces(client, TALK)
    assert client._connections._free == [free]


async def test_leaving_hangs_up(client: EngineClient, host: TinyHost) -> None:
    async with client.write(replace(PROMPT, n_predict=2000)) as answer:
        await anext(answer)
    await asyncio.to_thread(wait_until, host.jobs[-1].cancelled.is_set)
    assert host.engine.passes < 2000


async def test_what_the_model_server_says_is_wrong(client: EngineClient) -> None:
    with pytest.raises(EngineUnavailable, match="no-such-model"):
        await pieces(client, PromptRequest(prompt="a", model="no-such-model"))
