"""What `aigc-lsp stats` says: a line for each language."""

from __future__ import annotations

from collections.abc import Sequence

from aigc_lsp.feedback.counts import Counts, Tally, in_all

HEADINGS = (
    "language",
    "shown",
    "accepted",
    "in part",
    "typed",
    "rejected",
    "kept 30 s",
    "2 min",
    "10 min",
    "characters",
)


def rows(counts: Counts) -> list[Sequence[str]]:
    """The cells, below `HEADINGS`; the most used language first, and all together where there are several."""
    tallies = sorted(((name, in_all(counts, name)) for name in counts), key=lambda row: (-row[1].shown, row[0]))
    if len(tallies) > 1:
        total = Tally()
        for _, tally in tallies:
            total = total.plus(tally)
        tallies.append(("all", total))
    return [_row(name, tally) for name, tally in tallies]


def _row(name: str, tally: Tally) -> Sequence[str]:
    outcomes = (tally.accepted, tally.partially, tally.typed, tally.rejected)
    kept = ((tally.share_30, tally.kept_30), (tally.share_120, tally.kept_120), (tally.share_600, tally.kept_600))
    return (
        name,
        f"{tally.shown:,.0f}",
        *(_share(outcome, tally.shown) for outcome in outcomes),
        *(_share(share, count) for share, count in kept),
        f"{tally.characters:,.0f}",
    )


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole > 0 else "–"
