"""The static decode step says what the plain forward pass says, replayed from a recording too, and the branch stays the
truth. All of it runs on the CPU: a `Tape` records and replays the step as a CUDA graph would."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import torch
from test_parity import check, edits
from tiny_model import Recorder, answer, assert_store_true, plain_greedy, tiny_decoder
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from aigc_lsp.engine import generate, graph
from aigc_lsp.engine.decoder import Decoder, Interrupted, build
from aigc_lsp.engine.generate import NO_TOKEN, Engine, Request
from aigc_lsp.engine.graph import LONGEST, CudaReplay, StaticDecoder, Step
from aigc_lsp.engine.lookup import Speculation
from aigc_lsp.engine.sampling import Sampling, choose
from aigc_lsp.engine.store import Branch
from aigc_lsp.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SYNCS = {"aten::_local_scalar_dense", "aten::item", "aten::is_nonzero", "aten::nonzero", "aten::masked_select"}
"""What makes the host wait for a device: a value is read, or a shape depends on one."""


class Tape(TorchDispatchMode):
    """A CUDA graph on the CPU: what the step does is recorded with the very tensors it did it to, and a replay does
    that again and nothing else. What any recording has answered before is gone after it, since they share memory."""

    def __init__(self, made: list[Tape], step: Step, pool: Any) -> None:
        super().__init__()
        self.replayed = 0
        self.ops: list[tuple[Any, Any, Any, list[Any]]] = []
        with self:
            self.output = step()
        made.append(self)
        self._made = made

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.ops.append((func, args, kwargs or {}, tree_flatten(result)[0]))
        return result

    def __call__(self) -> torch.Tensor:
        self.replayed += 1
        for tape in self._made:
            tape.output.fill_(float("nan"))
        for func, args, kwargs, recorded in self.ops:
            for old, new in zip(recorded, tree_flatten(func(*args, **kwargs))[0], strict=True):
                if old.data_ptr() != new.data_ptr():
                    old.copy_(new)
        return self.output

    @property
    def writes(self) -> list[int]:
        """The addresses that keys and values are written to."""
        return [args[0].data_ptr() for func, args, _, _ in self.ops if "index_copy_" in func.name()]


class Watch(TorchDispatchMode):
    """Names of all operations that are done."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(func.name().split(".")[0])
        return func(*args, **(kwargs or {}))


@pytest.fixture(autouse=True)
def small_capacities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "SMALLEST", 8)


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture
def plain(weights: PreTrainedModel) -> Decoder:
    return tiny_decoder(weights)


@pytest.fixture
def tapes() -> list[Tape]:
    return []


@pytest.fixture(params=["plain", "tape"])
def static(request: pytest.FixtureRequest, plain: Decoder, tapes: list[Tape]) -> StaticDecoder:
    return wrapped(plain, tapes if request.param == "tape" else None)


@pytest.fixture
def static_engine(static: StaticDecoder, vocabulary: Vocabulary) -> Engine:
    return Engine(static, vocabulary)


def wrapped(decoder: Decoder, tapes: list[Tape] | None) -> StaticDecoder:
    static = StaticDecoder(decoder)
    static.reference = decoder.reference  # type: ignore[attr-defined]
    if tapes is not None:
        static.replay = partial(Tape, tapes)
    return static


def read(model: Any, branch: Branch, tokens: Sequence[int], **kwargs: Any) -> torch.Tensor:
    """As the engine does: the logits after each of `tokens`, which are held from then on."""
    logits = model(torch.tensor(tokens), branch, rows=len(tokens), **kwargs)
    branch.commit(tokens)
    return logits


class Pair:
    """A branch read by the static step, and one read by the plain pass."""

    def __init__(self, static: StaticDecoder, branches: tuple[Branch, Branch] | None = None) -> None:
        self.static = static
        self.branch, self.other = branches or (Branch(static.layers), Branch(static.layers))

    def read(self, *tokens: int) -> None:
        """The answer and all that is held must be the same."""
        passes = ((self.static, self.branch), (self.static.decoder, self.other))
        ours, plain = (read(model, branch, tokens) for model, branch in passes)
        torch.testing.assert_close(ours, plain, atol=1e-4, rtol=1e-4)
        self.check()

    def check(self) -> None:
        length = len(self.other.tokens)
        assert self.branch.tokens == self.other.tokens
        for ours, plain in zip(self.branch.layers, self.other.layers, strict=True):
            for name in ("keys", "values"):
                mine, true = getattr(ours, name)[:, :length], getattr(plain, name)[:, :length]
                torch.testing.assert_close(mine, true, atol=1e-4, rtol=1e-4)

    def crop(self, length: int) -> None:
        self.branch.crop(length)
        self.other.crop(length)

    def fork(self, length: int) -> Pair:
        return Pair(self.static, (self.branch.fork(length), self.other.fork(length)))


