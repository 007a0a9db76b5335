"""What a completion is worth: figures worked out by hand, and programs that pass, fail and hang."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.measure.scores import (
    common_subsequence,
    cut,
    is_exact,
    is_exact_whole,
    line_count,
    passes,
    ratio,
    similarity,
    wilson,
)


@pytest.mark.parametrize(
    ("completion", "reference", "exact"),
    [
        ("x + 1", "x + 1", True),
        ("x + 1  ", " x + 1\n", True),
        ("x + 1\nmore", "x + 1", True),
        ("x + 2", "x + 1", False),
        ("", "x + 1", False),
        ("x", "x + 1", False),
        ("a\nb", "a\nc", True),  # the first line is
        ("\nx + 1", "x + 1", False),  # the editor would show an empty line
        ("\n    a\nb", "\n    a\nc", True),  # up to the first line with something on it
        ("\n    b", "\n    a", False),
        ("\n\nb", "\n    a", False),
    ],
)
def test_exact(completion: str, reference: str, exact: bool) -> None:
    assert is_exact(completion, reference) is exact


@pytest.mark.parametrize(
    ("completion", "reference", "exact"),
    [
        ("a\n  b", "a\n  b", True),
        ("a\n  b\n", "a\n  b", True),
        ("a\n  b\nc\nd", "a\n  b", True),  # cut to two lines
        ("a\n  b\nc\nd", "a\n  b\n\n", True),
        ("a\nb", "a\n  b", False),
        ("a", "a\n  b", False),
        (" a\n  b", "a\n  b", False),
    ],
)
def test_exact_whole(completion: str, reference: str, exact: bool) -> None:
    assert is_exact_whole(completion, reference) is exact


def test_similarity_by_hand() -> None:
    # "ittn" is common to both: 2 * 4 / (6 + 7)
    assert common_subsequence("kitten", "sitting") == 4
    assert ratio("kitten", "sitting") == pytest.approx(100 * 8 / 13)
    assert ratio("this is a test", "this is a test!") == pytest.approx(96.55, abs=0.01)  # as RapidFuzz's own manual
    assert ratio("", "") == 100
    assert ratio("", "a") == 0
    assert ratio("naïve", "naive") == pytest.approx(80)
    assert similarity("  x + 1\nmore", "x + 1") == 100
    assert similarity("a\nb\nc", "a\nb") == 100
    # "a\n" of "a\nX" and "a\nb"
    assert similarity("a\nX\nc", "a\nb") == pytest.approx(100 * 4 / 6)


@given(st.text("abc\n", max_size=12), st.text("abc\n", max_size=12))
def test_the_common_subsequence_is_that_of_the_plain_table(a: str, b: str) -> None:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    assert common_subsequence(a, b) == table[-1][-1]


def test_lines() -> None:
    assert [line_count(text) for text in ("", "a", "a\n", "a\nb", "a\n\n  \n", "\na")] == [1, 1, 1, 2, 1, 2]
    assert cut("a\nb\nc", 2) == "a\nb"
    assert cut("a", 2) == "a"


def test_wilson_by_hand() -> None:
    """Newcombe 1998, table I, method 3, and half of 20."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=1e-4)
    assert wilson(10, 20) == pytest.approx((0.2993, 0.7007), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("program", "passed"),
    [
        ("assert 1 + 1 == 2\n", True),
        ("assert 1 + 1 == 3\n", False),
        ("def f(:\n", False),
        ("import sys\nsys.exit(0)\n", False),  # its test was never reached
        ("x = bytearray(2 << 30)\n", False),
        ("import os\nassert not set(os.environ) - {'LC_CTYPE'}, dict(os.environ)\n", True),
        ("from pathlib import Path\nassert [path.name for path in Path().iterdir()] == ['program.py']\n", True),
        ("assert __import__('sys').stdin.read() == ''\nprint('é')\n", True),
    ],
)
def test_programs(program: str, passed: bool) -> None:
    assert passes(program) is passed


def test_a_program_that_hangs(tmp_path: Path) -> None:
    began = time.perf_counter()
    assert not passes("while True: pass", time_limit=0.3)
    assert time.perf_counter() - began < 2


def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    started = tmp_path / "pid"
    code = f"""
import subprocess, sys, pathlib
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path({str(started)!r}).write_text(str(child.pid))
"""
    assert passes(code)
    status = Path(f"/proc/{started.read_text()}/status")
    for _ in range(50):
        if not status.exists() or "State:\tZ" in status.read_text():
            return
        time.sleep(0.02)
    pytest.fail("it runs on")
