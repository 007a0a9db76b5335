"""A run's state on the disk: one file that is whole or not there, whatever the moment at which the process dies."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from aigc_lsp.errors import UsageError

FORMAT = 1
FILE = "checkpoint.pt"


@dataclass(slots=True)
class State:
    """Where a run is. The data's order follows from the seed and `step`, and nothing else is drawn: this, the
    parameters and the optimizer are all that the next step depends on."""

    step: int = 0
    tokens: int = 0
    learnt: int = 0
    """Tokens that a loss was taken of."""
    seconds: float = 0.0
    """Spent in training steps, over all processes."""
    best_loss: float | None = None
    best_step: int = 0
    worse: int = 0
    """Evaluations since the best one."""
    losses: list[list[float]] = field(default_factory=list)
    """[step, mean loss] of each step."""
    held: list[dict[str, Any]] = field(default_factory=list)


def save(folder: Path, state: State, run: dict[str, Any], tensors: dict[str, Any]) -> None:
    """`run`: what the run is of; `tensors`: nested dicts and lists of tensors and numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{FILE}.new"
    with fresh.open("wb") as stream:
        torch.save({"format": FORMAT, "run": run, "state": asdict(state), "tensors": tensors}, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(fresh, folder / FILE)


def load(folder: Path) -> tuple[State, dict[str, Any], dict[str, Any]] | None:
    """None where there is none yet. Raises `UsageError` for one that is of no use."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']} instead of {FORMAT}")
        return State(**content["state"]), content["run"], content["tensors"]
    except Exception as error:
        raise UsageError(f"{path} cannot be gone on from ({error}). Remove {folder} to begin anew.") from error
