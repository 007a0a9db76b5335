"""What data must not say, since models are measured with it: runs of 13 words (Brown et al. 2020, appendix C)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

RUN = 13
_WORD = re.compile(r"\w+")


class Measured:
    """The runs of the texts that models are measured with."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._runs: set[int] = set()
        for text in texts:
            self._runs.update(_runs(text))

    def __len__(self) -> int:
        return len(self._runs)

    def overlaps(self, text: str) -> bool:
        """Whether `text` has a run in common with them."""
        return not self._runs.isdisjoint(_runs(text))


def _runs(text: str) -> Iterator[int]:
    """Without regard to case, signs and layout. Hashes, equal within one process only."""
    words = _WORD.findall(text.lower())
    return (hash(tuple(words[at : at + RUN])) for at in range(len(words) - RUN + 1))
