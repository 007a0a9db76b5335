"""An adapter that is trained further: with its own rank, and with all that was trained before in its report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import command_line
import pytest
import torch
from each_row import each_row
from runs import SHORT, WHOLE, adapters, quiet, report_of

from aigc_lsp import catalogue
from aigc_lsp.adapt import command, report
from aigc_lsp.adapt.command import Asked
from aigc_lsp.errors import UsageError

folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)


def test_a_model_with_an_adapter_is_trained_further(asked: Asked, tmp_path: Path) -> None:
    command.finetune(asked, quiet)
    ends = report_of(asked)["best"]["held_out_loss"]
    taught = catalogue.load("taught")
    slow = replace(SHORT, rank=2, alpha=4, learning_rate=1e-9, epochs=1)  # the adapter's own rank holds
    further = replace(asked, begin=taught, settings=slow, run=tmp_path / "more", folder=tmp_path / "other" / "further")
    command.finetune(further, quiet)
    found = report_of(further)
    assert found["held_out"][0]["loss"] == pytest.approx(ends, abs=0.02)  # it was rounded to bfloat16
    assert (found["begin"], found["settings"]["rank"], found["settings"]["alpha"]) == ("taught", 8, 16)
    assert taught.adapter is not None
    assert found["begin_sha256"] == taught.adapter.sha256
    before, after = adapters(asked), adapters(further)
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor, atol=1e-3, rtol=1e-2)


def test_what_was_trained_before_is_reported_and_counted(asked: Asked, tmp_path: Path) -> None:
    """Three runs, each of which trains the adapter of the one before it further, the last in that one's own folder."""
    asked = replace(asked, settings=replace(SHORT, epochs=1))
    reports: list[dict[str, Any]] = []
    for number, (name, begin) in enumerate((("first", None), ("second", "first"), ("second", "second"))):
        begun = catalogue.load(begin) if begin else None
        again = replace(asked, begin=begun, folder=asked.folder.with_name(name), run=tmp_path / f"run-{number}")
        command.finetune(again, quiet)
        reports.append(report_of(again))
    first, second, third = reports
    assert "before" not in first
    assert (second["before"], third["before"]) == (first, second)
    each = first["tokens"]
    assert [found["tokens"] for found in reports] == [each] * 3
    assert [found["tokens_altogether"] for found in reports] == [each, 2 * each, 3 * each]
    assert f"trained on {3 * each:,} tokens more" in catalogue.load("second").description


@each_row(
    "written",
    {
        "none": None,
        "torn": '{"tokens": 5',
        "no table": "[5]",
        "of no tokens": "{}",
        "of other tokens": '{"tokens": ["a"]}',
    },
)
def test_a_report_that_is_none_is_not_carried_along(written: str | None, tmp_path: Path) -> None:
    if written is not None:
        (tmp_path / "report.json").write_text(written)
    assert report.read(tmp_path) is None


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
