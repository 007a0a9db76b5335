"""Short runs of training, and what came of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from safetensors.torch import load_file

from aigc_lsp.adapt.command import Asked
from aigc_lsp.adapt.network import Network, load
from aigc_lsp.adapt.settings import Settings
from aigc_lsp.engine.adapter import read

SHORT = Settings(
    rank=8, alpha=16, learning_rate=0.003, tokens_per_step=80, tokens_per_part=40, epochs=12, evaluate_every=4,
    evaluate_rows=4, checkpoint_seconds=0.0,
)  # fmt: skip
WHOLE = {"full": True, "rank": 0, "alpha": 0.0}


def quiet(said: str) -> None:
    pass


def adapters(asked: Asked) -> dict[str, torch.Tensor]:
    (file,) = asked.folder.glob("*.safetensors")
    return load_file(file)


def trained(asked: Asked) -> Network:
    """The model that was made, its adapter in its place."""
    network = load(asked.packed, "cpu")
    file = asked.folder / "adapter_model.safetensors"
    network.take_adapters(*read(network.weights, file, asked.base.name, asked.base.sha256))
    return network


def report_of(asked: Asked) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((asked.folder / "report.json").read_text())
    return found


def stopping_behind(steps: int) -> Callable[[], AbstractContextManager[Callable[[], bool]]]:
    """In the place of `command._asked_to_stop`: the process is asked to end after so many steps."""

    @contextmanager
    def asked() -> Iterator[Callable[[], bool]]:
        asked_for = iter([False] * steps)
        yield lambda: next(asked_for, True)

    return asked
