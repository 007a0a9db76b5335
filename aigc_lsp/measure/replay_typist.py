"""Somebody who types a known text: keys, the pauses between them, slips, and the closers that an editor puts in.

A `Sheet` is the buffer and what is still to be typed in it. Whatever is typed or accepted on the way, it ends as the
true text: a closer that the editor has put in is known by how much is left when the truth comes to it. Pure but for the
chance it is handed.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

PAUSES_MS = ((0.0, 25), (0.10, 45), (0.25, 70), (0.50, 96), (0.75, 158), (0.90, 293), (1.0, 1000))
"""Between two keys, as people type code: quantiles, and lines between them."""
LEAST_ACCEPTED = 4
"""Characters: for fewer nobody reaches for Tab."""
MOST_SLIPPED = 2
"""Keys until a wrong one is noticed."""

Author = Literal["human", "machine"]
KeyKind = Literal["type", "over", "delete", "slip", "backspace"]

_ENTER = re.compile(r"\n[ \t]*")
_CLOSERS = {"(": ")", "[": "]", "{": "}", '"': '"', "'": "'", "`": "`"}
_QUOTES = "\"'`"
_CLOSED_BEFORE = " \t\n)]}>;,:'\"`"
"""What may stand behind the cursor where an editor puts a closer in."""
_STRING = re.compile(r"\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'")


@dataclass(frozen=True, slots=True)
class Change:
    """One edit of a buffer: `text` in the place of `removed` characters at `start`, the cursor behind it but for
    `back` characters."""

    start: int
    removed: int
    text: str
    back: int = 0


@dataclass(frozen=True, slots=True)
class Key:
    """What one key did; `change` is None where it moved the cursor alone."""

    kind: KeyKind
    change: Change | None


@dataclass(frozen=True, slots=True)
class Closer:
    """Text that the editor has put behind the cursor; it is reached when `left` characters remain to be typed."""

    text: str
    left: int


def pause_seconds(chance: random.Random) -> float:
    """Until the next key."""
    at = chance.random()
    for (low, shortest), (high, longest) in pairwise(PAUSES_MS):
        if at <= high:
            return (shortest + (at - low) / (high - low) * (longest - shortest)) / 1e3
    raise AssertionError(at)


@dataclass(slots=True)
class Sheet:
    """`text` with the cursor at `cursor`, where `remaining` is to be typed. `authors` has one entry for each character
    of it that is there already, in order."""

    text: str
    cursor: int
    remaining: str
    closers: list[Closer] = field(default_factory=list)
    authors: list[Author] = field(default_factory=list)
    slipped: str = ""
    """Typed and wrong: before the cursor."""
    _noticed_at: int = 0
    _unwanted: int = 0  # closers right behind the cursor that the truth does not have

    @property
    def is_done(self) -> bool:
        return not (self.remaining or self.slipped or self._unwanted)

    @property
    def typed(self) -> int:
        """How much of the truth is there."""
        return len(self.authors)

    def line_left(self) -> str:
        return self.remaining.split("\n", 1)[0]

    # Keys

    def press(self, chance: random.Random, slips: float = 0.0, closes: bool = True) -> Key:
        """The next key; `slips` is how often a letter is a wrong one. Not to be asked when all is done."""
        if self.slipped and len(self.slipped) >= self._noticed_at:
            self.slipped, self._noticed_at = self.slipped[:-1], 0  # all of it goes
            return Key("backspace", self._put(-1, 1, ""))
        if self.slipped:
            return self._slip(self.remaining[1])
        if self._unwanted:
            self._unwanted -= 1
            return Key("delete", self._put(0, 1, ""))
        if self.closers and self.closers[0].left == len(self.remaining):
            return self._type_over()
        if slips and self.remaining[0].isalnum() and chance.random() < slips:
            letters = string.ascii_lowercase.replace(self.remaining[0].lower(), "")
            goes_on = self.remaining[1:2].isalnum()
            self._noticed_at = chance.randint(1, MOST_SLIPPED if goes_on else 1)
            return self._slip(chance.choice(letters))
        enter = _ENTER.match(self.remaining)
        return Key("type", self._enter(enter.group()) if enter else self._type(self.remaining[0], closes))

    def _slip(self, wrong: str) -> Key:
        self.slipped += wrong
        return Key("slip", self._put(0, 0, wrong))

    def _type_over(self) -> Key:
        """As VS Code does: the closer is replaced by itself; past a line end one moves with an arrow."""
        said = self.closers.pop(0).text
        self._take(said, "human")
        if "\n" in said:
            self.cursor += len(said)
            return Key("over", None)
        return Key("over", self._put(0, len(said), said))

    def _enter(self, said: str) -> Change:
        """A new line with the indentation of the true one. Between two brackets the closing one goes a line further."""
        if self.closers:
            said = said[: len(self.remaining) - self.closers[0].left]
        behind, first = "", self.closers[0] if self.closers else None
        if first is not None and self.cursor and _CLOSERS.get(self.text[self.cursor - 1]) == first.text:
            start = len(self.remaining) - first.left
            line = self.remaining.rfind("\n", 0, start)
            if line >= len(said) and not self.remaining[line:start].strip():
                behind = self.remaining[line:start]
                self.closers[0] = Closer(behind + first.text, first.left + len(behind))
        self._take(said, "human")
        return self._put(0, 0, said + behind, len(behind))

    def _type(self, said: str, closes: bool) -> Change:
        closer = self._closer_of(said) if closes else ""
        self._take(said, "human")
        if not closer:
            return self._put(0, 0, said)
        most = len(self.remaining) - self.closers[0].left if self.closers else len(self.remaining)
        at = _closed_at(self.remaining, said, most)
        if at is not None:
            self.closers.insert(0, Closer(closer, len(self.remaining) - at))
        elif said in _QUOTES:  # an apostrophe; editors are right about most
            return self._put(0, 0, said)
        else:
            self._unwanted += 1
        return self._put(0, 0, said + closer, 1)

    def _closer_of(self, said: str) -> str:
        """What an editor puts behind `said` here, if anything."""
        if self.text[self.cursor : self.cursor + 1] not in _CLOSED_BEFORE:
            return ""
        before = self.text[max(0, self.cursor - 3) : self.cursor]
        if said in _QUOTES and (before.endswith((said, "\\")) or not re.search(r"(?:^|\W)[rbfuRBFU]{0,2}$", before)):
            return ""
        return _CLOSERS.get(said, "")

    # Suggestions

    def fits(self, said: str, replaced: int = 0) -> bool:
        """Whether the buffer is on its way to the truth with `said` in the place of `replaced` characters behind the
        cursor."""
        if self.slipped or not said:
            return False
        own = self._unwanted + sum(len(closer.text) for closer in self.closers)
        if replaced > own:  # over what stood there before: to the end of what is to be typed, or not at all
            return said == self.remaining + self.text[self.cursor + own : self.cursor + replaced]
        kept = self._kept(replaced)
        if kept is None or not self.remaining.startswith(said):
            return False
        return all(len(self.remaining) - closer.left >= len(said) for closer in kept)

    def accept(self, said: str, replaced: int = 0) -> Change:
        """Take a suggestion that fits."""
        own = min(replaced, self._unwanted + sum(len(closer.text) for closer in self.closers))
        kept = self._kept(own)
        assert kept is not None
        dropped, self.closers = self.closers[: len(self.closers) - len(kept)], kept
        there = {len(self.remaining) - closer.left: len(closer.text) for closer in dropped}
        self._unwanted = 0
        change = self._put(0, replaced, said)
        taken = self.remaining[: len(said)]
        by: list[Author] = ["machine"] * len(taken)
        for at, length in there.items():  # the editor had put them in before
            by[at : at + length] = ["human"] * len(by[at : at + length])
        self.authors += by
        self.remaining = self.remaining[len(taken) :]
        return change

    def _kept(self, replaced: int) -> list[Closer] | None:
        """The closers that stay behind the cursor; None where one would be cut in two, or an unwanted one stays."""
        rest = replaced - self._unwanted
        if rest < 0:
            return None
        for number, closer in enumerate(self.closers):
            if rest == 0:
                return self.closers[number:]
            rest -= len(closer.text)
            if rest < 0:
                return None
        return []

    # The buffer

    def _put(self, offset: int, removed: int, said: str, back: int = 0) -> Change:
        start = self.cursor + offset
        self.text = self.text[:start] + said + self.text[start + removed :]
        self.cursor = start + len(said) - back
        return Change(start, removed, said, back)

    def _take(self, said: str, author: Author) -> None:
        assert self.remaining.startswith(said)
        self.remaining = self.remaining[len(said) :]
        self.authors += [author] * len(said)


def first_line(said: str) -> str:
    """The first line of a suggestion of several that has anything in it; empty where it has one line alone."""
    blanks = len(said) - len(said.lstrip())
    end = said.find("\n", blanks)
    return said[:end] if end >= 0 else ""


def acceptable(sheet: Sheet, said: str, replaced: int) -> tuple[str, int] | None:
    """What somebody would take of a suggestion who knows the truth: all of it, else its first line; the text, and how
    many characters behind the cursor it replaces."""
    line = first_line(said)
    for part, over in ((said, replaced), (line, replaced), (line, 0)):
        if len(part) >= LEAST_ACCEPTED and sheet.fits(part, over):
            return part, over
    return None


def at_cursor(said: str, before: str) -> str:
    """A suggestion that replaces the `before` in front of the cursor, as one that begins there; empty where it writes
    that anew."""
    return said[len(before) :] if said.startswith(before) else ""


def _closed_at(remaining: str, opener: str, most: int) -> int | None:
    """Where in `remaining`, up to `most`, what `opener` has opened is closed."""
    if opener in _QUOTES:
        pattern = r"(?:\\[\s\S]|[^`\\])*`" if opener == "`" else rf"(?:\\.|[^{opener}\\\n])*{opener}"
        found = re.match(pattern, remaining)
        return found.end() - 1 if found and found.end() <= most else None
    depth = 1
    for at, said in _code(remaining, most):
        depth += (said == opener) - (said == _CLOSERS[opener])
        if depth == 0:
            return at
    return None


def _code(said: str, most: int) -> Iterator[tuple[int, str]]:
    """The characters of `said` up to `most` that are in no string."""
    at = 0
    while at < most:
        if said[at] in "\"'" and (found := _STRING.match(said, at)):
            at = found.end()
            continue
        yield at, said[at]
        at += 1
