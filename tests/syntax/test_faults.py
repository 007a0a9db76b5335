"""Errors and missing tokens of a tree."""

from __future__ import annotations

import pytest

from aigc_lsp.syntax import parse
from aigc_lsp.text import Span, Text

SOUND = {
    "python": "def f(a):\n    return [a]\n",
    "typescript": "function f(a: number) {\n  return [a];\n}\n",
    "java": "class A {\n  int f() { return 1; }\n}\n",
    "go": "package a\n\nfunc f() int { return 1 }\n",
    "ruby": "def f(a)\n  [a]\nend\n",
    "shellscript": "if [ -n x ]; then\n  echo y\nfi\n",
}


@pytest.mark.parametrize("language", SOUND)
def test_sound_code_has_none(language: str) -> None:
    tree = parse(language, Text(SOUND[language]))
    assert tree is not None
    assert tree.faults() == ()


@pytest.mark.parametrize("language", SOUND)
def test_one_bracket_too_few_is_a_fault(language: str) -> None:
    source = SOUND[language]
    at = max(source.rfind(mark) for mark in "])}")
    tree = parse(language, Text(source[:at] + source[at + 1 :]))
    assert tree is not None
    assert tree.faults()


def test_they_are_in_code_points() -> None:
    source = "s = 'äöü€😀'\nx = foo bar\n"
    tree = parse("python", Text(source))
    assert tree is not None
    at = source.index("foo")
    assert tree.faults() == (Span(at, at + 3),)


def test_a_missing_token_has_no_length() -> None:
    source = "function f() {\n  if (x) {\n    y();\n}\n"
    tree = parse("javascript", Text(source))
    assert tree is not None
    found = tree.faults()
    assert found is not None
    assert [len(fault) for fault in found] == [0]


def test_outer_ones_come_first() -> None:
    tree = parse("python", Text("def f(a):\n    x = foo(a\n    y = 2\n    return y\n"))
    assert tree is not None
    outer, *inner = tree.faults() or ()
    assert inner
    assert all(outer.start <= fault.start and fault.end <= outer.end for fault in inner)


def test_rubble_is_not_counted() -> None:
    tree = parse("python", Text(") ] } x y z\n" * 4_000))
    assert tree is not None
    assert tree.has_errors
    assert tree.faults() is None
