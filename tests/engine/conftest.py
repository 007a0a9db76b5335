"""Fixtures for the engine's tests: the tiny model, made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import torch
from tiny_model import Recorder, Scripted, tiny_decoder, tiny_tokenizer, tiny_weights

from aigc_lsp.engine import generate
from aigc_lsp.engine.generate import Engine
from aigc_lsp.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """So small a model is slower on several threads, and far slower when the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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
