"""Which pieces of other files resemble the cursor's surroundings, by the words they share.

BM25 (Robertson and Zaragoza 2009) over pieces of a few lines. Words are identifiers and their parts, so that
`read_config` finds `configReader`; words that most pieces have weigh next to nothing by themselves.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aigc_lsp.text import Span, Text

MOST_LINES = 12
LEAST_LINES = 4
K1, B = 1.2, 0.75
LEAST = 0.15
"""Of what a piece could say of a query: less is a chance likeness, and makes a small model say it."""

_IDENTIFIER = re.compile(r"[^\W\d]\w{2,}")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A few lines of one file, at `span` there, with how often they say each word."""

    path: str
    span: Span
    text: str
    words: Mapping[str, int]
    length: int


def words_of(text: str) -> Counter[str]:
    """How often each identifier, and each part of one, occurs; in lower case."""
    counts: Counter[str] = Counter()
    for identifier, count in Counter(_IDENTIFIER.findall(text)).items():
        counts[identifier.lower()] += count
        parts = _PART.findall(identifier)
        if len(parts) > 1:
            for part in parts:
                if len(part) > 2:
                    counts[part.lower()] += count
    return counts


def pieces_of(path: str, text: Text) -> list[Piece]:
    """The text in pieces of at most `MOST_LINES` lines, cut at a blank line or at the outermost level where one is."""
    found, begin = [], 0
    lines = [text.line(at) for at in range(text.line_count)]
    while begin < len(lines):
        end = _end(lines, begin)
        said = "\n".join(lines[begin:end]).strip("\n")
        if said.strip():
            words = words_of(said)
            span = Span(text.line_start(begin), text.line_end(end - 1))
            found.append(Piece(path, span, said, words, sum(words.values())))
        begin = end
    return found


def _end(lines: list[str], begin: int) -> int:
    last = min(begin + MOST_LINES, len(lines))
    if last == len(lines):
        return last
    for at in range(last, begin + LEAST_LINES, -1):
        if not lines[at].strip() or not lines[at][:1].isspace():
            return at
    return last


class Ranking:
    """Pieces that can be asked which of them resemble a text."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = list(pieces)
        self._average = sum(piece.length for piece in self._pieces) / max(len(self._pieces), 1)
        self._having: defaultdict[str, list[int]] = defaultdict(list)
        for at, piece in enumerate(self._pieces):
            for word in piece.words:
                self._having[word].append(at)

    def best(self, query: Iterable[str], count: int) -> list[tuple[float, Piece]]:
        """The `count` pieces that resemble `query` most, the best first, with the share of it that they say (0 to 1).
        Those below `LEAST` are not among them."""
        scores: defaultdict[int, float] = defaultdict(float)
        possible = 0.0
        for word in set(query):
            weight = self._weight(word)
            possible += weight * (K1 + 1)
            for at in self._having.get(word, ()):
                piece = self._pieces[at]
                often = piece.words[word]
                scores[at] += weight * often * (K1 + 1) / (often + K1 * (1 - B + B * piece.length / self._average))
        ordered = sorted(scores.items(), key=lambda scored: (-scored[1], scored[0]))[:count]
        return [(score / possible, self._pieces[at]) for at, score in ordered if score >= LEAST * possible]

    def _weight(self, word: str) -> float:
        """How much a word says: one that is in every piece next to nothing."""
        having = len(self._having.get(word, ()))
        return math.log(1 + (len(self._pieces) - having + 0.5) / (having + 0.5))
