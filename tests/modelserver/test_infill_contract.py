"""What llama.vim and llama.vscode send, over a real socket, and whether what they read of the answer is there.

`tests/fixtures/peers/` says where their requests were read. And llama.cpp's own rules for the fields that they use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_server import MODEL, TinyHost, raw_client, served, wait_until

from aigc_lsp import catalogue
from aigc_lsp.engine.generate import Outcome, Piece, Timings
from aigc_lsp.modelserver.answer import Ending
from aigc_lsp.modelserver.infill import Outdent, outdented

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "peers").glob("llama.*.json"))
CASES = [
    pytest.param(case, id=f"{peer['peer'].split('/')[1]}: {case['name']}")
    for peer in (json.loads(path.read_text(encoding="utf-8")) for path in FIXTURES)
    for case in peer["requests"]
]
HOLE = {"input_prefix": "def add(a, b):\n    ", "input_suffix": "\n", "n_predict": 12, "heal": False}


@pytest.fixture(scope="module")
def host() -> TinyHost:
    return TinyHost()


@pytest.fixture(scope="module")
def socket(host: TinyHost) -> Iterator[Path]:
    with served(host) as path:
        yield path


def is_of(kind: str, value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "text": isinstance(value, str),
        "flag": isinstance(value, bool),
        "number": number,
        "count": number and isinstance(value, int) and value >= 0,
    }[kind]


def at(answer: Any, path: str) -> Any:
    """As a plugin goes down: by names, and by places in lists."""
    for name in path.split("."):
        answer = answer[int(name)] if isinstance(answer, list) else answer[name]
    return answer


def events(text: str) -> list[Any]:
    lines = [line for line in text.split("\n") if line.strip()]
    assert all(line.startswith("data: ") for line in lines)
    assert lines.pop() == "data: [DONE]"
    return [json.loads(line[6:]) for line in lines]


async def send(http: httpx.AsyncClient, case: dict[str, Any]) -> httpx.Response:
    if case["body"] is None:
        return await http.get(case["path"])
    # The tiny tokens have one byte each: healing would leave no choice.
    heal = {"heal": False} if case.get("is_list") else {}
    return await http.post(case["path"], json=case["body"] | heal)


@pytest.mark.parametrize("case", CASES)
async def test_what_the_plugins_read_is_there(http: httpx.AsyncClient, case: dict[str, Any]) -> None:
    response = await send(http, case)
    assert response.status_code == 200, response.text
    if (case["body"] or {}).get("stream"):
        answers = [event for event in events(response.text) if at(event, "choices.0.delta")]
    elif case.get("is_list"):
        answers = response.json()
        assert isinstance(answers, list)
        assert 1 < len({answer["content"] for answer in answers}) <= case["body"]["n_cmpl"]
    else:
        answers = [response.json()]
    assert answers
    for answer in answers:
        for path, kind in case["reads"].items():
            assert is_of(kind, at(answer, path)), (path, at(answer, path))
    if pattern := case.get("looks_for"):
        assert re.search(pattern, response.text)


@pytest.mark.parametrize("case", [case for case in CASES if case.values[0]["body"] is not None])
async def test_unknown_fields_change_nothing(http: httpx.AsyncClient, case: dict[str, Any]) -> None:
    assert (await send(http, case | {"body": case["body"] | {"of_tomorrow": {"a": [1]}}})).status_code == 200


async def test_the_fixtures_are_there() -> None:
    assert len(CASES) == 10


async def test_a_request_for_no_tokens_reads_ahead(http: httpx.AsyncClient) -> None:
    """As both plugins send their chunks: what is read then is not read again."""
    extra = [{"filename": "u.py", "text": "import math\n" * 10}]
    ahead = {"input_prefix": "", "input_suffix": "", "input_extra": extra, "n_predict": 0, "t_max_predict_ms": 1}
    first = (await http.post("/infill", json=ahead)).json()
    assert (first["content"], first["timings"]["predicted_n"]) == ("", 0)
    again = (await http.post("/infill", json=HOLE | {"input_extra": extra, "n_predict": 2})).json()
    assert again["tokens_cached"] > 120


async def test_the_list_of_answers_is_the_choices(http: httpx.AsyncClient) -> None:
    ours = (await http.post("/infill", json=HOLE | {"n": 3})).json()
    theirs = (await http.post("/infill", json=HOLE | {"n_cmpl": 3})).json()
    assert [answer["content"] for answer in theirs] == [choice["content"] for choice in ours["choices"]]
    assert [answer["index"] for answer in theirs] == [0, 1, 2]
    assert all(answer["stop"] and "choices" not in answer for answer in theirs)
    fields = await http.post("/infill", json=HOLE | {"n_cmpl": 2, "response_fields": ["content", "timings/prompt_n"]})
    assert [set(answer) for answer in fields.json()] == [{"content", "timings/prompt_n"}] * 2
    assert isinstance((await http.post("/infill", json=HOLE | {"n_cmpl": 1})).json(), dict)


async def test_each_answer_of_a_list_has_its_own_probabilities(http: httpx.AsyncClient) -> None:
    answers = (await http.post("/infill", json=HOLE | {"n_cmpl": 3, "n_probs": 2})).json()
    for answer in answers:
        told = answer["completion_probabilities"]
        assert "".join(entry["token"] for entry in told) == answer["content"]
    assert len({json.dumps(answer["completion_probabilities"]) for answer in answers}) == len(answers) > 1
    for answer in (await http.post("/infill", json=HOLE | {"n_cmpl": 2})).json():
        assert answer["completion_probabilities"] == []


async def test_the_settings_and_the_model_are_told(http: httpx.AsyncClient) -> None:
    answer = (await http.post("/infill", json=HOLE | {"stop": ["\n\n"], "n_indent": 2})).json()
    assert answer["model"] == MODEL
    assert answer["generation_settings"]["n_ctx"] == catalogue.load(MODEL).context_length
    assert answer["generation_settings"]["n_indent"] == 2
    assert answer["generation_settings"]["stop"] == ["\n\n"]


async def test_the_likeliest_tokens_are_told_where_asked_for(http: httpx.AsyncClient) -> None:
    answer = (await http.post("/infill", json=HOLE | {"n_probs": 4})).json()
    assert len(answer["completion_probabilities"]) == 12
    for entry in answer["completion_probabilities"]:
        tops = entry["top_logprobs"]
        assert len(tops) == 4
        assert tops[0] == {name: entry[name] for name in ("id", "token", "logprob", "bytes")}  # it was greedy
        assert [top["logprob"] for top in tops] == sorted((top["logprob"] for top in tops), reverse=True)
        assert bytes(entry["bytes"]).decode() == entry["token"]
    assert "".join(entry["token"] for entry in answer["completion_probabilities"]) == answer["content"]
    plain = (await http.post("/infill", json=HOLE)).json()
    assert plain["content"] == answer["content"]
    assert not any("top_logprobs" in entry for entry in plain["completion_probabilities"])


# --- n_indent


OUTDENTED = [
    ("rn a", 4, "rn a"),
    ("rn a\n    b\n        c", 4, "rn a\n    b\n        c"),
    ("rn a\n    b\n  c\n    d", 4, "rn a\n    b"),
    ("rn a\nb", 4, "rn a"),
    ("\nb", 1, ""),
    ("rn a\n\n    b\n", 4, "rn a\n\n    b\n"),  # an empty line is no line
    ("rn a\n\n\nb", 4, "rn a\n\n"),
    ("rn a\n\tb\nc", 1, "rn a\n\tb"),
    ("rn a\r\n    b\r\nc", 4, "rn a\r\n    b"),
    ("rn a\n   ", 4, "rn a\n   "),
    ("  x", 4, "  x"),
    ("a\nb", 0, "a\nb"),
]


@pytest.mark.parametrize(("text", "n_indent", "kept"), OUTDENTED)
def test_the_first_line_that_is_less_indented_ends_the_text(text: str, n_indent: int, kept: str) -> None:
    assert outdented(text, n_indent) == kept


TIMINGS = Timings(1, 0, 1, 0.0, 0.0)


def told(pieces: list[str], n_indent: int) -> tuple[str, str, bool]:
    """What a client is told of `pieces`, how it ends, and whether the engine was told to stop."""
    cut, text = Outdent(n_indent), ""
    for piece in pieces:
        for event in cut.pieces(Piece(piece, (1,), (0.0,), TIMINGS)):
            assert isinstance(event, Piece)
            text += event.text
    is_over = cut.is_over
    *rest, last = cut.pieces(Ending("cancelled" if is_over else "eos"))
    assert isinstance(last, Ending)
    return text + "".join(event.text for event in rest if isinstance(event, Piece)), last.stop_type, is_over


@given(st.text("a \t\n\r", max_size=12), st.integers(1, 3), st.lists(st.integers(0, 12), max_size=4))
def test_it_is_the_same_however_the_text_comes(text: str, n_indent: int, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(edges)]
    kept = outdented(text, n_indent)
    assert told(pieces, n_indent) == (kept, "eos" if kept == text else "limit", kept != text)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_line_that_is_less_indented_frees_the_engine(stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    host = TinyHost()

    def generate(request: Any, cancelled: Callable[[], bool]) -> Iterator[Any]:
        for text in ["return a", "\n", "    b", "\nc"]:
            yield Piece(text, (1,), (-0.5,), TIMINGS)
        wait_until(cancelled, "nobody told the engine to stop")
        yield Outcome("cancelled", "", TIMINGS)

    with served(host) as path:
        monkeypatch.setattr(host.engine, "generate", generate)
        async with raw_client(path) as http:
            response = await http.post("/infill", json=HOLE | {"n_indent": 4, "stream": stream})
        monkeypatch.undo()
    if stream:
        answers = [json.loads(block[6:]) for block in response.text.split("\n\n") if block]
        assert "".join(answer["content"] for answer in answers) == "return a\n    b"
    else:
        answers = [response.json()]
        assert answers[0]["content"] == "return a\n    b"
    assert answers[-1]["stop_type"] == "limit"
