"""A model that goes on for ever is stopped, and what it repeats is shown once at most."""

from __future__ import annotations

import pytest
from saying import at_cursor, said_in_pieces, shown


def body(*lines: str) -> str:
    """Lines of a function's body, the first one at the cursor."""
    return "\n    ".join(lines) + "\n"


STOPS = {
    "a line": (body("a(1)", *["b(1)"] * 9), "a(1)\n    b(1)"),
    "two lines": (body(*["a(1)", "b(1)"] * 6), "a(1)\n    b(1)"),
    "three lines": (
        body("z()", *["first(1)", "second(2)", "third(3)"] * 4),
        "z()\n    first(1)\n    second(2)\n    third(3)",
    ),
    "four lines": (
        body(*["first(1)", "second(2)", "third(3)", "fourth(4)"] * 4),
        "first(1)\n    second(2)\n    third(3)\n    fourth(4)",
    ),
    "with blank lines between": (body("a(1)", "", "a(1)", "", "a(1)", "", "a(1)"), "a(1)"),
    "numbered lines": (
        body(*[f"x{n} = get({n})" for n in range(1, 14)]),
        "x1 = get(1)\n    x2 = get(2)\n    x3 = get(3)",
    ),
    "numbered by something else": (body(*[f"self.a_{n}.b(0)" for n in range(3, 14)]), None),
    "a phrase within a line": (body("a(1)", "return x" + " and x" * 60), "a(1)"),
    "a phrase with numbers": (body("a(1)", "f(" + ", ".join(f"x{n}" for n in range(90)) + ")"), "a(1)"),
    "brackets": (body("a(1)", "x = " + "(" * 90), "a(1)"),
    "blanks": (body("a(1)", "x =" + " " * 200), "a(1)"),
}
GOES_ON = {
    "a line twice": body("a(1)", "a(1)", "b(1)"),
    "two lines twice": body("a(1)", "b(1)", "a(1)", "b(1)", "c(1)"),
    "short lines twice": body("if a:", "    b()", "    c()", "if a:", "    b()", "    c()"),
    "five numbered lines": body(*[f"x{n} = {n}" for n in range(5)]),
    "lines with unlike numbers": body(*[f"add({n})" for n in (1, 5, 2, 9, 7, 70, 8)]),
    "rows of zeros": body("x = [", *["    [0, 0, 0],"] * 4, "]"),
    "closing brackets": body("x = [[[", "    1", "        ]", "        ]", "        ]"),
    "a row of numbers": body("x = [" + ", ".join("0" * 16) + "]"),
    "words that come again": body("return a and b and c and d and a or b or c"),
    "an ornament": body("# " + "-" * 76, "x = 1"),
    "an aligned comment": body("x = 1" + " " * 40 + "# one"),
}


@pytest.mark.parametrize(("said", "expected"), STOPS.values(), ids=STOPS)
def test_it_stops(said: str, expected: str | None) -> None:
    found = shown("def f():\n    $0", said)
    assert found == expected if expected is not None else found.count("\n") == 2


@pytest.mark.parametrize("said", GOES_ON.values(), ids=GOES_ON)
def test_it_goes_on(said: str) -> None:
    assert shown("def f():\n    $0", said) == said.rstrip()


@pytest.mark.parametrize("said", [said for said, _ in STOPS.values()], ids=STOPS)
def test_the_model_is_hung_up_on(said: str) -> None:
    rule, window = at_cursor("def f():\n    $0", "python", tree=True)
    _, heard = said_in_pieces(said * 4, 1, rule, window)
    assert len(heard) < len(said) * 4


ONE_LINE = {
    "a phrase": ("x = $0\n", "a" + " + a" * 40, ""),
    "a phrase in a call": ("f($0)\n", "x, " * 40, ""),
    "a phrase some times": ("x = $0\n", "a" + " + a" * 6, "a" + " + a" * 6),
    "brackets": ("x = $0\n", "[" * 60, ""),
    "blanks": ("x = $0\n", " " * 60, ""),
    "not the brackets of an expression": ("x = $0\n", "((((a))))", "((((a))))"),
}


@pytest.mark.parametrize(("source", "said", "expected"), ONE_LINE.values(), ids=ONE_LINE)
def test_one_line(source: str, said: str, expected: str) -> None:
    assert shown(source, said) == expected


# What stands right above the cursor.
ABOVE = {
    "the line above": ("total = count(xs)\n$0\n", "total = count(xs)\n", ""),
    "a short one may": ("print()\n$0\n", "print()\n", "print()"),
    "another line": ("total = count(xs)\n$0\n", "total = count(ys)\n", "total = count(ys)"),
    "what the user has begun": ("total = count(xs)\ntotal = $0\n", "count(xs)\n", "count(xs)"),
    "an indented one": ("if total:\n    show(total)\n$0\n", "show(total)\n", "show(total)"),
}


@pytest.mark.parametrize(("source", "said", "expected"), ABOVE.values(), ids=ABOVE)
def test_what_stands_above(source: str, said: str, expected: str) -> None:
    assert shown(source, said, is_block=False) == expected


def test_several_lines_that_stand_above() -> None:
    source = "def f(x):\n    x = first(x)\n    y = second(x)\n    $0"
    assert shown(source, "x = first(x)\n    y = second(x)\n    return y\n", is_block=True) == ""
    assert shown(source, "x = third(x)\n    y = second(x)\n    return y\n", is_block=True).endswith("return y")
