"""The store without a network: files come by --from, and what is half done never loads."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aigc_lsp.catalogue import Fim, IndexPart, IndexSource, Model, Segment
from aigc_lsp.errors import FetchFailed, ModelDamaged, ModelMissing, UsageError
from aigc_lsp.weights.store import Progress, Store

CONTENT = random.Random(1).randbytes(3_000_000)


def tiny_model() -> Model:
    return Model(
        name="tiny",
        description="a test's",
        license="Apache-2.0",
        context_length=64,
        chat=False,
        chat_template=None,
        eos=("<end>",),
        stop=(),
        control=(),
        fim=Fim("prefix", True, {"prefix": (Segment("prefix", is_slot=True),)}),
        files=None,
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        sources=(IndexSource((IndexPart("no-such-dist", "1", "a/b.bin", len(CONTENT)),)),),
    )


def quiet(progress: Progress) -> None:
    pass


def convert(source: Path, target: Path) -> None:
    (target / "model.safetensors").write_bytes(source.read_bytes()[::-1])
    (target / "tokenizer").mkdir()
    (target / "tokenizer" / "vocab.json").write_text("{}")


@pytest.fixture
def model() -> Model:
    return tiny_model()


@pytest.fixture
def given(tmp_path: Path) -> Path:
    file = tmp_path / "given.gguf"
    file.write_bytes(CONTENT)
    return file


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


@pytest.fixture
def fetched(store: Store, model: Model, given: Path) -> Store:
    store.fetch(model, quiet, from_path=given)
    return store


def test_the_root_is_the_environments_or_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIGC_LSP_MODELS_DIR", str(tmp_path / "there"))
    assert Store().root == tmp_path / "there"
    monkeypatch.delenv("AIGC_LSP_MODELS_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert tmp_path in Store().root.parents or sys.platform != "linux"


def test_from_copies_and_verifies(store: Store, model: Model, given: Path) -> None:
    seen: list[Progress] = []
    assert store.state(model) == "absent"
    path = store.fetch(model, seen.append, from_path=given)
    assert path == store.source_path(model)
    assert path.read_bytes() == CONTENT
    assert given.read_bytes() == CONTENT
    assert store.state(model) == "fetched"
    assert store.disk_bytes(model) == len(CONTENT)
    assert (seen[-1].done, seen[-1].total) == (len(CONTENT), len(CONTENT))
    given.unlink()
    assert store.fetch(model, quiet, offline=True) == path


def test_from_refuses_another_file_naming_both_digests(store: Store, model: Model, tmp_path: Path) -> None:
    other = tmp_path / "other.gguf"
    other.write_bytes(b"GGUF")
    with pytest.raises(ModelDamaged) as caught:
        store.fetch(model, quiet, from_path=other)
    assert model.sha256 in str(caught.value)
    assert hashlib.sha256(b"GGUF").hexdigest() in str(caught.value)
    assert store.state(model) == "absent"
    assert store.disk_bytes(model) == 0
    with pytest.raises(UsageError, match="There is no file"):
        store.fetch(model, quiet, from_path=tmp_path / "nowhere")


@pytest.mark.parametrize("value", ["1", "true"])
def test_offline_says_so_and_what_to_do(
    store: Store, model: Model, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: pytest.fail("the network was used"))
    with pytest.raises(FetchFailed, match=r"HF_HUB_OFFLINE.*models pull tiny --from FILE") as caught:
        store.fetch(model, quiet)
    assert model.sha256 in str(caught.value)


def test_too_little_room_is_seen_beforehand(
    store: Store, model: Model, given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 9, 1000))
    with pytest.raises(FetchFailed, match=r"is full.*3,000,000 bytes more and 1,000 are free"):
        store.fetch(model, quiet, from_path=given)


def test_a_root_that_cannot_be_written_is_named(model: Model, tmp_path: Path, given: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FetchFailed, match=r"could not be written.*AIGC_LSP_MODELS_DIR"):
        Store(tmp_path / "file" / "models").fetch(model, quiet, from_path=given)


def test_pack_converts_once(fetched: Store, model: Model) -> None:
    path = fetched.pack(model, convert)
    assert path == fetched.packed_path(model) == fetched.check_packed(model)
    assert fetched.state(model) == "packed"
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["source_sha256"] == model.sha256
    assert manifest["files"]["tokenizer/vocab.json"]["bytes"] == 2
    assert fetched.pack(model, lambda source, target: pytest.fail("converted again")) == path
    fetched.source_path(model).unlink()
    assert fetched.pack(model, convert) == path
    assert fetched.verify(model) == []


def test_pack_without_a_source_says_pull(store: Store, model: Model) -> None:
    with pytest.raises(ModelMissing, match="aigc-lsp models pull tiny"):
        store.pack(model, convert)
    with pytest.raises(ModelMissing, match="aigc-lsp models pull tiny"):
        store.check_packed(model)
    with pytest.raises(ModelMissing):
        store.verify(model)


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_a_conversion_that_raises_leaves_nothing(fetched: Store, model: Model, error: BaseException) -> None:
    def broken(source: Path, target: Path) -> None:
        convert(source, target)
        raise error

    with pytest.raises(type(error)):
        fetched.pack(model, broken)
    assert fetched.state(model) == "fetched"
    assert [path.name for path in fetched.source_path(model).parent.iterdir()] == [fetched.source_path(model).name]


def test_a_full_disk_while_converting(fetched: Store, model: Model) -> None:
    def full(source: Path, target: Path) -> None:
        with open("/dev/full", "wb") as device:
            device.write(bytes(100_000))

    with pytest.raises(FetchFailed, match="is full"):
        fetched.pack(model, full)
    assert fetched.state(model) == "fetched"


def test_without_room_nothing_is_converted(fetched: Store, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetched, "_free", lambda: model.size)
    with pytest.raises(FetchFailed, match="is full"):
        fetched.pack(model, lambda source, target: pytest.fail("there is no room"))


@pytest.mark.parametrize("change", [{"packing": "int4"}, {"control": ("<more>",)}])
def test_another_descriptor_packs_anew(fetched: Store, model: Model, change: dict[str, Any]) -> None:
    fetched.pack(model, convert)
    changed = replace(model, **change)
    assert fetched.state(changed) == "fetched"
    fetched.pack(changed, convert)
    assert (fetched.state(changed), fetched.state(model)) == ("packed", "fetched")


def test_one_that_was_packed_before_recipes_were_kept_is_sound(fetched: Store, model: Model) -> None:
    manifest = fetched.pack(model, convert) / "manifest.json"
    content = json.loads(manifest.read_text())
    del content["recipe"]
    manifest.write_text(json.dumps(content))
    assert fetched.state(model) == "packed"


def hang(source: Path, target: Path) -> None:
    convert(source, target)
    (target / "begun").touch()
    time.sleep(60)


def test_a_conversion_that_is_killed_leaves_nothing_that_loads(fetched: Store, model: Model) -> None:
    child = multiprocessing.get_context("fork").Process(target=fetched.pack, args=(model, hang))
    child.start()
    begun = fetched.packed_path(model).with_suffix(".new") / "begun"
    while not begun.exists():
        time.sleep(0.01)
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    assert fetched.state(model) == "fetched"
    assert fetched.check_packed(fetched_again(fetched, model))


def fetched_again(store: Store, model: Model) -> Model:
    store.pack(model, convert)
    assert not store.packed_path(model).with_suffix(".new").exists()
    return model


def test_a_file_of_the_wrong_size_is_damage_and_pack_repairs_it(fetched: Store, model: Model) -> None:
    weights = fetched.pack(model, convert) / "model.safetensors"
    os.truncate(weights, 10)
    with pytest.raises(ModelDamaged, match=r"model\.safetensors has 10 bytes.*models pull tiny") as caught:
        fetched.check_packed(model)
    assert model.sha256 in str(caught.value)
    assert fetched.state(model) == "fetched"
    fetched.pack(model, convert)
    assert weights.stat().st_size == len(CONTENT)


@pytest.mark.parametrize("manifest", ["", "[]", '{"format": 1}', '{"format": 0, "source_sha256": "", "files": {}}'])
def test_an_unreadable_manifest_is_damage(fetched: Store, model: Model, manifest: str) -> None:
    (fetched.pack(model, convert) / "manifest.json").write_text(manifest)
    with pytest.raises(ModelDamaged):
        fetched.check_packed(model)


def test_verify_finds_a_flipped_byte(fetched: Store, model: Model) -> None:
    packed = fetched.pack(model, convert)
    for file in (fetched.source_path(model), packed / "model.safetensors"):
        with file.open("r+b") as stream:
            stream.seek(1000)
            byte = stream.read(1)[0]
            stream.seek(1000)
            stream.write(bytes([byte ^ 1]))
    fetched.check_packed(model)
    source, weights = fetched.verify(model)
    assert str(fetched.source_path(model)) in source
    assert model.sha256 in source
    assert "model.safetensors" in weights
    assert "models remove tiny" in weights


def test_remove_frees_everything(fetched: Store, model: Model) -> None:
    fetched.pack(model, convert)
    held = fetched.disk_bytes(model)
    assert held > 2 * len(CONTENT)
    assert fetched.remove(model) == held
    assert fetched.state(model) == "absent"
    assert fetched.remove(model) == 0


def test_what_is_damaged_is_discarded_and_what_is_not_stays(fetched: Store, model: Model) -> None:
    fetched.pack(model, convert)
    fetched.discard_damaged(model)
    assert not fetched.packed_path(model).exists()
    assert fetched.source_path(model).exists()  # it is what it should be: no need to fetch it again
    fetched.pack(model, convert)
    source = fetched.source_path(model)
    source.write_bytes(CONTENT[:-1] + b"\0" + CONTENT[-1:])
    fetched.discard_damaged(model)
    assert not source.exists()
    assert fetched.state(model) == "absent"


def test_a_load_that_does_not_end_is_remembered(fetched: Store, model: Model) -> None:
    with fetched.loading(model) as has_died:
        assert not has_died
        with fetched.loading(model) as has_died:  # what the next process finds where this one dies here
            assert has_died
    with fetched.loading(model) as has_died:
        assert not has_died
    with pytest.raises(KeyError), fetched.loading(model):
        raise KeyError  # an error is no death
    with fetched.loading(model) as has_died:
        assert not has_died
