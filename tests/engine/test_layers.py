"""Packed layers against the product of what they unpack to, how well four bits are fitted, and grouped attention."""

from __future__ import annotations

import gc
import random

import pytest
import torch
from each_row import each_row
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from aigc_lsp.engine import arena, layers
from aigc_lsp.engine.attention import causal, grouped_attention, grouped_mask
from aigc_lsp.engine.layers import BLOCK, CANDIDATES, EVERYWHERE, GROUP, Head, Int8, Linear, Packed
from aigc_lsp.engine.quantise import to_int4, to_int8

KERNELS = {"int8": "_weight_int8pack_mm", "int4": "_weight_int4pack_mm_for_cpu"}
has_int4 = pytest.mark.skipif(not hasattr(torch, KERNELS["int4"]), reason=f"this torch has no {KERNELS['int4']}")
KINDS = [pytest.param("int8", marks=pytest.mark.skipif(not hasattr(torch, KERNELS["int8"]), reason="no int8 kernel"))]
KINDS += [pytest.param("int4", marks=has_int4)]

ROUNDING = 2.0**-8
"""Of bfloat16, relative."""


def normal(*shape: int, seed: int = 7) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def packed(kind: str, weight: torch.Tensor) -> Packed:
    return to_int4(weight) if kind == "int4" else Int8(*to_int8(weight))


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found.float() - expected.float()).norm() / expected.float().norm())


# --- how weights become few bits


def test_int8_is_within_half_a_step() -> None:
    weight = normal(32, 64).to(torch.bfloat16)
    narrow, scale = to_int8(weight)
    assert (narrow.dtype, scale.dtype) == (torch.int8, torch.bfloat16)
    error = (narrow.float() * scale.float()[:, None] - weight.float()).abs()
    assert (error <= scale.float()[:, None] * 0.51).all() or (narrow.abs() == 127).any()
    assert (error <= scale.float()[:, None] * 1.01).all()  # at the ends, where the scale was rounded down


def test_int8_rows_of_zeros_stay_zero() -> None:
    narrow, scale = to_int8(torch.zeros(2, 64, dtype=torch.bfloat16))
    assert not narrow.any()
    assert torch.isfinite(scale).all()


