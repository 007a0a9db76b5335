"""Where the output meets what stands below: a model that is not told where its hole ends writes that again.

Whole lines only. Equal characters alone are no sign: cutting at any twelve of them made more wrong than right.
"""

from __future__ import annotations

from collections.abc import Sequence

from aigc_lsp.context.closers import scan
from aigc_lsp.polish.lines import depth, is_same, is_signs, is_word_character, tells

LOOKED_AT = 4
"""Lines below. What equals one further down stands there for another reason."""


def met(said: Sequence[str], below: Sequence[str], unit: str, *, is_begun: bool = False) -> int:
    """How many of the last lines of `said` are those that stand `below`; 0 where it has not met them.

    Two lines in a row always are, also of nothing but signs. One alone must tell something, and be no deeper than
    what was said first: what is nested in a block below may well be nested in one above too (`return False`). Further
    down than the next line it stands by chance where the user has begun it (`is_begun`, the first line that is said).
    """
    if not below or not said:
        return 0
    if len(said) > 1 and len(below) > 1 and is_same(said[-2], below[0], unit) and is_same(said[-1], below[1], unit):
        return 2
    last, most = said[-1], min(depth(said[0], unit), depth(below[0], unit))
    if not tells(last) or depth(last, unit) > max(most, depth(below[0], unit) if len(said) == 1 else 0):
        return 0
    if is_same(last, below[0], unit):
        return 1
    if is_begun and len(said) == 1:
        return 0
    # Of one line alone, in lines that resemble one another, one in two hundred stands again a little further down.
    further = any(is_same(last, other, unit) for other in below[1 : LOOKED_AT if len(said) > 1 else 2])
    return int(further and depth(last, unit) <= most)


def repeats(said: Sequence[str], below: Sequence[str], unit: str) -> int:
    """How many of the last lines of `said` are the first of `below`, now that nothing is said any more."""
    for count in range(min(len(said), len(below), LOOKED_AT), 0, -1):
        pairs = zip(said[-count:], below, strict=False)
        if all(is_same(line, other, unit) for line, other in pairs):
            # A lone bracket may close what the text itself has opened.
            return 0 if count == 1 and is_signs(said[-1]) and _leaves_open(said[:-1]) else count
    return 0


def _leaves_open(said: Sequence[str]) -> bool:
    scans = [scan(line) for line in said]
    return sum(found.left_open - len(found.unopened) for found in scans) > 0


def rest_at(said: Sequence[str], rest: str, below: Sequence[str], unit: str) -> tuple[int, int] | None:
    """Where the last lines of `said` end in the `rest` of the cursor's line: (which line, from its end; column).

    A rest that tells little (`)`) must be followed by the line that stands below, as it is there.
    """
    rest = rest.strip()
    if not rest or not said:
        return None
    if tells(rest) and (at := ends_in(said[-1], rest)) is not None:
        return 1, at
    if len(said) > 1 and below and is_same(said[-1], below[0], unit) and (at := ends_in(said[-2], rest)) is not None:
        return 2, at
    return None


def ends_in(line: str, rest: str) -> int | None:
    """Where `line` ends in the whole of `rest`, not in the middle of a word; None where it does not."""
    line = line.rstrip()
    at = len(line) - len(rest)
    joined = at > 0 and is_word_character(rest[0]) and is_word_character(line[at - 1])
    return at if line.endswith(rest) and not joined else None
