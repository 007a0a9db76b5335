"""How well a model does on held-out examples, told by one pass over each.

Greedy decoding says the true answer exactly where, read behind the true tokens, each next one is the likeliest. So no
decoding is needed: an exact match is a row whose every likeliest token is the true one, the end of the text included.
(An answer that spells the same in other tokens counts as wrong here.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch.nn import functional

from aigc_lsp.adapt.examples import Tokens, batch, parts_of
from aigc_lsp.adapt.kernels import SLICE, constrained
from aigc_lsp.adapt.network import Network
from aigc_lsp.engine.vocabulary import Vocabulary

Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""`map`, or one that does several at once."""


def evaluate(
    network: Network, texts: Sequence[Tokens], vocabulary: Vocabulary, per_part: int, spread: Spread = map
) -> dict[str, Any]:
    """`loss` a token, and shares of the rows: `exact`, and `ends`, those that end where the true answer does, given the
    true answer; `kinds` and `languages`: the share of exact ones of each."""

    def judged(part: list[Tokens]) -> tuple[float, list[tuple[Tokens, bool, bool]]]:
        with torch.inference_mode():
            return _judged(network, part, vocabulary)

    found = list(spread(judged, parts_of(texts, per_part)))
    rows = [row for _, part in found for row in part]
    learnt = sum(len(text.ids) - text.first for text in texts)
    by: dict[str, dict[str, list[bool]]] = {"kinds": defaultdict(list), "languages": defaultdict(list)}
    for text, exact, _ in rows:
        by["kinds"][text.kind].append(exact)
        by["languages"][text.language].append(exact)
    ending = [ends for text, _, ends in rows if text.ends]
    return {
        "rows": len(rows),
        "loss": sum(loss for loss, _ in found) / max(1, learnt),
        "exact": _share(exact for _, exact, _ in rows),
        "ends": _share(ending),
        **{name: {key: _share(each) for key, each in sorted(groups.items())} for name, groups in by.items()},
    }


def _judged(
    network: Network, part: Sequence[Tokens], vocabulary: Vocabulary
) -> tuple[float, list[tuple[Tokens, bool, bool]]]:
    """The sum of the losses; for each text whether all of it would be said, and whether it would end there."""
    packed = batch(part, vocabulary, network.device)
    loss, right = 0.0, []
    rows = network.rows(packed)
    for start in range(0, len(rows), SLICE):
        logits = constrained(
            functional.linear(rows[start : start + SLICE], network.head).float(), start, packed.allowed
        )
        targets = packed.targets[start : start + SLICE]
        loss += float(functional.cross_entropy(logits, targets, reduction="sum"))
        right += (logits.argmax(-1) == targets).tolist()
    judged, at = [], 0
    for text in part:
        count = len(text.ids) - text.first
        judged.append((text, all(right[at : at + count]), right[at + count - 1]))
        at += count
    return loss, judged


def _share(values: Iterable[bool]) -> float:
    seen = list(values)
    return sum(seen) / len(seen) if seen else 0.0
