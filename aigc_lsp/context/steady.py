"""The window stays what the model has read, as long as somebody types on at the same place.

What is read once costs nothing more, what is left out of its beginning costs all of it again. So a window that was
read grows at its end to `STRETCH` times its budget before it begins anew; only what is read for the first time has to
keep within that. And its suffix stays though the editor has put closers into it: Enter between two braces moves the
closing one to a line of its own below the cursor, first of all in a prompt whose suffix comes first.
"""

from __future__ import annotations

from aigc_lsp.context.closers import CLOSERS

STRETCH = 2
MOST_LINES = 8
ENOUGH = 200
"""Characters, by which one text is known to be another that reaches farther."""


def steady_suffix(suffix: str, read: str) -> str | None:
    """`read`, where `suffix` is that, or that with lines of closers alone before it; else None."""
    rest = suffix
    for _ in range(MOST_LINES):
        if _is_same(rest, read):
            return read
        line, ended, below = rest[1:].partition("\n")
        if not rest.startswith("\n") or not ended or line.strip(CLOSERS + ";,: \t"):
            return None
        rest = f"\n{below}"
    return None


def _is_same(one: str, other: str) -> bool:
    least = min(len(one), len(other))
    return one.rstrip() == other.rstrip() or (least >= ENOUGH and one[:least] == other[:least])


def goes_on(prefix: str, read: str) -> bool:
    """Whether `prefix` is `read`, typed on or taken back a little."""
    shared = min(len(read), max(ENOUGH, len(read) // 2))
    return prefix[:shared] == read[:shared]
