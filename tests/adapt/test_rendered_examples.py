"""Examples to tokens: they decode back, are asked as a completion is, and are learnt from the cursor on."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from tiny_model import HARD_LINES

from aigc_lsp.adapt.examples import Tokens, batch, end_of_text, parts_of, steps_of, tokens_of
from aigc_lsp.catalogue import Model
from aigc_lsp.dataset.example import Example
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.prompt.infill import ExtraFile, Hole, render


def spelt(vocabulary: Vocabulary, ids: Sequence[int]) -> str:
    return b"".join(map(vocabulary.bytes_of, ids)).decode()


def example(prefix: str, middle: str, suffix: str = "", order: str = "spm", ends: bool = True) -> Example:
    return Example("x", "p", "a.py", "python", "span", order, prefix, suffix, middle, ends=ends)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prefix", "middle", "heal", "learnt"),
    [
        ("def add(a, b):\n    return a", " + b", " a", [" a", " +", " b"]),
        ("def add(a, b):\n    retu", "rn a", " retu", [" return", " a"]),  # the token that holds the cursor, whole
        ("def add(a, b):\n    ", "return a", "    ", ["   ", " return", " a"]),
        ("import os\n", "import os", "\n", ["\n", "import", " os"]),
        ("x = item.listd", "ir", ".listd", [".listdir"]),
        ("return a\n", "", "\n", ["\n"]),  # nothing is missing: that the line is at its end is learnt, and the end
    ],
)
@pytest.mark.parametrize("order", ["spm", "psm"])
def test_the_loss_begins_where_the_engine_lets_the_model_choose(
    prefix: str, middle: str, heal: str, learnt: list[str], order: str, model: Model, vocabulary: Vocabulary
) -> None:
    tokens = tokens_of(example(prefix, middle, "\nend\n", order), model, vocabulary)
    said = tokens.ids[tokens.first :]
    assert said[-1] == vocabulary.control(end_of_text(model)) == vocabulary.control("<|endoftext|>")
    assert tokens.heal.decode() == heal
    assert "".join(learnt).startswith(heal)
    assert [vocabulary.bytes_of(id).decode() for id in said[:-1]] == learnt


def test_what_was_typed_leaves_only_what_agrees_with_it(model: Model, vocabulary: Vocabulary) -> None:
    text = tokens_of(example("x = item.listd", "ir"), model, vocabulary)
    packed = batch([text], vocabulary)
    (row,) = packed.allowed
    spelt_out = [vocabulary.bytes_of(id) for id in packed.allowed[row].tolist()]
    assert row == 0
    assert int(packed.targets[0]) in packed.allowed[row]
    assert {b".", b".l", b".listdir"} <= set(spelt_out)
    assert all(data.startswith(b".listd") or b".listd".startswith(data) for data in spelt_out)


def test_an_answer_that_goes_on_has_no_end(model: Model, vocabulary: Vocabulary) -> None:
    tokens = tokens_of(example("import ", "os", ends=False), model, vocabulary)
    assert spelt(vocabulary, tokens.ids[tokens.first :]) == " os"
    assert not tokens.ends


def test_any_example_decodes_back_and_is_asked_as_the_engine_asks(model: Model, vocabulary: Vocabulary) -> None:
    """Cut anywhere, also within characters' tokens: the prompt is a completion's, and what follows spells what it
    heals and the middle."""
    draw = random.Random(5)
    text = "\n".join(HARD_LINES)
    for _ in range(150):
        start, end = sorted(draw.sample(range(len(text) + 1), 2))
        prefix, middle, suffix = text[:start], text[start:end], text[end:]
        order = draw.choice(["spm", "psm"])
        extra = (ExtraFile("b.py", "x = 1"),) if draw.random() < 0.3 else ()
        head = draw.choice(["", "import os\n", "class A:\n    def b():\n"])
        given = Example("x", "p", "a.py", "python", "span", order, prefix, suffix, middle, extra, head=head)  # type: ignore[arg-type]
        tokens = tokens_of(given, model, vocabulary)
        asked = render(
            Hole(prefix, suffix, extra, "a.py", head), model.fim, model.files, vocabulary, prefix_budget=9999,
            suffix_budget=9999, extra_budget=9999, order=order,
        )  # fmt: skip
        assert tokens.ids[: len(asked.tokens)] == asked.tokens
        assert b"".join(map(vocabulary.bytes_of, tokens.ids[len(asked.tokens) :])) == asked.heal + middle.encode()
        assert (tokens.first, tokens.heal) == (len(asked.tokens), asked.heal)


def test_a_batch_asks_each_text_for_its_own_answer_alone(vocabulary: Vocabulary) -> None:
    packed = batch([Tokens((7, 8, 9, 10), 2), Tokens((1, 2, 3), 1)], vocabulary)
    assert packed.tokens.tolist() == [7, 8, 9, 1, 2]
    assert packed.lengths == (3, 2)
    assert packed.wanted.tolist() == [1, 2, 3, 4]
    assert packed.targets.tolist() == [9, 10, 2, 3]


def test_steps_hold_every_text_once_and_follow_from_the_seed() -> None:
    lengths = [random.Random(n).randrange(10, 200) for n in range(300)]
    steps = steps_of(lengths, 1000, 4, 0)
    assert sorted(number for step in steps for number in step) == list(range(300))
    assert all(800 <= sum(lengths[number] for number in step) <= 1200 for step in steps[:-1])
    assert steps == steps_of(lengths, 1000, 4, 0)
    assert steps != steps_of(lengths, 1000, 4, 1) != steps_of(lengths, 1000, 5, 0)


@pytest.mark.parametrize("multiple", [1, 2, 4])
def test_parts_are_of_one_size(multiple: int) -> None:
    texts = [Tokens((0,) * random.Random(n).randrange(10, 200), 1) for n in range(40)]
    parts = parts_of(texts, 500, multiple)
    sizes = [sum(len(text.ids) for text in part) for part in parts]
    assert len(parts) % multiple == 0
    assert sorted(len(text.ids) for part in parts for text in part) == sorted(len(text.ids) for text in texts)
    assert max(sizes) <= 1.1 * min(sizes)
