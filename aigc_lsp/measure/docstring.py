"""How good docstrings are: `aigc-lsp eval docstring`.

Documented functions of public packages (`docstring_cases`) lose their docstring and are given one twice: by
`writer.write_docstring`, and by a plain prompt to the same model, whose answer is taken as it is. The human's own is
judged, too, so that one sees what the judges ask for. Each is put into the file, and then:

structure   every parameter in order and none else, returns, yields and raises as the body has them: by Python's `ast`
            and docstring_parser (`docstring_facts`), in JavaScript by the rules of eslint-plugin-jsdoc for that
code        the file without that docstring is what it was: by `ast`, in JavaScript by the tokens
linters     ruff's D rules with the style's convention, eslint-plugin-jsdoc's recommended ones: nothing to say
chrF        of the first sentence against the human's (Popović 2015; sacrebleu), 0 to 100

Results are written to a file as they come, and what is there already is not asked again: runs are long.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import statistics
import textwrap
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.docstring.manner import manner_of
from aigc_lsp.docstring.structure import subjects
from aigc_lsp.errors import AigcError, EngineUnavailable, FetchFailed, UsageError
from aigc_lsp.measure import docstring_facts, docstring_lint, projects, scores
from aigc_lsp.measure.docstring_cases import PACKAGES, Case, cases, shares, summary_of, unmarked
from aigc_lsp.measure.figures import Bound, Figure, Report
from aigc_lsp.measure.holes import whole_lines
from aigc_lsp.service.backend import Backend
from aigc_lsp.service.wire import ChatRequest
from aigc_lsp.syntax import parse
from aigc_lsp.text import Text
from aigc_lsp.writer import write_docstring

PLAIN_TOKENS = 400
"""The most that the plain prompt is answered with."""

PLAIN = (
    "Write a {convention} style docstring for this {language} function. Reply with the docstring alone, not with the "
    "code.\n\n"
    "```{language}\n{code}\n```"
)

BY = ("ours", "plain", "human")


@dataclass(frozen=True, slots=True)
class Answer:
    """A docstring that was written, and what the judges found in it. `error`: why there is none."""

    docstring: str
    summary: str
    structure: tuple[str, ...] = ()
    is_code_same: bool = True
    lint: tuple[str, ...] = ()
    chrf: float = 0.0
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case: an answer of each of `BY`."""

    id: str
    project: str
    path: str
    convention: str
    parameters: int
    ours: Answer
    plain: Answer
    human: Answer


Track = Callable[[Sequence[Case], str], Iterable[Case]]


def gather(count: int, seed: int, into: Path, conventions: Sequence[str], say: Callable[[str], None]) -> list[Case]:
    """The cases of the packages of these styles (all where none is named), fetched where they are missing."""
    chosen = [package for package in PACKAGES if not conventions or package.convention in conventions]
    if not chosen:
        raise UsageError(f"The styles are {', '.join(dict.fromkeys(each.convention for each in PACKAGES))}.")
    found: list[Case] = []
    for package, share in zip(chosen, shares(chosen, count), strict=True):
        found += cases(package, projects.fetch(package.project, into, say), share, seed)
    return found


def check_tools(asked: Sequence[Case], into: Path) -> Path | None:
    """ESLint's folder, where it is needed. Raises `UsageError` and `FetchFailed` for what is not to be had."""
    try:
        import docstring_parser  # noqa: F401
        import sacrebleu  # noqa: F401
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: pip install 'aigc-lsp[measure]'.") from error
    if docstring_lint.ruff_path() is None:
        raise UsageError("ruff is missing: pip install 'aigc-lsp[measure]'.")
    return docstring_lint.fetch_eslint(into) if any(case.convention == "jsdoc" for case in asked) else None


async def run(
    asked: Sequence[Case], backend: Backend, config: Config, log: Log, eslint: Path | None, track: Track
) -> list[Outcome]:
    """All of `asked`. What `log` has is not asked again."""
    known = log.outcomes()
    for case in track([case for case in asked if case.id not in known], "docstrings"):
        ours = await _ours(case, backend, config)
        plain = await _plain(case, backend)
        judged = {
            name: judge(case, after, answer, eslint)
            for name, (after, answer) in zip(BY, (ours, plain, (case.original, Answer("", ""))), strict=True)
        }
        known[case.id] = Outcome(case.id, case.project, case.path, case.convention, case.parameters, **judged)
        log.add(known[case.id])
    return [known[case.id] for case in asked]


async def _ours(case: Case, backend: Backend, config: Config) -> tuple[str, Answer]:
    """The file with the docstring that we write."""
    began = time.perf_counter()
    text = Text(case.source)
    tree = parse(case.language, text)
    found = subjects(tree) if tree is not None else ()
    subject = next((each for each in found if text.line_at(each.header.start) + 1 == case.line), None)
    if tree is None or subject is None:
        return case.source, Answer("", "", error="the function was not found")
    document = Document(f"file:///{case.path}", case.path, case.language, 0, text, tree)
    try:
        edit = await write_docstring(document, subject, manner_of(tree, case.convention), backend, config)
    except EngineUnavailable:
        raise
    except AigcError as error:
        return case.source, Answer("", "", seconds=time.perf_counter() - began, error=str(error))
    return text.apply(edit).source, Answer("", "", seconds=time.perf_counter() - began)


