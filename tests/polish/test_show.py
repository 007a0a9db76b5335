"""How much of a suggestion is shown: up to what the model can only guess, nothing left open, a line rather whole."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.context.closers import scan
from aigc_lsp.polish.cut import Insertion
from aigc_lsp.polish.finish import shortened
from aigc_lsp.polish.show import BASE, LEAST, Pieces, is_decided, offer

SURE, LIKELY, GUESS = math.log(0.99), math.log(0.8), math.log(0.05)


def said(text: str, *doubts: str) -> list[tuple[str, float]]:
    """`text` in pieces at `|`; those in `doubts` are guesses."""
    return [(piece, GUESS if piece in doubts else SURE) for piece in text.split("|")]


KEPT = {
    "all that is sure": ("foo|(|bar|)", (), "foo(bar)"),
    "before the guess": ("return| self|.name| or| default", (" default",), "return self.name or"),
    "not in the middle of a word": ("get|_name| or| x", ("_name",), ""),
    "not within brackets that it opens": ("foobar|(|bar|,| baz|)", (" baz",), "foobar"),
    "within brackets that were open": ("bar|,| other|.name|,| baz|)", (" baz",), "bar, other.name,"),
    "not within a string that it opens": ("print| + |'abc| def| ghi'", (" ghi'",), "print +"),
    "within a docstring that it opens": ('"""|Return| the| name| of', (" of",), '"""Return the name'),
    "no crumbs": ("a|.|b|(", ("b",), ""),
    "but a crumb that is the line": (")|:", (), "):"),
}


@pytest.mark.parametrize(("text", "doubts", "kept"), KEPT.values(), ids=KEPT)
def test_what_is_kept(text: str, doubts: tuple[str, ...], kept: str) -> None:
    pieces = said(text, *doubts)
    whole = "".join(piece for piece, _ in pieces)
    made = offer(whole, pieces)
    assert made.confidence is not None
    shown = whole[: made.keep] if made.confidence >= BASE else ""
    assert shown == kept


def test_a_line_is_rather_whole() -> None:
    """A bracket that is merely likely is not left off."""
    pieces = [("order", SURE), (", ", SURE), ("dry_run=True", SURE), (")\n", math.log(0.6))]
    assert offer("order, dry_run=True)", pieces).keep == len("order, dry_run=True)")
    assert offer("order, dry_run=True)", pieces, goes_on=True).keep == len("order, dry_run=True)") - 1


def test_who_does_not_say_how_sure_is_shown_whole() -> None:
    assert offer("whatever(it, is)", []) == (made := offer("whatever(it, is)", ()))
    assert (made.keep, made.confidence) == (len("whatever(it, is)"), None)


def test_names_that_exist_nowhere_and_comments_are_doubted() -> None:
    pieces = said("call|(|it|)")
    plain, unknown = offer("call(it)", pieces), offer("call(it)", pieces, unknown=True)
    comment = offer("call(it)", pieces, is_comment=True)
    assert plain.confidence is not None
    assert unknown.confidence is not None
    assert comment.confidence is not None
    assert unknown.confidence < plain.confidence / 2 < comment.confidence
    assert comment.confidence < plain.confidence


def test_a_block_ends_before_the_line_that_is_a_guess() -> None:
    pieces = [("    a = 1\n", SURE), ("    b = 2\n", LIKELY), ("    c = 3\n", GUESS), ("    d = 4", SURE)]
    text = "".join(piece for piece, _ in pieces)
    made = offer(text, pieces)
    assert text[: made.keep] == "    a = 1\n    b = 2"
    assert made.confidence is not None
    assert made.confidence > 0.8  # of its first line


def test_a_first_line_that_is_a_guess_is_all_that_is_not_sure() -> None:
    made = offer("    a = 1\n    b = 2", [("    a = 1\n", GUESS), ("    b = 2", SURE)])
    assert made.confidence is not None
    assert made.confidence < BASE


@pytest.mark.parametrize(
    ("text", "doubts", "decided"),
    [
        ("return| self", (), False),
        ("return| self|.name", (), False),
        ("return| self|.name", (".name",), True),
        ("xyz", ("xyz",), True),
    ],
)
def test_listening_ends_where_nothing_more_would_be_shown(text: str, doubts: tuple[str, ...], decided: bool) -> None:
    pieces = said(text, *doubts)
    assert is_decided("".join(piece for piece, _ in pieces), pieces, BASE) is decided


def test_no_one_decides_without_probabilities() -> None:
    assert not is_decided("text", [], BASE)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["foo", "(", ")", " ", ".bar", ", ", "'", "[", "]", "\n", "    x", " = "]),
            st.floats(-6, 0, exclude_max=False),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_what_is_offered_is_a_beginning_that_is_closed(pieces: list[tuple[str, float]]) -> None:
    text = "".join(piece for piece, _ in pieces).rstrip()
    made = offer(text, pieces)
    assert 0 <= made.keep <= len(text)
    kept = text[: made.keep]
    if text:
        assert made.confidence is not None
        assert 0 <= made.confidence <= 1
    if kept != text and "\n" not in text.strip("\n") and kept:
        assert not scan(kept).left_open
        assert len(kept.strip()) >= LEAST


SHORTENED = {
    "nothing to do": (Insertion("abc", 0, "abc"), 3, Insertion("abc", 0, "abc")),
    "blanks go": (Insertion("abc def", 0, "abc def"), 4, Insertion("abc", 0, "abc")),
    "a break before what stands behind the cursor stays": (
        Insertion("a = 1\nb = 2\n    ", 0, "a = 1\nb = 2\n    "),
        5,
        Insertion("a = 1\n    ", 0, "a = 1\n    "),
    ),
    "all but that break is all": (
        Insertion("a = 1\n    ", 0, "a = 1\n    "),
        5,
        Insertion("a = 1\n    ", 0, "a = 1\n    "),
    ),
    "before the first closer": (Insertion("x).y", 1, "x"), 3, Insertion("x", 0, "x")),
    "whole with its closers": (Insertion("x).y", 1, "x"), 4, Insertion("x).y", 1, "x")),
    "nothing": (Insertion("abc", 0, "abc"), 0, Insertion("", 0, "")),
}


@pytest.mark.parametrize(("found", "keep", "made"), SHORTENED.values(), ids=SHORTENED)
def test_shortened(found: Insertion, keep: int, made: Insertion) -> None:
    assert shortened(found, keep) == made


@pytest.mark.parametrize(
    ("pieces", "decided"),
    [
        ((("for x", -0.1),), False),
        ((("for x", -4.0),), True),  # nothing below a first line that is not shown would be
        ((("a = 1", -0.05), ("\n", -0.1)), False),
        ((("a = 1", -0.05), ("\n", -0.1), ("b", -0.3)), False),
        ((("a = 1", -0.05), ("\n", -0.1), ("b", -4.0)), True),  # ... and it ends with the line above
    ],
)
def test_a_block_is_decided_as_soon_as_no_further_line_would_be_shown(pieces: Pieces, decided: bool) -> None:
    assert is_decided("".join(piece for piece, _ in pieces), pieces, BASE, is_block=True) is decided
