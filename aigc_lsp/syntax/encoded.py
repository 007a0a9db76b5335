"""A string as the UTF-8 that tree-sitter reads: the other edge where offsets change their unit.

Invariants
    `data == source.encode()`. Conversions cost at most one stretch of `_STRIDE` code points however long a
    line is (lines would not bound it: a minified file is one line). ASCII needs no conversion.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right

_STRIDE = 2048


class Encoded:
    """Immutable, but for an index that is built when the first conversion needs it."""

    __slots__ = ("_marks", "ascii", "data", "source")

    def __init__(self, source: str) -> None:
        """Raises UnicodeEncodeError for a lone surrogate."""
        self.source = source
        self.data = source.encode()
        self.ascii = len(self.data) == len(source)
        self._marks: array[int] | None = None

    def byte_at(self, offset: int) -> int:
        """The byte where the code point at `offset` begins."""
        if self.ascii:
            return offset
        mark = offset // _STRIDE
        return self._index()[mark] + len(self.source[mark * _STRIDE : offset].encode())

    def offset_at(self, byte: int) -> int:
        """The code point that begins at `byte`."""
        if self.ascii:
            return byte
        marks = self._index()
        mark = bisect_right(marks, byte) - 1
        return min(mark * _STRIDE, len(self.source)) + len(self.data[marks[mark] : byte].decode("utf-8", "ignore"))

    def point_at(self, offset: int) -> tuple[int, int]:
        """tree-sitter's row and byte column. Its rows end at `\\n` alone, so `Text`'s lines do not serve."""
        row_start = self.source.rfind("\n", 0, offset) + 1
        return self.source.count("\n", 0, offset), self.byte_at(offset) - self.byte_at(row_start)

    def _index(self) -> array[int]:
        if self._marks is None:
            marks, total = array("q", (0,)), 0
            for start in range(0, len(self.source), _STRIDE):
                total += len(self.source[start : start + _STRIDE].encode())
                marks.append(total)
            self._marks = marks
        return self._marks
