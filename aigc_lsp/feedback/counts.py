"""How often what became of suggestions, by language and by decile of the confidence they were shown with.

Numbers only: no text, no path, no name of anything but the language.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from aigc_lsp.feedback.shown import Outcome

UNKNOWN = -1
"""The decile of suggestions of which nobody knew how sure one was."""

_LANGUAGE = re.compile(r"[a-z][\w+#.-]{0,39}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tally:
    """`kept_n` of the accepted were looked at after n seconds, and `share_n` is the sum of the shares that stood."""

    shown: float = 0
    accepted: float = 0
    partially: float = 0
    typed: float = 0
    rejected: float = 0
    characters: float = 0
    """Accepted, so typed by the machine."""
    kept_30: float = 0
    share_30: float = 0
    kept_120: float = 0
    share_120: float = 0
    kept_600: float = 0
    share_600: float = 0

    @classmethod
    def of(cls, outcome: Outcome, characters: int = 0) -> Tally:
        """One decision."""
        return cls(**{outcome.value: 1, "characters": characters})

    @classmethod
    def kept(cls, seconds: int, share: float) -> Tally:
        return cls(**{f"kept_{seconds}": 1, f"share_{seconds}": share})

    @property
    def decided(self) -> float:
        return self.accepted + self.partially + self.typed + self.rejected

    @property
    def good(self) -> float:
        """Of those, how many were of use: taken or typed, less what of the accepted was gone after two minutes."""
        return self.accepted + self.partially + self.typed - (self.kept_120 - self.share_120)

    def plus(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, name) + getattr(other, name) for name in FIELDS))

    def scaled(self, factor: float) -> Tally:
        return Tally(*(factor * getattr(self, name) for name in FIELDS))


FIELDS = tuple(each.name for each in fields(Tally))

Counts = Mapping[str, Mapping[int, Tally]]
"""By language, by decile."""


def decile_of(probability: float | None) -> int:
    return UNKNOWN if probability is None else min(max(int(probability * 10), 0), 9)


def counted(language: str, probability: float | None, tally: Tally) -> Counts:
    return {named(language): {decile_of(probability): tally}}


def named(language: str) -> str:
    """A client may call a language as it likes; what is no plain identifier is "other"."""
    return language if _LANGUAGE.fullmatch(language) else "other"


def together(one: Counts, other: Counts) -> Counts:
    found = {language: dict(deciles) for language, deciles in one.items()}
    for language, deciles in other.items():
        row = found.setdefault(language, {})
        for decile, tally in deciles.items():
            row[decile] = row.get(decile, Tally()).plus(tally)
    return found


def in_all(counts: Counts, language: str) -> Tally:
    """All deciles of a language together."""
    found = Tally()
    for tally in counts.get(language, {}).values():
        found = found.plus(tally)
    return found


def to_json(counts: Counts) -> dict[str, Any]:
    return {
        language: {str(decile): _without_zeros(tally) for decile, tally in sorted(deciles.items())}
        for language, deciles in sorted(counts.items())
    }


def from_json(said: Any) -> Counts:
    """Raises ValueError where it is not what `to_json` makes."""
    return {language: dict(_deciles(deciles)) for language, deciles in _items(said)}


def _deciles(said: Any) -> Iterator[tuple[int, Tally]]:
    for decile, numbers in _items(said):
        if not UNKNOWN <= int(decile) <= 9:
            raise ValueError(f"no decile: {decile}")
        for name, number in _items(numbers):
            if name not in FIELDS or type(number) not in (int, float) or not math.isfinite(number):
                raise ValueError(f"no count: {name}")
        yield int(decile), Tally(**numbers)


def _items(said: Any) -> list[tuple[str, Any]]:
    if not isinstance(said, dict):
        raise ValueError("no object")
    return list(said.items())


def _without_zeros(tally: Tally) -> dict[str, float]:
    return {name: round(number, 6) for name, number in asdict(tally).items() if number}
