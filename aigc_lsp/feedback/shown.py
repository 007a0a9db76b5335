"""What a change of the document says about a suggestion that is shown in it.

Few clients tell. So it is read off the text: whoever accepts puts the suggestion, or a word or line of it, there in one
edit; whoever types it puts it there key by key, with the closers and the indentation that editors add.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from aigc_lsp.feedback.change import Change
from aigc_lsp.text import Span, Text

PAIRS = frozenset(("()", "[]", "{}", "<>", '""', "''", "``"))
"""What one key puts into the text where an editor closes brackets and quotes."""

ADDED = ")]}>\"'` \t\r\n"
"""What editors add behind what was typed."""


class Outcome(Enum):
    ACCEPTED = "accepted"
    PARTIALLY = "partially"
    TYPED = "typed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Shown:
    """`text` was shown at `offset` of the document `uri`, in the place of the `replaces` characters behind it.

    `probability` is how sure one was of it, 0 to 1; None where nobody knows. `when` is in seconds, of a clock that only
    goes on.
    """

    id: str
    uri: str
    language: str
    offset: int
    text: str
    replaces: int
    probability: float | None
    when: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a suggestion is in the document as it is now: `text[:done]` stands at `start`, the rest is shown behind
    it, in the place of `replaces` characters."""

    text: str
    start: int
    done: int
    replaces: int

    @property
    def at(self) -> int:
        """Where the rest is shown."""
        return self.start + self.done

    @property
    def rest(self) -> str:
        return self.text[self.done :]

    def is_complete(self, now: Text) -> bool:
        """Whether there is no rest, or it stands behind the cursor already: closers that the editor has put there."""
        return not self.rest or self.rest == now.slice(Span(self.at, self.at + self.replaces))


@dataclass(frozen=True, slots=True)
class Step:
    """What a change did: the suggestion's standing after it, None where it is gone; what that means, None where nothing
    is said (deleted, moved, typed on); how many characters of it came in one edit."""

    standing: Standing | None
    outcome: Outcome | None = None
    inserted: int = 0


def continued(standing: Standing, now: Text, offset: int, text: str, replaces: int) -> Standing | None:
    """The standing of a suggestion where `text` is shown at `offset` now, if that is still the same one: what was
    written of it since and `text` say together what it said, or the beginning of that, or that and more."""
    if not standing.start <= offset < standing.start + len(standing.text):
        return None
    written = now.slice(Span(standing.start, offset))
    said = written + text
    length = min(len(said), len(standing.text))
    if _agreeing(said, standing.text) < length:
        return None
    return Standing(said, standing.start, len(written), replaces)


def follow(standing: Standing, before: Text, after: Text, change: Change) -> Step:
    """What `change`, which made the text `before` into `after`, does to a suggestion."""
    at, behind = standing.at, standing.at + standing.replaces
    if change.new_text == before.slice(Span(change.start, change.end)):  # a closer is typed over one that is there
        return Step(standing)
    made = _Made(before, after, change)
    if made.by_putting(standing.rest, at, behind):
        whole = replace(standing, done=len(standing.text), replaces=0)
        if _is_one_key(change.new_text):
            return Step(whole, Outcome.TYPED)
        return Step(whole, Outcome.ACCEPTED, len(standing.rest))
    inserted = made.inserted_at(at)
    if inserted and (step := _written(standing, after, inserted)):
        return step
    if change.start > behind:
        return Step(standing)
    if change.end <= standing.start and change.end < at:
        return Step(replace(standing, start=standing.start + change.growth))
    if standing.start <= change.start <= at <= change.end <= behind and not change.new_text:
        # Taken back, with the closers that the editor had added.
        return Step(replace(standing, done=change.start - standing.start, replaces=behind - change.end))
    return Step(None, Outcome.REJECTED if change.new_text and change.end >= at else None)


def _written(standing: Standing, after: Text, inserted: str) -> Step | None:
    """Where `inserted`, put before the rest that is shown, is the rest's beginning; None where it is not.

    It may have behind it what the editor added by itself, which the rest then replaces.
    """
    rest = standing.rest
    same = _agreeing(inserted, rest)
    added = inserted[same:]
    if not same or added.strip(ADDED):
        return None
    on = replace(standing, done=standing.done + same, replaces=standing.replaces + len(added))
    if rest.startswith(inserted) and not _is_one_key(inserted) and not _cuts_word(rest, same):
        return Step(on, Outcome.PARTIALLY, same)
    return Step(on, Outcome.TYPED if on.is_complete(after) else None)


@dataclass(frozen=True, slots=True)
class _Made:
    """The text `after`, which `change` made of `before`. Texts are compared, not edits: one thing can be done by many
    edits, as menus replace the word before the cursor by that word and more."""

    before: Text
    after: Text
    change: Change

    def by_putting(self, text: str, start: int, end: int) -> bool:
        """Whether it is as if `start..end` had been replaced by `text`."""
        growth = self.change.growth
        if growth != len(text) - (end - start):
            return False
        low, high = min(self.change.start, start), max(self.change.end, end)
        wanted = self.before.slice(Span(low, start)) + text + self.before.slice(Span(end, high))
        return wanted == self.after.slice(Span(low, high + growth))

    def inserted_at(self, at: int) -> str:
        """What was put at `at`, where that is all that was done; else nothing."""
        if self.change.growth <= 0:
            return ""
        inserted = self.after.slice(Span(at, at + self.change.growth))
        return inserted if self.by_putting(inserted, at, at) else ""


def _is_one_key(text: str) -> bool:
    """Whether one key may have put it there: a character, a pair, a line end with the indentation behind it."""
    return len(text) < 2 or text in PAIRS or text.isspace()


def _cuts_word(text: str, at: int) -> bool:
    return at < len(text) and _is_word(text[at - 1]) and _is_word(text[at])


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _agreeing(one: str, other: str) -> int:
    """How many characters they have in common at their beginning, but for case: who writes a name in their own way
    writes it nevertheless."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b and a.lower() != b.lower()), min(len(one), len(other)))
