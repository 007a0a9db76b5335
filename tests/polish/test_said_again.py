"""A model that says the cursor's line from its start: only what is new is inserted."""

from __future__ import annotations

import pytest
from saying import shown

AGAIN = {
    "a word that was begun": ("def f(x):\n    y = 1\n    retur$0\n", "return x", "n x"),
    "the whole line": ("total = su$0\n", "total = sum(xs)", "m(xs)"),
    "up to the sign": ("total = $0\n", "total = sum(xs)", " sum(xs)"),
    "with its indentation": ("def f(x):\n    y = 1\n    retur$0\n", "    return x", "n x"),
    "a word and its attribute": ("self$0\n", "self.a = 1", ".a = 1"),
}
NEW = {
    "another word": ("retur$0\n", "n x", "n x"),
    "a call in a call": ("str($0\n", "str(x))", "str(x))"),
    "a letter": ("x$0\n", "x", "x"),
    "a word that begins alike": ("total = $0\n", "total_of(xs)", "total_of(xs)"),
    "nothing new": ("self$0\n", "self", "self"),
}


@pytest.mark.parametrize(("source", "said", "expected"), AGAIN.values(), ids=AGAIN)
def test_said_again(source: str, said: str, expected: str) -> None:
    assert shown(source, said + "\n", is_block=False).strip() == expected.strip()


@pytest.mark.parametrize(("source", "said", "expected"), NEW.values(), ids=NEW)
def test_new(source: str, said: str, expected: str) -> None:
    assert shown(source, said + "\n", is_block=False) == expected
