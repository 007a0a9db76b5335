"""Adapters, and their merging into the weights that they are for: of low rank (Hu et al. 2021) as PEFT writes them, or
the differences that full training makes.

Differences are a format of our own, which PEFT does not read: safetensors, each tensor [out, in] by the name of the
weight that it is added to, with the metadata `kind` (difference), `base` and `base_sha256`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import reduce
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from aigc_lsp.errors import ModelDamaged, ModelError

FILE, CONFIG = "adapter_model.safetensors", "adapter_config.json"
DIFFERENCE, KIND = "difference.safetensors", "difference"
BEGIN = "base_model.model."

UNREAD = ("rank_pattern", "alpha_pattern", "use_dora", "alora_invocation_tokens")
"""PEFT's settings with which an adapter is not scale·B·A, of one rank and one scale, for whatever is read."""

Factors = dict[str, tuple[torch.Tensor, ...]]
"""Those of the product that is added to a weight, by its name."""


def merge(weights: dict[str, torch.Tensor], file: Path, base: str, base_sha256: str) -> None:
    """Add what the adapter `file` has for each layer, scale·B·A or a difference, to its matrix in `weights`, by
    transformers' names, in float32. Raises as `read` does."""
    found, scale = read(weights, file, base, base_sha256)
    for name, factors in found.items():
        added = reduce(torch.matmul, (factor.float() for factor in factors))
        weights[name] = weights[name].float().add(added, alpha=scale)


def read(weights: Mapping[str, torch.Tensor], file: Path, base: str, base_sha256: str) -> tuple[Factors, float]:
    """What the adapter `file` has for the matrices of `weights`, by transformers' names, either B [out, rank] and A
    [rank, in] or a difference [out, in] alone; and what their product is scaled by.

    The scale is alpha / rank, of the `adapter_config.json` beside. An adapter of ours says its base's digest; of one
    that says none, as of any that PEFT wrote, only the layers' names and shapes are compared. So one for another model
    of the same shape is taken: `base_model_name_or_path` names models otherwise than our descriptors.

    Raises `ModelError` where the adapter is for another model than `base` or of a kind that is not computed here, and
    `ModelDamaged` where it cannot be read.
    """
    try:
        with safe_open(file, "pt") as stream:
            said = stream.metadata() or {}
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        if said.get("kind") == KIND:
            found, scale = {name: (tensor,) for name, tensor in tensors.items()}, 1.0
        else:
            found, scale = _low_rank(tensors, file.parent / CONFIG)
    except (OSError, ValueError, LookupError, TypeError, ZeroDivisionError, SafetensorError) as error:
        raise ModelDamaged(f"The adapter {file} cannot be read ({error}). Get it again, or train it again.") from error
    made_for = said.get("base_sha256", base_sha256)
    fits = all(
        name in weights and weights[name].shape == factors[0].shape[:1] + factors[-1].shape[1:]
        for name, factors in found.items()
    )
    if made_for != base_sha256 or not fits or not found or sum(map(len, found.values())) != len(tensors):
        raise ModelError(
            f"The adapter {file} was not trained for {base}: it {_why(made_for, base_sha256)}. "
            "Name the model that it was trained for as `base` in its descriptor."
        )
    return found, scale


def _low_rank(tensors: Mapping[str, torch.Tensor], config: Path) -> tuple[Factors, float]:
    """B and A, and the scale. Raises `ModelError` for what else PEFT can write, and `ValueError` where a rank is not
    that of `config`."""
    said = json.loads(config.read_text(encoding="utf-8"))
    rank = said["r"]
    scale = float(said["lora_alpha"] / (rank**0.5 if said.get("use_rslora") else rank))
    if used := [name for name in UNREAD if said.get(name)]:
        raise ModelError(
            f"The adapter in {config.parent} cannot be used: it was made with {', '.join(used)}, which is not computed "
            "here. Train one without."
        )
    pairs = _pairs(tensors)
    for name, (b, a) in pairs.items():
        if (b.shape[1:], a.shape[:1]) != ((rank,), (rank,)):
            raise ValueError(f"{name} is not of rank {rank}")
    return pairs, scale


def _pairs(tensors: Mapping[str, torch.Tensor]) -> Factors:
    """B and A by the name of the weight that their product is added to."""
    end = ".lora_A.weight"
    layers = [name.removesuffix(end) for name in tensors if name.endswith(end)]
    return {
        f"{layer.removeprefix(BEGIN)}.weight": (tensors[f"{layer}.lora_B.weight"], tensors[layer + end])
        for layer in layers
        if f"{layer}.lora_B.weight" in tensors
    }


def _why(made_for: str, base_sha256: str) -> str:
    if made_for != base_sha256:
        return f"is for weights with the SHA-256 {made_for[:16]}… and not {base_sha256[:16]}…"
    return "has layers that the model does not have, or of another size"
