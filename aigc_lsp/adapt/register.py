"""The result of a run as a model: a folder that the catalogue finds and, where it is of low rank, PEFT can read.

<name>/<name>.toml                   the descriptor: the base's row, with this adapter
<name>/adapter_model.safetensors     bfloat16, by PEFT's names
<name>/adapter_config.json           PEFT's
<name>/difference.safetensors        instead of those two, of full training: see `engine.adapter`
<name>/report.json, curve.svg        how it came about
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from aigc_lsp.adapt.network import PROJECTIONS, Network
from aigc_lsp.adapt.report import FILE as REPORT
from aigc_lsp.adapt.report import altogether
from aigc_lsp.catalogue import Model
from aigc_lsp.engine.adapter import BEGIN, CONFIG, DIFFERENCE, FILE, KIND
from aigc_lsp.weights.packed import sha256_of


def register(folder: Path, base: Model, network: Network, report: Mapping[str, Any], curve: str) -> Path:
    """Write the folder, whose name is the model's; the descriptor last, since it makes the model known. Its path."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = folder / f"{folder.name}.toml"
    full = bool(network.differences)
    file = folder / (DIFFERENCE if full else FILE)
    tensors = {name: tensor.to("cpu", torch.bfloat16).contiguous() for name, tensor in named(network).items()}
    # Whoever merges it can tell whether the weights are those that it was trained beside.
    metadata = {"format": "pt", "base": base.name, "base_sha256": base.sha256}
    written = folder / f".{file.name}"
    save_file(tensors, written, metadata | ({"kind": KIND} if full else {}))
    written.chmod(0o644)
    for name in (descriptor.name, FILE, CONFIG, DIFFERENCE):  # what was here may have been of the other sort
        (folder / name).unlink(missing_ok=True)
    written.replace(file)
    if not full:
        _write(folder / CONFIG, _json(peft_config(network, base)))
    _write(folder / REPORT, _json(report))
    _write(folder / "curve.svg", curve)
    _write(descriptor, descriptor_of(folder.name, base, file, altogether(report)))
    return descriptor


def named(network: Network) -> dict[str, torch.Tensor]:
    """The adapters by the names that PEFT gives them, or the differences by those of the weights."""
    tensors = {f"{name}.weight": difference for name, difference in network.differences.items()}
    for name, (a, b) in network.adapters.items():
        tensors[f"{BEGIN}{name}.lora_A.weight"] = a.detach()
        tensors[f"{BEGIN}{name}.lora_B.weight"] = b.detach()
    return tensors


def peft_config(network: Network, base: Model) -> dict[str, Any]:
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base.name,
        "r": network.rank,
        "lora_alpha": network.scale * network.rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": [part.rpartition(".")[2] for part in PROJECTIONS],
        "inference_mode": True,
    }


def descriptor_of(name: str, base: Model, file: Path, tokens: int) -> str:
    return (
        f"# {base.name} with an adapter that `aigc-lsp finetune` trained; all else is the base's.\n"
        f"name = {json.dumps(name)}\n"
        f"description = {json.dumps(f'{base.name}, trained on {tokens:,} tokens more')}\n"
        f"base = {json.dumps(base.name)}\n\n"
        f"[adapter]\nfile = {json.dumps(file.name)}\nsha256 = {json.dumps(sha256_of(file))}\n"
    )


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1) + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
