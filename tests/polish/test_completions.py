"""What is shown of what a model says: lines, rests of lines and blocks; and when `pipeline.complete` hangs up on it.

`$0` is the cursor. Each case is run with the answer in pieces of several sizes and with and without a tree, which must
not matter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from each_row import each_row
from saying import shown

from aigc_lsp.config import CompletionConfig, Config
from aigc_lsp.context.document import Document
from aigc_lsp.pipeline import AHEAD_TOKENS, Completion, complete
from aigc_lsp.service.wire import InfillPiece, InfillRequest
from aigc_lsp.syntax import parse
from aigc_lsp.text import Text


class Model:
    """Says `output` in pieces of `size` characters, and knows how much of it was read."""

    def __init__(self, output: str, size: int, stop_type: str) -> None:
        self.output, self.size, self.stop_type = output, size, stop_type
        self.request: InfillRequest | None = None
        self.read = 0

    @asynccontextmanager
    async def infill(self, request: InfillRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        self.request = request
        yield self._pieces()

    async def _pieces(self) -> AsyncIterator[InfillPiece]:
        for at in range(0, len(self.output), self.size):
            piece = self.output[at : at + self.size]
            self.read += len(piece)
            yield InfillPiece(piece)
        yield InfillPiece("", stop_type=self.stop_type)


async def completed(
    source: str,
    output: str,
    *,
    language: str = "python",
    size: int = 10**6,
    stop_type: str = "eos",
    max_lines: int = 16,
    tree: bool = True,
) -> tuple[Completion, Model]:
    before, after = source.split("$0")
    text = Text(before + after)
    found = parse(language, text) if tree else None
    document = Document("file:///x", "/x", language, 1, text, found)
    model: Any = Model(output, size, stop_type)
    config = Config(completion=CompletionConfig(max_lines=max_lines))
    return await complete(document, len(before), model, config), model


ONE_LINE = {
    "the rest of the line": ("x = $0", "1\ny = 2\n", "1"),
    "nothing behind it": ("x = $0\n", "1", "1"),
    "spaces at the end go": ("x = $0\n", "1  \t\ny", "1"),
    "spaces at the beginning stay": ("x =$0\n", " 1\n", " 1"),
    "a first line of its own": ("def f():\n    a = 1\n    $0\n    return a\n", "b = 2\n    c = 3\n", "b = 2"),
    "nothing": ("x = $0\n", "", ""),
    "only white space": ("x = $0\n", "  \n\n", ""),
    "blanks without end": ("x = $0\n", " " * 200 + "1\n", ""),
    "the line break first: nothing for this line": ("x = 1$0\n", "\ny = 2\n", ""),
    "carriage returns": ("x = $0\n", "1\r\ny = 2", "1"),
    "within a statement": ("for $0 in range(3):\n    pass\n", "i in range(3):\n", "i"),
    "a form feed is no line": ("x = $0\n", "1\f2\n", "1"),
    "inside a string": ("s = 'hello $0'\n", "world'\n", "world"),
    "inside a comment": ("# add $0\nx = 1\n", "the numbers\nx = 1\n", "the numbers"),
    "a long text in a docstring": ('def f():\n    """Give $0\n    """\n', "back one.\n\n    More.\n", "back one."),
}

REST_OF_LINE = {
    "the closing bracket": ("foo($0)\n", "a, b)\n", "a, b"),
    "and more than that": ("foo($0)\n", "a, b) + 1\n", "a, b"),
    "brackets within": ("foo($0)\n", "bar(1), [2])\n", "bar(1), [2]"),
    "nothing to add": ("foo($0)\n", ")\n", ""),
    "no bracket in the answer": ("foo($0)\n", "a, b\n", "a, b"),
    "a bracket in a string": ("foo($0)\n", "')', b)\n", "')', b"),
    "a quote in a string": ("foo($0)\n", '"it\'s)", b)\n', '"it\'s)", b'),
    "an escaped quote": ("foo($0)\n", "'\\')', b)\n", "'\\')', b"),
    "a list": ("x = [$0]\n", "1, 2]\n", "1, 2"),
    "a list of lists": ("x = [$0]\n", "[1], [2]]\n", "[1], [2]"),
    "a dictionary": ("x = {$0}\n", "'a': {}}\n", "'a': {}"),
    "a bracket that the rest closes further on": ("max($0, default=0)\n", "a for a in b)\n", "a for a in b"),
    "a bracket that the rest does not close": ("foo(bar($0)\n", "x), y)\n", "x), y"),
    "a bracket that an earlier line opened": ("foo(\n    a$0, b)\n", "[1])\n", "[1]"),
    "a rest that closes what it opens": ("foo($0 + bar(1)\n", "a)\n", "a)"),
    "brackets of another kind": ("foo($0)\n", "x[1])\n", "x[1]"),
    "two closers": ("foo(bar($0))\n", "1))\n", "1"),
    "two closers, one said": ("foo(bar($0))\n", "1)\n", "1"),
    "closer and more": ("print(foo($0), 1)\n", "a), 1)\n", "a"),
    "closer, then something else": ("if foo($0):\n    pass\n", "a):\n", "a"),
    "a quote": ("x = '$0'\n", "abc'\n", "abc"),
    "a double quote": ('x = "$0"\n', 'abc"\n', "abc"),
    "quote and bracket": ("foo('$0')\n", "abc')\n", "abc"),
    "quote and bracket and more": ("foo('$0')\n", "abc', 1)\n", "abc"),
    "more than a closer": ("xs = ('2', '5'$0'D')\n", ", '7', 'D')\n", ", '7',"),
    "an argument and a closer": ("f(a$0, key=1)\n", ", b, key=1)\n", ", b"),
    "a word": ("x = $0 if y else 2\n", "1 if y else 2\n", "1"),
    "a comma": ("foo(\n    $0,\n)\n", "a,\n", "a"),
    "an operator": ("x = $0 + 1\n", "y + 1\n", "y"),
    "what is only alike stays": ("x = $0 + 1\n", "a + b\n", "a + b"),
    "one character alike stays": ("print(x$0, y)\n", "[0], z\n", "[0], z"),
    "a word's end is not the rest": ("x = $0 a\n", "banana\n", "banana"),
    "rest with spaces": ("foo($0 )\n", "a, b)\n", "a, b"),
    "what the text opened it may close": ("print(foo$0)\n", "(a)\n", "(a)"),
    "and what it did not it may not": ("print(foo$0)\n", "(a))\n", "(a)"),
    "an empty pair": ("print(foo$0)\n", "()", "()"),
    "parameters": ("def f($0):\n    pass\n", "x, y=1):\n    return x\n", "x, y=1"),
    "one more parameter": ("def f(x$0):\n    pass\n", ", y=(1, 2)):\n", ", y=(1, 2)"),
    "an escaped quote in a string": ("foo('$0')\n", "it\\'s', 1)\n", "it\\'s"),
    "another quote in a string": ("foo('$0')\n", 'say "hi"', 'say "hi"'),
    "a docstring on one line": ('def f():\n    """$0"""\n', 'Say "hi" to all."""\n    return 1\n', 'Say "hi" to all.'),
    "a quote that is no string's end": ("foo(a$0, 'b')\n", "['c']\n", "['c']"),
    "a comment": ("x = $0  # why\n", "1  # why\n", "1"),
    "a comment alone": ("x = $0  # why\n", "1\n", "1"),
    "subscript": ("x[$0]\n", "i + 1]\n", "i + 1"),
    "f-string": ("f'{$0}'\n", "name}'\n", "name"),
}

