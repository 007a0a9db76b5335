"""Descriptors: the shipped ones are consistent, a wrong one is refused by file and key."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from aigc_lsp import catalogue
from aigc_lsp.catalogue import HubSource, IndexSource, Segment
from aigc_lsp.errors import ModelError, UnknownModel

DEFAULT = "qwen2.5-coder-0.5b"
SHIPPED = Path(catalogue.__file__).resolve().parents[1] / "models"


def render(template: tuple[Segment, ...], prefix: str, suffix: str) -> str:
    slots = {"prefix": prefix, "suffix": suffix}
    return "".join(slots[segment.text] if segment.is_slot else segment.text for segment in template)


@pytest.fixture(autouse=True)
def config_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "aigc-lsp" / "models"


@pytest.mark.parametrize("name", [file.stem for file in SHIPPED.glob("*.toml")])
def test_every_shipped_model_is_pinned_and_consistent(name: str) -> None:
    model = catalogue.load(name)
    assert model.name == name
    assert model.sources
    assert set(model.eos) <= model.control_tokens
    assert model.chat_template == catalogue.FROM_WEIGHTS
    for source in model.sources:
        if isinstance(source, HubSource):
            assert len(source.revision) == 40, "a branch name would not be pinned"
        else:
            assert sum(part.size for part in source.parts) == model.size


def test_the_default_model_puts_the_suffix_first_and_heals() -> None:
    model = catalogue.load(DEFAULT)
    assert render(model.fim.template, "P", "S") == "<|fim_prefix|><|fim_suffix|>S<|fim_middle|>P"
    assert render(model.fim.templates["psm"], "P", "S") == "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"
    assert model.fim.healing
    assert model.fim.sees_suffix
    assert [type(source) for source in model.sources] == [HubSource, IndexSource]
    assert {"<|fim_pad|>", "<|file_sep|>", "<|repo_name|>", "<|im_start|>"} <= model.control_tokens


def test_a_model_without_fim_tokens_sees_only_the_prefix() -> None:
    model = catalogue.load("smollm2-135m")
    assert not model.fim.sees_suffix
    assert render(model.fim.template, "P", "S") == "P"


def test_an_unknown_name_is_answered_with_the_known_ones_and_the_closest() -> None:
    with pytest.raises(UnknownModel, match=r"Did you mean `qwen2\.5-coder-0\.5b`\?.*smollm2-135m"):
        catalogue.load("qwen-coder-0.5b")
    with pytest.raises(UnknownModel):
        catalogue.load("../models/smollm2-135m")


def test_the_users_own_descriptor_is_listed_and_wins(config_home: Path) -> None:
    config_home.mkdir(parents=True)
    text = (SHIPPED / f"{DEFAULT}.toml").read_text()
    (config_home / f"{DEFAULT}.toml").write_text(text.replace('order = "spm"', 'order = "psm"'))
    (config_home / "mine.toml").write_text(text.replace(f'name = "{DEFAULT}"', 'name = "mine"'))
    assert "mine" in catalogue.names()
    assert catalogue.load("mine").name == "mine"
    assert catalogue.load(DEFAULT).fim.order == "psm"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("context_length = 32768", "", "context_length` is missing"),
        ("context_length = 32768", 'context_length = "long"', "context_length` must be a whole number"),
        ("context_length = 32768", "context_length = true", "context_length` must be a whole number"),
        ("healing = true", "heeling = true", "fim.healing` is missing"),
        ("healing = true", "healing = true\nspeed = 9", "fim.speed` is not known"),
        ('order = "spm"', 'order = "msp"', "fim.order` must be one of its templates"),
        ('"{suffix}", ', '"{middle}", ', "fim.templates.spm` must hold"),
        ('spm = ["<|fim_prefix|>"', 'spm = ["<|fim_prfix|>"', "fim.templates.spm` holds"),
        ('kind = "hub"', 'kind = "ftp"', 'weights.sources[0].kind` must be "hub" or "index"'),
        ("size = 45755264", "size = 45755263", "weights.sources[1].parts` add up to 491400063 bytes"),
        ('sha256 = "1d', 'sha256 = "1D', "weights.sha256` must be 64"),
        ('packing = "int4"', 'packing = "int3"', "weights.packing` must be one of int4, mixed, int8"),
        ('name = "qwen', 'name = "gwen', "name` must be"),
        ("[weights]", "[weights", "cannot be read"),
    ],
)
def test_a_malformed_descriptor_is_refused_by_file_and_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    text = (SHIPPED / f"{DEFAULT}.toml").read_text()
    assert old in text
    file = tmp_path / f"{DEFAULT}.toml"
    file.write_text(text.replace(old, new))
    with pytest.raises(ModelError) as caught:
        catalogue.read(file)
    assert str(file) in str(caught.value)
    assert key in str(caught.value)


def test_the_shipped_models_are_known_apart_from_the_users(config_home: Path) -> None:
    config_home.mkdir(parents=True)
    for name in ("mine", DEFAULT):
        (config_home / f"{name}.toml").touch()
    assert set(catalogue.names()) - set(catalogue.names(shipped=True)) == {"mine"}
    assert catalogue.names(shipped=True) == sorted(file.stem for file in SHIPPED.rglob("*.toml"))


@pytest.mark.parametrize(
    ("bases", "said"),
    [
        ({DEFAULT: DEFAULT}, "`base` leads back to the model itself"),
        ({"first": "second", "second": "first"}, "`base` leads back to the model itself"),
        ({"first": "second", "second": "second"}, "`base` names second, which has an adapter itself; name second"),
        ({"first": "second", "second": "third", "third": "first"}, "names second, which has an adapter itself"),
        ({"first": "second", "second": DEFAULT}, rf"an adapter itself; name {re.escape(DEFAULT)}\."),
        ({"first": "gone"}, "no model called `gone`"),
    ],
)
def test_an_adapter_is_for_a_model_of_weights(bases: dict[str, str], said: str, config_home: Path) -> None:
    config_home.mkdir(parents=True)
    for name, base in bases.items():
        text = f'name = "{name}"\ndescription = "x"\nbase = "{base}"\n[adapter]\nfile = "x"\nsha256 = "{"a" * 64}"\n'
        (config_home / f"{name}.toml").write_text(text)
    with pytest.raises(ModelError, match=said):
        catalogue.load(next(iter(bases)))


def test_importing_the_catalogue_and_the_store_loads_no_network_library() -> None:
    code = (
        "import sys, aigc_lsp.catalogue, aigc_lsp.weights.store;"
        "print({'torch', 'transformers', 'httpx', 'huggingface_hub', 'filelock'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
