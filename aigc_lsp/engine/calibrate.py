"""How fast this machine runs this model: measured once in under a second, and remembered.

From it follow the crossing point between packed and bfloat16 weights, how many drafted tokens are worth a pass, and how
much of a buffer can be read and how long a suggestion can be within the latency targets (`modelserver.limits`).
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.nn import functional

from aigc_lsp.engine.decoder import LanguageModel
from aigc_lsp.engine.generate import Engine
from aigc_lsp.engine.layers import EVERYWHERE, Linear
from aigc_lsp.engine.lookup import MOST
from aigc_lsp.engine.store import Branch

PROMPT_TOKENS = 192
ROWS_TRIED = (2, 3, 4, 6, 8, 12, 16, 24, 32)
REPEATS = 3


@dataclass(frozen=True, slots=True)
class Speed:
    prefill_per_second: float
    """Tokens of prompt."""
    step_ms: tuple[float, ...]
    """Of a pass over 1, 2, … tokens behind a short prompt."""
    crossover: int
    """Rows up to which packed weights are no slower than bfloat16 ones."""

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Speed:
        """Raises KeyError, TypeError or ValueError where they are not what `asdict` gave."""
        steps = values["step_ms"]
        if not isinstance(steps, list) or len(steps) != MOST + 1:
            raise ValueError("not as many steps as are drafted")
        speed = cls(float(values["prefill_per_second"]), tuple(map(float, steps)), int(values["crossover"]))
        if min(speed.prefill_per_second, *speed.step_ms, speed.crossover) <= 0:
            raise ValueError("a speed that is not above zero")
        return speed


def calibrate(engine: Engine, cache: Path, model_digest: str, is_quiet: Callable[[], bool] = lambda: True) -> Speed:
    """The speed of `engine` on this machine, from `cache` (a JSON file) or measured, and put to use in it.

    What was measured while other processes kept the machine busy (`is_quiet` is false) is used but not remembered.
    """
    key = fingerprint(engine.model, model_digest)
    speed = _remembered(cache, key)
    if speed is None:
        speed = measure(engine)
        if is_quiet():
            _remember(cache, key, speed)
    use(engine, speed)
    return speed


def use(engine: Engine, speed: Speed) -> None:
    _use_packed(engine.model, speed.crossover)
    engine.step_costs = tuple(step / speed.step_ms[0] for step in speed.step_ms)


def _use_packed(model: LanguageModel, crossover: int) -> None:
    """Packed weights up to `crossover` rows, and for the longest draft at least: it is to be read by the same weights
    as a single token, so that drafts change nothing (invariant 6)."""
    for linear in model.linears:
        if linear.crossover != EVERYWHERE:
            linear.crossover = max(crossover, MOST + 1)


def measure(engine: Engine) -> Speed:
    """Half a second to a second for the default model on two cores."""
    both = [linear for linear in engine.model.linears if linear.packed is not None and linear.crossover != EVERYWHERE]
    crossover = measure_crossover(max(both, key=lambda linear: linear.wide[0].numel())) if both else 1
    _use_packed(engine.model, crossover)
    tokens = [token % engine.model.vocabulary for token in range(100, 100 + PROMPT_TOKENS)]
    branch = Branch(engine.model.layers)
    # The first pass of each kind touches the weights.
    engine.forward(branch, tokens[: max(crossover, MOST + 1) + 1], rows=1)
    engine.forward(branch, tokens[:1], rows=1)
    branch.crop(0)
    prefill = _seconds(lambda: engine.forward(branch, tokens, rows=0), 2, lambda: branch.crop(0))
    engine.forward(branch, tokens, rows=0)
    steps = []
    for count in range(1, MOST + 2):
        steps.append(
            _seconds(
                lambda count=count: engine.forward(branch, tokens[:count], rows=count),  # type: ignore[misc]
                REPEATS,
                lambda: branch.crop(PROMPT_TOKENS),
            )
            * 1e3
        )
    return Speed(round(PROMPT_TOKENS / prefill, 1), tuple(round(step, 2) for step in steps), crossover)


def measure_crossover(linear: Linear) -> int:
    """The greatest number of rows, of those tried, up to which packed weights are no slower; 1 at least."""
    assert linear.packed is not None
    best = 1
    for rows in ROWS_TRIED:
        x = torch.zeros(rows, linear.wide[0].shape[1], dtype=linear.wide[0].dtype)
        packed = _seconds(lambda x=x: linear.packed(x), 5)  # type: ignore[misc]
        wide = _seconds(lambda x=x: [functional.linear(x, part) for part in linear.wide], 5)  # type: ignore[misc]
        if packed > wide:
            break
        best = rows
    return best


def fingerprint(model: LanguageModel, model_digest: str) -> str:
    """Changes with whatever the speed depends on: processor, cores, torch, model and how it is loaded."""
    profile = "small" if any(linear.crossover == EVERYWHERE for linear in model.linears) else "fast"
    device = (
        torch.cuda.get_device_name()
        if model.device.type == "cuda"
        else f"{cpu_model()} {torch.backends.cpu.get_cpu_capability()}"
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    facts = (device, cores, torch.get_num_threads(), torch.__version__, model_digest, profile, MOST)
    return sha256(repr(facts).encode()).hexdigest()[:24]


def cpu_model() -> str:
    """As the kernel names it; the architecture where it does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _seconds(run: Callable[[], object], repeats: int, before: Callable[[], object] = lambda: None) -> float:
    took = []
    for _ in range(repeats):
        before()
        _finished()
        began = time.perf_counter()
        run()
        _finished()
        took.append(time.perf_counter() - began)
    return median(took)


def _finished() -> None:
    """A GPU is only asked to compute; wait until it has."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def _remembered(cache: Path, key: str) -> Speed | None:
    try:
        return Speed.from_json(json.loads(cache.read_text(encoding="utf-8"))[key])
    except (OSError, ValueError, LookupError, TypeError):
        return None  # nothing there, or not ours: it is measured anew and written over


def _remember(cache: Path, key: str, speed: Speed) -> None:
    try:
        known = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    known = known if isinstance(known, dict) else {}
    fresh = cache.with_name(f"{cache.name}.{os.getpid()}.new")
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps({**known, key: asdict(speed)}, indent=1), encoding="utf-8")
        os.replace(fresh, cache)
    except OSError:  # a cache that cannot be written costs a second at the next start
        with contextlib.suppress(OSError):
            fresh.unlink()
