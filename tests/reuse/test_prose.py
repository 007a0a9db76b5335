"""Comments and docstrings: the model is not asked in the middle of a word, and has to be surer."""

from __future__ import annotations

import pytest
from buffer import Buffer, Model

WORDS = {
    "a comment": ("# The nam$0\n", 0),
    "a comment, at a word's start": ("# The $0\n", 1),
    "a docstring": ('def f():\n    """Give the nam$0\n    """\n', 0),
    "a docstring's later line": ('def f():\n    """Give.\n\n    The nam$0\n    """\n', 0),
    "a docstring, at a word's start": ('def f():\n    """Give the $0\n    """\n', 1),
    "code": ("x = nam$0\n", 1),
    "a string in code": ("x = f('nam$0')\n", 1),
}


@pytest.mark.parametrize(("source", "asked"), WORDS.values(), ids=WORDS)
async def test_who_is_asked(source: str, asked: int) -> None:
    model = Model("es of it", "\n")
    await Buffer(source, model).ask()
    assert model.asked == asked


async def test_what_the_model_foresaw_goes_on_in_the_middle_of_a_word() -> None:
    model = Model("names", " of", " it", "\n")
    buffer = Buffer("# The $0\n", model)
    await buffer.shows("names of it", "model")
    buffer.type("nam")
    await buffer.shows("es of it", "kept")
    assert model.asked == 1
