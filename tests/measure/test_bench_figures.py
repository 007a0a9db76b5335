"""The arithmetic of a bench, its JSON, and where its texts are cut. Nothing here measures speed."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time

import pytest

from aigc_lsp.measure import figures, machine, texts
from aigc_lsp.measure.figures import Bound, Report, compared, figure, missing, percentile


def test_times_and_speeds_are_compared_so_that_more_than_one_is_better() -> None:
    faster = Bound("≥", 1.25, "ratio")
    times = compared("decode", "ms", [20.0, 10.0, 30.0], "llama.cpp", [40.0, 50.0, 60.0], faster)
    assert (times.ours, times.peer, times.ratio) == (20.0, 50.0, 2.5)
    assert times.met is True
    speeds = compared("prefill", "tokens/s", [200.0], "llama.cpp", [400.0], faster, better="more")
    assert speeds.ratio == 0.5
    assert speeds.met is False
    assert speeds.samples == {"ours": [200.0], "llama.cpp": [400.0]}


@pytest.mark.parametrize(
    ("bound", "ours", "ratio", "met"),
    [
        (Bound("≥", 1.9, "ratio"), 1.0, 1.9, True),
        (Bound("≥", 1.9, "ratio"), 5.0, 1.89, False),
        (Bound("≤", 1.6, "ratio"), 5.0, 1.6, True),
        (Bound("≤", 2, "ours"), 2.0, None, True),
        (Bound("≤", 2, "ours"), 2.1, 0.1, False),
        (Bound("≥", 60, "ours"), 61.0, None, True),
        (Bound("≥", 1.9, "ratio"), 1.0, None, None),
        (Bound("≥", 1.9, "ratio"), 1.0, math.nan, None),
    ],
)
def test_bounds(bound: Bound, ours: float, ratio: float | None, met: bool | None) -> None:
    assert bound.is_met(ours, ratio) is met


def test_a_bound_says_what_it_is_on() -> None:
    assert str(Bound("≥", 1.9, "ratio")) == "≥ 1.9 ×"
    assert str(Bound("≤", 60, "ours")) == "≤ 60"


def test_a_figure_without_a_peer_is_neither_met_nor_missed() -> None:
    alone = figure("prefill", "tokens/s", [3.0, 1.0, 2.0], Bound("≥", 1.9, "ratio"))
    assert (alone.ours, alone.ratio, alone.must, alone.met) == (2.0, None, "≥ 1.9 ×", None)
    absent = missing("three choices", Bound("≤", 1.6, "ratio"), "not there")
    assert (absent.ours, absent.met, absent.note) == (None, None, "not there")


def test_percentiles_are_by_nearest_rank() -> None:
    ninety_five = percentile(0.95)
    assert ninety_five([7.0]) == 7.0
    assert ninety_five([float(n) for n in range(100, 0, -1)]) == 95.0
    assert ninety_five([1.0] * 19 + [9.0]) == 1.0
    assert ninety_five([1.0] * 18 + [9.0, 9.0]) == 9.0


def test_a_report_is_json_and_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    found = (
        compared("prefill", "tokens/s", [900.0], "llama-server", [300.0], Bound("≥", 1.9, "ratio"), better="more"),
        figure("start", "s", [7.0], Bound("≤", 6, "ours")),
        missing("three choices", Bound("≤", 1.6, "ratio"), "not there"),
        figure("read bandwidth", "GB/s", [20.0, 25.0], statistic=max),
    )
    report = Report(found, {"cpu": "Z80", "cores": 1}, ({"peer": "llama-server", "version": "b1"},))
    told = json.loads(json.dumps(report.to_json()))
    assert set(told) == {"figures", "machine", "peers"}
    assert [one["met"] for one in told["figures"]] == [True, False, None, None]
    assert told["figures"][0]["samples"] == {"ours": [900.0], "llama-server": [300.0]}
    assert told["figures"][0]["ratio"] == 3.0
    figures.show(report)
    shown = capsys.readouterr().out
    for part in ("900 tokens/s", "3.00 ×", "≥ 1.9 ×", "yes", "no", "7.00 s", "not there", "25.0 GB/s", "Z80", "b1"):
        assert part in shown


def test_the_machine_is_described() -> None:
    told = machine.describe("some-model", "ab" * 32)
    assert told["cores"] >= 1
    assert told["cpu"]
    assert told["torch"]
    assert told["sha256"] == "ab" * 32
    json.dumps(told)


def test_bandwidth_has_a_sample_for_each_round() -> None:
    samples = machine.read_bandwidth(2, 3, nbytes=1 << 20)
    assert len(samples) == 3
    assert min(samples) > 0


@pytest.mark.process
def test_the_neighbour_leaves_with_the_block_and_with_us() -> None:
    with machine.busy_neighbour() as neighbour:
        assert neighbour.poll() is None
    assert neighbour.poll() is not None
    # Killed, a bench leaves nobody behind.
    code = "from aigc_lsp.measure import machine\nwith machine.busy_neighbour() as n: print(n.pid, flush=True); input()"
    bench = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert bench.stdout is not None
    pid = int(bench.stdout.readline())
    bench.kill()
    bench.communicate()
    deadline = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(pid)


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


TEXT = "import os\n\n\ndef a():\n    one = 1\n    two = os.path.join(one)\n    three = 3\n    return two\n"


def test_a_line_is_typed_in_the_middle_of_a_text() -> None:
    """With one token for each character."""
    found = texts.typing(TEXT, list, before=22, after=50, keys=6)
    assert found.prefix == "import os\n\n\ndef a():\n    "
    assert found.typed == "one = "
    assert found.suffix == "\n    two = os.path.join(one)\n    three = 3\n"
    assert found.prefixes()[0] == found.prefix
    assert found.prefixes()[-1] == found.prefix + found.typed
    assert len(found.prefixes()) == 7


def test_what_the_typed_line_had_beyond_the_keys_is_not_there() -> None:
    found = texts.typing(TEXT, list, before=12, after=20, keys=9)
    assert found.typed == "two = os."
    assert found.prefix.endswith("one = 1\n    ")
    assert found.suffix == "\n    three = 3\n"


@pytest.mark.parametrize("name", [*texts.TYPED_IN, *texts.ORDINARY, texts.LONG])
def test_python_brings_the_texts(name: str) -> None:
    source = texts.library(name)
    found = texts.typing(source, lambda text: list(range(max(1, len(text) // 4))), 745, 255, 20)
    assert len(found.typed) == 20
    assert "\n" not in found.typed
    assert found.prefix + found.typed in source
    assert found.suffix[1:] in source
    assert len(found.suffix) > 200
