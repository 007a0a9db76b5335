"""What a bench found: figures, each with what it has to reach; as a table for people and as JSON for programs.

Pure arithmetic: nothing is measured here. Every figure is the median of its samples unless it says otherwise, and the
samples are kept, since the machines are shared and one run's spread says how far to trust it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Statistic = Callable[[Sequence[float]], float]


@dataclass(frozen=True, slots=True)
class Bound:
    """What a figure must reach: `of` says whether the bound is on our own value or on the ratio."""

    sign: Literal["≥", "≤"]
    value: float
    of: Literal["ours", "ratio"]

    def __str__(self) -> str:
        return f"{self.sign} {self.value:g}{' ×' if self.of == 'ratio' else ''}"

    def is_met(self, ours: float | None, ratio: float | None) -> bool | None:
        """None where it was not measured."""
        value = ours if self.of == "ours" else ratio
        if value is None or math.isnan(value):
            return None
        return value >= self.value if self.sign == "≥" else value <= self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `ours` and `peer` are in `unit`; `against` says what `peer` is a figure of.

    `ratio` is peer by ours for times and ours by peer for speeds: above 1, ours is the better. `must` is None where
    nothing is asked of the figure, and `met` where that or the measurement is missing: `note` says why.
    """

    name: str
    unit: str
    ours: float | None
    against: str = ""
    peer: float | None = None
    ratio: float | None = None
    must: str | None = None
    met: bool | None = None
    note: str = ""
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)


def figure(
    name: str,
    unit: str,
    samples: Sequence[float],
    must: Bound | None = None,
    statistic: Statistic = statistics.median,
    note: str = "",
) -> Figure:
    """A figure of ours alone."""
    ours = statistic(samples)
    return Figure(
        name,
        unit,
        ours,
        must=str(must) if must else None,
        met=must.is_met(ours, None) if must else None,
        note=note,
        samples={"ours": list(samples)},
    )


def compared(
    name: str,
    unit: str,
    ours: Sequence[float],
    against: str,
    peer: Sequence[float],
    must: Bound | None = None,
    better: Literal["more", "less"] = "less",
    note: str = "",
) -> Figure:
    """A figure of ours beside another's, measured in turn in the same run; `better` says which of two values wins."""
    mine, theirs = statistics.median(ours), statistics.median(peer)
    ratio = theirs / mine if better == "less" else mine / theirs
    return Figure(
        name,
        unit,
        mine,
        against,
        theirs,
        ratio,
        str(must) if must else None,
        must.is_met(mine, ratio) if must else None,
        note,
        {"ours": list(ours), against: list(peer)},
    )


def missing(name: str, must: Bound, note: str) -> Figure:
    """A figure that could not be measured, and why."""
    return Figure(name, "", None, must=str(must), note=note)


def percentile(share: float) -> Statistic:
    """The statistic below or at which `share` of the samples lie, by nearest rank: `percentile(0.95)`."""

    def of(samples: Sequence[float]) -> float:
        return sorted(samples)[max(0, math.ceil(share * len(samples)) - 1)]

    return of


@dataclass(frozen=True, slots=True)
class Report:
    """A run: what was measured, on what machine, beside whom."""

    figures: tuple[Figure, ...]
    machine: Mapping[str, Any]
    peers: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "figures": [asdict(one) for one in self.figures],
            "machine": dict(self.machine),
            "peers": [dict(peer) for peer in self.peers],
        }


def show(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, header_style="bold")
    table.add_column("figure")
    for heading in ("ours", "beside", "ratio", "must", "met"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in report.figures:
        table.add_row(
            one.name,
            _value(one.ours, one.unit),
            _value(one.peer, one.unit),
            "" if one.ratio is None else f"{one.ratio:.2f} ×",
            one.must or "",
            {True: "[green]yes[/]", False: "[red]no[/]", None: "" if one.must is None else "?"}[one.met],
        )
    console.print(table)
    for one in report.figures:
        if said := "; ".join(filter(None, [one.against and f"beside {one.against}", one.note])):
            console.print(f"{one.name}: {said}", style="dim")
    for facts in (report.machine, *report.peers):
        console.print(_line(facts), style="dim")


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


def _line(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