PYTHON_BLOCKS = {
    "a function": ("def f(x):\n    $0", "y = x\n    return y\n\n\ndef g():\n", "y = x\n    return y"),
    "behind the colon": ("def f(x):$0", "\n    y = x\n    return y\nprint()\n", "\n    y = x\n    return y"),
    "behind the colon, on one line": ("def f(x):$0\n", " return x\n", " return x"),
    "an if": ("def f(x):\n    if x:\n        $0\n", "return 1\n    return 2\n", "return 1"),
    "an if in an if": ("if a:\n    if b:\n        $0\n", "c = 1\n        d = 2\n    e = 3\n", "c = 1\n        d = 2"),
    "a nested block": (
        "def f(xs):\n    $0",
        "for x in xs:\n        if x:\n            return x\n    return None\n\nf([])\n",
        "for x in xs:\n        if x:\n            return x\n    return None",
    ),
    "blank lines within": ("def f():\n    $0", "x = 1\n\n    return x\n\n\nf()\n", "x = 1\n\n    return x"),
    "else belongs to the if above": (
        "def f(x):\n    $0",
        "if x:\n        return 1\n    else:\n        return 2\n\nf(1)\n",
        "if x:\n        return 1\n    else:\n        return 2",
    ),
    "a class": (
        "class A:\n    $0\n",
        "def f(self):\n        return 1\n\n    def g(self):\n        return 2\n\nx = 1\n",
        "def f(self):\n        return 1\n\n    def g(self):\n        return 2",
    ),
    "only a docstring so far": ('def f(x):\n    """Do it."""\n    $0\n', "return x\n\nprint()\n", "return x"),
    "brackets over lines": (
        "def f():\n    $0",
        "return foo(\n        1,\n    )\nx\n",
        "return foo(\n        1,\n    )",
    ),
    "tabs": ("def f():\n\t$0", "x = 1\n\treturn x\n\nf()\n", "x = 1\n\treturn x"),
    "the end is the end": ("def f():\n    $0", "return 1", "return 1"),
    "with": ("with open(p) as f:\n    $0\n", "a = f.read()\n    b = 1\nprint(a)\n", "a = f.read()\n    b = 1"),
    "try": ("try:\n    $0\nexcept OSError:\n    pass\n", "f()\nexcept OSError:\n    pass\n", "f()"),
    "a decorator below is the next thing": (
        "class A:\n    def f(self):\n        $0\n\n    @property\n    def g(self):\n        return 1\n",
        "return 2\n\n    @property\n    def g(self):\n        return 1\n",
        "return 2",
    ),
    "async": ("async def f():\n    $0\n", "await g()\n    await h()\n\nx\n", "await g()\n    await h()"),
}

