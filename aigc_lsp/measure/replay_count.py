"""What a replay comes to: each figure beside what it has to reach. Pure arithmetic on what `replay_play` has noted.

A request that the next key overtook was not answered in the time it had, and nobody knows when it would have been. Left
out, the slow ones would be missing and the rest look fast; so percentiles of latency are Kaplan and Meier's, for which
such a one took longer than it was waited for.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Literal

from aigc_lsp.measure.figures import Bound, Figure
from aigc_lsp.measure.replay_play import Moment, Played, Shown

Kind = Literal["cold", "warm", "under way", "reuse", "none", "unknown"]
KINDS: tuple[Kind, ...] = ("cold", "warm", "under way", "reuse", "none", "unknown")
"""cold: a new request, the first of a file or after a jump; warm: another new one; under way: from a stream that ran
already; reuse: nothing was asked of the model; none: there was nothing to say, and nobody was asked; unknown: answered
by a server that does not tell. What was overtaken is cold or warm: others are answered sooner than anybody types."""

_SOURCES: dict[str, Kind] = {"kept": "reuse", "none": "none", "under way": "under way"}


def kind_of(moment: Moment) -> Kind:
    if moment.is_answered and moment.cost.source in _SOURCES:
        return _SOURCES[moment.cost.source]
    if moment.is_first:
        return "cold"
    return "warm" if moment.cost.source == "model" or not moment.is_answered else "unknown"


def moments_of(played: Iterable[Played]) -> list[Moment]:
    return [moment for each in played for moment in each.moments]


def percentile(samples: Sequence[tuple[float, bool]], share: float) -> float | None:
    """The time within which `share` of the requests were answered; a sample is how long one was waited for, and whether
    it was answered then. None where so many never were."""
    left, waiting = 1.0, len(samples)
    for ms, is_answered in sorted(samples, key=lambda one: (one[0], not one[1])):
        if is_answered:
            left *= 1 - 1 / waiting
            if left <= 1 - share + 1e-12:
                return ms
        waiting -= 1
    return None


def latencies(moments: Iterable[Moment], kind: Kind) -> list[tuple[float, bool]]:
    return [(moment.ms, moment.is_answered) for moment in moments if kind_of(moment) == kind]


def figures(ours: Sequence[Played], peer: Sequence[Played] = (), against: str = "") -> list[Figure]:
    """All figures of the language server, those that can be compared beside the peer's."""
    mine, theirs = moments_of(ours), moments_of(peer)
    found = [_waits(mine, theirs, against, kind, share, must) for kind, share, must in _LATENCIES]
    return [
        *_shares(mine, theirs, against),
        _figure(
            "requests that the model had, for 100 keys",
            "",
            _asked(ours),
            _asked(peer),
            against,
            note="also those made ahead, and those that were ended early",
        ),
        *(one for one in found if one is not None),
        *_tokens(mine, theirs, against),
        *_typed(ours, peer, against),
        *_rightness(ours, peer, against),
        _figure("processor time for 1,000 characters", "s", _cpu(ours), _cpu(peer), against),
    ]


_LATENCIES: tuple[tuple[Kind, float, Bound | None], ...] = (
    ("reuse", 0.50, None),
    ("reuse", 0.95, None),
    ("reuse", 0.99, Bound("≤", 10, "ours")),
    ("under way", 0.50, None),
    ("under way", 0.95, None),
    ("warm", 0.50, Bound("≤", 120, "ours")),
    ("warm", 0.95, Bound("≤", 400, "ours")),
    ("warm", 0.99, None),
    ("cold", 0.50, Bound("≤", 1000, "ours")),
    ("cold", 0.95, None),
    ("none", 0.99, None),
    ("unknown", 0.50, None),
    ("unknown", 0.95, None),
)
_RATIOS = {("warm", 0.50): Bound("≥", 6, "ratio"), ("cold", 0.50): Bound("≥", 1.8, "ratio")}


