"""Whether a document still stands as it did when something was asked about a place in it.

A place is known by the text around it, not by an offset: so edits elsewhere move nothing, and after an undo it is found
again.
"""

from __future__ import annotations

from dataclasses import dataclass

from aigc_lsp.text import Text

BEFORE, AFTER = 4096, 1024
"""Characters around a place by which it is known: about what the model reads of them."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """What stands before a place, and behind what was left out there; to the text's ends, where these are near."""

    before: str
    after: str

    @classmethod
    def at(cls, text: Text, offset: int, left_out: int = 0) -> Anchor:
        """`left_out`: so many characters behind `offset` are of no interest (closers that the model does not see)."""
        source, behind = text.source, offset + left_out
        return cls(source[max(0, offset - BEFORE) : offset], source[behind : behind + AFTER])

    def typed(self, text: Text, offset: int, most: int, left_out: int = 0) -> str | None:
        """What was typed from the place to `offset`, at most `most` characters, with `\\n` for every line end.

        None where anything else has changed around them, up to `left_out` characters behind `offset`.
        """
        source, behind = text.source, offset + left_out
        if not source.startswith(self.after, behind):
            return None
        if len(self.after) < AFTER and behind + len(self.after) < len(source):
            return None
        if len(self.before) < BEFORE:
            lengths = range(offset - len(self.before), offset - len(self.before) + 1)
        else:
            lengths = range(min(most, offset - BEFORE) + 1)
        for length in lengths:
            if 0 <= length <= most and source.startswith(self.before, offset - length - len(self.before)):
                return source[offset - length : offset].replace("\r\n", "\n").replace("\r", "\n")
        return None
