"""What was shown: a future of the buffer, that can be reached from more places than the one it was shown at."""

from __future__ import annotations

from dataclasses import dataclass

from aigc_lsp.reuse.anchor import Anchor
from aigc_lsp.text import Text

_CLOSERS = frozenset(")]}\"'`>")
_MOST_CLOSERS = 6
"""That an editor inserts behind the cursor for what is typed before it."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is left to insert, as in `polish.cut.Insertion`."""

    text: str
    replaces: int
    alone: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`text` at `anchor`, in the place of the `replaces` characters behind it; `alone` where nothing can be replaced.

    `confidence` is that of all of it, `asked`: it was asked for and not offered unasked.
    """

    anchor: Anchor
    text: str
    replaces: int
    alone: str
    confidence: float | None = None
    asked: bool = False

    def left(self, text: Text, offset: int) -> Left | None:
        """What leads from `offset` to the same future: where it was typed through in part, or backspaced into, also
        where the editor has put closers behind the cursor. None where nothing does."""
        for closers in range(_MOST_CLOSERS + 1):
            if closers and text.source[offset + closers - 1 : offset + closers] not in _CLOSERS:
                return None
            typed = self.anchor.typed(text, offset, 2 * len(self.text), closers)
            if typed is not None:
                break
        else:
            return None
        if len(typed) >= len(self.text) or not self.text.startswith(typed):
            return None
        rest = self.text[len(typed) :]
        if not closers:
            return Left(rest, self.replaces, self.alone[len(typed) :] if self.alone.startswith(typed) else "")
        return _over(rest, self.replaces, text.source[offset : offset + closers])


def _over(rest: str, replaces: int, closers: str) -> Left | None:
    """`rest` in the place of `closers` too, which it must say itself; an end that both have is left as it is."""
    at = 0
    for closer in closers:
        at = rest.find(closer, at) + 1
        if not at:
            return None
    alone = rest[: rest.find(closers[0])]
    left = len(closers)
    while not replaces and left and rest.endswith(closers[left - 1]):
        rest, left = rest[:-1], left - 1
    return Left(rest, left + replaces, alone if left + replaces else rest) if rest else None
