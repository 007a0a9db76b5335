"""Drafts by prompt lookup change nothing but the number of forward passes."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Sequence

import pytest
import torch
from hashed_model import KV_BYTES as HASH_BYTES
from hashed_model import WORDS, HashedModel, greedy, hashed_engine
from hashed_model import assert_true as assert_hashes_true
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import (
    KV_BYTES,
    Broken,
    Recorder,
    answer,
    assert_greedy,
    assert_store_true,
    breaking,
    edits,
    plain_greedy,
    shared,
)

from aigc_lsp.engine import generate, store
from aigc_lsp.engine.generate import STEP_COSTS, Engine, Outcome, Request
from aigc_lsp.engine.lookup import LONGEST, MOST, SHORTEST, WORTH, Lookup, Speculation
from aigc_lsp.engine.sampling import Sampling

FREE = (1.0,) * (MOST + 1)
"""Costs at which a draft is always sent, and always the longest."""

SPECULATION: dict[str, tuple[bool, Sequence[float]]] = {
    "off": (False, STEP_COSTS),
    "on": (True, STEP_COSTS),
    "always": (True, FREE),
}
NEW = 12


def speculating(engine: Engine, how: str) -> Engine:
    engine.speculate, engine.step_costs = SPECULATION[how]
    return engine


def tokens_of(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The tokens of each forward pass from now on."""
    passes: list[list[int]] = []
    forward = engine.forward

    def noted(branch: store.Branch, tokens: Sequence[int], *rest: object, **more: object) -> torch.Tensor:
        passes.append(list(tokens))
        return forward(branch, tokens, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "forward", noted)
    return passes


# --- the same tokens


@pytest.mark.parametrize(
    ("how", "room", "chunk"),
    [("off", 45, 3), ("on", 10_000, 256), ("on", 45, 3), ("always", 0, 7), ("always", 45, 256), ("always", 10_000, 3)],
)
def test_edits_of_texts_that_repeat_themselves(
    new_engine: Callable[..., Engine],
    chosen: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    room: int,
    chunk: int,
) -> None:
    """Reuse, drafts, chunks and eviction together: token for token what plain decoding says."""
    monkeypatch.setattr(generate, "CHUNK", chunk)
    monkeypatch.setattr(store, "GROWTH", 1)
    engine = speculating(new_engine(kv_bytes=room * KV_BYTES), how)
    passes = tokens_of(engine, monkeypatch)
    dice = random.Random(chunk + room)
    rejected = 0
    for tokens in edits(dice, 3, 12):
        could = max((shared(branch.tokens, tokens) for branch in engine.store.branches), default=0)
        chosen.clear()
        passes.clear()
        timings = answer(engine, Request(tuple(tokens), max_tokens=NEW)).outcome.timings
        assert timings.reused_tokens == min(could, len(tokens) - 1)
        assert_greedy(engine.model, tokens, chosen.tokens)
        assert len(chosen.tokens) == timings.generated_tokens == NEW
        assert_store_true(engine)
        rejected += sum(map(len, passes)) - (len(tokens) - timings.reused_tokens) - (NEW - 1)
    assert (rejected > 0) == (how != "off")


PROMPT = [5, 6, 7, 5, 6, 7, 8, 5, 6]
DOCUMENTS = ["none", "right", "half right"]
"""What stands in another document, behind the end of PROMPT: nothing, what is said now, or that with every third token
another one. So drafts are right, or their beginning is, or nothing."""


def engine_beside(new_engine: Callable[..., Engine], how: str, document: str, room: int = 10_000) -> Engine:
    engine = speculating(new_engine(kv_bytes=room * KV_BYTES), how)
    if document != "none":
        said = plain_greedy(engine.model, PROMPT, NEW)
        if document == "half right":
            said = [token if place % 3 < 2 else 400 for place, token in enumerate(said)]
        answer(engine, Request([3, *PROMPT[1:], *said], max_tokens=0))
    return engine


