"""The output meets what stands below or behind the cursor: whole lines of it, never a part that is equal by chance."""

from __future__ import annotations

import pytest
from saying import shown

BODY = "def f(xs):\n    total = 0\n    $0\n    total += len(xs)\n    print(total)\n    return total / 2\n"

# What the model says at `$0`, where several lines are asked for; what of it is shown.
MEETS = {
    "the next line": ("xs.sort()\n    total += len(xs)\n    y()\n", "xs.sort()"),
    "but for blanks": ("xs.sort()\n    total  +=  len( xs )\n    y()\n", "xs.sort()"),
    "but for a semicolon": ("xs.sort()\n    total += len(xs);\n    y()\n", "xs.sort()"),
    "the line after the next": ("xs.sort()\n    print(total)\n    y()\n", "xs.sort()"),
    "the last of a few": ("xs.sort()\n    return total / 2\n", "xs.sort()"),
    "at the end of what is said": ("xs.sort()\n    total += len(xs)", "xs.sort()"),
    "and a blank line before": ("xs.sort()\n\n    total += len(xs)\n", "xs.sort()"),
    "at once": ("total += len(xs)\n    print(total)\n", ""),
}
DOES_NOT = {
    "a part of the line": ("total += len(xs) + 1\n    y()\n", "total += len(xs) + 1\n    y()"),
    "another indentation": ("if xs:\n        print(total)\n    y()\n", "if xs:\n        print(total)\n    y()"),
    "twelve equal characters": ("total += len(x for x in xs)\n", "total += len(x for x in xs)"),
}


@pytest.mark.parametrize(("said", "expected"), MEETS.values(), ids=MEETS)
def test_it_meets(said: str, expected: str) -> None:
    assert shown(BODY, said, is_block=True) == expected


@pytest.mark.parametrize(("said", "expected"), DOES_NOT.values(), ids=DOES_NOT)
def test_it_does_not(said: str, expected: str) -> None:
    assert shown(BODY, said, is_block=True) == expected


# A line that says little must be followed by the next one.
WEAK = {
    "two lines of signs": (
        "javascript",
        "f(function () {\n  g({\n    $0\n  })\n})\nh()\n",
        "a: 1,\n    b: 2\n  })\n})\nh()\n",
        "a: 1,\n    b: 2",
    ),
    "a word and the next line": (
        "python",
        "def f(x):\n    while x:\n        x -= 1\n        $0\n        continue\n        y(x)\n",
        "if x == 2:\n            break\n        continue\n        y(x)\n        z(x)\n",
        "if x == 2:\n            break",
    ),
    "the word alone": (
        "python",
        "def f(x):\n    while x:\n        x -= 1\n        $0\n        break\n        y(x)\n",
        "a()\n        break\n        b()\n",
        "a()\n        break\n        b()",
    ),
    "what is nested below may be nested above": (
        "python",
        "def f(a, b):\n    a += 1\n    $0\n        return False\n    return True\n",
        "if a:\n        return False\n    if b:\n        return False\n    return True\n",
        "if a:\n        return False\n    if b:",
    ),
}


@pytest.mark.parametrize(("language", "source", "said", "expected"), WEAK.values(), ids=WEAK)
def test_a_line_that_says_little(language: str, source: str, said: str, expected: str) -> None:
    assert shown(source, said, language, is_block=True) == expected


# The rest of the cursor's line, where several lines are said before it.
REST = {
    "a telling rest": ("x = foo(a,$0 key=name)\ny()\n", "\n    b,\n    c, key=name)\ny()\n", "\n    b,\n    c,"),
    "a rest, and then the next line": (
        "def f(xs):\n    a$0=0\n    for x in xs:\n        pass\n",
        " = g(xs)\n    b=0\n    for x in xs:\n",
        " = g(xs)\n    b",
    ),
    "a bracket, and the next line": (
        "x = [a,$0 b]\nprint(x)\n",
        "\n    c,\n    d, b]\nprint(x)\n",
        "\n    c,\n    d,",
    ),
}


@pytest.mark.parametrize(("source", "said", "expected"), REST.values(), ids=REST)
def test_the_rest_of_the_line(source: str, said: str, expected: str) -> None:
    assert shown(source, said, is_block=True) == expected


ONE_LINE = {
    "the line below": ("x = 1\n$0\nprint(x)\n", "print(x)", ""),
    "but for blanks": ("x = 1\n$0\nprint(x, 1)\n", "print(x,1)", ""),
    "the line after it": ("x = 1\n$0\nx = check(x)\nprint(x, 1)\n", "print(x, 1)", ""),
    "signs that stand below": ("f({\n  a: 1\n$0\n})\n", "})", ""),
    "signs that stand deeper below": ("f({\n  a: {\n    b: 1\n  $0\n})\n", "}", "}"),
    "the rest of a line like the one below": ("x = 1\nprint($0\nprint(x)\n", "x)", ""),
    "the user's line like one further below": ("f(a)\nreturn $0\ny(a)\nreturn f(a)\n", "f(a)", "f(a)"),
    "a line further down": ("$0\ncheck(y)\ny = f(3)\ncheck(x, y)\n", "check(x, y)", "check(x, y)"),
    "another line": ("x = 1\n$0\nprint(x)\n", "print(y)", "print(y)"),
}


@pytest.mark.parametrize(("source", "said", "expected"), ONE_LINE.values(), ids=ONE_LINE)
def test_one_line_that_stands_below(source: str, said: str, expected: str) -> None:
    assert shown(source, said + "\n", "javascript", is_block=False) == expected


BEFORE_CODE = {
    "a line": ("def f():\n$0    return x\n", "    x = 1\n    return x\n", "    x = 1\n"),
    "behind the indentation": ("def f():\n    $0return x\n", "x = 1\n    return x\n", "x = 1\n    "),
    "that very line": ("def f():\n    $0return x\n", "return x\n", ""),
    "something right before it": ("def f():\n    $0g(x)\n", "return ", "return "),
    "the object whose method it is": ("def f():\n    $0g(x)\n", "self.", "self."),
    "a line that the model ends without a line break": ("def f():\n    $0g(x)\n", "x = 1", "x = 1\n    "),
}


@pytest.mark.parametrize(("source", "said", "expected"), BEFORE_CODE.values(), ids=BEFORE_CODE)
def test_a_cursor_before_code(source: str, said: str, expected: str) -> None:
    assert shown(source, said, is_block=False) == expected


def test_several_lines_before_code() -> None:
    source = "def f(x):\n    y = x\n$0    return y\n"
    said = "    y += 1\n    y += x\n    return y\n\n\ndef g():\n"
    assert shown(source, said, is_block=True) == "    y += 1\n    y += x\n"
