"""What is inserted where closers stand behind the cursor that the model was not shown. `$0` is the cursor."""

from __future__ import annotations

import pytest
from each_row import each_row
from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.context.closers import scan
from aigc_lsp.context.window import Window, gather
from aigc_lsp.polish.cut import Insertion, insertion
from aigc_lsp.polish.stop import Rule, rule_for
from aigc_lsp.syntax import place_without_tree
from aigc_lsp.text import Text


def at_cursor(source: str) -> tuple[Rule, Window]:
    before, after = source.split("$0")
    text = Text(before + after)
    window = gather(text, len(before), language="typescript", prefix_tokens=100, suffix_tokens=40)
    rule = rule_for(place_without_tree(text, len(before), "typescript"), window, 16)
    assert rule is not None
    return rule, window


def inserted(source: str, said: str) -> Insertion:
    return insertion(said, *at_cursor(source), ended=True)


# The line, what the model says, and what the line becomes; then what is inserted, and how much of the rest it replaces.
SAME_END = {
    "the closer itself": ("print($0)", '"x")', 'print("x")', '"x"', 0),
    "one more argument": ("foo(a$0)", ", b)", "foo(a, b)", ", b", 0),
    "not closed": ("foo(a$0)", ", b", "foo(a, b)", ", b", 0),
    "nothing to add": ("foo($0)", ")", "foo()", "", 0),
    "another call at the end": ("foo($0)", "a).bar(b)", "foo(a).bar(b)", "a).bar(b", 0),
    "two closers": ("foo(bar($0))", "1))", "foo(bar(1))", "1", 0),
    "two closers, one said": ("foo(bar($0))", "1)", "foo(bar(1))", "1", 0),
    "a string": ('print("$0")', 'hello")', 'print("hello")', "hello", 0),
    "a string that is not closed": ('print("$0")', "hello (you)", 'print("hello (you)")', "hello (you)", 0),
    "brackets in a string": ('print("$0")', 'a) b")', 'print("a) b")', "a) b", 0),
    "a string, and a bracket too many": ('x = "$0"', 'hello")', 'x = "hello"', "hello", 0),
    "a docstring": ('"""$0"""', 'Say "hi"."""', '"""Say "hi"."""', 'Say "hi".', 0),
    "an escaped quote": ("x = '$0'", "it\\'s'", "x = 'it\\'s'", "it\\'s", 0),
    "a substitution": ("f'{$0}'", "name} is {x}'", "f'{name} is {x}'", "name} is {x", 0),
    "a statement's end": ("foo($0);", "a, b);", "foo(a, b);", "a, b", 0),
    "a header's end": ("def f($0):", "x, y=1):", "def f(x, y=1):", "x, y=1", 0),
    "a list in a list": ("x = [$0],", "[1], [2]],", "x = [[1], [2]],", "[1], [2]", 0),
    "an object": ("a = { $0 };", "b: [2] };", "a = { b: [2] };", "b: [2]", 0),
    "what the text opened it may close": ("print(foo$0)", "(a)", "print(foo(a))", "(a)", 0),
    "a bracket that the rest does not close": ("foo(bar($0)", "x), y)", "foo(bar(x), y)", "x), y", 0),
    "a bracket in a string": ("foo($0)", "')', b)", "foo(')', b)", "')', b", 0),
}
REPLACED = {
    "more behind the bracket": ("foo($0)", "a, b) + 1", "foo(a, b) + 1", "a, b) + 1", 1, "a, b"),
    "an attribute": ("foo($0)", "a).bar", "foo(a).bar", "a).bar", 1, "a"),
    "one of two": ("foo(bar($0))", "x).y", "foo(bar(x).y)", "x).y", 1, "x"),
    "both of two": ("foo(bar($0))", "x).y) or z", "foo(bar(x).y) or z", "x).y) or z", 2, "x"),
    "behind a string": ("x = '$0'", "a' + name", "x = 'a' + name", "a' + name", 1, "a"),
    "behind a string in a call": ("f('$0')", "a', 1)", "f('a', 1)", "a', 1", 1, "a"),
    "the end of the statement stays": ("foo($0);", "a).b", "foo(a).b;", "a).b", 1, "a"),
    "a chain": ("foo($0);", "a).b + 1;", "foo(a).b + 1;", "a).b + 1", 1, "a"),
    "a header": ("if foo($0):", "a) and b:", "if foo(a) and b:", "a) and b", 1, "a"),
    "blanks before the bracket": ("foo( $0 )", "a) + 1", "foo( a) + 1", "a) + 1", 2, "a"),
    "a bracket too many": ("foo($0)", "a).b) + c", "foo(a).b", "a).b", 1, "a"),
    "on one line with its block": ("{ foo($0); }", "a).b() }", "{ foo(a).b(); }", "a).b(", 0, "a).b("),
}
CASES = {name: (*case, case[3]) for name, case in SAME_END.items()} | REPLACED


