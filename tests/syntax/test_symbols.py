"""What a file defines, imports and uses: a sample of each language, and what a person reads in it."""

from __future__ import annotations

from textwrap import dedent

import pytest
from language_samples import SAMPLES

from aigc_lsp.syntax import Symbols, Tree, parse, symbols_of
from aigc_lsp.text import Text


def parsed(source: str, language: str) -> Tree:
    tree = parse(language, Text(source))
    assert tree is not None
    return tree


def defined(tree: Tree) -> list[str]:
    """A line for each definition: kind, path, header, and doc where there is one."""
    text = tree.text
    lines = []
    for each in tree.definitions():
        said = f"{each.kind} {each.path} | {' '.join(text.slice(each.header).split())}"
        lines.append(said + (f" -- {' '.join(text.slice(each.doc).split())}" if each.doc else ""))
    return lines


def imported(tree: Tree) -> list[str]:
    lines = []
    for each in tree.imports():
        names = ", ".join(f"{name} as {alias}" if alias else name for name, alias in each.names)
        lines.append(f"{each.module}{f' as {each.alias}' if each.alias else ''}{f': {names}' if names else ''}")
    return lines


def used(source: str, language: str, start: int, end: int) -> list[str]:
    found = parsed(source, language).identifiers(start, end)
    return [f"{use.receiver + '.' if use.receiver else ''}{use.name} {use.role}" for use in found]


def unindented(lines: str) -> list[str]:
    return dedent(lines).strip().splitlines()


@pytest.mark.parametrize("language", SAMPLES)
def test_definitions(language: str) -> None:
    sample = SAMPLES[language]
    tree = parsed(sample.source, language)
    assert not tree.has_errors
    assert defined(tree) == unindented(sample.definitions)


@pytest.mark.parametrize("language", SAMPLES)
def test_imports(language: str) -> None:
    sample = SAMPLES[language]
    assert imported(parsed(sample.source, language)) == unindented(sample.imports)


@pytest.mark.parametrize("language", SAMPLES)
def test_names_used(language: str) -> None:
    """`$1` and `$2` in the sample's `used` are the ends of the stretch that is asked about."""
    sample = SAMPLES[language]
    before, stretch, after = sample.used.replace("$2", "$1").split("$1")
    source = before + stretch + after
    assert used(source, language, len(before), len(before) + len(stretch)) == unindented(sample.uses)


@pytest.mark.parametrize("language", SAMPLES)
def test_spans_are_ordered_and_hold_what_they_should(language: str) -> None:
    source = SAMPLES[language].source
    tree = parsed(source, language)
    definitions = tree.definitions()
    starts = [each.span.start for each in definitions]
    assert starts == sorted(starts)
    for each in definitions:
        assert each.span.start <= each.header.start <= each.header.end <= each.span.end <= len(source)
        assert each.body is None or each.header.end <= each.body.start <= each.body.end <= each.span.end
        assert each.doc is None or each.span.start <= each.doc.start < each.doc.end <= each.span.end
        assert each.name in source
    for found in tree.imports():
        assert found.module.rpartition("::")[2].lstrip("./") in tree.text.slice(found.span)


@pytest.mark.parametrize("language", SAMPLES)
def test_offsets_are_code_points(language: str) -> None:
    """The same behind characters that take several bytes, and with other line ends."""
    sample = SAMPLES[language]
    head = sample.first + sample.comment + " é日😀\n\n"
    source = head + sample.source.removeprefix(sample.first)
    plain, wide = parsed(sample.source, language), parsed(source, language)
    assert defined(wide) == defined(plain)
    assert imported(wide) == imported(plain)
    returned = parsed(sample.source.replace("\n", "\r\n"), language)
    assert defined(returned) == defined(plain)
    assert imported(returned) == imported(plain)


