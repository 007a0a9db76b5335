"""What was measured is put to use, remembered for the same machine and model only, and survives a broken cache."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from aigc_lsp.engine import calibrate as module
from aigc_lsp.engine.calibrate import ROWS_TRIED, Speed, calibrate, fingerprint, measure
from aigc_lsp.engine.generate import Engine
from aigc_lsp.engine.layers import EVERYWHERE, Int8, Linear
from aigc_lsp.engine.lookup import MOST
from aigc_lsp.engine.quantise import to_int8

SPEED = Speed(1000.0, tuple(10.0 + 2 * n for n in range(MOST + 1)), 6)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Engine]:
    """The engines that were measured; the answer is SPEED."""
    calls: list[Engine] = []
    monkeypatch.setattr(module, "measure", lambda engine: calls.append(engine) or SPEED)
    return calls


@pytest.mark.process  # it takes seconds, as it measures
def test_measured_on_a_real_engine(engine: Engine) -> None:
    found = measure(engine)
    assert found.prefill_per_second > 0
    assert len(found.step_ms) == MOST + 1
    assert min(found.step_ms) > 0
    assert engine.store.branches == []  # the user's branches are not touched


def test_the_crossing_point_is_measured_and_used(engine: Engine) -> None:
    for linear in engine.model.linears:
        linear.packed = Int8(*to_int8(torch.cat(list(linear.wide)).to(torch.bfloat16)))
        linear.wide = [part.to(torch.bfloat16) for part in linear.wide]
    largest = max(engine.model.linears, key=lambda linear: linear.wide[0].numel())
    assert module.measure_crossover(largest) in (1, *ROWS_TRIED)
    module.use(engine, SPEED)
    assert {linear.crossover for linear in engine.model.linears} == {6}
    engine.model.linears[0].crossover = EVERYWHERE  # as profile small has it
    module.use(engine, SPEED)
    assert engine.model.linears[0].crossover == EVERYWHERE


def test_put_to_use_and_remembered(engine: Engine, measured: list[Engine], tmp_path: Path) -> None:
    cache = tmp_path / "new" / "speed.json"
    assert calibrate(engine, cache, "digest") == SPEED
    assert engine.step_costs == tuple(step / 10 for step in SPEED.step_ms)
    assert calibrate(engine, cache, "digest") == SPEED
    assert len(measured) == 1
    calibrate(engine, cache, "another model")
    assert len(measured) == 2
    assert len(json.loads(cache.read_text())) == 2


def test_measured_anew_for_another_torch_or_number_of_cores(
    engine: Engine, measured: list[Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrate(engine, tmp_path / "speed.json", "digest")
    with monkeypatch.context() as patch:
        patch.setattr(torch, "__version__", "9.9")
        calibrate(engine, tmp_path / "speed.json", "digest")
    with monkeypatch.context() as patch:
        patch.setattr("os.sched_getaffinity", lambda _: set(range(77)), raising=False)
        calibrate(engine, tmp_path / "speed.json", "digest")
    assert len(measured) == 3


def test_on_a_busy_machine_it_is_used_but_not_remembered(
    engine: Engine, measured: list[Engine], tmp_path: Path
) -> None:
    calibrate(engine, tmp_path / "speed.json", "digest", is_quiet=lambda: False)
    assert engine.step_costs[1] == 1.2
    assert not (tmp_path / "speed.json").exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"KEY": 1}',
        '{"KEY": {"prefill_per_second": 1, "step_ms": [1, 2], "crossover": 4}}',
        '{"KEY": {"prefill_per_second": "fast", "step_ms": [1, 1, 1, 1, 1, 1], "crossover": 4}}',
        '{"KEY": {"prefill_per_second": 5, "step_ms": [0, 1, 1, 1, 1, 1], "crossover": 4}}',
    ],
)
def test_a_broken_cache_is_measured_over(engine: Engine, measured: list[Engine], tmp_path: Path, content: str) -> None:
    cache = tmp_path / "speed.json"
    cache.write_text(content.replace("KEY", fingerprint(engine.model, "digest")))
    assert calibrate(engine, cache, "digest") == SPEED
    assert len(measured) == 1
    assert calibrate(engine, cache, "digest") == SPEED
    assert len(measured) == 1


def test_a_cache_that_cannot_be_written_costs_nothing_else(
    new_engine: Callable[..., Engine], measured: list[Engine], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    assert calibrate(new_engine(), tmp_path / "file" / "speed.json", "digest") == SPEED


def test_profiles_are_apart(engine: Engine) -> None:
    fast = fingerprint(engine.model, "digest")
    linear = Linear([torch.zeros(2, 2)])
    linear.crossover = EVERYWHERE
    engine.model.blocks[0].qkv = linear
    assert fingerprint(engine.model, "digest") != fast


def test_a_draft_is_read_by_the_weights_that_read_a_token(engine: Engine) -> None:
    """Else drafts would change what is written: the two kinds of weights are not quite the same."""
    for crossover in (1, 4, MOST + 1, 24):
        module.use(engine, Speed(1000.0, SPEED.step_ms, crossover))
        assert {linear.crossover for linear in engine.model.linears} == {max(crossover, MOST + 1)}
