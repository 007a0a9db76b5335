"""A server elsewhere that answers whatever it likes: a sentence and never another error, and silence after."""

from __future__ import annotations

import gzip
import tracemalloc
from typing import Any

import pytest
from peer_server import PeerServer, Reply, events, texts
from remote_bench import COMPLETIONS, connected, failure, health, pieces, text

from aigc_lsp.config import Config
from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.service import remote
from aigc_lsp.service.backend import Backend

DEEP = b"[" * 100_000 + b"]" * 100_000
HEAD = b"HTTP/1.1 200 OK\r\n"
PACKED = gzip.compress(b"data: " + b"a" * (16 * remote.MOST_BYTES) + b"\n\n")


def event(**values: Any) -> Reply:
    return events({"choices": [values]})


NONSENSE = {
    "a page": Reply((b"<!doctype html><title>Sign in</title>",), kind="text/html"),
    "a page that calls itself JSON": Reply((b"<!doctype html>",)),
    "nothing": Reply(),
    "nothing, streamed": Reply(kind="text/event-stream"),
    "comments": Reply((b": ping\n\n", b"event: x\n\n"), kind="text/event-stream"),
    "no JSON": events(b"{"),
    "a number": events(b"7"),
    "null": events(b"null"),
    "a list": events(b"[1]"),
    "not UTF-8": events(b"\xff\xfe"),
    "too deep": events(DEEP),
    "too deep, whole": Reply((DEEP,)),
    "a huge number": events(b'{"choices": [{"text": "a", "index": ' + b"9" * 5000 + b"}]}"),
    "no choices": events({}),
    "choices of another type": events({"choices": 3}),
    "a choice of another type": events({"choices": ["a"]}),
    "no text": event(index=0),
    "a text of another type": event(text=7),
    "a text that is null": event(text=None),
    "a message of another type": event(delta=3),
    "a content of another type": event(delta={"content": 3}),
    "a usage of another type": events({"choices": [{"text": "a"}], "usage": 3}),
    "a usage that is none": events({"choices": [{"text": "a"}], "usage": {"prompt_tokens": "many"}}),
    "timings of another type": events({"choices": [{"text": "a"}], "timings": [1]}),
    "a finish of another type": event(text="a", finish_reason=["stop"]),
    "an error": events({"error": {"message": "out of memory", "type": "server_error"}}),
    "an odd error": events({"error": "text"}),
    "an error of its own kind": events({"object": "error", "message": "no", "type": "BadRequestError"}),
    "an error behind a text": events({"choices": [{"text": "a"}]}, {"error": {"message": "no"}}),
    "packed": Reply((PACKED,), kind="text/event-stream", headers=(("content-encoding", "gzip"),)),
    "packed, whole": Reply((PACKED,), headers=(("content-encoding", "gzip"),)),
    "packed in a way of its own": Reply((b"x",), headers=(("content-encoding", "x-own"),)),
    "without end": Reply((b"data: ", b"a" * 65536), kind="text/event-stream", endless=True),
    "without end, whole": Reply((b"[1," * 20_000,), endless=True),
    "events without end": Reply((b": ping\n\n" * 1000,), kind="text/event-stream", endless=True),
    "cut": texts("1", finish=None, cut=True),
    "cut at once": Reply(cut=True, kind="text/event-stream"),
    "no HTTP": Reply(raw=b"SSH-2.0-OpenSSH_9.2\r\n"),
    "no answer": Reply(raw=b""),
    "a wrong length": Reply(raw=HEAD + b"content-length: -1\r\n\r\n"),
    "too short": Reply(raw=HEAD + b"content-type: application/json\r\ncontent-length: 100\r\n\r\n{}"),
    "a wrong chunk": Reply(raw=HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n"),
    "a status without end": Reply(raw=b"HTTP/1.1 200 " + b"a" * 1_000_000),
    "a status of its own": Reply(status=299),
    "teapot": Reply(status=418),
    "599": Reply(status=599),
}


@pytest.mark.parametrize("kind", list(NONSENSE))
async def test_nonsense_to_a_request(peer: PeerServer, url: str, backend: Backend, no_backoff: None, kind: str) -> None:
    """Whatever comes, a sentence and never another error; and then all is well again."""
    peer.routes[COMPLETIONS] = NONSENSE[kind]
    sentence = await failure(backend)
    assert sentence.startswith((url, "The server at engine.url"))
    assert sentence.endswith(".")
    peer.routes[COMPLETIONS] = texts("1")
    assert await text(backend) == "1"


@pytest.mark.parametrize("kind", [kind for kind in NONSENSE if "without end" in kind or "packed" in kind])
async def test_no_more_is_read_than_an_answer_has(peer: PeerServer, url: str, backend: Backend, kind: str) -> None:
    """It is given up by its size, long before its time; what is packed is not unpacked, which could be gigabytes."""
    peer.routes[COMPLETIONS] = NONSENSE[kind]
    await health(backend)
    tracemalloc.start()
    try:
        sentence = await failure(backend)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "broke off" in sentence if kind == "a status without end" else "make no sense" in sentence
    assert most < 8 * remote.MOST_BYTES
    assert peer.asked[-1].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "kind", ["a number", "no JSON", "too deep", "packed", "without end", "cut", "no HTTP", "an error"]
)
@pytest.mark.parametrize("path", ["/health", "/v1/models", "/infill"])
async def test_nonsense_elsewhere(peer: PeerServer, url: str, no_backoff: None, path: str, kind: str) -> None:
    """To a look at the health it may mean that there is none, and the list of models is asked for."""
    peer.routes[path] = NONSENSE[kind]
    async with connected(url) as backend:
        try:
            await health(backend)
        except EngineUnavailable:
            assert path != "/infill"
        if path == "/infill":
            await failure(backend)


async def test_events_of_infill_that_are_none(peer: PeerServer, url: str, no_backoff: None) -> None:
    async with connected(url) as backend:
        for odd in (
            {},
            {"content": 1},
            {"content": "a", "timings": [1]},
            {"content": "a", "completion_probabilities": 3},
        ):
            peer.routes["/infill"] = events(odd)
            assert "make no sense" in await failure(backend)


# Control tokens in the answer


@pytest.mark.parametrize(
    "said_by_server",
    [
        ("1", "<|fim_pad|>2"),
        ("1<|", "fim", "_pad|>", "2"),
        ("1<|file_sep|>", "2"),
        ("1<|fim_pad|>2<|endoftext|>",),
        tuple("1<|repo_name|>2"),
    ],
)
async def test_an_answer_ends_at_a_control_token(
    peer: PeerServer, url: str, backend: Backend, said_by_server: tuple[str, ...]
) -> None:
    peer.routes[COMPLETIONS] = texts(*said_by_server)
    found = await pieces(backend)
    assert "".join(piece.content for piece in found) == "1"
    assert found[-1].stop_type == "eos"


async def test_what_only_looks_like_a_control_token_is_text(peer: PeerServer, url: str, backend: Backend) -> None:
    peer.routes[COMPLETIONS] = texts("a <", "|", " b <|fim", "x", " <|")
    assert await text(backend) == "a <| b <|fimx <|"
    peer.routes[COMPLETIONS] = texts("x <|fim", finish=None)
    assert await text(backend) == "x <|fim"


def test_the_default_model_is_one_of_these() -> None:
    """What the texts above take for granted."""
    assert Config().model == "qwen2.5-coder-0.5b"
