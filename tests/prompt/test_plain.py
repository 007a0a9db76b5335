"""Prompts as text: the format of the model's row, control tokens in the user's text broken, budgets kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from each_row import each_row
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import HARD_LINES

from aigc_lsp import catalogue
from aigc_lsp.catalogue import Model
from aigc_lsp.context.window import CHARACTERS_PER_TOKEN
from aigc_lsp.prompt.infill import ExtraFile, Hole
from aigc_lsp.prompt.plain import render_plain

QWEN = catalogue.load("qwen2.5-coder-0.5b")
PREFIX_ONLY = catalogue.load("smollm2-135m")
MODELS = [catalogue.load(name) for name in catalogue.names()]
TOKENS = [(model, token) for model in MODELS for token in sorted(model.control_tokens)]


def prompt(hole: Hole, model: Model = QWEN, *, before: int = 10_000, after: int = 10_000) -> str:
    return render_plain(hole, model, prefix_tokens=before, suffix_tokens=after)


def own_tokens(hole: Hole, model: Model) -> int:
    """The control tokens that the format itself has: those of the same prompt around plain words."""
    plain = Hole("a", "b", tuple(ExtraFile("c", "d") for _ in hole.extra), "e" if hole.filename else "")
    return controls(prompt(plain, model), model)


def controls(text: str, model: Model) -> int:
    """How many control tokens a tokenizer could read in `text`, overlapping ones too."""
    return sum(text.startswith(token, at) for at in range(len(text)) for token in model.control_tokens)


def test_prefix_first_in_the_models_format() -> None:
    hole = Hole("def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n")
    assert prompt(hole) == f"<|fim_prefix|>{hole.prefix}<|fim_suffix|>{hole.suffix}<|fim_middle|>"


def test_a_model_without_fill_in_the_middle_gets_the_prefix() -> None:
    assert prompt(Hole("x = ", "\nprint(x)\n"), PREFIX_ONLY) == "x = "


EXTRA = Hole("a", "b", (ExtraFile("one.py", "1"), ExtraFile("two.py", "2")), "src/own.py")


def test_extra_files_below_comments() -> None:
    assert prompt(EXTRA) == (
        "<|fim_prefix|># Path: one.py\n1\n# Path: two.py\n2\n\n# Path: src/own.py\na<|fim_suffix|>b<|fim_middle|>"
    )


def test_extra_files_in_the_repository_format() -> None:
    assert QWEN.files is not None
    assert prompt(EXTRA, replace(QWEN, files=replace(QWEN.files, format="tokens"))) == (
        "<|repo_name|>repository\n<|file_sep|>one.py\n1\n<|file_sep|>two.py\n2\n<|file_sep|>src/own.py\n"
        "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>"
    )


def test_extra_files_are_dropped_whole_from_the_front() -> None:
    extra = (ExtraFile("one.py", "1" * 200), ExtraFile("two.py", "2" * 20))
    found = prompt(Hole("a", "b", extra), before=50)
    assert "two.py" in found
    assert "one.py" not in found
    assert "111" not in found


def test_an_empty_file_is_still_a_prompt() -> None:
    assert prompt(Hole("", ""), PREFIX_ONLY) == "\n"


@each_row(("model", "token"), TOKENS)
@pytest.mark.parametrize("where", ["prefix", "suffix", "extra", "extra's name", "name"])
def test_every_control_token_is_broken_wherever_it_stands(model: Model, token: str, where: str) -> None:
    text = f"s = '{token}' + {token}{token}\n"
    match where:
        case "prefix":
            hole = Hole(text, "")
        case "suffix":
            hole = Hole("", text)
        case "extra":
            hole = Hole("a", "b", (ExtraFile("x.py", text),))
        case "extra's name":
            hole = Hole("a", "b", (ExtraFile(token, "x"),))
        case _:
            hole = Hole("a", "b", (ExtraFile("x.py", "x"),), token)
    assert controls(prompt(hole, model), model) == own_tokens(hole, model)


@given(st.lists(st.sampled_from([*sorted(QWEN.control_tokens), "<", "|", ">", "<|", "|>", "fim_", " ", "\n"])))
def test_no_mixture_of_their_parts_makes_a_control_token(parts: list[str]) -> None:
    hole = Hole("".join(parts), "".join(reversed(parts)))
    assert controls(prompt(hole), QWEN) == own_tokens(hole, QWEN)


def test_what_is_no_control_token_is_left_as_it_is() -> None:
    text = "".join(HARD_LINES) + "a < b |> c <|x|> <|fim_prefix> \ud800 \U0001f600"
    assert prompt(Hole(text, ""), PREFIX_ONLY) == text


def test_budgets_are_kept_and_edges_keep_the_cursor() -> None:
    before, after = "".join(f"line {n}\n" for n in range(500)), "".join(f"after {n}\n" for n in range(500))
    found = prompt(Hole(before, after), before=100, after=50)
    prefix, _, suffix = found.removeprefix("<|fim_prefix|>").removesuffix("<|fim_middle|>").partition("<|fim_suffix|>")
    assert before.endswith(prefix)
    assert after.startswith(suffix)
    assert 150 < len(prefix) <= 100 * CHARACTERS_PER_TOKEN
    assert len(suffix) == 50 * CHARACTERS_PER_TOKEN
