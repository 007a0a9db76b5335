"""What a completion is worth beside the text that stood there, and whether a program runs with it.

Definitions
    exact         the first lines are the same, blanks at both ends aside. SantaCoder-FIM (Ben Allal et al. 2023) counts
                  `generation == reference` on holes of one line; here blanks are forgiven and only the first line is
                  looked at, as the editor would. Where the reference begins with blank lines, the first line is all up
                  to the end of its first line with something on it.
    exact, whole  the generation, cut to as many lines as the reference has, is the reference; blanks at the end aside.
    similarity    0 to 100: twice the longest common subsequence over the sum of the lengths, which is one minus the
                  normalised indel distance (`fuzz.ratio` of RapidFuzz). Of the generation cut as for `whole`.
    passed        the program ends without an error within a time limit (HumanEval-Infilling, Bavarian et al. 2022).
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

TIME_LIMIT = 10.0
MEMORY_LIMIT = 1 << 30
FILE_LIMIT = 1 << 24

_PASSED = 77
"""The exit status of a program that got to its end: one that ends itself before its test, even with 0, has failed."""

_RUNNER = f"""
import os, resource, runpy, sys
for limit, most in (
    (resource.RLIMIT_AS, {MEMORY_LIMIT}), (resource.RLIMIT_FSIZE, {FILE_LIMIT}), (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_CPU, int(sys.argv[2])),
):
    resource.setrlimit(limit, (most, most))
runpy.run_path(sys.argv[1], run_name="__main__")
os._exit({_PASSED})
"""


def is_exact(completion: str, reference: str) -> bool:
    lines = len(reference) - len(reference.lstrip("\n")) + 1
    return cut(completion, lines).strip() == cut(reference, lines).strip()


def is_exact_whole(completion: str, reference: str) -> bool:
    return cut(completion, line_count(reference)).rstrip() == reference.rstrip()


def similarity(completion: str, reference: str) -> float:
    """From 0 to 100. Of one line, blanks at both ends do not count; of several, those at the end."""
    lines = line_count(reference)
    if lines == 1:
        return ratio(cut(completion, 1).strip(), reference.strip())
    return ratio(cut(completion, lines).rstrip(), reference.rstrip())


def ratio(a: str, b: str) -> float:
    """From 0 to 100; 100 for two empty texts."""
    return 200 * common_subsequence(a, b) / (len(a) + len(b)) if a or b else 100.0


def common_subsequence(a: str, b: str) -> int:
    """Length of the longest common subsequence; a row of the table is one integer (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for at, character in enumerate(a):
        places[character] = places.get(character, 0) | 1 << at
    full = (1 << len(a)) - 1
    row = full
    for character in b:
        hit = row & places.get(character, 0)
        row = (row + hit | row - hit) & full
    return len(a) - row.bit_count()


def line_count(text: str) -> int:
    """Lines up to the last with something on it, at least one."""
    return text.rstrip().count("\n") + 1


def cut(text: str, lines: int) -> str:
    """The first `lines` lines."""
    return "\n".join(text.split("\n", lines)[:lines])


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927), from 0 to 1; all of it where n is 0."""
    if n == 0:
        return 0.0, 1.0
    z2 = 1.959964**2
    middle = (hits + z2 / 2) / (n + z2)
    half = math.sqrt(z2 * (hits * (n - hits) / n + z2 / 4)) / (n + z2)
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_interval(groups: Sequence[Sequence[float]], rounds: int = 2000) -> tuple[float, float, float]:
    """The mean of all values and its 95 % bootstrap interval (Efron 1979); nothing but zeros where there are none.

    Whole groups are drawn again, with one seed: what stands in one file is alike, and counts for less than as many
    values of their own.
    """
    sums = [(sum(group), len(group)) for group in groups if group]
    if not sums:
        return 0.0, 0.0, 0.0
    chance = random.Random(1)
    drawn = sorted(_mean(chance.choices(sums, k=len(sums))) for _ in range(rounds))
    return _mean(sums), drawn[round(0.025 * (rounds - 1))], drawn[round(0.975 * (rounds - 1))]


def _mean(sums: Sequence[tuple[float, int]]) -> float:
    return sum(total for total, _ in sums) / sum(n for _, n in sums)


def passes(program: str, time_limit: float = TIME_LIMIT) -> bool:
    """Whether `program` runs to its end within `time_limit` seconds. RUNS THE CODE IT IS GIVEN, as this user.

    It gets a folder and a session of its own, no environment, no input, and limits of memory, file size and time; that
    keeps it from hanging or filling the machine, but it is no sandbox: it may read the disk and use the network.
    """
    with tempfile.TemporaryDirectory(prefix="aigc-lsp-") as folder:
        path = Path(folder) / "program.py"
        path.write_text(program, encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _RUNNER, str(path), str(math.ceil(time_limit) + 1)],
            cwd=folder,
            env={},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(time_limit) == _PASSED
        except subprocess.TimeoutExpired:
            return False
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what it started as well
            process.wait()