@contextmanager
def failing(decoder: Decoder, at: int) -> Iterator[None]:
    """The `at`-th layer that is computed from now on fails, after it has written its keys and values."""
    block, calls = decoder._block, 0

    def fails(*args: Any) -> torch.Tensor:
        nonlocal calls
        result = block(*args)
        calls += 1
        if calls == at:
            raise RuntimeError("a layer failed")
        return result

    decoder._block = fails  # type: ignore[method-assign]
    try:
        yield
    finally:
        decoder._block = block  # type: ignore[method-assign]


@pytest.mark.parametrize("count", range(1, LONGEST + 1))
def test_every_length_at_every_edge_of_a_capacity(static: StaticDecoder, count: int) -> None:
    for edge in (8, 16, 32, 64):
        for held in range(max(0, edge - count - 1), edge + 2):
            pair = Pair(static)
            for branch in (pair.branch, pair.other):
                if held:
                    read(static.decoder, branch, list(range(held)))
            pair.read(*range(100, 100 + count))


def test_growth_across_capacities(static: StaticDecoder) -> None:
    pair = Pair(static)
    rng = random.Random(1)
    while len(pair.branch.tokens) < 70:
        pair.read(*(rng.randrange(300) for _ in range(rng.randint(1, LONGEST))))
    assert static.stage is not None
    assert static.stage.capacity == 128


def test_crop_then_other_tokens_of_the_same_number(static: StaticDecoder) -> None:
    pair = Pair(static)
    pair.read(1, 2, 3, 4, 5)
    pair.crop(2)
    pair.read(30, 40, 50)
    pair.crop(4)
    pair.read(51)
    pair.read(6, 7)


def test_what_another_pass_wrote_is_seen(static: StaticDecoder) -> None:
    """Cropped and read anew by the prompt's pass, which knows nothing of the stage."""
    pair = Pair(static)
    pair.read(1, 2, 3, 4, 5)
    pair.crop(3)
    for branch in (pair.branch, pair.other):
        read(static.decoder, branch, [60, 61])
    pair.read(7)


def test_forks_and_switches(static: StaticDecoder) -> None:
    first = Pair(static)
    first.read(1, 2, 3, 4, 5, 6)
    first.read(7, 8)
    second = first.fork(5)
    second.read(70, 80, 90)
    third = Pair(static)
    third.read(9)
    for number in range(10, 16):
        for pair in (first, second, third):
            pair.read(number)
    first.crop(6)
    second.read(1)
    first.read(70, 80)


def test_a_dropped_branch_whose_place_is_taken(static: StaticDecoder) -> None:
    """A new branch with the same address and as many tokens is still another one."""
    for start in range(0, 60, 10):
        pair = Pair(static)
        pair.read(*range(start, start + 4))
        pair.read(3)
        del pair


def test_tokens_of_no_text_are_never_taken_for_one_another(static: StaticDecoder) -> None:
    pairs = [Pair(static), Pair(static)]
    for pair, unnamed in zip(pairs, ([5, 6], [7, 8]), strict=True):
        for branch in (pair.branch, pair.other):
            read(static.decoder, branch, [1, 2])
            static.decoder(torch.tensor(unnamed), branch)
            branch.commit([NO_TOKEN] * 2)
    for token in (3, 4):
        for pair in pairs:
            pair.read(token)


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("behind", [3, 6])
def test_a_failure_in_a_layer(plain: Decoder, at: int, behind: int) -> None:
    pair = Pair(wrapped(plain, None))
    pair.read(*range(behind))
    with failing(plain, at), pytest.raises(RuntimeError):
        read(pair.static, pair.branch, [50, 51, 52])
    pair.check()
    for branch in (pair.branch, pair.other):
        read(plain, branch, [50, 51, 52])  # the same tokens, by the pass that knows nothing of the stage
    pair.read(60, 61, 62)
    pair.crop(behind)
    with failing(plain, at), pytest.raises(RuntimeError):
        read(pair.static, pair.branch, [60, 61])
    pair.read(50, 51)


def test_a_failure_while_it_is_recorded(plain: Decoder, tapes: list[Tape]) -> None:
    pair = Pair(wrapped(plain, tapes))
    with failing(plain, 2), pytest.raises(RuntimeError):
        read(pair.static, pair.branch, [50, 51])
    assert not tapes
    pair.read(60, 61)
    assert len(tapes) == 1


