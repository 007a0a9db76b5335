"""The loop: a handful is learnt by heart and said by the real engine; a run that was cut off ends as if it was not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import command_line
import pytest
import torch
from handful import EXAMPLES
from safetensors.torch import load_file, save_file
from tiny_model import answer

from aigc_lsp import catalogue
from aigc_lsp.adapt import command, report
from aigc_lsp.adapt.checkpoint import State
from aigc_lsp.adapt.command import Asked
from aigc_lsp.adapt.settings import Settings, rate_at
from aigc_lsp.catalogue import Model
from aigc_lsp.dataset import example as rows
from aigc_lsp.engine.adapter import merge
from aigc_lsp.engine.generate import Engine, Request
from aigc_lsp.engine.weights import load_model
from aigc_lsp.errors import UsageError
from aigc_lsp.prompt.infill import Hole, render

if TYPE_CHECKING:
    from aigc_lsp.engine.vocabulary import Vocabulary

QUICK = Settings(
    rank=8, alpha=16, learning_rate=0.02, tokens_per_step=80, tokens_per_part=40, epochs=90, evaluate_every=60,
    evaluate_rows=4, checkpoint_seconds=1e9,
)  # fmt: skip
SHORT = replace(QUICK, epochs=12, learning_rate=0.003, evaluate_every=4, checkpoint_seconds=0.0)
WHOLE = {"full": True, "rank": 0, "alpha": 0.0}


folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    rows.write(folder, "train", EXAMPLES)
    rows.write(folder, "held", EXAMPLES)
    return folder


@pytest.fixture
def asked(tmp_path: Path, model: Model, packed: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "aigc-lsp" / "models" / "taught"
    return Asked(model, packed, data, folder, tmp_path / "run", SHORT)


class Killed(Exception):
    pass


def quiet(said: str) -> None:
    pass


def dies_at(step: int) -> Callable[[str], None]:
    def say(said: str) -> None:
        if said.startswith(f"step {step}/"):
            raise Killed

    return say


def adapters(asked: Asked) -> dict[str, torch.Tensor]:
    (file,) = asked.folder.glob("*.safetensors")
    return load_file(file)


@pytest.mark.parametrize("settings", [QUICK, replace(QUICK, **WHOLE, learning_rate=0.005)])
def test_a_handful_is_learnt_and_said_by_the_real_engine(
    settings: Settings, asked: Asked, model: Model, packed: Path, vocabulary: Vocabulary, tmp_path: Path
) -> None:
    asked = replace(asked, settings=settings)
    descriptor = command.finetune(asked, quiet)
    assert descriptor is not None
    found = json.loads((asked.folder / "report.json").read_text())
    assert found["held_out"][0]["exact"] == 0
    assert found["held_out"][-1]["exact"] == found["held_out"][-1]["ends"] == 1
    taught = catalogue.load("taught")
    assert taught.adapter is not None
    weights = load_file(packed / "model.safetensors")
    merge(weights, taught.adapter.file, taught.adapter.base, taught.sha256)
    merged = tmp_path / "merged"
    shutil.copytree(packed, merged)
    save_file(weights, merged / "model.safetensors")
    engine = Engine(load_model(merged, "cpu"), vocabulary)
    for each in EXAMPLES:
        prompt = render(
            Hole(each.prefix, each.suffix, filename=each.path), taught.fim, taught.files, vocabulary,
            prefix_budget=500, suffix_budget=500, order=each.order,
        )  # fmt: skip
        stop = frozenset(map(vocabulary.control, taught.stop))
        said = answer(engine, Request(prompt.tokens, heal=prompt.heal, max_tokens=40, stop_tokens=stop))
        assert said.text == each.middle, each.id
        assert said.outcome.stop_reason == "eos"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("settings", [SHORT, replace(SHORT, **WHOLE)])
def test_a_run_that_was_killed_ends_as_if_it_was_not(
    settings: Settings, workers: int, asked: Asked, tmp_path: Path
) -> None:
    asked = replace(asked, settings=replace(settings, workers=workers))
    command.finetune(asked, quiet)
    whole, state = adapters(asked), json.loads((asked.folder / "report.json").read_text())
    again = replace(asked, run=tmp_path / "again", folder=tmp_path / "other" / "taught")
    for step in (1, 5):  # before there is a checkpoint, and in the middle
        with pytest.raises(Killed):
            command.finetune(again, dies_at(step))
        (again.run).mkdir(exist_ok=True)
        (again.run / "checkpoint.pt.new").write_bytes(b"torn")
    stops: list[bool] = []
    with pytest.MonkeyPatch.context() as patch:  # and asked to stop, which it does behind the step
        patch.setattr(command, "_asked_to_stop", lambda: _context(lambda: stops.append(True) or len(stops) > 2))
        assert command.finetune(again, quiet) is None
    command.finetune(again, quiet)
    for name, tensor in adapters(again).items():
        assert torch.equal(tensor, whole[name]), name
    other = json.loads((again.folder / "report.json").read_text())
    assert other["losses"] == state["losses"]
    assert other["held_out"] == state["held_out"]
    assert len(state["losses"]) == state["steps"] > 6


def test_enough_is_a_model_of_what_the_run_has(asked: Asked) -> None:
    enough = replace(asked, enough=True)
    with pytest.raises(UsageError, match=r"no run in .* Leave --enough out"):
        command.finetune(enough, quiet)
    with pytest.raises(Killed):
        command.finetune(asked, dies_at(6))
    assert command.finetune(enough, quiet) is not None
    found = json.loads((asked.folder / "report.json").read_text())
    steps = found["steps"]
    assert 4 <= steps <= 6
    assert [each["step"] for each in found["held_out"]][-1] == len(found["losses"]) == steps
    command.finetune(asked, quiet)  # it can still be gone on
    assert json.loads((asked.folder / "report.json").read_text())["steps"] > steps


class _context:
    def __init__(self, value: Callable[[], bool]) -> None:
        self._value = value

    def __enter__(self) -> Callable[[], bool]:
        return self._value

    def __exit__(self, *exception: object) -> None:
        pass


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"learning_rate": 1.0}, "learning_rate was 0.003"),
        ({"seed": 9}, "seed was 1"),
        (WHOLE, "began with other settings .*full was False"),
        (None, "other data"),
    ],
)
def test_a_run_goes_on_only_as_it_began(
    change: dict[str, float] | None, said: str, asked: Asked, tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        command.finetune(asked, dies_at(3))
    if change is None:
        rows.write(tmp_path, "train", EXAMPLES[:3])
        rows.write(tmp_path, "held", EXAMPLES)
        other = replace(asked, data=tmp_path)
    else:
        other = replace(asked, settings=replace(SHORT, **change))
    with pytest.raises(UsageError, match=said):
        command.finetune(other, quiet)


def test_a_setting_that_a_run_does_not_know_yet_was_at_its_default() -> None:
    before = {name: value for name, value in Settings().to_json().items() if name != "full"}
    assert Settings().differing(before) == {}
    assert Settings(full=True).differing(before) == {"full": False}


def test_whole_matrices_have_no_rank(run: command_line.Run) -> None:
    ran = run("finetune", "--data", "data", "--out", "mine", "--full", "--rank", 8)
    assert (ran.code, ran.sentence) == (
        2,
        "--full trains whole matrices, and --rank is of adapters beside them: leave out one of the two.",
    )


def test_a_model_with_an_adapter_is_trained_further(asked: Asked, tmp_path: Path) -> None:
    command.finetune(asked, quiet)
    ends = json.loads((asked.folder / "report.json").read_text())["best"]["held_out_loss"]
    taught = catalogue.load("taught")
    slow = replace(SHORT, rank=2, alpha=4, learning_rate=1e-9, epochs=1)  # the adapter's own rank holds
    further = replace(asked, begin=taught, settings=slow, run=tmp_path / "more", folder=tmp_path / "other" / "further")
    command.finetune(further, quiet)
    found = json.loads((further.folder / "report.json").read_text())
    assert found["held_out"][0]["loss"] == pytest.approx(ends, abs=0.02)  # it was rounded to bfloat16
    assert (found["begin"], found["settings"]["rank"], found["settings"]["alpha"]) == ("taught", 8, 16)
    assert taught.adapter is not None
    assert found["begin_sha256"] == taught.adapter.sha256
    before, after = adapters(asked), adapters(further)
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor, atol=1e-3, rtol=1e-2)


def test_an_adapter_of_whole_matrices_is_not_trained_further(asked: Asked) -> None:
    command.finetune(replace(asked, settings=replace(SHORT, **WHOLE, epochs=1)), quiet)
    further = replace(asked, begin=catalogue.load("taught"), run=asked.run / "more")
    with pytest.raises(UsageError, match="not of one rank"):
        command.finetune(further, quiet)


def test_an_adapter_has_its_own_rank(run: command_line.Run, asked: Asked) -> None:
    command.finetune(replace(asked, settings=replace(SHORT, epochs=1)), quiet)
    ran = run("finetune", "--data", "data", "--out", "mine", "--model", "taught", "--rank", 8)
    assert ran.code == 2
    assert ran.sentence.startswith("taught has an adapter, of a rank of its own")


def test_it_ends_early_and_keeps_the_best(asked: Asked) -> None:
    wild = replace(SHORT, learning_rate=30.0, epochs=40, evaluate_every=1, patience=3)
    command.finetune(replace(asked, settings=wild), quiet)
    found = json.loads((asked.folder / "report.json").read_text())
    losses = [each["loss"] for each in found["held_out"]]
    assert found["steps"] < 40
    assert found["best"]["held_out_loss"] == min(losses) == losses[-4]


def test_a_teacher_of_the_same_words_is_learnt_from_and_another_refused(asked: Asked, packed: Path) -> None:
    """The teacher is the base itself: the divergence is zero at first, and the adapters stay where they are."""
    taught = replace(SHORT, teacher_share=1.0, epochs=2)
    command.finetune(replace(asked, settings=taught, teacher=asked.base, teacher_packed=packed), quiet)
    found = json.loads((asked.folder / "report.json").read_text())
    assert found["teacher"] == asked.base.name
    assert max(abs(loss) for _, loss in found["losses"]) < 1e-4
    other = asked.folder.parent / "other"
    shutil.copytree(packed, other)
    content = json.loads((packed / "tokenizer.json").read_text(encoding="utf-8"))
    words = content["model"]["vocab"]
    words["class"], words["eft"] = words["eft"], words["class"]
    (other / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    command.check_same_tokenizer(packed, packed)
    with pytest.raises(UsageError, match="different tokens"):
        command.check_same_tokenizer(packed, other)


def test_the_rate_rises_then_falls_along_a_cosine() -> None:
    settings = Settings(learning_rate=1.0, warmup=0.1, final_rate=0.2)
    rates = [rate_at(step, 100, settings) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == 1.0
    assert rates[55] == pytest.approx(0.6)
    assert rates[100] == pytest.approx(0.2)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_the_curve_is_a_picture_of_every_step() -> None:
    state = State(step=3, losses=[[1, 2.0], [2, 1.0], [3, 1.5]], held=[{"step": 0, "loss": 2.0, "exact": 0.5}] * 2)
    picture = ElementTree.fromstring(report.curve(state))
    lines = picture.findall("{http://www.w3.org/2000/svg}polyline")
    assert [len(line.get("points", "").split()) for line in lines] == [3, 2, 2]
