"""A model that `decoder` does not compute, in transformers' own modules behind the same call.

The keys and values stay in our branches: each layer's cache is a view on a `KVLayer`. Attention goes through our own
function, registered through transformers' attention interface, since it is the slow part of a token there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from transformers import AttentionInterface, AttentionMaskInterface, AutoModelForCausalLM, PreTrainedModel
from transformers.cache_utils import Cache, CacheLayerMixin
from transformers.masking_utils import sdpa_mask
from transformers.utils import logging as transformers_logging

from aigc_lsp.engine.attention import causal, grouped_attention, grouped_mask
from aigc_lsp.engine.decoder import Interrupted
from aigc_lsp.engine.layers import Linear, Packed
from aigc_lsp.engine.store import Branch, KVLayer

ATTENTION = "aigc_grouped"


class Foreign:
    """See `decoder.LanguageModel`."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model.eval()
        self.layers = model.config.num_hidden_layers
        self.vocabulary = model.config.vocab_size
        self.device = model.device
        self._interrupted: Callable[[], bool] | None = None
        self.model.base_model.register_forward_pre_hook(lambda *_: self._look())
        for module in self.model.modules():
            if isinstance(module, torch.nn.ModuleList) and len(module) == self.layers:
                for block in module:
                    block.register_forward_pre_hook(lambda *_: self._look())

    @classmethod
    def load(cls, folder: Path) -> Foreign:
        """Nothing is fetched and no code from the folder is run."""
        transformers_logging.disable_progress_bar()
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.bfloat16,
            attn_implementation=ATTENTION,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
        return cls(model)

    def put(self, packed: Mapping[str, Packed]) -> None:
        """Give the linear layers their packed weights, by the modules' names."""
        for name, module in list(self.model.named_modules()):
            if isinstance(module, torch.nn.Linear) and name in packed:
                parent, _, own = name.rpartition(".")
                setattr(self.model.get_submodule(parent), own, PackedModule(module, packed[name]))

    @property
    def linears(self) -> list[Linear]:
        return [module.linear for module in self.model.modules() if isinstance(module, PackedModule)]

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
        self._interrupted = interrupted
        cache = Cache(layers=[_View(layer) for layer in branch.layers])
        extra = {} if positions is None else {"position_ids": positions[None]}
        mask = None if sees is None else sees[None, None]
        model = self.model if rows else self.model.base_model
        if rows:
            extra["logits_to_keep"] = rows
        output = model(ids[None].to(self.device), attention_mask=mask, past_key_values=cache, use_cache=True, **extra)
        return output.logits[0].float() if rows else torch.empty(0, 0)

    def _look(self) -> None:
        if self._interrupted is not None and self._interrupted():
            raise Interrupted


class PackedModule(torch.nn.Module):
    """A `Linear` in the place of a torch one: [.., in] → [.., out]."""

    def __init__(self, module: torch.nn.Linear, packed: Packed) -> None:
        super().__init__()
        bias = None if module.bias is None else [module.bias.detach()]
        self.linear = Linear([module.weight.detach()], bias, packed)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x.reshape(-1, x.shape[-1]))[0].view(*x.shape[:-1], -1)


class _View(CacheLayerMixin):
    """One layer of a branch as transformers asks for it."""

    is_sliding = False
    is_croppable = False

    def __init__(self, layer: KVLayer) -> None:
        super().__init__()
        self._layer = layer
        self.is_initialized = True

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        pass

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        keys, values = self._layer.update(key_states[0], value_states[0])
        return keys[None], values[None]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._layer.length + query_length, 0

    def get_seq_length(self) -> int:
        return self._layer.length

    def get_max_length(self) -> int:
        return -1


def attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **kwargs: object,
) -> tuple[torch.Tensor, None]:
    """query [1, heads, count, size], key and value [1, kv_heads, length, size] → [1, count, heads, size]."""
    repeats = query.shape[1] // key.shape[1]
    sees = attention_mask[0, 0] if attention_mask is not None else None
    if sees is None and query.shape[2] > 1:
        sees = causal(query.shape[2], key.shape[2], query.device)
    mask = None if sees is None else grouped_mask(sees, repeats, query.dtype)
    mixed = grouped_attention(query[0].transpose(0, 1).contiguous(), key[0], value[0], mask, scaling)
    return mixed[None], None


AttentionInterface.register(ATTENTION, attention)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)
