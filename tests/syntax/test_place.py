"""What surrounds a cursor. `$0` marks it; each table's row is one situation."""

from __future__ import annotations

import time

import pytest
from each_row import each_row

from aigc_lsp.syntax import Place, Tree, parse, place_without_tree
from aigc_lsp.text import Text


def cursor(marked: str) -> tuple[Text, int]:
    offset = marked.index("$0")
    return Text(marked.replace("$0", "")), offset


def place(marked: str, language_id: str) -> Place:
    text, offset = cursor(marked)
    tree = parse(language_id, text)
    assert isinstance(tree, Tree)
    found = tree.place(offset)
    assert found.block_end is None or offset <= found.block_end <= len(text)
    return found


def check_opens(marked: str, language_id: str, expected: bool) -> None:
    assert place(marked, language_id).opens_block is expected


PYTHON_KINDS = [
    ("x = 'a$0b'", "string"),
    ("x = $0'ab'", "code"),
    ("x = 'ab'$0", "code"),
    ("x = 'ab$0", "string"),
    ("x = '$0", "string"),
    ("print(\"it's$0", "string"),
    ('print("abc\nx = $0 1', "code"),
    ("x = f'a{b$0}c'", "code"),
    ("x = f'a{b}c$0'", "string"),
    ("x = f'a{b$0", "code"),
    ("x = 'a{b$0", "string"),
    ("d = {'a$0", "string"),
    ('def f():\n    """d$0oc"""\n', "string"),
    ('def f():\n    """doc\n    $0', "string"),
    ('def f():\n    """$0', "string"),
    ('"""a"""\ndef f():\n    """b\n    $0\n\ndef g():\n    return 1\n', "string"),
    ("# com$0ment", "comment"),
    ("# comment$0", "comment"),
    ("# comment$0\nx", "comment"),
    ("# comment\n$0x", "code"),
    ("x = 1  $0# c", "code"),
    ("", "code"),
    ("é = '😀$0é'", "string"),
    ("é = '😀é'$0", "code"),
    ("x = '#ab$0", "string"),
    ("x = {\n    'a': '#b$0\n    'c': 'd',\n}\n", "string"),
    ("x = f('a', g('b$0", "string"),
    ("x = f'a{b['c$0", "string"),
    ("x = f'a{{b$0", "string"),
    ("# don't\nx = ($0", "code"),
    ("x = 'a\\'b$0", "string"),
    ("x = ''\ny = ($0", "code"),
]


@each_row(("marked", "kind"), PYTHON_KINDS)
def test_python_kind(marked: str, kind: str) -> None:
    assert place(marked or "$0", "python").kind == kind


JAVASCRIPT_KINDS = [
    ("f('a$0b')", "string"),
    ("f('ab$0\n", "string"),
    ("f('ab\n$0g()", "code"),
    ("`a$0${b}`", "string"),
    ("`a${b$0}`", "code"),
    ("`a${b}$0`", "string"),
    ("`a\n$0", "string"),
    ("`a ${b$0", "code"),
    ("x = /a$0b/g", "string"),
    ("// c$0", "comment"),
    ("/* c$0 */", "comment"),
    ("/* c */$0", "code"),
    ("/** c\n * d$0", "comment"),
    ('x = 1\n/* don\'t "a"\n$0', "comment"),
    ("x = '/*'\nfoo($0", "code"),
    ("f('http://a$0", "string"),
    ("f(`http://a${b}//$0", "string"),
    ("f(`a${g('b$0", "string"),
    ("f(`a${g({b: 1})}$0", "string"),
    ("// don't\nf($0", "code"),
]


@pytest.mark.parametrize("language_id", ["javascript", "javascriptreact", "typescript", "typescriptreact"])
@each_row(("marked", "kind"), JAVASCRIPT_KINDS)
def test_javascript_kind(marked: str, kind: str, language_id: str) -> None:
    assert place(marked, language_id).kind == kind


