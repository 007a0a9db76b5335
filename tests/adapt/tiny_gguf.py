"""A tiny model as a GGUF file, such as the catalogue's models are fetched as."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import gguf
from tokenizers import Tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def write_gguf(path: Path, model: PreTrainedModel, tokenizer: Tokenizer) -> None:
    """A Qwen2, in float32."""
    config = model.config
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    _add_tokenizer(writer, tokenizer)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        layer, _, end = name.rpartition(".")
        writer.add_tensor(f"{names.get_name(layer)}.{end}", tensor.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    bpe = json.loads(tokenizer.to_str())["model"]
    words = tokenizer.get_vocab()
    ordered = sorted(words, key=words.__getitem__)
    kinds = gguf.TokenType
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(ordered)
    writer.add_token_types([kinds.NORMAL if word in bpe["vocab"] else kinds.CONTROL for word in ordered])
    writer.add_token_merges([" ".join(pair) for pair in bpe["merges"]])