def _waits(
    ours: Sequence[Moment], peer: Sequence[Moment], against: str, kind: Kind, share: float, must: Bound | None
) -> Figure | None:
    """None where nothing of the kind was seen and nothing is asked of it."""
    samples, theirs = latencies(ours, kind), latencies(peer, kind)
    if not samples and must is None:
        return None
    overtaken = sum(not is_answered for _, is_answered in samples)
    note = f"{len(samples):,} requests, {overtaken:,} overtaken by the next key"
    mine, beside = percentile(samples, share), percentile(theirs, share)
    if samples and mine is None:
        note += f"; so many that there is no such percentile, and it is above {max(ms for ms, _ in samples):.0f} ms"
    ratio = beside / mine if mine and beside else None
    bounds = [must] if must else []
    if peer and (wanted := _RATIOS.get((kind, share))):
        bounds.append(wanted)
    return Figure(
        f"key to answer, {kind}, p{share * 100:.0f}",
        "ms",
        mine,
        against if peer else "",
        beside,
        ratio,
        ", ".join(map(str, bounds)) or None,
        _met(bounds, mine, ratio),
        note,
        {"ours": [ms for ms, _ in samples], **({against: [ms for ms, _ in theirs]} if peer else {})},
    )


def _met(bounds: Sequence[Bound], ours: float | None, ratio: float | None) -> bool | None:
    """None where there are none, or where nothing that was measured fails and something was not."""
    found = [bound.is_met(ours, ratio) for bound in bounds]
    return False if False in found else None if None in found or not found else True


def _figure(
    name: str,
    unit: str,
    ours: float | None,
    peer: float | None = None,
    against: str = "",
    must: Bound | None = None,
    note: str = "",
    *,
    is_met: bool | None = None,
) -> Figure:
    met = must.is_met(ours, None) if must else is_met
    return Figure(
        name,
        unit,
        ours,
        against if peer is not None else "",
        peer,
        None,
        str(must) if must else None,
        met,
        note,
    )


def _percent(part: float, whole: float) -> float | None:
    return 100 * part / whole if whole else None


# Shares of keystrokes


def _shares(ours: Sequence[Moment], peer: Sequence[Moment], against: str) -> list[Figure]:
    def of(moments: Sequence[Moment], *kinds: Kind) -> float | None:
        found = [kind_of(moment) for moment in moments]
        return None if "unknown" in found else _percent(sum(kind in kinds for kind in found), len(found))

    def overtaken(moments: Sequence[Moment]) -> float | None:
        return _percent(sum(not moment.is_answered for moment in moments), len(moments))

    free: tuple[Kind, ...] = ("reuse", "none")
    said = f"{len(ours):,} requests, one behind each key and each acceptance; those overtaken count as asked"
    return [
        _figure(
            "answered without a forward pass",
            "%",
            of(ours, *free),
            of(peer, *free),
            against,
            Bound("≥", 75, "ours"),
            said,
        ),
        _figure(
            "answered without a new request",
            "%",
            of(ours, *free, "under way"),
            of(peer, *free, "under way"),
            against,
        ),
        _figure("nothing to say, and nobody asked", "%", of(ours, "none"), of(peer, "none"), against),
        _figure("overtaken by the next key", "%", overtaken(ours), overtaken(peer), against),
    ]


# Tokens


def _tokens(ours: Sequence[Moment], peer: Sequence[Moment], against: str) -> list[Figure]:
    def prefilled(moments: Sequence[Moment], share: float) -> float | None:
        found = sorted(moment.cost.prefilled for moment in moments if moment.is_answered and kind_of(moment) == "warm")
        return float(found[min(len(found) - 1, int(share * len(found)))]) if found else None

    def wasted(moments: Sequence[Moment]) -> float | None:
        asked = [moment for moment in moments if kind_of(moment) in ("cold", "warm") and moment.is_answered]
        total = sum(moment.cost.generated_tokens for moment in asked)
        return _percent(sum(each.cost.generated_tokens for each in asked if not each.fits), total)

    said = "of requests that were answered"
    return [
        _figure("tokens prefilled a keystroke, warm, p50", "", prefilled(ours, 0.5), prefilled(peer, 0.5), against),
        _figure(
            "tokens prefilled a keystroke, warm, p95",
            "",
            prefilled(ours, 0.95),
            prefilled(peer, 0.95),
            against,
            Bound("≤", 3, "ours"),
            said,
        ),
        _figure(
            "tokens generated for nothing",
            "%",
            wasted(ours),
            wasted(peer),
            against,
            note="of those generated for requests that were answered: what came of them was not shown, or was wrong",
        ),
    ]


