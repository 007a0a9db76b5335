"""Holes in problems with tests: where they are, what they carry along, and the archive that they come from."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import asdict
from functools import partial
from itertools import pairwise
from pathlib import Path

import command_line
import pytest
from command_line import Run

from aigc_lsp.errors import FetchFailed
from aigc_lsp.measure import fim, humaneval, scores
from aigc_lsp.measure.holes import read_rows, to_json
from aigc_lsp.measure.humaneval import ARCHIVE, MEMBER, Problem, build, problems

PROMPT = '''\
from typing import List


def {name}(numbers: List[int]) -> int:
    """ The sum of what is positive.
    >>> {name}([1, -1, 2])
    3
    """
'''
SOLUTION = """\
    total = 0
    for number in numbers:
        if number > 0:
            total += number
        else:
            continue
    return total
"""
TEST = "def check(candidate):\n    assert candidate([1, -1, 2]) == 3\n    assert candidate([]) == 0\n"

PROBLEMS = [Problem(f"Test/{name}", PROMPT.format(name=name), SOLUTION, TEST, name) for name in ("one", "two", "three")]

folder = pytest.fixture(command_line.folder)


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return partial(command_line.run(folder, monkeypatch, capsys), "eval", "build")


def unpacked(into: Path, data: bytes) -> Path:
    path = into / ARCHIVE.folder / MEMBER
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return path


def test_holes_are_in_solutions() -> None:
    rows = build(PROBLEMS, 1000, seed=1)
    assert Counter(row.path for row in rows).keys() == {"Test/one.py", "Test/two.py", "Test/three.py"}
    for row in rows:
        name = row.path.removeprefix("Test/").removesuffix(".py")
        assert row.prompt.startswith(PROMPT.format(name=name))
        assert row.prompt + row.canonical_solution + row.suffix == PROMPT.format(name=name) + SOLUTION
        assert (row.test, row.entry_point) == (TEST, name)
    assert len({row.task_id for row in rows}) == len(rows)


def test_every_line_is_a_hole_once() -> None:
    lines = build(PROBLEMS[:1], 100, seed=1, kinds=["line"])
    assert sorted(row.canonical_solution for row in lines) == sorted(line.strip() for line in SOLUTION.splitlines())
    assert all(not row.prompt.rpartition("\n")[2].strip() and row.suffix[:1] == "\n" for row in lines)


def test_several_lines_are_whole_ones() -> None:
    rows = build(PROBLEMS, 60, seed=2, kinds=["lines"])
    assert rows
    for row in rows:
        assert not row.prompt.rpartition("\n")[2].strip()
        assert row.suffix[:1] == "\n"
        assert "\n" in row.canonical_solution


def test_spans_do_not_begin_and_end_in_words() -> None:
    rows = build(PROBLEMS, 60, seed=3, kinds=["span"])
    assert len(rows) >= 6
    for row in rows:
        assert not (row.prompt[-1:].isalnum() and row.suffix[:1].isalnum()), row
    spans = sorted(
        (len(row.prompt), len(row.prompt) + len(row.canonical_solution)) for row in rows if row.path == "Test/one.py"
    )
    assert all(end < start for (_, end), (start, _) in pairwise(spans))


def test_shares_of_kinds_and_the_seed() -> None:
    rows = build(PROBLEMS, 8, seed=1)
    assert Counter(row.kind for row in rows) == {"line": 4, "lines": 2, "span": 2}
    assert build(PROBLEMS, 8, seed=1) == rows
    assert build(PROBLEMS, 8, seed=2) != rows


def test_the_true_text_passes_and_a_wrong_one_does_not() -> None:
    for row in build(PROBLEMS, 4, seed=1):
        assert scores.passes(fim.program(row, row.canonical_solution)), row.task_id
        assert not scores.passes(fim.program(row, "return 7")), row.task_id


def test_problems_are_read_from_what_was_unpacked(tmp_path: Path) -> None:
    lines = "".join(json.dumps(asdict(problem)) + "\n" for problem in PROBLEMS)
    unpacked(tmp_path, gzip.compress(lines.encode()))
    assert problems(tmp_path) == PROBLEMS


@pytest.mark.parametrize("data", [b"no gzip", gzip.compress(b"{}" * 999, mtime=0)[:-20]])
def test_a_damaged_file_is_named(tmp_path: Path, data: bytes) -> None:
    path = unpacked(tmp_path, data)
    with pytest.raises(FetchFailed, match="Delete its folder") as failed:
        problems(tmp_path)
    assert str(path) in str(failed.value)


def test_the_command(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(humaneval, "problems", lambda into, say: PROBLEMS)
    written = run("humaneval", "--count", 8, "--out", tmp_path / "rows.jsonl")
    assert (written.code, written.out, written.err) == (0, "", "")
    assert read_rows(tmp_path / "rows.jsonl") == build(PROBLEMS, 8, seed=1)
    only = run("humaneval", "--count", 3, "--kinds", "lines", "--seed", 5)
    assert only.out == to_json(build(PROBLEMS, 3, seed=5, kinds=["lines"]))
    assert run("humaneval", "--suffix", "py").code == 2
    assert "leave out" in run("humaneval", "--exclude", "tests").sentence