@pytest.mark.parametrize("language", SAMPLES)
def test_an_index_needs_no_document(language: str) -> None:
    sample = SAMPLES[language]
    tree = parsed(sample.source, language)
    symbols = symbols_of(language, Text(sample.source))
    assert symbols.definitions == tree.definitions()
    assert symbols.imports == tree.imports()


def test_without_a_grammar_there_is_nothing() -> None:
    assert symbols_of("kotlin", Text("fun f(x: Int) = f(x)")) == Symbols((), ())
    assert symbols_of("python", Text("f = '\ud83d'")) == Symbols((), ())


HALF_WRITTEN = [
    ("python", "class A:\n    def f(self, x):\n        return x.\n\n    def g(self):\n        pass\n", "A A.f A.g"),
    ("python", "def f(x):\n    y = [1,\n\nclass A:\n    def h(self):\n        pass\n", "f"),
    ("python", "import os\nx = (\n\ndef f():\n    pass\n", "f"),
    ("javascript", "class A {\n  f(x) {\n    return x.\n  }\n  g() {}\n}\n", "A A.f A.g"),
    ("java", "class A {\n  int f(int x) {\n    return g(x\n  }\n  void h() {}\n}\n", "A A.f"),
    ("go", "package a\n\nfunc f() {\n\tx.\n}\n\nfunc g() {}\n", "a a.f a.g"),
    ("rust", "fn f() {\n    x.\n}\n\nfn g() {}\n", "f g"),
    ("c", "int f(void)\n{\n    x.\n}\n\nint g(void) { return 1; }\n", "f g"),
    ("cpp", "struct A {\n    int f() { return x. }\n    void g();\n};\n", "A A.f A.g"),
    ("csharp", "class A\n{\n    int F() { return x. }\n    void G() { }\n}\n", "A A.F A.G"),
    ("ruby", "class A\n  def f\n    g(\n  end\n\n  def h\n  end\nend\n", "h"),
    ("php", "<?php\nfunction f() {\n    $x->\n}\n\nfunction g() {}\n", "f g"),
    ("shellscript", "f() {\n  if x; then\n}\n\ng() {\n  :\n}\n", "g"),
]


@pytest.mark.parametrize(("language", "source", "expected"), HALF_WRITTEN)
def test_definitions_of_half_written_code(language: str, source: str, expected: str) -> None:
    found = [each.path for each in parsed(source, language).definitions()]
    assert [path for path in found if path in expected.split()] == expected.split()


USES_IN_ERRORS = [
    ("python", "def f():\n    a.b(c, d.\n", ["a name", "a.b call", "c name", "d name"]),
    ("javascript", "function f() {\n  a?.b(c, d.\n", ["a name", "a.b call", "c name", "d name"]),
    ("go", "package m\nfunc f() {\n\ta.b(c, d\n", ["a name", "a.b call", "c name", "d name"]),
    ("rust", "fn f() {\n    a::b(c, d\n", ["a name", "a.b call", "c name", "d name"]),
    ("cpp", "void f() {\n    a->b(c, d\n", ["a name", "a.b call", "c name", "d name"]),
    ("php", "<?php\nfunction f() {\n    $a->b($c, \n", ["a name", "$a.b call", "c name"]),
    ("ruby", "x = a.b(c, d\n", ["a name", "a.b call", "c name", "d name"]),
]


@pytest.mark.parametrize(("language", "source", "expected"), USES_IN_ERRORS)
def test_calls_in_half_written_code(language: str, source: str, expected: list[str]) -> None:
    start = max(source.find(" a"), source.find("\ta"), source.find("$a"))
    assert used(source, language, start, len(source)) == expected


def test_rust_paths_may_begin_at_the_root() -> None:
    tree = parse("rust", Text("use ::std::io;\nuse ::{a, b::c};\nuse ::;\nmod d;\n"))
    assert tree is not None
    assert [each.module for each in tree.imports()] == ["::std::io", "a", "b::c", "::", "self::d"]
