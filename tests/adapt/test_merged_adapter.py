"""An adapter in its descriptor: merged it is base plus scale·B·A, or plus the difference; one of another model is
refused with a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from aigc_lsp import catalogue
from aigc_lsp.adapt.network import Network
from aigc_lsp.adapt.register import register
from aigc_lsp.catalogue import Model
from aigc_lsp.engine.adapter import merge, read
from aigc_lsp.errors import ModelDamaged, ModelError
from aigc_lsp.weights.store import Store


@pytest.fixture
def network(new_network: Callable[..., Network]) -> Network:
    made = new_network()
    with torch.no_grad():
        for _, b in made.adapters.values():
            b.copy_(torch.randn(b.shape, generator=torch.Generator().manual_seed(1)))
    return made


@pytest.fixture
def folder(tmp_path: Path, network: Network, model: Model, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return register(tmp_path / "aigc-lsp/models/taught", model, network, {"tokens": 5}, "<svg/>").parent


def test_merged_it_is_base_plus_adapter(folder: Path, network: Network, packed: Path, model: Model) -> None:
    weights, before = (load_file(packed / "model.safetensors") for _ in range(2))
    merge(weights, folder / "adapter_model.safetensors", model.name, model.sha256)
    for name, (a, b) in network.adapters.items():
        added = (network.scale * b.bfloat16().float() @ a.bfloat16().float()).detach()
        torch.testing.assert_close(weights[f"{name}.weight"], before[f"{name}.weight"] + added, atol=1e-5, rtol=1e-5)
    untouched = set(before) - {f"{name}.weight" for name in network.adapters}
    assert all(torch.equal(weights[name], before[name]) for name in untouched)
    assert len(untouched) == len(before) - 14


def test_the_descriptor_is_the_base_with_an_adapter(folder: Path, model: Model) -> None:
    taught = catalogue.load("taught")
    assert "taught" in catalogue.names()
    assert (taught.fim, taught.sha256, taught.packing, taught.sources) == (
        model.fim, model.sha256, model.packing, model.sources,
    )  # fmt: skip
    assert taught.adapter is not None
    assert (taught.adapter.base, taught.adapter.file) == (model.name, folder / "adapter_model.safetensors")
    store = Store(folder)
    assert store.source_path(taught) == store.source_path(model)
    assert store.packed_path(taught) != store.packed_path(model)
    assert len({taught.packed_from, model.packed_from}) == 2


@pytest.fixture
def full(new_network: Callable[..., Network]) -> Network:
    made = new_network(full=True)
    draw = torch.Generator().manual_seed(1)
    made.put([torch.randn(difference.shape, generator=draw) for difference in made.parameters()])
    return made


def test_full_training_in_its_place_is_base_plus_difference(
    folder: Path, full: Network, packed: Path, model: Model
) -> None:
    register(folder, model, full, {"tokens": 5}, "<svg/>")
    assert {file.suffix for file in folder.iterdir() if file.name.startswith("adapter")} == set(), "PEFT finds nothing"
    adapter = catalogue.load("taught").adapter
    assert adapter is not None
    weights, before = (load_file(packed / "model.safetensors") for _ in range(2))
    merge(weights, adapter.file, adapter.base, model.sha256)
    for name, weight in weights.items():
        difference = full.differences.get(name.removesuffix(".weight"), torch.zeros(()))
        assert torch.equal(weight, before[name] + difference.bfloat16().float()), name
    with pytest.raises(ModelError, match=r"was not trained for other: it is for weights with the SHA-256"):
        merge(before, adapter.file, "other", "f" * 64)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda difference: torch.cat([difference] * 2, dim=1), "of another size"),
        (lambda difference: difference.flatten(), "of another size"),
        (lambda difference: difference.sum(), "of another size"),
    ],
)
def test_a_difference_of_another_size_is_refused(
    change: Callable[[torch.Tensor], torch.Tensor], said: str, tmp_path: Path, full: Network, packed: Path, model: Model
) -> None:
    tensors = {f"{name}.weight": change(difference) for name, difference in full.differences.items()}
    file = tmp_path / "difference.safetensors"
    save_file(tensors, file, metadata={"kind": "difference"})
    with pytest.raises(ModelError, match=said):
        merge(load_file(packed / "model.safetensors"), file, model.name, model.sha256)


def test_whole_weights_are_not_taken_for_a_difference(packed: Path, model: Model) -> None:
    with pytest.raises(ModelDamaged, match="cannot be read"):
        merge(load_file(packed / "model.safetensors"), packed / "model.safetensors", model.name, model.sha256)


def swapped(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('base = "qwen2.5-coder-0.5b"', 'base = "taught-before"', "has an adapter itself"),
        ("adapter_model.safetensors", "gone.safetensors", "not there"),
        ('sha256 = "', 'sha256 = "x', "64 lower-case"),
        ("description", "chat = true\ndescription", "`chat` is not known"),
        ('base = "qwen2.5-coder-0.5b"', 'base = "taught"', "leads back to the model itself"),
    ],
)
def test_a_wrong_descriptor_is_refused(old: str, new: str, said: str, folder: Path) -> None:
    first = folder.parent / "taught-before"
    folder.rename(first)
    text = (first / "taught.toml").read_text()
    (first / "taught.toml").rename(first / "taught-before.toml")
    (first / "taught-before.toml").write_text(swapped(text, '"taught"', '"taught-before"'))
    (first.parent / "taught.toml").write_text(swapped(text, old, new).replace('file = "a', 'file = "taught-before/a'))
    with pytest.raises(ModelError, match=said):
        catalogue.load("taught")


def rewritten(folder: Path, change: Callable[[dict[str, torch.Tensor]], object], sha256: str) -> Path:
    file = folder / "adapter_model.safetensors"
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file, metadata={"base_sha256": sha256} if sha256 else None)
    return file


def widened(tensors: dict[str, torch.Tensor]) -> None:
    name = next(name for name in tensors if "lora_A" in name)
    tensors[name] = torch.cat([tensors[name]] * 2, dim=1)


def deeper(tensors: dict[str, torch.Tensor]) -> None:
    for name in [name for name in tensors if "layers.1." in name]:
        tensors[name.replace("layers.1.", "layers.7.")] = tensors.pop(name)


@pytest.mark.parametrize(
    ("change", "sha256", "said"),
    [
        (lambda tensors: None, "f" * 64, "ffffffffffffffff"),
        (widened, "", "of another size"),
        (deeper, "", "does not have"),
        (lambda tensors: tensors.pop(next(iter(tensors))), "", "does not have"),
    ],
)
def test_an_adapter_for_another_model_is_refused(
    change: Callable[[dict[str, torch.Tensor]], object],
    sha256: str,
    said: str,
    folder: Path,
    packed: Path,
    model: Model,
) -> None:
    file = rewritten(folder, change, sha256)
    with pytest.raises(ModelError, match=rf"was not trained for qwen2\.5-coder-0\.5b: .*{said}"):
        merge(load_file(packed / "model.safetensors"), file, model.name, model.sha256)


@pytest.mark.parametrize("harm", ["torn", "no config", "no rank"])
def test_a_damaged_adapter_is_named(harm: str, folder: Path, model: Model) -> None:
    file, config = folder / "adapter_model.safetensors", folder / "adapter_config.json"
    if harm == "torn":
        file.write_bytes(file.read_bytes()[:999])
    elif harm == "no config":
        config.unlink()
    else:
        config.write_text(json.dumps({"r": 0, "lora_alpha": 1}))
    with pytest.raises(ModelDamaged, match="cannot be read"):
        merge({}, file, model.name, model.sha256)


def configured(folder: Path, **said: object) -> Path:
    """`folder`'s adapter, whose config says this, too."""
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | said))
    return folder / "adapter_model.safetensors"


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"rank_pattern": {"q_proj": 8}, "alpha_pattern": {}}, "rank_pattern, which"),
        ({"alpha_pattern": {"q_proj": 8}}, "alpha_pattern, which"),
        ({"use_dora": True}, "use_dora, which"),
        ({"alora_invocation_tokens": [1, 2]}, "alora_invocation_tokens, which"),
        ({"rank_pattern": {"q_proj": 8}, "use_dora": True}, "rank_pattern, use_dora, which"),
    ],
)
def test_what_peft_can_do_and_is_not_computed_here_is_refused(
    said: dict[str, object], refused: str, folder: Path, packed: Path, model: Model
) -> None:
    file = configured(folder, **said)
    with pytest.raises(ModelError, match=refused):
        merge(load_file(packed / "model.safetensors"), file, model.name, model.sha256)