def group_errors(found: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (found.float() - weight.float()).view(weight.shape[0], -1, GROUP).norm(dim=-1)


def nearest(weight: torch.Tensor) -> torch.Tensor:
    """Plain rounding to sixteen even steps over each group's whole range."""
    groups = weight.float().view(weight.shape[0], -1, GROUP)
    low, high = groups.amin(-1, keepdim=True), groups.amax(-1, keepdim=True)
    step = ((high - low) / 15).clamp(min=1e-8)
    return (((groups - low) / step).round() * step + low).view(weight.shape)


GROUPS = {
    "normal": lambda dice: [dice.gauss(0, 1) for _ in range(GROUP)],
    "even": lambda dice: [dice.uniform(-3, 1) for _ in range(GROUP)],
    "one outlier": lambda dice: [dice.gauss(0, 0.01) for _ in range(GROUP - 1)] + [dice.choice([-5.0, 5.0])],
    "two heaps": lambda dice: [dice.choice([-1.0, 1.0]) + dice.gauss(0, 0.05) for _ in range(GROUP)],
    "all above zero": lambda dice: [4 + dice.random() for _ in range(GROUP)],
    "constant": lambda dice: [dice.choice([0.5, -3.0, 1e-6])] * GROUP,
    "zeros": lambda dice: [0.0] * GROUP,
    "tiny": lambda dice: [dice.gauss(0, 1e-7) for _ in range(GROUP)],
    "mostly zeros": lambda dice: [0.0] * (GROUP - 2) + [dice.gauss(0, 1) for _ in range(2)],
}


@has_int4
@given(kinds=st.lists(st.sampled_from(sorted(GROUPS)), min_size=32, max_size=32), seed=st.integers(0, 1 << 30))
def test_int4_is_never_worse_than_plain_rounding(kinds: list[str], seed: int) -> None:
    dice = random.Random(seed)
    weight = torch.tensor([GROUPS[kind](dice) for kind in kinds]).view(16, 2 * GROUP).to(torch.bfloat16)
    found = to_int4(weight).dequantised()
    assert torch.isfinite(found.float()).all()
    # That scale, zero point and product have bfloat16's few digits is the kernel's, not the fit's.
    rounding = 2 * ROUNDING * GROUP**0.5 * weight.float().view(16, -1, GROUP).abs().amax(-1) + 1e-7
    assert (group_errors(found, weight) <= group_errors(nearest(weight), weight) + rounding).all()


@has_int4
def test_int4_is_fitted_better_than_plain_rounding() -> None:
    weight = normal(64, 1024)
    fitted, plain = (
        group_errors(found, weight).square().mean() for found in (to_int4(weight).dequantised(), nearest(weight))
    )
    assert fitted < 0.85 * plain
    assert relative(to_int4(weight).dequantised(), weight) < 0.075


@has_int4
@given(seed=st.integers(0, 1 << 30), scale=st.floats(1e-3, 10), zero=st.floats(-5, 5))
def test_int4_is_exact_where_sixteen_steps_are_enough(seed: int, scale: float, zero: float) -> None:
    dice = random.Random(seed)
    step, middle = (float(torch.tensor(number).to(torch.bfloat16)) for number in (scale, zero))
    nibbles = [dice.sample([*range(16)] * 2, GROUP) for _ in range(16 * 3)]
    weight = ((torch.tensor(nibbles) - 8) * step + middle).view(16, 3 * GROUP)
    torch.testing.assert_close(to_int4(weight).dequantised().float(), weight, rtol=ROUNDING, atol=ROUNDING * step)


@has_int4
@pytest.mark.parametrize("value", [0.0, 1.0, -0.375, 1e-3])
def test_int4_constant_groups_are_that_number(value: float) -> None:
    weight = torch.full((16, 64), value)
    torch.testing.assert_close(to_int4(weight).dequantised().float(), weight, rtol=ROUNDING, atol=1e-7)


@has_int4
def test_int4_an_outlier_costs_its_own_group_alone() -> None:
    weight = normal(16, 4 * GROUP) * 0.1
    before = group_errors(to_int4(weight).dequantised(), weight)
    weight[3, 40] = 50.0
    found = to_int4(weight).dequantised()
    after = group_errors(found, weight)
    assert after[3, 1] > before[3, 1]
    after[3, 1] = before[3, 1]
    torch.testing.assert_close(after, before)
    assert abs(float(found[3, 40]) - 50.0) < 50.0 / 15


# --- the products


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("inputs", "outputs"), [(32, 16), (64, 48), (224, 112), (96, 272)])
def test_the_product_is_that_of_what_it_unpacks_to(kind: str, inputs: int, outputs: int) -> None:
    layer = packed(kind, normal(outputs, inputs).to(torch.bfloat16))
    wide = layer.dequantised()
    assert (wide.shape, wide.dtype) == ((outputs, inputs), torch.bfloat16)
    for rows in range(1, 10):
        x = normal(rows, inputs, seed=rows).to(torch.bfloat16)
        found = layer(x)
        assert (found.shape, found.dtype) == ((rows, outputs), torch.bfloat16)
        assert relative(found, x.float() @ wide.float().T) < ROUNDING


@pytest.mark.parametrize("kind", KINDS)
def test_packed_is_far_smaller(kind: str) -> None:
    weight = normal(48, 224).to(torch.bfloat16)
    assert packed(kind, weight).nbytes <= {"int8": 0.51, "int4": 0.32}[kind] * weight.nbytes


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
@each_row("rows", range(1, 10))
def test_parts_come_apart_with_their_biases(kind: str, bias: bool, rows: int) -> None:
    sizes, inputs = [64, 32, 16], 64
    wide = [normal(size, inputs, seed=size).to(torch.bfloat16) for size in sizes]
    biases = [normal(size, seed=size).to(torch.bfloat16) for size in sizes] if bias else None
    layer = Linear(wide, biases, packed(kind, torch.cat(wide)))
    assert layer.packed is not None
    unpacked = layer.packed.dequantised().split(sizes)
    x = normal(rows, inputs).to(torch.bfloat16)
    for crossover, weights in ((9, unpacked), (0, wide)):
        layer.crossover = crossover
        found = layer(x)
        assert [part.shape for part in found] == [(rows, size) for size in sizes]
        for number, part in enumerate(found):
            expected = x.float() @ weights[number].float().T + (biases[number].float() if biases else 0.0)
            assert relative(part, expected) < 2 * ROUNDING


class Marked:
    """Packed weights whose product can be told from any other."""

    nbytes = 5

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return torch.full((x.shape[0], 8), 77.0)

    def dequantised(self) -> torch.Tensor:
        raise NotImplementedError


