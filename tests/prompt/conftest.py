"""Fixtures for the prompts' tests: the tiny tokenizer, made once."""

from __future__ import annotations

import pytest
from tiny_model import tiny_tokenizer

from aigc_lsp.engine.vocabulary import Vocabulary


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary(tiny_tokenizer())
