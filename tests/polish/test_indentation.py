"""Text of several lines is indented as the file is; who is deeper than whom stays as it was said."""

from __future__ import annotations

import pytest
from saying import shown

FOURS = "class A:\n    def g(self):\n        if self:\n            return 1\n\n    def f(self):\n"
TWOS = "function g() {\n  if (a) {\n    b();\n  }\n}\n"
TABS = "func g() {\n\tif a {\n\t\tb()\n\t}\n}\n\n"

MENDED = {
    "tabs for blanks": ("go", TABS + "func f() {\n\t$0\n}\n", "if a {\n        b()\n    }\n", "if a {\n\t\tb()\n\t}"),
    "tabs, and blanks in twos": (
        "go",
        TABS + "func f() {$0\n}\n",
        "\n  if a {\n    b()\n  }\n",
        "\n\tif a {\n\t\tb()\n\t}",
    ),
    "blanks for tabs": (
        "python",
        FOURS + "        $0\n",
        "if x:\n\t\t\tx = 2\n\t\treturn x\n",
        "if x:\n            x = 2\n        return x",
    ),
    "two for four": (
        "javascript",
        TWOS + "function f() {\n  $0\n}\n",
        "if (a) {\n      b();\n  }\n",
        "if (a) {\n    b();\n  }",
    ),
    "four for two, below the header": (
        "python",
        FOURS + "        if a:$0\n",
        "\n          b()\n          if c:\n            d()\n",
        "\n            b()\n            if c:\n                d()",
    ),
    "the indentation is said again": (
        "python",
        FOURS + "        $0\n",
        "        a()\n        b()\n",
        "a()\n        b()",
    ),
    "at the margin": (
        "python",
        "def g():\n    return 1\n\ndef f():\n$0",
        "  a()\n  b()\n",
        "    a()\n    b()",
    ),
    "carriage returns": ("python", FOURS + "        $0\n", "a()\r\n        b()\r\n", "a()\n        b()"),
}
KEPT = {
    "the file's own": ("python", FOURS + "        $0\n", "if x:\n            a()\n        b()"),
    "nothing is known": ("python", "def f(x):$0\n", "\n   a()\n   b()"),
    "the text has both": ("python", FOURS + "        $0\n", "if a:\n          if b:\n              c()"),
    "the file has both": (
        "python",
        "if a:\n  if b:\n      c()\n\ndef f():\n    $0\n",
        "if x:\n      a()\n    b()",
    ),
    "a line that goes on": ("python", FOURS + "        $0\n", "a = g(1,\n              2)\n        return a"),
    "a hanging one": ("python", FOURS + "        $0\n", "a = g(\n                2)\n        return a"),
    "the text of a string": (
        "go",
        TABS + "func f() {\n\t$0\n}\n",
        "a := `\n    four\n        eight`\n\tb()",
    ),
    "a comment's column": (
        "javascript",
        TABS.replace("func", "function") + "function f() {\n\t$0\n}\n",
        "/*\n\t * one\n\t */\n\ta();",
    ),
}


@pytest.mark.parametrize(("language", "source", "said", "expected"), MENDED.values(), ids=MENDED)
def test_mended(language: str, source: str, said: str, expected: str) -> None:
    assert shown(source, said, language) == expected


@pytest.mark.parametrize(("language", "source", "said"), KEPT.values(), ids=KEPT)
def test_kept(language: str, source: str, said: str) -> None:
    assert shown(source, said + "\n", language) == said


def test_only_blanks_at_the_beginning_of_lines_are_changed() -> None:
    for language, source, said, expected in MENDED.values():
        lines = [line.strip() for line in shown(source, said, language).split("\n")]
        assert lines == [line.strip() for line in said.replace("\r", "").rstrip().split("\n")], expected
