"""What there is to show for one place, source by source; each gives the most wanted first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from aigc_lsp.context.document import Document
from aigc_lsp.context.needs import at_cursor
from aigc_lsp.context.outline import outline, within
from aigc_lsp.context.similar import Ranking, words_of
from aigc_lsp.context.snippet import Snippet, Source
from aigc_lsp.context.usages import calls_of
from aigc_lsp.context.window import Window
from aigc_lsp.gather.find import Finder, Found
from aigc_lsp.gather.texts import Texts
from aigc_lsp.index.build import Indexer
from aigc_lsp.index.subjects import subject_of
from aigc_lsp.text import Span, Text

MOST_USAGES = 2
LEAST_NAME = 3
"""Characters: what has a shorter name is called everywhere."""

MOST_SIMILAR = 2
MOST_SEEN = 16
"""Pieces that the window may show of the file itself, which resemble it most of all."""
NEAR_LINES_ABOVE, NEAR_LINES_BELOW = 10, 4
"""Around the cursor: what these lines say is looked for elsewhere."""
MOST_NEAR = 2000
"""Characters of them, on each side."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the cursor is. `path` is that of its document, relative to the root of `indexer`."""

    document: Document
    offset: int
    window: Window
    indexer: Indexer
    path: str
    texts: Texts

    @property
    def seen(self) -> Span:
        """What of the document the window shows."""
        end = min(len(self.document.text), self.offset + len(self.window.suffix))
        return Span(max(0, self.offset - len(self.window.prefix)), end)


def definitions(spot: Spot) -> list[Snippet]:
    """What is being called at the cursor, and what has the member that is to come, as it is defined elsewhere.

    What else is used around it was tried, and made completions worse (measured: ARCHITECTURE.md).
    """
    finder, seen = finder_at(spot), spot.seen
    found = [each for need in at_cursor(spot.document.text, spot.offset) for each in finder.find(need)]
    hidden = [each for each in found if each.defined.path != spot.path or not _holds(seen, each.defined.header)]
    return _told(spot, hidden, finder)


def subject(spot: Spot) -> list[Snippet]:
    """What the file has at its top that is tested here."""
    index = spot.indexer.index
    path = subject_of(index.paths, spot.path)
    top = [each for each in index.in_file(path) if not each.parent and not each.name.startswith("_")] if path else []
    return _told(spot, [Found(each, each.kind == "class") for each in top], finder_at(spot))


def finder_at(spot: Spot) -> Finder:
    """Looks names up for that place."""
    text_of = partial(spot.texts.at_hand, spot.indexer)
    return Finder(spot.indexer.index, spot.path, spot.document, spot.offset, text_of)


def _told(spot: Spot, found: Iterable[Found], finder: Finder) -> list[Snippet]:
    return [
        Snippet(each.defined.path, said(text, each, finder), "definition")
        for each in dict.fromkeys(found)
        if (text := spot.texts.at_hand(spot.indexer, each.defined.path)) is not None
    ]


def _holds(span: Span, other: Span) -> bool:
    return span.start <= other.start < span.end


def said(text: Text, found: Found, finder: Finder) -> str:
    """What is told of a definition, `text` being that of its file."""
    defined = found.defined
    if found.is_owner:
        return outline(text, defined, finder.members(defined))
    return within(text, finder.owner_of(defined) if defined.parent else None, defined)


def called_at(document: Document, offset: int) -> str:
    """The name of what is being called at the cursor, or ""."""
    name = next((need.name for need in at_cursor(document.text, offset) if need.name), "")
    return name if len(name) >= LEAST_NAME else ""


def usages(spot: Spot, called: str, beside: Sequence[tuple[str, Text]], likely: Iterable[str]) -> list[Snippet]:
    """Calls of `called`: in this file, in the open documents `beside`, in the files that are `likely` to have some."""
    texts: list[tuple[str, Text, Span | None]] = [(spot.path, spot.document.text, spot.seen)]
    texts += [(path, text, None) for path, text in beside]
    known = {path for path, _, _ in texts}
    for path in likely:
        if path not in known and (text := spot.texts.at_hand(spot.indexer, path)) is not None:
            texts.append((path, text, None))
    found: list[Snippet] = []
    for path, text, seen in texts:
        calls = list(dict.fromkeys(calls_of(called, text, seen)))
        found += [Snippet(path, call, "usage") for call in calls[-MOST_USAGES:]]
        if len(found) >= MOST_USAGES:
            break
    return found[:MOST_USAGES]


def similar(spot: Spot, ranking: Ranking, source: Source) -> list[Snippet]:
    """The pieces of a ranking that resemble the cursor's surroundings, but for what the window shows."""
    text = spot.document.text
    line = text.line_at(spot.offset)
    first, last = max(0, line - NEAR_LINES_ABOVE), min(text.line_count - 1, line + NEAR_LINES_BELOW)
    start, end = max(text.line_start(first), spot.offset - MOST_NEAR), min(text.line_end(last), spot.offset + MOST_NEAR)
    near = text.slice(Span(start, end))
    found = (piece for _, piece in ranking.best(words_of(near), MOST_SIMILAR + MOST_SEEN))
    unseen = [piece for piece in found if not (piece.path == spot.path and _overlap(piece.span, spot.seen))]
    return [Snippet(piece.path, piece.text, source) for piece in unseen[:MOST_SIMILAR]]


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
