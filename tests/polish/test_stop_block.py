"""Where a block ends: behind its last line, its closing bracket or word, never beyond what encloses it."""

from __future__ import annotations

import pytest
from saying import at_cursor, said_in_pieces, shown

# The file, what the model says, what is shown of it. The model goes on with something else each time.
OPEN = {
    "python": ("def f(x):\n    $0", "return x\n\ndef g():\n    pass\n", "return x"),
    "javascript": ("function f(x) {\n  $0", "return x;\n}\n\nf(1);\n", "return x;\n}"),
    "typescript": ("class A {\n  f(): void {\n    $0", "a();\n  }\n  g() {}\n}\n", "a();\n  }"),
    "java": ("class A {\n    int f() {\n        $0", "return 1;\n    }\n\n    int g;\n}\n", "return 1;\n    }"),
    "c": ("int f(int x) {\n    $0", "return x;\n}\n\nint y;\n", "return x;\n}"),
    "cpp": ("int f(int x) {\n    $0", "return x;\n}\n\nint y;\n", "return x;\n}"),
    "csharp": ("class A {\n    int F() {\n        $0", "return 1;\n    }\n    int g;\n", "return 1;\n    }"),
    "go": ("func f(x int) int {\n\t$0", "return x\n}\n\nvar y int\n", "return x\n}"),
    "rust": ("fn f(x: u8) -> u8 {\n    $0", "x + 1\n}\n\nfn g() {}\n", "x + 1\n}"),
    "ruby": ("def f(x)\n  $0", "x + 1\nend\n\nf(1)\n", "x + 1\nend"),
    "php": ("<?php\nfunction f($x) {\n    $0", "return $x;\n}\n\nf(1);\n", "return $x;\n}"),
    "shellscript": ("f() {\n  $0", "echo a\n}\n\nf\n", "echo a\n}"),
    "lua": ("function f(x)\n  $0", "return x\nend\n\nf(1)\n", "return x\nend"),
    "typescriptreact": ("const f = () => {\n  $0", "return 1;\n};\nf();\n", "return 1;\n};"),
}
CLOSED = {
    "javascript": ("function f(x) {\n  $0\n}\n", "return x;\n}\nf();\n", "return x;"),
    "java": ("class A {\n    int f() {\n        $0\n    }\n}\n", "return 1;\n    }\n}\n", "return 1;"),
    "c": ("int f(int x) {\n    $0\n}\n", "return x;\n}\n", "return x;"),
    "go": ("func f(x int) int {\n\t$0\n}\n", "return x\n}\n", "return x"),
    "rust": ("fn f(x: u8) -> u8 {\n    $0\n}\n", "x + 1\n}\n", "x + 1"),
    "ruby": ("def f(x)\n  $0\nend\n", "x + 1\nend\n\nf(1)\n", "x + 1"),
    "php": ("<?php\nfunction f($x) {\n    $0\n}\n", "return $x;\n}\n", "return $x;"),
    "shellscript": ("if a; then\n  $0\nfi\n", "echo a\nfi\n", "echo a"),
    "lua": ("function f(x)\n  $0\nend\n", "return x\nend\n", "return x"),
}
WORDS = {
    "done": ("shellscript", "for x in a b; do\n  $0", "echo $x\ndone\necho b\n", "echo $x\ndone"),
    "fi": ("shellscript", "if a; then\n  $0", "b\nelse\n  c\nfi\nd\n", "b\nelse\n  c\nfi"),
    "else, though fi is there": ("shellscript", "if a; then\n  $0\nfi\n", "b\nelse\n  c\nfi\nd\n", "b\nelse\n  c"),
    "end in end": ("ruby", "class A\n  def f\n    $0\nend\n", "1\n  end\nend\n", "1\n  end"),
    "elsif": ("ruby", "if a\n  $0", "b\nelsif c\n  d\nend\ne\n", "b\nelsif c\n  d\nend"),
    "else that is there": ("ruby", "if a\n  $0\nelse\n  c\nend\n", "b\nelse\n  d\nend\n", "b"),
    "a block in a call": ("ruby", "xs.each do |x|\n  $0", "puts x\nend\nputs 1\n", "puts x\nend"),
    "a word that only begins so": ("ruby", "def f\n  $0", "1\nendless\n", "1"),
    "end)": ("lua", "each(xs, function(x)\n  $0", "print(x)\nend)\nprint(1)\n", "print(x)\nend)"),
}
NEVER_BEYOND = {
    "an outer bracket": (
        "javascript",
        "function f(a) {\n  if (a) {\n    $0\n}\n",
        "b();\n  }\n  c();\n}\n",
        "b();\n  }",
    ),
    "an outer bracket of a class": (
        "java",
        "class A {\n    void f() {\n        $0\n}\n",
        "b();\n    }\n}\n",
        "b();\n    }",
    ),
    "else goes on": (
        "javascript",
        "if (a) {\n  $0",
        "b();\n} else {\n  c();\n}\nd();\n",
        "b();\n} else {\n  c();\n}",
    ),
    "cases at the margin": (
        "go",
        "func f() {\n\tswitch x {\n\t$0",
        "case 1:\n\t\ta()\n\tcase 2:\n\t\tb()\n\t}\n\tc()\n",
        "case 1:\n\t\ta()\n\tcase 2:\n\t\tb()\n\t}",
    ),
    "a directive": (
        "c",
        "int f(void) {\n    $0",
        "a();\n#ifdef X\n    b();\n#endif\n    return 1;\n}\nint y;\n",
        "a();\n#ifdef X\n    b();\n#endif\n    return 1;\n}",
    ),
    "a text at the margin": (
        "python",
        "def f():\n    $0",
        'a = """\nSome text\n"""\n    return a\n\nf()\n',
        'a = """\nSome text\n"""\n    return a',
    ),
}


