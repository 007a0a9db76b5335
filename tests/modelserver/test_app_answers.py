"""What the model server answers over HTTP, whole and streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tiny_server import MODEL, OTHER, TinyHost, raw_client, served, tiny_vocabulary, wait_until

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.errors import EngineUnavailable, ModelMissing
from aigc_lsp.modelserver.rendering import render_request
from aigc_lsp.service.client import EngineClient
from aigc_lsp.service.wire import InfillRequest

RECORDED = Path(__file__).parents[1] / "fixtures" / "peers" / "infill-requests-llama.vim.jsonl"
HOLE = {"input_prefix": "def add(a, b):\n    ", "input_suffix": "\n\nprint(add(1, 2))\n", "n_predict": 12}


@pytest.fixture(scope="module")
def shared_host() -> TinyHost:
    return TinyHost()


@pytest.fixture(scope="module")
def shared(shared_host: TinyHost) -> Iterator[Path]:
    """One server for the tests that leave it as it was."""
    with served(shared_host) as path:
        yield path


async def post(socket: Path, **body: Any) -> httpx.Response:
    async with raw_client(socket) as http:
        # As EngineClient sends it: ASCII, so that lone surrogates travel as escapes.
        return await http.post("/infill", content=json.dumps(body))


async def whole(socket: Path, **body: Any) -> dict[str, Any]:
    response = await post(socket, **body)
    assert response.status_code == 200, response.text
    return response.json()


async def streamed(socket: Path, **body: Any) -> list[dict[str, Any]]:
    response = await post(socket, **body, stream=True)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/event-stream"
    blocks = response.text.split("\n\n")
    assert blocks.pop() == ""
    assert all(block.startswith("data: ") and "\n" not in block for block in blocks)
    return [json.loads(block.removeprefix("data: ")) for block in blocks]


async def refused(socket: Path, code: int, **body: Any) -> str:
    """The sentence with which the server refuses, the same whole and streamed."""
    messages = set()
    for stream in (False, True):
        response = await post(socket, **body, stream=stream)
        assert response.status_code == code, response.text
        error = response.json()["error"]
        assert error["code"] == code
        assert error["type"]
        assert "Traceback" not in response.text
        messages.add(error["message"])
    (message,) = messages
    return message


async def test_whole_and_streamed_answers_agree(shared: Path) -> None:
    one, events = await whole(shared, **HOLE), await streamed(shared, **HOLE)
    assert len(events) > 2
    assert one["content"] == "".join(event["content"] for event in events) != ""
    probabilities = [entry for event in events for entry in event.get("completion_probabilities", [])]
    assert [entry["id"] for entry in probabilities] == [entry["id"] for entry in one["completion_probabilities"]]
    assert [entry["logprob"] for entry in probabilities] == pytest.approx(
        [entry["logprob"] for entry in one["completion_probabilities"]], abs=1e-3
    )
    for name in ("stop", "stop_type", "stopping_word", "tokens_evaluated", "tokens_predicted", "truncated"):
        assert one[name] == events[-1][name], name


async def test_the_last_event_says_why_and_what_it_cost(shared: Path) -> None:
    *pieces, last = await streamed(shared, **HOLE)
    assert not any(event["stop"] for event in pieces)
    assert last["stop"] is True
    assert last["stop_type"] == "limit"
    assert last["content"] == ""
    timings = last["timings"]
    assert timings["predicted_n"] == last["tokens_predicted"] >= 12
    assert timings["prompt_n"] + timings["cache_n"] == last["tokens_evaluated"]
    assert timings["prompt_ms"] > 0
    assert timings["predicted_ms"] > 0
    assert [event["timings"]["predicted_n"] for event in pieces] == sorted(
        event["timings"]["predicted_n"] for event in pieces
    )


async def test_the_client_gives_the_pieces(shared: Path) -> None:
    client = EngineClient(shared)
    request = InfillRequest.from_json(HOLE)
    async with client.infill(request) as pieces:
        found = [piece async for piece in pieces]
    assert "".join(piece.content for piece in found) == (await whole(shared, **HOLE))["content"]
    assert [piece.stop_type for piece in found] == [None] * (len(found) - 1) + ["limit"]
    assert found[-1].usage.generated_tokens >= 12
    assert sum(len(piece.logprobs) for piece in found) >= 12
    await client.close()


async def test_a_stop_string_ends_the_answer(shared: Path) -> None:
    text = (await whole(shared, **HOLE))["content"]
    word = text[5:7]
    cut = await whole(shared, **HOLE, stop=[word])
    assert (cut["stop_type"], cut["stopping_word"]) == ("word", word)
    assert cut["content"] == text[: text.index(word)]


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"input_prefix": "x"', b"\xff\xfe\xfd", b"[" * 100_000, b"[]", b'"x"', b"null"]
)
async def test_a_body_that_is_no_json_object_is_refused(shared: Path, content: bytes) -> None:
    async with raw_client(shared) as http:
        response = await http.post("/infill", content=content)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert "Traceback" not in response.text


async def test_a_bad_field_is_refused_by_name(shared: Path) -> None:
    assert "n_predict" in await refused(shared, 400, **HOLE | {"n_predict": "many"})
    assert "temperature" in await refused(shared, 400, **HOLE, temperature=10**400)


async def test_an_order_that_the_model_does_not_know_is_refused(shared: Path) -> None:
    message = await refused(shared, 400, **HOLE, order="sideways")
    assert all(order in message for order in catalogue.load(MODEL).fim.templates)
    assert (await whole(shared, **HOLE, order="psm"))["content"]


@pytest.mark.parametrize(
    "odd",
    [
        {"seed": 2**70, "temperature": 0.8},
        {"seed": 4294967295, "temperature": 0.8, "top_p": 0.9},
        {"temperature": float("inf")},
        {"t_max_predict_ms": -1},
        {"t_max_predict_ms": 10**300},
        {"n_predict": 0},
        {"n_predict": 3, "suffix_tokens": 0, "prefix_tokens": 0},
        {"input_prefix": "", "input_suffix": "", "n_predict": 2},
        {"input_prefix": "", "input_suffix": "", "n_predict": 2, "order": "prefix"},
        {"stop": ["", "\ud800"]},
    ],
)
async def test_odd_but_legal_values_are_served(shared: Path, odd: dict[str, Any]) -> None:
    answer = await whole(shared, **HOLE | odd)
    assert answer["stop_type"] in ("limit", "eos")
    assert answer["tokens_predicted"] <= 12 + 4  # 4: the healing


async def test_a_seed_makes_sampling_repeatable(shared: Path) -> None:
    answers = [(await whole(shared, **HOLE, temperature=2.0, seed=seed))["content"] for seed in (7, 7, 8)]
    assert answers[0] == answers[1] != answers[2]


async def test_a_deadline_ends_the_answer(shared: Path) -> None:
    answer = await whole(shared, **HOLE | {"n_predict": 4000}, t_max_predict_ms=1)
    assert answer["stop_type"] == "deadline"
    assert answer["tokens_predicted"] < 4000


async def test_lone_surrogates_are_only_text(shared: Path) -> None:
    answer = await whole(shared, **HOLE | {"input_prefix": "a\ud800b", "input_suffix": "\udfff"}, filename="\udc80")
    assert answer["stop_type"] == "limit"
    replaced = await whole(shared, **HOLE | {"input_prefix": "a\ufffdb", "input_suffix": "\ufffd"})
    assert answer["content"] == replaced["content"]
    extra = [{"filename": "\ud800", "text": "\udfff"}]
    assert (await whole(shared, **HOLE, input_extra=extra))["stop_type"] == "limit"


async def test_a_lone_surrogate_comes_back_in_a_sentence(shared: Path) -> None:
    assert "no-such-\ud800" in await refused(shared, 404, **HOLE, model="no-such-\ud800")
    async with raw_client(shared) as http:
        assert (await http.get("/health")).json()["status"] == "ok"


async def test_control_tokens_in_text_are_plain_characters(shared: Path) -> None:
    """With one token a byte, the prompt's length tells how everything was read."""
    prefix = "x = '<|fim_middle|><|endoftext|>'"
    suffix = "<|fim_suffix|>y<|file_sep|>"
    answer = await whole(shared, input_prefix=prefix, input_suffix=suffix, n_predict=1, heal=False)
    assert answer["tokens_evaluated"] == len(prefix) + len(suffix) + 3
    extra = [{"filename": "<|repo_name|>", "text": "<|fim_prefix|>"}]
    more = await whole(shared, input_prefix="x", input_suffix="", input_extra=extra, n_predict=1, heal=False)
    plain = [{"filename": "=" * len("<|repo_name|>"), "text": "=" * len("<|fim_prefix|>")}]
    same = await whole(shared, input_prefix="x", input_suffix="", input_extra=plain, n_predict=1, heal=False)
    assert more["tokens_evaluated"] == same["tokens_evaluated"]


