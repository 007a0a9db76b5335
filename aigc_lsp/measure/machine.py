"""The machine that a bench runs on: what it is, how fast it reads memory, and a neighbour that keeps a core busy."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib import metadata
from typing import Any

from aigc_lsp import __version__

BUFFER_BYTES = 2 << 30
"""Far above any last-level cache, also one that other guests of the machine share."""


def describe(model: str, sha256: str) -> dict[str, Any]:
    """What a figure of this machine cannot be read without."""
    from aigc_lsp.engine.calibrate import cpu_model

    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
        "aigc-lsp": __version__,
        "model": model,
        "sha256": sha256,
    }


def read_bandwidth(threads: int, rounds: int, nbytes: int = BUFFER_BYTES) -> list[float]:
    """GB/s at which `threads` threads together read `nbytes` of memory once; a sample for each round.

    Each thread reads a part of its own, with numpy's vectorised maximum, which does nothing but load and compare.
    """
    import numpy as np

    count = nbytes // 8 // threads * threads
    parts = np.split(np.ones(count, dtype=np.int64), threads)
    gate = threading.Barrier(threads + 1)

    def read(part: Any) -> None:
        for _ in range(rounds):
            gate.wait()
            part.max()
            gate.wait()

    readers = [threading.Thread(target=read, args=(part,), daemon=True) for part in parts]
    for reader in readers:
        reader.start()
    samples = []
    for _ in range(rounds):
        gate.wait()
        began = time.perf_counter()
        gate.wait()
        samples.append(count * 8 / (time.perf_counter() - began) / 1e9)
    for reader in readers:
        reader.join()
    return samples


_NEIGHBOUR = """
import os
parent = os.getppid()
while os.getppid() == parent:  # not for longer than us, however we end
    for _ in range(1_000_000):
        pass
"""


@contextlib.contextmanager
def busy_neighbour() -> Iterator[subprocess.Popen[bytes]]:
    """A process that keeps one core busy for as long as the block lasts."""
    process = subprocess.Popen([sys.executable, "-c", _NEIGHBOUR])
    try:
        time.sleep(0.3)
        yield process
    finally:
        process.kill()
        process.wait()
