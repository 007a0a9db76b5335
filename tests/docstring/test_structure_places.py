"""Where a docstring is, where one goes, which subject a cursor means, and code that is not whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
from each_row import each_row
from test_structure import CASES, told, tree_of
from thorough import stride

from aigc_lsp.docstring.structure import subjects, subjects_at
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.syntax import parse
from aigc_lsp.text import Span, Text

DOCS = {
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), "/** D. */"),
    **dict.fromkeys(("java", "c", "cpp", "php"), "/** D. */"),
    "python": '"""D."""',
    "csharp": "/// <summary>D.</summary>",
    "go": "// D.",
    "rust": "/// D.",
    "ruby": "# D.",
    "shellscript": "# D.",
}  # fmt: skip


def said(source: str, span: Span | None) -> str | None:
    return None if span is None else source[span.start : span.end]


def documented(source: str, subject: Subject, doc: str) -> str:
    """With `doc` where the subject says that one goes."""
    at, indent = subject.place, subject.indent
    if subject.is_inline:
        new = f"\n{indent}{doc}\n{indent}"
    elif subject.language == "python":
        new = f"{'' if at == 0 or source[at - 1] in chr(10) + chr(13) else chr(10)}{indent}{doc}\n"
    else:
        new = f"{doc}\n{indent}"
    return source[:at] + new + source[at:]


def shape(subject: Subject) -> Subject:
    """Without what moves."""
    zero = Span(0, 0)
    return replace(subject, span=zero, header=zero, body=None, place=0, existing=None, indent="", is_inline=False)


@each_row(("language", "source", "said"), CASES)
def test_a_docstring_put_in_its_place_is_found_there(language: str, source: str, said: list[str]) -> None:
    source = source if language != "python" else source + "\n"
    before = subjects(tree_of(source, language))
    for number, subject in enumerate(before):
        doc = DOCS[language]
        if subject.existing is not None or (subject.kind == "module" and language == "go"):
            continue
        if subject.kind == "module":
            if language != "python":
                continue
            doc = '"""M."""'
        after_source = documented(source, subject, doc)
        after = subjects(tree_of(after_source, language))
        assert [told(each) for each in after] == [told(each) for each in before]
        found = after[number].existing
        assert found is not None, after_source
        assert after_source[found.start : found.end] == doc


EXISTING = [
    ("python", "def f():\n    '''D.'''", "'''D.'''"),
    ("python", "def f():\n    # why\n\n    r'''D.'''\n    return 1", "r'''D.'''"),
    ("python", "def f():\n    'a' 'b'\n", "'a' 'b'"),
    ("python", "def f(): 'D.'\n", "'D.'"),
    ("python", "def f():\n    f'''D.'''\n", None),
    ("python", "def f():\n    b'D.'\n", None),
    ("python", "def f():\n    x = 1\n    'D.'\n", None),
    ("python", "# D.\ndef f():\n    return 'D.'\n", None),
    ("python", "class A:\n    '''D.'''\n    x = 1\n", "'''D.'''"),
    ("rust", "/// A.\n#[test]\n/// B.\nfn f() {}", "/// B."),
    ("rust", "/// A.\n/// B.\n#[test]\nfn f() {}", "/// A.\n/// B."),
    ("javascript", "/** D. */\nfunction f() {}", "/** D. */"),
    ("javascript", "/** A. */\n\n/** D.\n * @returns x\n */\nfunction f() {}", "/** D.\n * @returns x\n */"),
    ("javascript", "// D.\nfunction f() {}", None),
    ("javascript", "/* D. */\nfunction f() {}", None),
    ("javascript", "/** D. */\n\nfunction f() {}", None),
    ("javascript", "/** D. */\n// eslint-disable-next-line\nfunction f() {}", "/** D. */"),
    ("javascript", "let x; /** of x */\nfunction f() {}", None),
    ("javascript", "let x; /** D. */ function f() {}", "/** D. */"),
    ("typescript", "/** D. */\n@A()\n@B({\n  x: 1 })\nexport class C {}", "/** D. */"),
    ("java", "/** D. */\n@A\npublic class C {}", "/** D. */"),
    ("c", "/// a\n/// b\nint f(void);", "/// a\n/// b"),
    ("c", "/*! D. */\nint f(void);", "/*! D. */"),
    ("c", "/* D. */\nint f(void);", None),
    ("cpp", "/** D. */\ntemplate <class T>\nT f();", "/** D. */"),
    ("csharp", "/// <summary>\n/// D.\n/// </summary>\n[A]\nclass C {}", "/// <summary>\n/// D.\n/// </summary>"),
    ("go", "package p\n\n// f is.\n// more\nfunc f() {}", "// f is.\n// more"),
    ("go", "package p\n\n//go:noinline\nfunc f() {}", None),
    ("go", "package p\n\n// f is.\n//\n//go:noinline\nfunc f() {}", "// f is.\n//"),
    ("rust", "/// D.\n#[test]\nfn f() {}", "/// D."),
    ("rust", "#[test]\n/// D.\nfn f() {}", "/// D."),
    ("rust", "// D.\nfn f() {}", None),
    ("rust", "//! M.\nfn f() {}", None),
    ("ruby", "# D.\n#\n# @return x\ndef f\nend", "# D.\n#\n# @return x"),
    ("ruby", "# frozen_string_literal: true\n\ndef f\nend", None),
    ("php", "<?php\n/** D. */\n#[A]\nfunction f() {}", "/** D. */"),
    ("shellscript", "#!/bin/sh\n# D.\nf() {\n  :\n}", "# D."),
    ("shellscript", "x=1\n# shellcheck disable=SC1\nf() {\n  :\n}", None),
]  # fmt: skip


@each_row(("language", "source", "doc"), EXISTING)
def test_the_docstring_that_is_there(language: str, source: str, doc: str | None) -> None:
    found = next(each for each in subjects(tree_of(source, language)) if each.kind != "module")
    assert said(source, found.existing) == doc
    crlf = source.replace("\n", "\r\n")
    found = next(each for each in subjects(tree_of(crlf, language)) if each.kind != "module")
    assert said(crlf, found.existing) == (doc and doc.replace("\n", "\r\n"))


MODULES = [
    ("python", '"""M."""\nimport a\n', '"""M."""', 0),
    ("python", "#!/usr/bin/env python\n# licence\n\nimport a\n", None, "import a"),
    ("python", "# -*- coding: utf-8 -*-\n'''M.'''\n", "'''M.'''", "'''M"),
    ("python", "", None, 0),
    ("python", "import a\n'M.'\n", None, 0),
    ("go", "// Package p does.\npackage p\n", "// Package p does.", "package"),
    ("go", "//go:build linux\n\npackage p\n", None, "package"),
    ("rust", "//! M.\n//! more\n\nfn f() {}", "//! M.\n//! more", 0),
    ("rust", "/// of f\nfn f() {}", None, 0),
    ("shellscript", "#!/bin/sh\n# Does.\n#\n# Usage: x\n\nset -e\n", "# Does.\n#\n# Usage: x", "# Does"),
    ("shellscript", "#!/bin/sh\nset -e\n", None, "set"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "source", "doc", "place"), MODULES)
def test_the_docstring_of_a_file(language: str, source: str, doc: str | None, place: int | str) -> None:
    module = subjects(tree_of(source, language))[0]
    assert module.kind == "module"
    assert said(source, module.existing) == doc
    assert module.place == (source.index(place) if isinstance(place, str) else place)


def test_indentation_is_that_of_the_body() -> None:
    source = "class A:\n\tdef f(self):\n\t\treturn 1\n\n\tdef g(self): pass\n"
    assert [(each.indent, each.is_inline) for each in subjects(tree_of(source, "python"))[1:]] == [
        ("\t", False), ("\t\t", False), ("\t\t", True),
    ]  # fmt: skip
    source = "class A:\n  # why\n\n  def f(self):  # and\n\n      # so\n      return 1\n"
    _, owner, method = subjects(tree_of(source, "python"))
    assert (owner.indent, source[owner.place :][:8]) == ("  ", "  # why\n")
    assert (method.indent, source[method.place :][:10]) == ("      ", "\n      # s")


# `‸` is the cursor, `«…»` a selection.
CURSORS = [
    ("python", "‸import a\n\ndef f(): pass\n", ["module "]),
    ("python", "'''M.‸'''\nimport a\n", ["module "]),
    ("python", "import a‸\n\ndef f(): pass\n", []),
    ("python", "‸def f(a):\n    return 1\n", ["function f"]),
    ("python", "import a\ndef f(\n    a,‸\n    b,\n):\n    return 1\n", ["function f"]),
    ("python", "import a\ndef f(a):‸\n    return 1\n", ["function f"]),
    ("python", "import a\ndef f(a):\n    retu‸rn 1\n", []),
    ("python", "import a\ndef f(a):\n    '''D‸'''\n    return 1\n", ["function f"]),
    ("python", "import a\n@a‸.b\n@c\ndef f(a):\n    return 1\n", ["function f"]),
    ("python", "class A:\n    x = 1\n    def f‸(self): pass\n", ["method f"]),
    ("python", "class A‸:\n    x = 1\n    def f(self): pass\n", ["class A"]),
    ("python", "class A:\n    x = 1‸\n    def f(self): pass\n", []),
    ("python", "class A:\n«    def f(self): pass\n    def g(self): pass»\n", ["method f", "method g"]),
    ("python", "«class A:\n    def f(self): pass\n»def g(): pass\n", ["class A", "method f"]),
    ("python", "def f(«a», b): return 1\n", ["function f"]),
    ("javascript", "/**\n * D‸\n */\nexport function f(a) {\n  return 1;\n}", ["function f"]),
    ("javascript", "export con‸st f = (a) => {\n  return 1;\n}", ["function f"]),
    ("javascript", "export const f = (a) => {‸\n  return 1;\n}", ["function f"]),
    ("javascript", "export const f = (a) => {\n  return ‸1;\n}", []),
    ("go", "package p\n\n// f‸ is.\n// more\nfunc f(a int) {\n}\n", ["function f"]),
    ("rust", "#[te‸st]\nfn f(a: i32) {\n}\n", ["function f"]),
    ("c", "int f(int a);‸\nint g(int a);\n", ["function f"]),
    ("ruby", "class A\n  def f(a)‸\n    1\n  end\nend\n", ["method f"]),
]  # fmt: skip


@each_row(("language", "marked", "said"), CURSORS)
def test_what_a_cursor_means(language: str, marked: str, said: list[str]) -> None:
    start = min(at for at in (marked.find("‸"), marked.find("«")) if at >= 0)
    end = marked.find("»") - 1 if "»" in marked else start
    source = marked.translate(dict.fromkeys(map(ord, "‸«»")))
    tree = tree_of(source, language)
    found = subjects_at(tree, start, end)
    assert [f"{each.kind} {each.name}" for each in found] == said
    assert set(found) <= set(subjects(tree))


@each_row(("language", "source", "said"), CASES)
def test_a_cursor_on_a_name_finds_all_that_the_whole_file_says(language: str, source: str, said: list[str]) -> None:
    tree = tree_of(source, language)
    for subject in subjects(tree):
        at = subject.header.end if subject.kind != "module" else 0
        found = subjects_at(tree, at, at)
        if subject.kind != "module":
            assert subject in found or any(each.span.start >= subject.span.start for each in found)


BROKEN = [
    ("python", "def f(a, b\n\ndef g(c): return 1\n", {}),
    ("python", "def f(a, b=):\n    return 1\n\ndef g(c): return 1\n", {"g": "function g(c) returns[]"}),
    ("python", "def g(c):\n    return 1 +\n\nx = 1\n", {}),
    ("javascript", "function f(a, {b {\n}\nfunction g(c) { return 1; }\n", {}),
    ("java", "class A { int f(int a { return 1; }\n int g(int c) { return 1; } }", {}),
]  # fmt: skip


@pytest.mark.parametrize(("language", "source", "known"), BROKEN)
def test_half_written_code_is_left_out_or_told_truly(language: str, source: str, known: dict[str, str]) -> None:
    found = {each.name: told(each) for each in subjects(tree_of(source, language))}
    for name, line in known.items():
        assert found[name] == line
    if "f" in found:
        assert "(a)" not in found["f"]  # `b` would be missed


UNFINISHED = [
    ("python", "def f(a: int) -> int:\n", "function f(a: int) returns[int]", "    ", False),
    ("python", "def f(a: int) -> int:", "function f(a: int) returns[int]", "    ", True),
    ("python", "class A:\n\tdef f(self, a):\n\t\t\n\n\tdef g(self): pass\n", "method A.f(a)", "\t\t", False),
    ("python", 'def f(a):\n    """\n    return a\n', "function f(a) returns[]", "    ", False),
    ("go", "package p\n\nfunc f(a int) error {\n", "function f(a: int) returns[error] raises[error]", "", False),
]


