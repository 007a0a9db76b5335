"""The imports of a tree that followed edits are those of its text, though most keys do not ask for them anew."""

from __future__ import annotations

import random

import pytest

from aigc_lsp.syntax import Tree, parse
from aigc_lsp.text import Edit, Span, Text

SOURCES = {
    "python": "import os\nfrom a.b import c as d\n\n\ndef f(x):\n    return x\n\n\nclass A:\n    y = 1\n",
    "typescript": "import { a } from './a';\nimport b from 'b';\n\nfunction f(x: number) {\n  return x;\n}\n",
    "go": 'package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n\nfunc f(x int) int {\n\treturn x\n}\n',
    "rust": "use std::fs;\nmod a;\n\nfn f(x: i32) -> i32 {\n    x\n}\n",
    "c": '#include <stdio.h>\n#include "a.h"\n\nint f(int x) {\n  return x;\n}\n',
    "shellscript": "source a.sh\n. ./b.sh\n\nf() {\n  echo 1\n}\n",
    "ruby": "require 'a'\nrequire_relative 'b'\n\ndef f(x)\n  x\nend\n",
}
TYPED = {
    "python": "\nfrom e import f\nimport g\nif x:\n    import h\n",
    "typescript": "\nimport { e } from 'f';\nexport * from './g';\n",
    "go": '\nimport "strings"\nvar y = 1\n',
    "rust": "\nuse a::b::{c, d};\nmod e;\n",
    "c": '\n#include "late.h"\nint y;\n',
    "shellscript": "\nsource late.sh\n. other.sh\necho 2\n",
    "ruby": "\nrequire 'late'\nrequire_relative 'other'\n",
}


def same_as_anew(tree: Tree | None, language: str, text: Text) -> None:
    anew = parse(language, text)
    assert tree is not None
    assert anew is not None
    if not (anew.has_errors or tree.has_errors):
        assert tree.imports() == anew.imports()


@pytest.mark.parametrize("language", SOURCES)
def test_while_an_import_is_typed(language: str) -> None:
    text = Text(SOURCES[language])
    tree = parse(language, text)
    for character in TYPED[language]:
        assert tree is not None
        tree.imports()
        edit = Edit(Span(len(text), len(text)), character)
        text = text.apply(edit)
        tree = tree.edit([edit], text)
        same_as_anew(tree, language, text)
    assert tree is not None
    assert len(tree.imports()) > len((parse(language, Text(SOURCES[language])) or tree).imports()) > 0


@pytest.mark.parametrize("language", SOURCES)
@pytest.mark.parametrize("seed", range(4))
def test_after_any_edits(language: str, seed: int) -> None:
    chance, text = random.Random(seed), Text(SOURCES[language] + TYPED[language])
    tree = parse(language, text)
    lines = (SOURCES[language] + TYPED[language]).splitlines(keepends=True)
    for _ in range(60):
        assert tree is not None
        tree.imports()
        start = text.line_start(chance.randrange(text.line_count))
        removed = chance.choice([0, 0, len(text.source[start:].partition("\n")[0]) + 1, 3])
        edit = Edit(Span(start, min(start + removed, len(text))), chance.choice([*lines, "", "x", "\n"]))
        text = text.apply(edit)
        tree = tree.edit([edit], text)
        same_as_anew(tree, language, text)


@pytest.mark.parametrize(
    ("language", "first", "hiding", "second"),
    [
        ("javascript", "import a from 'a';\n", "/* hello */", "import b from 'b';\n"),
        ("javascript", "import a from 'a';\n", "x(`a`)", "\nimport b from 'b';\n"),
        ("python", "import a\n", "x = [1,\n2]", "\nimport b\n"),
        ("python", "import a\n", '"""text"""', "\nimport b\n"),
        ("c", '#include "a.h"\n', "/* hello */", '\n#include "b.h"\n'),
    ],
)
def test_what_was_hidden_for_a_while_comes_back(language: str, first: str, hiding: str, second: str) -> None:
    text = Text(first + second)
    tree = parse(language, text)
    typed = [(len(first) + at, character) for at, character in enumerate(hiding)]
    for at, character in [*typed, *((len(first) + len(second) + len(hiding) + n, "x") for n in range(30))]:
        assert tree is not None
        tree.imports()
        edit = Edit(Span(at, at), character)
        text = text.apply(edit)
        tree = tree.edit([edit], text)
    assert tree is not None
    assert len(tree.imports()) == 2
