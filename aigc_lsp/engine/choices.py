"""Several alternatives in one decode over the shared prompt.

They are the branches of a tree: each step reads one token of every alternative in one pass, at the same position, and
a mask lets each see the prompt and its own tokens only (as in SpecInfer's token tree, Miao et al. 2023). So the
prompt's keys and values are neither copied nor read twice. The alternatives differ in their first token and are greedy
from there on, unless the request samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from aigc_lsp.engine.sampling import choose
from aigc_lsp.engine.stream import TextStream

if TYPE_CHECKING:
    from aigc_lsp.engine.generate import Choice, Engine, Outcome, Piece, Request, Run, Scored, StopReason


def generate(engine: Engine, request: Request, cancelled: Callable[[], bool]) -> Iterator[Piece | Outcome]:
    """The text of the likeliest alternative as one piece, then the outcome with all of them."""
    from aigc_lsp.engine.generate import Piece, Run

    run = Run(engine, request)
    if not run.prefill(cancelled):
        yield run.outcome("cancelled")
        return
    run.drop_draft()
    held = len(run.branch.tokens)
    try:
        finished = _tree(engine, request, run, cancelled)
    finally:
        run.branch.crop(held)
    if finished is None:
        yield run.outcome("cancelled")
        return
    run.generated = sum(len(alternative.tokens) for alternative in finished)
    found = _ranked(finished)
    best = next(alternative for alternative in finished if tuple(alternative.tokens) == found[0].tokens)
    outcome = replace(run.outcome(found[0].stop_reason), choices=found, stopping_word=best.stream.stopping_word)
    if best.text:
        yield Piece(best.text, tuple(best.tokens), tuple(best.logprobs), outcome.timings, tuple(best.scored))
    yield outcome


class _Alternative:
    """One of them: what it has said, and the columns of the cache that hold it."""

    def __init__(self, request: Request) -> None:
        self.heal = request.heal
        self.stream = TextStream(request.stop)
        self.text = ""
        self.tokens: list[int] = []
        self.logprobs: list[float] = []
        self.scored: list[Scored] = []
        self.produced = 0
        self.columns: list[int] = []
        self.stop_reason: StopReason | None = None

    def accept(self, engine: Engine, request: Request, token: int, logprob: float, logits: torch.Tensor) -> None:
        """Take one token, chosen from `logits` [vocabulary]; `stop_reason` says whether it was the last."""
        if token in request.stop_tokens:
            self.end("eos")
            return
        self.tokens.append(token)
        self.logprobs.append(logprob)
        data = engine.vocabulary.bytes_of(token)
        if self.heal:
            data, self.heal = data[len(self.heal) :], self.heal[len(data) :]
            if not data:
                return
        if request.n_probs:
            self.scored.append(engine.score(token, data, logprob, logits, request.n_probs))
        self.produced += 1
        self.text += self.stream.feed(data)
        if self.stream.stopping_word:
            self.stop_reason = "word"
        elif self.produced >= request.max_tokens:
            self.end("limit")

    def end(self, reason: StopReason) -> None:
        self.text += self.stream.flush()
        self.stop_reason = reason

    def choice(self) -> Choice:
        from aigc_lsp.engine.generate import Choice

        mean = sum(self.logprobs) / len(self.logprobs) if self.logprobs else 0.0
        assert self.stop_reason is not None
        return Choice(self.text, tuple(self.tokens), mean, self.stop_reason, tuple(self.scored))


def _tree(engine: Engine, request: Request, run: Run, cancelled: Callable[[], bool]) -> list[_Alternative] | None:
    """All alternatives, finished; None when cancelled."""
    sampler = request.sampling.generator()
    held = len(run.branch.tokens)
    alternatives = [_Alternative(request) for _ in range(request.choices)]
    alternatives = _begin(engine, request, run.logits[0], alternatives)
    step = 0
    while growing := [alternative for alternative in alternatives if alternative.stop_reason is None]:
        if cancelled():
            return None
        if run.late():
            for alternative in growing:
                alternative.end("deadline")
            break
        logits = _read(engine, run, growing, held, step)
        for row, alternative in zip(logits, growing, strict=True):
            allowed = engine.vocabulary.consistent(alternative.heal) if alternative.heal else None
            token, logprob = choose(row, request.sampling, sampler, allowed)
            alternative.accept(engine, request, token, logprob, row)
        step += 1
    return alternatives


def _begin(
    engine: Engine, request: Request, logits: torch.Tensor, alternatives: list[_Alternative]
) -> list[_Alternative]:
    """Give each its first token, the likeliest ones; fewer alternatives where healing allows fewer tokens."""
    logits = logits.float()
    allowed = engine.vocabulary.consistent(request.heal) if request.heal else torch.arange(len(logits))
    allowed = allowed.to(logits.device)
    pool = logits[allowed]
    best = allowed[pool.topk(min(len(alternatives), len(pool))).indices].tolist()
    total = pool.logsumexp(0)
    for token, alternative in zip(best, alternatives, strict=False):
        alternative.accept(engine, request, token, float(logits[token] - total), logits)
    return alternatives[: len(best)]


def _read(engine: Engine, run: Run, growing: list[_Alternative], held: int, step: int) -> torch.Tensor:
    """Read the last token of each; the logits [alternatives, vocabulary] after them."""
    count, before = len(growing), len(run.branch.tokens)
    sees = torch.zeros(count, before + count, dtype=torch.bool)
    sees[:, :held] = True
    for row, alternative in enumerate(growing):
        alternative.columns.append(before + row)
        sees[row, alternative.columns] = True
    tokens = [alternative.tokens[-1] for alternative in growing]
    sees = sees.to(engine.model.device)
    return engine.forward(run.branch, tokens, rows=count, positions=[held + step] * count, sees=sees)


def _ranked(finished: list[_Alternative]) -> tuple[Choice, ...]:
    """The distinct ones, the likeliest first; empty ones only where there is nothing else."""
    choices = sorted((alternative.choice() for alternative in finished), key=lambda choice: -choice.mean_logprob)
    distinct = {choice.text: choice for choice in reversed(choices)}
    ordered = [choice for choice in choices if distinct[choice.text] is choice]
    return tuple([choice for choice in ordered if choice.text] or ordered)
