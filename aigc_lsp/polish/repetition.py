"""A model that has nothing more to say says the last thing again, for ever."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from aigc_lsp.polish.lines import bare, is_signs

BLANKS = 24
"""Characters. A model that begins with so many blanks (after an odd indentation) goes on with them for ever."""

_LONGEST_CYCLE = 4
# Characters of a line that are looked at: more than a model says at a time.
_LONGEST_LINE = 2_000
_NUMBERED = 6
_KEPT_OF_NUMBERED = 3

_NUMBER = re.compile(r"\d{1,18}")
# A phrase again and again on one line: the longer it is, the fewer times. Numbers in it may differ.
_PHRASE = re.compile(r"(?=.{0,39}[^\W_])(?:(.{2,5}?)\1{15}|(.{6,11}?)\2{7}|(.{12,40}?)\3{3})")
_RUN = re.compile(r"(?<=\S)[ \t]{60}|[ \t]{160}|[(\[{]{16}|[)\]}]{32}|(\S)\1{119}")


def is_endless(text: str) -> bool:
    """Whether a text is blanks so far, and so many that nothing else will come."""
    return len(text) > BLANKS and not text[: BLANKS + 1].strip(" \t")


def runs_on(line: str) -> bool:
    """Whether one line says the same phrase again and again. What it begins with makes no sense then either."""
    if len(line) < 16:
        return False
    line = line[:_LONGEST_LINE]
    return _RUN.search(line) is not None or any(map(_is_phrase, _PHRASE.finditer(_NUMBER.sub("0", line))))


def _is_phrase(match: re.Match[str]) -> bool:
    """A row of zeros may be data, up to a length."""
    phrase = match[1] or match[2] or match[3]
    return any(map(str.isalpha, phrase)) or match[0] * 2 in match.string


def kept_of(said: Sequence[str], above: Sequence[str]) -> int | None:
    """How many of the lines `said` are to stay, now that the last of them begins to repeat; None where it does not.

    `above` are the lines before them, the last one last. Neither holds blank lines. A line thrice or two lines
    thrice, three or four lines twice; with those above it is once less, since nobody writes twice what stands there.
    """
    for length in range(1, _LONGEST_CYCLE + 1):
        times = 3 if length < 3 else 2
        if len(said) >= length * times and _is_cycle(said, length, times):
            return len(said) - length * (times - 1)
        lines = [*above[-length:], *said]
        if len(said) == length and len(lines) == 2 * length and _is_cycle(lines, length, 2):
            return 0
    return len(said) - _NUMBERED + _KEPT_OF_NUMBERED if _is_numbered(said[-_NUMBERED:]) else None


def _is_cycle(lines: Sequence[str], length: int, times: int) -> bool:
    last = list(lines[-length:])
    if any(list(lines[-length * n : -length * (n - 1)]) != last for n in range(2, times + 1)):
        return False
    if not any(map(str.isalpha, "".join(last))):
        return False  # rows of a table, or brackets
    # Short lines stand twice in good code, too.
    return times > 2 or (len("".join(map(bare, last))) >= 8 * length and not is_signs(last[0]))


def _is_numbered(lines: Sequence[str]) -> bool:
    """`x1 = …`, `x2 = …`, `x3 = …`: the same line but for numbers, one of which counts."""
    if len(lines) < _NUMBERED or not _NUMBER.search(lines[-1]) or len({_NUMBER.sub("0", line) for line in lines}) > 1:
        return False
    columns = zip(*(map(int, _NUMBER.findall(line)) for line in lines), strict=True)
    steps = ({after - before for before, after in pairwise(column)} for column in columns)
    return any(len(found) == 1 and found != {0} for found in steps)
