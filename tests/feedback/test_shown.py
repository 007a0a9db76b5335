"""What a change says about a suggestion. `|` is where it is shown; in `[…]` is what it replaces."""

from __future__ import annotations

from typing import Any

import pytest
from each_row import each_row
from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.feedback.change import Change, change_of, common_prefix, moved, narrowed
from aigc_lsp.feedback.shown import Outcome, Standing, Step, continued, follow
from aigc_lsp.text import Edit, Span, Text

ACCEPTED, PARTIALLY, TYPED, REJECTED = Outcome.ACCEPTED, Outcome.PARTIALLY, Outcome.TYPED, Outcome.REJECTED


def shown_in(marked: str, text: str) -> tuple[Text, Standing]:
    start = marked.index("|")
    plain = marked.replace("|", "", 1)
    replaces = 0
    if plain[start : start + 1] == "⟦":
        end = plain.index("⟧")
        replaces = end - start - 1
        plain = plain[:start] + plain[start + 1 : end] + plain[end + 1 :]
    return Text(plain), Standing(text, start, 0, replaces)


def after(text: Text, standing: Standing, *edits: tuple[int, int, str]) -> tuple[Text, Step]:
    """After one change; edits are relative to the place where the suggestion is shown."""
    at, now, made = standing.at, text, []
    for start, end, new in edits:
        made.append(Edit(Span(at + start, at + end), new))
        now = now.apply(made[-1])
    return now, follow(standing, text, now, change_of(made, now))


@each_row(
    ("marked", "text", "edits", "outcome", "rest"),
    [
        # accepted: all of it in one edit
        ("x = |", "foo(1)", [(0, 0, "foo(1)")], ACCEPTED, ""),
        ("x = |\ny", "if a:\n    b", [(0, 0, "if a:\n    b")], ACCEPTED, ""),
        ("f(|⟦)⟧", "a, b)", [(0, 1, "a, b)")], ACCEPTED, ""),
        ("f(|⟦)⟧", "a, b)", [(0, 0, "a, b")], ACCEPTED, ""),  # an editor that leaves the closer out
        ("x = fo|", "o(1)", [(-2, 0, "foo(1)")], ACCEPTED, ""),  # a menu, which replaces the word before
        ("x = fo|", "o(1)", [(-2, 0, ""), (-2, -2, "foo(1)")], ACCEPTED, ""),  # by two edits
        ("f(|⟦)⟧", "a, b)", [(0, 1, ""), (0, 0, "a, b)")], ACCEPTED, ""),
        ("a\n|", "a\na", [(0, 0, "a\na")], ACCEPTED, ""),
        # partially: a word or a line of it in one edit
        ("x = |", "foo.bar(1)", [(0, 0, "foo")], PARTIALLY, ".bar(1)"),
        ("x = |", "foo.bar(1)", [(0, 0, "foo.bar")], PARTIALLY, "(1)"),
        ("|", "if a:\n    b\nc", [(0, 0, "if a:\n")], PARTIALLY, "    b\nc"),
        ("f(|⟦)⟧", "abc)", [(0, 0, "abc")], ACCEPTED, ""),
        # typed: key by key, with what editors add
        ("x = |", "foo(1)", [(0, 0, "f")], None, "oo(1)"),
        ("x = |", "Foo(1)", [(0, 0, "f")], None, "oo(1)"),
        ("x = |", "(1)", [(0, 0, "()")], None, "1)"),
        ("x = |", "{\n  a\n}", [(0, 0, "{}")], None, "\n  a\n}"),
        ("if a:|", "\n    return", [(0, 0, "\n    ")], None, "return"),
        ("x|", ")", [(0, 0, ")")], TYPED, ""),
        ("x|", "()", [(0, 0, "()")], TYPED, ""),
        ("f(|⟦)⟧", "a)", [(0, 0, "a")], TYPED, ""),
        ("x = |", "return", [(0, 0, "ret")], None, "urn"),  # half a word in one edit: several keys at once
        # rejected: something else is written there
        ("x = |", "foo(1)", [(0, 0, "g")], REJECTED, None),
        ("x = |", "foo(1)", [(0, 0, "fog")], REJECTED, None),
        ("f(|⟦)⟧", "abc)", [(0, 1, "abd)")], REJECTED, None),
        ("x = |", "foo", [(-2, 0, "12")], REJECTED, None),
        ("x = |", "foo", [(0, 0, "something else of that length")], REJECTED, None),
        # gone, which says nothing
        ("x = |", "foo", [(-1, 0, "")], None, None),
        ("x = |y", "foo", [(0, 1, "")], None, None),
        # elsewhere: it is still there
        ("x = |", "foo", [(-4, -4, "# a\n")], None, "foo"),
        ("x = |\n\nb", "foo", [(2, 3, "c")], None, "foo"),
        ("f(|⟦)⟧", "a)", [(0, 1, ")")], None, "a)"),
    ],
)
def test_change_at_a_suggestion(
    marked: str, text: str, edits: list[tuple[int, int, str]], outcome: Outcome | None, rest: str | None
) -> None:
    before, standing = shown_in(marked, text)
    now, step = after(before, standing, *edits)
    assert (step.outcome, step.standing and step.standing.rest) == (outcome, rest)
    if step.standing is not None and rest:
        assert now.source[step.standing.start : step.standing.at].lower() == text[: step.standing.done].lower()


def test_characters_inserted_are_those_of_the_edit() -> None:
    before, standing = shown_in("x = |", "foo.bar()")
    now, step = after(before, standing, (0, 0, "f"))
    assert step.inserted == 0
    assert step.standing is not None
    _, step = after(now, step.standing, (0, 0, "oo.bar()"))
    assert (step.outcome, step.inserted) == (ACCEPTED, 8)


