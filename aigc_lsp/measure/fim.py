"""How good completions are: `aigc-lsp eval fim`.

Every hole of a JSONL file (`holes.Row`) is completed greedily by the engine in this process, without server or editor,
and set beside what stood there; `scores.py` says what is counted. What is measured is the model with a prompt: nothing
is stopped or cut by syntax, a hole of one line ends at its newline alone. One budget, order and healing for all rows;
`compare` runs the same rows through each order with and without healing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.errors import UsageError
from aigc_lsp.measure import scores
from aigc_lsp.measure.holes import Row
from aigc_lsp.prompt.infill import Hole, Prompt, render
from aigc_lsp.weights.store import Store

if TYPE_CHECKING:
    from aigc_lsp.engine.generate import Engine, Outcome, Piece

Completer = Callable[[Row], str]
Writer = Callable[[Prompt, Row], str]
"""Answers a prompt for a row."""
Streamer = Callable[[Prompt, str, Sequence[str]], "Iterator[Piece | Outcome]"]
"""Answers a prompt piece by piece, given what is expected and the texts that end it."""

MAX_TOKENS = 128
COMPARED = (("psm", False), ("psm", True), ("spm", False), ("spm", True))
"""The rows of `--compare orders`: order, and whether it is healed."""


@dataclass(frozen=True, slots=True)
class Score:
    """One row's. `exact_whole` only where the reference has several lines, `passed` only where it was run."""

    task_id: str
    kind: str
    completion: str
    exact: bool
    exact_whole: bool | None
    similarity: float
    passed: bool | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Summary:
    """Of one kind, or of all. Percentages; `_low` and `_high` are the 95 % interval. None: nothing to count.

    `seconds`: spent on completing, in all.
    """

    kind: str
    n: int
    exact: float
    exact_low: float
    exact_high: float
    several_lines: int
    exact_whole: float | None
    similarity: float
    tested: int
    pass_rate: float | None
    pass_low: float
    pass_high: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    scores: tuple[Score, ...]

    @property
    def total(self) -> Summary:
        return summarise("total", self.scores)

    def summaries(self) -> list[Summary]:
        """For each kind, where there are several, then the total."""
        ordered = sorted(self.scores, key=lambda score: score.kind)
        kinds = [summarise(kind, tuple(found)) for kind, found in groupby(ordered, key=lambda score: score.kind)]
        return [*kinds, self.total] if len(kinds) > 1 else [self.total]

    def to_json(self) -> dict[str, Any]:
        return {
            "summary": [_rounded(asdict(summary)) for summary in self.summaries()],
            "rows": [_rounded(asdict(score)) for score in self.scores],
        }


def evaluate(
    complete: Completer, rows: Iterable[Row], run_tests: bool = False, time_limit: float = scores.TIME_LIMIT
) -> Report:
    """What `complete` makes of each row. `run_tests` runs what it wrote, for at most `time_limit` seconds each."""
    found = []
    for row in rows:
        began = time.perf_counter()
        completion = complete(row)
        seconds = time.perf_counter() - began
        passed = scores.passes(program(row, completion), time_limit) if run_tests and can_run(row) else None
        found.append(score(row, completion, passed, seconds))
    return Report(tuple(found))


def score(row: Row, completion: str, passed: bool | None, seconds: float) -> Score:
    """`completion` beside the row's reference."""
    reference = row.canonical_solution
    return Score(
        task_id=row.task_id,
        kind=row.kind,
        completion=completion,
        exact=scores.is_exact(completion, reference),
        exact_whole=scores.is_exact_whole(completion, reference) if scores.line_count(reference) > 1 else None,
        similarity=scores.similarity(completion, reference),
        passed=passed,
        seconds=seconds,
    )


def can_run(row: Row) -> bool:
    return bool(row.test and row.entry_point)


def program(row: Row, completion: str) -> str:
    """What is run to test a completion: HumanEval-Infilling's check program."""
    return f"{row.prompt}{completion}{row.suffix}\n{row.test}\ncheck({row.entry_point})\n"