PYTHON_OPENS = [
    "def f(x):\n    $0",
    "def f(x):$0",
    "def f(x):$0\n",
    "def f(x):  $0\n",
    "def f(x):\n    $0\n",
    "def f(x):\n\n    $0\n\ny = 1\n",
    "def f(x):\n$0",
    "async def f(x) -> int:\n    $0",
    "def f(\n    x,\n) -> int:\n    $0",
    "def f(x,\n      y):\n    $0\n",
    "class A:\n    $0",
    "class A:\n    def f(self):\n        $0\n\n    def g(self):\n        pass\n",
    "class A:\n    def f(self):\n    $0\n    def g(self):\n        pass\n",
    "if x:\n    $0",
    "if x:\n    pass\nelif y:\n    $0",
    "if x:\n    pass\nelse:\n    $0",
    "for x in y:\n    $0",
    "while x:\n    $0",
    "with x as y:\n    $0",
    "try:\n    $0",
    "try:\n    x\nexcept E as e:\n    $0",
    "try:\n    x\nfinally:\n    $0",
    "match x:\n    $0",
    "match x:\n    case 1:\n        $0",
    "def f():\n    # todo\n    $0",
    "def f():  # todo\n    $0",
    'def f():\n    """doc"""\n    $0',
    'def f():\n    """doc"""\n$0\n',
    'def f():\n    """doc"""\n\n    $0\n\nx = 1\n',
    'class A:\n    """doc\n\n    more\n    """\n\n    $0',
    'class A:\n    def f(self):\n        """doc"""\n        # c\n        $0\n',
    # beside errors
    "class A:\n    def f(self):\n        x = (\n\n    def g(self):\n        $0\n",
    "class A:\n    def f(self):\n        $0\n\n    def g(self):\n        x = (\n",
    'def f():\n    """doc"""\n    $0\n\ndef g():\n    x = [\n',
    "def f(x):\r\n    $0\r\n",
    "\ufeffdef f(x):\n    $0",
    "é = '😀'\ndef f(x):\n    $0",
    "\tdef f():\n\t\t$0",
]


@each_row("marked", PYTHON_OPENS)
def test_python_opens(marked: str) -> None:
    check_opens(marked, "python", True)


PYTHON_OPENS_NOT = [
    "$0",
    "\n$0\n",
    "x = 1\n$0\n",
    "def f(x):\n    return 1\n    $0",
    "def f(x):\n    $0\n    return 1\n",
    "def f(x):$0\n    return 1\n",
    "def f(x):\n    # c\n    $0\n    return 1\n",
    'def f(x):\n    """doc"""\n    $0\n    return 1\n',
    'def f(x):\n    """doc"""$0\n',
    'class E(Exception):\n    """doc"""\n\n\n$0',
    'x = 1\n"""text"""\n    $0',
    'def f(x):\n    y = 1\n    """doc"""\n    $0',
    "def f(x):\n    re$0",
    "def f(x): $0pass\n",
    "x = {\n    'a':\n    $0",
    "x: $0",
    "f = lambda:$0",
    "# if x:\n$0",
    "# if x:$0",
    '"""\nif x:\n    $0\n"""\n',
    "x = f(y[1:\n    $0])",
]


@each_row("marked", PYTHON_OPENS_NOT)
def test_python_opens_not(marked: str) -> None:
    check_opens(marked, "python", False)


BRACED_OPENS = [
    "function f(x) {$0",
    "function f(x) {$0}",
    "function f(x) {\n  $0\n}\n",
    "function f(x) {\n  $0",
    "function f(x) {\n  // c\n\n  $0\n}",
    "function f(x) {\n  /* c */\n  $0\n  // d\n}",
    "function f(x) {\n  $0\n\nfunction g() {\n}\n",
    "class A {\n  $0\n}",
    "class A {\n  m() {\n    $0\n  }\n}",
    "class A {\n  m() {\n    $0\n\n  n() {\n  }\n}\n",
    "class A { m() {$0",
    "if (a) {\n  $0\n}",
    "if (a) {\n  b()\n} else {\n  $0\n}",
    "for (const a of b) {\n  $0\n}",
    "while (a) {\n  $0\n}",
    "try {\n  $0\n",
    "try {\n  a()\n} catch (e) {\n  $0\n}",
    "try {\n  a()\n} finally {\n  $0\n}",
    "switch (a) {\n  $0\n}",
    "const f = () => {\n  $0\n};",
    "x.map(y => {$0})",
    "x.map(y => {\n  $0\n});\n",
    "const a = {\n  m() {\n    $0\n  }\n}",
    "function f(x) {\r\n  $0\r\n}\r\n",
]


