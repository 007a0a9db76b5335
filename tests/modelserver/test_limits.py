"""How much is read and written for a latency target."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.modelserver.limits import LEAST_WINDOW, LINE_TOKENS, LONGEST, STEP, limits

SPEEDS = st.floats(1, 1e5)
MS = st.floats(0.1, 2000)


def test_two_cores() -> None:
    """900 ms: a line of ten tokens at 25 ms, and what is left for reading, in whole steps."""
    found = limits(prefill_per_second=1000, step_ms=25, target_ms=250, cold_ms=900)
    assert (found.prefix + found.suffix, found.suffix) == (640, 128)
    assert found.length == 40


@given(SPEEDS, MS, st.floats(50, 60_000), st.floats(100, 60_000))
def test_in_time_wherever_the_least_window_allows(prefill: float, step: float, target: float, cold: float) -> None:
    found = limits(prefill, step, target, cold)
    window = found.prefix + found.suffix
    assert window % STEP == 0
    assert found.prefix > found.suffix > 0
    if window > LEAST_WINDOW:
        assert window / prefill * 1e3 + LINE_TOKENS * step <= cold * 1.001
    assert found.length >= 2 * LINE_TOKENS
    if found.length > 2 * LINE_TOKENS:
        assert found.length * step <= LONGEST * target * 1.001


def test_a_little_slower_is_the_same_window() -> None:
    windows = {limits(1000 + noise, 25, 250, 900).prefix for noise in range(-3, 30)}
    assert len(windows) == 1
