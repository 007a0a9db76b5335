"""What is said twice: MinHash (Broder 1997) over runs of words, and buckets of its rows (Leskovec et al., Mining of
Massive Datasets, 3.4) that texts alike meet in."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

import numpy as np

ALIKE = 0.7
"""Estimated share of runs in common (Jaccard): from here on two texts count as one."""

_RUN = 5
_BANDS, _ROWS = 16, 4
"""Two texts meet with a probability of 1 - (1 - s^4)^16, if they share s of their runs: 0.65 at a half, 0.99 at 0.7."""
_MOST_WORDS = 6000
_WORD = re.compile(r"\w+|[^\w\s]")


class Seen:
    """The texts so far. The same texts in the same order are judged alike every time."""

    def __init__(self, seed: int = 1) -> None:
        chance = np.random.default_rng(seed)
        self._a = chance.integers(1, 1 << 32, _BANDS * _ROWS, dtype=np.uint64)
        self._b = chance.integers(0, 1 << 32, _BANDS * _ROWS, dtype=np.uint64)
        self._signatures: list[np.ndarray] = []
        self._buckets: dict[tuple[int, bytes], list[int]] = {}
        self._exact: set[str] = set()

    def add(self, text: str) -> bool:
        """Whether `text` is new; then it is known from now on."""
        words = _WORD.findall(text)[:_MOST_WORDS]
        exact = " ".join(words)
        if exact in self._exact:
            return False
        signature = self._signature(words)
        keys = [(band, signature[band * _ROWS : (band + 1) * _ROWS].tobytes()) for band in range(_BANDS)]
        met = {other for key in keys for other in self._buckets.get(key, ())}
        if any(np.mean(self._signatures[other] == signature) >= ALIKE for other in met):
            return False
        self._exact.add(exact)
        for key in keys:
            self._buckets.setdefault(key, []).append(len(self._signatures))
        self._signatures.append(signature)
        return True

    def _signature(self, words: list[str]) -> np.ndarray:
        """For each of the hash functions a·x + b the least value over all runs."""
        hashes = np.fromiter(_hashes(words), dtype=np.uint64)
        # Modulo 2⁶⁴: a, x < 2³², so nothing is lost before the shift.
        mixed = (hashes[:, None] * self._a[None, :] + self._b[None, :]) >> np.uint64(13)
        return np.asarray(mixed.astype(np.uint32).min(axis=0))


def _hashes(words: list[str]) -> Iterable[int]:
    runs = ("\0".join(words[at : at + _RUN]) for at in range(max(1, len(words) - _RUN + 1)))
    return {zlib.crc32(run.encode()) for run in runs}
