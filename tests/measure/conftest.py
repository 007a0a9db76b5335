"""Puts `tests/` and `tests/service/`, where the tiny model and the model server around it are, on the path."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "service")]
