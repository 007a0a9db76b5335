"""A training process that is killed, and one that is asked to end: what goes on from there ends in the same weights."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from handful import EXAMPLES, write_data
from safetensors.torch import load_file

pytestmark = pytest.mark.process

TRAINEE = Path(__file__).parent / "trainee.py"


def run_until(line: str | None, number: signal.Signals | None, *paths: Path) -> tuple[int, str]:
    """The exit code, and all that was said."""
    command = [sys.executable, str(TRAINEE), *map(str, paths)]
    said = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for each in process.stdout:
            said += each
            if line is not None and number is not None and each.startswith(line):
                process.send_signal(number)
                line = None
    return process.returncode, said


def test_killed_and_asked_to_end_it_goes_on_to_the_same_weights(packed: Path, tmp_path: Path) -> None:
    data = write_data(tmp_path / "data", EXAMPLES * 2)
    assert run_until(None, None, packed, data, tmp_path / "whole", tmp_path / "run")[0] == 0
    paths = packed, data, tmp_path / "broken", tmp_path / "again"
    code, said = run_until("step 5/", signal.SIGKILL, *paths)
    assert code == -signal.SIGKILL
    code, said = run_until("step 9/", signal.SIGTERM, *paths)
    assert code == 0
    assert "stopped at step" in said
    assert "step 2/" not in said, "it went on from the checkpoint"
    assert not (tmp_path / "broken").exists()
    code, said = run_until(None, None, *paths)
    assert code == 0, said
    whole, broken = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("whole", "broken"))
    assert all(torch.equal(tensor, broken[name]) for name, tensor in whole.items())
    assert any(tensor.abs().sum() > 0 for name, tensor in whole.items() if "lora_B" in name)
