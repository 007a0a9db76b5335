"""A packed folder (see `convert`) as a model ready to run: mapped into memory, read as it is touched."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging as transformers_logging

from aigc_lsp.engine import attention
from aigc_lsp.engine.layers import put_int8
from aigc_lsp.errors import ModelDamaged


def load_model(folder: Path, device: str) -> PreTrainedModel:
    """The causal language model in `folder`, in evaluation mode on `device` ("cpu" or "cuda").

    Nothing is fetched and no code from the folder is run.
    """
    transformers_logging.disable_progress_bar()
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.bfloat16,
            attn_implementation=attention.NAME,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
        if device == "cpu":
            put_int8(model, folder)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelDamaged(
            f"The converted model in {folder} cannot be loaded ({type(error).__name__}). "
            "Run `aigc-lsp models verify` to see which file is damaged."
        ) from error
    return model.eval().to(device)


def pick_device(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"
