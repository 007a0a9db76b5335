"""`finetune` and `distill` from a GGUF file to a model that completes, with a tiny one; and what they refuse."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import command_line
import pytest
import torch
from each_row import each_row
from handful import EXAMPLES, write_data
from runs import stopping_behind
from safetensors.torch import load_file
from tiny_gguf import write_gguf
from tiny_model import answer, tiny_tokenizer

from aigc_lsp import catalogue
from aigc_lsp.adapt import command
from aigc_lsp.adapt.network import Network
from aigc_lsp.adapt.register import register
from aigc_lsp.adapt.settings import Settings
from aigc_lsp.catalogue import Model
from aigc_lsp.cli import train
from aigc_lsp.engine.generate import Engine, Request
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.engine.weights import load_model
from aigc_lsp.prompt.infill import Hole, render
from aigc_lsp.weights.store import Store

if TYPE_CHECKING:
    from transformers import PreTrainedModel

folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)

DESCRIPTOR = Path(catalogue.__file__).resolve().parents[1] / "models" / "qwen2.5-coder-0.5b.toml"
SMALL = ("--tokens-per-step", 80, "--evaluate-every", 60, "--workers", 1)


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory, reference: PreTrainedModel) -> Path:
    path = tmp_path_factory.mktemp("fetched") / "tiny.gguf"
    write_gguf(path, reference, tiny_tokenizer())
    return path


@pytest.fixture
def own(folder: Path) -> Path:
    """Where the user's own models are."""
    made = folder / "config" / "aigc-lsp" / "models"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def tiny(own: Path, fetched: Path) -> Model:
    """A model that the catalogue knows, and that is fetched."""
    told = describe(own, "tiny", fetched.stat().st_size, hashlib.sha256(fetched.read_bytes()).hexdigest())
    place = Store().source_path(told)
    place.parent.mkdir(parents=True)
    os.link(fetched, place)
    return told


def describe(own: Path, name: str, size: int, digest: str) -> Model:
    shipped = catalogue.load(DESCRIPTOR.stem)
    text, _, _ = DESCRIPTOR.read_text().partition("# A mirror")
    for old, new in ((shipped.name, name), (str(shipped.size), str(size)), (shipped.sha256, digest), ("int4", "int8")):
        assert old in text
        text = text.replace(f'"{old}"', f'"{new}"').replace(f"= {old}\n", f"= {new}\n")
    (own / f"{name}.toml").write_text(text)
    return catalogue.load(name)


@pytest.fixture
def taught(own: Path, tiny: Model, new_network: Callable[..., Network]) -> Model:
    """`tiny` with an adapter that makes it another."""
    network = new_network()
    with torch.no_grad():
        for _, b in network.adapters.values():
            b.copy_(torch.randn(b.shape, generator=torch.Generator().manual_seed(1)))
    register(own / "taught", tiny, network, {"tokens": 5}, "<svg/>")
    return catalogue.load("taught")


def report_of(model: Model) -> dict[str, Any]:
    assert model.adapter is not None
    found: dict[str, Any] = json.loads((model.adapter.file.parent / "report.json").read_text())
    return found


