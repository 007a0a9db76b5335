"""From a GGUF file to the packed folder that `engine.weights` maps into memory: done once for each model.

The packed folder holds `model.safetensors` (bfloat16), `packed.safetensors` (see `layers`), `config.json`,
`tokenizer.json` and, where the model can chat, `chat_template.jinja`. Reading the GGUF goes through transformers, which
knows each architecture's names and permutations; that takes half a minute, and is why it is never done twice.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from aigc_lsp.engine.decoder import Shape, named_parts
from aigc_lsp.engine.layers import GROUP, Int8, Packed
from aigc_lsp.engine.quantise import to_int4, to_int8
from aigc_lsp.engine.weights import PACKED_FILE, WIDE_FILE, pack

Packing = Literal["int4", "mixed", "int8"]

EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"


def convert_gguf(
    source: Path,
    target: Path,
    control_tokens: Collection[str],
    packing: Packing,
    merge: Callable[[dict[str, torch.Tensor]], None] | None = None,
) -> None:
    """Write the packed form of the GGUF `source` into the existing empty folder `target`.

    `control_tokens` are marked special in the tokenizer, so that user text is never read as one. `merge` changes the
    weights, by transformers' names, before they are rounded and packed (`engine.adapter`).
    """
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    folder, name = str(source.parent), source.name
    _write_tokenizer(folder, name, target, control_tokens)
    config = AutoConfig.from_pretrained(folder, gguf_file=name)
    with torch.device("meta"):
        skeleton = AutoModelForCausalLM.from_config(config)
    with contextlib.redirect_stderr(io.StringIO()):  # transformers' progress bar would write over ours
        tensors = load_gguf_checkpoint(str(source), return_tensors=True, model_to_load=skeleton)["tensors"]
    tied = _tie_head(tensors)
    if merge is not None:
        merge(tensors)
    config.tie_word_embeddings = tied
    config.dtype = "bfloat16"
    wide = {key: value.to(torch.bfloat16).contiguous() for key, value in tensors.items()}
    del tensors
    _save(wide, target / WIDE_FILE)
    config.save_pretrained(target)
    shape = Shape.of(json.loads((target / "config.json").read_text(encoding="utf-8")))
    joined = _joined(shape) if shape is not None else _alone(skeleton)
    _save(pack(pack_layers(wide, joined, packing)), target / PACKED_FILE)


def _save(tensors: dict[str, torch.Tensor], file: Path) -> None:
    """Raises `OSError` where the disk is full, which safetensors says in words alone."""
    try:
        save_file(tensors, file, metadata={"format": "pt"})
    except SafetensorError as error:
        found = re.search(r"os error (\d+)", str(error))
        raise OSError(int(found[1]) if found else errno.EIO, str(error), str(file)) from error


def pack_layers(
    wide: Mapping[str, torch.Tensor], joined: Mapping[str, Sequence[str]], packing: Packing
) -> dict[str, Packed]:
    """`joined`: by the name of each packed layer those of the layers that it is made of. Four bits where `packing` asks
    for them and the layer's shape allows them, else eight; "mixed" leaves the attention's projections, an eighth of the
    weights, in eight bits."""
    layers: dict[str, Packed] = {}
    for name, parts in joined.items():
        weights = [wide[_stored(part, wide)] for part in parts]
        weight = torch.cat(weights) if len(weights) > 1 else weights[0]
        wanted = packing == "int4" or (packing == "mixed" and "attn" not in name)
        four = wanted and weight.shape[1] % GROUP == 0 and weight.shape[0] % 16 == 0
        layers[name] = to_int4(weight) if four else Int8(*to_int8(weight))
    return layers


def _stored(layer: str, wide: Mapping[str, torch.Tensor]) -> str:
    """The name of a layer's weights; the embedding's where the head is tied to it."""
    name = f"{layer}.weight"
    return EMBEDDING if name == HEAD and HEAD not in wide else name


def _joined(shape: Shape) -> dict[str, Sequence[str]]:
    blocks = (named for number in range(shape.layers) for named in named_parts(number).values())
    return {**dict(blocks), "lm_head": ("lm_head",)}


def _alone(skeleton: torch.nn.Module) -> dict[str, Sequence[str]]:
    return {name: (name,) for name, module in skeleton.named_modules() if isinstance(module, torch.nn.Linear)}


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
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    tokenizer.backend_tokenizer.save(str(target / "tokenizer.json"))
    if tokenizer.chat_template:
        (target / "chat_template.jinja").write_text(tokenizer.chat_template, encoding="utf-8")
    path = target / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for token in content["added_tokens"]:
        token["special"] = token["special"] or token["content"] in control_tokens
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
