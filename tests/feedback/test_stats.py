"""`aigc-lsp stats`: what has been counted, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import command_line
import pytest
from command_line import Run

from aigc_lsp.feedback import store
from aigc_lsp.feedback.counts import Tally, counted

folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)


def test_nothing_counted(run: Run, folder: Path) -> None:
    assert run("stats").out == "Nothing has been counted yet.\n"
    said = json.loads(run("stats", "--json").out)
    assert len(said.pop("table")) == 1  # the headings
    assert said == {"path": str(folder / "state" / "aigc-lsp" / "suggestions.json"), "languages": {}}


def test_counts_by_language(run: Run, folder: Path) -> None:
    path = store.default_path()
    store.add(path, counted("python", 0.5, Tally(shown=8, accepted=2, characters=40, kept_30=2, share_30=1.5)))
    store.add(path, counted("rust", None, Tally(shown=1)))
    heading, *rows = run("stats").out.splitlines()
    assert heading.split()[:3] == ["language", "shown", "accepted"]
    assert [row.split()[0] for row in rows] == ["python", "rust", "all"]
    assert rows[0].split() == ["python", "8", "25%", "0%", "0%", "0%", "75%", "–", "–", "40"]
    said = json.loads(run("stats", "--json").out)
    assert said["languages"]["rust"] == {"-1": {"shown": 1}}
    assert [row[:3] for row in said["table"][:2]] == [["language", "shown", "accepted"], ["python", "8", "25%"]]


def test_file_that_makes_no_sense(run: Run, folder: Path) -> None:
    store.default_path().parent.mkdir(parents=True)
    store.default_path().write_text("{")
    ran = run("stats")
    assert ran.code == 1
    assert ran.sentence.endswith("makes no sense; the next suggestion begins it anew.")
    assert store.default_path().read_text() == "{"