# What was typed by whom


def typed_by_machine(played: Iterable[Played]) -> float | None:
    """Percent of the characters that there are in the end."""
    authors = [author for each in played for passage in each.authors for author in passage]
    return _percent(authors.count("machine"), len(authors))


def _typed(ours: Sequence[Played], peer: Sequence[Played], against: str) -> list[Figure]:
    mine, theirs = typed_by_machine(ours), typed_by_machine(peer)
    must, met = "≥ 35" + (" and more than the peer" if peer else ""), None
    if mine is not None:
        met = mine >= 35 and (theirs is None or mine > theirs)
    by_scene = {each.scene.name: typed_by_machine([each]) for each in ours}
    spread = ", ".join(f"{name} {share:.0f} %" for name, share in by_scene.items() if share is not None)
    return [
        Figure(
            "typed by machine",
            "%",
            mine,
            against if theirs is not None else "",
            theirs,
            mine / theirs if mine and theirs else None,
            must,
            met,
            spread,
        ),
        _figure("characters in an acceptance, mean", "", _accepted_length(ours), _accepted_length(peer), against),
    ]


def _accepted_length(played: Iterable[Played]) -> float | None:
    """Characters in a row from the machine, as far as one key took them."""
    moments = [moment for each in played for moment in each.moments if moment.accepted]
    taken = [moment.right_characters for moment in moments]
    return statistics.mean(taken) if taken else None


def distinct(played: Iterable[Played]) -> list[Shown]:
    return [shown for each in played for shown in each.shown]


def _rightness(ours: Sequence[Played], peer: Sequence[Played], against: str) -> list[Figure]:
    mine, theirs = distinct(ours), distinct(peer)

    def wrong(shown: Sequence[Shown]) -> float | None:
        return _percent(sum(not each.is_right for each in shown), len(shown))

    def by_line(shown: Sequence[Shown]) -> float | None:
        return _percent(sum(each.accepted == "line" for each in shown), len(shown))

    def per_thousand(played: Sequence[Played]) -> float | None:
        characters = sum(each.scene.characters for each in played)
        return len(distinct(played)) / characters * 1000 if characters else None

    parts = [
        f"{sum(each.accepted == 'whole' for each in mine)} accepted whole",
        f"{sum(each.accepted == 'line' for each in mine)} by their first line",
        f"{sum(each.is_typed_through and not each.accepted for each in mine)} typed through",
    ]
    said = f"{len(mine):,} distinct ones: {', '.join(parts)}, {sum(not each.is_right for each in mine)} wrong"
    return [
        _figure(
            "shown and not what was then typed",
            "%",
            wrong(mine),
            wrong(theirs),
            against,
            Bound("≤", 60, "ours"),
            said,
        ),
        _figure("of those shown, only the first line accepted", "%", by_line(mine), by_line(theirs), against),
        _figure("shown for 1,000 characters", "", per_thousand(ours), per_thousand(peer), against),
    ]


def _asked(played: Sequence[Played]) -> float | None:
    return _percent(sum(each.model_requests for each in played), len(moments_of(played)))


def _cpu(played: Sequence[Played]) -> float | None:
    characters = sum(each.scene.characters for each in played)
    spent = sum(each.cpu_seconds for each in played)
    return spent / characters * 1000 if characters and spent else None