@pytest.mark.parametrize(
    ("how", "document", "room", "chunk"),
    [("on", "right", 10_000, 256), ("always", "half right", 10_000, 3), ("always", "right", 0, 7)],
)
def test_cancelled_at_any_step_and_asked_again(
    new_engine: Callable[..., Engine],
    chosen: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    document: str,
    room: int,
    chunk: int,
) -> None:
    monkeypatch.setattr(generate, "CHUNK", chunk)
    monkeypatch.setattr(store, "GROWTH", 4)
    following = [*PROMPT[:5], 9, 5, 6]
    for kth in range(200):
        engine, asked = engine_beside(new_engine, how, document, room), iter(range(1000))
        chosen.clear()
        outcome = answer(
            engine, Request(PROMPT, max_tokens=NEW), lambda asked=asked, kth=kth: next(asked) >= kth
        ).outcome  # type: ignore[misc]
        if chosen.tokens:
            assert_greedy(engine.model, PROMPT, chosen.tokens)
        assert_store_true(engine)
        for prompt in (following, PROMPT):
            chosen.clear()
            answer(engine, Request(prompt, max_tokens=3))
            assert_greedy(engine.model, prompt, chosen.tokens)
        if outcome.stop_reason == "limit":
            break
    assert kth >= NEW


@pytest.mark.parametrize(
    ("how", "document"), [("off", "right"), ("on", "right"), ("always", "half right"), ("always", "none")]
)
def test_closed_at_any_piece_with_drafts_under_way(
    new_engine: Callable[..., Engine], chosen: Recorder, how: str, document: str
) -> None:
    unread = 0
    for kth in range(100):
        engine, event = engine_beside(new_engine, how, document), None
        chosen.clear()
        run = engine.generate(Request(PROMPT, max_tokens=NEW))
        for _ in range(kth):
            event = next(run)
        run.close()
        unread += len(engine.store.branches[-1].tokens) > len(PROMPT) + len(chosen.tokens) if kth else 0
        assert_store_true(engine)
        for prompt in ([*PROMPT, 66, 67], [*PROMPT, *chosen.tokens[:4]]):
            chosen.clear()
            answer(engine, Request(prompt, max_tokens=3))
            assert_greedy(engine.model, prompt, chosen.tokens)
            assert_store_true(engine)
        if isinstance(event, Outcome):
            break
    assert (unread > 0) == (how != "off" and document != "none")


@pytest.mark.parametrize("document", DOCUMENTS[1:])
@pytest.mark.parametrize(("layer", "after"), [(0, True), (1, False), (1, True)])
def test_an_error_in_any_pass_with_drafts(
    new_engine: Callable[..., Engine], chosen: Recorder, layer: int, after: bool, document: str
) -> None:
    for nth in range(1, 100):
        engine = engine_beside(new_engine, "always", document)
        with breaking(engine.model, layer, nth, after) as calls, contextlib.suppress(Broken):
            answer(engine, Request(PROMPT, max_tokens=NEW))
        assert_store_true(engine)
        chosen.clear()
        answer(engine, Request(PROMPT, max_tokens=4))
        assert_greedy(engine.model, PROMPT, chosen.tokens)
        if len(calls) < nth:
            break
    assert 3 < nth < NEW + 1


@pytest.mark.parametrize("sampling", [Sampling(0.8, 0.9, seed=4), Sampling(1.5, seed=9)])
def test_a_seed_says_the_same_with_drafts_and_without(monkeypatch: pytest.MonkeyPatch, sampling: Sampling) -> None:
    """On a text of three tokens, so that what is sampled repeats itself and drafts are right now and then."""

    def likes(number: int) -> torch.Tensor:
        return torch.tensor([(number >> place) % 4 for place in range(3)] + [-99.0] * (WORDS - 3))

    said, passes = {}, {}
    chosen = Recorder(generate.choose)
    monkeypatch.setattr(generate, "choose", chosen)
    for how in SPECULATION:
        engine = speculating(hashed_engine(likes), how)
        chosen.clear()
        answer(engine, Request([0, 1, 2, 0, 1], max_tokens=80, sampling=sampling))
        said[how], passes[how] = list(chosen.tokens), engine.model.passes
    assert said["off"] == said["on"] == said["always"]
    assert len(set(said["off"])) == 3
    assert len(passes["always"]) < len(passes["off"]) == 80


def circle(period: int) -> Callable[[int], torch.Tensor]:
    """The likings of a model that says `period` different tokens; how they follow one another is a hash of all."""
    rows = torch.eye(WORDS)
    return lambda number: rows[number % 7 % period]


