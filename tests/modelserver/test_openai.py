"""OpenAI's completions and chats: what is understood, what is answered, whole and streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from each_row import each_row
from tiny_server import MODEL, OTHER, TinyHost, raw_client, served, tiny_vocabulary, wait_until

from aigc_lsp.engine.generate import Piece, Scored, Timings
from aigc_lsp.errors import ModelMissing
from aigc_lsp.modelserver.openai import Completion, parse_chat, parse_completion
from aigc_lsp.service.fields import MOST_PROBS, BadRequest
from aigc_lsp.service.wire import ChatRequest, InfillRequest, PromptRequest

COMPLETION, CHAT = "/v1/completions", "/v1/chat/completions"
PROMPT = {"prompt": "def add(a, b):\n    ", "max_tokens": 8}
TALK = {"messages": [{"role": "user", "content": "Say it."}], "max_tokens": 8}
NONE = Timings(0, 0, 0, 0.0, 0.0)
BOTH = pytest.mark.parametrize(("path", "body"), [(COMPLETION, PROMPT), (CHAT, TALK)], ids=["completion", "chat"])


@pytest.fixture(scope="module")
def host() -> TinyHost:
    return TinyHost()


@pytest.fixture(scope="module")
def socket(host: TinyHost) -> Iterator[Path]:
    with served(host) as path:
        yield path


async def whole(http: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    response = await http.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def streamed(http: httpx.AsyncClient, path: str, **body: Any) -> list[dict[str, Any]]:
    response = await http.post(path, json=body | {"stream": True})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/event-stream"
    *blocks, done, nothing = response.text.split("\n\n")
    assert (done, nothing) == ("data: [DONE]", "")
    return [json.loads(block.removeprefix("data: ")) for block in blocks]


async def refused(http: httpx.AsyncClient, path: str, code: int, **body: Any) -> str:
    response = await http.post(path, json=body)
    assert response.status_code == code, response.text
    error = response.json()["error"]
    assert error["code"] == code
    assert error["type"]
    return error["message"]


def text_of(choice: dict[str, Any]) -> str:
    """Of a whole choice, or of one event's."""
    if "text" in choice:
        return choice["text"]
    return choice.get("message", choice.get("delta", {})).get("content", "")


# --- answers


async def test_a_completion(http: httpx.AsyncClient) -> None:
    answer = await whole(http, COMPLETION, **PROMPT)
    (choice,) = answer["choices"]
    assert len(choice["text"]) == 8  # a token is a byte
    assert (choice["index"], choice["finish_reason"], choice["logprobs"]) == (0, "length", None)
    assert answer["object"] == "text_completion"
    assert answer["id"].startswith("cmpl-")
    assert answer["model"] == MODEL
    assert answer["created"] > 1_700_000_000
    usage = answer["usage"]
    assert usage["prompt_tokens"] == len(PROMPT["prompt"])
    assert (usage["completion_tokens"], usage["total_tokens"]) == (8, len(PROMPT["prompt"]) + 8)
    assert answer["timings"]["predicted_n"] == 8
    again = await whole(http, COMPLETION, **PROMPT)
    assert again["usage"]["prompt_tokens_details"]["cached_tokens"] == len(PROMPT["prompt"]) - 1
    assert again["choices"] == answer["choices"]  # greedy where no temperature is given
    assert again["id"] != answer["id"]


async def test_a_chat(http: httpx.AsyncClient) -> None:
    answer = await whole(http, CHAT, **TALK)
    (choice,) = answer["choices"]
    assert choice["message"]["role"] == "assistant"
    assert len(choice["message"]["content"]) == 8
    assert (choice["index"], choice["finish_reason"], choice["logprobs"]) == (0, "length", None)
    assert (answer["object"], answer["model"]) == ("chat.completion", MODEL)
    assert answer["id"].startswith("chatcmpl-")
    assert answer["usage"]["completion_tokens"] == 8


