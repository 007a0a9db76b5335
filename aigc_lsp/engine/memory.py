"""How much memory there is, and the ladder of what is given up where it is too little: first the KV store's size, then
the bfloat16 weights (prompts are then read at a fifth of the speed), then a clear refusal.

The packed weights of the default model have four bits already; there is no smaller form of them.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path

import torch

from aigc_lsp.engine.weights import PACKED_FILE, WIDE_FILE
from aigc_lsp.errors import NotEnoughMemory

SPARE_BYTES = 200 << 20
"""For the computation itself and what else the process needs while a model runs."""

LEAST_KV_BYTES = 32 << 20
"""Two windows of the default model. All that profile small keeps."""


@dataclass(frozen=True, slots=True)
class Plan:
    profile: str
    kv_bytes: int
    needed: int
    """Bytes of memory in all."""
    given_up: str = ""
    """A sentence for the user; empty where nothing was."""


def plan(folder: Path, kv_bytes: int, available: int | None, wanted: str = "fast") -> Plan:
    """The highest rung of the ladder that fits into `available` bytes; None: not known, so everything fits.

    Raises `NotEnoughMemory`.
    """
    wide, packed = (size_of(folder / name) for name in (WIDE_FILE, PACKED_FILE))
    needed: dict[str, int] = {"fast": wide + packed + SPARE_BYTES, "small": packed + SPARE_BYTES}
    if not packed:
        needed["small"] = needed["fast"]
    profiles = ("fast", "small") if wanted == "fast" else ("small",)
    for profile in profiles:
        room = kv_bytes if available is None else available - needed[profile]
        kv_wanted = kv_bytes if profile == "fast" else min(kv_bytes, LEAST_KV_BYTES)
        if room >= min(LEAST_KV_BYTES, kv_bytes):
            kept = min(kv_wanted, room)
            return Plan(profile, kept, needed[profile] + kept, _given_up(profile, wanted, kept, kv_wanted))
    least = (needed["small"] + LEAST_KV_BYTES) >> 20
    raise NotEnoughMemory(
        f"The model needs {least} MB of free memory and there are {(available or 0) >> 20}. Close other programs, or "
        "choose a smaller model (`aigc-lsp models list`)."
    )


def _given_up(profile: str, wanted: str, kv_bytes: int, kv_wanted: int) -> str:
    lost = []
    if profile != wanted:
        lost.append("prompts are read with packed weights, which is slower")
    if kv_bytes < kv_wanted:
        lost.append(f"the KV cache has {kv_bytes >> 20} MB instead of {kv_wanted >> 20}")
    return f"Memory is short: {' and '.join(lost)}." if lost else ""


def available_bytes(device: str) -> int | None:
    """What this process may still take, by the machine's and its control group's account, or a GPU's; None where nobody
    says."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    known = [value for value in (_machine(), _control_group()) if value is not None]
    return min(known, default=None)


def is_out_of_memory(error: BaseException) -> bool:
    """torch says it in several ways: on the CPU it is a RuntimeError of the allocator."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM  # of a mapping
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and ("can't allocate memory" in str(error) or "out of memory" in str(error))
    )


def size_of(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _machine(path: Path = Path("/proc/meminfo")) -> int | None:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return None


def _control_group(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Of a container's limit (cgroup v2) what is not used; pages of files count as free: the kernel takes them back."""
    try:
        limit = int((folder / "memory.max").read_text(encoding="ascii"))
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        stat = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
        return limit - used + int(stat.get("inactive_file", 0)) + int(stat.get("active_file", 0))
    except (OSError, ValueError):
        return None  # no limit ("max"), or no such file
