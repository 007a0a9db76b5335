"""How fast the engine is on this machine: `aigc-lsp bench engine`.

Each row is measured in turn with the others, several times, and the median is shown: machines are shared, so only rows
of one run may be compared. Rows: int8 beside bfloat16 weights or bfloat16 alone; threads that follow the load or a
fixed number; on the machine as it is, and with one more process that keeps a core busy.
"""

from __future__ import annotations

import contextlib
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from aigc_lsp import catalogue
from aigc_lsp.weights.store import Store

PROMPT_TOKENS = 400
DECODED_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Row:
    """Medians. `prefill`: tokens of prompt a second; `decode`: milliseconds for each token behind the prompt."""

    weights: str
    threads: str
    machine: str
    prefill_tokens_per_second: float
    decode_ms_per_token: float


def run(model_name: str, repeats: int) -> list[Row]:
    """The table. Raises `ModelMissing` where the model is not on this machine."""
    from aigc_lsp.engine.generate import Engine
    from aigc_lsp.engine.layers import Int8Linear
    from aigc_lsp.engine.threads import ThreadCount
    from aigc_lsp.engine.vocabulary import Vocabulary
    from aigc_lsp.engine.weights import load_model

    folder = Store().check_packed(catalogue.load(model_name))
    model, vocabulary = load_model(folder, "cpu"), Vocabulary.load(folder)
    layers = [layer for layer in model.modules() if isinstance(layer, Int8Linear)]
    crossovers = [layer.crossover for layer in layers]
    tokens = vocabulary.encode(Path(__file__).read_text(encoding="utf-8"))[:PROMPT_TOKENS]
    following = ThreadCount.free_cores()
    found: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for _, busy, weights, threads in itertools.product(
        range(repeats), ("as it is", "one core busy"), ("int8", "bfloat16"), ("following", "fixed")
    ):
        for layer, crossover in zip(layers, crossovers, strict=True):
            layer.crossover = crossover if weights == "int8" else 0
        following.reset()
        engine = Engine(model, vocabulary, threads=following if threads == "following" else None)
        with _neighbour() if busy == "one core busy" else contextlib.nullcontext():
            found.setdefault((weights, threads, busy), []).append(_once(engine, tokens))
    return [
        Row(*key, round(statistics.median(a for a, _ in values)), round(statistics.median(b for _, b in values), 1))
        for key, values in found.items()
    ]


def _once(engine, tokens: list[int]) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    from aigc_lsp.engine.generate import Request

    for _ in engine.generate(Request(tokens[:32], max_tokens=4)):  # what a model server has behind it
        pass
    engine.store.branches.clear()
    *_, outcome = engine.generate(Request(tokens, max_tokens=DECODED_TOKENS))
    timings = outcome.timings
    # The first token comes with the prefill; each further one is one pass.
    return (
        timings.prompt_tokens / timings.prefill_ms * 1e3,
        timings.decode_ms / max(1, timings.generated_tokens - 1),
    )


@contextlib.contextmanager
def _neighbour() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.3)
        yield
    finally:
        process.kill()
        process.wait()


def show(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for heading in ("weights", "threads", "machine", "prefill tokens/s", "decode ms/token"):
        table.add_column(heading)
    for row in rows:
        table.add_row(*(str(value) for value in asdict(row).values()))
    Console().print(table)
