"""A replay as one page that needs nothing else: figures, how long answers took, and each text by who typed it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources
from itertools import groupby

from aigc_lsp.measure.figures import Figure
from aigc_lsp.measure.replay import Replay
from aigc_lsp.measure.replay_count import KINDS, kind_of, latencies, moments_of, typed_by_machine
from aigc_lsp.measure.replay_play import Played, Shown

LEAST_MS, MOST_MS = 0.5, 10_000.0
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 860, 300, 44, 34, 12, 14
MOST_TOLD = 400
"""Characters of a wrong suggestion in its tooltip."""


def page(replay: Replay) -> str:
    """HTML, in the reader's dark or light."""
    facts = ", ".join(f"{name} {value}" for name, value in replay.report.machine.items() if name != "sha256")
    body = [
        "<h1>aigc-lsp replay</h1>",
        f'<p class="dim">{escape(facts)}</p>',
        "<h2>Figures</h2>",
        _table(replay.report.figures, replay.peer_name),
        "<h2>From key to answer</h2>",
        _curves(replay.ours, "aigc-lsp"),
    ]
    if replay.peer:
        body.append(_curves(replay.peer, replay.peer_name))
    body += ["<h2>Who typed it</h2>", _LEGEND, *(_strip(each) for each in replay.ours)]
    if replay.peer:
        body += [f"<h2>With {escape(replay.peer_name)}</h2>", *(_strip(each) for each in replay.peer)]
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>aigc-lsp replay</title>{_CSS}'
    )
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body><main>\n{"".join(body)}\n</main></body></html>\n'
    )


# Figures


def _table(figures: Sequence[Figure], peer: str) -> str:
    beside = f"<th>{escape(peer)}</th><th>ratio</th>" if peer else ""
    rows = "".join(_row(figure, bool(peer)) for figure in figures)
    head = f"<tr><th>figure</th><th>aigc-lsp</th>{beside}<th>must</th><th></th></tr>"
    return f'<div class="wide"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _row(figure: Figure, has_peer: bool) -> str:
    beside = f"<td>{_value(figure.peer, figure.unit)}</td><td>{_value(figure.ratio, '×')}</td>" if has_peer else ""
    met = "<td></td>"
    if figure.met is not None:
        met = '<td class="met">met</td>' if figure.met else '<td class="missed">not met</td>'
    note = f' <span class="dim">{escape(figure.note)}</span>' if figure.note else ""
    name = f"<td>{escape(figure.name)}{note}</td>"
    must = (figure.must or "").replace("≥ ", "≥\u00a0").replace("≤ ", "≤\u00a0")
    return f"<tr>{name}<td>{_value(figure.ours, figure.unit)}</td>{beside}<td>{must}</td>{met}</tr>"


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


# Latency


def _curves(played: Sequence[Played], name: str) -> str:
    """The share of requests answered within a time, for each kind; time on a logarithmic scale."""
    moments = moments_of(played)
    lines, keys = [], []
    for kind in KINDS:
        samples = latencies(moments, kind)
        if not any(is_answered for _, is_answered in samples):
            continue
        css = kind.replace(" ", "-")
        lines.append(f'<path class="curve {css}" d="{_steps(samples)}"><title>{kind}</title></path>')
        share = 100 * len(samples) / len(moments)
        keys.append(f'<span class="key {css}">{kind} <b>{len(samples):,}</b> <i>{share:.0f} %</i></span>')
    overtaken = sum(not moment.is_answered for moment in moments)
    svg = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="share of requests answered within a time">'
        f"{''.join(_grid())}{''.join(lines)}</svg>"
    )
    said = f"{escape(name)}: {len(moments):,} requests, of which {overtaken:,} were overtaken by the next key"
    caption = f"{''.join(keys)}<br>{said}; a curve that ends below 100 % ends with them."
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>"


def _steps(samples: Sequence[tuple[float, bool]]) -> str:
    """Kaplan and Meier's curve, from below."""
    left, waiting = 1.0, len(samples)
    points = [f"M{_x(LEAST_MS):.1f} {_y(0):.1f}"]
    for ms, is_answered in sorted(samples, key=lambda one: (one[0], not one[1])):
        if is_answered:
            left *= 1 - 1 / waiting
            points.append(f"H{_x(ms):.1f}V{_y(1 - left):.1f}")
        waiting -= 1
    return "".join(points)


def _x(ms: float) -> float:
    at = math.log(min(max(ms, LEAST_MS), MOST_MS) / LEAST_MS) / math.log(MOST_MS / LEAST_MS)
    return LEFT + at * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)


def _grid() -> Iterator[str]:
    for ms in (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000):
        x, said = _x(ms), f"{ms} ms" if ms < 1000 else f"{ms // 1000} s"
        anchor = "end" if ms == MOST_MS else "middle"
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_y(1):.1f}" y2="{_y(0):.1f}"/>'
        yield f'<text x="{x:.1f}" y="{HEIGHT - 12}" text-anchor="{anchor}">{said}</text>'
    for share in (0, 0.25, 0.5, 0.75, 0.95):
        y = _y(share)
        yield f'<line class="grid" x1="{_x(LEAST_MS):.1f}" x2="{_x(MOST_MS):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share * 100:.0f} %</text>'


# The text


def _strip(played: Played) -> str:
    """One scene's passages; a mark stands where something was shown that was not then typed."""
    requests = [kind_of(moment) for moment in played.moments]
    free = sum(kind in ("reuse", "none") for kind in requests)
    machine = typed_by_machine([played]) or 0.0
    wrong = sum(not shown.is_right for shown in played.shown)
    said = (
        f"{machine:.0f} % by machine, {wrong} of {len(played.shown)} shown wrong, "
        f"{100 * free / max(1, len(requests)):.0f} % of {len(requests)} requests from what was kept"
    )
    passages = "".join(f"<pre>{''.join(_passage(played, number))}</pre>" for number in range(len(played.authors)))
    name = f"<summary>{escape(played.scene.name)} <span>{escape(said)}</span></summary>"
    bar = f'<div class="bar"><i style="width:{machine:.1f}%"></i></div>'
    return f"<details open>{name}{bar}{passages}</details>"


def _passage(played: Played, number: int) -> Iterator[str]:
    said, authors = played.scene.passages[number].typed, played.authors[number]
    marks: dict[int, list[Shown]] = {}
    for shown in played.shown:
        if shown.passage == number and not shown.is_right:
            marks.setdefault(min(shown.typed, len(authors)), []).append(shown)
    # A run ends where its author does, and in front of each mark.
    for _, run in groupby(range(len(authors)), key=lambda at: (authors[at], sum(mark <= at for mark in marks))):
        places = list(run)
        first, last = places[0], places[-1] + 1
        if first in marks:
            yield _mark(marks[first])
        text = escape(said[first:last])
        yield f"<em>{text}</em>" if authors[first] == "machine" else text
    if len(authors) in marks:
        yield _mark(marks[len(authors)])


def _mark(shown: Sequence[Shown]) -> str:
    told = "\n— or —\n".join(each.text[:MOST_TOLD] for each in shown)
    count = str(len(shown)) if len(shown) > 1 else ""
    return f'<u tabindex="0" data-count="{count}"><span>{escape(told)}</span></u>'


_LEGEND = (
    '<p class="legend"><span><em>machine</em></span> <span>human</span> <span><u data-count=""></u> something else was '
    "shown here, and is told where you point at it</span></p>"
)
_CSS = f"<style>{resources.files('aigc_lsp.measure').joinpath('replay.css').read_text(encoding='utf-8')}</style>"
