"""`aigc-lsp dataset`: what it takes, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aigc_lsp.dataset import build, statistics
from aigc_lsp.dataset.build import Options
from aigc_lsp.dataset.fetch import Tree, default_folder, fetch
from aigc_lsp.dataset.overlap import Measured
from aigc_lsp.dataset.page import page
from aigc_lsp.errors import FetchFailed, UsageError
from aigc_lsp.measure import humaneval, projects
from aigc_lsp.measure.holes import source_files
from aigc_lsp.syntax import has_grammar

Say = Callable[[str], None]

AT_ONCE = 6
"""Sources that are fetched at once: mostly an index is waited for."""


def run(sources: Sequence[str], into: Path, options: Options, say: Say, decontaminate: bool = True) -> None:
    """Fetch `sources`, and write the data made of them into `into`. What cannot be fetched is left out, and said.

    Raises `UsageError`; `FetchFailed` where what models are measured with cannot be had, or none of the sources.
    """
    trees = list(_fetched(sources, say))
    if not trees:
        raise FetchFailed("None of the sources could be fetched. Check the network, and their names.")
    measured = Measured(_measured(say) if decontaminate else ())
    build.build(trees, into, options, measured, say)


def told(folder: Path) -> str:
    """What the data in `folder` are, as text; it is written beside them, with plots as a page. Raises `UsageError`."""
    found = statistics.statistics(folder)
    said = statistics.text(found)
    (folder / "statistics.txt").write_text(f"{said}\n", encoding="utf-8")
    (folder / "statistics.html").write_text(page(found), encoding="utf-8")
    return said


def sources_in(path: Path) -> list[str]:
    """The sources of a list: one on a line, behind `#` is a comment. Raises `UsageError`."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error}).") from error
    return [said for line in lines if (said := line.split(" #")[0].strip()) and not said.startswith("#")]


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


def _fetched(sources: Sequence[str], say: Say) -> Iterator[Tree]:
    """In the order of `sources`: what is made of them depends on it."""
    measured_with = {project.name for project in (*projects.PROJECTS, humaneval.ARCHIVE)}
    specs = list(dict.fromkeys(sources))
    with ThreadPoolExecutor(AT_ONCE, "fetch") as pool:
        for spec, found in zip(specs, pool.map(lambda spec: _tried(spec, say), specs), strict=True):
            if isinstance(found, FetchFailed):
                say(f"left out: {spec}: {found}")
            elif found.name in measured_with:
                say(f"left out: {spec}, since models are measured with it")
            else:
                yield found


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
    for project in projects.PROJECTS:
        for path in source_files(projects.fetch(project, folder, say), project.suffixes):
            yield path.read_text("utf-8", "replace")
