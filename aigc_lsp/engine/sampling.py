"""From one row of logits to one token."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Sampling:
    """Greedy at temperature 0; otherwise nucleus sampling (Holtzman et al. 2020) with its own seed."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None

    def generator(self) -> torch.Generator | None:
        """The source of randomness for one generation; None when greedy."""
        if self.temperature <= 0:
            return None
        generator = torch.Generator()
        if self.seed is None:
            generator.seed()
        else:
            generator.manual_seed(self.seed)
        return generator


def choose(
    logits: torch.Tensor,
    sampling: Sampling,
    generator: torch.Generator | None,
    allowed: torch.Tensor | None = None,
) -> tuple[int, float]:
    """The next token and its natural log-probability.

    `logits`: [vocabulary]. `allowed`: ids, int64, to choose among; the log-probability is that among them: what was
    typed is no question any more, so a healed token's says how sure the model is of what it adds.
    """
    logits = logits.float() if generator is None else logits.float().cpu()
    ids = None if allowed is None else allowed.to(logits.device)
    pool = logits if ids is None else logits[ids]
    if generator is None:
        at = pool.argmax(0, keepdim=True)
    else:
        at = torch.multinomial(_nucleus(pool / sampling.temperature, sampling.top_p), 1, generator=generator)
    token = at if ids is None else ids[at]
    # In float64, which holds both exactly, so that one answer of the device brings both.
    chosen, logprob = torch.cat([token.double(), (logits[token] - pool.logsumexp(0)).double()]).tolist()
    return int(chosen), logprob


def likeliest(logits: torch.Tensor, count: int) -> list[tuple[int, float]]:
    """The `count` likeliest tokens of `logits` [vocabulary] with their natural log-probabilities, the best first."""
    logits = logits.float()
    best = logits.topk(min(count, len(logits)))
    return list(zip(best.indices.tolist(), (best.values - logits.logsumexp(0)).tolist(), strict=True))


def _nucleus(logits: torch.Tensor, top_p: float) -> torch.Tensor:
    """Probabilities, on the CPU, of the smallest set of tokens whose probability reaches `top_p`; at least one."""
    probabilities = logits.softmax(0).cpu()
    if top_p >= 1:
        return probabilities
    ordered, order = probabilities.sort(descending=True)
    outside = ordered.cumsum(0) - ordered >= top_p
    outside[0] = False
    probabilities[order[outside]] = 0
    return probabilities
