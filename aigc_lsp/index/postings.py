"""Values by key where nearly every key has one value or a few: a set would cost 216 bytes for each."""

from __future__ import annotations

from collections.abc import Iterable

FEW = 8
"""So many values are kept in a tuple, which the garbage collector leaves alone where all are strings."""


class Postings:
    """Any number of different values, all strings, for each key. Changes and look-ups are a few dict hits."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[str, str | tuple[str, ...] | set[str]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def add(self, key: str, value: str) -> None:
        held = self._values.setdefault(key, value)
        if isinstance(held, set):
            held.add(value)
        elif isinstance(held, tuple):
            if value not in held:
                self._values[key] = (*held, value) if len(held) < FEW else {*held, value}
        elif held != value:
            self._values[key] = (held, value)

    def discard(self, key: str, value: str) -> None:
        held = self._values.get(key)
        if isinstance(held, set):
            held.discard(value)
            if len(held) <= FEW:
                self._values[key] = tuple(held)
        elif isinstance(held, tuple):
            left = tuple(each for each in held if each != value)
            self._values[key] = left if len(left) > 1 else left[0]
        elif held == value:
            del self._values[key]

    def of(self, key: str) -> Iterable[str]:
        """In no particular order."""
        held = self._values.get(key, ())
        return (held,) if isinstance(held, str) else held

    def count(self, key: str) -> int:
        held = self._values.get(key, ())
        return 1 if isinstance(held, str) else len(held)
