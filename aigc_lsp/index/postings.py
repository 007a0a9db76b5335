"""Values by key where nearly every key has one value: a set would cost 216 bytes for each."""

from __future__ import annotations

from collections.abc import Iterator


class Postings:
    """Any number of different values, all strings, for each key. Changes and look-ups are a few dict hits."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[str, str | set[str]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def add(self, key: str, value: str) -> None:
        held = self._values.setdefault(key, value)
        if isinstance(held, set):
            held.add(value)
        elif held != value:
            self._values[key] = {held, value}

    def discard(self, key: str, value: str) -> None:
        held = self._values.get(key)
        if held == value:
            del self._values[key]
        elif isinstance(held, set):
            held.discard(value)
            if len(held) == 1:
                self._values[key] = held.pop()

    def count(self, key: str) -> int:
        held = self._values.get(key)
        return len(held) if isinstance(held, set) else int(held is not None)

    def of(self, key: str) -> Iterator[str]:
        """In no particular order."""
        held = self._values.get(key)
        if isinstance(held, set):
            yield from held
        elif held is not None:
            yield held
