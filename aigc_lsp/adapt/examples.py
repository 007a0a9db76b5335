"""Examples to tokens, as a completion's prompt is made, and tokens to batches.

What a model is asked is `prompt.infill.render`'s prompt with its last word taken back. The answer is the rest of prefix
and middle tokenised as one text, and the end of the text. While it spells what was taken back, the engine lets the
model choose among the tokens that agree with that and no others (healing). The loss is the same: there each token
competes with those alone, so nothing is learnt of what was typed, but all of how it goes on: that the word ends there,
or that no blank line follows.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from aigc_lsp.adapt.network import Batch
from aigc_lsp.catalogue import Model
from aigc_lsp.dataset.example import Example
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.errors import UsageError
from aigc_lsp.prompt.infill import Hole, render

BUDGET = 1 << 20
"""Tokens: an example's window was cut when it was made, so nothing is cut here."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """An example: `ids[first:]` are what is learnt, each from all before it."""

    ids: tuple[int, ...]
    first: int
    heal: bytes = b""
    """What the first of those spell before the cursor."""
    ends: bool = True
    """The last token ends the text."""
    kind: str = ""
    language: str = ""


def end_of_text(model: Model) -> str:
    """The token behind a whole text: of the ends that a descriptor names the first is a chat turn's."""
    return model.eos[-1]


def tokens_of(example: Example, model: Model, vocabulary: Vocabulary) -> Tokens:
    """`example` as the engine would read and say it, in the model's own order where it has none of that name. Raises
    `UsageError` where there is nothing to learn."""
    order = example.order if example.order in model.fim.templates else model.fim.order
    if not example.middle and not example.ends:
        raise UsageError(f"The example {example.id} has nothing to learn: no middle, and no end.")
    prompt = render(
        Hole(example.prefix, example.suffix, example.snippets, example.path, example.head),
        model.fim,
        model.files,
        vocabulary,
        prefix_budget=BUDGET,
        suffix_budget=BUDGET,
        extra_budget=BUDGET,
        order=order,
    )
    ids = [*prompt.tokens, *_said(example, prompt.heal, vocabulary)]
    if example.ends:
        ids.append(vocabulary.control(end_of_text(model)))
    return Tokens(tuple(ids), len(prompt.tokens), prompt.heal, example.ends, example.kind, example.language)


def _said(example: Example, heal: bytes, vocabulary: Vocabulary) -> list[int]:
    """What follows the prompt, `heal` first, without the end of the text."""
    whole = vocabulary.encode(example.prefix + example.middle)
    start = len(example.prefix.encode("utf-8", "surrogatepass")) - len(heal)
    at, position = 0, 0
    while position < start:
        position += len(vocabulary.bytes_of(whole[at]))
        at += 1
    if position == start:
        return whole[at:]
    # A token of the whole text reaches across: the text is read anew from where the prompt ends.
    return vocabulary.encode(heal.decode("utf-8", "replace") + example.middle)


def rendered(
    examples: Iterable[Example], model: Model, vocabulary: Vocabulary, longest: int
) -> tuple[list[Tokens], int]:
    """Those of at most `longest` tokens, in their order, and how many were longer."""
    found, skipped = [], 0
    for example in examples:
        tokens = tokens_of(example, model, vocabulary)
        if len(tokens.ids) <= longest:
            found.append(tokens)
        else:
            skipped += 1
    return found, skipped


def steps_of(lengths: Sequence[int], per_step: int, seed: int, epoch: int) -> list[list[int]]:
    """The epoch's steps, each the numbers of texts that add up to about `per_step` tokens, in an order that follows
    from `seed` and `epoch` alone: a run that goes on finds its place by the step's number."""
    order = list(range(len(lengths)))
    random.Random(f"{seed} {epoch}").shuffle(order)
    steps: list[list[int]] = [[]]
    filled = 0
    for number in order:
        if filled and filled + lengths[number] // 2 > per_step:
            steps.append([])
            filled = 0
        steps[-1].append(number)
        filled += lengths[number]
    return steps


def parts_of(texts: Sequence[Tokens], per_part: int, multiple: int = 1) -> list[list[Tokens]]:
    """`texts` in parts of about `per_part` tokens that are of one size, so that none waits for another; their number is
    a multiple of `multiple` where there are texts enough."""
    total = sum(len(text.ids) for text in texts)
    count = -(-max(1, round(total / per_part)) // multiple) * multiple
    parts: list[list[Tokens]] = [[] for _ in range(min(count, len(texts)))]
    sizes = [0] * len(parts)
    for text in sorted(texts, key=lambda text: -len(text.ids)):  # the longest first, each to the smallest part
        smallest = min(range(len(parts)), key=sizes.__getitem__)
        parts[smallest].append(text)
        sizes[smallest] += len(text.ids)
    return parts


def batch(texts: Sequence[Tokens], vocabulary: Vocabulary, device: torch.device | str = "cpu") -> Batch:
    """`texts` one behind the other. The last token of each is learnt but not read."""
    tokens: list[int] = []
    wanted: list[int] = []
    targets: list[int] = []
    allowed: dict[int, torch.Tensor] = {}
    for text in texts:
        left = text.heal
        for at, id in enumerate(text.ids[text.first :], len(targets)):
            if not left:
                break
            allowed[at] = vocabulary.consistent(left).to(device)
            left = left[len(vocabulary.bytes_of(id)) :]
        wanted += range(len(tokens) + text.first - 1, len(tokens) + len(text.ids) - 1)
        targets += text.ids[text.first :]
        tokens += text.ids[:-1]
    lengths = tuple(len(text.ids) - 1 for text in texts)
    read, rows, learnt = (
        torch.tensor(numbers, dtype=torch.int64, device=device) for numbers in (tokens, wanted, targets)
    )
    return Batch(read, lengths, rows, learnt, allowed)
