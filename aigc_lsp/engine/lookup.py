"""Prompt-lookup drafts: what followed the last few tokens where they stood before (Saxena 2023, apoorvumang/
prompt-lookup-decoding). Code repeats itself, so this drafts well without a second model; several drafted tokens are
verified in one forward pass, which costs little more than one.

`Speculation` decides whether and how many to draft from what drafts of that kind were worth so far. A draft that is not
sent to the model is still compared with what is chosen, so that the record goes on while speculation is off, for free.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

LONGEST, SHORTEST = 6, 2
"""Tokens that must agree before a draft is taken from what follows them."""

MOST = 5
"""Tokens drafted at once at most."""

MEMORY = 0.93
"""How much of the record a new observation leaves standing: about the last fourteen count."""

WORTH = 1.1
"""Drafts must promise so many times the speed of none: what is promised is a guess."""


class Lookup:
    """One generation's past: the prompt and the output, then what was read for other documents."""

    def __init__(self, tokens: Sequence[int], others: Sequence[Sequence[int]] = ()) -> None:
        self._own = array("i", tokens)
        self._others = [array("i", other).tobytes() for other in others]

    def feed(self, token: int) -> None:
        self._own.append(token)

    def draft(self, most: int = MOST) -> tuple[int, list[int]]:
        """How many tokens agreed, and what followed them; (0, []) where nothing is found. The longest agreement wins,
        then the own text, then the latest place."""
        own = self._own.tobytes()
        for agreeing in range(LONGEST, SHORTEST - 1, -1):
            if len(self._own) < agreeing:
                continue
            wanted = self._own[-agreeing:].tobytes()
            for past in (own, *self._others):
                if followed := _followed(past, wanted, most):
                    return agreeing, followed
        return 0, []


def _followed(past: bytes, wanted: bytes, most: int) -> list[int]:
    """The tokens behind the last place of `wanted` in `past` that has any."""
    size = array("i").itemsize
    at = past.rfind(wanted)
    while at >= 0:
        if at % size == 0:
            found = array("i")
            found.frombytes(past[at + len(wanted) : at + len(wanted) + most * size])
            if found:
                return list(found)
        at = past.rfind(wanted, 0, at + len(wanted) - 1)
    return []


class Speculation:
    """How often drafts were right, by how many tokens agreed, and how many to send for it."""

    def __init__(self) -> None:
        # A longer agreement is better evidence; what it is worth here is soon known.
        self._right = {agreeing: 0.2 + 0.12 * (agreeing - SHORTEST) for agreeing in range(SHORTEST, LONGEST + 1)}

    def count(self, agreeing: int, costs: Sequence[float]) -> int:
        """Tokens to draft: as many as make the most tokens a unit of time. `costs[n]`: of a pass over n + 1 tokens."""
        right = self._right[agreeing]
        expected, kept, rates = 1.0, 1.0, [1.0 / costs[0]]
        for cost in costs[1:]:
            kept *= right
            expected += kept
            rates.append(expected / cost)
        best = max(rates)
        return rates.index(best) if best > WORTH * rates[0] else 0

    def note(self, agreeing: int, was_right: bool) -> None:
        """The first token of a draft, or one whose predecessors were all right, was right or not."""
        self._right[agreeing] = MEMORY * self._right[agreeing] + (1 - MEMORY) * was_right
