"""The operations of a forward pass that is trained, each with a backward pass written out.

Written out because most of what torch would do is not wanted: the model's own weights are frozen and have no gradient
(where whole matrices are trained, torch's own linear layer does just what is wanted); what is cheap to compute again is
not kept; and attention's backward pass is a few large products instead of torch's tiled kernel, which takes four times
as long on a CPU (7 against 1.5 ms for 256 tokens of 14 heads).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch.nn import functional


class LowRank(torch.autograd.Function):
    """Projections of one input: x [rows, in] → x·Wᵀ + bias + scale·(x·Aᵀ)·Bᵀ [rows, out] for each (Hu et al. 2021).

    `tensors`: the W [out, in] of all, their biases or None, their A [rank, in], their B [out, rank]. W and bias have no
    gradient; A and B are float32 and used in x's precision.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, scale: float, *tensors: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
        weights, biases, a, b = _quarters(tensors)
        down, ups = torch.cat(a).to(x.dtype), [(each * scale).to(x.dtype) for each in b]
        lows = (x @ down.T).chunk(len(ups), dim=1)
        ctx.save_for_backward(x, down, *weights, *lows, *ups)
        ctx.scale, ctx.count = scale, len(ups)
        parts = zip(weights, biases, lows, ups, strict=True)
        return tuple(functional.linear(x, weight, bias).addmm_(low, up.T) for weight, bias, low, up in parts)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, down, *rest = ctx.saved_tensors
        weights, lows, ups = (rest[n * ctx.count : (n + 1) * ctx.count] for n in range(3))
        grad_low = torch.cat([grad @ up for grad, up in zip(gradients, ups, strict=True)], dim=1)
        grad_a = (grad_low.T @ x).float().chunk(ctx.count)
        grad_b = [(grad.T @ low).float().mul_(ctx.scale) for grad, low in zip(gradients, lows, strict=True)]
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = grad_low @ down
            for grad, weight in zip(gradients, weights, strict=True):
                grad_x.addmm_(grad, weight)
        return grad_x, None, *[None] * (2 * ctx.count), *grad_a, *grad_b


def _quarters(tensors: Sequence[Any]) -> Iterator[Sequence[Any]]:
    count = len(tensors) // 4
    return (tensors[n * count : (n + 1) * count] for n in range(4))


