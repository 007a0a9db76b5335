"""When the model is not asked at once."""

from __future__ import annotations

import pytest

from aigc_lsp.server import pace
from aigc_lsp.server.pace import Pace


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    return now


def typed(rhythm: Pace, clock: list[float], gap: float, keys: int = 20) -> None:
    for _ in range(keys):
        clock[0] += gap
        rhythm.key()


def test_who_types_twice_as_fast_as_the_model_answers_waits_half_a_gap(clock: list[float]) -> None:
    rhythm = Pace()
    rhythm.answered(0.2)
    typed(rhythm, clock, 0.06)
    assert rhythm.hold_seconds(0.2) == pytest.approx(0.03, abs=0.002)
    assert rhythm.hold_seconds(0.01) == 0.01
    assert rhythm.hold_seconds(0) == 0


@pytest.mark.parametrize("gap", [0.06, 0.15])
def test_who_types_slower_than_that_waits_for_nothing(clock: list[float], gap: float) -> None:
    rhythm = Pace()
    rhythm.answered(0.1)
    typed(rhythm, clock, gap)
    assert rhythm.hold_seconds(0.2) == 0


def test_one_slow_answer_says_little(clock: list[float]) -> None:
    rhythm = Pace()
    for seconds in (1.5, 0.1, 0.1):
        rhythm.answered(seconds)
    typed(rhythm, clock, 0.06)
    assert rhythm.hold_seconds(0.2) == 0


def test_nor_does_who_has_paused(clock: list[float]) -> None:
    rhythm = Pace()
    rhythm.answered(0.2)
    typed(rhythm, clock, 0.06)
    assert not rhythm.rests
    clock[0] += 2
    assert rhythm.rests
    rhythm.key()
    assert rhythm.hold_seconds(0.2) == 0
