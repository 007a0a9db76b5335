"""What a folder of data holds, counted, as text; `page.py` draws it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigc_lsp.dataset.example import KINDS, SPLITS, Example, Split, read
from aigc_lsp.errors import UsageError

CHARACTERS_PER_TOKEN = 3.4
"""Of code in short pieces, about: what data cost in tokens is estimated with it."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
LENGTHS = ("prefix", "suffix", "middle", "snippets", "all")


@dataclass(frozen=True, slots=True)
class Statistics:
    """`cells`: rows by split, language and kind. `lengths`: characters of each row, by part, in order of size.
    `lines`: rows by how many lines their middle has."""

    cells: Mapping[tuple[Split, str, str], int]
    lengths: Mapping[str, Sequence[int]]
    lines: Mapping[int, int]
    orders: Mapping[str, int]
    projects: Mapping[Split, int]
    sources: Sequence[Mapping[str, Any]]
    left_out: Mapping[str, Mapping[str, int]]

    def count(self, split: Split, language: str = "", kind: str = "") -> int:
        return sum(
            count
            for (own, spoken, cut), count in self.cells.items()
            if own == split and language in ("", spoken) and kind in ("", cut)
        )

    @property
    def languages(self) -> list[str]:
        """The most frequent first."""
        counts: Counter[str] = Counter()
        for (_, language, _), count in self.cells.items():
            counts[language] += count
        return [language for language, _ in counts.most_common()]

    @property
    def tokens(self) -> int:
        """About, of all rows."""
        return round(sum(self.lengths["all"]) / CHARACTERS_PER_TOKEN)


def statistics(folder: Path) -> Statistics:
    """Of the data in `folder`. Raises `UsageError` where there are none."""
    cells: Counter[tuple[Split, str, str]] = Counter()
    lengths: dict[str, list[int]] = {name: [] for name in LENGTHS}
    lines: Counter[int] = Counter()
    orders: Counter[str] = Counter()
    projects: dict[Split, int] = {}
    for split in SPLITS:
        other = "held" if split == "train" else "train"
        if any(folder.glob(f"{other}-*")) and not any(folder.glob(f"{split}-*")):
            continue  # data may be all to learn from, or all to judge with
        names = set()
        for row in read(folder, split):
            cells[split, row.language, row.kind] += 1
            for name, length in _lengths(row).items():
                lengths[name].append(length)
            lines[row.middle.count("\n") + 1 if row.middle else 0] += 1
            orders[row.order] += 1
            names.add(row.project)
        projects[split] = len(names)
    for found in lengths.values():
        found.sort()
    sources, about = _json(folder / "sources.json", []), _json(folder / "dataset.json", {})
    return Statistics(cells, lengths, lines, orders, projects, sources, about.get("left_out", {}))


def _lengths(row: Example) -> dict[str, int]:
    snippets = sum(len(each.filename) + len(each.text) for each in row.snippets)
    own = {
        "prefix": len(row.head + row.prefix),
        "suffix": len(row.suffix),
        "middle": len(row.middle),
        "snippets": snippets,
    }
    return {**own, "all": sum(own.values())}


def _json(path: Path, default: Any) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return default
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read ({error}). Build the data again.") from error


def quantile(ordered: Sequence[int], share: float) -> int:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


def text(found: Statistics) -> str:
    """All of it, for a terminal."""
    held = found.count("held")
    said = [
        f"{found.count('train'):,} rows to learn from of {found.projects.get('train', 0)} projects; {held:,} held "
        f"out of {found.projects.get('held', 0)}. About {found.tokens:,} tokens, {_mean(found.lengths['all']):.0f} "
        "characters a row.",
        "",
        _table(["language", *KINDS, "all", "held out"], [_row(found, language) for language in found.languages]),
        "",
        _table(
            ["characters", *(f"{share:.0%}" for share in QUANTILES), "mean"],
            [
                [name, *(str(quantile(own, share)) for share in QUANTILES), f"{_mean(own):.0f}"]
                for name, own in found.lengths.items()
            ],
        ),
        "",
        "orders: " + ", ".join(f"{order} {count:,}" for order, count in sorted(found.orders.items())),
        "licences: " + ", ".join(f"{name} {count}" for name, count in licences(found).most_common()),
    ]
    for what, counts in found.left_out.items():
        if counts:
            said.append(f"left out, {what}: " + ", ".join(f"{why} {count:,}" for why, count in sorted(counts.items())))
    return "\n".join(said)


def licences(found: Statistics) -> Counter[str]:
    """Projects by licence."""
    return Counter(each["licence"] or "unknown" for each in found.sources)


def _row(found: Statistics, language: str) -> list[str]:
    kinds = [str(found.count("train", language, kind)) for kind in KINDS]
    return [language, *kinds, str(found.count("train", language)), str(found.count("held", language))]


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values) if values else 0.0


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(heads, *lines, strict=True)]
    return "\n".join(_line(line, widths) for line in (heads, *lines))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    others = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return "  ".join([cells[0].ljust(widths[0]), *others])