async def test_token_budgets_shorten_the_prompt_and_say_so(shared: Path) -> None:
    prefix, suffix = "p" * 300, "s" * 300
    budgets = {"prefix_tokens": 40, "suffix_tokens": 7, "heal": False}
    short = await whole(shared, input_prefix=prefix, input_suffix=suffix, n_predict=1, **budgets)
    assert short["truncated"] is True
    assert 7 < short["tokens_evaluated"] <= 40 + 7 + 3
    none = await whole(
        shared, input_prefix=prefix, input_suffix=suffix, n_predict=1, prefix_tokens=0, suffix_tokens=0, heal=False
    )
    assert none["tokens_evaluated"] == 3
    full = await whole(shared, input_prefix=prefix, input_suffix="", n_predict=1, heal=False)
    assert full["truncated"] is False
    assert full["tokens_evaluated"] == 300 + 3


@pytest.mark.parametrize("n_predict", [1, 4096, 10**9])
def test_prompt_and_answer_fit_the_model_together(shared: Path, shared_host: TinyHost, n_predict: int) -> None:
    assert shared_host.engine is not None
    resident = shared_host.residents.get(MODEL)
    assert resident is not None
    length = catalogue.load(MODEL).context_length
    text = "x" * (length + 1000)
    wire = InfillRequest(text, text, n_predict=n_predict, prefix_tokens=10**6, suffix_tokens=10**6)
    request, _ = render_request(wire, resident, Config().context)
    assert 0 < request.max_tokens <= n_predict
    assert len(request.tokens) > length // 4
    assert len(request.tokens) + request.max_tokens <= length