@each_row(("source", "said", "line", "text", "replaces", "alone"), CASES)
def test_over_closers(source: str, said: str, line: str, text: str, replaces: int, alone: str) -> None:
    before, after = source.split("$0")
    assert before + text + after[replaces:] == line, "the case itself"
    assert inserted(f"{source}\nmore()\n", said + "\n") == Insertion(text, replaces, alone)


UNSOUND = {
    "a bracket of another kind": ("foo($0)", "a] + b", "a"),
    "and behind a right one": ("foo(bar[$0])", "a]} + b", "a]"),
    "another quote": ("x = '$0'", 'say "hi"', 'say "hi"'),
}


@pytest.mark.parametrize(("source", "said", "line_part"), UNSOUND.values(), ids=UNSOUND)
def test_what_does_not_fit_is_cut(source: str, said: str, line_part: str) -> None:
    before, after = source.split("$0")
    found = inserted(source, said)
    assert (before + found.text + after[found.replaces :]).startswith(before + line_part)
    assert "+" not in found.text


# Not withheld, or a block: what stands behind the cursor is never replaced.
KEPT = {
    "the rest is code": ("print(foo($0), 1)", "a).b, 1)", "a"),
    "a comment": ("foo($0)  # why", "a) + 1", "a"),
    "a block": ("function f(x) {$0}", " return x; } + 1", " return x;"),
    "nothing behind the cursor": ("foo($0", "a) + 1", "a) + 1"),
}


@pytest.mark.parametrize(("source", "said", "text"), KEPT.values(), ids=KEPT)
def test_nothing_is_replaced(source: str, said: str, text: str) -> None:
    assert inserted(source, said) == Insertion(text, 0, text)


def test_what_stands_below_already_is_not_inserted() -> None:
    assert inserted("foo($0)\nfoo(a) + 1\n", "a) + 1") == Insertion("", 0, "a")


@given(
    opened=st.text(alphabet="([", min_size=1, max_size=4),
    pieces=st.lists(st.sampled_from(["a", "(a)", "[b]", "(a[b])", ")", "]", ".c", " "]), max_size=8),
    data=st.data(),
)
def test_no_closer_too_many(opened: str, pieces: list[str], data: st.DataObject) -> None:
    """Whatever the model closes: no bracket behind the cursor is doubled, and each that was closed stays so."""
    said = "".join(pieces)
    # Of brackets of two kinds nobody can tell which ones a shorter rest belongs to.
    count = data.draw(st.integers(1, len(opened))) if len(set(opened)) == 1 else len(opened)
    rest = "".join({"(": ")", "[": "]"}[bracket] for bracket in reversed(opened))[:count]
    before = "x = " + "f".join(opened)
    found = inserted(f"{before}$0{rest}", said)
    assert said.startswith(found.text)
    assert said.startswith(found.alone)
    assert found.replaces <= len(rest)
    for text, replaces in ((found.text, found.replaces), (found.alone, 0)):
        line = scan(before + text + rest[replaces:])
        assert line.unopened == ()
        assert line.left_open <= len(opened) - count
