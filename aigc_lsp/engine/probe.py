"""What this machine has for a model, to be asked in a process of its own: torch takes a second to load, and where it is
broken it may take the process with it.

    python -m aigc_lsp.engine.probe DEVICE PROFILE KV_BYTES MEMORY_BYTES [FOLDER]

The first four are as in `EngineConfig`, FOLDER is a packed model. Prints one JSON object: a `Machine`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from aigc_lsp.errors import NotEnoughMemory


@dataclass(frozen=True, slots=True)
class Machine:
    """Bytes of memory; None is what nobody says."""

    torch: str
    device: str
    has_cuda: bool
    cores: int
    threads: int
    quota: float | None
    """Cores that a container's limit pays for."""
    available: int | None
    needed: int = 0
    """By the model, with what has to be given up; 0 without one."""
    given_up: str = ""
    """A sentence: what the model has to do without."""
    refused: str = ""
    """A sentence: why it cannot be loaded at all."""


def probe(device: str, profile: str, kv_bytes: int, memory_bytes: int, folder: Path | None) -> Machine:
    import torch

    from aigc_lsp.engine import memory
    from aigc_lsp.engine.threads import ThreadCount, container_quota
    from aigc_lsp.engine.weights import pick_device

    has_cuda = torch.cuda.is_available()
    chosen = pick_device(device)
    limits = [memory.available_bytes(chosen) if chosen != "cuda" or has_cuda else None, memory_bytes or None]
    available = min((limit for limit in limits if limit is not None), default=None)
    needed, given_up, refused = 0, "", ""
    if folder is not None:
        try:
            plan = memory.plan(folder, kv_bytes, available, profile)
            needed, given_up = plan.needed, plan.given_up
        except NotEnoughMemory as error:
            refused = str(error)
    return Machine(
        torch=torch.__version__,
        device=chosen,
        has_cuda=has_cuda,
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        threads=ThreadCount.free_cores().limit,
        quota=container_quota(),
        available=available,
        needed=needed,
        given_up=given_up,
        refused=refused,
    )


if __name__ == "__main__":
    device, profile, *sizes = sys.argv[1:5]
    kv_bytes, memory_bytes = map(int, sizes)
    folder = Path(sys.argv[5]) if len(sys.argv) > 5 else None
    print(json.dumps(asdict(probe(device, profile, kv_bytes, memory_bytes, folder))))