@pytest.mark.parametrize("language_id", ["javascript", "typescript", "typescriptreact"])
@each_row("marked", BRACED_OPENS)
def test_braced_opens(marked: str, language_id: str) -> None:
    check_opens(marked, language_id, True)


@pytest.mark.parametrize(
    "marked",
    [
        "interface A {\n  $0\n}",
        "enum A {\n  $0\n}",
        "namespace A {\n  $0\n}",
        "abstract class A<T> {\n  m(x: T): void {\n    $0\n  }\n}",
        "const f = (x: number): number => {\n  $0\n}",
        "function f(): Promise<void> {\n  $0",
    ],
)
def test_typescript_opens(marked: str) -> None:
    check_opens(marked, "typescript", True)


@pytest.mark.parametrize("language_id", ["javascript", "typescript", "typescriptreact"])
@each_row(
    "marked",
    [
        "$0",
        "const x = {$0",
        "const x = {\n  $0\n}",
        "foo({\n  $0\n})",
        "import {$0",
        "function f() {\n  a()\n  $0\n}",
        "function f() {\n  $0\n  a()\n}",
        "function f() {\n$0\na()\n}",
        "function f() {$0 a() }",
        "// if (a) {\n$0",
        "'{'\n$0",
        "return {\n  $0",
    ],
)
def test_braced_opens_not(marked: str, language_id: str) -> None:
    check_opens(marked, language_id, False)


A, B = ("A", "class"), ("B", "class")
F, G, M = ("f", "function"), ("g", "function"), ("m", "function")

PYTHON_SCOPES = [
    ("$0", (), ""),
    ("def f():\n    $0", (F,), ""),
    ("def f():\n    x = 1\n    $0", (F,), ""),
    ("def f():\n    x = 1\n$0", (), ""),
    ("def f():\n    x = 1\n\n$0\n    y = 2\n", (F,), ""),
    ("class A:\n    def m(self):\n        x = 1\n        $0", (A, M), "    "),
    ("class A:\n    def m(self):\n        x = 1\n    $0", (A,), ""),
    ("class A:\n    def m(self):\n        x = 1\n    # c$0", (A,), ""),
    ("class A:\n    def m(self):\n        x = 1\n\n$0\n    def g(self): pass\n", (A,), ""),
    ("class A:\n    def m(self):\n$0", (A, M), "    "),
    ("class A:\n    def m(self):\n        if x:\n            $0", (A, M), "        "),
    ("class A:\n    def m(self):\n        if x:\n            y\n        $0", (A, M), "    "),
    ("class A:\n    def m(self):\n        return (a$0", (A, M), "    "),
    ("class A:\n    def m(self):\n        return a.$0\n\n    def g(self):\n        pass\n", (A, M), "    "),
    ("class A:\n    def m(self):\n# c\n        x = a.$0\n\n    def g(self):\n        pass\n", (A, M), "    "),
    ("class A:\n    def m(self):\n        x = (\n\n    def g(self):\n        pass\n    $0", (A,), ""),
    (
        "class A:\n    def f(self):\n        x = (\n\n    def g(\n        self,\n    ):\n        y = $0\n",
        (A, G),
        "    ",
    ),
    ("def f():\n    def g():\n        return 1$0\n", (F, G), "    "),
    ('def f():\n    """a$0"""\n', (F,), ""),
    ('def f():\n    x = """\nclass B:\n"""\n    y = ($0\n', (F,), ""),
    ("async def f():\n    $0", (F,), ""),
    ("@d\ndef f():\n    return $0\n", (F,), ""),
    ("if x:\n    if y:\n        z$0", (), "    "),
    ("def é():\n    '😀'\n    x = 1\n    $0", (("é", "function"),), ""),
]


@each_row(("marked", "scope", "indent"), PYTHON_SCOPES)
def test_python_scope(marked: str, scope: tuple[tuple[str, str], ...], indent: str) -> None:
    found = place(marked, "python")
    assert (found.scope, found.block_indent) == (scope, indent)
    assert (found.block_end is None) == (scope == () and indent == "")


