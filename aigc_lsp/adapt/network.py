"""A decoder that is trained: the shipped forward pass (`engine.decoder`) over packed texts, with adapters beside its
linear layers, or differences added to their matrices.

Texts of different lengths lie one behind the other in one row of tokens: nothing is padded. Only the rows that a loss
is taken of go through the head, a third of a small model's work.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from aigc_lsp.adapt.kernels import Attention, Gated, LowRank, Norm, Turned
from aigc_lsp.engine.decoder import Shape, rotations
from aigc_lsp.engine.weights import WIDE_FILE
from aigc_lsp.errors import UsageError

PROJECTIONS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts one behind the other: `tokens` int64 [rows]. The loss is taken where `wanted` (int64 [n], rows) says, each
    against the token of `targets` (int64 [n]). `allowed`: by the number of such a row the only tokens (int64) that it
    may be, where it is not free."""

    tokens: torch.Tensor
    lengths: tuple[int, ...]
    wanted: torch.Tensor
    targets: torch.Tensor
    allowed: Mapping[int, torch.Tensor]


class Network:
    """`weights`: frozen, by transformers' names. What is trained, float32, by the layer's name: `adapters`, pairs of A
    [rank, in] and B [out, rank], or `differences` from the weights [out, in], or nothing."""

    def __init__(self, shape: Shape, weights: dict[str, torch.Tensor], rank: int = 0, alpha: float = 0.0) -> None:
        self.shape, self.weights = shape, weights
        self.adapters: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        self.differences: dict[str, torch.Tensor] = {}
        self._sums: dict[str, torch.Tensor] = {}
        """Weight and difference, rounded as the weights are."""
        self.rank, self.scale = rank, (alpha / rank if rank else 0.0)
        self.saves_memory = False
        """Compute each layer again in the backward pass instead of keeping what it needs."""
        self._cos, self._sin = rotations(shape, self.device)

    @property
    def device(self) -> torch.device:
        return self.weights["model.norm.weight"].device

    @property
    def head(self) -> torch.Tensor:
        return self.weights.get("lm_head.weight", self.weights["model.embed_tokens.weight"])

    def layers(self) -> Iterable[str]:
        """The names of the linear layers that are trained."""
        return (f"model.layers.{n}.{part}" for n in range(self.shape.layers) for part in PROJECTIONS)

    def add_adapters(self, seed: int) -> None:
        """New ones, which change nothing yet: A uniform within ±1/√in, as PEFT begins (Kaiming with a = √5), B zero."""
        draw = torch.Generator().manual_seed(seed)
        for name in self.layers():
            out, width = self.weights[f"{name}.weight"].shape
            a = (torch.rand(self.rank, width, generator=draw) * 2 - 1) * width**-0.5
            pair = a.to(self.device), torch.zeros(out, self.rank, device=self.device)
            self.adapters[name] = (pair[0].requires_grad_(), pair[1].requires_grad_())

    def take_adapters(self, found: Mapping[str, tuple[torch.Tensor, ...]], scale: float) -> None:
        """Those that somebody has trained, as `engine.adapter.read` gives them. Raises `UsageError` unless there is one
        of the same rank for each layer that is trained."""
        pairs = {name: found.get(f"{name}.weight", ()) for name in self.layers()}
        ranks = {pair[1].shape[0] if len(pair) == 2 else 0 for pair in pairs.values()}
        if len(ranks) != 1 or 0 in ranks or len(found) != len(pairs):
            raise UsageError("Its adapter is not of one rank for all linear layers: train the model that it is for.")
        [self.rank], self.scale = ranks, scale
        for name, (b, a) in pairs.items():
            pair = a.to(self.device, torch.float32, copy=True), b.to(self.device, torch.float32, copy=True)
            self.adapters[name] = (pair[0].requires_grad_(), pair[1].requires_grad_())

    def add_differences(self) -> None:
        """New ones, zero. In float32 they keep steps that are too small for a weight in bfloat16 (Micikevicius et al.
        2018: a master copy); gradients are by the rounded sums, so a worker's take half of that."""
        for name in self.layers():
            weight = self.weights[f"{name}.weight"]
            self.differences[name] = torch.zeros_like(weight, dtype=torch.float32)
            self._sums[name] = weight.clone().requires_grad_()

    def parameters(self) -> list[torch.Tensor]:
        """What is trained, float32."""
        return [*(tensor for pair in self.adapters.values() for tensor in pair), *self.differences.values()]

    def leaves(self) -> list[torch.Tensor]:
        """What the forward pass reads of each of `parameters`, and its gradient is by."""
        return [*(tensor for pair in self.adapters.values() for tensor in pair), *self._sums.values()]

    def put(self, tensors: Iterable[torch.Tensor]) -> None:
        """Give `parameters` the values of `tensors`."""
        with torch.no_grad():
            for parameter, tensor in zip(self.parameters(), tensors, strict=True):
                parameter.copy_(tensor)
        self.settle()

    def settle(self) -> None:
        """Have the forward pass read the parameters as they are now; to be called when they have been changed."""
        with torch.no_grad():
            for name, difference in self.differences.items():
                self._sums[name].copy_(self.weights[f"{name}.weight"] + difference)

    def rows(self, batch: Batch) -> torch.Tensor:
        """[n, hidden]: what the head is to read at the rows that are wanted."""
        places = torch.cat([torch.arange(length) for length in batch.lengths]).to(self.device)
        x = functional.embedding(batch.tokens, self.weights["model.embed_tokens.weight"])
        cos, sin = (table[places][:, None].to(x.dtype) for table in (self._cos, self._sin))
        for number in range(self.shape.layers):
            wanted = batch.wanted if number == self.shape.layers - 1 else None
            arguments = (number, x, cos, sin, batch.lengths, wanted)
            if self.saves_memory and torch.is_grad_enabled():
                x = checkpoint(self._layer, *arguments, use_reentrant=False)
            else:
                x = self._layer(*arguments)
        return self._norm("model.norm", x)

    def _layer(
        self,
        number: int,
        x: torch.Tensor,
        cos: torch.Tensor,
        sin: torch.Tensor,
        lengths: Sequence[int],
        wanted: torch.Tensor | None,
    ) -> torch.Tensor:
        name, size = f"model.layers.{number}", self.shape.head_size
        normed = self._norm(f"{name}.input_layernorm", x)
        projected = self._linear([f"{name}.self_attn.{part}_proj" for part in "qkv"], normed)
        query, key, value = (part.view(len(x), -1, size) for part in projected)
        query, key = (Turned.apply(part, cos, sin) for part in (query, key))
        mixed = Attention.apply(query, key, value, lengths)
        if wanted is not None:  # behind the last layer's attention the other rows are of no use to anyone
            mixed, x = mixed[wanted], x[wanted]
        x = x + self._linear([f"{name}.self_attn.o_proj"], mixed)[0]
        normed = self._norm(f"{name}.post_attention_layernorm", x)
        gate, up = self._linear([f"{name}.mlp.gate_proj", f"{name}.mlp.up_proj"], normed)
        return x + self._linear([f"{name}.mlp.down_proj"], Gated.apply(gate, up))[0]

    def _linear(self, names: Sequence[str], x: torch.Tensor) -> Sequence[torch.Tensor]:
        """Layers that read the same input."""
        weights = [self._sums.get(name, self.weights[f"{name}.weight"]) for name in names]
        biases = [self.weights.get(f"{name}.bias") for name in names]
        if not self.adapters:
            return [functional.linear(x, weight, bias) for weight, bias in zip(weights, biases, strict=True)]
        a, b = zip(*(self.adapters[name] for name in names), strict=True)
        found: Sequence[torch.Tensor] = LowRank.apply(x, self.scale, *weights, *biases, *a, *b)
        return found

    def _norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return Norm.apply(x, self.weights[f"{name}.weight"], self.shape.norm_eps)


def load(folder: Path, device: str, rank: int = 0, alpha: float = 0.0) -> Network:
    """The model of the packed `folder` in the precision that it has there. Raises `UsageError` where its family is not
    computed here."""
    shape = Shape.of(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    if shape is None:
        raise UsageError(f"The model in {folder} is of a family that cannot be trained here; llama and qwen2 can.")
    return Network(shape, load_file(folder / WIDE_FILE, device=device), rank, alpha)
