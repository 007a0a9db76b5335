"""The decode loop: when it stops, what it yields, and how it chooses."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import LAYERS, Recorder, Scripted, answer, assert_store_true, logits_after, plain_greedy

from aigc_lsp.engine.generate import CHUNK, Engine, Request
from aigc_lsp.engine.sampling import Sampling, choose
from aigc_lsp.engine.stream import TextStream

EMOJI = [bytes([byte]) for byte in "🎉".encode()]


def letters(text: str) -> list[bytes]:
    return [bytes([byte]) for byte in text.encode()]


# --- stops


def test_the_end_token_ends_and_says_nothing(scripted: Scripted) -> None:
    end = scripted.vocabulary.control("<|im_end|>")
    scripted.say(b"a", b"b", end, b"c")
    given = answer(scripted, Request([1], stop_tokens=frozenset({end})))
    assert (given.text, given.outcome.stop_reason, given.outcome.stopping_word) == ("ab", "eos", "")
    assert len(given.tokens) == given.outcome.timings.generated_tokens == 2


def test_the_end_token_at_once(scripted: Scripted) -> None:
    scripted.say(3)
    given = answer(scripted, Request([1], stop_tokens=frozenset({3})))
    assert (given.pieces, given.outcome.stop_reason) == ([], "eos")


STOPS = {
    "within a token": ([b"def", b" return"], (" re",), "def", " re"),
    "inside the only token": ([b" return"], ("tu",), " re", "tu"),
    "over three tokens": (letters("ab--->c"), ("--->",), "ab", "--->"),
    "found at once": (letters("\nabc"), ("\n",), "", "\n"),
    "begun, then something else": (letters("--x--->"), ("--->",), "--x", "--->"),
    "begun twice": (letters("aab"), ("ab",), "a", "ab"),
    "overlapping itself": (letters("xababac"), ("abac",), "xab", "abac"),
    "the earlier of two": (letters("abcd"), ("cd", "b"), "a", "b"),
    "two in one token": ([b" return"], ("urn", "et"), " r", "et"),
    "one is the other's beginning": (letters("a\n\n"), ("\n\n", "\n"), "a", "\n"),
    "of several bytes": (letters("né🎉x"), ("🎉",), "né", "🎉"),
    "an empty one is none": (letters("ab."), ("", "."), "ab", "."),
}


@pytest.mark.parametrize("case", STOPS)
def test_stop_strings(scripted: Scripted, case: str) -> None:
    tokens, stop, text, word = STOPS[case]
    scripted.say(*tokens)
    given = answer(scripted, Request([1], max_tokens=len(tokens), stop=stop))
    assert (given.text, given.outcome.stop_reason, given.outcome.stopping_word) == (text, "word", word)
    assert all(piece.text for piece in given.pieces)
    assert_store_true(scripted)


def test_what_may_become_a_stop_string_is_held_back(scripted: Scripted) -> None:
    scripted.say(*letters("a--b--"), 3)
    given = answer(scripted, Request([1], stop=("--->",), stop_tokens=frozenset({3})))
    assert [piece.text for piece in given.pieces] == ["a", "--b", "--"]
    assert [len(piece.tokens) for piece in given.pieces] == [1, 3, 2]
    assert given.outcome.stop_reason == "eos"


@pytest.mark.parametrize("reason", ["limit", "deadline", "eos"])
def test_what_was_held_back_comes_in_the_end(scripted: Scripted, reason: str) -> None:
    scripted.say(b"-", 3)
    request = {
        "limit": Request([1], stop=("-->",), max_tokens=1),
        "deadline": Request([1], stop=("-->",), deadline_ms=0),
        "eos": Request([1], stop=("-->",), stop_tokens=frozenset({3})),
    }[reason]
    given = answer(scripted, request)
    assert (given.text, given.outcome.stop_reason) == ("-", reason)


def run_stream(data: bytes, stop: tuple[str, ...], cuts: list[int]) -> tuple[str, str, str]:
    """What came before the end, what was held back, and the stop string that was found."""
    stream, text, edges = TextStream(stop), "", [0, *sorted(cuts), len(data)]
    for start, end in pairwise(edges):
        text += stream.feed(data[start:end])
        if stream.stopping_word:
            return text, "", stream.stopping_word
    return text, stream.flush(), ""


CUTS = st.lists(st.integers(0, 12), max_size=6)
WORDS = st.text("ab\né", min_size=1, max_size=4)


@given(st.text("ab\né🙂", max_size=12), WORDS, CUTS)
def test_one_stop_string_is_found_however_the_text_arrives(text: str, word: str, cuts: list[int]) -> None:
    data = text.encode()
    found, held, stopping_word = run_stream(data, (word,), [min(cut, len(data)) for cut in cuts])
    assert found + held == text.partition(word)[0]
    assert stopping_word == (word if word in text else "")


@given(st.text("ab\né🙂", max_size=12), st.lists(WORDS, max_size=3), CUTS)
def test_nothing_is_shown_that_holds_or_begins_a_stop_string(text: str, stop: list[str], cuts: list[int]) -> None:
    data = text.encode()
    found, held, stopping_word = run_stream(data, tuple(stop), [min(cut, len(data)) for cut in cuts])
    assert not any(word in found + held for word in stop)
    if stopping_word:
        assert text.startswith(found + stopping_word)
    else:
        assert found + held == text
        assert not any(found.endswith(word[:n]) for word in stop for n in range(1, len(word)) if held == "")


# --- limits


def test_no_tokens_wanted_only_warms(engine: Engine) -> None:
    tokens = tuple(range(30))
    warm = answer(engine, Request(tokens, max_tokens=0))
    assert (warm.pieces, warm.outcome.stop_reason) == ([], "limit")
    assert (warm.outcome.timings.generated_tokens, warm.outcome.timings.reused_tokens) == (0, 0)
    timings = answer(engine, Request(tokens, max_tokens=1)).outcome.timings
    assert (timings.prompt_tokens, timings.reused_tokens, timings.generated_tokens) == (30, 29, 1)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_limit(engine: Engine, chosen: Recorder, count: int) -> None:
    given = answer(engine, Request([1, 2, 3], max_tokens=count))
    assert given.outcome.stop_reason == "limit"
    assert given.outcome.timings.generated_tokens == len(chosen.tokens) == count
    assert len(engine.store.branches[0].tokens) == 3 + count - 1  # the last one is not read


def test_the_deadline_counts_from_the_first_token(scripted: Scripted) -> None:
    scripted.say(b"a", b"b", b"c")
    given = answer(scripted, Request([1], deadline_ms=0))
    assert (given.text, given.outcome.stop_reason) == ("a", "deadline")
    scripted.say(b"a", b"b", b"c")
    given = answer(scripted, Request([1], deadline_ms=1e9, max_tokens=3))
    assert (given.text, given.outcome.stop_reason) == ("abc", "limit")


def test_a_prompt_may_be_one_token(engine: Engine, chosen: Recorder) -> None:
    answer(engine, Request((5,), max_tokens=3))
    assert chosen.tokens == plain_greedy(engine.model, [5], 3)


def test_who_is_stopped_while_the_prompt_is_read_has_read_so_much_of_it(scripted: Scripted) -> None:
    prompt = [1 + n % 400 for n in range(600)]
    whole = answer(scripted, Request(prompt, max_tokens=1)).outcome.timings
    assert (whole.prompt_tokens, whole.reused_tokens) == (600, 0)
    for chunks in (0, 1, 2):
        scripted.store.branches.clear()
        asked = iter([False] * (chunks * (1 + LAYERS)) + [True] * 5)
        timings = answer(scripted, Request(prompt, max_tokens=1), lambda asked=asked: next(asked)).outcome.timings
        assert (timings.prompt_tokens - timings.reused_tokens, chunks) == (min(600, chunks * CHUNK), chunks)


# --- characters


@pytest.mark.parametrize("reason", ["limit", "deadline", "eos", "word", "cancelled", "closed"])
@pytest.mark.parametrize("whole", [0, 1, 2, 3])
def test_no_part_of_a_character_is_shown(scripted: Scripted, whole: int, reason: str) -> None:
    said = [b"a", *EMOJI[:whole]]
    likes = {"eos": [*said, 3], "word": [*said, b"-"]}.get(reason, said)
    scripted.say(*likes)
    asked = iter([False] * (1 + LAYERS + whole) + [True] * 2)  # the prompt's chunk, its layers, then each token
    request = Request(
        [1],
        max_tokens=len(said) if reason == "limit" else 10,
        stop=("-",),
        stop_tokens=frozenset({3}),
        deadline_ms=0 if reason == "deadline" else None,
    )
    if reason == "closed":
        run = scripted.generate(request)
        texts = [next(run).text]
        run.close()
    else:
        given = answer(scripted, request, (lambda: next(asked)) if reason == "cancelled" else lambda: False)
        assert given.outcome.stop_reason == reason
        texts = [piece.text for piece in given.pieces]
    if reason == "word":  # here the character is broken by what follows, and the model's error is shown as one
        assert texts[0] == "a"
        assert "".join(texts)[1:] == "\ufffd" * (whole > 0)
    else:
        assert texts == ["a"]


def test_a_character_comes_when_it_is_whole(scripted: Scripted) -> None:
    scripted.say(b"a", *EMOJI, b"b")
    given = answer(scripted, Request([1], max_tokens=6))
    assert [piece.text for piece in given.pieces] == ["a", "🎉", "b"]
    assert [len(piece.tokens) for piece in given.pieces] == [1, 4, 1]


# --- log-probabilities


def test_log_probabilities(engine: Engine, chosen: Recorder) -> None:
    rng = random.Random(2)
    for sampling in (Sampling(), Sampling(0.7, 0.9, seed=1)):
        tokens = [rng.randrange(300) for _ in range(12)]
        chosen.clear()
        answer(engine, Request(tokens, max_tokens=8, sampling=sampling))
        for token, logprob in zip(chosen.tokens, chosen.logprobs, strict=True):
            assert logprob == pytest.approx(float(logits_after(engine.model, tokens).log_softmax(0)[token]), abs=1e-4)
            tokens.append(token)


def test_each_token_has_its_log_probability(scripted: Scripted) -> None:
    scripted.say(*letters("a--b🎉c--"))
    given = answer(scripted, Request([1], max_tokens=11, stop=("--->",)))
    assert given.text == "a--b🎉c--"
    assert [len(piece.tokens) for piece in given.pieces] == [len(piece.logprobs) for piece in given.pieces]
    assert b"".join(map(scripted.vocabulary.bytes_of, given.tokens)).decode() == given.text
    assert len(given.logprobs) == given.outcome.timings.generated_tokens == 11


# --- sampling


def said(engine: Engine, chosen: Recorder, sampling: Sampling) -> list[int]:
    chosen.clear()
    answer(engine, Request([1, 2, 3], max_tokens=6, sampling=sampling))
    return list(chosen.tokens)


def test_a_seed_says_the_same_again(new_engine: Callable[..., Engine], chosen: Recorder) -> None:
    sampling = Sampling(1.0, 1.0, seed=11)
    assert said(new_engine(), chosen, sampling) == said(new_engine(), chosen, sampling)


def test_seeds_differ_and_no_seed_is_random(engine: Engine, chosen: Recorder) -> None:
    assert len({tuple(said(engine, chosen, Sampling(1.0, seed=seed))) for seed in range(5)}) > 1
    assert len({tuple(said(engine, chosen, Sampling(3.0))) for _ in range(5)}) > 1


@pytest.mark.parametrize("top_p", [0.0, 1e-9, 1e-3])
def test_a_tiny_nucleus_is_greedy(engine: Engine, chosen: Recorder, top_p: float) -> None:
    greedy = said(engine, chosen, Sampling())
    assert said(engine, chosen, Sampling(1.0, top_p, seed=1)) == greedy
    assert greedy == plain_greedy(engine.model, [1, 2, 3], 6)


@pytest.mark.parametrize(
    ("top_p", "inside"), [(0.3, {2}), (0.5, {2}), (0.55, {2, 0}), (0.7, {2, 0}), (0.85, {2, 0, 1}), (1.0, {0, 1, 2, 3})]
)
def test_the_nucleus_is_the_smallest_set_that_reaches_top_p(top_p: float, inside: set[int]) -> None:
    logits = torch.tensor([0.25, 0.15, 0.5, 0.1]).log()
    sampling = Sampling(1.0, top_p, seed=4)
    generator = sampling.generator()
    assert {choose(logits, sampling, generator)[0] for _ in range(200)} == inside


def test_temperature_sharpens() -> None:
    logits = torch.tensor([1.0, 0.0])
    counts = []
    for temperature in (0.25, 1.0, 4.0):
        sampling = Sampling(temperature, seed=7)
        generator = sampling.generator()
        counts.append(sum(choose(logits, sampling, generator)[0] == 0 for _ in range(400)))
    expected = [400 * float(torch.tensor(1 / t).sigmoid()) for t in (0.25, 1.0, 4.0)]
    assert counts == pytest.approx(expected, abs=40)


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(2.0, seed=1), Sampling(2.0, 0.5, seed=1)])
def test_only_the_allowed_are_chosen_and_their_probability_is_among_them(sampling: Sampling) -> None:
    logits, allowed = torch.tensor([5.0, 1.0, 0.0, 2.0, 9.0]), torch.tensor([3, 1, 2])
    generator = sampling.generator()
    for _ in range(30):
        token, logprob = choose(logits, sampling, generator, allowed)
        assert token in {1, 2, 3}
        assert logprob == pytest.approx(float(logits[token] - logits[allowed].logsumexp(0)), abs=1e-5)
        if generator is None:
            assert token == 3