@pytest.mark.parametrize("how", [("--rank", 8, "--rate", 0.02), ("--full", "--rate", 0.005)])
def test_a_handful_is_learnt_and_said_by_the_real_engine(
    how: tuple[object, ...], run: command_line.Run, tiny: Model, folder: Path
) -> None:
    data = write_data(folder / "data")
    ran = run("finetune", "--model", "tiny", "--data", data, "--out", "mine", "--epochs", 90, *how, *SMALL)
    assert ran.code == 0
    assert "step 90/90" in ran.out
    assert "Use it: `aigc-lsp models pull mine`" in ran.out
    mine = catalogue.load("mine")
    found = report_of(mine)
    assert found["held_out"][0]["exact"] == 0
    assert found["held_out"][-1]["exact"] == found["held_out"][-1]["ends"] == 1
    assert run("models", "pull", "mine").code == 0
    packed = Store().check_packed(mine)
    vocabulary = Vocabulary.load(packed)
    engine = Engine(load_model(packed, "cpu"), vocabulary)
    for each in EXAMPLES:
        prompt = render(
            Hole(each.prefix, each.suffix, filename=each.path), mine.fim, mine.files, vocabulary,
            prefix_budget=500, suffix_budget=500, order=each.order,
        )  # fmt: skip
        stop = frozenset(map(vocabulary.control, mine.stop))
        said = answer(engine, Request(prompt.tokens, heal=prompt.heal, max_tokens=40, stop_tokens=stop))
        assert (said.text, said.outcome.stop_reason) == (each.middle, "eos"), each.id


def test_a_model_is_converted_with_its_adapter(
    run: command_line.Run, taught: Model, reference: PreTrainedModel
) -> None:
    assert run("models", "pull", "tiny").code == run("models", "pull", "taught").code == 0
    assert run("models", "verify", "taught").code == 0
    assert taught.adapter is not None
    plain, merged = (
        load_file(Store().check_packed(model) / "model.safetensors") for model in (catalogue.load("tiny"), taught)
    )
    pairs = load_file(taught.adapter.file)
    changed = 0
    for name, weight in reference.state_dict().items():
        layer = f"base_model.model.{name.removesuffix('.weight')}"
        assert torch.equal(plain[name], weight.bfloat16()), name
        if f"{layer}.lora_A.weight" in pairs:
            a, b = (pairs[f"{layer}.lora_{factor}.weight"].float() for factor in "AB")
            weight = weight + 2.0 * b @ a
            changed += 1
        torch.testing.assert_close(merged[name].float(), weight.float(), atol=1e-4, rtol=2**-8)
    assert changed == 14


def test_an_adapter_is_trained_further_in_its_own_place(run: command_line.Run, taught: Model, folder: Path) -> None:
    assert taught.adapter is not None
    ran = run("finetune", "--model", "taught", "--data", write_data(folder / "data"), "--out", "taught", *SMALL)
    assert ran.code == 0
    again = catalogue.load("taught")
    assert again.adapter is not None
    assert again.adapter.sha256 != taught.adapter.sha256
    found = report_of(again)
    assert (found["begin"], found["begin_sha256"]) == ("taught", taught.adapter.sha256)
    assert found["before"] == {"tokens": 5}
    assert again.description == f"tiny, trained on {found['tokens'] + 5:,} tokens more"


def test_an_adapter_that_is_not_the_descriptors_is_not_converted(run: command_line.Run, taught: Model) -> None:
    assert taught.adapter is not None
    content = bytearray(taught.adapter.file.read_bytes())
    content[-1] ^= 1
    taught.adapter.file.write_bytes(content)
    ran = run("models", "pull", "taught")
    assert ran.code == 1
    assert f"{taught.adapter.file} has not the SHA-256 that the descriptor of taught names" in ran.sentence
    assert Store().state(taught) == "fetched"


