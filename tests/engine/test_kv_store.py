"""The KV store against a plain model of it, with made-up keys and values that say what they stand for."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.engine import arena
from aigc_lsp.engine import store as store_module
from aigc_lsp.engine.store import MAX_AGE_SECONDS, Branch, KVStore, common_prefix

LAYERS = 2
GROWTH = 4
STEP_BYTES = 2 * LAYERS * GROWTH * 4
"""Of one step of growth."""


def shared(a: Sequence[int], b: Sequence[int]) -> int:
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def states(tokens: Sequence[int], start: int, layer: int) -> torch.Tensor:
    """One number for each token from `start` on, which depends on all tokens up to it, as keys and values do."""
    numbers, number = [], 1 + layer
    for token in tokens:
        number = (number * 31 + token + 1) % 10007
        numbers.append(float(number))
    return torch.tensor(numbers[start:]).reshape(1, -1, 1)


def read(branch: Branch, tokens: Sequence[int], layers: int = LAYERS) -> None:
    """A forward pass over `tokens`; one that reaches only some of the layers fails and commits nothing."""
    start, whole, held = len(branch.tokens), [*branch.tokens, *tokens], branch.layers
    assert [layer.length for layer in held] == [start] * LAYERS
    for number in range(layers):
        new = states(whole, start, number)
        keys, values = held[number].update(new, -new)
        assert torch.equal(keys, states(whole, 0, number))
        assert torch.equal(values, -states(whole, 0, number))
    if layers == LAYERS:
        branch.commit(tokens)


def run(store: KVStore, tokens: Sequence[int]) -> Branch:
    """The whole way of a prompt through the store."""
    branch = store.take(tokens)
    read(branch, tokens[len(branch.tokens) :])
    return branch


def assert_true(store: KVStore) -> None:
    for branch in store.branches:
        for number, layer in enumerate(branch.layers):
            if branch.tokens:
                held = states(branch.tokens, 0, number)
                assert torch.equal(layer.keys[:, : len(branch.tokens)], held)
                assert torch.equal(layer.values[:, : len(branch.tokens)], -held)


TOKENS = st.lists(st.integers(0, 2), min_size=1, max_size=12)
LATER = st.sampled_from([0.0, 0.0, 1.0, MAX_AGE_SECONDS / 2, MAX_AGE_SECONDS + 1.0])
STEPS = st.lists(
    st.tuples(TOKENS, st.integers(0, 12), st.sampled_from([LAYERS, LAYERS, LAYERS, 1, 0]), LATER),
    min_size=1,
    max_size=12,
)


@given(steps=STEPS, budget=st.integers(0, 8), as_tuple=st.booleans())
def test_against_a_plain_model(steps: list[tuple[list[int], int, int, float]], budget: int, as_tuple: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_module, "GROWTH", GROWTH)
        time = 0.0
        store = KVStore(LAYERS, budget * STEP_BYTES, clock=lambda: time)
        used: dict[int, tuple[int, float]] = {}
        for now, (tokens, read_now, layers, later) in enumerate(steps):
            time += later
            before = {id(branch): (branch, list(branch.tokens)) for branch in store.branches}
            branch = store.take(tuple(tokens) if as_tuple else tokens)

            # What is reused is the longest common prefix, one short of the whole.
            could = max((shared(old, tokens) for _, old in before.values()), default=0)
            assert branch.tokens == tokens[: min(could, len(tokens) - 1)]
            # A branch is only taken from who shares at least half of it; the others are left as they were.
            if id(branch) in before:
                old = before[id(branch)][1]
                assert shared(old, tokens) * 2 >= len(old)
            for other in store.branches:
                assert other is branch or other.tokens == before[id(other)][1]
            # The budget and the age hold but for the branch in use, and who was not used for longest goes first.
            used[id(branch)] = now, time
            kept = [id(other) for other in store.branches]
            assert kept == sorted(kept, key=lambda key: used[key])
            assert kept[-1] == id(branch)
            assert store.nbytes <= budget * STEP_BYTES or store.branches == [branch]
            assert all(time - used[key][1] <= MAX_AGE_SECONDS for key in kept)
            dropped = sorted((key for key in before if key not in kept), key=lambda key: used[key])
            assert max((used[key] for key in dropped), default=(-1, 0.0)) < min(used[key] for key in kept)
            # No more than has to.
            if dropped and time - used[dropped[-1]][1] <= MAX_AGE_SECONDS:
                assert store.nbytes + before[dropped[-1]][0].nbytes > budget * STEP_BYTES
            assert_true(store)
            used = {key: used[key] for key in kept}

            rest = tokens[len(branch.tokens) :][:read_now]
            for start in range(0, len(rest), 5):
                read(branch, rest[start : start + 5], layers)
                if layers < LAYERS:
                    break
            assert_true(store)


def test_the_branch_that_shares_most_is_taken() -> None:
    store = KVStore(LAYERS, 1 << 20)
    first, second, third = (run(store, tokens) for tokens in ([1, 2, 3, 4, 5, 6], [1, 2, 7, 8, 9, 9], [4, 4, 4]))
    assert store.branches == [first, second, third]
    assert store.take([1, 2, 7, 8, 0]) is second
    assert store.take([4, 4, 4, 4]) is third
    assert store.take([1, 2, 3, 4, 5, 6, 7]) is first


def test_among_equals_the_one_that_loses_least_is_taken() -> None:
    store = KVStore(LAYERS, 1 << 20)
    short, long = run(store, [1, 2, 9, 9, 9, 9]), run(store, [1, 2, 3, 4, 5, 6, 7, 8])
    assert run(store, [1, 2, 9]) is short
    assert store.branches == [long, short]  # the latest last
    assert store.take([1, 2, 0, 0, 0]) is short
    assert long.tokens == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_branch_that_shares_less_than_half_lends_a_copy() -> None:
    store = KVStore(LAYERS, 1 << 20)
    long = run(store, [1] * 10)
    branch = store.take([1, 1, 1, 2])
    assert branch is not long
    assert branch.tokens == [1, 1, 1]
    read(branch, [2, 2])
    assert long.tokens == [1] * 10
    assert_true(store)


def test_the_same_again_leaves_one_token_to_run() -> None:
    store = KVStore(LAYERS, 1 << 20)
    run(store, [1, 2, 3])
    assert store.take([1, 2, 3]).tokens == [1, 2]
    assert store.take([1]).tokens == []


def test_what_is_old_goes_whatever_the_budget() -> None:
    time = 0.0
    store = KVStore(LAYERS, 1 << 20, clock=lambda: time)
    first, second = run(store, [1, 2, 3]), run(store, [4, 5, 6])
    time = MAX_AGE_SECONDS
    assert run(store, [1, 2, 3, 4]) is first
    assert store.branches == [second, first]
    time += 1.0
    assert run(store, [1, 2, 3, 4, 5]) is first
    assert store.branches == [first]
    time += 2 * MAX_AGE_SECONDS
    assert store.take([1, 2, 3, 4, 5, 6]).tokens == [1, 2, 3, 4, 5]  # the one that is asked for is never too old


def test_the_budget_can_be_lowered_while_it_runs() -> None:
    store = KVStore(LAYERS, 1 << 20)
    _, second = run(store, [1, 2, 3]), run(store, [4, 5, 6])
    store.budget_bytes = 0
    store.evict()
    assert store.branches == [second]


def test_in_large_pages_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A branch of more than 2 MiB lies in memory of its own kind."""
    monkeypatch.setattr(store_module, "GROWTH", 1 << 18)
    store = KVStore(LAYERS, 1 << 30)
    first = run(store, [1, 2, 3, 4, 5, 6])
    assert first.nbytes > arena.PAGE
    lent = run(store, [1, 2, 9])
    assert lent is not first
    run(store, [1, 2, 3, 4, 7])
    assert_true(store)
    first.make_room((1 << 18) + 1, torch.empty(1, 0, 1))
    assert_true(store)
    assert store.nbytes == 3 * LAYERS * 2 * (1 << 18) * 4


@given(TOKENS, TOKENS)
def test_common_prefix(a: list[int], b: list[int]) -> None:
    assert common_prefix(a, b) == common_prefix(tuple(a), b) == common_prefix(a, tuple(b)) == shared(a, b)
    assert common_prefix(a, a + b) == len(a)
    assert common_prefix([], a) == 0


def test_a_dropped_branch_gives_its_memory_back_at_once() -> None:
    """Not when Python next looks for cycles: hundreds of megabytes would wait for that."""
    gc.disable()
    try:
        branch = Branch(LAYERS)
        read(branch, [1, 2, 3])
        gone = weakref.ref(branch)
        del branch
        assert gone() is None
    finally:
        gc.enable()


def test_the_layers_of_a_branch_are_one_piece_of_memory() -> None:
    branch = Branch(LAYERS)
    read(branch, [1, 2, 3])
    storages = {tensor.untyped_storage().data_ptr() for layer in branch.layers for tensor in (layer.keys, layer.values)}
    assert len(storages) == 1
    assert branch.nbytes == branch.layers[0].keys.untyped_storage().nbytes()
