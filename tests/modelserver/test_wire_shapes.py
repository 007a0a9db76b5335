"""The shapes on the socket: JSON there and back, llama.cpp's names, and refusals that name the field."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from each_row import each_row
from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.service.fields import MOST_PROBS
from aigc_lsp.service.wire import BadRequest, Health, InfillPiece, InfillRequest, Usage

RECORDED = Path(__file__).parents[1] / "fixtures" / "peers" / "infill-requests-llama.vim.jsonl"

texts = st.text('a\n"\\é\0\u2028😀\ud800<|>', max_size=8)  # a lone surrogate among them
counts = st.integers(0, 2**31)
# Milliseconds travel with three decimals.
milliseconds = st.integers(0, 10**9).map(lambda thousandths: thousandths / 1000)
positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
requests = st.builds(
    InfillRequest,
    input_prefix=texts,
    input_suffix=texts,
    input_extra=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    filename=texts,
    n_predict=counts,
    n_indent=counts,
    stop=st.lists(texts, max_size=3).map(tuple),
    temperature=st.floats(min_value=0, allow_infinity=False),
    top_p=st.floats(0, 1),
    seed=st.none() | st.integers(0, 2**32 - 1),
    t_max_predict_ms=st.none() | positive,
    model=st.none() | texts.filter(bool),
    n_probs=st.integers(0, MOST_PROBS),
    n=st.integers(1, 8),
    stream=st.booleans(),
    user=texts,
    document=texts,
    timings_per_token=st.booleans(),
    prefix_tokens=st.none() | counts,
    suffix_tokens=st.none() | counts,
    order=st.none() | texts,
    heal=st.none() | st.booleans(),
    response_fields=st.lists(texts, max_size=3).map(tuple),
)
usages = st.builds(
    lambda reused, evaluated, *rest: Usage(reused + evaluated, reused, *rest),
    counts,
    counts,
    counts,
    milliseconds,
    milliseconds,
).flatmap(
    lambda usage: st.builds(
        lambda drafted, accepted: replace(usage, drafted=drafted, accepted=min(drafted, accepted)), counts, counts
    )
)
healths = st.builds(
    Health,
    phase=st.sampled_from(["starting", "fetch", "convert", "load", "ready", "idle", "error"]),
    model=texts,
    message=texts,
    done=counts,
    total=counts,
    pid=counts,
    version=texts,
    device=texts,
    kv_bytes=counts,
    requests=counts,
    loaded=st.lists(texts, max_size=2).map(tuple),
    settings=st.dictionaries(texts, st.booleans() | counts | texts, max_size=2),
    stalled_s=milliseconds,
    latencies_ms=st.lists(st.tuples(milliseconds, milliseconds), max_size=2).map(tuple),
)


def through_json(value: object) -> object:
    return json.loads(json.dumps(value))


@given(requests)
def test_a_request_comes_through_unchanged(request: InfillRequest) -> None:
    assert InfillRequest.from_json(through_json(request.to_json())) == request


@given(requests, st.dictionaries(texts.filter(bool), st.integers() | texts | st.none(), max_size=4))
def test_unknown_fields_are_ignored(request: InfillRequest, extra: dict[str, object]) -> None:
    known = {field.name for field in fields(InfillRequest)} | {"prompt", "samplers", "n_cmpl"}
    unknown = {name: value for name, value in extra.items() if name not in known}
    assert InfillRequest.from_json(unknown | request.to_json()) == request


@given(usages)
def test_what_it_cost_comes_through_unchanged(usage: Usage) -> None:
    assert Usage.from_json(through_json(usage.to_json())) == usage  # type: ignore[arg-type]


@given(healths)
def test_health_comes_through_unchanged(health: Health) -> None:
    body = through_json(health.to_json())
    assert isinstance(body, dict)
    assert Health.from_json(body) == health
    assert Health.from_json(body | {"unheard_of": 1}) == health
    assert (body["status"] == "ok") == (health.phase in ("ready", "idle"))


@given(texts, usages, st.lists(st.floats(-100, 0), max_size=4), st.none() | st.sampled_from(["eos", "word", "limit"]))
def test_a_piece_is_read_from_an_event(
    content: str, usage: Usage, logprobs: list[float], stop_type: str | None
) -> None:
    event = {
        "content": content,
        "stop": stop_type is not None,
        "timings": usage.to_json(),
        "completion_probabilities": [{"id": 1, "logprob": logprob} for logprob in logprobs],
    } | ({"stop_type": stop_type} if stop_type else {})
    assert InfillPiece.from_json(event) == InfillPiece(content, usage, tuple(logprobs), stop_type)


def test_a_piece_of_another_server_may_say_less() -> None:
    assert InfillPiece.from_json({"content": "x"}) == InfillPiece("x")
    assert InfillPiece.from_json({"content": "", "stop": True}).stop_type == "eos"
    assert Health.from_json({"status": "ok"}).ready
    assert not Health.from_json({"error": {"code": 503, "message": "Loading model"}}).ready


def test_the_timings_have_llama_cpps_names_and_sums() -> None:
    timings = Usage(prompt_tokens=10, reused_tokens=6, generated_tokens=5, prefill_ms=8.0, decode_ms=100.0).to_json()
    assert timings == {
        "cache_n": 6,
        "prompt_n": 4,
        "prompt_ms": 8.0,
        "prompt_per_token_ms": 2.0,
        "prompt_per_second": 500.0,
        "predicted_n": 5,
        "predicted_ms": 100.0,
        "predicted_per_token_ms": 20.0,
        "predicted_per_second": 50.0,
    }
    assert all(value >= 0 for value in Usage().to_json().values())  # nothing is divided by zero
    drafts = Usage(drafted=9, accepted=4).to_json()  # llama.cpp's, too, are there only where there were drafts
    assert (drafts["draft_n"], drafts["draft_n_accepted"]) == (9, 4)


@each_row(
    ("field", "value"),
    [
        ("input_prefix", 1),
        ("input_prefix", ["a"]),
        ("prompt", [1, 2]),
        ("input_suffix", {"a": 1}),
        ("input_extra", "text"),
        ("input_extra", [1]),
        ("input_extra", [{"filename": "a.py"}]),
        ("input_extra", [{"filename": "a.py", "text": 1}]),
        ("filename", 1),
        ("n_predict", "many"),
        ("n_predict", True),
        ("n_predict", 1.5),
        ("stop", [1]),
        ("stop", {"a": 1}),
        ("temperature", "hot"),
        ("temperature", True),
        ("temperature", 10**400),
        ("top_p", []),
        ("seed", "x"),
        ("t_max_predict_ms", "soon"),
        ("model", 5),
        ("n_probs", "x"),
        ("n_indent", "x"),
        ("n_cmpl", 0),
        ("n_cmpl", 9),
        ("samplers", [1]),
        ("samplers", 1),
        ("stream", 1),
        ("timings_per_token", "yes"),
        ("prefix_tokens", "x"),
        ("prefix_tokens", -1),
        ("suffix_tokens", -1),
        ("order", 1),
        ("heal", "yes"),
        ("response_fields", [1]),
    ],
)
def test_a_bad_field_is_named(field: str, value: object) -> None:
    with pytest.raises(BadRequest, match=rf"\b{field}\b"):
        InfillRequest.from_json({"input_prefix": "x", field: value} if field != "input_prefix" else {field: value})


@pytest.mark.parametrize("body", [None, [], "text", 1, True])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(BadRequest, match="object"):
        InfillRequest.from_json(body)


def test_null_and_nothing_are_the_defaults() -> None:
    nulls = {field.name: None for field in fields(InfillRequest)}
    assert InfillRequest.from_json(nulls) == InfillRequest.from_json({}) == InfillRequest("")


def test_llama_cpps_special_values() -> None:
    def read(**body: object) -> InfillRequest:
        return InfillRequest.from_json(body)

    assert read(n_predict=0).n_predict == 0
    assert read(n_predict=-1).n_predict > 1000
    assert read(seed=-1).seed is None
    assert read(seed=2**70).seed is not None
    assert 0 <= (read(seed=2**70 + 5).seed or 0) < 2**32
    assert read(t_max_predict_ms=0).t_max_predict_ms is None
    assert read(t_max_predict_ms=-1).t_max_predict_ms is None
    assert read(t_max_predict_ms=250).t_max_predict_ms == 250.0
    assert read(temperature=-1).temperature == 0
    assert read(n_indent=-1).n_indent == 0
    assert read(n_probs=-1).n_probs == 0
    assert read(n_probs=1000).n_probs == MOST_PROBS
    assert read(n_cmpl=3).n == read(n_cmpl=3, n=2).n == 3
    assert read(model="").model is None
    assert read(stop="one").stop == ("one",)
    assert read(input_extra=[{"text": "t"}, {"filename": None, "text": "u"}]).input_extra == (("", "t"), ("", "u"))
    # What was typed after the prefix stands behind it.
    assert read(input_prefix="def f():\n", prompt="    ret").input_prefix == "def f():\n    ret"


@pytest.mark.parametrize(
    ("samplers", "is_used"),
    [
        (["top_k", "temperature"], True),
        (["temp"], True),
        (["top_k", "top_p", "infill"], False),
        ([], False),
        ("edkypmxt", True),
        ("kp", False),
        ("", False),
        (None, True),
    ],
)
def test_a_temperature_counts_where_the_samplers_have_it(samplers: object, is_used: bool) -> None:
    request = InfillRequest.from_json({"temperature": 0.8, "samplers": samplers})
    assert request.temperature == (0.8 if is_used else 0.0)
    assert InfillRequest.from_json({"samplers": ["temperature"]}).temperature == 0.0


def test_llama_vims_recorded_requests_are_accepted() -> None:
    bodies = [json.loads(line)["body"] for line in RECORDED.read_text().splitlines()]
    warm, warmer, first, typed = map(InfillRequest.from_json, bodies)
    assert warm.n_predict == warmer.n_predict == 0
    assert warm.response_fields == ("",)
    assert len(warmer.input_extra) == 2
    assert first.n_predict == typed.n_predict == 128
    assert typed.input_prefix == first.input_prefix + "    ret"
    assert first.t_max_predict_ms == 250.0
    assert first.top_p == 0.9
    assert first.model is None
    assert not first.stream
    assert "timings/prompt_n" in first.response_fields
