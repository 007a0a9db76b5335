"""What is given up where memory is short, and how short it is said to be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from aigc_lsp.engine import memory
from aigc_lsp.engine.memory import LEAST_KV_BYTES, SPARE_BYTES, Plan, is_out_of_memory, plan
from aigc_lsp.engine.weights import PACKED_FILE, WIDE_FILE
from aigc_lsp.errors import NotEnoughMemory

MB = 1 << 20
WIDE, PACKED, KV = 40 * MB, 12 * MB, 512 * MB
FAST, SMALL = WIDE + PACKED + SPARE_BYTES, PACKED + SPARE_BYTES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, size in ((WIDE_FILE, WIDE), (PACKED_FILE, PACKED)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    return tmp_path


def test_each_rung(folder: Path) -> None:
    assert plan(folder, KV, None) == plan(folder, KV, FAST + KV) == Plan("fast", KV, FAST + KV)
    shorter = plan(folder, KV, FAST + 100 * MB)
    assert (shorter.profile, shorter.kv_bytes) == ("fast", 100 * MB)
    assert "100 MB instead of 512" in shorter.given_up
    small = plan(folder, KV, FAST + LEAST_KV_BYTES - 1)
    assert (small.profile, small.kv_bytes) == ("small", LEAST_KV_BYTES)
    assert "slower" in small.given_up
    with pytest.raises(NotEnoughMemory, match=r"needs 244 MB of free memory and there are 243\. Close"):
        plan(folder, KV, SMALL + LEAST_KV_BYTES - 1)


def test_small_by_wish_gives_nothing_up(folder: Path) -> None:
    assert plan(folder, KV, FAST + KV, "small") == Plan("small", LEAST_KV_BYTES, SMALL + LEAST_KV_BYTES)


def test_without_packed_weights_there_is_no_small(folder: Path) -> None:
    (folder / PACKED_FILE).unlink()
    with pytest.raises(NotEnoughMemory):
        plan(folder, KV, WIDE + SPARE_BYTES + LEAST_KV_BYTES - 1)


def test_the_control_group_counts(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 150\nactive_file 50\n")
    assert memory._control_group(tmp_path) == 500
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._control_group(tmp_path) is None
    assert memory._control_group(tmp_path / "none") is None


def test_the_machine_counts(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 24000 kB\nMemAvailable:   2048 kB\n")
    assert memory._machine(tmp_path / "meminfo") == 2 * MB
    assert memory._machine(tmp_path / "none") is None


def test_the_less_of_both_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_machine", lambda: 10)
    monkeypatch.setattr(memory, "_control_group", lambda: 7)
    assert memory.available_bytes("cpu") == 7
    monkeypatch.setattr(memory, "_control_group", lambda: None)
    assert memory.available_bytes("cpu") == 10
    monkeypatch.setattr(memory, "_machine", lambda: None)
    assert memory.available_bytes("cpu") is None


def test_torch_says_it_in_several_ways() -> None:
    with pytest.raises(RuntimeError) as found:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(found.value)
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
