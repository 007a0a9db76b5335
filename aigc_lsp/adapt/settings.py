"""What a run of training is told. With the data and the base model it decides the result."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from math import cos, pi
from typing import Any

FREE = ("checkpoint_seconds", "patience")
"""May be another when a run goes on. All others would make it a run of two halves."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Defaults as LoRA is used for models of this size (Hu et al. 2021; Biderman et al. 2024: all linear layers, a rate
    ten times that of full training)."""

    rank: int = 16
    alpha: float = 32.0
    """The adapter's product is scaled by alpha / rank."""
    full: bool = False
    """Train all of each linear layer's matrix instead of an adapter beside it: `FULL`."""
    learning_rate: float = 2e-4
    warmup: float = 0.03
    """Share of the steps in which the rate rises."""
    final_rate: float = 0.1
    """Share of the rate that the cosine ends at."""
    weight_decay: float = 0.0
    clip: float = 1.0
    """The gradient's greatest norm."""
    tokens_per_step: int = 4096
    tokens_per_part: int = 1024
    """Read in one pass of one worker, who keeps a megabyte of each for the way back. With fewer the head, which reads
    all of its weights for a few rows, costs a seventh of the time."""
    longest: int = 1024
    """Examples of more tokens are left out."""
    max_tokens: int = 0
    """Stop behind so many, counted with repetition; 0: as `epochs` says."""
    epochs: int = 1
    seed: int = 1
    evaluate_every: int = 100
    """Steps."""
    evaluate_rows: int = 200
    patience: int = 0
    """End when so many evaluations in a row were no better than the best; 0: never."""
    checkpoint_seconds: float = 120.0
    teacher_share: float = 0.5
    """Of the loss, where there is a teacher."""
    temperature: float = 2.0
    device: str = "cpu"
    workers: int = 1
    """Parts that are computed at once, each on a core of its own."""
    saves_memory: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def differing(self, other: dict[str, Any]) -> dict[str, Any]:
        """The settings that are not those of `other` and must be, as they are there. One that `other` does not know yet
        was at its default."""
        there = {each.name: other.get(each.name, each.default) for each in fields(self) if each.name not in FREE}
        return {name: value for name, value in there.items() if getattr(self, name) != value}


FULL = Settings(full=True, rank=0, alpha=0.0, learning_rate=2e-5, checkpoint_seconds=900.0)
"""Defaults of full training: the rate of Stanford Alpaca (Taori et al. 2023; with the same warm-up, cosine and decay as
here), a tenth of the adapters'.

For each number of the matrices it takes 24 bytes of memory, and 2 more a worker. In bfloat16: the frozen weight, its
sum with the difference, each worker's gradient; in float32: difference, best difference, AdamW's two means, summed
gradient. With 358 million (of a model's 494) and two workers these are 10.0 GB, with activations and all else some 15.
A checkpoint has 16 of those bytes, 5.7 GB, twice while it is written: therefore it is written less often."""


def rate_at(step: int, steps: int, settings: Settings) -> float:
    """The learning rate of `step` (from 0) of `steps`: a linear rise, then half a cosine (Loshchilov & Hutter 2017)."""
    rise = max(1, round(settings.warmup * steps))
    if step < rise:
        return settings.learning_rate * (step + 1) / rise
    along = (step - rise) / max(1, steps - rise)
    low = settings.final_rate
    return settings.learning_rate * (low + (1 - low) * (1 + cos(pi * min(1.0, along))) / 2)