@dataclass(frozen=True, slots=True)
class Settings:
    """Lengths in tokens; order and healing are the model's own where they are None.

    `whole`: write on until the model ends, as tests need it; else only what is compared is written.
    """

    order: str | None = None
    heal: bool | None = None
    max_tokens: int = MAX_TOKENS
    prefix_tokens: int = Config().context.prefix_tokens
    suffix_tokens: int = Config().context.suffix_tokens
    whole: bool = False

    def filled_in(self, model: catalogue.Model) -> Settings:
        """With the order and healing of `model`. Raises `UsageError` where it cannot be asked so."""
        order = self.order or model.fim.order
        if order not in model.fim.templates:
            raise UsageError(f"The model {model.name} has no order {order}; it knows {', '.join(model.fim.templates)}.")
        wanted = self.prefix_tokens + self.suffix_tokens + self.max_tokens
        room = model.context_length - 64  # the template's own tokens, and the healing
        if wanted > room:
            raise UsageError(f"Prefix, suffix and answer are {wanted} tokens; {model.name} has room for {room}.")
        return replace(self, order=order, heal=model.fim.healing if self.heal is None else self.heal)


OFFERED = 7
"""Tokens: few enough for the packed weights to be what reads them."""


def model_completer(engine: Engine, model: catalogue.Model, settings: Settings = Settings()) -> Completer:
    """Completes rows greedily with `engine`, prompted as `model` says. Raises `UsageError` for settings it has not."""
    settings = settings.filled_in(model)
    write = model_writer(engine, model, settings)

    def complete(row: Row) -> str:
        return write(prompt_of(row, engine, model, settings), row)

    return complete


def prompt_of(row: Row, engine: Engine, model: catalogue.Model, settings: Settings) -> Prompt:
    """What `model` is shown of a row; the settings are `filled_in`."""
    return render(
        Hole(row.prompt, row.suffix),
        model.fim,
        model.files,
        engine.vocabulary,
        prefix_budget=settings.prefix_tokens,
        suffix_budget=settings.suffix_tokens,
        order=settings.order,
        heal=settings.heal,
    )


def model_writer(engine: Engine, model: catalogue.Model, settings: Settings = Settings()) -> Writer:
    """Writes greedily with `engine` as much as a row's reference is compared with: `max_tokens` and `whole` count."""
    from aigc_lsp.engine.generate import Piece

    stream = streamer(engine, model, settings.max_tokens)

    def write(prompt: Prompt, row: Row) -> str:
        lines = scores.line_count(row.canonical_solution)
        text = ""
        for event in stream(prompt, row.canonical_solution, ("\n",) if row.is_one_line else ()):
            if not isinstance(event, Piece):
                # The newline that ended a line is part of it where the reference has one.
                return text + "\n" if event.stopping_word and row.canonical_solution.endswith("\n") else text
            text += event.text
            if not settings.whole and text.count("\n") >= lines:
                break
        return text

    return write


def streamer(engine: Engine, model: catalogue.Model, max_tokens: int) -> Streamer:
    """Writes greedily with `engine`, until the model ends or one of the texts that it is given is said."""
    from aigc_lsp.engine.generate import Request

    vocabulary = engine.vocabulary
    stop_tokens = frozenset(map(vocabulary.control, filter(vocabulary.has_control, model.stop)))

    def stream(prompt: Prompt, expected: str, stop: Sequence[str]) -> Iterator[Piece | Outcome]:
        # Offered as a draft, what is expected changes nothing but the time that a right answer takes.
        owed = prompt.heal.decode("utf-8", "ignore") + expected
        return engine.generate(
            Request(
                tokens=prompt.tokens,
                heal=prompt.heal,
                draft=vocabulary.encode(owed)[:OFFERED],
                max_tokens=max_tokens,
                stop_tokens=stop_tokens,
                stop=tuple(stop),
            )
        )

    return stream


def load_engine(model: catalogue.Model, config: Config) -> Engine:
    """The engine as the model server would have it. Raises `ModelMissing`, `ModelDamaged`."""
    store = Store()
    folder = store.check_packed(model)

    from aigc_lsp.engine.bring_up import bring_up
    from aigc_lsp.engine.threads import ThreadCount
    from aigc_lsp.engine.weights import pick_device

    asked = config.engine
    threads = ThreadCount(asked.threads) if asked.threads else ThreadCount.free_cores()
    device = pick_device(asked.device)
    return bring_up(folder, device, asked.profile, asked.kv_bytes, threads, store.speed_path, model.sha256)[0]


