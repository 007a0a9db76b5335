"""Fixtures for the engine's tests: the tiny model, made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import tiny_model
from tiny_model import Recorder, Scripted, tiny_decoder, tiny_tokenizer, tiny_weights

from aigc_lsp.engine import generate
from aigc_lsp.engine.generate import Engine
from aigc_lsp.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedModel


one_thread = pytest.fixture(scope="session", autouse=True)(tiny_model.one_thread)


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary(tiny_tokenizer())


@pytest.fixture(scope="session")
def weights(vocabulary: Vocabulary) -> PreTrainedModel:
    return tiny_weights(len(vocabulary))


@pytest.fixture
def new_engine(weights: PreTrainedModel, vocabulary: Vocabulary) -> Callable[..., Engine]:
    return lambda **kwargs: Engine(tiny_decoder(weights), vocabulary, **kwargs)


@pytest.fixture
def engine(new_engine: Callable[..., Engine]) -> Engine:
    return new_engine()


@pytest.fixture
def scripted(weights: PreTrainedModel, vocabulary: Vocabulary) -> Scripted:
    return Scripted(weights, vocabulary)


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """What the engine chose, token by token."""
    recorder = Recorder(generate.choose)
    monkeypatch.setattr(generate, "choose", recorder)
    return recorder
