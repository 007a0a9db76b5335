"""What is told beside the text: how often drafts were right, and the likeliest tokens at each place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from tiny_model import Scripted, answer, logits_after, plain_greedy

from aigc_lsp.engine import store
from aigc_lsp.engine.generate import Engine, Request, Scored
from aigc_lsp.engine.lookup import MOST

PROMPT = [5, 6, 7, 5, 6, 7, 8, 5, 6]
NEW = 12


def drafting(new_engine: Callable[..., Engine], document: Sequence[int]) -> Engine:
    """An engine that sends every draft it can, and has read `document`."""
    engine = new_engine()
    engine.step_costs = (1.0,) * (MOST + 1)
    answer(engine, Request([3, *PROMPT[1:], *document], max_tokens=0))
    return engine


@pytest.mark.parametrize("wrong", [set(), {2, 5, 8, 11}, set(range(NEW))], ids=["right", "half right", "wrong"])
def test_drafts_are_counted_as_they_were_sent_and_kept(
    new_engine: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch, wrong: set[int]
) -> None:
    said = plain_greedy(new_engine().model, PROMPT, NEW)
    engine = drafting(new_engine, [400 if place in wrong else token for place, token in enumerate(said)])
    passes: list[int] = []
    forward = engine.forward

    def noted(branch: store.Branch, tokens: Sequence[int], *rest: object, **more: object) -> torch.Tensor:
        passes.append(len(tokens))
        return forward(branch, tokens, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "forward", noted)
    timings = answer(engine, Request(PROMPT, max_tokens=NEW)).outcome.timings
    _, *decode = passes
    assert timings.drafted == sum(decode) - len(decode)
    assert timings.accepted == NEW - 1 - len(decode)  # what needed no pass; the last token needs none anyway
    assert (timings.accepted == timings.drafted > 0) == (not wrong)
    assert (timings.accepted < timings.drafted) == bool(wrong)


def test_without_lookup_there_are_no_drafts(scripted: Scripted) -> None:
    scripted.say(b"a", b"b", b"c")
    word = scripted.vocabulary.encode("a")
    request = Request([1], heal=b"a", draft=word, max_tokens=2)
    given = answer(scripted, request)
    assert given.text == "bc"
    timings = given.outcome.timings  # the healed token was read together with the prompt, and is no draft of lookup's
    assert (timings.drafted, timings.accepted) == (0, 0)


def reference(engine: Engine, tokens: Sequence[int], count: int) -> list[tuple[int, float]]:
    best = logits_after(engine.model, tokens).log_softmax(0).topk(count)
    return list(zip(best.indices.tolist(), best.values.tolist(), strict=True))


def assert_scored(engine: Engine, prompt: Sequence[int], scored: Sequence[Scored], count: int) -> None:
    text = list(prompt)
    for each in scored:
        assert each.data == engine.vocabulary.bytes_of(each.token)
        wanted = reference(engine, text, count)
        assert [best.token for best in each.likeliest] == [token for token, _ in wanted]
        assert [best.logprob for best in each.likeliest] == pytest.approx([logprob for _, logprob in wanted], abs=1e-4)
        assert each.logprob == pytest.approx(dict(reference(engine, text, 400))[each.token], abs=1e-4)
        text.append(each.token)


@pytest.mark.parametrize("speculate", [False, True])
def test_the_likeliest_at_each_place(new_engine: Callable[..., Engine], speculate: bool) -> None:
    engine = drafting(new_engine, plain_greedy(new_engine().model, PROMPT, NEW))
    engine.speculate = speculate
    plain = answer(engine, Request(PROMPT, max_tokens=NEW))
    given = answer(engine, Request(PROMPT, max_tokens=NEW, n_probs=3))
    assert (given.tokens, given.text) == (plain.tokens, plain.text)
    assert not any(piece.scored for piece in plain.pieces)
    for piece in given.pieces:
        assert [each.token for each in piece.scored] == list(piece.tokens)
        assert [each.logprob for each in piece.scored] == list(piece.logprobs)
    assert_scored(engine, PROMPT, [each for piece in given.pieces for each in piece.scored], 3)


def test_each_alternative_has_its_own(engine: Engine) -> None:
    given = answer(engine, Request(PROMPT, max_tokens=4, choices=3, n_probs=2))
    for choice in given.outcome.choices:
        assert [each.token for each in choice.scored] == list(choice.tokens)
        assert_scored(engine, PROMPT, choice.scored, 2)
    assert given.pieces[0].scored == given.outcome.choices[0].scored
    plain = answer(engine, Request(PROMPT, max_tokens=4, choices=3))
    assert [choice.text for choice in plain.outcome.choices] == [choice.text for choice in given.outcome.choices]
    assert not any(choice.scored for choice in plain.outcome.choices)


def test_more_than_there_are_is_all(engine: Engine) -> None:
    given = answer(engine, Request(PROMPT, max_tokens=2, n_probs=10_000))
    sizes = {len(each.likeliest) for piece in given.pieces for each in piece.scored}
    assert sizes == {len(logits_after(engine.model, PROMPT))}


@pytest.mark.parametrize("choices", [1, 3])
@pytest.mark.parametrize("heal", [b"a", b"ab", b"self.lef"])
def test_the_scored_join_to_the_text_where_a_token_was_healed(engine: Engine, heal: bytes, choices: int) -> None:
    given = answer(engine, Request(PROMPT, heal=heal, max_tokens=4, choices=choices, n_probs=2))
    found = [(choice.text, choice.scored) for choice in given.outcome.choices]
    scored = tuple(each for piece in given.pieces for each in piece.scored)
    for text, each in [(given.text, scored), *found]:
        joined = b"".join(one.data for one in each).decode("utf-8", "replace")
        assert joined.rstrip("�") == text.rstrip("�")  # a character may be cut off at the end
