"""Linear layers that read fewer bytes where bytes are what a token costs.

Decoding one token reads every weight once, so it runs at the speed of memory; long chunks of prompt are compute, and
there the bfloat16 matmul is faster. So a layer holds both, and the number of rows decides (`crossover`, measured on
this machine by `calibrate`). A layer here takes [rows, in] and gives one [rows, out] for each of its parts: the
projections that read the same input (query, key and value; gate and up) are packed as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch.nn import functional

GROUP = 32
"""Weights along the input that share an int4 scale and zero point."""

EVERYWHERE = 1 << 30
"""A crossover that no chunk reaches."""

BLOCK = 64

CANDIDATES = 32
"""Tokens that the int4 head proposes; which of them wins is decided by exact rows."""


class Packed(Protocol):
    """Weights [out, in] in few bytes."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor: ...
    def dequantised(self) -> torch.Tensor: ...
    @property
    def nbytes(self) -> int: ...


class Int8:
    """int8 weights [out, in] with one bfloat16 scale for each output."""

    def __init__(self, narrow: torch.Tensor, scale: torch.Tensor) -> None:
        self.narrow, self.scale = narrow, scale

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return torch._weight_int8pack_mm(x, self.narrow, self.scale)

    def dequantised(self) -> torch.Tensor:
        return (self.narrow.float() * self.scale.float()[:, None]).to(torch.bfloat16)

    @property
    def nbytes(self) -> int:
        return self.narrow.nbytes + self.scale.nbytes


class Int4:
    """Four-bit weights in groups of `GROUP` along the input, in the order that this machine's kernel wants.

    `nibbles`: uint8 [out, in / 2]; `scales`: bfloat16 [in / GROUP, out, 2], a scale and a zero point each:
    weight = (nibble - 8) * scale + zero.
    """

    def __init__(self, nibbles: torch.Tensor, scales: torch.Tensor) -> None:
        self.nibbles, self.scales = nibbles, scales

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return torch._weight_int4pack_mm_for_cpu(x, self.nibbles, GROUP, self.scales)

    def dequantised(self) -> torch.Tensor:
        """Through the kernel itself: what a unit row gives is a column of the weights."""
        unit = torch.eye(self.scales.shape[0] * GROUP, dtype=torch.bfloat16)
        return self(unit).T.contiguous()

    @property
    def nbytes(self) -> int:
        return self.nibbles.nbytes + self.scales.nbytes


class Linear:
    """One or several projections of the same input: packed weights up to `crossover` rows, bfloat16 ones above."""

    def __init__(
        self,
        wide: Sequence[torch.Tensor],
        bias: Sequence[torch.Tensor] | None = None,
        packed: Packed | None = None,
    ) -> None:
        """`wide`: [out, in] for each part. Mapped from a file, they cost no memory until a chunk is long enough."""
        self.wide, self.bias, self.packed = wide, bias, packed
        self.sizes = [part.shape[0] for part in wide]
        self.crossover = 0
        self._all_biases = torch.cat(list(bias)) if bias is not None and packed is not None else None

    def __call__(self, x: torch.Tensor) -> Sequence[torch.Tensor]:
        if self.packed is not None and x.shape[0] <= self.crossover:
            y = self.packed(x)
            if self._all_biases is not None:
                y += self._all_biases
            return (y,) if len(self.sizes) == 1 else y.split(self.sizes, dim=1)
        if self.bias is None:
            return [functional.linear(x, part) for part in self.wide]
        return [functional.linear(x, part, bias) for part, bias in zip(self.wide, self.bias, strict=True)]

    @property
    def bytes_per_token(self) -> int:
        """Bytes of weights that one row reads."""
        if self.packed is not None and self.crossover:
            return self.packed.nbytes
        return sum(part.nbytes for part in self.wide)


class Head:
    """The last layer: [rows, hidden] → logits float32 [rows, vocabulary].

    A quarter of a small model's weights are here. The int4 form of them ranks the vocabulary; the logits of its
    `CANDIDATES` best are then computed anew from exact rows, so that four bits never decide between two near tokens.
    """

    def __init__(self, linear: Linear, exact: torch.Tensor) -> None:
        """`exact`: [vocabulary, hidden], of which single rows are read."""
        self.linear, self.exact = linear, exact

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        logits = self.linear(x)[0].float()
        if self.linear.packed is None or x.shape[0] > self.linear.crossover:
            return logits
        best = _best(logits)
        exact = torch.einsum("rch,rh->rc", self.exact[best].float(), x.float())
        return logits.scatter_(1, best, exact)


def _best(logits: torch.Tensor) -> torch.Tensor:
    """Ids [rows, CANDIDATES] of the greatest of `logits` [rows, vocabulary]. First the blocks that hold them, since the
    greatest of each block is found in a tenth of the time that torch takes to rank them all."""
    rows, vocabulary = logits.shape
    if vocabulary % BLOCK or vocabulary // BLOCK <= CANDIDATES:
        return logits.topk(min(CANDIDATES, vocabulary), dim=1).indices
    blocks = logits.view(rows, -1, BLOCK)
    holding = blocks.amax(-1).topk(CANDIDATES, dim=1).indices
    inside = blocks.gather(1, holding[..., None].expand(-1, -1, BLOCK)).flatten(1)
    at = inside.topk(CANDIDATES, dim=1).indices
    return holding.gather(1, at // BLOCK) * BLOCK + at % BLOCK
