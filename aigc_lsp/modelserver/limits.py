"""How much of a buffer is read and how long a suggestion gets, so that it comes in time on this machine.

Two targets: in a file that was not read before (cold) a window is read and a line written within the one; where it was
(warm) a suggestion is there within the other. What the request asks for are the upper bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

STEP = 128
"""Tokens: windows have whole steps, so that a little more or less speed is the same window."""

LEAST_WINDOW = 256
LINE_TOKENS = 10
"""Of a common line: what a suggestion is expected to take."""

LONGEST = 4
"""The longest suggestion has so many times the tokens of what comes in time: most end earlier by themselves."""

SUFFIX_SHARE = 5
"""One in so many tokens of a shortened window is behind the cursor."""


@dataclass(frozen=True, slots=True)
class Limits:
    """In tokens."""

    prefix: int
    suffix: int
    length: int


def limits(prefill_per_second: float, step_ms: float, target_ms: float, cold_ms: float) -> Limits:
    """What a machine that reads `prefill_per_second` tokens and takes `step_ms` to write one does in time."""
    reading_ms = max(0.0, cold_ms - LINE_TOKENS * step_ms)
    window = max(LEAST_WINDOW, int(reading_ms * prefill_per_second / 1e3) // STEP * STEP)
    suffix = max(STEP // 2, window // SUFFIX_SHARE // (STEP // 2) * (STEP // 2))
    return Limits(window - suffix, suffix, max(LINE_TOKENS * 2, int(LONGEST * target_ms / step_ms)))
