"""Two models on the same holes: `aigc-lsp eval fim DATA --model ONE --against OTHER`.

Each writes greedily until it ends the text itself: nothing is stopped or cut, so that it is judged, too, where it ends.

exact    what was written, cut to as many lines as the true text has, is that (`scores`); where nothing is missing,
         nothing was written
ends     the model ended it, within as many tokens as a suggestion may have (`room_for`)
whole    both, and nothing was written behind the true text: what a user would see without any rule that stops or cuts
length   characters written, by those of the true texts

Runs are long: results are written to a file as they come, and what is there already is not asked again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_lsp.catalogue import Model
from aigc_lsp.config import CompletionConfig, Config
from aigc_lsp.errors import UsageError
from aigc_lsp.measure import fim, scores
from aigc_lsp.measure.fim import Settings
from aigc_lsp.measure.holes import Row, whole_lines
from aigc_lsp.pipeline import LINE_TOKENS
from aigc_lsp.syntax import language_of

if TYPE_CHECKING:
    from aigc_lsp.engine.generate import Engine

LINE, BLOCK = LINE_TOKENS, CompletionConfig().max_tokens
"""Tokens that a suggestion may have, of a line and of several: who has not ended by then is cut off."""
SPARE = 16
"""And so many behind the length of a true text that is longer itself."""

Track = Callable[[Sequence[Row], str], Iterable[Row]]


@dataclass(frozen=True, slots=True)
class Written:
    """What a model wrote for a hole. `due`: characters of the true text."""

    model: str
    task_id: str
    completion: str
    exact: bool
    ends: bool
    due: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Pair:
    """A hole, with what the one and the other wrote."""

    row: Row
    one: Written
    other: Written

    def whole(self, written: Written) -> bool:
        lines, due = (text.rstrip().count("\n") for text in (written.completion, self.row.canonical_solution))
        return written.exact and written.ends and lines == due


@dataclass(frozen=True, slots=True)
class Line:
    """Of some holes. Pairs are of the one and the other; percentages, and times as much as is true; gains with
    their 95 % intervals (paired bootstrap over files)."""

    name: str
    holes: int
    exact: tuple[float, float]
    exact_gain: tuple[float, float, float]
    whole: tuple[float, float]
    whole_gain: tuple[float, float, float]
    ends: tuple[float, float]
    length: tuple[float, float] | None
    seconds: tuple[float, float]


def run(
    rows: Sequence[Row], models: tuple[Model, Model], config: Config, settings: Settings, out: Path | None, track: Track
) -> list[Pair]:
    """All of `rows` by both models, one behind the other. Raises `UsageError`, and `ModelMissing` for a model that is
    not on this machine."""
    asked = [settings.filled_in(model) for model in models]
    if len({row.task_id for row in rows}) < len(rows):
        raise UsageError("Two models are compared row by row, so each row needs a `task_id` of its own.")
    sides: list[list[Written]] = []
    known = Log(out)
    for model, own in zip(models, asked, strict=True):
        keys = {row.task_id: _key(model, own, row) for row in rows}
        if left := [row for row in rows if keys[row.task_id] not in known.found]:
            engine = fim.load_engine(model, config)
            for row in track(left, model.name):
                known.add(keys[row.task_id], write(engine, model, own, row))
            del engine
        sides.append([known.found[keys[row.task_id]] for row in rows])
    return [Pair(*each) for each in zip(rows, *sides, strict=True)]


class Log:
    """What was written so far, by what was asked; in a JSONL file or, without one, in memory alone."""

    def __init__(self, path: Path | None) -> None:
        self.found: dict[str, Written] = {}
        self._path = path
        for number, line in enumerate(whole_lines(path) if path else (), 1):
            try:
                record = json.loads(line)
                key = record.pop("key")
                self.found[key] = Written(**record)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise UsageError(
                    f"Line {number} of {path} is no result of `eval fim --against`; give --out another file."
                ) from error

    def add(self, key: str, written: Written) -> None:
        self.found[key] = written
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, **asdict(written)}, ensure_ascii=False) + "\n")


def _key(model: Model, settings: Settings, row: Row) -> str:
    """Of these weights, asked so, about this row: a model that was trained further is asked anew."""
    asked = [model.packed_from, LINE, BLOCK, SPARE, asdict(settings), row.prompt, row.suffix, row.canonical_solution]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]


def write(engine: Engine, model: Model, settings: Settings, row: Row) -> Written:
    from aigc_lsp.engine.generate import Outcome

    began = time.perf_counter()
    prompt = fim.prompt_of(row, engine, model, settings)
    true = row.canonical_solution
    owed = len(engine.vocabulary.encode(prompt.heal.decode("utf-8", "ignore") + true))
    text, ends = "", False
    for event in fim.streamer(engine, model, min(settings.max_tokens, room_for(true, owed)))(prompt, true, ()):
        if isinstance(event, Outcome):
            ends = event.stop_reason == "eos"
        else:
            text += event.text
    seconds = time.perf_counter() - began
    return Written(model.name, row.task_id, text, is_exact(text, true), ends, len(true), seconds)


def room_for(true: str, owed: int) -> int:
    """Tokens that a model may write where `true`, which has `owed`, is missing."""
    return max(owed + SPARE, BLOCK if "\n" in true.strip("\n") else LINE)


def is_exact(text: str, true: str) -> bool:
    if not true.strip():
        return not text.strip()
    return scores.is_exact(text, true) if scores.line_count(true) == 1 else scores.is_exact_whole(text, true)


def first_of_each(rows: Iterable[Row], count: int) -> list[Row]:
    """The first `count` rows of each kind."""
    seen: Counter[str] = Counter()
    kept = []
    for row in rows:
        kind = kind_of(row)
        seen[kind] += 1
        if seen[kind] <= count:
            kept.append(row)
    return kept


def lines(pairs: Sequence[Pair]) -> Iterator[Line]:
    """For each kind, for each language where there are several, and for all."""
    by: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by[kind_of(pair.row)].append(pair)
    yield from (_line(name, found) for name, found in sorted(by.items()))
    languages: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        languages[language_of(pair.row.path) or "other"].append(pair)
    if len(languages) > 1:
        yield from (_line(name, found) for name, found in sorted(languages.items()))
    yield _line("all", pairs)


def kind_of(row: Row) -> str:
    """A line that is asked for behind its indentation is another task than one that was begun."""
    if row.kind != "rest_of_line":
        return row.kind
    begun = row.prompt[row.prompt.rfind("\n") + 1 :].strip()
    return "line, begun" if begun else "line, behind its indentation"


def _line(name: str, pairs: Sequence[Pair]) -> Line:
    sides = [[pair.one for pair in pairs], [pair.other for pair in pairs]]
    exact = [(pair.one.exact, pair.other.exact) for pair in pairs]
    whole = [(pair.whole(pair.one), pair.whole(pair.other)) for pair in pairs]
    due = sum(each.due for each in sides[0])

    def both(value: Callable[[Sequence[Written]], float]) -> tuple[float, float]:
        return value(sides[0]), value(sides[1])

    def gain(hits: Sequence[tuple[bool, bool]]) -> tuple[float, float, float]:
        files: dict[str, list[float]] = defaultdict(list)
        for pair, (one, other) in zip(pairs, hits, strict=True):
            files[pair.row.path or pair.row.task_id].append(100.0 * (other - one))
        return scores.mean_interval(list(files.values()))

    return Line(
        name=name,
        holes=len(pairs),
        exact=_shares(exact),
        exact_gain=gain(exact),
        whole=_shares(whole),
        whole_gain=gain(whole),
        ends=_shares([(pair.one.ends, pair.other.ends) for pair in pairs]),
        length=both(lambda side: sum(len(each.completion) for each in side) / due) if due else None,
        seconds=both(lambda side: sum(each.seconds for each in side) / len(side)),
    )


def _shares(hits: Sequence[tuple[bool, bool]]) -> tuple[float, float]:
    one, other = (100 * sum(side) / len(hits) for side in zip(*hits, strict=True))
    return one, other


HEADINGS = (
    "",
    "holes",
    "exact, %",
    "gain (95 %)",
    "whole, %",
    "gain (95 %)",
    "ends, %",
    "length, of the true",
    "s a hole",
)


def show(pairs: Sequence[Pair], one: str, other: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", title=f"{one} → {other}", title_justify="left")
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for line in lines(pairs):
        hits = (_arrow(line.exact, 1), _gain(line.exact_gain), _arrow(line.whole, 1), _gain(line.whole_gain))
        length = _arrow(line.length, 2) if line.length else ""
        table.add_row(line.name, str(line.holes), *hits, _arrow(line.ends, 1), length, _arrow(line.seconds, 2))
    Console().print(table)


def _gain(values: tuple[float, float, float]) -> str:
    return "{:+.1f} ({:+.1f} to {:+.1f})".format(*values)


def _arrow(values: tuple[float, float], digits: int) -> str:
    return " → ".join(f"{value:.{digits}f}" for value in values)


def to_json(pairs: Sequence[Pair]) -> Mapping[str, Any]:
    return {
        "summary": [asdict(line) for line in lines(pairs)],
        "rows": [{"task_id": each.row.task_id, "one": asdict(each.one), "other": asdict(each.other)} for each in pairs],
    }