async def test_llama_vims_recorded_requests_are_answered(shared: Path) -> None:
    warm, warmer, first, typed = [json.loads(line)["body"] for line in RECORDED.read_text().splitlines()]
    assert await whole(shared, **warm) == {}
    assert await whole(shared, **warmer) == {}
    for body in (first, typed):
        answer = await whole(shared, **body)
        assert set(answer) == set(body["response_fields"])
        assert isinstance(answer["content"], str)
        assert answer["timings/predicted_n"] > 0
        assert answer["timings/prompt_n"] >= 1
        assert answer["truncated"] is False
    # Typing only extends the prompt: almost all of it was there.
    assert answer["tokens_cached"] > 0
    assert answer["timings/prompt_n"] < 16


async def test_response_fields_come_back_under_the_names_asked_for(shared: Path) -> None:
    fields = ["timings/prompt_n", "content", "timings/no/such", "nothing", "", "timings"]
    answer = await whole(shared, **HOLE, response_fields=fields)
    assert set(answer) == {"timings/prompt_n", "content", "timings"}
    assert answer["timings"]["prompt_n"] == answer["timings/prompt_n"]
    assert "timings" in await whole(shared, **HOLE, response_fields=[])


async def test_a_request_for_no_tokens_warms_the_next(shared: Path) -> None:
    body = {"input_prefix": "z" * 200 + "\n", "input_suffix": "y" * 50, "heal": False}
    warm = await whole(shared, **body, n_predict=0)
    assert warm["content"] == ""
    assert warm["stop_type"] == "limit"
    assert warm["timings"]["predicted_n"] == 0
    assert warm["timings"]["prompt_n"] > 200
    answer = await whole(shared, **body, n_predict=4)
    assert answer["timings"]["prompt_n"] == 1
    assert answer["timings"]["cache_n"] == 200 + 1 + 50 + 3 - 1
    assert len(answer["content"]) == 4