class Norm(torch.autograd.Function):
    """x [rows, size] → x / √(mean x² + eps) · weight (Zhang & Sennrich 2019); the weight has no gradient."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        inverse = (length.square_().div_(x.shape[-1]) + eps).rsqrt_().to(x.dtype)
        normed = x * inverse
        ctx.save_for_backward(normed, weight, inverse)
        return normed * weight

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        normed, weight, inverse = ctx.saved_tensors
        grad = gradients[0] * weight
        along = (grad * normed).mean(dim=-1, keepdim=True, dtype=torch.float32).to(grad.dtype)
        return grad.addcmul_(normed, along, value=-1).mul_(inverse), None, None


class Gated(torch.autograd.Function):
    """silu(gate)·up, all [rows, size]."""

    @staticmethod
    def forward(ctx: Any, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(gate, up)
        return functional.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        gate, up = ctx.saved_tensors
        grad_up = functional.silu(gate).mul_(gradients[0])
        return torch.ops.aten.silu_backward(gradients[0] * up, gate), grad_up


class Turned(torch.autograd.Function):
    """Heads [rows, heads, size] turned by their rotary positions (Su et al. 2021). `cos` and `sin` [rows, 1, size], the
    sines of the first half negative; the backward pass is the turn the other way."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(cos, sin)
        return (x * cos).addcmul_(x.roll(x.shape[-1] // 2, dims=-1), sin)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (grad,) = gradients
        cos, sin = ctx.saved_tensors
        return (grad * cos).addcmul_(grad.roll(grad.shape[-1] // 2, dims=-1), sin, value=-1), None, None


class Attention(torch.autograd.Function):
    """Causal attention of several texts that lie one behind the other, none of which sees another.

    query [rows, heads, size], key and value [rows, kv_heads, size] → [rows, heads · size]; `lengths` add up to rows.
    """

    @staticmethod
    def forward(
        ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, lengths: Sequence[int]
    ) -> torch.Tensor:
        groups, scale = key.shape[1], query.shape[-1] ** -0.5
        mixed, shares = [], []
        for q, k, v in zip(*(part.split(list(lengths)) for part in (query, key, value)), strict=True):
            share = _shares(_grouped(q, groups), k, scale)
            mixed.append(_flat(torch.bmm(share, v.transpose(0, 1)), len(q)))
            shares.append(share)
        ctx.save_for_backward(query, key, value, *shares)
        ctx.lengths, ctx.scale = list(lengths), scale
        return torch.cat(mixed)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, *shares = ctx.saved_tensors
        groups = key.shape[1]
        out = gradients[0].view(query.shape)
        found: list[tuple[torch.Tensor, ...]] = []
        for q, k, v, o, share in zip(
            *(part.split(ctx.lengths) for part in (query, key, value, out)), shares, strict=True
        ):
            grad = _grouped(o, groups)
            grad_v = torch.bmm(share.transpose(1, 2), grad).transpose(0, 1)
            grad_share = torch.bmm(grad, v.permute(1, 2, 0))
            scores = torch.ops.aten._softmax_backward_data(grad_share, share, -1, share.dtype).mul_(ctx.scale)
            grad_q = _flat(torch.bmm(scores, k.transpose(0, 1)), len(q))
            grad_k = torch.bmm(scores.transpose(1, 2), _grouped(q, groups)).transpose(0, 1)
            found.append((grad_q.view(q.shape), grad_k, grad_v))
        grad_query, grad_key, grad_value = (torch.cat(parts) for parts in zip(*found, strict=True))
        return grad_query, grad_key, grad_value, None


def _grouped(x: torch.Tensor, groups: int) -> torch.Tensor:
    """[rows, heads, size] → [groups, heads / groups · rows, size]: the heads that share a key, one behind the other."""
    return x.transpose(0, 1).reshape(groups, -1, x.shape[-1])


def _flat(x: torch.Tensor, rows: int) -> torch.Tensor:
    """`_grouped` the other way, the heads joined: [groups, …, size] → [rows, heads · size]."""
    return x.reshape(-1, rows, x.shape[-1]).transpose(0, 1).reshape(rows, -1)


def _shares(query: torch.Tensor, key: torch.Tensor, scale: float) -> torch.Tensor:
    """How much each row takes of each: query [groups, n · rows, size], key [rows, groups, size] → [groups, n · rows,
    rows]."""
    rows = key.shape[0]
    mask = _causal(rows, query.shape[1] // rows, query.dtype, query.device)
    scores = torch.baddbmm(mask.expand(len(query), -1, -1), query, key.permute(1, 2, 0), alpha=scale)
    return scores.softmax(-1)


@lru_cache(maxsize=64)
def _causal(rows: int, repeats: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    mask = torch.full((rows, rows), float("-inf"), dtype=dtype, device=device).triu_(1)
    return mask.repeat(repeats, 1)[None]


class NextToken(torch.autograd.Function):
    """Rows [n, hidden] before the head, the head [vocabulary, hidden], targets int64 [n] → the sum of the cross
    entropies, float32; `allowed` as a batch has it. The gradient is found on the way, so that no logits are kept.

    With `teacher`'s logits of some rows (`teacher(slice)` → [.., vocabulary]) each row's loss is
    (1 - share)·CE + share·T²·KL(teacher ‖ student), both softened by the temperature T (Hinton et al. 2015).
    """

    @staticmethod
    def forward(
        ctx: Any,
        rows: torch.Tensor,
        head: torch.Tensor,
        targets: torch.Tensor,
        allowed: Mapping[int, torch.Tensor],
        teacher: Any,
        share: float,
        temperature: float,
    ) -> torch.Tensor:
        total = rows.new_zeros((), dtype=torch.float32)
        gradients = []
        for start in range(0, len(rows), SLICE):
            part = slice(start, start + SLICE)
            logits = constrained(functional.linear(rows[part], head).float(), start, allowed)
            if teacher is None:
                loss, grad = _cross_entropy(logits, targets[part])
            else:
                taught = constrained(teacher(part).float(), start, allowed)
                soft, soft_grad = _divergence(logits, taught, temperature)
                hard, hard_grad = _cross_entropy(logits, targets[part])
                loss = (1 - share) * hard + share * soft
                grad = hard_grad.mul_(1 - share).add_(soft_grad, alpha=share)
            total += loss
            gradients.append(grad.to(head.dtype) @ head)
        ctx.save_for_backward(torch.cat(gradients) if gradients else torch.zeros_like(rows))
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (found,) = ctx.saved_tensors
        return found * gradients[0].to(found.dtype), None, None, None, None, None, None


SLICE = 128
"""Rows whose logits are in memory at once: 78 MB of float32 with a vocabulary of 152,000."""


OUT = -1e4
"""The logit of a token that cannot be: as good as none, and still a number to multiply by zero."""


def constrained(logits: torch.Tensor, start: int, allowed: Mapping[int, torch.Tensor]) -> torch.Tensor:
    """`logits` [n, vocabulary] of the rows from `start` on, changed in place: only what is allowed has a chance."""
    for row, tokens in allowed.items():
        if start <= row < start + len(logits):
            kept = logits[row - start, tokens]
            logits[row - start] = OUT
            logits[row - start, tokens] = kept
    return logits


def _cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The sum over the rows, and its gradient by the logits [n, vocabulary]."""
    logs = logits.log_softmax(-1)
    loss = -logs.gather(1, targets[:, None]).sum()
    grad = logs.exp_()
    return loss, grad.scatter_add_(1, targets[:, None], grad.new_full((len(targets), 1), -1.0))


def _divergence(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
    """T²·KL(teacher ‖ student) summed over the rows, and its gradient by the student's logits."""
    ours, theirs = (student / temperature).log_softmax(-1), (teacher / temperature).log_softmax(-1)
    wanted = theirs.exp()
    loss = (wanted * (theirs - ours)).sum() * temperature**2
    return loss, ours.exp_().sub_(wanted).mul_(temperature)
