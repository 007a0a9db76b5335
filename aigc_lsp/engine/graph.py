"""The decode step for a GPU: the same forward pass over tensors whose shapes and addresses never change, so that it can
be recorded once as a CUDA graph and replayed with a single launch.

A small model's token is some hundred kernels of a few microseconds each, so on a GPU launching them is what it costs
("Accelerating PyTorch with CUDA Graphs", pytorch.org, 2021). A graph wants fixed shapes: keys and values are read
whole, up to a capacity of 512, 1,024, … columns, with a mask over what is not written yet. They lie in a `Stage`, a
copy of one branch at a time; after each step the new columns are written back, so that the branch stays the truth.

There is a graph for each number of tokens up to a draft's length and each capacity, recorded when it is first needed.
Padding to a few numbers would save recordings, each worth a few plain steps, and pay in every step after; it would also
write columns of tokens that do not exist.

Nothing in here waits for the device, but for a recording: what comes in is on the host already (`ids`), what goes out
is a tensor on the device. The host waits once for each token, when `sampling.choose` fetches its id.

Weights are bfloat16. torch has packed kernels for CUDA (`_weight_int4pack_mm` with `_convert_weight_to_int4pack`,
groups of 32 to 256, bfloat16, compute capability 8.0 or newer; `_weight_int8pack_mm`, since pytorch/pytorch#159325).
Neither is used: the packed file is in the order of the CPU's kernels, and they pay only where reading weights is what a
token costs, as with 7B on a small card. That has not been measured, nor has anything else here: no GPU was at hand, and
the tests run all but `CudaReplay` on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import torch

from aigc_lsp.engine.attention import grouped_mask
from aigc_lsp.engine.decoder import Decoder, Interrupted, Shape
from aigc_lsp.engine.layers import Linear
from aigc_lsp.engine.lookup import MOST
from aigc_lsp.engine.store import Branch, common_prefix

LONGEST = MOST + 1
"""Tokens of the longest pass that takes the static step: one chosen and a draft."""

SMALLEST = 512
"""Columns of the smallest capacity; each next one is twice as large, and the last is the model's positions."""

WARM_UPS = 3
"""Plain runs before a recording, in which libraries allocate and choose their kernels; as many as in torch's notes."""

Step = Callable[[], torch.Tensor]
"""One forward pass from fixed tensors into fixed tensors: the logits float32 [count, vocabulary]. To run it twice is to
run it once."""


class Replay(Protocol):
    """A `Step` that is recorded when this is made and run anew at each call. What it returns holds until the next call
    of any replay."""

    def __call__(self) -> torch.Tensor: ...


class PlainReplay:
    """Where there is nothing to record with."""

    def __init__(self, step: Step, pool: Any) -> None:
        self._step = step

    def __call__(self) -> torch.Tensor:
        return self._step()


class CudaReplay:
    """As a CUDA graph (PyTorch's CUDA semantics, "CUDA graphs"): warmed up on a side stream, then recorded.

    Recordings share the memory of `pool`. One may write over another's result, which is why results are copied at once.
    """

    def __init__(self, step: Step, pool: Any) -> None:
        current, side = torch.cuda.current_stream(), torch.cuda.Stream()
        side.wait_stream(current)
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                step()
        current.wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool=pool):
            self._output = step()

    def __call__(self) -> torch.Tensor:
        self._graph.replay()
        return self._output


class Slots:
    """One layer of a stage in the place of a `KVLayer`: [kv_heads, capacity, head_size], written at `positions`."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, positions: torch.Tensor) -> None:
        self._keys, self._values, self._positions = keys, values, positions

    def update(self, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the new tokens' keys and values [kv_heads, count, head_size]; the whole capacity."""
        self._keys.index_copy_(1, self._positions, keys)
        self._values.index_copy_(1, self._positions, values)
        return self._keys, self._values


class Stage:
    """Keys and values at a fixed address, the tokens that they are of, and what was recorded on them.

    Which branch they were copied from does not matter, only which tokens: those of the same text up to there are the
    same, whichever pass computed them.
    """

    def __init__(self, shape: Shape, capacity: int, like: torch.Tensor, pool: Any) -> None:
        """`like`: of the keys' type and device."""
        size = (shape.kv_heads, capacity, shape.head_size)
        # Zeros, since what the mask hides is still multiplied, by 0.
        self.layers = [(like.new_zeros(size), like.new_zeros(size)) for _ in range(shape.layers)]
        self.columns = torch.arange(capacity, device=like.device)
        self.capacity, self.pool = capacity, pool
        self.tokens: list[int | None] = []  # None: of no text, and equal to nothing
        self.replays: dict[tuple[int, int], Replay] = {}

    def hold(self, branch: Branch) -> None:
        """Copy from `branch` what differs from what is held."""
        length = len(branch.tokens)
        shared = common_prefix(self.tokens, branch.tokens)  # type: ignore[arg-type]
        del self.tokens[shared:]
        if shared == length:
            return
        for (keys, values), layer in zip(self.layers, branch.layers, strict=True):
            assert layer.keys is not None
            assert layer.values is not None
            keys[:, shared:length] = layer.keys[:, shared:length]
            values[:, shared:length] = layer.values[:, shared:length]
        self.tokens += [token if token >= 0 else None for token in branch.tokens[shared:]]

    def give(self, branch: Branch, count: int) -> None:
        """Write the `count` columns behind what `branch` holds into it; committing them is the caller's."""
        new = slice(len(branch.tokens), len(branch.tokens) + count)
        for (keys, values), layer in zip(self.layers, branch.layers, strict=True):
            layer.update(keys[:, new], values[:, new])