@given(rows=st.integers(1, 12), crossover=st.sampled_from([0, 1, 4, 11, 12, EVERYWHERE]), bias=st.booleans())
def test_the_number_of_rows_decides(rows: int, crossover: int, bias: bool) -> None:
    wide, biases = [normal(5, 4), normal(3, 4, seed=8)], [normal(5), normal(3)]
    layer = Linear(wide, biases if bias else None, Marked())
    layer.crossover = crossover
    x, added = normal(rows, 4), biases if bias else [torch.zeros(5), torch.zeros(3)]
    found = layer(x)
    assert len(found) == 2
    for part, weights, plus in zip(found, wide, added, strict=True):
        expected = torch.full((rows, len(plus)), 77.0) + plus if rows <= crossover else x @ weights.T + plus
        torch.testing.assert_close(part, expected)
    assert layer.bytes_per_token == (5 if crossover else 8 * 4 * 4)


def test_without_packed_weights_it_is_always_the_wide_ones() -> None:
    layer = Linear([normal(5, 4)])
    layer.crossover = EVERYWHERE
    torch.testing.assert_close(layer(normal(2, 4))[0], normal(2, 4) @ normal(5, 4).T)
    assert layer.bytes_per_token == 5 * 4 * 4


# --- the head


def head_of(seed: int, words: int = 512, hidden: int = 64) -> tuple[Head, torch.Tensor]:
    """A head with four-bit weights, of which many rows are nearly the same, and those rows."""
    exact = normal(words // 8, hidden, seed=seed).repeat_interleave(8, 0) + 0.02 * normal(words, hidden, seed=seed + 1)
    exact = exact.to(torch.bfloat16)
    head = Head(Linear([exact], None, to_int4(exact)), exact)
    head.linear.crossover = 2
    return head, exact


@has_int4
def test_the_best_token_is_that_of_the_exact_rows() -> None:
    wrong = 0
    for seed in range(60):
        head, exact = head_of(seed)
        x = (exact[5 * seed : 5 * seed + 2].float() + normal(2, 64, seed=seed + 2)).to(torch.bfloat16)
        true = x.float() @ exact.float().T
        found = head(x)
        assert (found.dtype, found.shape) == (torch.float32, true.shape)
        assert found.argmax(1).tolist() == true.argmax(1).tolist()
        narrow = head.linear(x)[0].float()
        wrong += int((narrow.argmax(1) != true.argmax(1)).sum())
        for row in (0, 1):
            best = narrow[row].topk(CANDIDATES).indices
            torch.testing.assert_close(found[row, best], true[row, best], rtol=1e-4, atol=1e-3)
            others = torch.ones(512, dtype=torch.bool).index_fill_(0, best, False)
            assert torch.equal(found[row, others], narrow[row, others])
    assert wrong > 10, "four bits alone would have done: this tells nothing"


@has_int4
def test_the_best_token_of_a_large_vocabulary() -> None:
    words = BLOCK * (CANDIDATES + 3)
    head, exact = head_of(5, words)
    for place in range(0, words, 173):
        x = exact[place : place + 1]
        assert int(head(x).argmax()) == int((x.float() @ exact.float().T).argmax())


@given(
    rows=st.integers(1, 3),
    words=st.sampled_from([5, CANDIDATES, BLOCK * CANDIDATES, BLOCK * (CANDIDATES + 1), BLOCK * 50, BLOCK * 50 + 1]),
    seed=st.integers(0, 1 << 30),
    heap=st.booleans(),
)
def test_the_candidates_are_the_greatest(rows: int, words: int, seed: int, heap: bool) -> None:
    """Also where they all stand together (`heap`), and where many are the same."""
    logits = (normal(rows, words, seed=seed) * 8).round()
    if heap:
        logits[:, words // 2 : words // 2 + 40] += 100
    found = layers._best(logits)
    count = min(CANDIDATES, words)
    assert found.shape == (rows, count)
    assert all(len(set(row)) == count for row in found.tolist())
    assert torch.equal(logits.gather(1, found).sort(dim=1).values, logits.topk(count, dim=1).values.sort(dim=1).values)


@has_int4
def test_above_the_crossover_the_head_is_the_wide_one() -> None:
    head, exact = head_of(1)
    x = normal(3, 64).to(torch.bfloat16)
    assert torch.equal(head(x), functional.linear(x, exact).float())


@has_int4
def test_a_vocabulary_smaller_than_the_candidates() -> None:
    head, exact = head_of(1, words=16)
    x = normal(1, 64).to(torch.bfloat16)
    torch.testing.assert_close(head(x), x.float() @ exact.float().T, rtol=1e-4, atol=1e-3)


def test_a_head_that_is_not_packed() -> None:
    exact = normal(50, 8)
    head = Head(Linear([exact]), exact)
    torch.testing.assert_close(head(normal(3, 8)), normal(3, 8) @ exact.T)


# --- attention


@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize("scale", [None, 0.3])
@pytest.mark.parametrize("masked", [True, False])
@each_row("count", [1, 2, 5, 20])
def test_grouped_attention_is_attention(count: int, masked: bool, scale: float | None, repeats: int) -> None:
    """On two key heads. `masked`: each sees a window only, else all that came before it."""
    length = 20
    query = normal(count, 2 * repeats, 16)
    keys, values = normal(2, length, 16, seed=1), normal(2, length, 16, seed=2)
    sees = causal(count, length)
    if masked:
        sees &= ~sees.roll(-6, dims=1) | sees.roll(6, dims=1)
        sees[:, 0] = True
    expected = functional.scaled_dot_product_attention(
        query.transpose(0, 1)[None],
        keys.repeat_interleave(repeats, 0)[None],
        values.repeat_interleave(repeats, 0)[None],
        attn_mask=sees,
        scale=scale,
    )[0].transpose(0, 1)
    found = grouped_attention(query, keys, values, grouped_mask(sees, repeats, query.dtype), scale)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    if count == 1 and not masked:
        torch.testing.assert_close(grouped_attention(query, keys, values, None, scale), expected, rtol=1e-4, atol=1e-5)


@given(st.integers(1, 6), st.integers(0, 6))
def test_who_came_before_is_seen(count: int, before: int) -> None:
    sees = causal(count, before + count)
    assert sees.tolist() == [[column <= before + row for column in range(before + count)] for row in range(count)]


# --- memory


TYPES = [torch.uint8, torch.int8, torch.bfloat16, torch.float32]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 67), st.sampled_from(TYPES)), max_size=6))
def test_gathered_tensors_are_equal_and_aligned(shapes: list[tuple[int, int, torch.dtype]]) -> None:
    tensors = {
        f"number {number}": (normal(rows, columns, seed=number) * 50).abs().to(dtype)
        for number, (rows, columns, dtype) in enumerate(shapes)
    }
    copies = arena.gathered(tensors)
    if not any(tensor.nbytes for tensor in tensors.values()):
        return
    assert list(copies) == list(tensors)
    for name, copy in copies.items():
        assert (copy.dtype, copy.shape) == (tensors[name].dtype, tensors[name].shape)
        assert torch.equal(copy, tensors[name])
        assert copy.data_ptr() % arena.ALIGNMENT == 0
        copy.zero_()  # its own memory: neither what it was copied from nor its neighbours change
        for other in list(copies)[list(copies).index(name) + 1 :]:
            assert torch.equal(copies[other], tensors[other])


