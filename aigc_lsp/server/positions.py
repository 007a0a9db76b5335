"""LSP positions to code-point offsets and back: one of the two edges where offsets change their unit.

Contract
    Pure functions over `Text` and plain integers in the encodings that LSP names. Every position has an
    offset: one past the end of its line is that line's end (before the terminator), one past the last line
    is the end of the text, a negative number is 0, and one inside a character (a surrogate pair, a UTF-8
    sequence) is that character's start. Every offset has a position, which is never inside a `\\r\\n`.
    Arguments are never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Literal

from lsprotocol import types

from aigc_lsp.text import Edit, Span, Text

Encoding = Literal["utf-8", "utf-16", "utf-32"]
Change = types.TextDocumentContentChangePartial | types.TextDocumentContentChangeWholeDocument

# Encoding → (codec, bytes in one unit of `character`).
_UNITS: dict[str, tuple[str, int]] = {
    "utf-8": ("utf-8", 1),
    "utf-16": ("utf-16-le", 2),
    "utf-32": ("utf-32-le", 4),
}


def offset_at(text: Text, line: int, character: int, encoding: str) -> int:
    """The offset of a position."""
    line, character = max(line, 0), max(character, 0)
    if line >= text.line_count:
        return len(text)
    start, end = text.line_start(line), text.line_end(line)
    # A code point takes at least one unit, so no more of them than `character` can matter.
    piece = text.source[start : min(end, start + character)]
    if piece.isascii() or encoding == "utf-32":
        return start + len(piece)
    codec, unit = _UNITS[encoding]
    # "ignore" drops a character that the cut has left incomplete: that is the snap to its start.
    return start + len(piece.encode(codec)[: character * unit].decode(codec, "ignore"))


def position_at(text: Text, offset: int, encoding: str) -> tuple[int, int]:
    """The (line, character) of an offset."""
    offset = min(max(offset, 0), len(text))
    line = text.line_at(offset)
    piece = text.source[text.line_start(line) : min(offset, text.line_end(line))]
    if piece.isascii():
        return line, len(piece)
    codec, unit = _UNITS[encoding]
    return line, len(piece.encode(codec)) // unit


def span_of(text: Text, given: types.Range, encoding: str) -> Span:
    """The span of a range, whichever of its ends comes first."""
    one, other = (offset_at(text, each.line, each.character, encoding) for each in (given.start, given.end))
    return Span(min(one, other), max(one, other))


def apply_changes(text: Text, changes: Sequence[Change], encoding: str) -> tuple[Text, list[Edit]]:
    """The text after `changes`, and these as edits, each in terms of the text after those before it."""
    edits = []
    for change in changes:
        edit = _edit_of(text, change, encoding)
        text = text.apply(edit)
        edits.append(edit)
    return text, edits


def _edit_of(text: Text, change: Change, encoding: str) -> Edit:
    """Of a whole text only what differs: all else is known, and stays so."""
    if isinstance(change, types.TextDocumentContentChangeWholeDocument):
        return difference(text.source, change.text)
    return Edit(span_of(text, change.range, encoding), change.text)


MOST_LINES = 2000
"""Compared with one another, which takes some tenths of a second at worst."""


def difference(old: str, new: str) -> Edit:
    """One edit that makes `new` of `old`, and replaces no more than it has to."""
    start = _in_common(lambda length: old.startswith(new[:length]), min(len(old), len(new)))
    most = min(len(old), len(new)) - start
    end = _in_common(lambda length: old.endswith(new[len(new) - length :]), most)
    return Edit(Span(start, len(old) - end), new[start : len(new) - end])


def differences(old: str, new: str) -> list[Edit]:
    """Edits that make `new` of `old`, the last place first, so that each place is one of `old`. What stands between two
    places that were changed is in none of them, unless the lines are too many to be compared."""
    whole = difference(old, new)
    before, after = old[whole.span.start : whole.span.end].splitlines(True), whole.new_text.splitlines(True)
    if not before or not after or len(before) + len(after) > MOST_LINES:
        return [whole]
    from difflib import SequenceMatcher  # rarely wanted

    starts = list(accumulate(map(len, before), initial=whole.span.start))
    found = []
    for tag, first, last, low, high in reversed(SequenceMatcher(None, before, after, False).get_opcodes()):
        if tag != "equal":
            edit = difference("".join(before[first:last]), "".join(after[low:high]))
            start = starts[first]
            found.append(Edit(Span(start + edit.span.start, start + edit.span.end), edit.new_text))
    return found


def _in_common(is_common: Callable[[int], bool], most: int) -> int:
    """The largest length, up to `most`, that `is_common`, by halves."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if is_common(middle) else (low, middle - 1)
    return low
