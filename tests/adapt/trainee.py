"""A process that trains the tiny model: `python trainee.py PACKED DATA OUT RUN`."""

from __future__ import annotations

import sys
from pathlib import Path

from aigc_lsp import catalogue
from aigc_lsp.adapt.command import Asked, finetune
from aigc_lsp.adapt.settings import Settings

SETTINGS = Settings(
    rank=4, alpha=8, learning_rate=0.003, tokens_per_step=80, tokens_per_part=40, epochs=8, evaluate_every=4,
    evaluate_rows=4, checkpoint_seconds=0.0, workers=2,
)  # fmt: skip


def say(said: str) -> None:
    print(said, flush=True)


if __name__ == "__main__":
    packed, data, out, run = map(Path, sys.argv[1:])
    finetune(Asked(catalogue.load("qwen2.5-coder-0.5b"), packed, data, out, run, SETTINGS), say)