@pytest.mark.parametrize("language", OPEN)
def test_an_open_block_is_closed_and_no_more(language: str) -> None:
    source, said, expected = OPEN[language]
    assert shown(source, said, language) == expected


@pytest.mark.parametrize("language", CLOSED)
def test_what_closes_below_is_not_said_again(language: str) -> None:
    source, said, expected = CLOSED[language]
    assert shown(source, said, language) == expected


@pytest.mark.parametrize(("language", "source", "said", "expected"), WORDS.values(), ids=WORDS)
def test_closing_words(language: str, source: str, said: str, expected: str) -> None:
    assert shown(source, said, language) == expected


@pytest.mark.parametrize(("language", "source", "said", "expected"), NEVER_BEYOND.values(), ids=NEVER_BEYOND)
def test_never_beyond(language: str, source: str, said: str, expected: str) -> None:
    assert shown(source, said, language) == expected


# Several lines where the user has begun the block.
BEGUN = {
    "a function": ("def f(x):\n    y = 1\n    $0", "z = 2\n    return z\n\ndef g():\n", "z = 2\n    return z"),
    "an if in it": (
        "def f(x):\n    if x:\n        y = 1\n        $0\n",
        "z = 2\n        w = 3\n    return z\n",
        "z = 2\n        w = 3",
    ),
    "its bracket is there": (
        "function f(x) {\n  a();\n  $0\n}\n",
        "b();\n  c();\n}\n\nf();\n",
        "b();\n  c();",
    ),
    "its bracket is further below": (
        "function f(x) {\n  a();\n  $0\n  d();\n}\n",
        "b();\n  c();\n}\n",
        "b();\n  c();",
    ),
    "no block": ("x = 1\n$0", "y = 2\nz = 3\n\n\n\nw = 4\n", "y = 2\nz = 3"),
    "indented, and nothing is known": ("x = 1\n$0", "if x:\n    y = 2\nz = 3\n", "if x:\n    y = 2\nz = 3"),
}


@pytest.mark.parametrize(("source", "said", "expected"), BEGUN.values(), ids=BEGUN)
def test_never_beyond_a_block_that_was_begun(source: str, said: str, expected: str) -> None:
    language = "javascript" if "{" in source else "python"
    assert shown(source, said, language, is_block=True) == expected


@pytest.mark.parametrize("language", [language for language in OPEN if language != "python"])
def test_nothing_is_heard_behind_the_closer(language: str) -> None:
    source, said, expected = OPEN[language]
    rule, window = at_cursor(source, language, tree=True)
    _, heard = said_in_pieces(said, 1, rule, window)
    assert len(heard) <= len(expected) + 2
