"""Bytes of tokens as text that can be shown."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """Bytes in, whole characters out; text that may be the beginning of a stop string is held back."""

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = tuple(word for word in stop if word)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self.stopping_word = ""

    def feed(self, data: bytes) -> str:
        text = self._held + self._decoder.decode(data)
        found = [(at, word) for word in self._stop if (at := text.find(word)) >= 0]
        if found:
            at, self.stopping_word = min(found)
            self._held = ""
            return text[:at]
        held = max((_overlap(text, word) for word in self._stop), default=0)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def flush(self) -> str:
        """What was held back. Bytes of an unfinished character are dropped, not shown as U+FFFD."""
        text, self._held = self._held, ""
        return text


def _overlap(text: str, word: str) -> int:
    """Length of the longest end of `text` that `word` begins with, short of the whole word."""
    return next((n for n in range(min(len(text), len(word) - 1), 0, -1) if text.endswith(word[:n])), 0)
