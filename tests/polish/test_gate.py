"""What of a suggestion parses. `$0` is the cursor, `|` in what the model said is where it is cut."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from each_row import each_row

from aigc_lsp.polish.gate import LONGEST, gated
from aigc_lsp.syntax import parse
from aigc_lsp.text import Text

sys.path.insert(0, str(Path(__file__).parent.parent / "syntax"))
from language_samples import SAMPLES


def kept(language: str, buffer: str, text: str, replaces: int = 0) -> str:
    before, after = buffer.split("$0")
    tree = parse(language, Text(before + after))
    assert tree is not None
    return text[: gated(tree, len(before), text, replaces)]


CUT = {
    "a bracket too many": ("python", "x = foo($0\n", "a, b)|)"),
    "a bracket too many, closers there": ("python", "x = foo($0)\n", "a, b|)"),
    "prose": ("python", "$0\nx = 1\n", "|the quick brown fox"),
    "prose behind a value": ("python", "x = $0\n", "f(1)| the quick brown"),
    "the second line": ("python", "def f(a):\n    $0\n", "b = a + 1|\n    return b b b"),
    "another language": ("python", "def f(a):\n    $0\n", "b = a|\n    if (b) { return 1; }"),
    "a brace too many": ("javascript", "function f() {\n  $0\n}\n", "g();|\n}\n}\n}"),
    "a statement in a call": ("javascript", "foo($0);\n", "a, b|; c = d"),
    "a second name": ("java", "class A {\n  void f() {\n    $0\n  }\n}\n", "int a = 1;|\n    int b c d;"),
    "a colon": ("go", "package a\n\nfunc f() {\n\t$0\n}\n", "a := 1|\n\tif a: b"),
    "a comma": ("rust", "fn f() {\n    $0\n}\n", "let a = 1;|\n    let let b = 2;"),
    "no value": ("csharp", "class A {\n  void F() {\n    $0\n  }\n}\n", "var a = 1;|\n    var b = = 2;"),
    "C": ("c", "int f(void) {\n  $0\n}\n", "int a = 1;|\n  int b = ) 2;"),
    "C++": ("cpp", "int f() {\n  $0\n}\n", "auto a = 1;|\n  auto b = ) 2;"),
    "Ruby": ("ruby", "def f\n  $0\nend\n", "a = 1|\n  b = )"),
    "PHP": ("php", "<?php\nfunction f() {\n  $0\n}\n", "$a = 1;|\n  $b $c = 2;"),
    "a shell script": ("shellscript", "f() {\n  $0\n}\n", "a=1|\n  b=)"),
    "TSX": ("typescriptreact", "const a = <p>$0</p>;\n", "{b}|</div>"),
}


@pytest.mark.parametrize("case", CUT)
def test_it_is_cut_where_it_stops_parsing(case: str) -> None:
    language, buffer, said = CUT[case]
    assert kept(language, buffer, said.replace("|", "")) == said.partition("|")[0]


WHOLE = {
    "the rest of a call": ("python", "x = foo($0\n", "a, b)"),
    "half of the rest": ("python", "x = foo($0\ny = 1\n", "a, b"),
    "an operand that lacks": ("python", "x = foo($0\ny = 1\n", "a +"),
    "a header": ("python", "def f(a):\n    $0\n\ndef g(): pass\n", "if a:"),
    "a header above its body": ("python", "$0\n    return 1\n", "def f(a):"),
    "try": ("python", "def f(a):\n    $0\n", "try:\n        g(a)"),
    "a decorator": ("python", "class A:\n    $0\n", "@property"),
    "a docstring that goes on": ("python", "def f(a):\n    $0\n    return a\n", '"""Says\n\n    what'),
    "in a docstring that is not closed": ("python", 'def f(a):\n    """Says $0\n    return a\n', "what (it is"),
    "a list over lines": ("python", "x = [$0\ny = 1\n", "\n    1,\n    2,"),
    "an error above": ("python", "x = = 1\n\ny = foo($0\n", "a)"),
    "an error before it on the line": ("python", "x = = foo($0\n", "a)"),
    "an error below": ("python", "y = foo($0)\n\nx = foo bar baz\n", "a, b=1"),
    "an open block": ("javascript", "$0\n", "function f(a) {\n  if (a) {\n    g("),
    "a callback": ("javascript", "$0\nx();\n", "foo(bar, (a) => {\n  g(a);"),
    "a tag": ("typescriptreact", "const a = (\n  $0\n);\n", "<View a={1}>\n    <Text>"),
    "half a tag": ("typescriptreact", "const a = (\n  $0\n);\n", "<View\n    a={1}"),
    "no semicolon": ("java", "class A {\n  void f() {\n    $0\n    g();\n  }\n}\n", "int a = g()"),
    "a lambda in a call": ("csharp", "class A {\n  void F() {\n    $0\n  }\n}\n", "G(1, (a) =>\n    {\n      H(a);"),
    "a javadoc comment": ("java", "class A {\n  $0\n  int a;\n}\n", "/**\n   * Says what"),
    "in a comment that is not closed": ("java", "class A {\n  /** $0\n  int a;\n}\n", "what (it is"),
    "a macro": ("c", "int f(const int * RESTRICT $0) {\n  return 1;\n}\n", "a, const int * RESTRICT b"),
    "a macro behind a string": ("c", "void f(int a) {\n  $0\n}\n", 'printf("%" PRId64, a);'),
    "what revives the code below": ("c", "/* a $0\nint f(void) {\n  g(BAD a);\n}\n/* c */\n", "b */"),
    "a directive": ("c", "$0\nint a;\n", "#ifdef A\nint f(void) {\n#else\nint f(int a) {"),
    "an open if": ("shellscript", "$0\n", 'if [ -n "$a" ]; then\n  for b in c; do\n    echo b'),
    "then": ("shellscript", "if [ -n a ]\n$0\n", "then\n  echo a"),
    "a here document": ("shellscript", "$0\n", "cat <<EOF\nHello ("),
    "an open method": ("ruby", "class A\n  $0\nend\n", "def f(a)\n    a.each do |b|"),
    "a pattern with a quote": ("javascript", "$0\n", "const a = b.split(/['(]/);\nif (a) {"),
}