async def _plain(case: Case, backend: Backend) -> tuple[str, Answer]:
    """The file with what the model says to a plain prompt."""
    asked = PLAIN.format(convention=case.convention, language=case.language, code=case.code)
    request = ChatRequest(messages=(("user", asked),), n_predict=PLAIN_TOKENS, stream=True, document=f"plain {case.id}")
    began, said = time.perf_counter(), ""
    async with backend.write(request) as pieces:
        async for piece in pieces:
            said += piece.content
    return inserted(case, said), Answer("", "", seconds=time.perf_counter() - began)


def inserted(case: Case, said: str) -> str:
    """The file of `case` with what a model has said: the docstring in it where there is one, else all of it."""
    lines = case.source.splitlines(keepends=True)
    fenced = re.search(r"```\w*\n(.*?)(?:```|\Z)", said, re.DOTALL)
    if case.language != "python":
        comment = re.search(r"/\*\*.*?\*/", said, re.DOTALL)
        indent = re.match(r"\s*", lines[case.line - 1])[0]  # type: ignore[index]
        text = comment[0] if comment else "/**\n" + textwrap.indent(fenced[1] if fenced else said, " * ") + "\n */"
        stripped = [line.strip() for line in text.split("\n")]
        block = "".join(f"{indent}{'' if n == 0 else ' '}{line}\n" for n, line in enumerate(stripped))
        return "".join([*lines[: case.line - 1], block, *lines[case.line - 1 :]])
    quoted = re.search(r"(\"\"\"|''')(.*?)(?:\1|\Z)", said, re.DOTALL)
    content = inspect.cleandoc(quoted[2] if quoted else fenced[1] if fenced else said)
    node = _function(ast.parse(case.source), case)
    if node is None:
        return case.source
    first = node[0].body[0]
    at = min([first.lineno, *(each.lineno for each in getattr(first, "decorator_list", []))]) - 1
    end = "\n" if "\n" in content else ""
    block = textwrap.indent(f'"""{content}{end}"""\n', " " * first.col_offset)
    return "".join([*lines[:at], block, *lines[at:]])


def _function(tree: ast.Module, case: Case) -> tuple[docstring_facts.Function, bool] | None:
    found = docstring_facts.functions(tree)
    return next((each for each in found if (each[0].lineno, each[0].name) == (case.line, case.name)), None)


def judge(case: Case, after: str, answer: Answer, eslint: Path | None) -> Answer:
    """`answer` with what the judges find in `after`, the file with its docstring."""
    if answer.error:
        return replace(answer, structure=("none is written",), lint=("none is written",))
    judged = _judge_python(case, after) if case.language == "python" else _judge_javascript(case, after, eslint)
    return replace(judged, seconds=answer.seconds, chrf=_chrf(judged.summary, summary_of(case.human)))


def _judge_python(case: Case, after: str) -> Answer:
    try:
        tree = ast.parse(after)
    except SyntaxError:
        return Answer("", "", ("does not parse",), False, ("does not parse",))
    found = _function(tree, case)
    docstring = ast.get_docstring(found[0]) if found else None
    if found is None or docstring is None:
        return Answer("", "", ("none is there",), False, ("none is there",))
    node, is_method = found
    lines = range(
        min([node.lineno, *(each.lineno for each in node.decorator_list)]), (node.body[0].end_lineno or 0) + 1
    )
    lint = [f"{each.rule} {each.said}" for each in docstring_lint.ruff(after, case.convention) if each.line in lines]
    wrong = docstring_facts.wrong(node, is_method, docstring, case.convention)
    del node.body[0]
    is_same = ast.dump(tree) == ast.dump(ast.parse(case.source))
    return Answer(docstring, summary_of(docstring), tuple(wrong), is_same, tuple(lint))


def _judge_javascript(case: Case, after: str, eslint: Path | None) -> Answer:
    if eslint is None:
        raise FetchFailed("JavaScript cannot be judged without ESLint.")
    added = after.count("\n") - case.source.count("\n")
    above = "\n".join(after.split("\n")[: case.line + added - 1])
    comment = re.search(r"/\*\*(?:(?!\*/).)*\*/\s*$", above, re.DOTALL)
    if comment is None:
        return Answer("", "", ("none is there",), False, ("none is there",))
    looked = docstring_lint.eslint(eslint, case.source, after)
    mine = [each for each in looked.messages if case.line <= each.line <= case.line + added]
    wrong = tuple(f"{each.rule} {each.said}" for each in mine if each.rule in docstring_lint.STRUCTURE)
    lint = tuple(f"{each.rule} {each.said}" for each in mine if each.rule != "jsdoc/require-throws")
    text = unmarked(comment[0].strip())
    return Answer(text, summary_of(text), wrong, looked.is_same, lint)


