"""From a GGUF file to the packed folder that `engine.weights` maps into memory: done once for each model.

The packed folder holds `model.safetensors` (bfloat16), `int8.safetensors` (see `layers`), `config.json`,
`tokenizer.json` and, where the model can chat, `chat_template.jinja`. Reading the GGUF goes through transformers, which
knows each architecture's names and permutations; that takes half a minute, and is why it is never done twice.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Collection
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

from aigc_lsp.engine.layers import INT8_FILE, quantise

EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"


def convert_gguf(source: Path, target: Path, control_tokens: Collection[str]) -> None:
    """Write the packed form of the GGUF `source` into the existing empty folder `target`.

    `control_tokens` are marked special in the tokenizer, so that user text is never read as one.
    """
    folder, name = str(source.parent), source.name
    _write_tokenizer(folder, name, target, control_tokens)
    config = AutoConfig.from_pretrained(folder, gguf_file=name)
    with torch.device("meta"):
        skeleton = AutoModelForCausalLM.from_config(config)
    with contextlib.redirect_stderr(io.StringIO()):  # transformers' progress bar would write over ours
        tensors = load_gguf_checkpoint(str(source), return_tensors=True, model_to_load=skeleton)["tensors"]
    tied = _tie_head(tensors)
    config.tie_word_embeddings = tied
    config.dtype = "bfloat16"
    packed = {key: value.to(torch.bfloat16).contiguous() for key, value in tensors.items()}
    save_file(packed, target / "model.safetensors", metadata={"format": "pt"})
    _save_aligned(_int8(skeleton, packed), target / INT8_FILE)
    config.save_pretrained(target)


def _int8(skeleton: torch.nn.Module, packed: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The int8 form of every linear layer, the head's too where it is the embedding."""
    narrowed = {}
    for name, module in skeleton.named_modules():
        weight = packed.get(f"{name}.weight", packed[EMBEDDING] if f"{name}.weight" == HEAD else None)
        if isinstance(module, torch.nn.Linear) and weight is not None:
            narrowed[f"{name}.narrow"], narrowed[f"{name}.scale"] = quantise(weight)
    return narrowed


def _save_aligned(tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Save so that the data begin at a multiple of 64 bytes, which torch's kernels want of what is mapped in place."""
    save_file(tensors, path, metadata={"pad": ""})
    with path.open("rb") as file:
        missing = -(8 + int.from_bytes(file.read(8), "little")) % 64
    if missing:
        save_file(tensors, path, metadata={"pad": " " * missing})


def _tie_head(tensors: dict[str, torch.Tensor]) -> bool:
    """Keep one matrix where the head is the embedding, stored twice; true when head and embedding are one.

    llama.cpp stores the embedding in few bits and the head in more: when the two are the same matrix but for
    that rounding, the head's copy is the better one (Qwen2.5-Coder-0.5B: Q5_0 and Q8_0).
    """
    if HEAD not in tensors:
        return True
    head, embedding = tensors[HEAD].float(), tensors[EMBEDDING].float()
    if head.shape != embedding.shape or (head - embedding).norm() > 0.1 * head.norm():
        return False
    tensors[EMBEDDING] = tensors.pop(HEAD)
    return True


def _write_tokenizer(folder: str, name: str, target: Path, control_tokens: Collection[str]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    tokenizer.backend_tokenizer.save(str(target / "tokenizer.json"))
    if tokenizer.chat_template:
        (target / "chat_template.jinja").write_text(tokenizer.chat_template, encoding="utf-8")
    path = target / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for token in content["added_tokens"]:
        token["special"] = token["special"] or token["content"] in control_tokens
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
