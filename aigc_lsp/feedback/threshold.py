"""From which confidence on a suggestion is shown to this user, by what they did with those that they were shown.

A model's confidence p is a fair guess of how likely the suggestion is of use, but for how strict the user is. So

    P(of use | p) = σ(logit p + logit target − logit base + b)

with one unknown, b: how much more (b > 0) this user takes than was assumed. Showing pays where that reaches `target`,
which is from p = σ(logit base − b) on: the threshold; with nothing known, b = 0 and it is `base`. b is what fits best,

    Σ w(d) · (good(d) − n(d) · P(of use | middle of d)) = PRIOR · base · (1 − base) · b,    d the deciles of confidence,

a logistic regression of which only the intercept is free, with a prior that weighs as much as PRIOR suggestions shown
at `base`. Its left side falls and its right side rises with b, so there is one answer, which each good outcome raises
and each bad one lowers, none by much. The threshold is held within LOWEST and HIGHEST of `base`. The weight w falls
with the distance from `base`, since what is accepted at 0.9 says little about what would be at 0.4.

One number, and not the decile in which the user's answers cross the target: there are few answers in each decile, and
none in those below the present threshold, where nothing is shown. Such a threshold could go up and never come down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from aigc_lsp.feedback.counts import UNKNOWN, Tally

PRIOR = 60.0
"""Suggestions that the assumption is worth."""

LOWEST, HIGHEST = -0.12, 0.25
"""The threshold stays so near to `base`."""

WIDTH = 0.2
"""Of confidence: the distance from `base` at which a decision counts 0.6 times."""

MEMORY = 400.0
"""Decisions in a language that count; each one more takes a little of the weight of all before it."""

STEPS = 30
"""Halvings of the interval in which b is looked for: 60 µs."""


def threshold(deciles: Mapping[int, Tally], base: float, target: float | None = None) -> float:
    """The least confidence to show, where `base` (between 0 and 1) is it for a user of whom nothing is known. `target`
    is the probability of use at which showing pays, `base` unless given: then a confidence that is right about this
    user leaves the threshold where it is."""
    offset = _logit(base if target is None else target) - _logit(base)
    seen = []
    for decile, tally in deciles.items():
        if decile != UNKNOWN and tally.decided:
            middle = decile / 10 + 0.05
            near = math.exp(-0.5 * ((middle - base) / WIDTH) ** 2)
            seen.append((near * tally.good, near * tally.decided, _logit(middle) + offset))
    prior = PRIOR * base * (1 - base)
    low, high = -4.0, 4.0
    for _ in range(STEPS):
        b = (low + high) / 2
        if sum(good - decided * _sigmoid(at + b) for good, decided, at in seen) > prior * b:
            low = b
        else:
            high = b
    found = _sigmoid(_logit(base) - low) if seen else base
    return min(max(found, base + LOWEST), base + HIGHEST)


def forgetting(deciles: Mapping[int, Tally]) -> Mapping[int, Tally]:
    """`deciles`, scaled down to `MEMORY` decisions where there are more."""
    decided = sum(tally.decided for tally in deciles.values())
    if decided <= MEMORY:
        return deciles
    return {decile: tally.scaled(MEMORY / decided) for decile, tally in deciles.items()}


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))
