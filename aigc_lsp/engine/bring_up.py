"""From a packed folder to an engine that is ready to answer: weights, vocabulary, first pass, speed."""

from __future__ import annotations

from pathlib import Path

from aigc_lsp.engine.calibrate import Speed, calibrate
from aigc_lsp.engine.generate import Engine, Request
from aigc_lsp.engine.threads import ThreadCount
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.engine.weights import load_model


def bring_up(
    folder: Path, device: str, profile: str, kv_bytes: int, threads: ThreadCount, speeds: Path, digest: str
) -> tuple[Engine, Speed]:
    """The engine of the model in `folder`, set to this machine's speed.

    `speeds` is the file that remembers it by `digest`, the model's; a speed that was measured beside other busy
    processes is not remembered. Raises `ModelDamaged`, and `PackedElsewhere` where the folder is to be packed again.
    """
    vocabulary = Vocabulary.load(folder)
    engine = Engine(load_model(folder, device, profile), vocabulary, kv_bytes, threads)
    # Touch every weight and set up torch's kernels, so that the first request does not pay for it.
    vocabulary.consistent(b"i")
    for _ in engine.generate(Request(vocabulary.encode("import os\n"), max_tokens=2)):
        pass
    return engine, calibrate(engine, speeds, digest, is_quiet=lambda: threads.count == threads.limit)