BRACED_SCOPES = [
    ("$0", (), ""),
    ("function f() {\n  $0\n}", (F,), ""),
    ("function f() {\n  a()\n}$0", (), ""),
    ("function f() {\n  a()\n}\n$0", (), ""),
    ("class A {\n  m() {\n    a$0\n  }\n}", (A, M), "  "),
    ("class A {\n  m() {\n    a = $0\n  }\n  n() {}\n}", (A, M), "  "),
    ("class A { m() {$0", None, ""),
    ("class A {\n  m() {\n    if (a) {\n      b.$0\n  }\n  n() {}\n}", (A, M), "    "),
    ("const f = () => {\n  $0\n}", (F,), ""),
    ("const f = (a) => a.b$0", (F,), ""),
    ("const f = function () {\n  a$0\n}", (F,), ""),
    ("const o = {\n  'f': () => {\n    a$0\n  }\n}", (F,), "  "),
    ("const o = {\n  f: async () => {\n    const x = $0\n  }\n}", None, "  "),
    ("a.b = function () {\n  c$0\n}", (("a.b", "function"),), ""),
    ("class A {\n  f = () => {\n    a$0\n  }\n}", (A, F), "  "),
    ("function f() {\n  x.map(y => {\n    $0\n  })\n}", (F,), "  "),
    ("function* f() {\n  const g = function () {\n    a$0\n  }\n}", (F, G), "  "),
    ("function f() {\n  const x = $0\n}\nfunction g() {}\n", (F,), ""),
    ("function f(\n  a,\n) {\n  const x = $0\n}\nfunction g() {}\n", (F,), ""),
    ("class A {\n  m() {\n    $0\n\n  n() {\n  }\n}\n", (A, M), "  "),
]


@pytest.mark.parametrize("language_id", ["javascript", "javascriptreact", "typescript", "typescriptreact"])
@each_row(("marked", "scope", "indent"), BRACED_SCOPES)
def test_braced_scope(marked: str, scope: tuple[tuple[str, str], ...] | None, indent: str, language_id: str) -> None:
    found = place(marked, language_id)
    assert found.block_indent == indent
    assert scope is None or found.scope == scope


def test_typescript_scope() -> None:
    assert place("namespace A {\n  interface B {\n    x: $0string\n  }\n}", "typescript").scope == (A, B)


@pytest.mark.parametrize(
    ("marked", "rest"),
    [
        ("def f():\n    x$0 = 1\n    y = 2\n\nz = 3\n", "\n\nz = 3\n"),
        ("def f():\n    x$0 = (\n    y = 2\n\nz = 3\n", "\n\nz = 3\n"),
        ("def f():\n    $0\n\nz = 3\n", "\n\nz = 3\n"),
        ("def f():\n    x = 1\n    $0\n\nz = 3\n", "\n\nz = 3\n"),
        ("é = '😀'\ndef f():\n    x$0 = 'é'\n\nz = 3\n", "\n\nz = 3\n"),
        ("é = '😀'\ndef f():\n    x$0 = 'é'", ""),
    ],
)
def test_python_block_end(marked: str, rest: str) -> None:
    end = place(marked, "python").block_end
    assert cursor(marked)[0].source[end:] == rest


@pytest.mark.parametrize(
    ("marked", "rest"),
    [
        ("function f() {\n  a$0\n  b\n}\nc\n", "\nc\n"),
        ("function f() {\n  const a = $0\n}\nfunction g() {}\n", "\nfunction g() {}\n"),
        ("function f() {\n  $0\n\nfunction g() {}\n", "\n\nfunction g() {}\n"),
    ],
)
def test_braced_block_end(marked: str, rest: str) -> None:
    end = place(marked, "javascript").block_end
    assert cursor(marked)[0].source[end:] == rest