@each_row("case", list(WHOLE))
def test_what_a_person_would_type_stays(case: str) -> None:
    language, buffer, said = WHOLE[case]
    assert kept(language, buffer, said) == said


@pytest.mark.parametrize("language", SAMPLES)
def test_the_rest_of_each_line_of_real_code_stays(language: str) -> None:
    source = SAMPLES[language].source
    at = 0
    for line in source.split("\n"):
        for column in {len(line) - len(line.lstrip()), len(line) // 2}:
            rest = line[column:]
            if rest.strip():
                assert kept(language, f"{source[: at + column]}$0{source[at + len(line) :]}", rest) == rest
        at += len(line) + 1


@pytest.mark.parametrize("language", SAMPLES)
def test_nothing_that_is_no_code_stays(language: str) -> None:
    source = SAMPLES[language].source
    assert kept(language, f"{source}\n$0\n", ")]} ]]} )( ((]] })") == ""


REPLACED = {
    "more behind the bracket": ("x = foo($0)\n", "a).bar|", 1),
    "and it is wrong": ("x = foo($0)\n", "a).bar| baz", 1),
    "all of it is wrong": ("x = foo($0)\n", "|a b).bar", 1),
}


@pytest.mark.parametrize("case", REPLACED)
def test_what_replaces_a_closer_brings_its_own(case: str) -> None:
    buffer, said, replaces = REPLACED[case]
    assert kept("python", buffer, said.replace("|", ""), replaces) == said.partition("|")[0]


def test_without_a_tree_all_stays() -> None:
    assert gated(None, 0, "))))", 0) == 4
    assert parse("lua", Text("x = 1")) is None


def test_without_time_all_stays() -> None:
    tree = parse("python", Text("x = 1\n"))
    assert tree is not None
    assert gated(tree, 6, "))))", 0, lambda: False) == 4
    assert gated(tree, 6, "))))", 0, lambda: True) == 0


def test_where_the_tree_is_rubble_all_stays() -> None:
    assert kept("python", ") ] } x y z\n" * 4_000 + "$0\n", "a b c") == "a b c"


def test_what_makes_rubble_goes() -> None:
    assert kept("python", "x = 1\n$0\n", "y = 2\n" + ") ] } x y z\n" * 1_500) == "y = 2"


def test_what_is_endless_is_not_looked_at() -> None:
    endless = "(" * (LONGEST + 1)
    assert kept("python", "$0\n", endless) == endless
