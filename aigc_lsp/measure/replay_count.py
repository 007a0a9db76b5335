"""What a replay comes to: each figure beside what it has to reach. Pure arithmetic on what `replay_play` has noted.

A request that the next key overtook was not answered in the time it had, and nobody knows when it would have been. Left
out, the slow ones would be missing and the rest look fast; so percentiles of latency are Kaplan and Meier's, for which
such a one took longer than it was waited for.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from aigc_lsp.measure.figures import Bound, Figure, figure
from aigc_lsp.measure.figures import percentile as nearest_rank
from aigc_lsp.measure.replay_play import Moment, Played, Shown

Kind = Literal["cold", "warm", "reuse", "none", "unknown"]
KINDS: tuple[Kind, ...] = ("cold", "warm", "reuse", "none", "unknown")
"""cold: the model's answer to the first key of a passage; warm: to another, whether it was asked for this key or was
under way when it came, and all that was overtaken: others are answered sooner than anybody types; reuse: nothing was
asked of the model; none: there was nothing to say, and nobody was asked; unknown: answered by a server that does not
tell."""

_SOURCES: dict[str, Kind] = {"kept": "reuse", "none": "none"}
_OF_MODEL = ("model", "under way")
SHORT = 6
"""Characters: of what is shorter and wrong it is said how much there was."""


def kind_of(moment: Moment) -> Kind:
    if moment.is_answered and moment.cost.source in _SOURCES:
        return _SOURCES[moment.cost.source]
    if moment.is_first:
        return "cold"
    return "warm" if moment.cost.source in _OF_MODEL or not moment.is_answered else "unknown"


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


STILL_WAITING = 20


def at_least(samples: Sequence[tuple[float, bool]]) -> float:
    """Where there is no percentile: what it is above, as long as `STILL_WAITING` of the requests were waited for."""
    longest = sorted((ms for ms, _ in samples), reverse=True)
    return longest[min(STILL_WAITING, len(longest)) - 1]


def was_asked(moment: Moment) -> bool:
    """Whether the answer is to a question of its own."""
    return moment.is_answered and moment.cost.source == "model"


def was_under_way(moment: Moment) -> bool:
    return moment.is_answered and moment.cost.source == "under way"


def latencies(moments: Iterable[Moment], kind: Kind) -> list[tuple[float, bool]]:
    return [(moment.ms, moment.is_answered) for moment in moments if kind_of(moment) == kind]


def figures(ours: Sequence[Played], peer: Sequence[Played] = (), against: str = "") -> list[Figure]:
    """All figures of the language server, those that can be compared beside the peer's."""
    mine, theirs = moments_of(ours), moments_of(peer)
    found = [_waits(mine, theirs, against, kind, share, must) for kind, share, must in _LATENCIES]
    return [
        _without_pass(ours),
        *_shares(mine, theirs, against),
        *(one for one in found if one is not None),
        *_under_way(mine),
        *_tokens(mine, theirs, against),
        *_typed(ours, peer, against),
        *_rightness(ours, peer, against),
        *_wrong(ours, peer, against),
        _figure("processor time for 1,000 characters", "s", _cpu(ours), _cpu(peer), against),
    ]


_LATENCIES: tuple[tuple[Kind, float, Bound | None], ...] = (
    ("reuse", 0.50, None),
    ("reuse", 0.95, None),
    ("reuse", 0.99, Bound("≤", 10, "ours")),
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
    if theirs and beside is None:
        gone, beside = sum(not is_answered for _, is_answered in theirs), at_least(theirs)
        note += f"; of {against}'s {len(theirs):,} requests {gone:,} were overtaken, and its figure is above this one"
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


def _under_way(moments: Sequence[Moment]) -> list[Figure]:
    """Of what is warm; the percentiles are plain, as nobody knows which of those overtaken were under way."""
    found = [moment.ms for moment in moments if was_under_way(moment) and not moment.is_first]
    if not found:
        return []
    return [
        figure(f"of that, under way when the key came, p{share * 100:.0f}", "ms", found, None, nearest_rank(share))
        for share in (0.50, 0.95)
    ]


# Shares of keystrokes


def _without_pass(ours: Sequence[Played]) -> Figure:
    """Ours alone: a peer that never answers in time asks for little."""
    asked, keys = sum(each.model_requests for each in ours), len(moments_of(ours))
    share = _percent(asked, keys)
    note = (
        f"100 less the requests that the model had for 100 keys, by its own count: {asked:,} for {keys:,} keystrokes "
        "and acceptances, also those made ahead and those ended early"
    )
    spared = None if share is None else 100 - share
    return _figure("answered without a forward pass", "%", spared, must=Bound("≥", 75, "ours"), note=note)


def _shares(ours: Sequence[Moment], peer: Sequence[Moment], against: str) -> list[Figure]:
    def row(name: str, counts: Callable[[Moment], bool]) -> Figure:
        mine, theirs = (_percent(sum(map(counts, moments)), len(moments)) for moments in (ours, peer))
        return _figure(name, "%", mine, theirs, against)

    return [
        row("kept, of all keys", lambda moment: kind_of(moment) == "reuse"),
        row("under way, of all keys", was_under_way),
        row("asked for and answered, of all keys", was_asked),
        row("overtaken by the next key", lambda moment: not moment.is_answered),
        row("nothing to say, and nobody asked", lambda moment: kind_of(moment) == "none"),
    ]


# Tokens


def _tokens(ours: Sequence[Moment], peer: Sequence[Moment], against: str) -> list[Figure]:
    def prefilled(moments: Sequence[Moment], share: float) -> float | None:
        found = sorted(moment.cost.prefilled for moment in moments if was_asked(moment) and not moment.is_first)
        return float(found[min(len(found) - 1, int(share * len(found)))]) if found else None

    def wasted(moments: Sequence[Moment]) -> float | None:
        asked = [moment for moment in moments if was_asked(moment)]
        total = sum(moment.cost.generated_tokens for moment in asked)
        return _percent(sum(each.cost.generated_tokens for each in asked if not each.fits), total)

    said = "of keys that were asked for and answered"
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


def _wrong(ours: Sequence[Played], peer: Sequence[Played], against: str) -> list[Figure]:
    """What the wrong ones were; one may be several of these."""
    mine, theirs = ([each for each in distinct(played) if not each.is_right] for played in (ours, peer))

    def row(name: str, counts: Callable[[Shown], bool]) -> Figure:
        own, other = (_percent(sum(map(counts, wrong)), len(wrong)) for wrong in (mine, theirs))
        return _figure(f"of the wrong ones, {name}", "%", own, other, against)

    return [
        row(f"shorter than {SHORT} characters", lambda each: len(each.text) < SHORT),
        row("in a comment or docstring", lambda each: each.is_prose),
        row("behind a typo", lambda each: each.is_astray),
    ]


def _cpu(played: Sequence[Played]) -> float | None:
    characters = sum(each.scene.characters for each in played)
    spent = sum(each.cpu_seconds for each in played)
    return spent / characters * 1000 if characters and spent else None
