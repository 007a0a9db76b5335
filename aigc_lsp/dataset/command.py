"""`aigc-lsp dataset`: what it takes, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aigc_lsp.dataset import build, statistics
from aigc_lsp.dataset.build import Options
from aigc_lsp.dataset.example import SPLITS, Split
from aigc_lsp.dataset.fetch import Tree, check, default_folder, fetch
from aigc_lsp.dataset.overlap import Measured
from aigc_lsp.dataset.page import page
from aigc_lsp.errors import FetchFailed, UsageError
from aigc_lsp.measure import docstring_cases, humaneval, projects
from aigc_lsp.measure.holes import source_files
from aigc_lsp.syntax import has_grammar

Say = Callable[[str], None]

Sources = Mapping[str, Split | None]
"""What to fetch, in this order, and on which side it is where that is not drawn."""

MEASURED = (*projects.PROJECTS, *(package.project for package in docstring_cases.PACKAGES))

AT_ONCE = 6
"""Sources that are fetched at once: mostly an index is waited for."""


def run(sources: Sources, into: Path, options: Options, say: Say, decontaminate: bool = True) -> None:
    """Fetch `sources`, and write the data made of them into `into`. What cannot be fetched is left out, and said.

    Raises `UsageError`; `FetchFailed` where what models are measured with cannot be had, or none of the sources.
    """
    for spec in sources:
        check(spec)
    try:
        measured = Measured(_measured(say) if decontaminate else ())
    except FetchFailed as error:
        raise FetchFailed(
            f"{error} Models are measured with this code, which the data must not hold; with --no-decontaminate it is "
            "not looked at."
        ) from error
    fetched = list(dict(_fetched(sources, say)).items())  # `foo` and `pypi:foo` are one tree
    if not fetched:
        raise FetchFailed("None of the sources could be fetched. Check the network, and their names.")
    sides = {tree.name: side for tree, side in fetched if side is not None}
    build.build([tree for tree, _ in fetched], into, options, measured, say, sides)


def told(folder: Path) -> str:
    """What the data in `folder` are, as text; it is written beside them, with plots as a page. Raises `UsageError`."""
    found = statistics.statistics(folder)
    said = statistics.text(found)
    (folder / "statistics.txt").write_text(f"{said}\n", encoding="utf-8")
    (folder / "statistics.html").write_text(page(found), encoding="utf-8")
    return said


def sources_in(path: Path) -> dict[str, Split | None]:
    """The sources of a list: one on a line, with `train` or `held` behind it where that is not drawn; behind `#` is a
    comment. Raises `UsageError`."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error}).") from error
    found: dict[str, Split | None] = {}
    for line in lines:
        said = line.split(" #")[0].strip()
        if said and not said.startswith("#"):
            side = next((each for each in SPLITS if said.endswith(f" {each}")), None)
            found[said.removesuffix(f" {side}").strip()] = side
    return found


def shares_of(said: Sequence[str]) -> dict[str, float]:
    """ "python=30" as a share. Raises `UsageError`."""
    found: dict[str, float] = {}
    for each in said:
        language, _, share = each.partition("=")
        if not has_grammar(language):
            raise UsageError(f"{each!r} names no language that is cut here; write its LSP name, such as shellscript=3.")
        try:
            found[language] = float(share)
        except ValueError as error:
            raise UsageError(f"{each!r} is no share; write LANGUAGE=PERCENT, such as python=30.") from error
    if sum(found.values()) > 100 or any(share < 0 for share in found.values()):
        raise UsageError("The shares are of all examples: together they are 100 at most, and none is negative.")
    return found


def _fetched(sources: Sources, say: Say) -> Iterator[tuple[Tree, Split | None]]:
    """In the order of `sources`: what is made of them depends on it."""
    measured_with = {_plain(project.name) for project in (*MEASURED, humaneval.ARCHIVE)}
    with ThreadPoolExecutor(AT_ONCE, "fetch") as pool:
        every = zip(sources.items(), pool.map(lambda spec: _tried(spec, say), sources), strict=True)
        for (spec, side), found in every:
            if isinstance(found, FetchFailed):
                say(f"left out: {spec}: {found}")
            elif _plain(found.name) in measured_with:
                say(f"left out: {spec}, since models are measured with it")
            else:
                yield found, side


def _tried(spec: str, say: Say) -> Tree | FetchFailed:
    try:
        return fetch(spec, default_folder(), say)
    except FetchFailed as error:
        return error


def _measured(say: Say) -> Iterator[str]:
    """The texts that `eval` and `replay` measure with."""
    folder = projects.default_folder()
    for problem in humaneval.problems(folder, say):
        yield problem.prompt + problem.canonical_solution
    for project in MEASURED:
        for path in source_files(projects.fetch(project, folder, say), project.suffixes):
            yield path.read_text("utf-8", "replace")


def _plain(name: str) -> str:
    """A package's name as its index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
