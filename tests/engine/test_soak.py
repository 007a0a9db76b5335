"""A long day of editing. Whatever is typed, asked, cancelled, closed or goes wrong, in any order: what is reused is
what reading it anew would give, and so is what is said."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hashed_model import KV_BYTES as HASH_BYTES
from hashed_model import LAYERS as HASH_LAYERS
from hashed_model import Broken as HashBroken
from hashed_model import HashedModel, assert_true, following, hashed_vocabulary, hashes, likings
from tiny_model import KV_BYTES, LAYERS, Broken, Recorder, assert_store_true, breaking, shared, tiny_decoder

from aigc_lsp.engine import generate, store
from aigc_lsp.engine.generate import Choice, Engine, Outcome, Request
from aigc_lsp.engine.sampling import Sampling
from aigc_lsp.engine.store import MAX_AGE_SECONDS, KVStore
from aigc_lsp.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedModel

LONGEST_DOCUMENT = 45


class Documents:
    """A few documents under edit, and what is asked about them."""

    def __init__(self, dice: random.Random, alphabet: Sequence[int], heals: Sequence[bytes]) -> None:
        self._dice, self._alphabet, self._heals = dice, alphabet, heals
        self._open = [self._some(10, 30) for _ in range(4)]
        self._before = [list(document) for document in self._open]
        self._now = 0
        self.suggested: list[int] = []

    def _some(self, low: int, high: int) -> list[int]:
        return self._dice.choices(self._alphabet, k=self._dice.randint(low, high))

    def edit(self) -> list[int]:
        dice, before = self._dice, self._open[self._now]
        tokens, at = list(before), dice.randrange(len(before))
        kinds = ["type"] * 8 + ["accept"] * 4 + ["backspace", "change", "again", "undo", "paste", "cut", "jump", "new"]
        match dice.choice(kinds):
            case "type":
                tokens += self._some(1, 3)
            case "accept":
                tokens += self.suggested[: dice.randint(1, 8)]
            case "backspace":
                del tokens[-dice.randint(1, 4) :]
            case "change":
                tokens[at : at + dice.randint(0, 4)] = self._some(0, 3)
            case "undo":
                tokens = list(self._before[self._now])
            case "paste":
                tokens[at:at] = dice.choice(self._open)[-dice.randint(4, 12) :]
            case "cut":
                tokens = tokens[at:]
            case "jump":
                self._now = dice.randrange(len(self._open))
                before = tokens = self._open[self._now]
            case "new":
                tokens = before[: dice.randint(0, 6)] + self._some(1, 20)
        tokens = tokens[-LONGEST_DOCUMENT:] or self._some(1, 4)
        self._before[self._now], self._open[self._now] = before, tokens
        return tokens

    def ask(self, tokens: list[int]) -> Request:
        dice = self._dice
        more: dict[str, Any] = {}
        if dice.random() < 0.3:
            more["heal"] = dice.choice(self._heals)
            more["draft"] = tuple(self._some(0, 2))
        if dice.random() < 0.2:
            more["stop"] = ("ca", "\n")
        if dice.random() < 0.1:
            more["sampling"] = Sampling(1.0, 0.9, seed=dice.randrange(100))
        if dice.random() < 0.08:
            more["choices"] = dice.randint(2, 4)
        if dice.random() < 0.03:
            more["deadline_ms"] = 0.0
        count = 0 if dice.random() < 0.25 else dice.randint(1, 3)
        return Request(tuple(tokens), max_tokens=count, **more)


def run(engine: Engine, request: Request, dice: random.Random, seen: Counter[str]) -> Outcome | None:
    """The request to its end, or cancelled, or closed, somewhere; its outcome, if it came to one."""
    left = dice.randint(0, 14) if dice.random() < 0.12 else 1 << 30

    def cancelled() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    running = engine.generate(request, cancelled)
    taken = dice.randint(0, 3) if dice.random() < 0.12 else 1 << 30
    for event in running:
        if isinstance(event, Outcome):
            seen[event.stop_reason] += 1
            return event
        taken -= 1
        if taken < 0:
            running.close()
            seen["closed"] += 1
            return None
    raise AssertionError("there was no outcome")


def assert_kept_to(store: KVStore, now: float) -> None:
    """Budget and age, but for the branch in use."""
    assert sum(branch.nbytes for branch in store.branches[:-1]) <= store.budget_bytes
    assert all(now - branch.used_at <= MAX_AGE_SECONDS for branch in store.branches)


HASH_HEALS = [b"a", b"ab", b"\n", b"cd", b"abab"]


@lru_cache(maxsize=1 << 16)
def hash_likes(number: int) -> torch.Tensor:
    """Now and then anything; mostly a text of three tokens, which repeats itself."""
    if number % 11 == 0:
        return likings(number)
    row = likings(number).clone()
    row[number % 7 % 3] += 9
    return row


def assert_said(
    vocabulary: Vocabulary, number: int, said: Sequence[int], heal: bytes, first: int | None = None
) -> None:
    """Each of `said` is the likeliest behind a text of hash `number` that agrees with `heal`; of the first it is only
    asked that it does, where it is given."""
    for token in said:
        logits = hash_likes(number)
        allowed = vocabulary.consistent(heal) if heal else None
        if first is not None:
            assert token == first
            assert allowed is None or token in allowed
        else:
            assert token == int(logits.argmax() if allowed is None else allowed[logits[allowed].argmax()])
        number, heal, first = following(number, token), heal[len(vocabulary.bytes_of(token)) :], None


@pytest.mark.process
def test_ten_thousand_edits_on_a_model_whose_text_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "CHUNK", 12)
    monkeypatch.setattr(store, "GROWTH", 8)
    chosen = Recorder(generate.choose)
    monkeypatch.setattr(generate, "choose", chosen)
    now = 0.0
    model, vocabulary = HashedModel(hash_likes), hashed_vocabulary()
    engine = Engine(model, vocabulary)
    engine.store = KVStore(HASH_LAYERS, 160 * HASH_BYTES, clock=lambda: now)
    dice, seen = random.Random(2), Counter[str]()
    documents = Documents(dice, [0, 1, 2], HASH_HEALS)
    for _ in range(10_000):
        now += dice.choice([0.0, 0.3, 2.0, 60.0] + [2000.0] * (dice.random() < 0.01))
        tokens = documents.edit()
        request = documents.ask(tokens)
        chosen.clear()
        model.fails_in, model.fails_after_writing = dice.randint(1, 16) * (dice.random() < 0.06), dice.random() < 0.5
        could = max((shared(branch.tokens, tokens) for branch in engine.store.branches), default=0)
        branches = len(engine.store.branches)
        try:
            outcome = run(engine, request, dice, seen)
        except HashBroken:
            outcome = None
            seen["broke"] += 1
        seen["evicted"] += branches > len(engine.store.branches)
        if request.sampling.temperature == 0 and chosen.tokens:
            assert_said(vocabulary, hashes(tokens)[-1], chosen.tokens, request.heal)
        documents.suggested = list(chosen.tokens) or documents.suggested
        if outcome is not None:
            timings = outcome.timings
            assert timings.reused_tokens == min(could, len(tokens) - 1)
            if outcome.stop_reason == "cancelled" and not timings.generated_tokens:  # while it was read, perhaps
                assert timings.reused_tokens <= timings.prompt_tokens <= len(tokens)
            else:
                assert timings.prompt_tokens == len(tokens)
            seen["reused"] += timings.reused_tokens
            for choice in outcome.choices:
                assert_choice(vocabulary, tokens, request, choice)
                seen["choices"] += 1
        assert_true(engine.store)
        assert_kept_to(engine.store, now)
    assert sum(count > 1 for count in model.passes) > 10_000 / 5
    wanted = {"limit", "word", "cancelled", "deadline", "closed", "broke", "evicted", "choices", "reused"}
    assert all(seen[what] > 100 for what in wanted), seen


def assert_choice(vocabulary: Vocabulary, tokens: Sequence[int], request: Request, choice: Choice) -> None:
    if request.sampling.temperature == 0 and choice.tokens:
        assert_said(vocabulary, hashes(tokens)[-1], choice.tokens, request.heal, choice.tokens[0])
    data = b"".join(map(vocabulary.bytes_of, choice.tokens))
    assert data[len(request.heal) :].startswith(choice.text.encode())


def test_three_hundred_edits_on_the_tiny_model(
    weights: PreTrainedModel, vocabulary: Vocabulary, chosen: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "CHUNK", 6)
    monkeypatch.setattr(store, "GROWTH", 4)
    now = 0.0
    engine = Engine(tiny_decoder(weights), vocabulary)
    engine.store = KVStore(LAYERS, 160 * KV_BYTES, clock=lambda: now)
    dice, seen = random.Random(3), Counter[str]()
    documents = Documents(dice, [65, 66, 67, 68], [b"self.lef", b"r", b" retu"])
    for number in range(300):
        now += dice.choice([0.0, 1.0, 60.0])
        tokens = documents.edit()
        request = documents.ask(tokens)
        chosen.clear()
        could = max((shared(branch.tokens, tokens) for branch in engine.store.branches), default=0)
        nth = dice.randint(1, 8) if dice.random() < 0.06 else 0
        outcome = None
        try:
            with breaking(engine.model, dice.randrange(LAYERS), nth, dice.random() < 0.5):
                outcome = run(engine, request, dice, seen)
        except Broken:
            seen["broke"] += 1
        if outcome is not None:
            assert outcome.timings.reused_tokens == min(could, len(tokens) - 1)
            seen["choices"] += len(outcome.choices)
        if request.sampling.temperature == 0 and chosen.tokens:
            assert_likeliest(engine, tokens, chosen.tokens, request.heal)
        documents.suggested = list(chosen.tokens) or documents.suggested
        assert_kept_to(engine.store, now)
        if number % 15 == 0:
            assert_store_true(engine)
    assert_store_true(engine)
    assert all(seen[what] > 2 for what in ("limit", "cancelled", "closed", "broke", "choices")), seen


def assert_likeliest(engine: Engine, tokens: Sequence[int], said: Sequence[int], heal: bytes) -> None:
    with torch.inference_mode():
        whole = torch.tensor([[*tokens, *said]])
        logits = engine.model.reference(whole, use_cache=False).logits[0, len(tokens) - 1 : -1]  # type: ignore[attr-defined]
    for row, token in zip(logits, said, strict=True):
        allowed = engine.vocabulary.consistent(heal) if heal else None
        assert token == int(row.argmax() if allowed is None else allowed[row[allowed].argmax()])
        heal = heal[len(engine.vocabulary.bytes_of(token)) :]