@pytest.mark.parametrize("how", SPECULATION)
@pytest.mark.parametrize("budget", [0, 40, 10_000])
@pytest.mark.parametrize("chunk", [1, 3, 7, 256])
def test_all_together_on_a_model_whose_text_is_known(
    monkeypatch: pytest.MonkeyPatch, how: str, budget: int, chunk: int
) -> None:
    """Reuse, drafts, chunks, eviction, and at every step a cancellation with another request behind it."""
    monkeypatch.setattr(generate, "CHUNK", chunk)
    monkeypatch.setattr(store, "GROWTH", 4)
    chosen = Recorder(generate.choose)
    monkeypatch.setattr(generate, "choose", chosen)
    likes = circle(2 + chunk % 2)
    engine = speculating(hashed_engine(likes, budget * HASH_BYTES), how)
    prompts = edits(random.Random(chunk), 3, 1000)
    for kth in range(200):
        asked = iter(range(1000))
        first, second = next(prompts)[-30:], next(prompts)[-30:]
        chosen.clear()
        request = Request(first, max_tokens=NEW)
        outcome = answer(engine, request, lambda asked=asked, kth=kth: next(asked) >= kth).outcome  # type: ignore[misc]
        assert chosen.tokens == greedy(first, len(chosen.tokens), likes)
        assert_hashes_true(engine.store)
        could = max((shared(branch.tokens, second) for branch in engine.store.branches), default=0)
        chosen.clear()
        timings = answer(engine, Request(second, max_tokens=NEW)).outcome.timings
        assert chosen.tokens == greedy(second, NEW, likes)
        assert timings.reused_tokens == min(could, len(second) - 1)
        assert_hashes_true(engine.store)
        if outcome.stop_reason == "limit" and kth > 2 * NEW:
            break
    assert (max(engine.model.passes) > 1) == (how != "off" or chunk > 1)


TEXTS = st.lists(st.integers(0, 2), min_size=1, max_size=20)


@given(
    prompts=st.lists(TEXTS, min_size=1, max_size=4),
    chunk=st.sampled_from([1, 3, 256]),
    budget=st.sampled_from([0, 40, 10_000]),
    how=st.sampled_from(sorted(SPECULATION)),
    period=st.integers(1, 4),
    count=st.integers(0, 25),
)
def test_any_texts(prompts: list[list[int]], chunk: int, budget: int, how: str, period: int, count: int) -> None:
    likes = circle(period)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "CHUNK", chunk)
        patch.setattr(store, "GROWTH", 4)
        recorder = Recorder(generate.choose)
        patch.setattr(generate, "choose", recorder)
        engine = speculating(hashed_engine(likes, budget * HASH_BYTES), how)
        for prompt in prompts:
            recorder.clear()
            answer(engine, Request(prompt, max_tokens=count))
            assert recorder.tokens == greedy(prompt, count, likes)
            assert_hashes_true(engine.store)


# --- fewer passes


def circling(circle: Sequence[int]) -> Engine:
    """An engine whose model goes round `circle`: after each of its tokens comes the next one."""
    after = {token: circle[(at + 1) % len(circle)] for at, token in enumerate(circle)}
    engine = hashed_engine()

    class Model(HashedModel):
        def __call__(self, ids: torch.Tensor, branch: store.Branch, *, rows: int = 1, **more: object) -> torch.Tensor:  # type: ignore[override]
            super().__call__(ids, branch, rows=rows, **more)  # type: ignore[arg-type]
            said = [after[token] for token in ids.tolist()[len(ids) - rows :]]
            return torch.nn.functional.one_hot(torch.tensor(said), WORDS).float() if rows else torch.empty(0)

    engine.model = Model()
    return engine


def test_text_that_repeats_itself_takes_fewer_passes() -> None:
    engine = circling([1, 4, 2, 0, 3, 6, 7])
    answer(engine, Request([1, 4, 2, 0, 3, 6, 7, 1, 4], max_tokens=60))
    on = len(engine.model.passes)
    engine = circling([1, 4, 2, 0, 3, 6, 7])
    engine.speculate = False
    answer(engine, Request([1, 4, 2, 0, 3, 6, 7, 1, 4], max_tokens=60))
    off = len(engine.model.passes)
    assert off == 60
    assert on <= 60 / 2  # until the record is made, none or few are sent


def test_what_another_document_said_is_drafted() -> None:
    engine = circling([1, 4, 2, 0, 3, 6, 7, 8, 9, 10, 5])
    answer(engine, Request([1, 4, 2, 0, 3, 6, 7, 8, 9, 10, 5], max_tokens=0))
    engine.model.passes.clear()
    answer(engine, Request([11, 4, 2], max_tokens=8))
    assert len(engine.model.passes) <= 5


