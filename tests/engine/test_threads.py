"""The number of threads follows the machine's load."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from aigc_lsp.engine import threads
from aigc_lsp.engine.threads import ThreadCount, machine_busy_seconds


@pytest.fixture(autouse=True)
def _restore_threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


class Machine:
    """Four cores, a clock that moves by hand, and other processes that keep `others` cores busy."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, limit: int = 4) -> None:
        self.now, self.busy, self.others = 100.0, 1000.0, 0.0
        monkeypatch.setattr(threads.os, "cpu_count", lambda: 4)
        monkeypatch.setattr(threads.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(threads.time, "process_time", lambda: 0.0)
        self.threads = ThreadCount(limit, lambda: self.busy)

    def step(self, seconds: float = 0.2) -> int:
        self.now += seconds
        self.busy += self.others * seconds
        self.threads.adapt()
        assert torch.get_num_threads() == self.threads.count
        return self.threads.count


def test_fewer_at_once_more_only_after_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    assert machine.step() == 4
    machine.others = 2.0
    assert machine.step() == 2
    machine.others = 0.0
    assert [machine.step() for _ in range(2)] == [2, 4]
    machine.others = 2.0
    assert machine.step() == 2
    machine.others = 0.0
    assert machine.step(threads.QUIET_SECONDS + 0.01) == 4  # a look over so long a time says it at once


def test_a_short_quiet_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    for others in (3.0, 0.0, 3.0, 0.0):
        machine.others = others
        assert machine.step() == 1 or others == 3.0


def test_a_burst_of_another_takes_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor that opens a file is busy for a moment just when the file is read for the first time."""
    machine = Machine(monkeypatch, limit=2)
    machine.others = 2.7
    assert machine.step() == 2
    machine.others = 0.0
    assert machine.step() == 2
    machine.others = 2.7
    assert [machine.step(), machine.step()] == [2, 1]


def test_idle_cores_beyond_the_limit_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, limit=2)
    machine.others = 2.0
    assert machine.step() == 2
    machine.others = 3.0
    assert machine.step() == 1
    machine.others = 9.0
    assert machine.step() == 1


def test_looks_only_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    machine.others = 4.0
    assert machine.step(threads.INTERVAL_SECONDS / 2) == 4


def test_without_a_kernel_that_tells_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    count = ThreadCount(3, lambda: None)
    count.adapt()
    assert (count.count, torch.get_num_threads()) == (3, 3)


@pytest.mark.skipif(not os.path.exists("/proc/stat"), reason="only Linux says how busy it is in /proc/stat")
def test_the_kernel_counts_our_own_work() -> None:
    before = machine_busy_seconds()
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass
    after = machine_busy_seconds()
    assert before is not None
    assert after is not None
    assert after - before >= 0.2


@pytest.mark.parametrize(
    ("content", "cores"),
    [("max 100000", None), ("150000 100000", 1.5), ("50000 100000", 0.5), ("", None), ("1 0", None)],
)
def test_a_containers_quota(tmp_path: Path, content: str, cores: float | None) -> None:
    (tmp_path / "cpu.max").write_text(f"{content}\n")
    assert threads.container_quota(tmp_path / "cpu.max") == cores
    assert threads.container_quota(tmp_path / "none") is None


@pytest.mark.parametrize(("quota", "limit"), [(None, 4), (2.5, 2), (0.5, 1), (64.0, 4)])
def test_no_more_threads_than_the_quota_pays_for(
    monkeypatch: pytest.MonkeyPatch, quota: float | None, limit: int
) -> None:
    monkeypatch.setattr(threads, "container_quota", lambda: quota)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    assert ThreadCount.free_cores().limit == limit


def test_it_holds_for_each_thread_that_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one has seen (reading ahead) counts for the other, whose own number torch keeps apart."""
    machine = Machine(monkeypatch)
    machine.others = 3.0
    with ThreadPoolExecutor(1) as other:
        assert other.submit(machine.step).result() == 1
    assert torch.get_num_threads() == 4
    machine.threads.adapt()
    assert torch.get_num_threads() == 1
