"""The model was stopped in the middle of something: what is shown ends in a whole word that may be an end."""

from __future__ import annotations

import pytest
from saying import shown

ONE_LINE = {
    "half a word": ("x = $0\n", "first + sec", "first"),
    "the only word": ("x = $0\n", "sec", ""),
    "the rest of a word": ("x = fir$0\n", "st_of_a", ""),
    "a whole call": ("x = $0\n", "f(a)", "f(a)"),
    "half an argument": ("x = $0\n", "f(a, b", "f(a"),
    "an attribute": ("x = $0\n", "a.b.c", "a.b"),
    "words that want another": ("x = $0\n", "a if not bc", "a"),
    "a string that is not closed": ("print($0\n", "name, 'Hello wor", "name"),
    "a closed one": ("x = $0\n", "'a b'", "'a b'"),
    "a word in a string": ("s = '$0\n", "one two thr", "one two"),
    "a word in a comment": ("# one $0\n", "two thr", "two"),
    "operators alone": ("x $0\n", "= ", ""),
    "with closers behind": ("x = f($0)\n", "a, b.cde", "a, b"),
}


@pytest.mark.parametrize(("source", "said", "expected"), ONE_LINE.values(), ids=ONE_LINE)
def test_one_line(source: str, said: str, expected: str) -> None:
    assert shown(source, said, ended=False) == expected


@pytest.mark.parametrize(("source", "said"), [(source, said) for source, said, _ in ONE_LINE.values()], ids=ONE_LINE)
def test_nothing_is_cut_of_what_has_ended(source: str, said: str) -> None:
    assert shown(source, said) == said.rstrip()


BLOCK = {
    "the line under way": ("a = 1\n    b = a.cd", "a = 1"),
    "a header with nothing in it": ("a = 1\n    for b in c:\n        d", "a = 1"),
    "two of them": ("a = 1\n    for b in c:\n        if b:\n            d", "a = 1"),
    "the first line": ("return a + bc", "return a"),
    "a line that ended": ("a = 1\n    b = 2\n", "a = 1\n    b = 2"),
}


@pytest.mark.parametrize(("said", "expected"), BLOCK.values(), ids=BLOCK)
def test_block(said: str, expected: str) -> None:
    assert shown("def f():\n    $0", said, ended=False) == expected


def test_a_header_whose_body_stands_below() -> None:
    source = "def f(xs):\n    a = 1\n    $0\n        print(x)\n    return a\n"
    said = "b = 2\n    for x in xs:\n        print(x)\n    return a\n"
    assert shown(source, said, is_block=True) == "b = 2\n    for x in xs:"
