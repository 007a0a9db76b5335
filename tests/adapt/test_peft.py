"""The adapter that `finetune` writes is one that PEFT loads, and it means the same there."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file

from aigc_lsp.adapt.network import Network
from aigc_lsp.adapt.register import register
from aigc_lsp.catalogue import Model
from aigc_lsp.engine.adapter import FILE, merge

if TYPE_CHECKING:
    from transformers import PreTrainedModel

pytestmark = pytest.mark.process  # it takes seconds to import


def test_peft_merges_it_to_the_same_weights(
    new_network: Callable[..., Network], reference: PreTrainedModel, packed: Path, model: Model, tmp_path: Path
) -> None:
    from peft import PeftModel

    network = new_network()
    with torch.no_grad():
        for _, b in network.adapters.values():
            b.copy_(torch.randn(b.shape, generator=torch.Generator().manual_seed(1)))
    folder = register(tmp_path / "taught", model, network, {}, "<svg/>").parent
    theirs = PeftModel.from_pretrained(deepcopy(reference), str(folder)).merge_and_unload().state_dict()
    ours = load_file(packed / "model.safetensors")
    merge(ours, folder / FILE, model.name, model.sha256)
    assert set(ours) <= set(theirs)
    for name, tensor in ours.items():
        torch.testing.assert_close(theirs[name].float(), tensor.float(), atol=1e-4, rtol=1e-4)
    assert not torch.equal(theirs["model.layers.0.mlp.up_proj.weight"], reference.model.layers[0].mlp.up_proj.weight)
