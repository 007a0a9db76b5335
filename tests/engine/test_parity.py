"""Greedy decoding with reuse is plain uncached decoding, token for token (invariant 6)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from tiny_model import KV_BYTES, Recorder, answer, assert_store_true, edits, plain_greedy, shared

from aigc_lsp.engine import generate, store
from aigc_lsp.engine.generate import Engine, Request

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NEW = 4


def check(engine: Engine, chosen: Recorder, prompts: Iterator[list[int]]) -> int:
    """Each prompt is answered as without a cache, and what could be reused was; how many tokens were."""
    reused = 0
    for number, tokens in enumerate(prompts):
        could = max((shared(branch.tokens, tokens) for branch in engine.store.branches), default=0)
        chosen.clear()
        # As the service sends them: tuples.
        outcome = answer(engine, Request(tuple(tokens), max_tokens=NEW)).outcome
        assert chosen.tokens == plain_greedy(engine.model, tokens, NEW), f"prompt {number}"
        assert outcome.timings.reused_tokens == min(could, len(tokens) - 1)
        reused += outcome.timings.reused_tokens
    assert_store_true(engine)
    return reused


@pytest.mark.parametrize("chunk", [1, 3, 7, 256])
def test_edits(engine: Engine, chosen: Recorder, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(generate, "CHUNK", chunk)
    assert check(engine, chosen, edits(random.Random(chunk), len(engine.vocabulary), 40)) > 300


@pytest.mark.parametrize("room", [0, 20, 100])
def test_edits_while_branches_are_evicted(
    new_engine: Callable[..., Engine], chosen: Recorder, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(store, "GROWTH", 1)
    engine = new_engine(kv_bytes=room * KV_BYTES)
    check(engine, chosen, edits(random.Random(5), len(engine.vocabulary), 30))
    answer(engine, Request([1, 2, 3], max_tokens=0))
    assert engine.store.nbytes <= max(room, 3) * KV_BYTES


@pytest.mark.parametrize("growth", [1, 5, 64])
def test_edits_while_the_tensors_grow(
    engine: Engine, chosen: Recorder, monkeypatch: pytest.MonkeyPatch, growth: int
) -> None:
    monkeypatch.setattr(store, "GROWTH", growth)
    check(engine, chosen, edits(random.Random(growth), len(engine.vocabulary), 25))


def test_typing_reuses_all_that_was_read(engine: Engine) -> None:
    tokens = list(range(50))
    for end in range(30, 50):
        timings = answer(engine, Request(tuple(tokens[:end]), max_tokens=0)).outcome.timings
        assert timings.reused_tokens == (end - 1 if end > 30 else 0)
    assert len(engine.store.branches) == 1


def test_what_was_generated_is_reused_when_it_is_typed(engine: Engine, weights: PreTrainedModel) -> None:
    tokens = list(range(20))
    tokens += plain_greedy(weights, tokens, 5)
    answer(engine, Request(tokens[:20], max_tokens=5))
    assert answer(engine, Request(tokens, max_tokens=0)).outcome.timings.reused_tokens == 24


def test_a_short_prompt_leaves_the_other_documents_alone(engine: Engine) -> None:
    """A new, empty file shares the template's first tokens with a long one: it must not cost the long one its place."""
    long = list(range(100))
    answer(engine, Request(long, max_tokens=0))
    answer(engine, Request([0, 1, 300], max_tokens=0))
    assert answer(engine, Request(long, max_tokens=0)).outcome.timings.reused_tokens == 99
    assert_store_true(engine)
