"""A folder of data as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from aigc_lsp.dataset.example import KINDS
from aigc_lsp.dataset.statistics import Statistics, licences, text

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 860, 180, 52, 28, 14
BINS = 40
_BAR = 22


def page(found: Statistics) -> str:
    """HTML, in the reader's dark or light."""
    kinds: dict[str, int] = {kind: sum(found.count(split, "", kind) for split in found.projects) for kind in KINDS}
    bars: list[tuple[str, Mapping[str, int]]] = [
        ("Languages", {name: found.count("train", name) + found.count("held", name) for name in found.languages}),
        ("Kinds of holes", kinds),
        ("Lines of the middle", {str(lines): count for lines, count in sorted(found.lines.items())}),
        ("Projects by licence", dict(licences(found).most_common())),
    ]
    body = [
        "<h1>aigc-lsp dataset</h1>",
        f"<pre>{escape(text(found))}</pre>",
        *(f"<h2>{title}</h2>{_bars(counts, title)}" for title, counts in bars),
        "<h2>Characters</h2>",
        *(_histogram(name, lengths) for name, lengths in found.lengths.items() if any(lengths)),
        "<h2>What was taken</h2>",
        _sources(found.sources),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>dataset</title>{_CSS}'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body><main>{"".join(body)}</main></body></html>\n'


def _bars(counts: Mapping[str, int], title: str) -> str:
    most = max(counts.values(), default=0) or 1
    drawn = []
    for at, (name, count) in enumerate(counts.items()):
        y, width = at * _BAR, 560 * count / most
        drawn.append(f'<text x="190" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
        drawn.append(f'<rect x="200" y="{y + 3}" width="{width:.1f}" height="{_BAR - 6}"/>')
        drawn.append(f'<text x="{206 + width:.1f}" y="{y + 15}">{count:,}</text>')
    return f'<svg viewBox="0 0 {WIDTH} {len(counts) * _BAR}" role="img" aria-label="{title}">{"".join(drawn)}</svg>'


def _histogram(name: str, ordered: Sequence[int]) -> str:
    """Rows by length; the last bin holds all beyond the 99th percentile."""
    limit = max(ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))], 1)
    counts = [0] * BINS
    for length in ordered:
        counts[min(BINS - 1, length * BINS // (limit + 1))] += 1
    drawn = "".join(_columns(counts, limit))
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="length of {name}">{drawn}</svg>'
    return f"<figure>{svg}<figcaption>{escape(name)}</figcaption></figure>"


def _columns(counts: Sequence[int], limit: int) -> Iterator[str]:
    most, step, floor = max(counts), (WIDTH - LEFT) / BINS, HEIGHT - BOTTOM
    for at, count in enumerate(counts):
        x, height = LEFT + at * step, (floor - TOP) * count / most
        yield f'<rect x="{x:.1f}" y="{floor - height:.1f}" width="{step - 1:.1f}" height="{height:.1f}"/>'
    for share in (0, 0.25, 0.5, 0.75, 1):
        x, anchor = LEFT + share * (WIDTH - LEFT - step), "end" if share == 1 else "start"
        yield f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{share * limit:.0f}</text>'
    yield f'<text x="{LEFT - 6}" y="{TOP + 8}" text-anchor="end">{most:,}</text>'


def _sources(sources: Sequence[Mapping[str, object]]) -> str:
    names = ("name", "version", "licence", "split", "files")
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = "".join(
        _cells([str(each.get(name, "")) for name in names])
        for each in sorted(sources, key=lambda each: str(each.get("name")))
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(said: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<td>{escape(each)}</td>" for each in said) + "</tr>"


_CSS = """<style>
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --bar: #3b7dd8; --dim: #8888; }
@media (prefers-color-scheme: dark) { :root { --ink: #dde3ea; --paper: #14171b; --bar: #6ea8ff; } }
body { background: var(--paper); color: var(--ink); font: 14px/1.5 system-ui, sans-serif; }
main { max-width: 900px; margin: 2em auto; padding: 0 1em; }
pre { overflow-x: auto; font-size: 12px; }
svg { width: 100%; } rect { fill: var(--bar); } text { fill: var(--ink); font-size: 12px; }
figure { margin: 0 0 1.5em; } figcaption { text-align: center; }
table { border-collapse: collapse; width: 100%; font-size: 12px; }
td, th { text-align: left; padding: 2px 8px; border-bottom: 1px solid var(--dim); }
</style>"""
