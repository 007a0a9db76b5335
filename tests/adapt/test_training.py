"""The loop: a run that was cut off ends as if it was not, early where it gets no better, with what was best."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import command_line
import pytest
import torch
from handful import EXAMPLES, write_data
from runs import SHORT, WHOLE, adapters, quiet, report_of, stopping_behind, trained

from aigc_lsp.adapt import command, report
from aigc_lsp.adapt.checkpoint import State
from aigc_lsp.adapt.command import Asked
from aigc_lsp.adapt.examples import rendered
from aigc_lsp.adapt.held import evaluate
from aigc_lsp.adapt.settings import Settings, rate_at
from aigc_lsp.errors import UsageError

if TYPE_CHECKING:
    from aigc_lsp.engine.vocabulary import Vocabulary

folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)


class Killed(Exception):
    pass


def dies_at(step: int) -> Callable[[str], None]:
    def say(said: str) -> None:
        if said.startswith(f"step {step}/"):
            raise Killed

    return say


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("settings", [SHORT, replace(SHORT, **WHOLE)])
def test_a_run_that_was_killed_ends_as_if_it_was_not(
    settings: Settings, workers: int, asked: Asked, tmp_path: Path
) -> None:
    asked = replace(asked, settings=replace(settings, workers=workers))
    command.finetune(asked, quiet)
    whole, state = adapters(asked), report_of(asked)
    again = replace(asked, run=tmp_path / "again", folder=tmp_path / "other" / "taught")
    for step in (1, 5):  # before there is a checkpoint, and in the middle
        with pytest.raises(Killed):
            command.finetune(again, dies_at(step))
        (again.run).mkdir(exist_ok=True)
        (again.run / "checkpoint.pt.new").write_bytes(b"torn")
    with pytest.MonkeyPatch.context() as patch:  # and asked to stop, which it does behind the step
        patch.setattr(command, "_asked_to_stop", stopping_behind(2))
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
    found = report_of(asked)
    steps = found["steps"]
    assert 4 <= steps <= 6
    assert [each["step"] for each in found["held_out"]][-1] == len(found["losses"]) == steps
    command.finetune(asked, quiet)  # it can still be gone on
    assert report_of(asked)["steps"] > steps


def test_with_nothing_held_out_the_last_step_is_the_model(asked: Asked, tmp_path: Path) -> None:
    alone = replace(asked, data=write_data(tmp_path / "alone", held=()))
    said: list[str] = []
    assert command.finetune(alone, said.append) is not None
    found = report_of(alone)
    assert (found["held_out"], found["data"]["held_out_examples"], found["steps"]) == ([], 0, len(found["losses"]))
    assert found["best"] == {"step": 0, "held_out_loss": None}
    assert any(tensor.abs().sum() > 0 for name, tensor in adapters(alone).items() if "lora_B" in name)
    assert not any("held out at" in line or "nothing was learnt" in line for line in said)


def test_held_out_examples_that_are_missing_are_missed(asked: Asked, tmp_path: Path) -> None:
    torn = write_data(tmp_path / "torn")
    (torn / "held-00000.jsonl.gz").unlink()
    with pytest.raises(UsageError, match="held-00000"):
        command.finetune(replace(asked, data=torn), quiet)


def test_a_run_is_of_every_byte_of_its_data(asked: Asked) -> None:
    files = [asked.data / f"{split}-00000.jsonl.gz" for split in ("train", "held")]
    whole = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    assert command.identity_of(asked)["data_sha256"] == whole


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
        other = replace(asked, data=write_data(tmp_path / "other", EXAMPLES[:3]))
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


def test_it_ends_early_and_keeps_the_best(asked: Asked, vocabulary: Vocabulary) -> None:
    wild = replace(SHORT, learning_rate=0.3, warmup=0.5, epochs=40, evaluate_every=1, patience=3)
    command.finetune(replace(asked, settings=wild), quiet)
    found = report_of(asked)
    losses = [each["loss"] for each in found["held_out"]]
    assert found["steps"] < 40
    assert found["best"]["held_out_loss"] == min(losses) == losses[-4]
    assert 0 < found["best"]["step"] == found["steps"] - 3
    texts, _ = rendered(EXAMPLES, asked.base, vocabulary, 999)
    saved = evaluate(trained(asked), texts, vocabulary, 999)["loss"]
    assert saved == pytest.approx(min(losses), abs=0.05), "but for bfloat16"
    assert min(abs(saved - loss) for loss in losses if loss > min(losses)) > 0.2, "no other step's"
    command.finetune(replace(asked, settings=wild, enough=True, last=True), quiet)
    assert evaluate(trained(asked), texts, vocabulary, 999)["loss"] == pytest.approx(losses[-1], abs=0.2)


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
