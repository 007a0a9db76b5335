"""The default model itself: that the whole chain from text to text makes sense."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_model import Answer, answer

from aigc_lsp import catalogue
from aigc_lsp.engine.generate import Engine, Request
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.engine.weights import load_model
from aigc_lsp.modelserver.preparing import prepare
from aigc_lsp.prompt.infill import Hole, render
from aigc_lsp.weights.store import Store

pytestmark = pytest.mark.model

MODEL = catalogue.load("qwen2.5-coder-0.5b")


@pytest.fixture(scope="module")
def folder() -> Path:
    return prepare(MODEL, Store(), True, lambda progress: None)


@pytest.fixture(scope="module")
def real(folder: Path) -> Engine:
    return Engine(load_model(folder, "cpu"), Vocabulary.load(folder))


def complete(engine: Engine, prefix: str, suffix: str = "", order: str = "spm", max_tokens: int = 12) -> Answer:
    prompt = render(
        Hole(prefix, suffix),
        MODEL.fim,
        MODEL.files,
        engine.vocabulary,
        prefix_budget=1000,
        suffix_budget=500,
        order=order,
    )
    stop = frozenset(map(engine.vocabulary.control, MODEL.stop))
    return answer(engine, Request(prompt.tokens, prompt.heal, max_tokens, stop, ("\n",), draft=prompt.healed))


def test_control_tokens_in_text_are_text(folder: Path) -> None:
    vocabulary = Vocabulary.load(folder)
    controls = {vocabulary.control(token) for token in MODEL.control_tokens}
    for token in sorted(MODEL.control_tokens):
        for text in [token, f"x = '{token}'\n", token * 2, f"é{token}🙂"]:
            tokens = vocabulary.encode(text)
            assert not controls.intersection(tokens)
            assert b"".join(map(vocabulary.bytes_of, tokens)) == text.encode()
    # The rows that only fill up the matrix are nobody's spelling.
    assert not any(vocabulary.bytes_of(id).startswith(b"[PAD") for id in vocabulary.consistent(b"[").tolist())


@pytest.mark.parametrize("order", ["spm", "psm", "prefix"])
def test_half_a_word_is_completed(real: Engine, order: str) -> None:
    assert complete(real, "def add(a, b):\n    retur", order=order).text == "n a + b"


@pytest.mark.parametrize("order", ["spm", "psm"])
def test_the_suffix_is_used(real: Engine, order: str) -> None:
    """The same prefix, another suffix: another answer."""
    assert complete(real, "import ", "\n\nprint(json.dumps([1, 2]))\n", order).text == "json"
    assert complete(real, "import ", "\n\nprint(math.sqrt(2.0))\n", order).text == "math"


def test_a_keystroke_costs_a_few_tokens(real: Engine) -> None:
    """Suffix first and healed, each further character only adds to the prompt's end."""
    prefix = "import os\n\n\ndef folders(root):\n    found = []\n"
    suffix = "\n    return found\n"
    typed = "    for name in os.listdir(root):"
    complete(real, prefix, suffix, max_tokens=4)
    for end in range(1, len(typed) + 1):
        timings = complete(real, prefix + typed[:end], suffix, max_tokens=2).outcome.timings
        assert timings.prompt_tokens - timings.reused_tokens <= 3, typed[:end]
