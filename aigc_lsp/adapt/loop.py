"""The training loop: steps, their gradients computed by several workers, evaluations, checkpoints.

A step's texts are split into parts; each worker computes whole parts on a core of its own, and their gradients are
added in the parts' order. So no core waits for another within a matrix product, which is what costs most where cores
are shared, and the sum does not depend on who was first: a run that goes on gives bit for bit the weights of one that
was never interrupted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from aigc_lsp.adapt import checkpoint
from aigc_lsp.adapt.checkpoint import State
from aigc_lsp.adapt.examples import Tokens, batch, parts_of, steps_of
from aigc_lsp.adapt.held import Spread, evaluate
from aigc_lsp.adapt.kernels import NextToken
from aigc_lsp.adapt.network import Batch, Network
from aigc_lsp.adapt.settings import Settings, rate_at
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.errors import UsageError

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """What is trained, on what, and where its checkpoint lies."""

    network: Network
    vocabulary: Vocabulary
    train: Sequence[Tokens]
    held: Sequence[Tokens]
    settings: Settings
    folder: Path
    identity: dict[str, Any]
    """Digests of the base model and of the data: a checkpoint of another is refused."""
    teacher: Network | None = None
    enough: bool = False
    """No step more: what the checkpoint has is the end."""
    last: bool = False
    """The last step's parameters are the result, whatever is held out says of the others."""


def train(run: Run, say: Say, stopped: Callable[[], bool] = lambda: False) -> tuple[State, bool]:
    """Train until the end, or until `stopped` after a step; goes on from the checkpoint where there is one. The state,
    and whether it is the end. The network holds the best parameters at the end, unless the last ones are wanted."""
    settings, network = run.settings, run.network
    parameters = network.parameters()
    optimizer = torch.optim.AdamW(
        parameters,
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=settings.full or None,  # one pass over gigabytes instead of ten: 0.5 s a step instead of 2.8
    )
    best = [tensor.detach().clone() for tensor in parameters]
    state = _resumed(run, optimizer, best) or State()
    if run.enough and not state.step:
        raise UsageError(f"There is no run in {run.folder} to make a model of. Leave --enough out to begin one.")
    steps = Steps(run.train, settings)

    def save() -> None:
        found = {
            "parameters": [each.detach() for each in parameters],
            "optimizer": optimizer.state_dict(),
            "best": best,
        }
        checkpoint.save(run.folder, state, run.identity | {"settings": settings.to_json()}, found)

    def judge(spread: Spread) -> None:
        found = evaluate(network, run.held, run.vocabulary, settings.tokens_per_part, spread)
        state.held.append({"step": state.step, "tokens": state.tokens, **found})
        if state.best_loss is None or found["loss"] < state.best_loss:
            state.best_loss, state.best_step, state.worse = found["loss"], state.step, 0
            for kept, tensor in zip(best, parameters, strict=True):
                kept.copy_(tensor.detach())
        else:
            state.worse += 1
        say(_held_line(state, len(steps)))

    saved = time.monotonic()
    with _workers(settings) as spread:
        if not state.held and run.held:
            judge(spread)
        while not (run.enough or state.step == len(steps) or _given_up(state, settings)):
            if stopped():
                save()
                return state, False
            _step(run, steps.of(state.step), len(steps), optimizer, state, spread, say)
            if run.held and state.step % settings.evaluate_every == 0:
                judge(spread)
            if time.monotonic() - saved >= settings.checkpoint_seconds:
                save()
                saved = time.monotonic()
        if run.held and state.held[-1]["step"] < state.step:
            judge(spread)
    save()
    if run.held and not run.last:
        network.put(best)
    return state, True


class Steps:
    """All steps of a run, by their numbers."""

    def __init__(self, texts: Sequence[Tokens], settings: Settings) -> None:
        self._texts, self._settings = texts, settings
        lengths = [len(text.ids) for text in texts]
        self._epochs: list[list[list[int]]] = []
        self._starts = [0]
        tokens = left = settings.max_tokens or settings.epochs * sum(lengths)
        while left > 0 and tokens:
            steps = steps_of(lengths, settings.tokens_per_step, settings.seed, len(self._epochs))
            kept = _within(steps, lengths, left)
            left -= sum(lengths[number] for step in kept for number in step)
            self._epochs.append(kept)
            self._starts.append(self._starts[-1] + len(kept))

    def __len__(self) -> int:
        return self._starts[-1]

    def of(self, number: int) -> list[Tokens]:
        epoch = next(n for n, start in enumerate(self._starts[1:]) if number < start)
        return [self._texts[each] for each in self._epochs[epoch][number - self._starts[epoch]]]