def slow_draft(own: Sequence[int], others: Sequence[Sequence[int]], most: int = MOST) -> tuple[int, list[int]]:
    """`Lookup.draft`, said plainly."""
    own = list(own)
    for agreeing in range(LONGEST, SHORTEST - 1, -1):
        for text in ([own, *map(list, others)]) if len(own) >= agreeing else []:
            for at in reversed(range(len(text) - agreeing)):
                if text[at : at + agreeing] == own[-agreeing:]:
                    return agreeing, text[at + agreeing : at + agreeing + most]
    return 0, []


class Contrary(HashedModel):
    """Never says what a draft would: the worst text for speculation. Then, from `turns` on, always."""

    def __init__(self, turns: int = 1 << 30) -> None:
        super().__init__()
        self.turns = turns

    def __call__(self, ids: torch.Tensor, branch: store.Branch, *, rows: int = 1, **more: object) -> torch.Tensor:  # type: ignore[override]
        super().__call__(ids, branch, rows=rows, **more)  # type: ignore[arg-type]
        text, said = [*branch.tokens, *ids.tolist()], []
        for end in range(len(text) - rows + 1, len(text) + 1):
            _, draft = slow_draft(text[:end], [])
            number = (draft or [0])[0] + (1 if end < self.turns else 0)
            said.append(number % 3)
        return torch.nn.functional.one_hot(torch.tensor(said), WORDS).float() if rows else torch.empty(0)


def test_where_drafts_are_always_wrong_none_is_sent_any_more() -> None:
    engine = hashed_engine()
    engine.model = Contrary()
    answer(engine, Request([0, 1, 2, 0, 1], max_tokens=260))
    passes = engine.model.passes
    assert len(passes) == 260, "a draft was right"
    # Each length of agreement has its own record, and takes a few drafts to be known for what it is worth.
    assert 0 < sum(count > 1 for count in passes[1:]) <= 25
    # It is remembered by the engine, not by the generation.
    for agreeing, right in engine.speculation._right.items():
        assert right < 0.1 or agreeing >= 5
    engine.model.passes.clear()
    engine.store.branches.clear()
    answer(engine, Request([2, 1, 2, 1, 0, 2, 1], max_tokens=80))
    assert sum(count > 1 for count in engine.model.passes[1:]) <= 10
    for agreeing in engine.speculation._right:
        engine.speculation._right[agreeing] = 0.1
    engine.model.passes.clear()
    engine.store.branches.clear()
    answer(engine, Request([2, 1, 0, 1, 0, 2, 1], max_tokens=200))
    assert engine.model.passes[1:] == [1] * 199


def test_drafts_are_sent_again_once_they_would_have_been_right() -> None:
    engine = hashed_engine()
    engine.model = Contrary(turns=150)
    answer(engine, Request([0, 1, 2, 0, 1], max_tokens=260))
    assert len(engine.model.passes) < 150 + 80


def test_text_without_repeats_sends_nothing() -> None:
    def likes(number: int) -> torch.Tensor:
        return torch.arange(WORDS).float()

    engine = hashed_engine(likes)
    engine.speculation._right = dict.fromkeys(engine.speculation._right, 1.0)
    answer(engine, Request([0, 1, 2, 3, 4, 5], max_tokens=2))
    assert engine.model.passes == [6, 1]


# --- the lookup


TOKEN = st.sampled_from([0, 1, 256, 65536, 1 << 24, 257, 151_642])
"""Which look alike when they are not read from where they begin."""

PAST = st.lists(TOKEN, max_size=25)


@given(PAST, PAST, st.lists(PAST, max_size=2), st.integers(1, MOST))
def test_the_draft_is_that_of_a_plain_search(
    prompt: list[int], said: list[int], others: list[list[int]], most: int
) -> None:
    lookup = Lookup(tuple(prompt), others)
    for token in said:
        lookup.feed(token)
    assert lookup.draft(most) == slow_draft(prompt + said, others, most)


