"""What context from other files is worth: `aigc-lsp eval repo`.

The holes of whole projects (`repo_holes`) are completed greedily, in this process, as an editor would ask: the rest of
the line is gone, the lines below stay, all other files are as on disk and nothing else is open. Several *variants* of
what stands in the prompt go through the same holes, one after the other, and each is set beside the first.

What a variant's prompt is, a `Prompter` decides; the writing and the counting are those of `eval fim`. Results are
written to a file as they come, and what is there already is not asked again: runs are long.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.errors import UsageError
from aigc_lsp.measure import fim, repo_holes, scores
from aigc_lsp.measure.fim import Score, Summary, Writer
from aigc_lsp.measure.holes import Row, read_source, whole_lines
from aigc_lsp.measure.projects import Tree
from aigc_lsp.measure.repo_holes import RepoHole
from aigc_lsp.prompt.infill import Encoding, Prompt
from aigc_lsp.service.limits import limits
from aigc_lsp.service.wire import Health
from aigc_lsp.text import Edit, Span, Text

MAX_TOKENS = 64
"""A line needs no more."""

TWO_CORES = Health("ready", "", prefill_per_second=1114.0, step_ms=25.0)
"""How fast the default model is there."""

_LENGTHS = {"prefix": "prefix_tokens", "suffix": "suffix_tokens", "extra": "extra_tokens"}


@dataclass(frozen=True, slots=True)
class Variant:
    """What a prompt is made of; lengths in tokens. `sources` are names of sources of context, or "all".

    `format` is how context stands in the prompt; "" is the model's own.
    """

    label: str
    sources: tuple[str, ...] = ()
    format: str = ""
    prefix_tokens: int = Config().context.prefix_tokens
    suffix_tokens: int = Config().context.suffix_tokens
    extra_tokens: int = Config().context.extra_tokens


Prompter = Callable[[Path, str, Text, int, Variant], Awaitable[Prompt]]
"""The prompt at an offset of a text, which is that of a path (relative, with slashes) in a project's folder.

Holes come project by project, and in each file by file. The disk has the file with its answer: what is known of that
file must come from the text alone.
"""
Prompting = Callable[[catalogue.Model, Encoding], AbstractAsyncContextManager[Prompter]]
"""Prompts for a model, as long as it is open."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A hole in its project, with the row that it is scored by and the text that an editor would have: masked."""

    hole: RepoHole
    root: Path
    row: Row
    text: Text