async def test_health_counts_requests_and_memory(socket: Path, host: TinyHost, client: EngineClient) -> None:
    wait_until(lambda: host.health.ready)
    before = await client.health()
    assert before.model == MODEL
    assert before.requests == before.kv_bytes == 0
    await whole(socket, **HOLE)
    wait_until(lambda: host.health.requests > 0)  # counted a moment after the answer
    after = await client.health()
    assert after.requests == 1
    assert after.kv_bytes > 0


async def test_the_models_are_listed_with_the_one_in_use_first(http: httpx.AsyncClient, host: TinyHost) -> None:
    async def listed() -> list[str]:
        answer = (await http.get("/v1/models")).json()
        assert answer["object"] == "list"
        assert all(entry["object"] == "model" for entry in answer["data"])
        return [entry["id"] for entry in answer["data"]]

    names = await listed()
    assert sorted(names) == catalogue.names()
    assert names[0] == MODEL
    await http.post("/infill", json=HOLE | {"model": OTHER})
    assert (await listed())[0] == OTHER


async def test_no_such_place_and_no_such_method(shared: Path) -> None:
    async with raw_client(shared) as http:
        assert (await http.get("/nothing")).status_code == 404
        assert (await http.get("/infill")).status_code == 405


async def test_health_is_503_until_the_model_is_loaded(host: TinyHost) -> None:
    host.residents.may_load.clear()
    with served(host) as socket:
        async with raw_client(socket) as http:
            response = await http.get("/health")
            assert response.status_code == 503
            assert response.json()["status"] == "loading model"
            assert response.json()["phase"] == "load"
            assert response.json()["model"] == MODEL
            host.residents.may_load.set()
            wait_until(lambda: host.health.ready)
            response = await http.get("/health")
            assert response.status_code == 200
            assert response.json()["status"] == "ok"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModelMissing("It is not here. Fetch it."), "It is not here. Fetch it."),
        (ZeroDivisionError("secret"), "ZeroDivisionError"),
    ],
)
async def test_health_and_requests_say_why_the_model_failed(host: TinyHost, error: Exception, said: str) -> None:
    host.residents.failing[MODEL] = error
    with served(host) as socket:
        wait_until(lambda: host.health.phase == "error")
        async with raw_client(socket) as http:
            response = await http.get("/health")
        assert response.status_code == 503
        assert response.json()["status"] == response.json()["phase"] == "error"
        assert said in response.json()["message"]
        assert "secret" not in response.text
        assert "Traceback" not in response.text
        assert said in await refused(socket, 503, **HOLE)
        client = EngineClient(socket)
        with pytest.raises(EngineUnavailable, match=said):
            async with client.infill(InfillRequest("x")) as pieces:
                await anext(pieces)
        await client.close()


async def test_the_client_says_when_nobody_answers(tmp_path: Path) -> None:
    client = EngineClient(tmp_path / "nobody")
    with pytest.raises(EngineUnavailable, match="aigc-lsp"):
        await client.health()
    with pytest.raises(EngineUnavailable):
        async with client.infill(InfillRequest("x")):
            pass
    await client.close()


def test_the_tiny_tokenizer_has_one_token_for_each_byte() -> None:
    """What the counts in these tests rest on."""
    assert len(tiny_vocabulary().encode("aé\n")) == 4
