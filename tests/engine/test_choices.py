"""Several alternatives in one decode: each is what it would be alone, and they leave nothing behind."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence

import pytest
import torch
from hashed_model import END, WORDS, hashed_engine
from hashed_model import greedy as hashed_greedy
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import (
    LAYERS,
    Answer,
    Broken,
    Recorder,
    Scripted,
    answer,
    assert_store_true,
    breaking,
    logits_after,
    plain_greedy,
)

from aigc_lsp.engine import generate
from aigc_lsp.engine.generate import Choice, Engine, Request
from aigc_lsp.engine.sampling import Sampling

PROMPT = [(7 * n) % 300 for n in range(11)]


def first_tokens(engine: Engine, tokens: Sequence[int], count: int, allowed: Sequence[int] | None = None) -> list[int]:
    logits = logits_after(engine.model, tokens)
    return sorted(range(len(logits)) if allowed is None else allowed, key=lambda id: -float(logits[id]))[:count]


def mean_logprob(engine: Engine, tokens: Sequence[int], said: Sequence[int]) -> float:
    with torch.inference_mode():
        logits = engine.model.reference(torch.tensor([[*tokens, *said]]), use_cache=False).logits[0].float()
    logprobs = logits[len(tokens) - 1 : -1].log_softmax(1)
    return sum(float(logprobs[place, token]) for place, token in enumerate(said)) / len(said)


def spelled(engine: Engine, tokens: Sequence[int]) -> bytes:
    return b"".join(map(engine.vocabulary.bytes_of, tokens))


def text_of(engine: Engine, tokens: Sequence[int]) -> str:
    """Without the part of a character at the end."""
    return codecs.getincrementaldecoder("utf-8")("replace").decode(spelled(engine, tokens))


def ids(engine: Engine, *spellings: bytes) -> list[int]:
    by_bytes = {engine.vocabulary.bytes_of(id): id for id in range(len(engine.vocabulary))}
    return [by_bytes[spelling] for spelling in spellings]


def alternatives(given: Answer) -> tuple[Choice, ...]:
    """The outcome's, which are ranked, distinct, and the first of which is the answer."""
    found = given.outcome.choices
    assert len({choice.text for choice in found}) == len(found)
    assert [choice.mean_logprob for choice in found] == sorted((choice.mean_logprob for choice in found), reverse=True)
    assert len({choice.tokens[:1] for choice in found}) == len(found)
    if found[0].text:
        (piece,) = given.pieces
        assert (piece.text, piece.tokens) == (found[0].text, found[0].tokens)
        assert sum(piece.logprobs) / len(piece.logprobs) == pytest.approx(found[0].mean_logprob)
    else:
        assert (given.pieces, len(found)) == ([], 1)
    assert given.outcome.stop_reason == found[0].stop_reason
    assert bool(given.outcome.stopping_word) == (found[0].stop_reason == "word")
    return found


# --- what they say


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("chunk", [3, 256])
def test_each_is_greedy_after_its_own_first_token(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, count: int, chunk: int
) -> None:
    monkeypatch.setattr(generate, "CHUNK", chunk)
    for prompt in (PROMPT, [*PROMPT[:6], 9, 9], [4], PROMPT):
        firsts = first_tokens(engine, prompt, count)
        expected = {(token, *plain_greedy(engine.model, [*prompt, token], 5)) for token in firsts}
        found = alternatives(answer(engine, Request(tuple(prompt), max_tokens=6, choices=count)))
        assert {choice.tokens for choice in found} <= expected
        assert {choice.text for choice in found} == {text_of(engine, said) for said in expected} - {""}
        for choice in found:
            assert choice.stop_reason == "limit"
            assert choice.mean_logprob == pytest.approx(mean_logprob(engine, prompt, choice.tokens), abs=1e-4)
        assert_store_true(engine)
        assert engine.store.branches[-1].tokens == prompt


