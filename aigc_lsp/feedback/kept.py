"""How much of an accepted suggestion still stands, by its tokens, as Zed and refact count it."""

from __future__ import annotations

import re

KEPT_SECONDS = (30, 120, 600)
"""After so long it is looked at."""

LONGEST = 20_000
"""Characters: what has grown to more than this is no longer one suggestion's place."""

_TOKEN = re.compile(r"\w+|[^\w\s]")


def kept_share(accepted: str, now: str) -> float:
    """The share, 0 to 1, of the tokens of `accepted` that `now` still has in their order. Blanks do not count, so that
    a formatter takes nothing away. `now` is at most `LONGEST` characters long: that takes two milliseconds."""
    wanted = _TOKEN.findall(accepted)
    if not wanted:
        return 1.0
    return common_subsequence(wanted, _TOKEN.findall(now)) / len(wanted)


def common_subsequence(one: list[str], other: list[str]) -> int:
    """The length of the longest common subsequence, by Hyyrö's bit vectors (2004): a few operations on an integer of
    `len(one)` bits for each of `other`."""
    places: dict[str, int] = {}
    for n, token in enumerate(one):
        places[token] = places.get(token, 0) | 1 << n
    everywhere = (1 << len(one)) - 1
    unmatched = everywhere
    for token in other:
        matching = unmatched & places.get(token, 0)
        unmatched = ((unmatched + matching) | (unmatched - matching)) & everywhere
    return len(one) - unmatched.bit_count()
