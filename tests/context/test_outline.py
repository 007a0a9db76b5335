"""What is told of a definition."""

from __future__ import annotations

import pytest

from aigc_lsp.context.outline import MOST_CHARACTERS, outline, signature, within
from aigc_lsp.syntax import Definition, symbols_of
from aigc_lsp.text import Text


def defined(source: str, language: str = "python") -> tuple[Text, list[Definition]]:
    text = Text(source)
    return text, list(symbols_of(language, text).definitions)


@pytest.mark.parametrize(
    ("language", "source", "expected"),
    [
        ("python", "def f(a, b=1):\n    return a\n", "def f(a, b=1): ..."),
        (
            "python",
            "@cached\nasync def f(\n    a: int,\n    *,\n    b=1,\n) -> X:\n    1\n",
            "async def f(a: int, *, b=1) -> X: ...",
        ),
        ("python", "class A(B):\n    pass\n", "class A(B):"),
        ("python", "LIMIT: int = 3\n", "LIMIT: int = 3"),
        ("python", "TABLE = {\n    1: 2,\n}\n", "TABLE = ..."),
        ("python", "VALUE: Any = (\n    1\n)\n", "VALUE: Any = ..."),
        (
            "typescript",
            "function f(a: { b: string },\n  c = 1): void {\n}\n",
            "function f(a: { b: string }, c = 1): void",
        ),
        ("java", "class A {\n  public int f(\n      int a, int b) { return a; }\n}\n", "class A"),
    ],
)
def test_a_signature_is_one_line(language: str, source: str, expected: str) -> None:
    text, found = defined(source, language)
    assert signature(text, found[0]) == expected


CLASS = (
    "class Cart:\n    _secret = 1\n    size: int = 0\n\n    def _hidden(self): pass\n\n"
    "    def add(self, name):\n        pass\n\n    def __init__(self, size):\n        pass\n"
)


def test_an_outline_has_the_members_in_their_order() -> None:
    text, (cart, *members) = defined(CLASS)
    assert outline(text, cart, members) == (
        "class Cart:\n    _secret = 1\n    size: int = 0\n    def _hidden(self): ...\n"
        "    def add(self, name): ...\n    def __init__(self, size): ..."
    )


def test_where_there_is_no_room_for_all_how_it_is_made_and_its_state_come_first() -> None:
    text, (cart, *members) = defined(
        "class Cart:\n"
        + "".join(f"    def step_{at}(self, name, count, price): pass\n" for at in range(20))
        + "    def __init__(self, size): pass\n    size: int = 0\n"
    )
    said = outline(text, cart, members)
    assert len(said) <= MOST_CHARACTERS
    assert said.endswith("    def __init__(self, size): ...\n    size: int = 0")
    assert "step_0" in said
    assert "step_19" not in said


def test_a_member_is_told_below_its_class() -> None:
    text, (cart, *members) = defined(CLASS)
    assert within(text, cart, members[3]) == "class Cart:\n    def add(self, name): ..."
    assert within(text, None, members[3]) == "def add(self, name): ..."