@pytest.mark.parametrize(
    ("said", "scale"),
    [
        ({"rank_pattern": {}, "alpha_pattern": {}, "use_dora": False, "alora_invocation_tokens": None}, 2.0),
        ({"lora_alpha": 4}, 1.0),
        ({"lora_alpha": 4, "use_rslora": True}, 2.0),
    ],
)
def test_the_scale_is_what_peft_takes(
    said: dict[str, object], scale: float, folder: Path, packed: Path, model: Model
) -> None:
    weights = load_file(packed / "model.safetensors")
    assert read(weights, configured(folder, **said), model.name, model.sha256)[1] == scale


def half(tensors: dict[str, torch.Tensor], which: str) -> None:
    for name in [name for name in tensors if which in name]:
        tensors[name] = tensors[name].narrow(int("lora_B" in name), 0, 2).contiguous()


@pytest.mark.parametrize("which", ["lora_A", "layers.1.mlp.up_proj.lora_B", "lora_"])
def test_ranks_that_are_not_the_configs_are_damage(which: str, folder: Path, packed: Path, model: Model) -> None:
    """Those of A and B differ, for all layers or one; or both are half of what the scale is computed with."""
    file = rewritten(folder, lambda tensors: half(tensors, which), "")
    with pytest.raises(ModelDamaged, match=r"proj\.weight is not of rank 4"):
        merge(load_file(packed / "model.safetensors"), file, model.name, model.sha256)