class StaticDecoder:
    """See `decoder.LanguageModel`. Passes over a few tokens that follow one another take the static step; all others,
    the prompt's chunks and the trees of `choices`, go to the wrapped decoder as they are.

    `ids` should be on the host: they are looked at here, and waiting for the device is what this is there to avoid.
    """

    def __init__(self, decoder: Decoder, capture: bool | None = None) -> None:
        """`capture`: whether steps are recorded; by default on a CUDA device."""
        self.decoder = decoder
        self.layers, self.vocabulary, self.device = decoder.layers, decoder.vocabulary, decoder.device
        self._capture = decoder.device.type == "cuda" if capture is None else capture
        self.replay: Callable[[Step, Any], Replay] = CudaReplay if self._capture else PlainReplay
        self.stage: Stage | None = None
        # By the number of tokens: their ids and their positions, int64 [2, count].
        self._inputs = {
            count: torch.zeros(2, count, dtype=torch.int64, device=decoder.device) for count in range(1, LONGEST + 1)
        }

    @property
    def linears(self) -> list[Linear]:
        return self.decoder.linears

    def bytes_per_token(self, context: int) -> int:
        return self.decoder.bytes_per_token(context)

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
        count, held = len(ids), len(branch.tokens)
        capacity = self._capacity(held + count)
        if count > LONGEST or capacity is None or positions is not None or sees is not None:
            return self.decoder(ids, branch, rows=rows, positions=positions, sees=sees, interrupted=interrupted)
        if interrupted is not None and interrupted():
            raise Interrupted
        tokens: list[int] = ids.tolist()
        stage = self._stage(capacity)
        stage.hold(branch)
        logits = self._run(stage, tokens, held, capacity)
        stage.tokens += tokens
        stage.give(branch, count)
        return logits[-rows:].clone() if rows else logits.new_empty(0, 0)

    def _capacity(self, needed: int) -> int | None:
        """The least that holds `needed` columns; None where the model has fewer positions."""
        capacity, positions = SMALLEST, self.decoder.shape.positions
        while capacity < needed:
            capacity *= 2
        return min(capacity, positions) if needed <= positions else None

    def _stage(self, capacity: int) -> Stage:
        """One with room for `capacity` columns. A larger one takes the place of a smaller one and of its recordings;
        smaller capacities are views of it, so that going back and forth costs nothing."""
        if self.stage is None or self.stage.capacity < capacity:
            self.stage = None  # first, so that there is memory for the larger one
            pool = torch.cuda.graph_pool_handle() if self._capture else None
            self.stage = Stage(self.decoder.shape, capacity, self.decoder.embedding, pool)
        return self.stage

    def _run(self, stage: Stage, tokens: list[int], held: int, capacity: int) -> torch.Tensor:
        """The logits [count, vocabulary] after each of `tokens`, which stand behind the `held` first of the stage."""
        count = len(tokens)
        inputs = self._inputs[count]
        # From pinned memory, and in a tensor of its own each time: the copy may still be under way at the next step.
        at = list(range(held, held + count))
        inputs.copy_(torch.tensor([tokens, at], pin_memory=self._capture), non_blocking=True)
        replay = stage.replays.get((count, capacity))
        if replay is None:
            slots = [Slots(keys[:, :capacity], values[:, :capacity], inputs[1]) for keys, values in stage.layers]
            step = partial(self._step, inputs, slots, stage.columns[:capacity])
            replay = stage.replays[count, capacity] = self.replay(step, stage.pool)
        return replay()

    def _step(self, inputs: torch.Tensor, slots: list[Slots], columns: torch.Tensor) -> torch.Tensor:
        """What is recorded: every shape is known from the arguments' own, and no value is looked at."""
        decoder, shape = self.decoder, self.decoder.shape
        ids, positions = inputs
        x = decoder.embedding[ids]
        turn = decoder._turn(positions, x.dtype)
        mask = grouped_mask(columns <= positions[:, None], shape.heads // shape.kv_heads, x.dtype)
        for block, slot in zip(decoder.blocks, slots, strict=True):
            x = decoder._block(block, slot, x, turn, mask)
        return decoder.logits(x)
