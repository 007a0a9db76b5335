"""Linear layers that read fewer bytes where bytes are what a token costs.

Decoding one token reads every weight once, so it runs at the speed of memory: int8 weights with one scale for each
output channel halve the bytes, without loss that 100 holes could show (ARCHITECTURE.md). Long chunks of prompt are
compute, and there the bfloat16 matmul is faster; so both are kept, mapped into memory, and the number of rows decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from safetensors.torch import load_file
from torch.nn import functional

INT8_FILE = "int8.safetensors"
ROWS_TRIED = (2, 4, 6, 8, 12, 16, 24, 32)


def quantise(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`weight` [out, in] as int8 [out, in] and a bfloat16 scale [out], so that weight ≈ int8 * scale.

    The scale is rounded to bfloat16 before it divides, so that its rounding is no error of its own.
    """
    wide = weight.float()
    scale = (wide.abs().amax(dim=1).clamp(min=1e-8) / 127).to(torch.bfloat16)
    narrow = (wide / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
    return narrow, scale


class Int8Linear(torch.nn.Module):
    """A linear layer [.., in] → [.., out] that uses int8 weights up to `crossover` rows and bfloat16 ones above."""

    def __init__(self, linear: torch.nn.Linear, narrow: torch.Tensor, scale: torch.Tensor) -> None:
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias
        self.narrow, self.scale = narrow, scale
        self.crossover = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.shape[:-1].numel()
        if rows > self.crossover:
            return functional.linear(x, self.weight, self.bias)
        y = torch._weight_int8pack_mm(x.reshape(rows, -1), self.narrow, self.scale).view(*x.shape[:-1], -1)
        return y if self.bias is None else y + self.bias


def put_int8(model: torch.nn.Module, folder: Path) -> None:
    """Replace the model's linear layers by those with int8 weights beside, where the folder and this torch have them.

    The crossing point is measured here, on the largest layer of the blocks: a few dozen milliseconds.
    """
    file = folder / INT8_FILE
    if not file.exists() or not hasattr(torch, "_weight_int8pack_mm"):
        return
    tensors = load_file(file)
    replaced = []
    for name, module in list(model.named_modules()):
        if isinstance(module, torch.nn.Linear) and f"{name}.narrow" in tensors:
            parent, _, own = name.rpartition(".")
            layer = Int8Linear(module, _aligned(tensors[f"{name}.narrow"]), _aligned(tensors[f"{name}.scale"]))
            setattr(model.get_submodule(parent), own, layer)
            replaced.append((name, layer))
    blocks = [layer for name, layer in replaced if "." in name]
    if not blocks:
        return
    crossover = measure_crossover(max(blocks, key=lambda layer: layer.narrow.numel()))
    for _, layer in replaced:
        layer.crossover = crossover


def _aligned(tensor: torch.Tensor) -> torch.Tensor:
    """At a multiple of 64 bytes, copied where the file has it elsewhere: torch's kernel crashes the process otherwise
    (2.13, AVX-512, four rows and more)."""
    return tensor if tensor.data_ptr() % 64 == 0 else tensor.clone()


def measure_crossover(layer: Int8Linear) -> int:
    """The greatest number of rows, of those tried, up to which int8 is no slower than bfloat16; 1 at least."""
    best = 1
    for rows in ROWS_TRIED:
        x = torch.zeros(rows, layer.narrow.shape[1], dtype=torch.bfloat16)
        narrow = _milliseconds(torch._weight_int8pack_mm, x, layer.narrow, layer.scale)
        wide = _milliseconds(functional.linear, x, layer.weight)
        if narrow > wide:
            break
        best = rows
    return best


def _milliseconds(run: Callable[..., object], *arguments: object) -> float:
    took = []
    for _ in range(7):
        began = time.perf_counter()
        run(*arguments)
        took.append((time.perf_counter() - began) * 1e3)
    return median(took)