DRAFTS: dict[str, tuple[list[int], list[list[int]], tuple[int, list[int]]]] = {
    "nothing yet": ([], [[1, 2, 3]], (0, [])),
    "one token is no agreement": ([9, 1], [[9, 1, 2]][:0], (0, [])),
    "two are": ([1, 2, 7, 8, 9, 1, 2], [], (2, [7, 8, 9, 1, 2])),
    "the longest agreement wins": ([3, 1, 2, 5, 1, 2, 6, 3, 1, 2], [], (3, [5, 1, 2, 6, 3])),
    "the longest agreement wins, elsewhere too": ([1, 2, 6, 3, 1, 2], [[3, 1, 2, 7]], (3, [7])),
    "then the own text": ([1, 2, 6, 3, 1, 2], [[1, 2, 7]], (2, [6, 3, 1, 2])),
    "then the latest place": ([1, 2, 6, 1, 2, 7, 0, 1, 2], [], (2, [7, 0, 1, 2])),
    "the latest place that has something behind it": ([5, 5, 9], [[4, 5, 9, 8, 5, 9]], (2, [8, 5, 9])),
    "to the very end": ([1, 2, 3, 1, 2], [], (2, [3, 1, 2])),
    "a run of the same": ([7] * 8, [], (6, [7])),
    "at most so many": ([1, 2, 3, 4, 5, 6, 7, 8, 1, 2], [], (2, [3, 4, 5, 6, 7])),
}


@pytest.mark.parametrize("case", DRAFTS)
def test_drafts(case: str) -> None:
    own, others, expected = DRAFTS[case]
    assert Lookup(own, others).draft() == expected == slow_draft(own, others)


# --- how many


RIGHT = st.floats(0, 1)
COSTS = st.lists(st.floats(0, 0.8), min_size=MOST, max_size=MOST).map(
    lambda more: [1.0, *(1.0 + sum(more[: number + 1]) for number in range(MOST))]
)


def speculation_of(right: float) -> Speculation:
    speculation = Speculation()
    speculation._right = dict.fromkeys(speculation._right, right)
    return speculation


def rate(right: float, count: int, costs: Sequence[float]) -> float:
    """Tokens a unit of time: each draft is right only where all before it were."""
    return sum(right**number for number in range(count + 1)) / costs[count]


@given(RIGHT, COSTS, st.integers(SHORTEST, LONGEST))
def test_no_other_number_of_drafts_is_worth_more(right: float, costs: list[float], agreeing: int) -> None:
    """But for the few percent that it must be worth to be sent at all."""
    count = speculation_of(right).count(agreeing, costs)
    assert 0 <= count <= MOST
    least = 1 if count else WORTH
    assert all(rate(right, other, costs) <= rate(right, count, costs) * least * 1.0001 for other in range(MOST + 1))
    assert count == 0 or rate(right, count, costs) > 0.9999 * WORTH * rate(right, 0, costs)


def test_none_where_drafts_are_seldom_right_and_more_the_more_often_they_are() -> None:
    counts = [speculation_of(hundredth / 100).count(4, STEP_COSTS) for hundredth in range(101)]
    assert counts == sorted(counts)
    assert counts[:20] == [0] * 20
    assert counts[-1] == 4  # 5 tokens for 2.2 passes; 6 take 2.7


def test_none_where_a_longer_pass_costs_as_much_as_its_tokens() -> None:
    assert speculation_of(1.0).count(4, range(1, MOST + 2)) == 0  # type: ignore[arg-type]
    assert speculation_of(0.9).count(4, (1.0, 1.9, 2.9, 3.9, 4.9, 5.9)) == 0
    assert speculation_of(0.9).count(4, (1.0, 1.1, 9.0, 9.0, 9.0, 9.0)) == 1
    assert speculation_of(0.9).count(4, (1.0,)) == 0
    assert speculation_of(0.01).count(4, FREE) == 0


@given(st.lists(st.booleans(), max_size=60), st.integers(SHORTEST, LONGEST))
def test_the_record_is_of_its_kind_alone_and_forgets(right: list[bool], agreeing: int) -> None:
    speculation, fresh = Speculation(), Speculation()
    for was_right in right:
        speculation.note(agreeing, was_right)
    assert 0 <= speculation._right[agreeing] <= 1
    for other in speculation._right:
        if other != agreeing:
            assert speculation._right[other] == fresh._right[other]
    for _ in range(40):
        speculation.note(agreeing, True)
    assert speculation.count(agreeing, STEP_COSTS) >= 3
    for _ in range(40):
        speculation.note(agreeing, False)
    assert speculation.count(agreeing, STEP_COSTS) == 0
