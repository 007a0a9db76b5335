"""Reads the fields of a request's JSON: a value of the right kind, or a `BadRequest` that names the field.

Pure and light, as `wire`, which uses it. A field that is missing or null has its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

MOST_CHOICES = 8
MOST_PROBS = 20
"""As OpenAI's `top_logprobs`."""

UNLIMITED_TOKENS = 4096
"""What stands for "without limit": a bound that no completion needs."""

TEMPERATURE = {"temperature", "temp", "t"}
"""llama.cpp's names of the sampler that the field `temperature` belongs to; t among letters."""

T = TypeVar("T")


class BadRequest(ValueError):
    """A field of a request is not what it must be; the message names it."""


def fields_of(body: object) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise BadRequest("The request's body must be a JSON object.")
    return body


def read(body: Mapping[str, Any], name: str, kind: type, default: T) -> Any | T:
    value = body.get(name)
    if value is None:
        return default
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise BadRequest(f"The field {name} is too large.") from None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BadRequest(f"The field {name} must be of type {kind.__name__}.")
    return value


def strings(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts, or one text."""
    values = body.get(name)
    if values is None:
        return ()
    if isinstance(values, str):
        return (values,)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadRequest(f"The field {name} must be a list of strings.")
    return tuple(values)


def count(body: Mapping[str, Any], name: str, default: int | None = None) -> int | None:
    value: int | None = read(body, name, int, default)
    if value is not None and value < 0:
        raise BadRequest(f"The field {name} must not be negative.")
    return value


def positive(body: Mapping[str, Any], name: str) -> float | None:
    """llama.cpp's 0 and -1 mean without limit: None."""
    value = read(body, name, float, None)
    return value if value is not None and value > 0 else None


def length(body: Mapping[str, Any], names: tuple[str, ...], default: int) -> int:
    """How many tokens to write, under the first of `names` that is given; llama.cpp's -1 means without limit."""
    name = next((name for name in names if body.get(name) is not None), names[0])
    value: int = read(body, name, int, default)
    return UNLIMITED_TOKENS if value < 0 else value


def choices(body: Mapping[str, Any], names: tuple[str, ...] = ("n",)) -> int:
    """How many alternatives, under the first of `names` that is given."""
    name = next((name for name in names if body.get(name) is not None), names[0])
    value: int = read(body, name, int, 1)
    if not 1 <= value <= MOST_CHOICES:
        raise BadRequest(f"The field {name} must be from 1 to {MOST_CHOICES}.")
    return value


def seed(body: Mapping[str, Any]) -> int | None:
    """Negative means any. Only 32 bits of it count, as in llama.cpp: larger ones are no seed to torch."""
    value: int | None = read(body, "seed", int, None)
    return None if value is None or value < 0 else value & 0xFFFF_FFFF


def temperature(body: Mapping[str, Any]) -> float:
    """0, greedy, unless a temperature is given and `samplers` (names, or llama.cpp's letters), where they are given,
    have one: code is completed with what is likeliest, unlike OpenAI's default of 1."""
    given: float = max(0.0, read(body, "temperature", float, 0.0))
    samplers = body.get("samplers")
    if samplers is None:
        return given
    used = samplers if isinstance(samplers, str) else strings(body, "samplers")
    return given if any(name in TEMPERATURE for name in used) else 0.0