def test_typed_through_over_closers_to_its_end() -> None:
    """As an editor does it that closes brackets: `(` brings `)`, and `)` is typed over that."""
    text, standing = shown_in("x = |", "f(a)")
    outcomes = []
    for edit in [(0, 0, "f"), (0, 0, "()"), (0, 0, "a")]:
        text, step = after(text, standing, edit)
        outcomes.append(step.outcome)
        assert step.standing is not None
        standing = step.standing
    assert text.source == "x = f(a)"
    assert outcomes == [None, None, TYPED]


def test_backspace_goes_back_and_takes_the_closer_along() -> None:
    text, standing = shown_in("x = |", "f(a)")
    for edit, rest, replaces in [
        ((0, 0, "f"), "(a)", 0),
        ((0, 0, "()"), "a)", 1),
        ((-1, 1, ""), "(a)", 0),
        ((-1, 0, ""), "f(a)", 0),
    ]:
        text, step = after(text, standing, edit)
        assert step.standing is not None
        standing = step.standing
        assert (standing.rest, standing.replaces, step.outcome) == (rest, replaces, None)
    assert after(text, standing, (-1, 0, ""))[1] == Step(None)


@pytest.mark.parametrize(
    ("written", "text", "again"),
    [
        ("", "foo(1)", True),
        ("fo", "o(1)", True),
        ("FO", "o(1)", True),
        ("fo", "o(", True),
        ("fo", "o(1) + 2", True),
        ("fo", "r", False),
        ("fx", "o(1)", False),
        ("foo(1)", " + 2", False),  # it is all there: what comes is another
    ],
)
def test_shown_again(written: str, text: str, again: bool) -> None:
    standing = continued(Standing("foo(1)", 4, 0, 0), Text("x = " + written), 4 + len(written), text, 0)
    assert (standing is not None) == again
    if standing is not None:
        assert (standing.text, standing.done, standing.rest) == (written + text, len(written), text)


def test_shown_elsewhere_is_another() -> None:
    assert continued(Standing("foo", 4, 0, 0), Text("x = \ny = "), 9, "foo", 0) is None
    assert continued(Standing("foo", 4, 0, 0), Text("x = "), 2, "= foo", 0) is None


# Changes


def test_change_of_several_edits_covers_them() -> None:
    before = Text("one two three four")
    for edits in (
        [Edit(Span(4, 7), "2"), Edit(Span(6, 11), "3")],
        [Edit(Span(8, 13), "3"), Edit(Span(4, 7), "2")],
        [Edit(Span(4, 4), "xx"), Edit(Span(5, 9), "")],
        [Edit(Span(0, 0), "a"), Edit(Span(19, 19), "b"), Edit(Span(3, 3), "c")],
    ):
        now = before
        for edit in edits:
            now = now.apply(edit)
        change = change_of(edits, now)
        assert before.apply(Edit(Span(change.start, change.end), change.new_text)).source == now.source


def test_whole_text_is_narrowed_to_what_changed() -> None:
    before, now = "one\ntwo\nthree\n", "one\n2\nthree\n"
    assert narrowed(Change(0, len(before), now), Text(before)) == Change(4, 7, "2")
    assert narrowed(Change(0, len(before), before), Text(before)).new_text == ""
    assert narrowed(Change(0, 2, "aaa"), Text("aa")) == Change(2, 2, "a")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (Change(0, 0, "abc"), (13, 23)),
        (Change(10, 10, "abc"), (13, 23)),
        (Change(20, 20, "abc"), (10, 20)),
        (Change(25, 30, ""), (10, 20)),
        (Change(12, 14, "abc"), (10, 21)),
        (Change(5, 15, "x"), (6, 11)),
        (Change(15, 25, "x"), (10, 15)),
        (Change(5, 25, "xyz"), (5, 8)),
        (Change(10, 20, ""), (10, 10)),
    ],
)
def test_regions_move_with_the_text(change: Change, found: tuple[int, int]) -> None:
    assert moved(10, 20, change) == found


@pytest.mark.parametrize(("one", "other", "length"), [("", "a", 0), ("abc", "abd", 2), ("ab", "abc", 2), ("x", "y", 0)])
def test_common_prefix(one: str, other: str, length: int) -> None:
    assert common_prefix(one, other) == common_prefix(other, one) == length


def test_who_deletes_what_it_would_replace_has_written_nothing_of_it() -> None:
    before, after = Text("a)a"), Text("a)")
    step = follow(Standing("a", 1, 0, 2), before, after, change_of([Edit(Span(2, 3), "")], after))
    assert (step.standing, step.outcome) == (None, None)


@given(st.text("ab() \n", max_size=6), st.text("ab() \n", min_size=1, max_size=6), st.integers(0, 2), st.data())
def test_whatever_is_done_what_stands_of_it_is_in_the_text(source: str, said: str, replaces: int, data: Any) -> None:
    at = data.draw(st.integers(0, len(source)))
    text, standing = Text(source), Standing(said, at, 0, min(replaces, len(source) - at))
    for _ in range(4):
        start = data.draw(st.integers(0, len(text)))
        edit = Edit(Span(start, data.draw(st.integers(start, len(text)))), data.draw(st.text("ab() \n", max_size=3)))
        now = text.apply(edit)
        step = follow(standing, text, now, change_of([edit], now))
        if step.standing is None or step.outcome in (ACCEPTED, TYPED):
            return
        text, standing = now, step.standing
        assert now.slice(Span(standing.start, standing.at)) == said[: standing.done]
        assert standing.at + standing.replaces <= len(now)
        assert step.inserted == 0 or said[: standing.done].endswith(edit.new_text[-step.inserted :])
