"""int8 layers against their dequantised product, and the short attention against torch's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from aigc_lsp.engine import attention, layers
from aigc_lsp.engine.layers import Int8Linear, measure_crossover, put_int8, quantise


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(7)


def linear(inputs: int = 64, outputs: int = 48, bias: bool = True) -> torch.nn.Linear:
    return torch.nn.Linear(inputs, outputs, bias=bias).to(torch.bfloat16)


def int8(layer: torch.nn.Linear, crossover: int) -> Int8Linear:
    narrow = Int8Linear(layer, *quantise(layer.weight.detach()))
    narrow.crossover = crossover
    return narrow


def test_quantised_is_within_half_a_step() -> None:
    weight = torch.randn(32, 64).to(torch.bfloat16)
    narrow, scale = quantise(weight)
    assert (narrow.dtype, scale.dtype) == (torch.int8, torch.bfloat16)
    error = (narrow.float() * scale.float()[:, None] - weight.float()).abs()
    assert (error <= scale.float()[:, None] * 0.51).all() or (narrow.abs() == 127).any()
    assert (error <= scale.float()[:, None] * 1.01).all()  # at the ends, where the scale was rounded down


def test_a_row_of_zeros_stays_zero() -> None:
    narrow, scale = quantise(torch.zeros(2, 64, dtype=torch.bfloat16))
    assert not narrow.any()
    assert torch.isfinite(scale).all()


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
@pytest.mark.parametrize("bias", [True, False])
def test_few_rows_are_the_dequantised_product(rows: int, bias: bool) -> None:
    layer = linear(bias=bias)
    narrow = int8(layer, crossover=8)
    x = torch.randn(1, rows, 64).to(torch.bfloat16)
    wide = narrow.narrow.float() * narrow.scale.float()[:, None]
    expected = torch.nn.functional.linear(x.float(), wide, layer.bias.float() if bias else None)
    assert narrow(x).shape == (1, rows, 48)
    torch.testing.assert_close(narrow(x).float(), expected, rtol=2e-2, atol=2e-2)


def test_many_rows_are_the_layers_own() -> None:
    layer = linear()
    x = torch.randn(1, 9, 64).to(torch.bfloat16)
    assert torch.equal(int8(layer, crossover=8)(x), layer(x))
    assert not torch.equal(int8(layer, crossover=9)(x), layer(x))


def test_the_crossover_is_one_of_those_tried() -> None:
    assert measure_crossover(int8(linear(256, 256), 0)) in (1, *layers.ROWS_TRIED)


def test_put_into_a_model(tmp_path: Path) -> None:
    model = torch.nn.ModuleDict({"block": torch.nn.ModuleDict({"up": linear()}), "head": linear()})
    tensors = {}
    for name in ("block.up", "head"):
        narrow, scale = quantise(model.get_submodule(name).weight.detach())
        tensors |= {f"{name}.narrow": narrow, f"{name}.scale": scale}
    save_file(tensors, tmp_path / layers.INT8_FILE)
    put_int8(model, tmp_path)
    assert all(isinstance(model.get_submodule(name), Int8Linear) for name in ("block.up", "head"))
    assert model.get_submodule("head").crossover >= 1


def test_a_folder_or_a_torch_without_them_leaves_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = torch.nn.ModuleDict({"up": linear()})
    put_int8(model, tmp_path)
    assert type(model["up"]) is torch.nn.Linear
    narrow, scale = quantise(model["up"].weight.detach())
    save_file({"up.narrow": narrow, "up.scale": scale}, tmp_path / layers.INT8_FILE)
    monkeypatch.delattr(torch, "_weight_int8pack_mm")
    put_int8(model, tmp_path)
    assert type(model["up"]) is torch.nn.Linear


class Module(torch.nn.Module):
    num_key_value_groups = 3
    is_causal = True


@pytest.mark.parametrize("few", [1, 2, 5, 8])
@pytest.mark.parametrize("masked", [True, False])
def test_short_attention_is_attention(few: int, masked: bool) -> None:
    """6 query heads on 2 key heads; `masked`: a mask is handed in, as for a sliding window."""
    length = 20
    query = torch.randn(1, 6, few, 16)
    key, value = torch.randn(1, 2, length, 16), torch.randn(1, 2, length, 16)
    sees = torch.ones(few, length, dtype=torch.bool).tril(length - few)
    if masked:
        sees &= ~torch.ones(few, length, dtype=torch.bool).tril(length - few - 6)
    mask = sees[None, None]
    expected = torch.nn.functional.scaled_dot_product_attention(
        query, key.repeat_interleave(3, 1), value.repeat_interleave(3, 1), attn_mask=mask
    )
    found, _ = attention.short_attention(Module(), query, key, value, mask if masked else None)
    torch.testing.assert_close(found, expected.transpose(1, 2), rtol=1e-4, atol=1e-5)


def test_long_queries_are_torchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        attention, "sdpa_attention_forward", lambda *args, **kwargs: asked.append(args) or (args[1], None)
    )
    query = torch.randn(1, 6, attention.FEW + 1, 16)
    attention.short_attention(Module(), query, query[:, :2], query[:, :2], None)
    assert len(asked) == 1
