"""Positions, against a reference that walks one character at a time."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from aigc_lsp.server.positions import MOST_LINES, apply_changes, differences, offset_at, position_at
from aigc_lsp.text import Edit, Span, Text

ENCODINGS = ["utf-8", "utf-16", "utf-32"]
CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
SOURCES = st.text(alphabet="ab\r\n\f\u2028\x85é€😀e\u0301", max_size=25)


def units(character: str, encoding: str) -> int:
    codec, unit = CODECS[encoding]
    return len(character.encode(codec)) // unit


def slow_offset(source: str, line: int, character: int, encoding: str) -> int:
    """Count terminators, then units, one character at a time."""
    starts = [0, *(m.end() for m in re.finditer(r"\r\n|\r|\n", source))]
    if line >= len(starts):
        return len(source)
    offset, taken = starts[max(line, 0)], 0
    while offset < len(source) and source[offset] not in "\r\n":
        taken += units(source[offset], encoding)
        if taken > character:
            break
        offset += 1
    return offset


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(source=SOURCES, line=st.integers(-1, 8), character=st.integers(-1, 40))
def test_offset(encoding: str, source: str, line: int, character: int) -> None:
    assert offset_at(Text(source), line, character, encoding) == slow_offset(source, line, character, encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(source=SOURCES)
def test_there_and_back(encoding: str, source: str) -> None:
    text = Text(source)
    for offset in range(len(source) + 1):
        inside_crlf = source[offset - 1 : offset + 1] == "\r\n" if offset else False
        line, character = position_at(text, offset, encoding)
        assert offset_at(text, line, character, encoding) == offset - inside_crlf
        assert slow_offset(source, line, character, encoding) == offset - inside_crlf


@pytest.mark.parametrize(
    ("encoding", "character", "offset"),
    [
        ("utf-16", 1, 1),
        ("utf-16", 2, 1),  # inside the surrogate pair
        ("utf-16", 3, 2),
        ("utf-8", 1, 0),  # inside é
        ("utf-8", 2, 1),
        ("utf-8", 5, 1),  # inside 😀
        ("utf-8", 6, 2),
        ("utf-32", 2, 2),
        ("utf-16", 99, 3),
        ("utf-16", -5, 0),
    ],
)
def test_snap(encoding: str, character: int, offset: int) -> None:
    assert offset_at(Text("é😀x\r\nrest"), 0, character, encoding) == offset


def change(start: tuple[int, int], end: tuple[int, int], new_text: str) -> types.TextDocumentContentChangePartial:
    return types.TextDocumentContentChangePartial(
        range=types.Range(start=types.Position(*start), end=types.Position(*end)), text=new_text
    )


def test_changes_follow_each_other() -> None:
    text, edits = apply_changes(
        Text("😀a\nb"),
        [change((0, 2), (0, 2), "X\n"), change((1, 0), (1, 1), "é"), change((9, 9), (9, 9), "!")],
        "utf-16",
    )
    assert text.source == "😀X\né\nb!"
    assert edits == [Edit(Span(1, 1), "X\n"), Edit(Span(3, 4), "é"), Edit(Span(6, 6), "!")]


def test_whole_document_is_one_edit() -> None:
    whole = types.TextDocumentContentChangeWholeDocument(text="new")
    text, edits = apply_changes(Text("old\n"), [whole], "utf-8")
    assert (text.source, edits) == ("new", [Edit(Span(0, 4), "new")])


def test_backward_range_is_turned_and_not_changed() -> None:
    backward = change((0, 3), (0, 1), "-")
    text, edits = apply_changes(Text("abcd"), [backward], "utf-16")
    assert (text.source, edits) == ("a-d", [Edit(Span(1, 3), "-")])
    assert backward == change((0, 3), (0, 1), "-")


def test_append_to_a_last_line_without_newline() -> None:
    assert apply_changes(Text("abc"), [change((0, 99), (0, 99), "X")], "utf-16")[0].source == "abcX"


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(source=SOURCES, new_text=SOURCES, data=st.data())
def test_edits_say_what_was_done(encoding: str, source: str, new_text: str, data: st.DataObject) -> None:
    position = st.tuples(st.integers(0, 5), st.integers(0, 12))
    before = Text(source)
    after, edits = apply_changes(before, [change(data.draw(position), data.draw(position), new_text)] * 2, encoding)
    replayed = before
    for edit in edits:
        replayed = replayed.apply(edit)
    assert replayed.source == after.source
    assert before.source == source


@given(st.text("ab\r\n😀", max_size=12), st.text("ab\r\n😀", max_size=12))
def test_a_whole_text_is_an_edit_of_what_differs(old: str, new: str) -> None:
    """What is known of the rest (trees, places, suggestions) stays."""
    text, (edit,) = apply_changes(Text(old), [types.TextDocumentContentChangeWholeDocument(text=new)], "utf-16")
    assert text.source == new
    removed, inserted = old[edit.span.start : edit.span.end], edit.new_text
    assert old[: edit.span.start] + inserted + old[edit.span.end :] == new
    if removed and inserted:
        assert removed[0] != inserted[0]
        assert removed[-1] != inserted[-1]


LINES = st.lists(st.sampled_from(["a\n", "b\n", "\u2028", "ab\r\n", "c"]), max_size=12).map("".join)


@given(LINES, LINES)
def test_differences_make_the_one_of_the_other_from_the_last_place_on(old: str, new: str) -> None:
    text, places = Text(old), []
    for edit in differences(old, new):
        text = text.apply(edit)
        places.append(edit.span)
    assert text.source == new
    assert all(one.start >= other.end for one, other in pairwise(places))


def test_what_stands_between_two_changes_is_not_one() -> None:
    old, new = "a\nb\nc\nd\n", "x\na\nb\nc\nyd\n"
    assert differences(old, new) == [Edit(Span(6, 6), "y"), Edit(Span(0, 0), "x\n")]
    assert differences(old, old) == [Edit(Span(8, 8), "")]
    many = "".join(f"{number}\n" for number in range(MOST_LINES))
    assert len(differences(f"a\n{many}b", f"x\n{many}y")) == 1
