"""How much is read and written for a latency target."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.config import CompletionConfig, ContextConfig
from aigc_lsp.service.limits import LEAST_WINDOW, LINE_TOKENS, LONGEST, STEP, Limits, length, limits, window
from aigc_lsp.service.wire import Health

SPEEDS = st.floats(1, 1e5)
MS = st.floats(0.1, 2000)
TWO_CORES = Health("ready", "m", prefill_per_second=1114, step_ms=25)


def test_two_cores() -> None:
    """900 ms: a line of ten tokens at 25 ms, and what is left for reading, in whole steps."""
    found = limits(TWO_CORES, ContextConfig(), CompletionConfig(cold_latency_target_ms=900))
    assert (found.prefix, found.suffix, found.extra) == (448, 128, 256)
    assert length(TWO_CORES, 250, 96) == 40


def test_the_settings_are_the_upper_bounds() -> None:
    fast = replace(TWO_CORES, prefill_per_second=50_000)
    context = ContextConfig(prefix_tokens=700, suffix_tokens=70, extra_tokens=7)
    assert limits(fast, context, CompletionConfig()) == Limits(700, 70, 7)
    assert limits(TWO_CORES, context, CompletionConfig()).extra == 7
    assert length(fast, 250, 30) == 30


def test_who_does_not_say_how_fast_it_is_gets_what_the_settings_allow() -> None:
    for health in (None, Health("ready", "m")):
        assert limits(health, ContextConfig(1000, 100, 10), CompletionConfig()) == Limits(1000, 100, 10)
        assert length(health, 250, 96) == 96


@given(SPEEDS, MS, st.floats(100, 60_000))
def test_in_time_wherever_the_least_window_allows(prefill: float, step: float, cold: float) -> None:
    found = window(prefill, step, cold)
    whole = found.prefix + found.suffix
    assert whole % STEP == 0
    assert found.prefix > found.suffix > 0
    if whole > LEAST_WINDOW:
        assert whole / prefill * 1e3 + LINE_TOKENS * step <= cold * 1.001


@given(MS, st.floats(50, 60_000))
def test_a_suggestion_is_written_in_time_but_for_the_least(step: float, target: float) -> None:
    found = length(replace(TWO_CORES, step_ms=step), target, 1_000_000)
    assert found >= 2 * LINE_TOKENS
    if found > 2 * LINE_TOKENS:
        assert found * step <= LONGEST * target * 1.001


def test_a_little_slower_is_the_same_window() -> None:
    windows = {window(1000 + noise, 25, 900).prefix for noise in range(-3, 30)}
    assert len(windows) == 1
