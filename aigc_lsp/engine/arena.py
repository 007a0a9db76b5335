"""Memory of our own, in large pages.

A decoded token reads all packed weights, once, in order. In 4 KiB pages the address look-ups alone cost a tenth of the
speed (an int4 layer of 4864 × 896 took 180 µs there and 162 µs here), so they are copied out of the mapped file into
memory for which the kernel is asked to use 2 MiB pages. Where it has none to give, this is ordinary memory.
"""

from __future__ import annotations

import contextlib
import math
import mmap
from collections.abc import Mapping, Sequence

import torch

ALIGNMENT = 64
"""Bytes: torch's int8 kernel crashes the process on weights that begin elsewhere (2.13, AVX-512, from four rows on)."""

PAGE = 2 << 20


def gathered(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Copies of `tensors`, aligned, in one piece of memory."""
    starts, end = {}, 0
    for name, tensor in tensors.items():
        starts[name] = end
        end += -(-tensor.nbytes // ALIGNMENT) * ALIGNMENT
    if not end:
        return {}
    memory = _memory(end)
    copies = {}
    for name, tensor in tensors.items():
        place = memory[starts[name] : starts[name] + tensor.nbytes]
        copies[name] = place.view(tensor.dtype).view(tensor.shape).copy_(tensor)
    return copies


def empty(shape: Sequence[int], like: torch.Tensor) -> torch.Tensor:
    """A tensor of `shape`, not filled, of the type and on the device of `like`. Large ones go back to the system when
    they are no longer used."""
    size = math.prod(shape) * like.element_size()
    if size < PAGE or like.device.type != "cpu":
        return like.new_empty(shape)
    return _memory(size).view(like.dtype).view(shape)


def _memory(size: int) -> torch.Tensor:
    """uint8 [size], beginning at a large page; it lives as long as a tensor on it does."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return torch.empty(size, dtype=torch.uint8)
    area = mmap.mmap(-1, size + PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # a kernel without them
        area.madvise(mmap.MADV_HUGEPAGE)
    whole = torch.frombuffer(area, dtype=torch.uint8)
    start = -whole.data_ptr() % PAGE
    return whole[start : start + size]
