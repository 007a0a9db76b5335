"""What is learnt from users: simulated ones, who are shown what is above their threshold and answer in their way."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from aigc_lsp.feedback.counts import UNKNOWN, Counts, Tally, counted, together
from aigc_lsp.feedback.shown import Outcome
from aigc_lsp.feedback.threshold import HIGHEST, LOWEST, MEMORY, forgetting, threshold

BASE = 0.35

Answer = Callable[[float, random.Random], Outcome]


def by_confidence(p: float, dice: random.Random) -> Outcome:
    return Outcome.ACCEPTED if dice.random() < p else Outcome.REJECTED


def only_the_sure(p: float, dice: random.Random) -> Outcome:
    """Accepts nearly nothing below 0.5, nearly everything above 0.7."""
    return by_confidence(min(max((p - 0.45) * 4, 0.02), 0.98), dice)


def everything(p: float, dice: random.Random) -> Outcome:
    return Outcome.ACCEPTED


def types_all(p: float, dice: random.Random) -> Outcome:
    return Outcome.TYPED


def nothing(p: float, dice: random.Random) -> Outcome:
    return Outcome.REJECTED


def after(answer: Answer, suggestions: int, counts: Counts | None = None, seed: int = 1) -> tuple[float, Counts]:
    """The threshold after so many were generated, of which those above it were shown, and what was counted."""
    dice, counts = random.Random(seed), counts or {"python": {}}
    for _ in range(suggestions):
        p = dice.random()
        if p >= threshold(counts["python"], BASE):
            counts = together(counts, counted("python", p, Tally.of(answer(p, dice))))
            counts = {"python": forgetting(counts["python"])}
    return threshold(counts["python"], BASE), counts


def test_nothing_known_is_the_base() -> None:
    assert threshold({}, BASE) == threshold({}, BASE, 0.6) == BASE


@pytest.mark.parametrize(
    ("answer", "low", "high"),
    [
        (everything, BASE + LOWEST, BASE + LOWEST),
        (types_all, BASE + LOWEST, BASE + LOWEST),
        (nothing, BASE + HIGHEST, BASE + HIGHEST),
        (by_confidence, BASE - 0.05, BASE + 0.05),
        (only_the_sure, BASE + 0.05, BASE + HIGHEST),
    ],
)
def test_user_moves_the_threshold_where_it_belongs(answer: Answer, low: float, high: float) -> None:
    assert low - 1e-9 <= after(answer, 3000)[0] <= high + 1e-9


def test_a_confidence_that_is_right_about_the_user_stays_exactly() -> None:
    tally = {n: Tally(accepted=10 * n + 5, rejected=95 - 10 * n) for n in range(10)}
    assert threshold(tally, BASE) == pytest.approx(BASE)
    assert threshold(tally, BASE, 0.5) > BASE + 0.1  # who wants to see less of the wrong
    assert threshold(tally, BASE, 0.2) < BASE - 0.1


def test_it_moves_slowly() -> None:
    """Ten rejections in a row are no reason yet."""
    one, counts = after(nothing, 10)
    assert BASE < one < BASE + 0.1
    assert one < after(nothing, 30, counts, seed=2)[0] < BASE + HIGHEST


def test_who_thinks_better_of_it_is_believed() -> None:
    """At the highest threshold there is still something to accept, and what was long ago is forgotten."""
    high, counts = after(nothing, 5000)
    assert high == BASE + HIGHEST
    assert after(everything, 5000, counts)[0] == pytest.approx(BASE + LOWEST)


def test_each_good_outcome_lowers_it_and_each_bad_one_raises_it() -> None:
    dice, deciles = random.Random(3), {}
    for _ in range(300):
        p, before = dice.random(), threshold(deciles, BASE)
        outcome = dice.choice([Outcome.ACCEPTED, Outcome.PARTIALLY, Outcome.TYPED, Outcome.REJECTED])
        deciles = together({"x": deciles}, counted("x", p, Tally.of(outcome)))["x"]
        step = threshold(deciles, BASE) - before
        assert step >= 0 if outcome is Outcome.REJECTED else step <= 0
        assert abs(step) <= 0.02  # smooth: no decision moves it further


def test_what_is_accepted_and_thrown_away_is_no_gain() -> None:
    accepted = {5: Tally(accepted=100)}
    thrown = {5: Tally(accepted=100, kept_120=100, share_120=0)}
    assert threshold(accepted, BASE) < BASE < threshold(thrown, BASE)


def test_what_nobody_was_sure_of_teaches_nothing() -> None:
    assert threshold({UNKNOWN: Tally(rejected=1000)}, BASE) == BASE


def test_forgetting_keeps_the_shares() -> None:
    deciles = {3: Tally(accepted=600, rejected=200), 9: Tally(typed=200)}
    found = forgetting(deciles)
    assert sum(tally.decided for tally in found.values()) == pytest.approx(MEMORY)
    assert found[3].accepted / found[3].rejected == pytest.approx(3)
    assert forgetting(found) == found
