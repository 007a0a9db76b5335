"""The store names exactly what its tensors hold, wherever a generation ended (invariant 5)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tiny_model import LAYERS, Broken, Recorder, answer, assert_store_true, breaking, plain_greedy

from aigc_lsp.engine import generate, store
from aigc_lsp.engine.generate import Engine, Outcome, Request

PROMPT = [(7 * n) % 300 for n in range(11)]
NEXT = [*PROMPT[:9], 5, 6]
"""What is asked afterwards: it shares most of the first prompt."""


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "CHUNK", 3)
    monkeypatch.setattr(store, "GROWTH", 4)


def assert_goes_on(engine: Engine, chosen: Recorder) -> None:
    assert_store_true(engine)
    for prompt in (NEXT, PROMPT, PROMPT[:1]):
        chosen.clear()
        answer(engine, Request(tuple(prompt), max_tokens=3))
        assert chosen.tokens == plain_greedy(engine.model, prompt, 3)
        assert_store_true(engine)


@pytest.mark.parametrize("heal", [b"", b"self.lef"])
def test_cancelled_at_every_step(new_engine: Callable[..., Engine], chosen: Recorder, heal: bytes) -> None:
    for kth in range(100):
        engine = new_engine()
        answer(engine, Request(PROMPT[:5], max_tokens=0))
        asked = 0

        def cancelled(kth: int = kth) -> bool:
            nonlocal asked
            asked += 1
            return asked > kth

        outcome = answer(engine, Request(PROMPT, heal=heal, max_tokens=4), cancelled).outcome
        cut_short = asked > kth
        assert outcome.stop_reason == ("cancelled" if cut_short else "limit")
        assert asked == kth + cut_short  # nothing more is computed, nor asked
        assert_goes_on(engine, chosen)
        if not cut_short:
            break
    assert kth >= 2 * (1 + LAYERS) + 3  # two chunks and between their layers, then between the tokens


def test_closed_at_every_piece(new_engine: Callable[..., Engine], chosen: Recorder) -> None:
    for kth in range(100):
        engine, outcome = new_engine(), None
        run = engine.generate(Request(PROMPT, max_tokens=4))
        for _ in range(kth):
            outcome = next(run)
        run.close()
        assert_goes_on(engine, chosen)
        if isinstance(outcome, Outcome):
            break
    assert kth >= 3


def test_closed_before_it_began(engine: Engine, chosen: Recorder) -> None:
    engine.generate(Request(PROMPT)).close()
    assert_goes_on(engine, chosen)


@pytest.mark.parametrize(("layer", "after"), [(0, True), (1, False), (1, True)])
def test_an_error_in_every_forward_pass(
    new_engine: Callable[..., Engine], chosen: Recorder, layer: int, after: bool
) -> None:
    for nth in range(1, 100):
        engine = new_engine()
        engine.speculate = False  # one token a pass
        answer(engine, Request(PROMPT[:2], max_tokens=1))
        with breaking(engine.model, layer, nth, after) as calls:
            if broke := nth <= 3 + 3:
                with pytest.raises(Broken):
                    answer(engine, Request(PROMPT, max_tokens=4))
            else:
                answer(engine, Request(PROMPT, max_tokens=4))
        assert len(calls) == min(nth, 3 + 3)
        assert_goes_on(engine, chosen)
        if not broke:
            break


def test_a_branch_that_failed_before_it_held_anything_is_used_again(engine: Engine, chosen: Recorder) -> None:
    for _ in range(3):
        with breaking(engine.model, 0, 1, True), pytest.raises(Broken):
            answer(engine, Request(PROMPT))
    assert len(engine.store.branches) == 1
    assert_goes_on(engine, chosen)