def _within(steps: list[list[int]], lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """The first of `steps` until they have `tokens`."""
    kept = []
    for step in steps:
        if tokens <= 0:
            break
        kept.append(step)
        tokens -= sum(lengths[number] for number in step)
    return kept


def _step(
    run: Run,
    texts: Sequence[Tokens],
    steps: int,
    optimizer: torch.optim.Optimizer,
    state: State,
    spread: Spread,
    say: Say,
) -> None:
    began = time.perf_counter()
    settings, parameters = run.settings, run.network.parameters()
    split = parts_of(texts, settings.tokens_per_part, settings.workers)
    parts = [batch(part, run.vocabulary, run.network.device) for part in split]
    learnt = sum(len(part.targets) for part in parts)
    total = 0.0
    summed: list[torch.Tensor] | None = None
    for loss, found in spread(partial(_gradients, run), parts):
        total += loss
        if summed is None:
            summed = [gradient.float() for gradient in found]
        else:
            torch._foreach_add_(summed, found)
        del found  # of whole matrices it is 0.7 GB, which are not to be kept until the next part is done
    assert summed is not None
    for parameter, gradient in zip(parameters, summed, strict=True):
        parameter.grad = gradient.div_(learnt)
    torch.nn.utils.clip_grad_norm_(parameters, settings.clip)
    for group in optimizer.param_groups:
        group["lr"] = rate_at(state.step, steps, settings)
    optimizer.step()
    optimizer.zero_grad()
    run.network.settle()
    tokens, seconds = sum(len(text.ids) for text in texts), time.perf_counter() - began
    state.step += 1
    state.tokens += tokens
    state.learnt += learnt
    state.seconds += seconds
    state.losses.append([state.step, total / learnt])
    say(_step_line(state, steps, tokens / seconds))


def _gradients(run: Run, part: Batch) -> tuple[float, tuple[torch.Tensor, ...]]:
    """The part's loss, summed over its tokens, and that sum's gradient by each parameter."""
    network = run.network
    says = None if run.teacher is None else teacher_logits(run.teacher, part, len(network.head))
    share, temperature = run.settings.teacher_share, run.settings.temperature
    rows = network.rows(part)
    loss = NextToken.apply(rows, network.head, part.targets, part.allowed, says, share, temperature)
    return float(loss.detach()), torch.autograd.grad(loss, network.leaves())


def teacher_logits(teacher: Network, part: Batch, vocabulary: int) -> Callable[[slice], torch.Tensor]:
    """What the teacher says of the rows that are wanted, as wide as the student's `vocabulary`: matrices of one
    tokenizer are filled up to different sizes."""
    with torch.no_grad():
        rows = teacher.rows(part)

    def says(which: slice) -> torch.Tensor:
        with torch.no_grad():
            logits = functional.linear(rows[which], teacher.head)[:, :vocabulary]
            return functional.pad(logits, (0, vocabulary - logits.shape[1]), value=-1e4)

    return says


@contextmanager
def _workers(settings: Settings) -> Iterator[Spread]:
    if settings.workers == 1:
        yield map
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(settings.workers, "adapt", initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(before)


def _resumed(run: Run, optimizer: torch.optim.Optimizer, best: Sequence[torch.Tensor]) -> State | None:
    found = checkpoint.load(run.folder)
    if found is None:
        return None
    state, of, tensors = found
    before = of.pop("settings")
    if of != run.identity:
        raise UsageError(
            f"The run in {run.folder} is of another model or other data. Remove it, or name another --run."
        )
    if changed := run.settings.differing(before):
        said = ", ".join(f"{name} was {value}" for name, value in changed.items())
        raise UsageError(f"The run in {run.folder} began with other settings ({said}). Use those, or another --run.")
    run.network.put(tensors["parameters"])
    for kept, tensor in zip(best, tensors["best"], strict=True):
        kept.copy_(tensor)
    optimizer.load_state_dict(tensors["optimizer"])
    return state


def _given_up(state: State, settings: Settings) -> bool:
    return 0 < settings.patience <= state.worse


def _step_line(state: State, steps: int, speed: float) -> str:
    recent = [loss for _, loss in state.losses[-20:]]
    left = (steps - state.step) * state.seconds / state.step / 60
    return (
        f"step {state.step}/{steps}  {state.tokens:,} tokens  loss {state.losses[-1][1]:.3f} "
        f"(last {len(recent)}: {sum(recent) / len(recent):.3f})  {speed:.0f} tokens/s  {left:.0f} min left"
    )


def _held_line(state: State, steps: int) -> str:
    last = state.held[-1]
    return (
        f"held out at step {state.step}/{steps}: loss {last['loss']:.3f}  exact {last['exact']:.1%}  "
        f"ends {last['ends']:.1%}  of {last['rows']} rows; best loss {state.best_loss:.3f} at step {state.best_step}"
    )
