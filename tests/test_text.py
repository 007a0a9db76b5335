"""`Text`: lines end where LSP says, and an edited text equals one built anew."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.text import Edit, Span, Text, sanitise

SOURCES = st.text(alphabet="ab\r\n\f\v\u2028\x85é😀", max_size=30)


def check(text: Text, source: str) -> None:
    """Everything `text` says about `source`, against the slow way."""
    lines = re.split(r"\r\n|\r|\n", source)
    starts = [0, *(m.end() for m in re.finditer(r"\r\n|\r|\n", source))]
    assert text.source == source
    assert len(text) == len(source)
    assert text.line_count == len(lines)
    assert [text.line(n) for n in range(text.line_count)] == lines
    assert [text.line_start(n) for n in range(text.line_count)] == starts
    assert [text.line_end(n) for n in range(text.line_count)] == [
        start + len(line) for start, line in zip(starts, lines, strict=True)
    ]
    assert [text.line_at(offset) for offset in range(len(source) + 1)] == [
        max(n for n, start in enumerate(starts) if start <= offset) for offset in range(len(source) + 1)
    ]


@pytest.mark.parametrize(
    "source", ["", "a", "\n", "\r", "\r\n", "a\rb\r\nc\n", "\n\r", "\f\v\x85\u2028\x1c", "a\r\r\n"]
)
def test_lines(source: str) -> None:
    check(Text(source), source)


@pytest.mark.parametrize(
    ("source", "span", "new_text"),
    [
        ("a\rb", (2, 2), "\n"),  # joins a \r\n
        ("a\r\nb", (2, 2), "x"),  # splits one
        ("a\rx\nb", (2, 3), ""),  # joins by deleting what was between
        ("a\r\nb", (1, 2), ""),
        ("a\r\nb", (2, 3), ""),
        ("a\n", (1, 1), "\r"),
        ("a\nb\nc", (0, 5), ""),
        ("", (0, 0), "\r\n\r\n"),
        ("\r\r", (1, 1), "\n"),
    ],
)
def test_edit_at_a_line_break(source: str, span: tuple[int, int], new_text: str) -> None:
    text = Text(source)
    check(text, source)
    check(text.apply(Edit(Span(*span), new_text)), source[: span[0]] + new_text + source[span[1] :])


@given(source=SOURCES, data=st.data())
def test_edits_equal_a_rebuild(source: str, data: st.DataObject) -> None:
    text = Text(source)
    check(text, source)
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(source)))
        end = data.draw(st.integers(start, len(source)))
        new_text = data.draw(SOURCES)
        before, text = text, text.apply(Edit(Span(start, end), new_text))
        check(before, source)
        source = source[:start] + new_text + source[end:]
        check(text, source)


def test_outside() -> None:
    text = Text("ab\ncd")
    assert (text.line_at(-3), text.line_at(99)) == (0, 1)
    assert text.slice(Span(1, 4)) == "b\nc"
    for line in (-1, 2):
        with pytest.raises(IndexError):
            text.line(line)
    with pytest.raises(ValueError):
        text.apply(Edit(Span(0, 6), ""))
    with pytest.raises(ValueError):
        Span(3, 2)


@pytest.mark.parametrize("source", ["", "plain", "é😀\ufffd\u2028"])
def test_sanitise_leaves_clean_text_alone(source: str) -> None:
    assert sanitise(source) is source


@pytest.mark.parametrize("codes", [(0xD83D,), (0xDE00,), (0xDE00, 0xD83D), (0xD83D, 0xDE00)])
def test_sanitise_keeps_lengths(codes: tuple[int, ...]) -> None:
    lone = "".join(map(chr, codes))
    clean = sanitise(f"é{lone}x")
    assert clean == "é" + "\ufffd" * len(lone) + "x"
    clean.encode()
    # Two surrogates that JSON left unjoined are two code points, so each is counted alone.
    for codec in ("utf-8", "utf-16-le", "utf-32-le"):
        alone = sum(len(c.encode(codec, "surrogatepass")) for c in lone)
        assert len(clean.encode(codec)) == len("éx".encode(codec)) + alone
