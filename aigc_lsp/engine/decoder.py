"""The forward pass of the decoder family that nearly all small code models belong to (Llama, Qwen2, Mistral, SmolLM2,
DeepSeek-Coder, CodeLlama …): RMS norm, rotary positions, grouped-query attention, gated feed-forward.

Why our own and not transformers': a token through transformers' modules is some sixty small operations a layer, and
they were 20 ms of a 57 ms token here; this is some twenty. It needs no transformers to be imported, which is half of
the start. What it computes is transformers' result, which `tests/engine/test_decoder.py` holds it to. Models of another
family run in transformers' own modules behind the same call (`foreign`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.nn import functional

from aigc_lsp.engine.attention import causal, grouped_attention, grouped_mask
from aigc_lsp.engine.layers import Head, Linear, Packed
from aigc_lsp.engine.store import Branch

FAMILY = frozenset({"qwen2", "llama", "mistral"})
"""Values of `model_type` in a config.json whose models this forward pass computes."""


class Interrupted(Exception):
    """A forward pass was given up between two layers; the branch is as it was."""


class LanguageModel(Protocol):
    """What the engine runs."""

    layers: int
    vocabulary: int
    device: torch.device

    @property
    def linears(self) -> Sequence[Linear]:
        """Every layer that may have packed weights."""
        ...

    def __call__(
        self,
        ids: torch.Tensor,
        branch: Branch,
        *,
        rows: int = 1,
        positions: torch.Tensor | None = None,
        sees: torch.Tensor | None = None,
        interrupted: Callable[[], bool] | None = None,
    ) -> torch.Tensor:
        """Logits float32 [rows, vocabulary] after the last `rows` of `ids` (int64 [count], on the host), which stand
        behind what `branch` holds. Their keys and values are written; committing them is the caller's.

        `positions` (int64 [count]) and `sees` (bool [count, held + count]) are for tokens that do not follow one
        another. Raises `Interrupted` between two layers where `interrupted` says so.
        """
        ...


@dataclass(frozen=True, slots=True)
class Shape:
    """What config.json says of a model of this family."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_size: int
    norm_eps: float
    rope_theta: float
    positions: int
    vocabulary: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Shape | None:
        """None where the model is not of this family, or uses something that is not computed here."""
        rope = config.get("rope_parameters") or {"rope_theta": config.get("rope_theta", 10000.0)}
        known = (
            config.get("model_type") in FAMILY
            and config.get("hidden_act") == "silu"
            and rope.get("rope_type", "default") == "default"
            and not config.get("rope_scaling")
            and not config.get("use_sliding_window", bool(config.get("sliding_window")))
            and not config.get("mlp_bias", False)
        )
        if not known:
            return None
        heads = config["num_attention_heads"]
        return cls(
            layers=config["num_hidden_layers"],
            hidden=config["hidden_size"],
            heads=heads,
            kv_heads=config.get("num_key_value_heads") or heads,
            head_size=config.get("head_dim") or config["hidden_size"] // heads,
            norm_eps=config["rms_norm_eps"],
            rope_theta=rope["rope_theta"],
            positions=config["max_position_embeddings"],
            vocabulary=config["vocab_size"],
        )


@dataclass(slots=True)
class Block:
    """One layer; the norms' weights are there `twice`."""

    attention_norm: torch.Tensor
    qkv: Linear
    out: Linear
    feed_norm: torch.Tensor
    gate_up: Linear
    down: Linear

    @property
    def linears(self) -> tuple[Linear, ...]:
        return self.qkv, self.out, self.gate_up, self.down