SUFFIX = {
    "the next line is said again": (
        "try:\n    $0\nexcept OSError:\n    x = 1\n",
        "f()\nexcept OSError:\n    g()\n",
        "f()",
    ),
    "a body that has begun gets one line": (
        "def f(a):\n    $0\n    return total\n",
        "total = 0\n    for x in a:\n        total += x\n    return total\n",
        "total = 0",
    ),
    "in one line": ("x = 1\n$0\nprint(x)\n", "print(x)\n", ""),
    "but not a part of it": ("x = 1\n$0\nprint(x)\n", "print(x, 1)\n", "print(x, 1)"),
    "nor another indentation": (
        "def f():\n    $0\nreturn_value = 1\n",
        "if x:\n        return_value = 1\n    return 2\n",
        "if x:\n        return_value = 1\n    return 2",
    ),
}

REPETITION = {
    "the same line three times": ("def f():\n    $0", "x = 1\n" + "    x += 1\n" * 9, "x = 1\n    x += 1"),
    "twice is no repetition": ("def f():\n    $0", "a()\n    a()\n    b()\n", "a()\n    a()\n    b()"),
    "alternating is none either": (
        "def f():\n    $0",
        "a()\n    b()\n    a()\n    b()\n",
        "a()\n    b()\n    a()\n    b()",
    ),
}

TYPESCRIPT = {
    "an open brace": (
        "function f(x) {\n  $0",
        "const y = x;\n  return y;\n}\n\nfunction g() {\n",
        "const y = x;\n  return y;\n}",
    ),
    "a closed brace": ("function f(x) {\n  $0\n}\n", "const y = x;\n  return y;\n}\n", "const y = x;\n  return y;"),
    "braces on one line": (
        "function f(x) {$0}\n",
        "\n  const y = x;\n  return y;\n}\n",
        "\n  const y = x;\n  return y;\n",
    ),
    "braces on one line, one line said": ("function f(x) {$0}\n", " return x; }\n", " return x;"),
    "an arrow": ("const f = (x) => {\n  $0\n};\n", "return x;\n};\n", "return x;"),
    "an arrow in a call": ("xs.map((x) => {\n  $0\n});\n", "return x;\n});\n", "return x;"),
    "an if with else": (
        "function f(x) {\n  if (x) {\n    $0\n  } else {\n    b();\n  }\n}\n",
        "a();\n  } else {\n    b();\n  }\n",
        "a();",
    ),
    "a class": (
        "class A {\n  $0\n}\n",
        "x = 1;\n\n  f() {\n    return this.x;\n  }\n}\n",
        "x = 1;\n\n  f() {\n    return this.x;\n  }",
    ),
    "an object on one line": ("const a = { $0 };\n", "b: 1, c: [2] };\n", "b: 1, c: [2]"),
    "a call": ("foo($0);\n", "a, b);\n", "a, b"),
    "a call with a function": ("foo($0);\n", "() => { return 1; });\n", "() => { return 1; }"),
    "a template": ("const s = `$0`;\n", "a ${b}`;\n", "a ${b}"),
    "a condition": ("if ($0) {\n  a();\n}\n", "x === 1) {\n", "x === 1"),
    "nested blocks": (
        "function f(xs) {\n  $0\n}\n",
        "for (const x of xs) {\n    if (x) {\n      return x;\n    }\n  }\n  return null;\n}\n",
        "for (const x of xs) {\n    if (x) {\n      return x;\n    }\n  }\n  return null;",
    ),
    "a semicolon behind the cursor": ("const x = $0;\n", "foo(1);\n", "foo(1)"),
}


@pytest.mark.parametrize(("source", "output", "expected"), ONE_LINE.values(), ids=ONE_LINE)
def test_one_line(source: str, output: str, expected: str) -> None:
    assert shown(source, output) == expected


@each_row(("source", "output", "expected"), REST_OF_LINE)
def test_rest_of_the_line(source: str, output: str, expected: str) -> None:
    assert shown(source, output) == expected


