"""A packed folder (see `convert`) as a model ready to run.

The bfloat16 weights are mapped from their file: they take memory only once a chunk of prompt is long enough for them.
The packed ones are copied into large pages (`arena`), since every token reads them all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from aigc_lsp.engine import arena
from aigc_lsp.engine.decoder import Decoder, LanguageModel, Shape, build
from aigc_lsp.engine.layers import EVERYWHERE, Int4, Int8, Linear, Packed
from aigc_lsp.errors import EngineUnavailable, ModelDamaged, NotEnoughMemory, PackedElsewhere

WIDE_FILE = "model.safetensors"
PACKED_FILE = "packed.safetensors"

FEW = 256
"""Rows of a layer by which its packed form is checked."""


def load_model(folder: Path, device: str, profile: str = "fast") -> LanguageModel:
    """The causal language model in `folder` on `device` ("cpu" or "cuda").

    Profile "fast" multiplies long chunks with bfloat16 weights and short ones with packed ones (up to how many rows,
    `calibrate` sets); "small" has packed ones for all. Nothing is fetched and no code from the folder is run.
    Raises `ModelDamaged`, and `PackedElsewhere` where the folder is to be packed again; `NotEnoughMemory`, and
    `EngineUnavailable` where something else than the folder is to blame.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        shape = Shape.of(config)
        packed = _packed(folder) if device == "cpu" else {}
        if shape is None:
            return _foreign(folder, device, packed, profile)
        wide = load_file(folder / WIDE_FILE, device=device)
        model = build(shape, wide, packed)
        _check(model)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        _check_blame(error, folder, device)
        raise ModelDamaged(
            f"The converted model in {folder} cannot be loaded ({type(error).__name__}). "
            "Run `aigc-lsp models verify` to see which file is damaged."
        ) from error
    set_crossover(model.linears, profile, 1)
    if model.device.type == "cuda":
        from aigc_lsp.engine.graph import StaticDecoder

        return StaticDecoder(model)
    return model


def _check_blame(error: Exception, folder: Path, device: str) -> None:
    """Raises where `error` does not come from a folder that is damaged: who is damaged is made anew."""
    from aigc_lsp.engine.memory import is_out_of_memory  # which knows this module

    if is_out_of_memory(error):
        raise NotEnoughMemory("There is not enough memory to load the model. Close other programs.") from error
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
        raise EngineUnavailable(f"The converted model in {folder} cannot be read ({error.strerror}).") from error
    if device != "cpu" and isinstance(error, RuntimeError):
        said = str(error).partition("\n")[0]
        raise EngineUnavailable(
            f"The model cannot be loaded on the GPU ({said}). Set `engine.device` to cpu, or mend the driver."
        ) from error


def set_crossover(linears: list[Linear], profile: str, rows: int) -> None:
    """Use packed weights up to `rows` rows, or everywhere where the profile has nothing else."""
    for linear in linears:
        linear.crossover = EVERYWHERE if profile == "small" else rows


def _foreign(folder: Path, device: str, packed: Mapping[str, Packed], profile: str) -> LanguageModel:
    from aigc_lsp.engine.foreign import Foreign

    model = Foreign.load(folder)
    model.put(packed)
    set_crossover(model.linears, profile, 1)
    model.model.to(device)
    model.device = torch.device(device)
    return model


def pack(layers: Mapping[str, Packed]) -> dict[str, torch.Tensor]:
    """The tensors of packed layers by the names that `_packed` looks for."""
    tensors: dict[str, torch.Tensor] = {}
    for name, layer in layers.items():
        if isinstance(layer, Int4):
            tensors |= {f"{name}.nibbles": layer.nibbles, f"{name}.scales": layer.scales}
        elif isinstance(layer, Int8):
            tensors |= {f"{name}.narrow": layer.narrow, f"{name}.scale": layer.scale}
    return tensors


def _packed(folder: Path) -> dict[str, Packed]:
    """The packed layers in `folder`, without those that this torch has no kernel for."""
    file = folder / PACKED_FILE
    if not file.exists():
        return {}
    tensors = arena.gathered(load_file(file))
    layers: dict[str, Packed] = {}
    for key in tensors:
        name, _, kind = key.rpartition(".")
        if kind == "nibbles" and hasattr(torch, "_weight_int4pack_mm_for_cpu"):
            layers[name] = Int4(tensors[key], tensors[f"{name}.scales"])
        elif kind == "narrow" and hasattr(torch, "_weight_int8pack_mm"):
            layers[name] = Int8(tensors[key], tensors[f"{name}.scale"])
    return layers


def _check(model: Decoder) -> None:
    """The order of the nibbles depends on the processor and on torch. Where what was packed is not what this machine's
    kernel reads, the packed layer's product is nothing like the true one: raises `PackedElsewhere`."""
    for linear in model.blocks[0].linears:
        if linear.packed is None:
            continue
        first = linear.wide[0][:FEW]  # what is read of the file for it stays in memory
        x = torch.randn(1, first.shape[1], generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
        true = (first @ x[0]).float()
        if (linear.packed(x)[0, : len(first)].float() - true).norm() > 0.5 * true.norm():
            raise PackedElsewhere("The packed weights are not in this processor's order; they are to be packed again.")


def pick_device(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"
