"""Text that never changes, with an index of its lines.

Contract
    An offset counts code points; `Span(start, end)` is half open. A line ends at `\\n`, `\\r\\n` or `\\r`
    and nowhere else (not at form feed, U+0085 or U+2028), which is what the Language Server Protocol says
    and `str.splitlines` does not do. An empty text has one line, and a text that ends in a terminator has
    an empty last line.

Invariants
    A `Text` never changes once made; `apply` returns another one. The line index is built on first use and
    handed on by splicing, so that an edit costs the copy of the string and of an array, never another scan.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from dataclasses import dataclass

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_BREAK = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Span:
    """The code points from `start` up to, not including, `end`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"not a span: {self.start}..{self.end}")

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `new_text` in the place of `span`."""

    span: Span
    new_text: str


class Text:
    """An immutable text. Lines are counted from 0.

    The index is one array of line starts in two parts: entries from `_pivot` on are stored without
    `_shift`. Typing in one place then moves everything behind it by changing one number.
    """

    __slots__ = ("_pivot", "_shift", "_source", "_starts")

    def __init__(self, source: str) -> None:
        self._source = source
        self._starts: array[int] | None = None
        self._pivot = 0
        self._shift = 0

    @property
    def source(self) -> str:
        return self._source

    def __len__(self) -> int:
        return len(self._source)

    def __repr__(self) -> str:
        return f"Text({self._source[:40]!r}, {len(self)} code points)"

    @property
    def line_count(self) -> int:
        return len(self._index())

    def line_at(self, offset: int) -> int:
        """The line that holds `offset`; an offset outside the text counts as its nearest end."""
        starts = self._index()
        if self._pivot < len(starts) and offset >= starts[self._pivot] + self._shift:
            return bisect_right(starts, offset - self._shift, self._pivot) - 1
        return max(bisect_right(starts, offset, 0, self._pivot) - 1, 0)

    def line_start(self, line: int) -> int:
        """Where line `line` begins. Raises IndexError when there is no such line."""
        starts = self._index()
        if not 0 <= line < len(starts):
            raise IndexError(f"no line {line} among {len(starts)}")
        return starts[line] + (self._shift if line >= self._pivot else 0)

    def line_end(self, line: int) -> int:
        """Where line `line` ends, before its terminator."""
        if line + 1 == self.line_count:
            return len(self._source)
        end = self.line_start(line + 1)
        return end - (2 if self._source.startswith("\r\n", end - 2) else 1)

    def line(self, line: int) -> str:
        """Line `line` without its terminator."""
        return self._source[self.line_start(line) : self.line_end(line)]

    def slice(self, span: Span) -> str:
        return self._source[span.start : span.end]

    def apply(self, edit: Edit) -> Text:
        """The text after `edit`. Raises ValueError when the edit reaches past the end."""
        start, end = edit.span.start, edit.span.end
        if end > len(self._source):
            raise ValueError(f"the edit ends at {end}, the text at {len(self._source)}")
        edited = Text("".join((self._source[:start], edit.new_text, self._source[end:])))
        if self._starts is not None:
            self._hand_on_index(edited, start, end)
        return edited

    def _index(self) -> array[int]:
        if self._starts is None:
            starts = array("q", (0,))
            starts.extend(_line_starts(self._source, 0, len(self._source)))
            self._pivot = len(starts)
            self._starts = starts
        return self._starts

    def _hand_on_index(self, edited: Text, start: int, end: int) -> None:
        """Give `edited`, which differs from this text in `start..end` only, its index.

        Whole lines are scanned again, from the one before `start` (an edit can turn its `\\r` into
        `\\r\\n`) to the one that holds `end`: what precedes and what follows them ends in a terminator that
        the edit cannot reach.
        """
        starts = self._index()
        first, last = self.line_at(max(start - 1, 0)), self.line_at(end)
        growth = len(edited) - len(self)
        scan_from = self.line_start(first)
        scan_to = len(edited) if last + 1 == len(starts) else self.line_start(last + 1) + growth
        head, tail = starts[: first + 1], starts[last + 2 :]
        if self._shift:
            for n in range(self._pivot, len(head)):
                head[n] += self._shift
            for n in range(min(self._pivot - last - 2, len(tail))):
                tail[n] -= self._shift
        head.extend(_line_starts(edited.source, scan_from, scan_to))
        edited._pivot, edited._shift = len(head), self._shift + growth
        head.extend(tail)
        edited._starts = head


def sanitise(source: str) -> str:
    """`source` with each lone surrogate replaced by U+FFFD; the same object when there is none.

    A lone surrogate can be sent as JSON but not be encoded, so it would fail later and far away. U+FFFD
    keeps every position valid: like the surrogate it is one UTF-16 unit, one UTF-32 unit, and three bytes
    where a client counts the surrogate in (generalised) UTF-8.
    """
    if source.isascii() or not _LONE_SURROGATE.search(source):
        return source
    return _LONE_SURROGATE.sub("\ufffd", source)


def _line_starts(source: str, start: int, end: int) -> list[int]:
    """Where lines begin behind the terminators in `start..end`, which must not cut a `\\r\\n` in two."""
    if source.find("\r", start, end) >= 0:
        return [match.end() for match in _LINE_BREAK.finditer(source, start, end)]
    # `find` runs at memory speed over long lines, where a regular expression looks at each character.
    found, at = [], source.find("\n", start, end)
    while at >= 0:
        found.append(at + 1)
        at = source.find("\n", at + 1, end)
    return found
