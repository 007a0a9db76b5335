"""The window: what of a document the model sees, and how little that changes while one types."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.context.window import CHARACTERS_PER_TOKEN, Window, gather
from aigc_lsp.text import Edit, Span, Text

PREFIX, SUFFIX = 100, 40
SOURCES = st.text(alphabet="ab (\n\r\t\ufeff\u2028😀", max_size=900)


def window(source: str | Text, offset: int, prefix: int = PREFIX, suffix: int = SUFFIX) -> Window:
    text = source if isinstance(source, Text) else Text(source)
    return gather(text, offset, language="python", prefix_tokens=prefix, suffix_tokens=suffix)


def lines(count: int, seed: int = 0) -> str:
    chance = random.Random(seed)
    return "".join(f"line_{number} = {'x' * chance.randint(0, 60)}\n" for number in range(count))


def test_small_documents_are_seen_whole() -> None:
    found = window("a = 1\nb = \nc = 3\n", 10)
    assert (found.prefix, found.suffix, found.offset) == ("a = 1\nb = ", "\nc = 3\n", 10)
    assert (found.line_before, found.line_after) == ("b = ", "")


@pytest.mark.parametrize("offset", [0, 1, 5])
def test_the_cursor_s_line(offset: int) -> None:
    found = window("0123\r\n456\r\n", offset + 6 if offset < 4 else 9)
    assert found.line_before == "456"[: offset if offset < 4 else 3]
    assert found.line_before + found.line_after == "456"


def test_edges_are_line_starts() -> None:
    source = lines(400)
    starts = {at for at in range(len(source) + 1) if at == 0 or source[at - 1] == "\n"}
    for offset in range(0, len(source), 97):
        found = window(source, offset)
        start, end = offset - len(found.prefix), offset + len(found.suffix)
        assert start in starts
        assert end in starts or end == len(source)
        assert source[start:offset] == found.prefix
        assert source[offset:end] == found.suffix


@given(source=SOURCES, data=st.data())
def test_budget(source: str, data: st.DataObject) -> None:
    """The characters on each side stay within what is allowed, whatever the lines are like."""
    offset = data.draw(st.integers(0, len(source)))
    prefix, suffix = data.draw(st.integers(8, 64)), data.draw(st.integers(0, 64))
    found = window(source, offset, prefix, suffix)
    assert len(found.prefix) <= prefix * CHARACTERS_PER_TOKEN
    # The rest of the cursor's line, and as much below it.
    assert len(found.suffix) <= 2 * suffix * CHARACTERS_PER_TOKEN
    assert "\r" not in found.prefix + found.suffix


def test_most_of_the_budget_is_used() -> None:
    source = lines(400)
    for offset in range(len(source) // 2, len(source) // 2 + 500):
        budget = PREFIX * CHARACTERS_PER_TOKEN
        assert len(window(source, offset).prefix) >= budget * 3 // 4 - 80


def typed(source: str, offset: int, text: str) -> list[Window]:
    """The windows while `text` is typed, character by character."""
    document, found = Text(source), []
    for character in text:
        document = document.apply(Edit(Span(offset, offset), character))
        offset += 1
        found.append(window(document, offset))
    return found


@pytest.mark.parametrize("at", [5000, 9000])
def test_while_typing_the_prefix_only_grows(at: int) -> None:
    source = lines(400)
    offset = source.index("\n", at)
    windows = typed(source, offset, "\n" + lines(12, seed=1))
    pairs = list(pairwise(windows))
    grown = sum(later.prefix.startswith(earlier.prefix) for earlier, later in pairs)
    moves = len(pairs) - grown
    # A step is a quarter of the budget: with 300 characters, one move for each 75 typed and no more.
    assert moves <= len(pairs) // (PREFIX * CHARACTERS_PER_TOKEN // 4) + 1
    assert grown >= len(pairs) * 0.95


@pytest.mark.parametrize("at", [0, 700, 9000])
def test_while_typing_a_line_the_suffix_stays(at: int) -> None:
    source = lines(400)
    offset = source.index("\n", at)
    assert len({found.suffix for found in typed(source, offset, "result = [x for x in lines if x.strip()]")}) == 1


def test_while_typing_in_a_line_the_suffix_stays() -> None:
    source = lines(100) + "foo()\n" + lines(100)
    offset = source.index("foo(") + 4
    assert len({found.suffix for found in typed(source, offset, "a, b, c, d, e, f, g, h, i, j")}) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_are_plain(end: str) -> None:
    lines_ = ["def f():", "    x = 1", "    ", "print()", ""]
    source = end.join(lines_)
    offset = source.index("print") - len(end)
    found = window(source, offset)
    assert found.prefix == "def f():\n    x = 1\n    "
    assert found.suffix == "\nprint()\n"


@pytest.mark.parametrize("offset", [0, 1, 3])
def test_byte_order_mark_is_left_out(offset: int) -> None:
    found = window("\ufeffx = 1", offset)
    assert found.prefix + found.suffix == "x = 1"
    assert found.prefix == "x = 1"[: max(offset - 1, 0)]


def test_a_mark_elsewhere_is_text() -> None:
    source = "x\n" * 500 + "\ufeffy\n" + "x\n" * 100
    found = window(source, source.index("y"))
    assert found.prefix.endswith("\n\ufeff")
    assert window("\ufeff\ufeffx", 3).prefix == "\ufeffx"


@pytest.mark.parametrize("around", ["", "\n", "a\n" * 300])
@pytest.mark.parametrize("share", [0, 1, 30, 99, 100])
def test_one_giant_line(around: str, share: int) -> None:
    giant = "f(x);" * 20_000
    source = around + giant + around
    offset = len(around) + len(giant) * share // 100
    found = window(source, offset)
    assert len(found.prefix) <= PREFIX * CHARACTERS_PER_TOKEN
    assert source[:offset].endswith(found.prefix)
    assert source[offset:].startswith(found.suffix)
    assert share == 0 or found.prefix
    assert share == 100 or found.suffix
    assert len(found.suffix) <= SUFFIX * CHARACTERS_PER_TOKEN


def test_no_suffix_wanted() -> None:
    assert window("a\nb\nc\n", 2, suffix=0).suffix == ""
    assert window("a\nbcd\ne\n", 3, suffix=0).suffix == ""


def test_line_separators_are_no_lines() -> None:
    source = "a\u2028b\x85c\fd"
    found = window(source, 4)
    assert (found.line_before, found.line_after) == (source[:4], source[4:])
