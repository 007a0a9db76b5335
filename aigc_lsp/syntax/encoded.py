"""A string as the UTF-8 that tree-sitter reads: the other edge where offsets change their unit.

Invariants
    `data == source.encode()`. Conversions cost at most one stretch of `_STRIDE` code points however long a
    line is (lines would not bound it: a minified file is one line). ASCII needs no conversion. `replaced`
    costs copies, never another encoding of what stays.
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

    def replaced(self, start: int, end: int, new_text: str) -> Encoded:
        """With `new_text` in the place of the code points `start..end`. Raises as `__init__`."""
        edited = Encoded.__new__(Encoded)
        edited.source = "".join((self.source[:start], new_text, self.source[end:]))
        first, last = self.byte_at(start), self.byte_at(end)
        edited.data = b"".join((self.data[:first], new_text.encode(), self.data[last:]))
        edited.ascii = len(edited.data) == len(edited.source)
        # What precedes the edit keeps its marks; the others are of other code points now.
        edited._marks = None if edited.ascii else self._index()[: start // _STRIDE + 1]
        return edited

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
        """The byte of each code point whose number is a multiple of `_STRIDE`, and the end."""
        marks = self._marks if self._marks is not None else array("q", (0,))
        size = -(-len(self.source) // _STRIDE) + 1
        if len(marks) < size:
            marks, total = marks[:], marks[-1]
            for start in range((len(marks) - 1) * _STRIDE, len(self.source), _STRIDE):
                total += len(self.source[start : start + _STRIDE].encode())
                marks.append(total)
        self._marks = marks
        return marks