Track = Callable[[Sequence[Asked], str], Iterable[Asked]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a hole. `prompt_tokens`: all of the prompt."""

    variant: str
    project: str
    path: str
    prompt_tokens: int
    score: Score


@dataclass(frozen=True, slots=True)
class Compared:
    """A variant on one group of holes, and what it gains over the first variant on those that both have.

    The differences are in points (exact match, similarity), each with its 95 % interval; None for the first.
    """

    group: str
    variant: str
    summary: Summary
    prompt_tokens: float
    exact_gain: tuple[float, float, float] | None
    similarity_gain: tuple[float, float, float] | None


def usual(config: Config) -> Variant:
    """With the lengths that are read on a machine of two cores, as long as those that are configured at most."""
    found = limits(TWO_CORES, config.context, config.completion)
    return Variant("", (), "", found.prefix, found.suffix, found.extra)


def variant_named(said: str, usual: Variant) -> Variant:
    """`[LABEL=]SOURCES[,format=NAME][,prefix=N][,suffix=N][,extra=N]`; the rest as in `usual`. Raises `UsageError`.

    SOURCES are joined by `+`; `alone` is none. Without a label the whole of it is the label.
    """
    head, *settings = [part.strip() for part in said.split(",")]
    label, _, sources = head.rpartition("=")
    found: dict[str, Any] = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        if key == "format" and value:
            found[key] = value
        elif key in _LENGTHS and value.isdecimal():
            found[_LENGTHS[key]] = int(value)
        else:
            raise UsageError(f"{setting!r} in --variant is none of format=NAME, prefix=N, suffix=N, extra=N.")
    if not sources:
        raise UsageError(f"--variant {said!r} names no sources; without any it is `alone`.")
    named = () if sources == "alone" else tuple(sources.split("+"))
    return Variant(**{**asdict(usual), "label": label or said, "sources": named, **found})


def ask(trees: Sequence[Tree], per_project: int, seed: int) -> list[Asked]:
    """The holes of all projects. Raises `UsageError` where one has none."""
    found: list[Asked] = []
    for tree in trees:
        holes = repo_holes.build(tree.name, tree.root, per_project, seed, tree.suffixes)
        if not holes:
            raise UsageError(f"No hole can be masked in {tree.name}: it has no file of code that fits.")
        found += [asked for hole in holes if (asked := _asked(hole, tree.root))]
    return found


def counts(asked: Sequence[Asked]) -> dict[str, dict[str, int]]:
    """How many holes of each kind a project gives, and in how many files."""
    found: dict[str, dict[str, int]] = {}
    for project in dict.fromkeys(each.hole.project for each in asked):
        mine = [each.hole for each in asked if each.hole.project == project]
        kinds: dict[str, int] = {kind: sum(hole.kind == kind for hole in mine) for kind in repo_holes.KINDS}
        found[project] = kinds | {"files": len({hole.path for hole in mine})}
    return found


def measure(
    asked: Sequence[Asked],
    variants: Sequence[Variant],
    model: catalogue.Model,
    config: Config,
    out: Path | None,
    track: Track,
    prompting: Prompting,
) -> list[Outcome]:
    """`run` with the real engine. Raises `UsageError`, and `ModelMissing` where the model is not on this machine."""
    settings = fim.Settings(max_tokens=MAX_TOKENS)
    for variant in variants:
        tokens = variant.prefix_tokens + (variant.extra_tokens if variant.sources else 0)
        replace(settings, prefix_tokens=tokens, suffix_tokens=variant.suffix_tokens).filled_in(model)
    log = Log(out, model.name)
    for variant in variants:
        log.outcomes(variant)  # what does not fit is said before the model is loaded
    engine = fim.load_engine(model, config)
    write = fim.model_writer(engine, model, settings)

    async def work() -> list[Outcome]:
        async with prompting(model, engine.vocabulary) as prompter:
            return await run(asked, variants, prompter, write, log, track)

    return asyncio.run(work())


async def run(
    asked: Sequence[Asked],
    variants: Sequence[Variant],
    prompter: Prompter,
    write: Writer,
    log: Log,
    track: Track = lambda rows, said: rows,
) -> list[Outcome]:
    """All of `asked` through each of `variants`. What `log` has is not asked again. `track` may show how far it is."""
    if len({variant.label for variant in variants}) < len(variants):
        raise UsageError("Two variants have the same label; give them others: --variant LABEL=SOURCES.")
    outcomes: list[Outcome] = []
    for variant in variants:
        known = log.outcomes(variant)
        missing = [each for each in asked if each.row.task_id not in known]
        for each in track(missing, variant.label):
            hole = each.hole
            prompt = await prompter(each.root, hole.path, each.text, hole.start, variant)
            score = fim.evaluate(partial(write, prompt), [each.row]).scores[0]
            known[score.task_id] = Outcome(variant.label, hole.project, hole.path, len(prompt.tokens), score)
            log.add(known[score.task_id], variant, each.row.canonical_solution)
        outcomes += [known[each.row.task_id] for each in asked]
    return outcomes


class Log:
    """The outcomes so far, in a JSONL file or, without one, nowhere. `model` and a variant's settings must stay."""

    def __init__(self, path: Path | None, model: str) -> None:
        self._path = path
        self._model = model
        self._records: list[dict[str, Any]] = []
        if path is None:
            return
        self._records = [_record(line, number, path) for number, line in enumerate(whole_lines(path), 1)]

    def outcomes(self, variant: Variant) -> dict[str, Outcome]:
        """What is known of `variant`, by task. Raises `UsageError` where its label stood for something else."""
        found = [record for record in self._records if record["variant"] == variant.label]
        if any(record["settings"] != self._settings(variant) for record in found):
            raise UsageError(
                f"{self._path} has outcomes of the variant {variant.label} with other settings or another model. "
                "Give the variant another label, or --out another file."
            )
        return {record["task_id"]: _outcome(record) for record in found}

    def add(self, outcome: Outcome, variant: Variant, reference: str) -> None:
        if self._path is None:
            return
        said = {
            "variant": outcome.variant,
            "project": outcome.project,
            "path": outcome.path,
            "prompt_tokens": outcome.prompt_tokens,
            "reference": reference,
            **asdict(outcome.score),
            "settings": self._settings(variant),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said, ensure_ascii=False) + "\n")

    def _settings(self, variant: Variant) -> dict[str, Any]:
        return {"model": self._model, **asdict(variant), "sources": list(variant.sources)}