BLOCK_ENDS = [
    ("java", "class A {\n  void f() {\n    a$0\n  }\n  int b;\n}\n", "\n  int b;\n}\n"),
    ("java", "class A {\n  void f() {\n    a($0\n  }\n  int b;\n}\n", "\n  int b;\n}\n"),
    ("go", "func f() {\n\ta($0\n}\n\nfunc g() {}\n", "\n\nfunc g() {}\n"),
    ("c", "int f(void)\n{\n    return $0\n}\nint g;\n", "\nint g;\n"),
    ("c", "int f(void)\n{\n#if A\n    return g(\n#endif\n    $0\n}\nint g;\n", "\nint g;\n"),
    ("cpp", "class A {\npublic:\n  int f() {\n    g($0\n  }\nprivate:\n};\nint x;\n", "\nprivate:\n};\nint x;\n"),
    ("ruby", "def f\n  a$0\nend\nb\n", "\nb\n"),
    ("ruby", "def f\n  a($0\nend\nb\n", "\nb\n"),
    ("ruby", "def f\n  a\nrescue E\n  b($0\nend\nc\n", "\nc\n"),
    ("shellscript", "f() {\n  a$0\n}\nb\n", "\nb\n"),
    ("shellscript", "if a; then\n  b $(c$0\nfi\nd\n", "\nd\n"),
    ("php", "<?php\nfunction f()\n{\n    a($0\n}\nb();\n", "\nb();\n"),
    ("csharp", "class A\n{\n    int F()\n    {\n        G($0\n    }\n}\n", "\n}\n"),
]


@pytest.mark.parametrize(("language_id", "marked", "rest"), BLOCK_ENDS)
def test_block_end(language_id: str, marked: str, rest: str) -> None:
    end = place(marked, language_id).block_end
    assert cursor(marked)[0].source[end:] == rest


WITHOUT_TREE = [
    ("def f(x):\n    $0", "python", True, ""),
    ("class A:\n    def f(x):$0\n", "python", True, "    "),
    ("def f(x):\n    $0\n    return 1\n", "python", False, ""),
    ("x = 1\n$0", "python", False, ""),
    ("class A:\n    # a:\n    x = 1\n    $0", "python", False, ""),
    ("func f() {\n\t$0\n}", "go", True, ""),
    ("class A {\n  void f() {$0}\n}", "java", True, "  "),
    ("fn f() {\n    let x = 1;\n    $0\n}", "rust", False, ""),
    ("a:\n  $0\n", "yaml", True, ""),
    ("function f(x)\n  $0\nend\n", "lua", True, ""),
    ("if x then\n  y()\n  $0\nend\n", "lua", False, ""),
    ("fun f(x: Int) {\n    $0\n}", "kotlin", True, ""),
    ("$0", "nonsense", False, ""),
    ("", "python", False, ""),
]


@pytest.mark.parametrize(("marked", "language_id", "opens", "indent"), WITHOUT_TREE)
def test_without_tree(marked: str, language_id: str, opens: bool, indent: str) -> None:
    text, offset = cursor(marked or "$0")
    found = place_without_tree(text, offset, language_id)
    assert (found.kind, found.opens_block, found.block_indent) == ("code", opens, indent)


def test_a_string_without_a_tree() -> None:
    """A line tells only so much: in a language whose quotes are known, that a string is open."""
    for language_id, kind in (("python", "string"), ("kotlin", "code")):
        text, offset = cursor('x = f("a$0')
        assert place_without_tree(text, offset, language_id).kind == kind
    text, offset = cursor("x = 1  # don't$0")
    assert place_without_tree(text, offset, "python").kind == "code"


@pytest.mark.parametrize("offset", [-1, 99])
def test_outside_counts_as_the_end(offset: int) -> None:
    tree = parse("python", Text("def f():\n    "))
    assert tree is not None
    assert tree.place(offset) == tree.place(0 if offset < 0 else 13)


@pytest.mark.parametrize("language_id", ["python", "typescriptreact"])
@pytest.mark.parametrize("unit", ["(", "{", "`${", "'", "x=>{"])
def test_one_large_error_is_read_by_lines(unit: str, language_id: str) -> None:
    """Queries over such trees took minutes; the time limit is far above what lines take."""
    tree = parse(language_id, Text(unit * 5_000))
    assert tree is not None
    start = time.perf_counter()
    tree.place(len(tree.text) // 2)
    assert time.perf_counter() - start < 1.0
