"""One change of a document, however many edits it came in, and where regions of the text are after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aigc_lsp.text import Edit, Span, Text


@dataclass(frozen=True, slots=True)
class Change:
    """`start..end` of the text before became `new_text`; what is equal at both of its ends is not left out."""

    start: int
    end: int
    new_text: str

    @property
    def growth(self) -> int:
        return len(self.new_text) - (self.end - self.start)


def change_of(edits: Sequence[Edit], after: Text) -> Change:
    """The least region that holds all `edits`, each in terms of the text after those before it. There is one."""
    first = edits[0]
    start, end, now_end = first.span.start, first.span.end, first.span.start + len(first.new_text)
    for edit in edits[1:]:
        end += max(0, edit.span.end - now_end)
        now_end = max(now_end, edit.span.end) + len(edit.new_text) - len(edit.span)
        start = min(start, edit.span.start)
    return Change(start, end, after.slice(Span(start, now_end)))


def narrowed(change: Change, before: Text) -> Change:
    """`change` without what it leaves as it was at its beginning and end."""
    old = before.slice(Span(change.start, change.end))
    head = common_prefix(old, change.new_text)
    tail = common_prefix(old[head:][::-1], change.new_text[head:][::-1])
    return Change(change.start + head, change.end - tail, change.new_text[head : len(change.new_text) - tail])


def moved(start: int, end: int, change: Change) -> tuple[int, int]:
    """Where the region `start..end` is after `change`. What is put at one of its ends is not of it.

    Of a region that is changed in part the rest stays; one that is replaced as a whole is what replaced it.
    """
    if change.end <= start:
        return start + change.growth, end + change.growth
    if change.start >= end:
        return start, end
    if change.start <= start and end <= change.end:
        return change.start, change.start + len(change.new_text)
    if change.start < start:
        return change.start + len(change.new_text), end + change.growth
    if change.end > end:
        return start, change.start
    return start, end + change.growth


def common_prefix(one: str, other: str) -> int:
    """How many characters `one` and `other` have in common at their beginning. Compared by halves, at memory speed."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