def run(
    rows: Sequence[Row],
    model: catalogue.Model,
    config: Config,
    variants: Sequence[Settings],
    run_tests: bool,
    track: Callable[[Sequence[Row], str], Iterable[Row]] = lambda rows, said: rows,
) -> list[tuple[Settings, Report]]:
    """All rows through each of `variants`, which come back filled in. `track` may show how far it is.

    Raises `UsageError`, and `ModelMissing` where the model is not on this machine.
    """
    check_tests(rows, run_tests)
    asked = [settings.filled_in(model) for settings in variants]
    engine = load_engine(model, config)
    return [
        (
            settings,
            evaluate(model_completer(engine, model, settings), track(rows, _name(settings)), run_tests),
        )
        for settings in asked
    ]


def check_tests(rows: Iterable[Row], run_tests: bool) -> None:
    """Raises `UsageError` where tests are to be run and there are none."""
    if run_tests and not any(map(can_run, rows)):
        raise UsageError("--run-tests needs rows with the fields `test` and `entry_point`, and there are none.")


def compared(settings: Settings) -> list[Settings]:
    """`settings` with each order, healed and not: the rows of `--compare orders`."""
    return [replace(settings, order=order, heal=heal) for order, heal in COMPARED]


def show(found: Sequence[tuple[Settings, Report]]) -> None:
    """A table: of each kind where there is one report, else of each report's total. Empty columns are left out."""
    from rich.console import Console
    from rich.table import Table

    if len(found) == 1:
        lines = [(summary.kind or "unnamed", summary) for summary in found[0][1].summaries()]
    else:
        lines = [(_name(settings), report.total) for settings, report in found]
    table = Table(box=None, header_style="bold")
    columns = [[name for name, _ in lines], *zip(*(_cells(summary) for _, summary in lines), strict=True)]
    kept = [(heading, column) for heading, column in zip(("", *_HEADINGS), columns, strict=True) if any(column)]
    for heading, _ in kept:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for cells in zip(*(column for _, column in kept), strict=True):
        table.add_row(*cells)
    Console().print(table)


_HEADINGS = ("holes", "exact", "95 %", "whole", "of", "similarity", "passed", "of", "seconds")


def _name(settings: Settings) -> str:
    return f"{settings.order}, {'healed' if settings.heal else 'not healed'}"


def _cells(summary: Summary) -> list[str]:
    def share(value: float | None) -> str:
        return "" if value is None else f"{value:.1f} %"

    return [
        str(summary.n),
        share(summary.exact),
        f"{summary.exact_low:.1f}–{summary.exact_high:.1f}",
        share(summary.exact_whole),
        str(summary.several_lines or ""),
        f"{summary.similarity:.1f}",
        share(summary.pass_rate),
        str(summary.tested or ""),
        f"{summary.seconds:.1f}",
    ]


def summarise(kind: str, found: Sequence[Score]) -> Summary:
    n = len(found)
    exact = sum(score.exact for score in found)
    low, high = scores.wilson(exact, n)
    whole = [score.exact_whole for score in found if score.exact_whole is not None]
    passed = [score.passed for score in found if score.passed is not None]
    pass_low, pass_high = scores.wilson(sum(passed), len(passed))
    return Summary(
        kind=kind,
        n=n,
        exact=_percent(exact, n) or 0.0,
        exact_low=100 * low,
        exact_high=100 * high,
        several_lines=len(whole),
        exact_whole=_percent(sum(whole), len(whole)),
        similarity=sum(score.similarity for score in found) / n if n else 0.0,
        tested=len(passed),
        pass_rate=_percent(sum(passed), len(passed)),
        pass_low=100 * pass_low,
        pass_high=100 * pass_high,
        seconds=sum(score.seconds for score in found),
    )


def _percent(hits: int, n: int) -> float | None:
    return 100 * hits / n if n else None


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: round(value, 2) if isinstance(value, float) else value for key, value in values.items()}
