"""How much of what was accepted still stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.feedback.kept import common_subsequence, kept_share


@pytest.mark.parametrize(
    ("accepted", "now", "share"),
    [
        ("return a + b", "return a + b", 1.0),
        ("return a + b", "return   a+b\n", 1.0),  # a formatter
        ("return a + b", "return a - b", 0.75),
        ("return a + b", "", 0.0),
        ("return a + b", "x = 1\nreturn a + b\ny", 1.0),
        ("foo(bar, baz)", "foo(baz)", 4 / 6),
        ("a b c d", "d c b a", 0.25),
        ("größe += 1", "größe += 1", 1.0),
        ("a a a", "a", 1 / 3),
        ("\n    ", "", 1.0),
    ],
)
def test_share_of_tokens(accepted: str, now: str, share: float) -> None:
    assert kept_share(accepted, now) == pytest.approx(share)


def longest(one: list[str], other: list[str]) -> int:
    """By the table that everybody knows."""
    row = [0] * (len(other) + 1)
    for a in one:
        last = row[:]
        for n, b in enumerate(other):
            row[n + 1] = last[n] + 1 if a == b else max(row[n], last[n + 1])
    return row[-1]


tokens = st.lists(st.sampled_from("abc"), max_size=12)


@given(tokens, tokens)
def test_common_subsequence_is_the_longest(one: list[str], other: list[str]) -> None:
    assert common_subsequence(one, other) == longest(one, other)