@pytest.mark.parametrize(("source", "output", "expected"), PYTHON_BLOCKS.values(), ids=PYTHON_BLOCKS)
def test_python_block(source: str, output: str, expected: str) -> None:
    assert shown(source, output) == expected


@pytest.mark.parametrize(("source", "output", "expected"), SUFFIX.values(), ids=SUFFIX)
def test_meeting_the_suffix(source: str, output: str, expected: str) -> None:
    assert shown(source, output) == expected


@pytest.mark.parametrize(("source", "output", "expected"), REPETITION.values(), ids=REPETITION)
def test_repetition(source: str, output: str, expected: str) -> None:
    assert shown(source, output) == expected


@pytest.mark.parametrize("language", ["typescript", "javascript"])
@each_row(("source", "output", "expected"), TYPESCRIPT)
def test_braces(source: str, output: str, expected: str, language: str) -> None:
    assert shown(source, output, language=language) == expected


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("resu$0lt = 1\n", False),
        ("x1$0_y\n", False),
        ("größ$0e\n", False),
        ("result$0 = 1\n", True),
        ("$0result\n", True),
        ("result$0.x\n", True),
        ("result$0", True),
        ("$0", True),
    ],
)
async def test_never_in_the_middle_of_a_word(source: str, asked: bool) -> None:
    completion, model = await completed(source, "abc\n")
    assert (model.request is not None) == asked
    assert asked or (completion.text, completion.stop_reason) == ("", "word")


@pytest.mark.parametrize("max_lines", [1, 2, 5])
def test_max_lines(max_lines: int) -> None:
    output = "".join(f"    x{number} = {number}\n" for number in range(9))
    text = shown("def f():\n$0", output, max_lines=max_lines)
    assert text == output.rstrip("\n").split("\n    x" + str(max_lines))[0]


@pytest.mark.parametrize(
    ("source", "output", "expected"),
    [
        ("def f():\n    $0", "x = 1\n    return x + fo", "x = 1"),  # the line that was cut off is not shown
        ("def f():\n    $0", "return x + fo", "return x"),
        ("x = $0", "1 + fo", "1"),
    ],
)
def test_stopped_in_the_middle(source: str, output: str, expected: str) -> None:
    assert shown(source, output, ended=False) == expected


@pytest.mark.parametrize(
    ("source", "output", "reason", "most"),
    [
        ("x = $0", "1\n" + "y = 2\n" * 50, "line", 3),
        ("def f():\n    $0", "return 1\n\nx = 1\n" + "y = 2\n" * 50, "block", 12),
        ("def f():\n    $0\n    # so much\n", "x = 2\n    # so much\n" + "    y = 2\n" * 50, "suffix", 20),
        ("def f():\n    $0", "x = 2\n" + "    y = 2\n" * 50, "repetition", 37),
        ("x = $0", "1", "eos", 1),
    ],
)
async def test_reading_ends_as_early_as_it_can(source: str, output: str, reason: str, most: int) -> None:
    completion, model = await completed(source, output, size=1)
    assert completion.stop_reason == reason
    assert model.read <= most


async def test_what_is_asked_for() -> None:
    _, line = await completed("x = $0\n", "1")
    _, block = await completed("def f():\n    $0\n", "1")
    assert line.request is not None
    assert block.request is not None
    assert (line.request.n_predict, block.request.n_predict) == (48 + AHEAD_TOKENS, 96)
    assert block.request.input_prefix == "def f():\n    "
    assert block.request.input_suffix == "\n"


def test_the_text_begins_what_the_model_said() -> None:
    """Nothing is invented: what is shown is the beginning of the answer, but for the break before a brace."""
    tables = [ONE_LINE, REST_OF_LINE, PYTHON_BLOCKS, SUFFIX, REPETITION, TYPESCRIPT]
    for source, output, expected in (case for table in tables for case in table.values()):
        assert output.replace("\r", "").startswith(expected.rstrip("\n")), source


@pytest.mark.parametrize("source", ["x = $0\n", "def f():\n            $0\n\nx = 1\n"])
async def test_endless_blanks_are_not_waited_for(source: str) -> None:
    """Seen with the default model, behind an indentation that is too deep: ninety tokens of blanks, five seconds."""
    completion, model = await completed(source, " " * 500, size=4)
    assert completion.text == ""
    assert model.read <= 28


def test_two_blank_lines_end_a_block() -> None:
    said = "a = 1\n\n    b = 2\n\n\n    c = 3\n"
    assert shown("def f():\n    $0\n", said) == "a = 1\n\n    b = 2"


async def test_the_model_is_not_heard_beyond_the_bracket_behind_the_cursor() -> None:
    completion, model = await completed("foo($0, 1)\n", "a, b) + " + "bar + " * 50, size=2)
    assert (completion.text, completion.stop_reason) == ("a, b", "suffix")
    assert model.read <= 6
