"""Fixtures for the prompts' tests: the tiny tokenizer, made once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tiny_model import tiny_tokenizer

from aigc_lsp.engine.vocabulary import Vocabulary


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary(tiny_tokenizer())