def _chrf(summary: str, reference: str) -> float:
    from sacrebleu.metrics.chrf import CHRF

    return float(CHRF().sentence_score(summary, [reference]).score) if summary else 0.0


class Log:
    """The outcomes so far, in a JSONL file or, without one, nowhere. `settings` must stay."""

    def __init__(self, path: Path | None, settings: dict[str, Any]) -> None:
        self._path, self._settings = path, settings
        self._known: dict[str, Outcome] = {}
        if path is None:
            return
        for number, line in enumerate(whole_lines(path), 1):
            outcome = self._read(line, number, path)
            self._known[outcome.id] = outcome

    def outcomes(self) -> dict[str, Outcome]:
        return dict(self._known)

    def add(self, outcome: Outcome) -> None:
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(outcome) | {"settings": self._settings}, ensure_ascii=False) + "\n")

    def _read(self, line: bytes, number: int, path: Path) -> Outcome:
        try:
            record: dict[str, Any] = json.loads(line)
            settings = record.pop("settings")
            outcome = Outcome(**{**record, **{name: _answer(record[name]) for name in BY}})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"Line {number} of {path} is no outcome of `eval docstring`; give --out another file."
            ) from error
        if settings != self._settings:
            raise UsageError(f"{path} has outcomes with other settings or another model; give --out another file.")
        return outcome


def _answer(record: dict[str, Any]) -> Answer:
    return Answer(**{**record, "structure": tuple(record["structure"]), "lint": tuple(record["lint"])})


def report(outcomes: Sequence[Outcome], machine: dict[str, Any]) -> Report:
    """The rows that are asked for, over all cases, and then those of each style."""
    figures = [
        _share("structure right", outcomes, lambda each: not each.structure, Bound("≥", 100, "ours")),
        _share("code unchanged", outcomes, lambda each: each.is_code_same, Bound("≥", 100, "ours")),
        _share("linters clean", outcomes, lambda each: not each.lint, Bound("≥", 98, "ours")),
        _summaries(outcomes, "summary, chrF", Bound("≥", 1.0, "ratio")),
        _summaries(
            [each for each in outcomes if each.plain.summary], "summary, chrF, where the plain one has any", None
        ),
        _seconds("five parameters, p50", [each for each in outcomes if each.parameters == 5], Bound("≤", 4.0, "ours")),
        _seconds("all, p50", outcomes, None),
    ]
    for convention in dict.fromkeys(each.convention for each in outcomes):
        mine = [each for each in outcomes if each.convention == convention]
        figures.append(_share(f"{convention}: structure right", mine, lambda each: not each.structure, None))
        figures.append(_share(f"{convention}: linters clean", mine, lambda each: not each.lint, None))
        figures.append(_summaries(mine, f"{convention}: summary, chrF", None))
    return Report(tuple(figures), machine | {"cases": len(outcomes)})


def _share(name: str, outcomes: Sequence[Outcome], good: Callable[[Answer], bool], must: Bound | None) -> Figure:
    shares = {by: 100.0 * sum(good(getattr(each, by)) for each in outcomes) / max(1, len(outcomes)) for by in BY}
    note = f"the human's own {shares['human']:.1f} %, n {len(outcomes)}"
    met = must.is_met(shares["ours"], None) if must else None
    return Figure(
        name, "%", shares["ours"], "a plain prompt", shares["plain"], None, str(must) if must else None, met, note
    )


def _summaries(outcomes: Sequence[Outcome], name: str, must: Bound | None) -> Figure:
    ours, plain = ([getattr(each, by).chrf for each in outcomes] for by in BY[:2])
    files: dict[tuple[str, str], list[float]] = {}
    for each in outcomes:
        files.setdefault((each.project, each.path), []).append(each.ours.chrf - each.plain.chrf)
    gain, low, high = scores.mean_interval(list(files.values()))
    mine, theirs = statistics.fmean(ours or [0.0]), statistics.fmean(plain or [0.0])
    ratio = mine / theirs if theirs else None
    note = f"mean, n {len(outcomes)}; difference {gain:+.1f} ({low:+.1f} to {high:+.1f}, 95 % over files)"
    return Figure(
        name, "", mine, "a plain prompt", theirs, ratio, str(must) if must else None,
        must.is_met(mine, ratio) if must else None, note, {"ours": ours, "plain": plain},
    )  # fmt: skip


def _seconds(name: str, outcomes: Sequence[Outcome], must: Bound | None) -> Figure:
    ours, plain = ([getattr(each, by).seconds for each in outcomes] for by in BY[:2])
    if not outcomes:
        return Figure(f"seconds, {name}", "s", None, must=str(must) if must else None, note="no case has five")
    mine, theirs = statistics.median(ours), statistics.median(plain)
    return Figure(
        f"seconds, {name}", "s", mine, "a plain prompt", theirs, theirs / mine, str(must) if must else None,
        must.is_met(mine, None) if must else None, f"n {len(outcomes)}", {"ours": ours, "plain": plain},
    )  # fmt: skip
