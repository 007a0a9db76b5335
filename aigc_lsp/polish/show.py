"""How much of a suggestion to show, and how sure that is.

The model says with each token how likely it found it. How often such tokens are right was counted while real code was
typed (ARCHITECTURE.md), so the chance that a beginning of the text is what will be typed is the product of its tokens'.
Of all beginnings the one is offered that is worth most: what it saves where it is right, less what reading it costs
where it is wrong. So a text ends before the first thing that the model can only guess.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aigc_lsp.context.closers import scan
from aigc_lsp.polish.lines import is_word_character
from aigc_lsp.polish.stop import Rule

READING = 3.0
"""Keys: what it costs to look at a suggestion in vain."""

LEAST = 4
"""Characters: what is shorter is typed sooner than read, unless there is no more to say."""

WHOLE = 15.0
"""Keys: what it is worth to end where the model's line ends, and not somewhere in it."""

LONG = 40
"""Characters: few lines go on for longer."""

LINE_AGAIN = 0.25
"""Of a block, each further line has to be so sure, given those above it."""

BASE = 0.2
"""How sure a suggestion is to be that nobody has asked for, until it is known what this user takes."""

PROSE = 0.45
"""And in a comment or a docstring, where a small model mostly guesses."""

Pieces = Sequence[tuple[str, float]]
"""What the model has said, piece by piece, each with its natural log-probability."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The first `keep` characters, which are what will be typed next with a probability of `confidence`; None where
    the model does not say how sure it is. Of a text of several lines it is that of the first."""

    keep: int
    confidence: float | None


def offer(
    text: str, pieces: Pieces, *, is_comment: bool = False, unknown: bool = False, goes_on: bool = False
) -> Offer:
    """Of `text`, which is how `pieces` begin but for what was mended. `unknown`: it uses a name that exists nowhere,
    `goes_on`: the model would go on with the line."""
    if not pieces or not text:
        return Offer(len(text), None)
    marks = list(_marks(text, pieces, is_comment))
    doubt = UNKNOWN_NAME if unknown else 1.0
    first_line = text.find("\n") if "\n" in text.strip("\n") else len(text)
    if first_line < len(text):
        return _lines(text, marks, doubt)
    keep, chance, _ = _best(text, marks, doubt, goes_on=goes_on)
    return Offer(len(text[:keep].rstrip()), chance)


def is_prose(rule: Rule) -> bool:
    """Whether the cursor is in a comment, a docstring or another text of several lines."""
    if rule.kind != "string":
        return rule.kind == "comment"
    return not scan(rule.line_before).quote or rule.line_before.lstrip().startswith(_DOCSTRINGS)


def is_decided(text: str, pieces: Pieces, least: float, *, is_comment: bool = False, is_block: bool = False) -> bool:
    """Whether nothing that may follow `text` changes what is offered of it: it would not be sure enough, or (of a line)
    not worth more than a part of what is there."""
    if not pieces or not text:
        return False
    marks = list(_marks(text, pieces, is_comment))
    chance = marks[-1][1]
    if (line := text.rfind("\n", 0, len(text.rstrip("\n"))) + 1) and text[:line].strip():
        above = next(chance for end, chance in marks if end >= len(text[:line].rstrip()))
        return bool(text[line:].strip()) and chance < LINE_AGAIN * above
    if chance < least or is_block:
        return chance < least
    return _value(LONG + WHOLE, chance) < _best(text, marks, goes_on=True)[2]


def _best(
    text: str, marks: Sequence[tuple[int, float]], doubt: float = 1.0, *, goes_on: bool
) -> tuple[int, float, float]:
    """The beginning of a line that is worth most: its length, its chance and its worth in keys."""
    found = 0, 0.0, -READING
    for end, chance in marks:
        said = text[:end].strip()
        if end < len(text) and (not _may_end(text, end) or len(said) < LEAST):
            continue
        value = _value(len(said) + WHOLE * (end == len(text) and not goes_on), chance * doubt)
        if not found[0] or value > found[2]:
            found = end, chance * doubt, value
    return found


def _value(length: float, chance: float) -> float:
    return chance * length - (1 - chance) * READING


def _lines(text: str, marks: Sequence[tuple[int, float]], doubt: float) -> Offer:
    """Whole lines, as long as they are likely enough: of a block that begins right the rest is easily mended."""
    keep, before, confidence = 0, 1.0, None
    start = 0
    while start < len(text):
        newline = text.find("\n", start)
        end = len(text) if newline < 0 else newline
        if text[start:end].strip():
            chance = next((chance for at, chance in marks if at >= end), marks[-1][1])
            if confidence is None:
                confidence = chance * doubt
            elif chance < LINE_AGAIN * before:
                break
            keep, before = end, max(chance, 1e-6)
        start = end + 1
    return Offer(keep, confidence)


def _marks(text: str, pieces: Pieces, is_comment: bool) -> Iterator[tuple[int, float]]:
    """The ends of the pieces in `text`, each with the chance that all is right up to there."""
    at, chance = 0, 1.0
    for said, logprob in pieces:
        if at >= len(text):
            return
        at += len(said)
        chance *= _chance(logprob, "\n" in said, is_comment)
        yield min(at, len(text)), chance
    if at < len(text):
        yield len(text), chance


# Fitted to what was said and what was typed: ARCHITECTURE.md, "Whether to show".
SLOPE, START, NEWLINE, COMMENT = 0.72, -0.36, 0.65, -0.5
UNKNOWN_NAME = 0.4


def _chance(logprob: float, ends_line: bool, is_comment: bool) -> float:
    """That a token is right, all before it being right. One that ends the line shares its chance with its like."""
    logprob = min(logprob, -1e-4)
    logit = max(-8.0, min(8.0, logprob - math.log(-math.expm1(logprob))))
    return 1 / (1 + math.exp(-(SLOPE * logit + START + NEWLINE * ends_line + COMMENT * is_comment)))


def _may_end(text: str, end: int) -> bool:
    """Whether a text may end there before its line does: behind a word, and nothing that it has opened is left open,
    but a docstring."""
    if is_word_character(text[end - 1]) and is_word_character(text[end : end + 1]):
        return False
    found = scan(text[:end])
    return not found.left_open and (not found.quote or text.lstrip().startswith(_DOCSTRINGS))


_DOCSTRINGS = ('"""', "'''")
