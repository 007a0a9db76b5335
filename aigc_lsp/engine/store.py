"""The KV store: what the model has already read.

Invariant: a branch's `tokens` names exactly what its tensors hold, also after an error or a cancellation at any step
(invariant 5). That holds because the tensors' length has one owner, `Branch.tokens`: a layer writes behind it, and
only `commit` moves it forward, after the whole forward pass.

Shapes: keys and values are [1, kv_heads, capacity, head_dim], preallocated and grown in steps of `GROWTH` tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers.cache_utils import Cache, CacheLayerMixin

GROWTH = 512


class _Layer(CacheLayerMixin):
    """One layer's keys and values, written in place; `length` is set by the branch before each forward pass."""

    is_sliding = False
    is_croppable = True

    def __init__(self) -> None:
        super().__init__()
        self.length = 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        self.keys = key_states.new_empty((*key_states.shape[:2], 0, key_states.shape[3]))
        self.values = value_states.new_empty((*value_states.shape[:2], 0, value_states.shape[3]))
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        end = self.length + key_states.shape[2]
        if end > self.keys.shape[2]:
            self.keys, self.values = (_grown(tensor, end) for tensor in (self.keys, self.values))
        self.keys[:, :, self.length : end] = key_states
        self.values[:, :, self.length : end] = value_states
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        return self.length

    def get_max_length(self) -> int:
        return -1


def _grown(tensor: torch.Tensor, needed: int) -> torch.Tensor:
    capacity = (needed + GROWTH - 1) // GROWTH * GROWTH
    grown = tensor.new_empty((*tensor.shape[:2], capacity, tensor.shape[3]))
    grown[:, :, : tensor.shape[2]] = tensor
    return grown


class Branch:
    """One remembered token sequence and its keys and values."""

    def __init__(self, layers: int) -> None:
        self.tokens: list[int] = []
        self.used_at = 0
        self._layers = [_Layer() for _ in range(layers)]
        self._cache = Cache(layers=list(self._layers))

    @property
    def cache(self) -> Cache:
        """The cache to hand to one forward pass, set to hold exactly `tokens`."""
        for layer in self._layers:
            layer.length = len(self.tokens)
        return self._cache

    def commit(self, tokens: Sequence[int]) -> None:
        """The forward pass over `tokens` is done: they are held from now on."""
        self.tokens.extend(tokens)

    def crop(self, length: int) -> None:
        del self.tokens[length:]

    def fork(self, length: int) -> Branch:
        """A new branch that holds a copy of the first `length` tokens."""
        branch = Branch(len(self._layers))
        branch.tokens = self.tokens[:length]
        for copy, layer in zip(branch._layers, self._layers, strict=True):
            if length:
                copy.keys, copy.values = (
                    _grown(tensor[:, :, :length], length) for tensor in (layer.keys, layer.values)
                )
                copy.is_initialized = True
        return branch

    @property
    def nbytes(self) -> int:
        return sum(layer.keys.nbytes + layer.values.nbytes for layer in self._layers if layer.is_initialized)


class KVStore:
    """A few branches, the least recently used dropped first when their bytes exceed the budget."""

    def __init__(self, layers: int, budget_bytes: int) -> None:
        self._layers = layers
        self._budget_bytes = budget_bytes
        self._clock = 0
        self.branches: list[Branch] = []

    def take(self, tokens: Sequence[int]) -> Branch:
        """The branch to run `tokens` on, cropped to their longest common prefix but one short of them all, so that
        there is always a token to run.

        A branch that shares less than half of itself is somebody else's: it stays as it is and lends a copy. Of those
        that share equally much, the shortest loses least.
        """
        self._clock += 1
        best, shared = None, 0
        for branch in self.branches:
            length = common_prefix(branch.tokens, tokens)
            if best is None or (length, -len(branch.tokens)) > (shared, -len(best.tokens)):
                best, shared = branch, length
        kept = min(shared, len(tokens) - 1)
        if best is None or shared * 2 < len(best.tokens):
            best = best.fork(kept) if best is not None else Branch(self._layers)
            self.branches.append(best)
        best.crop(kept)
        best.used_at = self._clock
        self._evict(keep=best)
        return best

    @property
    def nbytes(self) -> int:
        return sum(branch.nbytes for branch in self.branches)

    def _evict(self, keep: Branch) -> None:
        for branch in sorted(self.branches, key=lambda branch: branch.used_at):
            if self.nbytes <= self._budget_bytes:
                return
            if branch is not keep:
                self.branches.remove(branch)


def common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the longest common prefix; by halving first, since the sequences are mostly equal."""
    a, b = list(a), list(b)  # slices of a list and of a tuple are never equal
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
