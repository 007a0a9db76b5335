"""The KV store: what the model has already read.

Invariant: a branch's `tokens` names exactly what its tensors hold, also after an error or a cancellation at any step
(invariant 5). That holds because the tensors' length has one owner, `Branch.tokens`: a layer writes behind it, and
only `commit` moves it forward, after the whole forward pass.

Shapes: keys and values are [kv_heads, capacity, head_size], preallocated and grown in steps of `GROWTH` tokens; all
layers of a branch lie in one piece of memory.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Sequence

import torch

from aigc_lsp.engine import arena

GROWTH = 512

MAX_AGE_SECONDS = 1800.0
"""A branch that was not used for so long goes, whatever the budget: its document is closed or has changed."""


class KVLayer:
    """One layer's keys and values, written in place behind `length`, which the branch sets before each forward pass."""

    def __init__(self, branch: Branch) -> None:
        # Weakly: a dropped branch gives its memory back at once, not when Python next looks for cycles.
        self._branch = weakref.proxy(branch)
        self.length = 0
        self.keys: torch.Tensor | None = None
        self.values: torch.Tensor | None = None

    def update(self, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the new tokens' keys and values [kv_heads, count, head_size]; all that are held, theirs included."""
        end = self.length + keys.shape[1]
        if self.keys is None or end > self.keys.shape[1]:
            self._branch.make_room(end, keys)
        assert self.keys is not None
        assert self.values is not None
        self.keys[:, self.length : end] = keys
        self.values[:, self.length : end] = values
        self.length = end
        return self.keys[:, :end], self.values[:, :end]


class Branch:
    """One remembered token sequence and its keys and values."""

    def __init__(self, layers: int) -> None:
        self.tokens: list[int] = []
        self.used_at = 0.0
        self._layers = [KVLayer(self) for _ in range(layers)]
        self.nbytes = 0

    @property
    def layers(self) -> list[KVLayer]:
        """The layers to hand to one forward pass, set to hold exactly `tokens`."""
        for layer in self._layers:
            layer.length = len(self.tokens)
        return self._layers

    def commit(self, tokens: Sequence[int]) -> None:
        """The forward pass over `tokens` is done: they are held from now on."""
        self.tokens.extend(tokens)

    def crop(self, length: int) -> None:
        del self.tokens[length:]

    def fork(self, length: int) -> Branch:
        """A new branch that holds a copy of the first `length` tokens."""
        branch = Branch(len(self._layers))
        first = self._layers[0].keys if self._layers else None
        if length and first is not None:
            branch.make_room(length, first)
            branch._copy(self, length)
            branch.tokens = self.tokens[:length]
        return branch

    def make_room(self, length: int, like: torch.Tensor) -> None:
        """Room for `length` tokens in every layer, in one piece of memory: many small pieces that live long, among the
        large ones of each pass that do not, had torn the heap to four times what was in use."""
        kv_heads, _, size = like.shape
        capacity = (length + GROWTH - 1) // GROWTH * GROWTH
        whole = arena.empty((len(self._layers), 2, kv_heads, capacity, size), like)
        grown = Branch(len(self._layers))
        for layer, (keys, values) in zip(grown._layers, whole, strict=True):
            layer.keys, layer.values = keys, values
        grown._copy(self, len(self.tokens))
        for layer, fresh in zip(self._layers, grown._layers, strict=True):
            layer.keys, layer.values = fresh.keys, fresh.values
        self.nbytes = whole.nbytes

    def _copy(self, other: Branch, length: int) -> None:
        """Take over what the first `length` tokens of `other` left, where it holds any."""
        for mine, theirs in zip(self._layers, other._layers, strict=True):
            if (
                mine.keys is not None
                and mine.values is not None
                and theirs.keys is not None
                and theirs.values is not None
            ):
                mine.keys[:, :length] = theirs.keys[:, :length]
                mine.values[:, :length] = theirs.values[:, :length]


class KVStore:
    """A few branches; those not used for long are dropped, and the least recently used while they exceed the budget."""

    def __init__(self, layers: int, budget_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._layers = layers
        self.budget_bytes = budget_bytes
        self._clock = clock
        self.branches: list[Branch] = []

    def take(self, tokens: Sequence[int]) -> Branch:
        """The branch to run `tokens` on, cropped to their longest common prefix but one short of them all, so that
        there is always a token to run.

        A branch that shares less than half of itself is somebody else's: it stays as it is and lends a copy. Of those
        that share equally much, the shortest loses least.
        """
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
        # The latest last: that is the order in which they are evicted, also within one tick of the clock.
        self.branches.remove(best)
        self.branches.append(best)
        best.used_at = self._clock()
        self.evict()
        return best

    @property
    def nbytes(self) -> int:
        return sum(branch.nbytes for branch in self.branches)

    def evict(self) -> None:
        """Keep to age and budget; the branch taken last always stays."""
        oldest = self._clock() - MAX_AGE_SECONDS
        while len(self.branches) > 1 and (self.branches[0].used_at < oldest or self.nbytes > self.budget_bytes):
            del self.branches[0]


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
