"""Where somebody has been editing: regions that follow the text."""

from __future__ import annotations

import random

import pytest

from aigc_lsp.context import edits
from aigc_lsp.context.edits import LONGEST, MOST, Region, followed, text_of
from aigc_lsp.text import Edit, Span, Text

LINES = [f"line {at} of the file\n" for at in range(200)]
SOURCE = "".join(LINES)


def typed(
    text: Text, regions: tuple[Region, ...], at: int, new: str, removed: int = 0, uri: str = "a"
) -> tuple[Text, tuple[Region, ...]]:
    edit = Edit(Span(at, at + removed), new)
    return text.apply(edit), followed(regions, uri, [edit])


def test_typing_in_one_place_is_one_region() -> None:
    text, regions = Text(SOURCE), ()
    at = SOURCE.index("line 100")
    for character in "new = words(of, mine)\n":
        text, regions = typed(text, regions, at, character)
        at += 1
    assert len(regions) == 1
    assert text_of(regions[0], text) == f"{LINES[99]}new = words(of, mine)\n{LINES[100]}{LINES[101]}".rstrip("\n")


def test_the_latest_place_comes_first_and_older_ones_move_along() -> None:
    text, regions = Text(SOURCE), ()
    for number in (150, 20, 80):
        text, regions = typed(text, regions, text.source.index(f"line {number} "), f"EDIT{number} ")
    assert [text.source[each.start : each.end] for each in regions] == ["EDIT80 ", "EDIT20 ", "EDIT150 "]


def test_an_edit_elsewhere_moves_no_other_document() -> None:
    _, regions = typed(Text(SOURCE), (), 500, "x", uri="b")
    _, regions = typed(Text(SOURCE), regions, 0, "yyy", uri="a")
    assert regions[1] == Region("b", 500, 501)


def test_a_region_that_is_taken_out_is_where_it_was() -> None:
    text, regions = typed(Text(SOURCE), (), 1000, "abc")
    text, regions = typed(text, regions, 990, "", removed=30)
    assert (regions[0].start, regions[0].end) == (990, 990)
    assert text_of(regions[0], text)


def test_what_is_put_in_as_a_whole_is_nobodys_work() -> None:
    _, regions = typed(Text(SOURCE), (), 1000, "abc")
    assert followed(regions, "a", [Edit(Span(0, len(SOURCE)), SOURCE)]) == ()
    assert followed(regions, "b", [Edit(Span(0, 0), "x" * (LONGEST + 1))]) == regions


def test_no_more_than_the_last_are_kept_and_all_lie_in_the_text() -> None:
    chance, text, regions = random.Random(1), Text(SOURCE), ()
    for _ in range(400):
        at = chance.randrange(len(text) + 1)
        text, regions = typed(text, regions, at, "x" * chance.randrange(90), min(chance.randrange(60), len(text) - at))
        assert len(regions) <= MOST
        for each in regions:
            assert 0 <= each.start <= each.end <= len(text)
            text_of(each, text)


def test_an_edit_in_thousands_of_places_keeps_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a replacement of all: each edit is held against a few regions, not against all those before it."""
    moved: list[int] = []
    inner = edits._moved
    monkeypatch.setattr(edits, "_moved", lambda *args: (moved.append(1), inner(*args))[1])
    places = range(900_000, 0, -300)
    found = followed((), "a", [Edit(Span(at, at + 1), "yy") for at in places])
    assert len(moved) <= MOST * len(places)
    assert [each.start for each in found] == [300 * number + number - 1 for number in range(1, MOST + 1)]
