"""A tiny random model as a packed folder, and what its training is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tiny_model
from handful import write_data
from runs import SHORT
from safetensors.torch import save_file
from tiny_model import tiny_tokenizer, tiny_weights

from aigc_lsp import catalogue
from aigc_lsp.adapt.command import Asked
from aigc_lsp.adapt.network import Network, load
from aigc_lsp.catalogue import Model
from aigc_lsp.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedModel

RANK, ALPHA = 4, 8.0


one_thread = pytest.fixture(scope="session", autouse=True)(tiny_model.one_thread)


@pytest.fixture(scope="session")
def model() -> Model:
    return catalogue.load("qwen2.5-coder-0.5b")


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary(tiny_tokenizer())


@pytest.fixture(scope="session")
def reference(vocabulary: Vocabulary) -> PreTrainedModel:
    return tiny_weights(len(vocabulary))


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory, reference: PreTrainedModel) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    save_file(
        {name: tensor.contiguous() for name, tensor in reference.state_dict().items()}, folder / "model.safetensors"
    )
    (folder / "config.json").write_text(json.dumps(reference.config.to_dict()))
    tiny_tokenizer().save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture
def new_network(packed: Path) -> Callable[..., Network]:
    def make(full: bool = False) -> Network:
        network = load(packed, "cpu", RANK, ALPHA)
        if full:
            network.add_differences()
        else:
            network.add_adapters(seed=3)
        return network

    return make


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def asked(tmp_path: Path, model: Model, packed: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "aigc-lsp" / "models" / "taught"
    return Asked(model, packed, data, folder, tmp_path / "run", SHORT)