@pytest.mark.parametrize(("language", "source", "line", "indent", "is_inline"), UNFINISHED)
def test_a_header_without_a_body(language: str, source: str, line: str, indent: str, is_inline: bool) -> None:
    found = next(each for each in subjects(tree_of(source, language)) if each.name == "f")
    assert (told(found), found.indent, found.is_inline) == (line, indent, is_inline)


def test_self_is_left_out_where_an_error_costs_the_class() -> None:
    source = "def f(self): pass\n)\n\n    def g(self, a): pass\n"
    found = {each.name: [p.name for p in each.parameters] for each in subjects(tree_of(source, "python"))}
    assert (found["f"], found["g"]) == (["self"], ["a"])


def test_an_error_in_a_body_is_told() -> None:
    source = "def f(a):\n    return 1 +\n\n\ndef g(b):\n    return 2\n"
    assert [each.is_sound for each in subjects(tree_of(source, "python"))[1:]] == [False, True]


@pytest.mark.parametrize("language", sorted({language for language, _, _ in CASES}))
def test_nothing_raises_wherever_code_ends_or_begins(language: str) -> None:
    source = "\n".join(source for each, source, _ in CASES if each == language)[:1500]
    for at in range(0, len(source), stride(7, 31)):
        for part in (source[:at], source[at:], source[: at // 2] + source[at:]):
            tree = parse(language, Text(part))
            assert tree is not None
            for subject in subjects(tree):
                assert subject.span.end <= len(part)
                assert subject.span.start <= subject.header.start <= subject.header.end
            subjects_at(tree, at // 2, at // 2)


def test_a_long_bar_of_hashes_is_looked_at_once() -> None:
    """Read as any number of comments it would take longer than anybody lives."""
    bar = "#" * 70
    source = f'def main():\n    """Run."""\n    {bar}\n    # parse args   {" " * 40}\n    {bar}\n    x = 1\n'
    found = next(each for each in subjects(tree_of(source, "python")) if each.name == "main")
    assert said(source, found.existing) == '"""Run."""'
    assert found.returns is None
    stub = next(each for each in subjects(tree_of(source[: source.index("x = 1")] + "...\n", "python")) if each.name)
    assert said(source, stub.existing) == '"""Run."""'
