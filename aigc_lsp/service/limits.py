"""How much of a buffer is read and how long a suggestion gets, so that it comes in time on this machine.

Two targets: in a file that was not read before (cold) a window is read and a line written within the one; where it was
(warm) a suggestion is there within the other. The settings are the upper bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

from aigc_lsp.config import CompletionConfig, ContextConfig
from aigc_lsp.service.wire import Health

STEP = 64
"""Tokens: windows have whole steps, so that a little more or less speed is the same window."""

LEAST_WINDOW = 256
LINE_TOKENS = 10
"""Of a common line: what a suggestion is expected to take."""

READING = 0.85
"""A few hundred tokens are read at so much of the speed of many, which the model server tells."""

LONGEST = 4
"""The longest suggestion has so many times the tokens of what comes in time: most end earlier by themselves."""

SUFFIX_SHARE = 5
"""One in so many tokens of a shortened window is behind the cursor."""

EXTRA_SHARE = 0.45
"""Of the window: beside it, so much of other files. Mostly far less is used."""


@dataclass(frozen=True, slots=True)
class Limits:
    """In tokens: before the cursor, behind it, and of other files."""

    prefix: int
    suffix: int
    extra: int


def limits(health: Health | None, context: ContextConfig, completion: CompletionConfig) -> Limits:
    """What is read. A server that does not say how fast it reads gets what the settings allow."""
    asked = Limits(context.prefix_tokens, context.suffix_tokens, context.extra_tokens)
    if health is None or not health.prefill_per_second:
        return asked
    found = window(health.prefill_per_second, health.step_ms, completion.cold_latency_target_ms)
    return Limits(min(asked.prefix, found.prefix), min(asked.suffix, found.suffix), min(asked.extra, found.extra))


def window(prefill_per_second: float, step_ms: float, cold_ms: float) -> Limits:
    """What a machine that reads `prefill_per_second` tokens and takes `step_ms` to write one reads in time."""
    reading_ms = max(0.0, cold_ms - LINE_TOKENS * step_ms)
    whole = max(LEAST_WINDOW, int(reading_ms * READING * prefill_per_second / 1e3) // STEP * STEP)
    suffix = max(STEP, round(whole / SUFFIX_SHARE / STEP) * STEP)
    return Limits(whole - suffix, suffix, int(whole * EXTRA_SHARE) // STEP * STEP)


def length(health: Health | None, target_ms: float, most: int) -> int:
    """The most tokens that are written for a suggestion that should come within `target_ms`."""
    if health is None or not health.step_ms:
        return most
    return min(most, max(LINE_TOKENS * 2, int(LONGEST * target_ms / health.step_ms)))