@pytest.mark.parametrize("large_pages", [True, False])
def test_a_gathered_tensor_outlives_the_others(large_pages: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not large_pages:
        monkeypatch.delattr(arena.mmap, "MADV_HUGEPAGE", raising=False)
    tensors = {str(number): normal(300, 300, seed=number) for number in range(4)}
    copies = arena.gathered(tensors)
    kept = copies["2"]
    assert kept.data_ptr() % arena.ALIGNMENT == 0
    del copies
    gc.collect()
    _ = [normal(300, 300) for _ in range(20)]  # what would be written where it lay
    assert torch.equal(kept, tensors["2"])


def test_a_tensor_that_is_a_view_is_gathered_too() -> None:
    tensor = normal(6, 10)
    copies = arena.gathered({"turned": tensor.T, "every second": tensor[:, ::2]})
    assert torch.equal(copies["turned"], tensor.T)
    assert torch.equal(copies["every second"], tensor[:, ::2])
    assert all(copy.is_contiguous() for copy in copies.values())


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("columns", [3, 700_001])
def test_an_empty_tensor_is_its_own_memory(dtype: torch.dtype, columns: int) -> None:
    like = torch.ones(2, dtype=dtype)
    first, second = arena.empty((2, 2, columns), like), arena.empty((2, 2, columns), like)
    assert (first.dtype, first.shape, first.is_contiguous()) == (dtype, (2, 2, columns), True)
    first.fill_(1)
    second.fill_(2)
    assert (first == 1).all()
    assert (second == 2).all()


def test_where_the_kernel_gives_no_large_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(arena.mmap.mmap):
        def madvise(self, *args: int) -> None:
            raise OSError("Invalid argument")

    monkeypatch.setattr(arena.mmap, "mmap", Refusing)
    assert torch.equal(arena.gathered({"a": normal(9)})["a"], normal(9))
