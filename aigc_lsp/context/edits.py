"""Where somebody has been editing lately: what was just written in one place is often wanted in the next.

Regions follow the text: what is typed before one moves it, what is typed in or next to it makes it larger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aigc_lsp.text import Edit, Text

MOST = 8
NEAR = 200
"""Characters: an edit so near to a region is of it."""

LONGEST = 2000
"""Characters: a longer edit is none by hand."""

LINES_AROUND = 1
MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class Region:
    """`start..end` of the document `uri` as it is now."""

    uri: str
    start: int
    end: int


def followed(regions: Sequence[Region], uri: str, edits: Iterable[Edit]) -> tuple[Region, ...]:
    """`regions`, the latest first, after `edits` of the document `uri`, each in terms of the text after those before.

    What is put in or taken out as a whole (a branch switched, a formatter) is nobody's work at that place.
    """
    found = list(regions)
    for edit in edits:
        start, end, grown = edit.span.start, edit.span.end, len(edit.new_text) - len(edit.span)
        if max(len(edit.new_text), len(edit.span)) > LONGEST:
            found = [each for each in found if each.uri != uri]
            continue
        for each in [each for each in found if _is_near(each, uri, start, end)]:
            found.remove(each)
            start, end = min(start, each.start), max(end, each.end)
        others = [_moved(each, end, grown) if each.uri == uri else each for each in found]
        found = [Region(uri, start, end + grown), *others][:MOST]  # of thousands of edits, too
    return tuple(found)


def _is_near(region: Region, uri: str, start: int, end: int) -> bool:
    return region.uri == uri and region.start - NEAR <= end and start <= region.end + NEAR


def _moved(region: Region, end: int, grown: int) -> Region:
    return replace(region, start=region.start + grown, end=region.end + grown) if region.start >= end else region


def text_of(region: Region, text: Text) -> str:
    """The lines of a region and one on each side; of a long one the last."""
    last = min(text.line_at(min(region.end, len(text))) + LINES_AROUND, text.line_count - 1)
    first = max(0, text.line_at(min(region.start, len(text))) - LINES_AROUND, last + 1 - MOST_LINES)
    return "\n".join(text.line(line) for line in range(first, last + 1)).strip("\n")