class Decoder:
    def __init__(
        self, shape: Shape, embedding: torch.Tensor, blocks: Sequence[Block], norm: torch.Tensor, head: Head
    ) -> None:
        self.shape = shape
        self.embedding, self.blocks, self.head = embedding, list(blocks), head
        self._norm = twice(norm)
        self.layers, self.vocabulary = shape.layers, shape.vocabulary
        self.device = norm.device
        self._cos, self._sin = rotations(shape, norm.device)

    def __call__(
        self,
        ids: torch.Tensor,
        branch: Branch,
        *,
        rows: int = 1,
        positions: torch.Tensor | None = None,
        sees: torch.Tensor | None = None,
        interrupted: Callable[[], bool] | None = None,
    ) -> torch.Tensor:
        shape, count, held = self.shape, len(ids), len(branch.tokens)
        x = self.embedding[ids.to(self.device)]
        turn = self._turn(slice(held, held + count) if positions is None else positions, x.dtype)
        if sees is None and count > 1:
            sees = causal(count, held + count, x.device)
        mask = None if sees is None else grouped_mask(sees, shape.heads // shape.kv_heads, x.dtype)
        for block, kv in zip(self.blocks, branch.layers, strict=True):
            if interrupted is not None and interrupted():
                raise Interrupted
            x = self._block(block, kv, x, turn, mask)
        if not rows:
            return x.new_empty(0, 0)
        return self.logits(x[-rows:])

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """[rows, hidden] behind the last layer → float32 [rows, vocabulary]."""
        return self.head(rms_norm(x, self._norm, self.shape.norm_eps))

    def _block(self, block: Block, kv: Any, x: torch.Tensor, turn: Any, mask: torch.Tensor | None) -> torch.Tensor:
        shape, count = self.shape, len(x)
        normed = rms_norm(x, block.attention_norm, shape.norm_eps)
        query, key, value = (part.view(count, -1, shape.head_size) for part in block.qkv(normed))
        keys, values = kv.update(_turned(key, turn).transpose(0, 1), value.transpose(0, 1))
        mixed = grouped_attention(_turned(query, turn), keys, values, mask)
        x = x + block.out(mixed.reshape(count, -1))[0]
        gate, up = block.gate_up(rms_norm(x, block.feed_norm, shape.norm_eps))
        return x + block.down(functional.silu(gate) * up)[0]

    def _turn(self, at: slice | torch.Tensor, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
        return self._cos[at][:, None].to(dtype), self._sin[at][:, None].to(dtype)

    @property
    def linears(self) -> list[Linear]:
        """Every linear layer, the head last."""
        return [*(linear for block in self.blocks for linear in block.linears), self.head.linear]

    def bytes_per_token(self, context: int) -> int:
        """That decoding one token behind `context` others reads: weights, keys and values."""
        shape = self.shape
        kv = 2 * shape.layers * shape.kv_heads * shape.head_size * self._norm.element_size()
        return sum(linear.bytes_per_token for linear in self.linears) + context * kv


def rms_norm(x: torch.Tensor, weight_twice: torch.Tensor, eps: float) -> torch.Tensor:
    """Root mean square norm (Zhang & Sennrich 2019) of `x` [rows, size], as the layer norm of `x` beside its negative:
    their mean is zero and their variance the mean square. torch has a fused kernel for that norm only: 134 µs for 256
    rows, and 824 for its own rms_norm."""
    normed = functional.layer_norm(torch.cat((x, -x), dim=1), weight_twice.shape, weight_twice, None, eps)
    return normed[:, : x.shape[1]].contiguous()


def twice(weight: torch.Tensor) -> torch.Tensor:
    return torch.cat((weight, weight))


def rotations(shape: Shape, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines [positions, head_size] of rotary positions (Su et al. 2021), the sines of the first half
    negative: then a head turned is `x * cos + roll(x, half) * sin`."""
    half = torch.arange(0, shape.head_size, 2, dtype=torch.float32) / shape.head_size
    angles = torch.outer(torch.arange(shape.positions, dtype=torch.float32), shape.rope_theta**-half)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([cos, cos], dim=1).to(device), torch.cat([-sin, sin], dim=1).to(device)


def _turned(x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    cos, sin = turn
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, dims=-1), sin)


def named_parts(layer: int) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By a block's field: the packed layer's name, and the names, as transformers has them, of what it is made of."""
    block = f"model.layers.{layer}"
    attention, feed = f"{block}.self_attn", f"{block}.mlp"
    return {
        "qkv": (f"{attention}.qkv", (f"{attention}.q_proj", f"{attention}.k_proj", f"{attention}.v_proj")),
        "out": (f"{attention}.out", (f"{attention}.o_proj",)),
        "gate_up": (f"{feed}.gate_up", (f"{feed}.gate_proj", f"{feed}.up_proj")),
        "down": (f"{feed}.down", (f"{feed}.down_proj",)),
    }


def build(shape: Shape, wide: Mapping[str, torch.Tensor], packed: Mapping[str, Packed]) -> Decoder:
    """The decoder of `wide`, tensors by transformers' names, with packed layers beside by `named_parts`' names.

    Raises KeyError where a tensor is missing.
    """

    def linear(name: str, parts: tuple[str, ...]) -> Linear:
        bias = [wide[f"{part}.bias"] for part in parts] if f"{parts[0]}.bias" in wide else None
        return Linear([wide[f"{part}.weight"] for part in parts], bias, packed.get(name))

    blocks = []
    for number in range(shape.layers):
        name = f"model.layers.{number}"
        made = {field: linear(*named) for field, named in named_parts(number).items()}
        norms = wide[f"{name}.input_layernorm.weight"], wide[f"{name}.post_attention_layernorm.weight"]
        before, between = map(twice, norms)
        blocks.append(Block(before, made["qkv"], made["out"], between, made["gate_up"], made["down"]))
    embedding = wide["model.embed_tokens.weight"]
    head = wide.get("lm_head.weight", embedding)
    return Decoder(
        shape, embedding, blocks, wide["model.norm.weight"], Head(Linear([head], None, packed.get("lm_head")), head)
    )