def compare(outcomes: Sequence[Outcome]) -> list[Compared]:
    """Each kind of hole, all that cross files, all; then each project's; of each group its variants in order."""
    found = []
    for group, members in _groups(outcomes):
        by_variant: dict[str, list[Outcome]] = {}
        for each in members:
            by_variant.setdefault(each.variant, []).append(each)
        first = next(iter(by_variant.values()))
        found += [_compared(group, variant, mine, first) for variant, mine in by_variant.items()]
    return found


def to_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "summary": [asdict(each) for each in compare(outcomes)],
        "rows": [{**asdict(each.score), **_place(each)} for each in outcomes],
    }


def show(compared: Sequence[Compared]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    headings = ("holes", "variant", "n", "exact (95 %)", "similarity", "Δ exact", "Δ similarity", "prompt", "seconds")
    for at, heading in enumerate(headings):
        table.add_column(heading, justify="left" if at < 2 else "right", no_wrap=True)
    group = ""
    for each in compared:
        if group and each.group != group:
            table.add_section()
        said = each.group if each.group != group else ""
        group = each.group
        table.add_row(said, each.variant, *_cells(each))
    Console(width=None if sys.stdout.isatty() else 160).print(table)  # a file has no edge


def _asked(hole: RepoHole, root: Path) -> Asked | None:
    source = read_source(root / hole.path)
    if source is None:
        return None
    masked = source.text.apply(Edit(Span(hole.start, hole.end), ""))
    return Asked(hole, root, hole.row(source.text), masked)


def _record(line: bytes, number: int, path: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(line)
        _outcome(record)
        record["settings"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"Line {number} of {path} is no outcome of `eval repo`; give --out another file.") from error
    return record


def _outcome(record: dict[str, Any]) -> Outcome:
    score = Score(**{each.name: record[each.name] for each in fields(Score)})
    return Outcome(record["variant"], record["project"], record["path"], record["prompt_tokens"], score)


def _place(outcome: Outcome) -> dict[str, Any]:
    return {key: getattr(outcome, key) for key in ("variant", "project", "path", "prompt_tokens")}


def _groups(outcomes: Sequence[Outcome]) -> list[tuple[str, list[Outcome]]]:
    def those(project: str, *kinds: str) -> list[Outcome]:
        return [each for each in outcomes if each.score.kind in kinds and project in ("", each.project)]

    cross = repo_holes.KINDS[:2]
    groups: list[tuple[str, list[Outcome]]] = [(kind, those("", kind)) for kind in cross]
    groups += [("cross", those("", *cross)), ("other", those("", "other")), ("all", those("", *repo_holes.KINDS))]
    projects = list(dict.fromkeys(each.project for each in outcomes))
    if len(projects) > 1:
        for project in projects:
            groups += [(f"{project}, cross", those(project, *cross)), (f"{project}, other", those(project, "other"))]
    return [(name, members) for name, members in groups if members]


def _compared(group: str, variant: str, mine: Sequence[Outcome], first: Sequence[Outcome]) -> Compared:
    summary = fim.Report(tuple(each.score for each in mine)).total
    tokens = sum(each.prompt_tokens for each in mine) / len(mine)
    if mine is first:
        return Compared(group, variant, summary, tokens, None, None)
    before = {each.score.task_id: each.score for each in first}
    exact: dict[tuple[str, str], list[float]] = {}
    similarity: dict[tuple[str, str], list[float]] = {}
    for each in mine:
        if other := before.get(each.score.task_id):
            file = each.project, each.path
            exact.setdefault(file, []).append(100.0 * (each.score.exact - other.exact))
            similarity.setdefault(file, []).append(each.score.similarity - other.similarity)
    gains = (scores.mean_interval(list(found.values())) for found in (exact, similarity))
    return Compared(group, variant, summary, tokens, *gains)


def _cells(each: Compared) -> list[str]:
    def gain(found: tuple[float, float, float] | None) -> str:
        return "" if found is None else f"{found[0]:+.1f} ({found[1]:+.1f} to {found[2]:+.1f})"

    summary = each.summary
    return [
        str(summary.n),
        f"{summary.exact:.1f} ({summary.exact_low:.1f}–{summary.exact_high:.1f})",
        f"{summary.similarity:.1f}",
        gain(each.exact_gain),
        gain(each.similarity_gain),
        f"{each.prompt_tokens:.0f}",
        f"{summary.seconds:.1f}",
    ]