def test_a_failure_while_columns_are_copied(static: StaticDecoder, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair(static)
    pair.read(1, 2, 3)
    with monkeypatch.context() as patch:
        patch.setattr(pair.branch._layers[1], "update", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            read(static, pair.branch, [4])
    pair.check()
    pair.read(5)
    pair.read(4)


def test_interrupted_before_the_step(static: StaticDecoder) -> None:
    pair = Pair(static)
    pair.read(1, 2)
    with pytest.raises(Interrupted):
        read(static, pair.branch, [3], interrupted=lambda: True)
    read(static, pair.branch, [3], interrupted=lambda: False)
    read(static.decoder, pair.other, [3])
    pair.check()


def test_rows(static: StaticDecoder) -> None:
    branch = Branch(static.layers)
    assert static(torch.tensor([1, 2, 3]), branch, rows=0).shape == (0, 0)
    all_rows = static(torch.tensor([1, 2, 3]), branch, rows=3)
    assert static(torch.tensor([1, 2, 3]), branch, rows=2).equal(all_rows[1:])


def test_behind_the_last_position_the_plain_pass_is_asked(static: StaticDecoder) -> None:
    last = static.decoder.shape.positions
    assert [static._capacity(needed) for needed in (1, 8, 9, last, last + 1)] == [8, 8, 16, last, None]


def test_long_and_unordered_passes_are_the_wrapped_decoders(static: StaticDecoder) -> None:
    branch = Branch(static.layers)
    read(static, branch, list(range(LONGEST + 1)))
    at, sees = torch.tensor([LONGEST + 1] * 2), torch.ones(2, LONGEST + 3, dtype=torch.bool)
    read(static, branch, [1, 2], positions=at, sees=sees)
    assert static.stage is None


def test_one_recording_for_each_shape_at_one_place(plain: Decoder, tapes: list[Tape]) -> None:
    static = wrapped(plain, tapes)
    pairs = [Pair(static), Pair(static)]
    for pair in pairs:
        read(plain, pair.branch, list(range(17)))
        read(plain, pair.other, list(range(17)))
    for number in range(4):
        for pair in pairs:
            pair.read(number)
            pair.read(number, 8)
    short = Pair(static)
    short.read(1)
    short.read(2)
    assert static.stage is not None
    assert set(static.stage.replays) == {(1, 32), (2, 32), (1, 8)}
    assert len(tapes) == 3
    assert sum(tape.replayed for tape in tapes) == 18
    places = [tensor.data_ptr() for layer in static.stage.layers for tensor in layer]
    assert all(tape.writes == places for tape in tapes)


def test_a_larger_stage_takes_the_recordings_with_it(plain: Decoder, tapes: list[Tape]) -> None:
    pair = Pair(wrapped(plain, tapes))
    pair.read(1, 2, 3, 4, 5, 6)
    small = pair.static.stage
    pair.read(7, 8, 9)
    assert pair.static.stage is not small
    pair.crop(4)
    pair.read(5)
    assert set(pair.static.stage.replays) == {(3, 16), (1, 8)}


def test_an_answer_outlives_the_next_replay(static: StaticDecoder) -> None:
    branch = Branch(static.layers)
    first = read(static, branch, [1, 2])
    before = first.clone()
    read(static, branch, [3, 4])
    read(static, branch, [5])
    assert first.equal(before)


def test_the_host_never_waits(plain: Decoder) -> None:
    """Neither in the first step nor while a branch is copied in and a step is replayed."""
    with torch.inference_mode(False), torch.no_grad():  # inference mode hides what an operation is made of
        static, branch = StaticDecoder(plain), Branch(plain.layers)
        read(plain, branch, list(range(9)))
        for tokens in ([1], [2, 3], [4]):
            with Watch() as watch:
                read(static, branch, tokens)
            assert "aten::index_copy_" in watch.names
            assert not watch.names & SYNCS
        with Watch() as watch:
            assert bool(branch.layers[0].keys.sum() != 0)
        assert watch.names & SYNCS


def test_without_any_values_at_all(plain: Decoder) -> None:
    """On torch's `meta` device tensors have shapes and no values: to look at one is an error."""
    names = plain.reference.state_dict()  # type: ignore[attr-defined]
    empty = build(plain.shape, {name: tensor.detach().to("meta") for name, tensor in names.items()}, {})
    static, branch = StaticDecoder(empty), Branch(plain.layers)
    for tokens in ([1, 2], [3], [4, 5, 6, 7, 8, 9], [10]):
        logits = read(static, branch, tokens)
        assert (logits.device.type, logits.shape) == ("meta", (len(tokens), plain.vocabulary))


def test_choosing_fetches_one_thing(plain: Decoder) -> None:
    logits = read(plain, Branch(plain.layers), [1, 2, 3])[-1]
    with torch.inference_mode(False), torch.no_grad():
        for allowed in (None, torch.arange(5, 300)):
            with Watch() as watch:
                token, logprob = choose(logits.clone(), Sampling(), None, allowed)
            assert not watch.names & SYNCS
            pool = logits if allowed is None else logits[5:300]
            assert token == int(pool.argmax()) + (0 if allowed is None else 5)
            assert logprob == float(logits[token] - pool.logsumexp(0))


@pytest.mark.parametrize("speculate", [False, True])
def test_edits(static_engine: Engine, chosen: Recorder, monkeypatch: pytest.MonkeyPatch, speculate: bool) -> None:
    """Greedy decoding with reuse, token for token what plain uncached decoding gives."""
    monkeypatch.setattr(generate, "CHUNK", 7)
    rng = random.Random(3)
    monkeypatch.setattr(Speculation, "count", lambda *_: rng.randint(1, LONGEST - 1))
    static_engine.speculate = speculate
    assert check(static_engine, chosen, edits(random.Random(11), len(static_engine.vocabulary), 25)) > 100


def test_drafts_kept_and_dropped(static_engine: Engine, chosen: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five tokens are drafted each time, of which none, some or all are what comes."""
    prompt = list(range(10))
    true = plain_greedy(static_engine.model, prompt, 60)

    class Drafts:
        def __init__(self, *_: object) -> None:
            self.fed = 0

        def feed(self, token: int) -> None:
            self.fed += 1

        def draft(self) -> tuple[int, list[int]]:
            guess = true[self.fed : self.fed + 5]
            right = self.fed % 6
            return 6, guess[:right] + [(token + 1) % 300 for token in guess[right:]]

    monkeypatch.setattr(generate, "Lookup", Drafts)
    monkeypatch.setattr(Speculation, "count", lambda *_: LONGEST - 1)
    answer(static_engine, Request(prompt, max_tokens=60))
    assert chosen.tokens == true
    assert_store_true(static_engine)
    assert LONGEST in {count for count, _ in static_engine.model.stage.replays}  # type: ignore[attr-defined]


def test_a_generation_that_fails_midway(static_engine: Engine, chosen: Recorder) -> None:
    """In the second step, or in the second recording, which the 17th token needs."""
    static_engine.speculate = False
    model, prompt = static_engine.model, list(range(12))
    with failing(model.decoder, 8), pytest.raises(RuntimeError):  # type: ignore[attr-defined]
        list(static_engine.generate(Request(prompt, max_tokens=30)))
    assert_store_true(static_engine)
    assert static_engine.store.branches[0].tokens
    chosen.clear()
    answer(static_engine, Request(prompt, max_tokens=10))
    assert chosen.tokens == plain_greedy(model, prompt, 10)
    assert_store_true(static_engine)


def test_choices(static_engine: Engine, new_engine: Callable[..., Engine]) -> None:
    request = Request(list(range(20)), max_tokens=6, choices=3)
    ours, plain = (answer(engine, request).outcome.choices for engine in (static_engine, new_engine()))
    assert [choice.tokens for choice in ours] == [choice.tokens for choice in plain]
    assert len(ours) == 3
    assert_store_true(static_engine)
    answer(static_engine, Request(list(range(20)), max_tokens=6))
    assert_store_true(static_engine)


def test_a_cuda_recording_is_warmed_up_beside_and_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The calls and their order, on a stand-in for torch.cuda; that they do what they should is for a GPU to show."""
    log: list[str] = []

    class Stream:
        def __init__(self, name: str = "side") -> None:
            self.name = name

        def wait_stream(self, other: Stream) -> None:
            log.append(f"{self.name} waits for {other.name}")

    @contextmanager
    def inside(name: str) -> Iterator[None]:
        log.append(f"in {name}")
        yield
        log.append(f"out of {name}")

    class Recording:
        def replay(self) -> None:
            log.append("replay")

    stand_ins = {
        "Stream": Stream,
        "current_stream": lambda: Stream("current"),
        "stream": lambda stream: inside(stream.name),
        "CUDAGraph": Recording,
        "graph": lambda recording, pool: inside(f"recording in {pool}"),
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    result = torch.zeros(1)
    replay = CudaReplay(lambda: log.append("step") or result, "the pool")  # type: ignore[func-returns-value]
    assert log == [
        *("side waits for current", "in side", *["step"] * graph.WARM_UPS, "out of side", "current waits for side"),
        *("in recording in the pool", "step", "out of recording in the pool"),
    ]
    assert replay() is result
    assert replay() is result
    assert log[-2:] == ["replay", "replay"]
