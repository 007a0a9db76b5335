"""How weights become few bits. Done once, at conversion.

int8 with a scale for each output loses nothing that could be measured. In four bits the choice of each group's scale
and zero point decides the quality: nearest rounding over the full range wrecks the text. They are fitted here to the
least squared error: a few shrunk ranges are tried, then the line through the chosen steps. Weighing the inputs by how
large they are, as llama.cpp's importance matrix does, and GPTQ (Frantar et al. 2022) were tried and gained nothing that
could be told from noise (KL divergence from bfloat16 0.0290 and 0.0293 with and without; ARCHITECTURE.md).
"""

from __future__ import annotations

import torch

from aigc_lsp.engine.layers import GROUP, Int4

SHRINKS = ((1.0, 1.0), (0.92, 0.92), (0.84, 0.84), (0.76, 0.76), (0.9, 1.0), (0.8, 1.0), (1.0, 0.9), (1.0, 0.8))
"""Parts of a group's range, at its lower and its upper end, that are tried."""

REFITS = 2

SLICE = 256
"""Rows."""


def to_int8(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`weight` [out, in] as int8 [out, in] and a bfloat16 scale [out], so that weight ≈ int8 * scale.

    The scale is rounded to bfloat16 before it divides, so that its rounding is no error of its own.
    """
    wide = weight.float()
    scale = (wide.abs().amax(dim=1).clamp(min=1e-8) / 127).to(torch.bfloat16)
    narrow = (wide / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
    return narrow, scale


def to_int4(weight: torch.Tensor) -> Int4:
    """`weight` [out, in], `in` a multiple of 32, fitted."""
    nibbles, scales = [], []
    for part in weight.split(SLICE):  # a slice of it stays in the processor's cache while all its fits are tried
        groups = part.float().view(part.shape[0], -1, GROUP)
        scale, offset = _fit(groups)
        nibbles.append(_nearest(groups, scale, offset).flatten(1).int())
        scales.append(torch.cat([scale, offset + 8 * scale], dim=-1).to(torch.bfloat16))
    packed = torch._convert_weight_to_int4pack_for_cpu(torch.cat(nibbles), 1)
    return Int4(packed, torch.cat(scales).transpose(0, 1).contiguous())


def _fit(groups: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and offset [out, groups, 1] of each group, so that weight ≈ nibble * scale + offset, nibble in 0 … 15."""
    low, high = groups.amin(-1, keepdim=True), groups.amax(-1, keepdim=True)
    scale, offset = _rounded((high - low) / 15, low)
    best = scale, offset, _error(groups, scale, offset)
    for at_low, at_high in SHRINKS[1:]:
        best = _better(groups, _rounded((high * at_high - low * at_low) / 15, low * at_low), best)
    for _ in range(REFITS):
        best = _better(groups, _rounded(*_regression(groups, _nearest(groups, best[0], best[1]))), best)
    return best[0], best[1]


def _better(
    groups: torch.Tensor,
    tried: tuple[torch.Tensor, torch.Tensor],
    best: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Group by group, the one of the two with the smaller error."""
    error = _error(groups, *tried)
    wins = error < best[2]
    return torch.where(wins, tried[0], best[0]), torch.where(wins, tried[1], best[1]), torch.where(wins, error, best[2])


def _regression(groups: torch.Tensor, nibbles: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The scale and offset of least squared error for nibbles that are already chosen."""
    mean_n, mean_w = nibbles.mean(-1, keepdim=True), groups.mean(-1, keepdim=True)
    spread = (nibbles - mean_n).square().sum(-1, keepdim=True)
    scale = ((nibbles - mean_n) * (groups - mean_w)).sum(-1, keepdim=True) / spread.clamp(min=1e-12)
    return scale, mean_w - scale * mean_n


def _rounded(scale: torch.Tensor, offset: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """As the kernel will see them: scale and zero point (the value of nibble 8) in bfloat16."""
    scale = scale.clamp(min=1e-8).bfloat16().float()
    return scale, (offset + 8 * scale).bfloat16().float() - 8 * scale


def _nearest(groups: torch.Tensor, scale: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
    return ((groups - offset) / scale).round_().clamp_(0, 15)


def _error(groups: torch.Tensor, scale: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
    """[out, groups, 1]."""
    wrong = _nearest(groups, scale, offset).mul_(scale).add_(offset).sub_(groups)
    return wrong.square_().sum(-1, keepdim=True)