def test_of_one_token_the_likeliest_is_the_single_answer(engine: Engine, chosen: Recorder) -> None:
    prompt = next(
        prompt
        for prompt in ([*PROMPT, token] for token in range(300))
        if spelled(engine, first_tokens(engine, prompt, 1)).decode("ascii", "ignore")
    )
    single = answer(engine, Request(prompt, max_tokens=1))
    found = alternatives(answer(engine, Request(prompt, max_tokens=1, choices=4)))
    assert list(found[0].tokens) == chosen.tokens == single.tokens
    assert found[0].mean_logprob == pytest.approx(chosen.logprobs[0], abs=1e-5)


@given(
    prompt=st.lists(st.integers(0, WORDS - 2), min_size=1, max_size=12),
    count=st.integers(2, 20),
    limit=st.integers(1, 7),
    stop=st.lists(st.sampled_from(["\n", "ab", "dd", "ba\n"]), max_size=2, unique=True),
    heal=st.sampled_from([b"", b"", b"a", b"ab", b"abcd", b"\n"]),
    chunk=st.sampled_from([1, 3, 256]),
)
def test_on_a_model_whose_text_is_known(
    prompt: list[int], count: int, limit: int, stop: list[str], heal: bytes, chunk: int
) -> None:
    """Each alternative as a single request would go on behind its first token: limit, stops, the end, healing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "CHUNK", chunk)
        engine = hashed_engine()
        request = Request(prompt, heal, limit, frozenset({END}), tuple(stop), choices=count)
        found = alternatives(answer(engine, request))
        assert engine.store.branches[-1].tokens == prompt
        allowed = engine.vocabulary.consistent(heal).tolist() if heal else list(range(WORDS))
        assert 1 <= len(found) <= min(count, len(allowed))
        for choice in found:
            if not choice.tokens:
                assert (choice.text, choice.stop_reason) == ("", "eos")
                continue
            assert choice.tokens[0] in allowed
            data = spelled(engine, choice.tokens)
            assert data.startswith(heal)
            beyond = data[len(heal) :].decode()
            text, cuts = beyond, [at for word in stop if (at := beyond.find(word)) >= 0]
            if cuts:
                assert choice.stop_reason == "word"
                text = beyond[: min(cuts)]
            else:
                assert choice.stop_reason in ("limit", "eos")
            assert choice.text == text
            if not heal:
                said = list(choice.tokens) + [END] * (choice.stop_reason == "eos")
                assert said == [said[0], *hashed_greedy([*prompt, said[0]], len(said) - 1)]
                assert choice.stop_reason != "limit" or len(choice.tokens) == limit


def test_distinct_texts_only(scripted: Scripted) -> None:
    """The same text in one token and in two is told once, as the likelier one said it."""
    end = scripted.vocabulary.control("<|im_end|>")
    both, i, t, x, line = ids(scripted, b"it", b"i", b"t", b"x", b"\n")
    request = Request([1], max_tokens=5, stop=("\n",), stop_tokens=frozenset({end}), choices=3)
    scripted.script([i, both, x], [t], [end], [line], [line])
    found = {choice.text: choice for choice in alternatives(answer(scripted, request))}
    assert set(found) == {"it", "x"}
    assert found["x"].tokens == (x, line)
    # Three tokens, one of them the first, are likelier on average than the second one alone.
    assert found["it"].tokens == (i, t, line)


def test_an_empty_alternative_is_told_only_where_there_is_no_other(scripted: Scripted) -> None:
    end = scripted.vocabulary.control("<|im_end|>")
    a, line = ids(scripted, b"a", b"\n")
    request = Request([1], max_tokens=1, stop=("\n",), stop_tokens=frozenset({end}), choices=3)
    scripted.script([end, line, a])
    assert [choice.text for choice in alternatives(answer(scripted, request))] == ["a"]
    scripted.script([end, line])
    given = answer(scripted, Request([1], max_tokens=1, stop=("\n",), stop_tokens=frozenset({end}), choices=2))
    assert [choice.text for choice in alternatives(given)] == [""]
    assert given.pieces == []


@pytest.mark.parametrize("heal", [b"    re", b"self.lef", "日".encode(), b"r"])
def test_every_alternative_heals(engine: Engine, heal: bytes) -> None:
    vocabulary = engine.vocabulary
    found = alternatives(answer(engine, Request(PROMPT, heal=heal, max_tokens=3, choices=4)))
    allowed = vocabulary.consistent(heal).tolist()
    assert {choice.tokens[0] for choice in found} <= set(first_tokens(engine, PROMPT, 4, allowed))
    for choice in found:
        data = spelled(engine, choice.tokens)
        assert data.startswith(heal)
        assert data[len(heal) :].decode("utf-8", "replace").startswith(choice.text)
        tokens, said = list(PROMPT), b""
        for place, token in enumerate(choice.tokens):
            left = heal[len(said) :]
            if place:
                agree = vocabulary.consistent(left).tolist() if left else None
                assert token == first_tokens(engine, tokens, 1, agree)[0]
            tokens.append(token)
            said += vocabulary.bytes_of(token)
    assert_store_true(engine)


def test_more_are_asked_for_than_healing_allows(engine: Engine) -> None:
    allowed = engine.vocabulary.consistent(b"self.lef").tolist()
    given = answer(engine, Request(PROMPT, heal=b"self.lef", max_tokens=2, choices=len(allowed) + 5))
    assert 1 <= len(alternatives(given)) <= len(allowed)


def test_the_drafted_healing_makes_no_difference(new_engine: Callable[..., Engine]) -> None:
    with_draft, without = new_engine(), new_engine()
    draft = with_draft.vocabulary.encode("self.lef")
    request = Request(PROMPT, heal=b"self.lef", max_tokens=3, choices=3)
    found = alternatives(answer(with_draft, Request(PROMPT, heal=b"self.lef", max_tokens=3, choices=3, draft=draft)))
    assert [choice.tokens for choice in found] == [choice.tokens for choice in alternatives(answer(without, request))]
    assert with_draft.store.branches[-1].tokens == PROMPT
    assert_store_true(with_draft)


def test_no_tokens_wanted_only_warms(engine: Engine) -> None:
    given = answer(engine, Request(PROMPT, max_tokens=0, choices=3))
    assert (given.pieces, given.outcome.stop_reason, given.outcome.choices) == ([], "limit", ())
    assert engine.store.branches[-1].tokens == PROMPT


def test_sampled_alternatives_follow_their_seed(new_engine: Callable[..., Engine]) -> None:
    def said(seed: int) -> list[tuple[int, ...]]:
        request = Request(PROMPT, max_tokens=6, choices=3, sampling=Sampling(1.5, seed=seed))
        return [choice.tokens for choice in alternatives(answer(new_engine(), request))]

    assert said(3) == said(3)
    assert len({tuple(said(seed)) for seed in range(4)}) > 1


# --- when each stops


def test_each_stops_by_itself(scripted: Scripted) -> None:
    end = scripted.vocabulary.control("<|im_end|>")
    a, b, c, d, line = ids(scripted, b"a", b"b", b"c", b"d", b"\n")
    request = Request([1], max_tokens=3, stop=("\n",), stop_tokens=frozenset({end}), choices=3)
    scripted.script([a, b, c], [end], [line], [d], [d])
    found = {choice.text: choice for choice in alternatives(answer(scripted, request))}
    assert {text: choice.stop_reason for text, choice in found.items()} == {"a": "eos", "b": "word", "cdd": "limit"}
    assert {text: choice.tokens for text, choice in found.items()} == {"a": (a,), "b": (b, line), "cdd": (c, d, d)}


def test_the_word_that_stopped_is_the_first_ones(scripted: Scripted) -> None:
    """Two say the same text: one by a stop string, one by the end. What is told is all of the same one."""
    end = scripted.vocabulary.control("<|im_end|>")
    both, i, t, line = ids(scripted, b"it", b"i", b"t", b"\n")
    request = Request([1], max_tokens=5, stop=("\n",), stop_tokens=frozenset({end}), choices=2)
    for firsts in ([i, both], [both, i]):
        for ends in ({i: end, both: line}, {i: line, both: end}):
            rest = [[t] if first == i else [ends[both]] for first in firsts]
            scripted.script(firsts, *rest, [ends[i]])
            given = answer(scripted, request)
            (choice,) = alternatives(given)
            assert choice.text == "it"
            by_word = line in choice.tokens
            assert by_word == (ends[choice.tokens[0]] == line)
            assert choice.stop_reason == ("word" if by_word else "eos")
            assert given.outcome.stopping_word == ("\n" if by_word else "")


@pytest.mark.parametrize("by_word", [True, False])
def test_the_second_to_begin_may_be_the_likeliest(scripted: Scripted, by_word: bool) -> None:
    """It says the same as the first, in more tokens that are surer: its tokens are told, and why it ended."""
    end = scripted.vocabulary.control("<|im_end|>")
    both, i, t, x, line = ids(scripted, b"it", b"i", b"t", b"x", b"\n")
    last, other = (line, end) if by_word else (end, line)
    request = Request([1], max_tokens=8, stop=("\n",), stop_tokens=frozenset({end}), choices=2)
    unsure = [both, x, end]
    scripted.script([both, i], unsure, [t], unsure, [i], [other], [t], [i], [t], [last])
    given = answer(scripted, request)
    (choice,) = alternatives(given)
    assert choice.text == "ititit"
    assert choice.tokens == (i, t, i, t, i, t, *([line] if by_word else []))
    assert given.outcome.stopping_word == ("\n" if by_word else "")


def test_the_deadline_ends_them_all_with_what_was_held_back(scripted: Scripted) -> None:
    a, dash = ids(scripted, b"a", b"-")
    scripted.script([a, dash])
    given = answer(scripted, Request([1], stop=("-->",), deadline_ms=0, choices=2))
    found = alternatives(given)
    assert {choice.text: choice.stop_reason for choice in found} == {"a": "deadline", "-": "deadline"}


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_a_deadline_on_the_way(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    asked = iter(range(100))
    monkeypatch.setattr(generate.Run, "late", lambda run: next(asked) >= steps - 1)
    found = alternatives(answer(hashed_engine(), Request([0, 1, 2], max_tokens=8, choices=3)))
    for choice in found:
        assert choice.stop_reason == "deadline"
        assert list(choice.tokens) == [choice.tokens[0], *hashed_greedy([0, 1, 2, choice.tokens[0]], steps - 1)]


def test_a_stop_string_begun_is_told_at_the_limit(scripted: Scripted) -> None:
    a, dash = ids(scripted, b"a", b"-")
    scripted.script([a, dash], [dash], [dash])
    found = alternatives(answer(scripted, Request([1], stop=("-->",), max_tokens=2, choices=2)))
    assert {choice.text for choice in found} == {"a-", "--"}


def test_no_part_of_a_character_is_told(scripted: Scripted) -> None:
    a, half = ids(scripted, b"a", b"\xf0")
    scripted.script([a, half], [half], [a])
    found = alternatives(answer(scripted, Request([1], max_tokens=2, choices=2)))
    assert {choice.text for choice in found} == {"a", "\ufffda"}


# --- what it costs, and what it leaves


def test_as_many_passes_as_the_longest_takes() -> None:
    engine = hashed_engine()
    answer(engine, Request([0, 1, 2, 3], max_tokens=0))
    for count, limit in ((2, 5), (5, 5), (12, 3), (3, 1)):
        engine.model.passes.clear()
        answer(engine, Request([0, 1, 2, 3], max_tokens=limit, choices=count))
        assert engine.model.passes == [1] + [count] * (limit - 1)


def test_who_has_stopped_is_not_read_on(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    end = scripted.vocabulary.control("<|im_end|>")
    a, b, c = ids(scripted, b"a", b"b", b"c")
    passes: list[int] = []
    forward = scripted.forward
    monkeypatch.setattr(
        scripted,
        "forward",
        lambda branch, tokens, *rest, **more: (passes.append(len(tokens)), forward(branch, tokens, *rest, **more))[1],
    )
    scripted.script([a, b, c], [end], [a], [b], [b], [end], [c])
    answer(scripted, Request([1], max_tokens=4, stop_tokens=frozenset({end}), choices=3))
    assert passes == [1, 3, 2, 1]


def goes_on(engine: Engine, chosen: Recorder) -> None:
    """The store is true, holds the prompt and no more, and answers as ever."""
    assert_store_true(engine)
    held = engine.store.branches[-1].tokens
    assert held == PROMPT[: len(held)]
    for prompt in ([*PROMPT[:9], 5, 6], PROMPT):
        chosen.clear()
        answer(engine, Request(tuple(prompt), max_tokens=3))
        assert chosen.tokens == plain_greedy(engine.model, prompt, 3)
    assert_store_true(engine)


@pytest.mark.parametrize("heal", [b"", b"self.lef"])
def test_cancelled_at_every_step(
    new_engine: Callable[..., Engine], chosen: Recorder, monkeypatch: pytest.MonkeyPatch, heal: bytes
) -> None:
    monkeypatch.setattr(generate, "CHUNK", 4)
    for kth in range(100):
        engine, asked = new_engine(), iter(range(1000))
        request = Request(PROMPT, heal=heal, max_tokens=4, choices=3, draft=[8, 9])
        given = answer(engine, request, lambda asked=asked, kth=kth: next(asked) >= kth)  # type: ignore[misc]
        was_cancelled = given.outcome.stop_reason == "cancelled"
        assert next(asked) == kth + was_cancelled
        if was_cancelled:
            assert (given.pieces, given.outcome.choices) == ([], ())
        goes_on(engine, chosen)
        if not was_cancelled:
            break
    assert kth >= 3 * (1 + LAYERS) + 3


@pytest.mark.parametrize("after", [False, True])
def test_an_error_in_every_pass(
    new_engine: Callable[..., Engine], chosen: Recorder, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    monkeypatch.setattr(generate, "CHUNK", 4)
    for nth in range(1, 3 + 3 + 1):
        engine = new_engine()
        with breaking(engine.model, 1, nth, after) as calls, pytest.raises(Broken):
            answer(engine, Request(PROMPT, max_tokens=4, choices=3))
        assert len(calls) == nth
        goes_on(engine, chosen)


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_closed_at_every_piece(engine: Engine, chosen: Recorder, taken: int) -> None:
    run = engine.generate(Request(PROMPT, max_tokens=4, choices=3))
    for _ in range(taken):
        next(run)
    run.close()
    if taken:
        goes_on(engine, chosen)


def test_they_are_asked_for_beside_other_documents(engine: Engine, chosen: Recorder) -> None:
    """Single answers, with drafts, and several, in turn: none disturbs the other."""
    prompts: Iterator[list[int]] = iter([PROMPT, [5, 6, 7] * 4, PROMPT[:7], [*PROMPT, 3], [5, 6, 7] * 5, PROMPT])
    for number, prompt in enumerate(prompts):
        chosen.clear()
        answer(engine, Request(prompt, max_tokens=5, choices=1 + 2 * (number % 2)))
        if number % 2 == 0:
            assert chosen.tokens == plain_greedy(engine.model, prompt, 5)
        assert all(token >= 0 for branch in engine.store.branches for token in branch.tokens)
        assert_store_true(engine)