def test_a_distillation_that_was_stopped_becomes_a_model(
    run: command_line.Run, taught: Model, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_data(folder / "data")
    asked = (
        "distill", "--teacher", "taught", "--student", "tiny", "--data", data, "--out", "small", "--share", 0.7,
        "--temperature", 3, "--epochs", 5, "--longest", 300, "--patience", 9, "--evaluate-rows", 3, *SMALL,
    )  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(command, "_asked_to_stop", stopping_behind(2))
        ran = run(*asked)
    assert ran.code == 1
    assert "stopped at step 2; the same command goes on from there" in ran.out
    assert "small" not in catalogue.names()
    ran = run(*asked, "--enough")
    assert ran.code == 0
    found = report_of(catalogue.load("small"))
    assert (found["steps"], found["teacher"], found["teacher_sha256"]) == (2, "taught", taught.sha256)
    told = {"teacher_share": 0.7, "temperature": 3.0, "epochs": 5, "longest": 300, "patience": 9, "evaluate_rows": 3}
    assert told.items() <= found["settings"].items()


def options(command: Callable[..., None]) -> dict[str, tuple[Any, Any]]:
    """What a command's options are, and their defaults, by their names."""
    told = get_type_hints(command, include_extras=True)
    return {name: (told[name], each.default) for name, each in inspect.signature(command).parameters.items()}


def test_both_commands_have_the_same_options() -> None:
    """But for who teaches; with the settings' defaults."""
    first, second = options(train.finetune), options(train.distill)
    assert set(second) - set(first) == {"teacher", "student", "share", "temperature"}
    assert set(first) - set(second) == {"model"}
    shared = first.keys() & second.keys()
    assert {"rank", "epochs", "patience", "enough", "save_memory"} <= shared
    assert {name: first[name] for name in shared} == {name: second[name] for name in shared}
    usual = Settings(teacher_share=second["share"][1]).to_json()
    assert usual == Settings().to_json()
    for name in second.keys() & usual.keys() - {"rank", "device", "workers"}:  # those are found when it runs
        assert second[name][1] == usual[name], name
    assert not any(told.__metadata__[0].hidden for told, _ in (*first.values(), *second.values()))


@pytest.fixture
def others(own: Path, tiny: Model, taught: Model, new_network: Callable[..., Network]) -> Path:
    """More of the user's own models: none, with an adapter of another, and a file."""
    other = describe(own, "other", tiny.size, "a" * 64)
    register(own / "others", other, new_network(), {}, "<svg/>")
    (own / "file").touch()
    return own


NO_NAME, SHIPPED = "is no name for a model", "is a model that is shipped"


@each_row(
    ("out", "said"),
    [
        ("", NO_NAME),
        (".", NO_NAME),
        ("..", NO_NAME),
        ("/", NO_NAME),
        ("elsewhere/..", NO_NAME),
        (".mine", NO_NAME),
        ("elsewhere/.mine", NO_NAME),
        ("tiny", "needs a name of its own"),
        ("elsewhere/tiny", "needs a name of its own"),
        ("smollm2-135m", SHIPPED),
        ("OWN/smollm2-135m", SHIPPED),
        ("OWN/../models/smollm2-135m", SHIPPED),
        ("other", "is already a model, and not tiny with an adapter"),
        ("others", "is already a model, and not tiny with an adapter"),
        ("file", "is no folder"),
    ],
)
def test_a_name_that_is_taken_is_refused_before_anything_is_done(
    out: str, said: str, run: command_line.Run, others: Path
) -> None:
    ran = run("finetune", "--model", "tiny", "--data", "nowhere", "--out", out.replace("OWN", str(others)))
    assert ran.code == 2
    assert said in ran.sentence
    assert Store().state(catalogue.load("tiny")) == "fetched"


@each_row("out", ["mine", "taught", "elsewhere/smollm2-135m", "elsewhere/other", "elsewhere/taught"])
def test_a_name_that_is_free_is_taken(out: str, tiny: Model, others: Path) -> None:
    """One of which there is an adapter for the same model is that model, trained again."""
    place, _ = command.place_of(out, None)
    command.check_free(place, tiny)
    assert command.is_own(place) == ("/" not in out)
    assert place.parent == (Path("elsewhere").absolute() if "/" in out else others)


def test_a_model_elsewhere_is_not_said_to_be_known(run: command_line.Run, tiny: Model, folder: Path) -> None:
    out = folder / "elsewhere" / "smollm2-135m"
    ran = run("finetune", "--model", "tiny", "--data", write_data(folder / "data"), "--out", out, *SMALL)
    assert ran.code == 0
    assert ran.out.endswith(f"The model is in {out}.\n")
    assert catalogue.load("smollm2-135m").adapter is None
