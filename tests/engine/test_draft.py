"""The tokens that spelled what is healed are read with the prompt: the same answer, in fewer passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from tiny_model import HARD_LINES, Recorder, answer, assert_store_true

from aigc_lsp import catalogue
from aigc_lsp.engine.generate import Engine, Request
from aigc_lsp.prompt.infill import Hole, render

FIM = catalogue.load("qwen2.5-coder-0.5b").fim


def requests(engine: Engine, line: str, order: str) -> Iterator[Request]:
    for cut in range(1, len(line) + 1, 2):
        hole = Hole(line[:cut], line[cut:])
        prompt = render(hole, FIM, None, engine.vocabulary, prefix_budget=500, suffix_budget=500, order=order)
        yield Request(prompt.tokens, heal=prompt.heal, draft=prompt.healed, max_tokens=4)


@pytest.mark.parametrize("order", ["spm", "psm"])
@pytest.mark.parametrize("line", HARD_LINES)
def test_the_same_tokens_as_without(new_engine: Callable[..., Engine], chosen: Recorder, line: str, order: str) -> None:
    with_draft, without = new_engine(), new_engine()
    for request in requests(with_draft, line, order):
        chosen.clear()
        given = answer(with_draft, request)
        tokens = list(chosen.tokens)
        assert_store_true(with_draft)
        chosen.clear()
        assert answer(without, replace(request, draft=())).text == given.text
        assert chosen.tokens == tokens


def test_true_wherever_it_is_left(new_engine: Callable[..., Engine]) -> None:
    for line in HARD_LINES[:3]:
        for request in requests(new_engine(), line, "spm"):
            for stop_at in range(4):
                engine, asked = new_engine(), iter(range(100))
                answer(engine, request, lambda asked=asked, stop_at=stop_at: next(asked) >= stop_at)  # type: ignore[misc]
                assert_store_true(engine)
                assert answer(engine, request).text == answer(new_engine(), request).text


def test_a_draft_that_is_chosen_costs_no_pass(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the model goes on with exactly the tokens typed, they are not read again one by one."""
    engine.speculate = False  # it saves passes too, by what it has learned, so not the same ones both times
    passes: list[int] = []
    forward = engine.forward
    monkeypatch.setattr(engine, "forward", lambda *given, **more: passes.append(1) or forward(*given, **more))
    saved = 0
    for line in HARD_LINES:
        for request in requests(engine, line, "spm"):
            counts = []
            for draft in (request.draft, ()):
                passes.clear()
                answer(engine, replace(request, draft=draft))
                counts.append(len(passes))
            assert counts[0] <= counts[1]
            saved += counts[1] - counts[0]
    assert saved > 0