@BOTH
async def test_a_stream_tells_the_same(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    one, events = await whole(http, path, **body), await streamed(http, path, **body)
    assert len(events) > 3
    assert "".join(text_of(event["choices"][0]) for event in events) == text_of(one["choices"][0])
    assert [event["choices"][0]["finish_reason"] for event in events] == [None] * (len(events) - 1) + ["length"]
    assert len({event["id"] for event in events}) == 1
    assert {event["object"] for event in events} == {
        "text_completion" if path == COMPLETION else "chat.completion.chunk"
    }
    assert not any("usage" in event for event in events)


async def test_a_chats_first_delta_says_who_speaks(http: httpx.AsyncClient) -> None:
    deltas = [event["choices"][0]["delta"] for event in await streamed(http, CHAT, **TALK)]
    assert deltas[0]["role"] == "assistant"
    assert not any("role" in delta for delta in deltas[1:])
    assert deltas[-1] == {}


@BOTH
async def test_the_usage_of_a_stream_comes_where_it_is_asked_for(
    http: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    *events, last = await streamed(http, path, **body, stream_options={"include_usage": True})
    assert last["choices"] == []
    assert last["usage"] == (await whole(http, path, **body))["usage"] | {
        "prompt_tokens_details": last["usage"]["prompt_tokens_details"]
    }
    assert all(event["usage"] is None for event in events)


@BOTH
async def test_alternatives(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    answer = await whole(http, path, **body, n=3)
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    texts = [text_of(choice) for choice in answer["choices"]]
    assert len(set(texts)) == 3
    assert all(choice["finish_reason"] == "length" for choice in answer["choices"])
    assert answer["usage"]["completion_tokens"] == 24
    events = await streamed(http, path, **body, n=3)
    assert [text_of(event["choices"][0]) for event in events] == texts
    assert [event["choices"][0]["index"] for event in events] == [0, 1, 2]


@BOTH
async def test_a_stop_string_is_why_it_stops(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    text = text_of((await whole(http, path, **body))["choices"][0])
    for stop in (text[4:6], [text[4:6], "not in it"]):
        (choice,) = (await whole(http, path, **body, stop=stop))["choices"]
        assert text_of(choice) == text[: text.index(text[4:6])]
        assert choice["finish_reason"] == "stop"


@BOTH
async def test_sampling_is_asked_for(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    async def text(**more: Any) -> str:
        return text_of((await whole(http, path, **body, **more))["choices"][0])

    assert await text() == await text(temperature=0) == await text(temperature=2, samplers=["top_k"])
    seven = await text(temperature=2, seed=7)
    assert seven == await text(temperature=2, seed=7) == await text(temperature=2, seed=7, top_p=1.0)
    assert seven != await text(temperature=2, seed=8)


async def test_a_prompt_may_be_tokens(http: httpx.AsyncClient) -> None:
    tokens = tiny_vocabulary().encode(PROMPT["prompt"])
    wanted = (await whole(http, COMPLETION, **PROMPT))["choices"]
    for prompt in (tokens, [tokens], [PROMPT["prompt"]]):
        assert (await whole(http, COMPLETION, **PROMPT | {"prompt": prompt}))["choices"] == wanted
    assert "prompt" in await refused(http, COMPLETION, 400, **PROMPT | {"prompt": [10**9]})


async def test_a_suffix_makes_a_hole_of_it(http: httpx.AsyncClient) -> None:
    filled = await whole(http, COMPLETION, prompt="def add(a, b):\n", suffix="\nprint(add)\n", max_tokens=6)
    body = {"input_prefix": "def add(a, b):\n", "input_suffix": "\nprint(add)\n", "n_predict": 6}
    same = (await http.post("/infill", json=body)).json()
    assert filled["choices"][0]["text"] == same["content"] != ""
    assert filled["usage"]["prompt_tokens"] == same["tokens_evaluated"]
    assert "suffix" in await refused(http, COMPLETION, 400, prompt=[1, 2], suffix="x")


# --- log-probabilities


async def test_a_completions_log_probabilities(http: httpx.AsyncClient) -> None:
    (choice,) = (await whole(http, COMPLETION, **PROMPT, logprobs=3))["choices"]
    told = choice["logprobs"]
    assert "".join(told["tokens"]) == choice["text"]
    assert told["text_offset"] == list(range(8))
    for token, logprob, top in zip(told["tokens"], told["token_logprobs"], told["top_logprobs"], strict=True):
        assert len(top) == 3
        assert max(top, key=top.get) == token  # type: ignore[arg-type]
        assert top[token] == logprob <= 0
    events = await streamed(http, COMPLETION, **PROMPT, logprobs=3)
    parts = [event["choices"][0]["logprobs"] for event in events]
    for name in told:
        assert [value for part in parts for value in part[name]] == told[name], name
    none = (await whole(http, COMPLETION, **PROMPT, logprobs=0))["choices"][0]["logprobs"]
    assert none == told | {"top_logprobs": [{}] * 8}


async def test_a_chats_log_probabilities(http: httpx.AsyncClient) -> None:
    (choice,) = (await whole(http, CHAT, **TALK, logprobs=True, top_logprobs=2))["choices"]
    told = choice["logprobs"]["content"]
    assert "".join(entry["token"] for entry in told) == choice["message"]["content"]
    for entry in told:
        assert bytes(entry["bytes"]).decode() == entry["token"]
        assert [len(entry["top_logprobs"]), entry["top_logprobs"][0]["token"]] == [2, entry["token"]]
    events = await streamed(http, CHAT, **TALK, logprobs=True, top_logprobs=2)
    assert [entry for event in events for entry in event["choices"][0]["logprobs"]["content"]] == told
    (bare,) = (await whole(http, CHAT, **TALK, logprobs=True))["choices"]
    assert [entry["top_logprobs"] for entry in bare["logprobs"]["content"]] == [[]] * 8


def test_the_tokens_of_one_character_begin_where_it_does() -> None:
    data = [b"a", *(bytes([each]) for each in "é😀".encode()), b"b"]
    scored = tuple(Scored(id, each, -1.0) for id, each in enumerate(data))
    request, wanted = parse_completion({"prompt": "x", "logprobs": 0})
    for pieces in ([scored], [scored[:2], scored[2:5], scored[5:]]):
        shape = Completion(request, wanted, MODEL)
        events = [event for part in pieces for event in shape.during(Piece("", (), (), NONE, part))]
        offsets = [at for event in events for at in event["choices"][0]["logprobs"]["text_offset"]]
        assert offsets == [0, 1, 1, 2, 2, 2, 2, 3]


@BOTH
async def test_each_alternative_has_its_own(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    wish = {"logprobs": 1} if path == COMPLETION else {"logprobs": True, "top_logprobs": 1}
    answer = await whole(http, path, **body, n=2, **wish)
    for choice in answer["choices"]:
        told = choice["logprobs"]
        tokens = told["tokens"] if path == COMPLETION else [entry["token"] for entry in told["content"]]
        assert "".join(tokens) == text_of(choice)


# --- what is understood


def test_what_a_completion_says() -> None:
    request, wanted = parse_completion({"prompt": "x"})
    assert request == PromptRequest(prompt="x", n_predict=16)  # OpenAI's own default, and greedy
    assert (wanted.logprobs, wanted.usage) == (None, False)
    body = {
        "prompt": ["x"], "suffix": "y", "max_tokens": 5, "n": 2, "stop": "s", "temperature": 0.5, "top_p": 0.9,
        "seed": 3, "logprobs": 0, "stream": True, "stream_options": {"include_usage": True}, "user": "u",
        "model": MODEL,
    }  # fmt: skip
    request, wanted = parse_completion(body)
    assert request == InfillRequest(
        input_prefix="x", input_suffix="y", n_predict=5, n=2, stop=("s",), temperature=0.5, top_p=0.9, seed=3,
        n_probs=1, stream=True, user="u", model=MODEL,
    )  # fmt: skip
    assert (wanted.logprobs, wanted.usage) == (0, True)
    assert parse_completion({"prompt": "x", "suffix": None})[0] == parse_completion({"prompt": "x", "echo": False})[0]


def test_what_a_chat_says() -> None:
    messages = [
        {"role": "developer", "content": "a"},
        {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]},
        {"role": "assistant", "content": None},
        {"role": "system", "content": "d", "name": "of no matter"},
    ]
    request, _ = parse_chat({"messages": messages})
    assert isinstance(request, ChatRequest)
    assert request.messages == (("system", "a"), ("user", "bc"), ("assistant", ""), ("system", "d"))
    assert request.n_predict > 1000
    for given, tokens in (
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 6, "max_tokens": 5}, 6),
        ({"n_predict": 0}, 0),
    ):
        assert parse_chat(TALK | {"max_tokens": None} | given)[0].n_predict == tokens
    assert parse_chat(TALK | {"max_tokens": -1})[0].n_predict > 1000
    assert parse_chat(TALK | {"top_logprobs": 2})[1].logprobs is None


@each_row(
    ("field", "value"),
    [
        ("prompt", None),
        ("prompt", 1),
        ("prompt", []),
        ("prompt", ["a", "b"]),
        ("prompt", [1, "b"]),
        ("prompt", [True]),
        ("prompt", {"a": 1}),
        ("suffix", 1),
        ("echo", True),
        ("max_tokens", "many"),
        ("n", 0),
        ("n", 9),
        ("stop", [1]),
        ("temperature", "hot"),
        ("top_p", 0),
        ("top_p", 1.5),
        ("seed", "x"),
        ("logprobs", -1),
        ("logprobs", MOST_PROBS + 1),
        ("logprobs", True),
        ("stream", "yes"),
        ("stream_options", []),
        ("user", 1),
        ("model", 1),
    ],
)
def test_a_completions_bad_field_is_named(field: str, value: object) -> None:
    with pytest.raises(BadRequest, match=rf"\b{field}\b"):
        parse_completion(PROMPT | {field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("messages", None),
        ("messages", []),
        ("messages", "hello"),
        ("messages", ["hello"]),
        ("messages", [{"content": "x"}]),
        ("messages", [{"role": "tool", "content": "x"}]),
        ("messages", [{"role": ["user"], "content": "x"}]),
        ("messages", [{"role": "user", "content": 1}]),
        ("messages", [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]),
        ("logprobs", 2),
        ("top_logprobs", MOST_PROBS + 1),
        ("max_completion_tokens", 1.5),
        ("n", 9),
    ],
)
def test_a_chats_bad_field_is_named(field: str, value: object) -> None:
    with pytest.raises(BadRequest, match=rf"\b{field}\b"):
        parse_chat(TALK | {field: value})


@pytest.mark.parametrize("parse", [parse_chat, parse_completion])
@pytest.mark.parametrize("body", [None, [], "x"])
def test_a_body_that_is_no_object_is_refused(parse: Any, body: object) -> None:
    with pytest.raises(BadRequest, match="object"):
        parse(body)


# --- errors


@BOTH
async def test_errors_have_openais_shape(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    for stream in (False, True):
        assert "no-such" in await refused(http, path, 404, **body, model="no-such", stream=stream)
        assert "top_p" in await refused(http, path, 400, **body, top_p=2, stream=stream)
    assert (await http.get(path)).status_code == 405


async def test_a_model_that_does_not_chat_says_so(http: httpx.AsyncClient, host: TinyHost) -> None:
    resident = host.residents.latest
    assert resident is not None
    template, resident.chat_template = resident.chat_template, None
    try:
        message = await refused(http, CHAT, 400, **TALK)
    finally:
        resident.chat_template = template
    assert "chat" in message


@BOTH
async def test_a_model_that_cannot_be_had_is_unavailable(path: str, body: dict[str, Any]) -> None:
    host = TinyHost()
    host.residents.failing[OTHER] = ModelMissing("It is not here. Fetch it.")
    with served(host) as socket:
        wait_until(lambda: host.health.ready)
        async with raw_client(socket) as http:
            assert "Fetch it." in await refused(http, path, 503, **body, model=OTHER)


@BOTH
async def test_an_error_in_the_middle_ends_the_stream(path: str, body: dict[str, Any]) -> None:
    host = TinyHost()
    with served(host) as socket:
        host.engine.error, host.engine.fail_at = ValueError("the_users_own_text"), host.engine.passes + 4
        async with raw_client(socket) as http:
            *events, last = await streamed(http, path, **body)
    assert events
    assert "ValueError" in last["error"]["message"]
    assert "the_users_own_text" not in str(last)
