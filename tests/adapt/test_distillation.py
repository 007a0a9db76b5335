"""A larger model as the teacher: what it finds likely is learnt, its matrices being of another size."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from each_row import each_row
from handful import EXAMPLES, write_data
from runs import SHORT, quiet, report_of, trained
from safetensors.torch import load_file, save_file
from torch.nn import functional

from aigc_lsp.adapt import command
from aigc_lsp.adapt.command import Asked
from aigc_lsp.adapt.examples import Tokens, batch, rendered
from aigc_lsp.adapt.kernels import OUT, constrained
from aigc_lsp.adapt.loop import teacher_logits
from aigc_lsp.adapt.network import Network, load
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.errors import UsageError


@pytest.fixture
def teacher(packed: Path, tmp_path: Path) -> Path:
    """The base with another last layer, its matrices filled up to more words, as those of larger models are."""
    folder = tmp_path / "teacher"
    shutil.copytree(packed, folder)
    weights = load_file(packed / "model.safetensors")
    draw = torch.Generator().manual_seed(4)
    name = "model.layers.1.mlp.down_proj.weight"
    weights[name] += torch.randn(weights[name].shape, generator=draw) * 0.3
    for name in ("lm_head.weight", "model.embed_tokens.weight"):
        weights[name] = torch.cat([weights[name], torch.ones(8, weights[name].shape[1])])
    save_file(weights, folder / "model.safetensors")
    return folder


def test_what_a_teacher_finds_likely_is_learnt(
    asked: Asked, teacher: Path, vocabulary: Vocabulary, tmp_path: Path
) -> None:
    """Nothing is held out, so that the last step is the model, and not the one that says best what is true."""
    texts, _ = rendered(EXAMPLES, asked.base, vocabulary, 999)
    part = batch(texts, vocabulary)

    def says(network: Network) -> torch.Tensor:
        with torch.no_grad():
            logits = functional.linear(network.rows(part), network.head)[:, : len(vocabulary)]
        return constrained(logits, 0, part.allowed).log_softmax(-1)

    def divergence(network: Network) -> float:
        wanted = says(load(teacher, "cpu"))
        return float(functional.kl_div(says(network), wanted, log_target=True, reduction="batchmean"))

    settings = replace(SHORT, teacher_share=1.0, epochs=30, learning_rate=0.02)
    data = write_data(tmp_path / "alone", held=())
    taught = replace(asked, settings=settings, data=data, teacher=asked.base, teacher_packed=teacher)
    command.finetune(taught, quiet)
    found = report_of(asked)
    assert found["teacher"] == asked.base.name
    assert found["losses"][-1][1] < 0.1 * found["losses"][0][1]
    assert divergence(trained(asked)) < 0.1 * divergence(load(asked.packed, "cpu"))


def test_a_teacher_of_other_words_is_refused(asked: Asked, packed: Path) -> None:
    other = asked.folder.parent / "other"
    shutil.copytree(packed, other)
    content = json.loads((packed / "tokenizer.json").read_text(encoding="utf-8"))
    words = content["model"]["vocab"]
    words["class"], words["eft"] = words["eft"], words["class"]
    (other / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    command.check_same_tokenizer(packed, packed)
    with pytest.raises(UsageError, match="different tokens"):
        command.finetune(replace(asked, teacher=asked.base, teacher_packed=other), quiet)


@each_row("more", [-7, 0, 7])
def test_a_teacher_says_as_many_words_as_the_student_has(more: int, packed: Path, vocabulary: Vocabulary) -> None:
    """Where it has fewer, those that it lacks have no chance; those that it has beyond are left out."""
    teacher = load(packed, "cpu")
    head, count = teacher.head, len(teacher.head)
    part = batch([Tokens(tuple(range(5, 25)), 12)], vocabulary)
    with torch.no_grad():
        whole = functional.linear(teacher.rows(part), head)
    other = torch.cat([head, torch.ones(max(0, more), head.shape[1])])[: count + more]
    says = teacher_logits(Network(teacher.shape, teacher.weights | {"lm_head.weight": other}), part, count)
    found, there = says(slice(2, 6)), count + min(0, more)
    assert found.shape == (4, count)
    torch.testing.assert_close(found[:, :there], whole[2:6, :there])
    assert (found[:, there:] == OUT).all()
