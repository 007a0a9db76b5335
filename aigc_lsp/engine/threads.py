"""As many threads as there are cores that nobody else is using.

torch's threads meet at a barrier after every layer. When one of them has to share its core, all wait for it, spinning:
on two cores beside one busy process a token took 1,073 ms with a fixed two threads, 151 ms with a number that follows
the load, and 97 ms with two on the idle machine (bfloat16, `aigc-lsp bench engine`; see ARCHITECTURE.md). So the number
follows the machine's load.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import torch

INTERVAL_SECONDS = 0.1
"""Between two looks at the load: the kernel counts in hundredths of a second."""

QUIET_SECONDS = 0.3
"""For so long a core must have been free before it is used again."""

TAKEN = 0.9
"""Of a core: who takes so much of one is taken to go on. What takes less (an editor that has just opened a file, while
we read it) is looked at once more: with one thread less a prompt takes twice as long."""


class ThreadCount:
    """Sets torch's number of threads between 1 and `limit`; `adapt` is called before each forward pass."""

    def __init__(self, limit: int, busy_seconds: Callable[[], float | None] | None = None) -> None:
        self.limit = max(1, limit)
        self._cores = os.cpu_count() or self.limit
        self._busy_seconds = busy_seconds or machine_busy_seconds
        self.reset()

    @classmethod
    def free_cores(cls) -> ThreadCount:
        """Up to as many as torch would use (the physical cores that this process may run on, or OMP_NUM_THREADS), and
        no more than a container's quota pays for."""
        quota = container_quota()
        threads = torch.get_num_threads()
        return cls(threads if quota is None else min(threads, max(1, int(quota))))

    def reset(self) -> None:
        """Forget what was seen and begin again with `limit` threads."""
        self.count, self._quiet, self._last = self.limit, 0.0, self._look()
        self._doubted = False
        torch.set_num_threads(self.limit)

    def adapt(self) -> None:
        if torch.get_num_threads() != self.count:  # it holds for the thread that sets it, and two compute in turn
            torch.set_num_threads(self.count)
        if self._last is None or time.monotonic() - self._last[0] < INTERVAL_SECONDS:
            return
        now = self._look()
        if now is None:
            return
        wall, busy, own = (new - old for new, old in zip(now, self._last, strict=True))
        self._last = now
        self._use((busy - own) / wall, wall)

    def wanted(self, others: float) -> int:
        """Threads to run while other processes keep `others` cores busy."""
        return min(self.limit, max(1, round(self._cores - others)))

    def _use(self, others: float, seconds: float) -> None:
        """Fewer as soon as it is sure, since a shared core stalls everything; more only when it stayed quiet."""
        wanted = self.wanted(others)
        self._quiet = self._quiet + seconds if wanted > self.count else 0.0
        is_sure = self._doubted or others % 1 >= TAKEN or others % 1 < 1 - TAKEN
        self._doubted = wanted < self.count and not is_sure
        if (wanted < self.count and is_sure) or self._quiet >= QUIET_SECONDS:
            self.count, self._quiet = wanted, 0.0
            torch.set_num_threads(wanted)

    def _look(self) -> tuple[float, float, float] | None:
        """Seconds: the clock, what all processes have computed on all cores, what this one has."""
        busy = self._busy_seconds()
        return None if busy is None else (time.monotonic(), busy, time.process_time())


def container_quota(file: Path = Path("/sys/fs/cgroup/cpu.max")) -> float | None:
    """Cores that the control group (version 2) may use on average; None without a limit. A thread beyond it would be
    put to sleep in the middle of a layer, and the others with it."""
    try:
        quota, period = file.read_text(encoding="ascii").split()
        return int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None  # "max", or no such file


def machine_busy_seconds() -> float | None:
    """CPU seconds spent by all processes since the machine started; None where the kernel does not say (not Linux)."""
    try:
        with open("/proc/stat", encoding="ascii") as stat:
            fields = stat.readline().split()
        user, nice, system, _idle, _iowait, interrupts, soft = map(int, fields[1:8])
        return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return None
