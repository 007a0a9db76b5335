"""What polish does to completions: `aigc-lsp eval fim --polish`.

What the model says for a hole is judged twice. Raw: as `eval fim` judges it, where a hole of one line ends at its
newline and one of several lines where the model ends it. Polished: what the editor would show of it, the rules asked
after each piece as the pipeline asks them, then the cut and the parse gate. Of one generation, unless the language
server's window makes another prompt of the hole than its plain text does, as where it withholds closers: then the model
is asked for that too.

Where a hole has several lines, the rule is widened to a block's even where the tree says that none begins here and the
editor would be shown one line: what is judged is polish of a completion of several lines. Where it ends within a line
(`torn`), the rest of that line stands behind the cursor, as it does in no editor. Nothing else differs from the editor
but that no file stands beside the hole's own, and that confidence and time budgets hide nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.context.window import Window, gather
from aigc_lsp.measure import fim, scores
from aigc_lsp.measure.fim import Report, Score, Settings, Summary
from aigc_lsp.measure.holes import Row
from aigc_lsp.polish.cut import has_met_rest, insertion
from aigc_lsp.polish.gate import gated
from aigc_lsp.polish.stop import Rule, rule_for, verdict
from aigc_lsp.prompt.infill import Hole, Prompt, render
from aigc_lsp.syntax import Tree, language_of, parse, place_without_tree
from aigc_lsp.text import Text

if TYPE_CHECKING:
    from rich.table import Table

    from aigc_lsp.engine.generate import Engine


@dataclass(frozen=True, slots=True)
class Cursor:
    """A hole as the language server finds it. `rule` is None where it would ask nobody."""

    tree: Tree | None
    offset: int
    window: Window
    rule: Rule | None


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said, piece by piece. `ended` is false where a limit ended it."""

    pieces: tuple[str, ...]
    ended: bool

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Shown:
    """`text` in the place of the `replaces` characters behind the cursor.

    `steps`: what shortened or changed the text, blanks at its end aside: the reason to stop, `cut`, `gate`.
    """

    text: str
    replaces: int
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """One row before and after. `source` is the file or problem that it comes from."""

    source: str
    raw: Score
    polished: Score
    steps: tuple[str, ...]

    @property
    def changed(self) -> bool:
        return self.raw.completion.rstrip() != self.polished.completion.rstrip()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of one kind, or of all. `gain` and `pass_gain` are in percentage points, each with its 95 % interval, for which
    whole sources are drawn again."""

    raw: Summary
    polished: Summary
    changed: int
    gain: tuple[float, float, float]
    pass_gain: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Step:
    """Rows of one kind that the same steps changed, and what that made of them: whether the first line is exact, and
    whether the tests pass."""

    kind: str
    steps: str
    n: int
    fixed: int
    broken: int
    pass_fixed: int
    pass_broken: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """All rows, judged twice."""

    rows: tuple[Judged, ...]

    @property
    def comparisons(self) -> list[Comparison]:
        """For each kind, where there are several, then of all."""
        kinds = sorted({row.raw.kind for row in self.rows})
        each = [_comparison(kind, [row for row in self.rows if row.raw.kind == kind]) for kind in kinds]
        return [*each, _comparison("total", self.rows)] if len(kinds) > 1 else each

    @property
    def steps(self) -> list[Step]:
        """What changed something, by kind, the most frequent first."""
        changed = [row for row in self.rows if row.changed]
        names = Counter((row.raw.kind, " + ".join(row.steps)) for row in changed)
        return [
            _step(kind, steps, [row for row in changed if (row.raw.kind, " + ".join(row.steps)) == (kind, steps)])
            for (kind, steps), _ in sorted(names.items(), key=lambda item: (item[0][0], -item[1]))
        ]

    def to_json(self) -> dict[str, Any]:
        return {
            "raw": Report(tuple(row.raw for row in self.rows)).to_json(),
            "polished": Report(tuple(row.polished for row in self.rows)).to_json(),
            "compared": [
                {"kind": each.raw.kind, "changed": each.changed, "gain": each.gain, "pass_gain": each.pass_gain}
                for each in self.comparisons
            ],
            "steps": [asdict(step) for step in self.steps],
            "changed_by": {row.raw.task_id: row.steps for row in self.rows if row.changed},
        }


def _comparison(kind: str, rows: Sequence[Judged]) -> Comparison:
    return Comparison(
        raw=fim.summarise(kind, [row.raw for row in rows]),
        polished=fim.summarise(kind, [row.polished for row in rows]),
        changed=sum(row.changed for row in rows),
        gain=_gain(rows, lambda score: score.exact),
        pass_gain=_gain(rows, lambda score: score.passed),
    )


def _gain(rows: Sequence[Judged], value: Callable[[Score], bool | None]) -> tuple[float, float, float]:
    sources: dict[str, list[float]] = {}
    for row in rows:
        before, after = value(row.raw), value(row.polished)
        if before is not None and after is not None:
            sources.setdefault(row.source, []).append(100.0 * (after - before))
    return scores.mean_interval(list(sources.values()))


def _step(kind: str, steps: str, rows: Sequence[Judged]) -> Step:
    return Step(
        kind=kind,
        steps=steps,
        n=len(rows),
        fixed=sum(row.polished.exact and not row.raw.exact for row in rows),
        broken=sum(row.raw.exact and not row.polished.exact for row in rows),
        pass_fixed=sum(row.polished.passed is True and not row.raw.passed for row in rows),
        pass_broken=sum(row.raw.passed is True and not row.polished.passed for row in rows),
    )


def cursor(row: Row, settings: Settings, max_lines: int) -> Cursor:
    """`row` as the language server finds it with that one file open. A row with a test and no path is Python."""
    language = language_of(row.path) or ("python" if fim.can_run(row) else "plaintext")
    text, offset = Text(row.prompt + row.suffix), len(row.prompt)
    tree = parse(language, text)
    window = gather(
        text,
        offset,
        language=language,
        prefix_tokens=settings.prefix_tokens,
        suffix_tokens=settings.suffix_tokens,
        tree=tree,
    )
    place = tree.place(offset) if tree is not None else place_without_tree(text, offset, language)
    rule = rule_for(place, window, max_lines)
    if rule is not None and not row.is_one_line:
        rule = replace(rule, is_block=True)
    return Cursor(tree, offset, window, rule)


def shown(said: Said, at: Cursor) -> Shown:
    """What the editor would show of `said`."""
    if at.rule is None:
        return Shown("", 0, ("word",))
    text, reason = _heard(said.pieces, at.rule, at.window)
    steps = [reason] if text.rstrip() != said.text.rstrip() else []
    found = insertion(text, at.rule, at.window, ended=said.ended or bool(reason))
    if found.text.rstrip() != text.rstrip():
        steps.append("cut")
    kept = gated(at.tree, at.offset, found.text, found.replaces)
    if kept < len(found.text):
        steps.append("gate")
    return Shown(found.text[:kept], found.replaces if kept else 0, tuple(steps))


def _heard(pieces: Iterable[str], rule: Rule, window: Window) -> tuple[str, str]:
    """What is read of the stream until a rule hangs up, and why: "" where none does."""
    text = ""
    for piece in pieces:
        text += piece
        if end := verdict(text, rule):
            return text[: end.keep], end.reason
        if (rule.is_block or not window.withheld.strip()) and has_met_rest(text, window):
            return text, "suffix"
    return text, ""


def judge(row: Row, raw: str, polish: Shown, run_tests: bool, seconds: float = 0.0) -> Judged:
    """Both completions of `row` beside its reference; the tests are run twice only where the programs differ.

    Where polish replaces closers behind the cursor they belong to the hole.
    """
    row = replace(row, kind=_kind(row))
    taken = row.suffix[: polish.replaces]
    wider = replace(row, canonical_solution=row.canonical_solution + taken, suffix=row.suffix[polish.replaces :])

    @cache
    def passes(program: str) -> bool:
        return scores.passes(program)

    def score(row: Row, text: str) -> Score:
        passed = passes(fim.program(row, text)) if run_tests and fim.can_run(row) else None
        return fim.score(row, text, passed, seconds)

    return Judged(row.path or row.task_id, score(row, raw), score(wider, polish.text), polish.steps)


def _kind(row: Row) -> str:
    """Holes that end within another line than they begin are told apart."""
    is_torn = not row.is_one_line and row.suffix.partition("\n")[0].strip()
    return f"{row.kind}, torn".removeprefix(", ") if is_torn else row.kind


def run(
    rows: Sequence[Row],
    model: catalogue.Model,
    config: Config,
    settings: Settings,
    run_tests: bool,
    track: Callable[[Sequence[Row], str], Iterable[Row]] = lambda rows, said: rows,
) -> tuple[Settings, Outcome]:
    """All rows, and `settings` filled in. Raises as `fim.run` does."""
    fim.check_tests(rows, run_tests)
    settings = settings.filled_in(model)
    engine = fim.load_engine(model, config)
    speak = speaker(engine, model, settings)
    found = []
    for row in track(rows, "raw and polished"):
        at = cursor(row, settings, config.completion.max_lines)
        began = time.perf_counter()
        raw, said = speak(row, at)
        polished = shown(said, at)
        found.append(judge(row, raw, polished, run_tests, time.perf_counter() - began))
    return settings, Outcome(tuple(found))


def speaker(engine: Engine, model: catalogue.Model, settings: Settings) -> Callable[[Row, Cursor], tuple[str, Said]]:
    """What `engine` says for a hole: the raw completion, and what polish is to hear."""
    from aigc_lsp.engine.generate import Piece

    stream = fim.streamer(engine, model, settings.max_tokens)

    def prompt(hole: Hole) -> Prompt:
        return render(
            hole,
            model.fim,
            model.files,
            engine.vocabulary,
            prefix_budget=settings.prefix_tokens,
            suffix_budget=settings.suffix_tokens,
            order=settings.order,
            heal=settings.heal,
        )

    def listen(asked: Prompt, row: Row, is_enough: Callable[[str], bool]) -> Said:
        pieces: list[str] = []
        for event in stream(asked, row.canonical_solution, ()):
            if not isinstance(event, Piece):
                return Said(tuple(pieces), event.stop_reason == "eos")
            pieces.append(event.text)
            if is_enough("".join(pieces)):
                break
        return Said(tuple(pieces), True)

    def speak(row: Row, at: Cursor) -> tuple[str, Said]:
        window, rule = at.window, at.rule
        plain = prompt(Hole(row.prompt, row.suffix))
        edited = prompt(Hole(window.prefix, window.suffix, head=window.head))

        def is_raw_done(text: str) -> bool:
            return row.is_one_line and "\n" in text

        def is_polish_done(text: str) -> bool:
            return rule is None or verdict(text, rule) is not None

        if plain == edited:
            said = heard = listen(plain, row, lambda text: is_raw_done(text) and is_polish_done(text))
        else:
            said, heard = listen(plain, row, is_raw_done), listen(edited, row, is_polish_done)
        return said.text.partition("\n")[0] if row.is_one_line else said.text, heard

    return speak


def show(found: Outcome) -> None:
    """Two tables: before and after by kind, and what each step fixed and broke."""
    from rich.console import Console

    compared = _table("", "%", "holes", "raw (95 %)", "polished (95 %)", "gain (95 %)")
    for each in found.comparisons:
        for cells in _lines(each):
            compared.add_row(*cells)
    steps = _table("", "changed by", "holes", "exact", "passed")
    for step in found.steps:
        changes = (f"+{step.fixed} −{step.broken}", f"+{step.pass_fixed} −{step.pass_broken}")
        steps.add_row(step.kind or "unnamed", step.steps, str(step.n), *changes)
    console = Console()
    console.print(compared)
    if found.steps:
        console.print()
        console.print(steps)


def _table(*headings: str) -> Table:
    """Two columns of words, and the others of figures."""
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for at, heading in enumerate(headings):
        table.add_column(heading, justify="left" if at < 2 else "right", no_wrap=True)
    return table


def _lines(each: Comparison) -> list[list[str]]:
    raw, polished, name = each.raw, each.polished, each.raw.kind or "unnamed"
    lines = [[name, "exact", str(raw.n), _share(raw.exact, raw.exact_low, raw.exact_high)]]
    lines[0] += [_share(polished.exact, polished.exact_low, polished.exact_high), _points(each.gain)]
    if raw.pass_rate is not None and polished.pass_rate is not None:
        lines.append([name, "passed", str(raw.tested), _share(raw.pass_rate, raw.pass_low, raw.pass_high)])
        lines[1] += [_share(polished.pass_rate, polished.pass_low, polished.pass_high), _points(each.pass_gain)]
    return lines


def _share(value: float, low: float, high: float) -> str:
    return f"{value:.1f} ({low:.0f}–{high:.0f})"


def _points(gain: tuple[float, float, float]) -> str:
    return f"{gain[0]:+.1f} ({gain[1]:+.0f} to {gain[2]:+.0f})"
