"""Trees: they follow edits, they never fail, and older ones stay as they were."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigc_lsp.syntax import Tree, has_grammar, language_of, parse
from aigc_lsp.syntax.encoded import Encoded
from aigc_lsp.syntax.tree import MAX_BYTES
from aigc_lsp.text import Edit, Span, Text

LANGUAGES = ["python", "javascript", "javascriptreact", "typescript", "typescriptreact"]
PYTHON = ["def f(x):\n", "    ", "        ", "class A:\n", "x = 1\n", "return x", '"""d"""', "'s'", "# é\n", "\n", "\r\n",
          "if x:\n", ":", "(", ")", "f'{x}'", "😀", "\t", "\\\n", "{", "}", "'", '"""']  # fmt: skip
JAVASCRIPT = ["function f(x) {\n", "}\n", "class A {\n", "m() {", "  ", "const f = () => {", "`a${", "}`", "'s'", "// é\n",
              "/* ", " */", "\n", "\r\n", "x = 1;\n", "(", ")", "{", "}", "😀", "<a>", "</a>", "`", '"']  # fmt: skip


def parsed(text: Text, language_id: str) -> Tree:
    tree = parse(language_id, text)
    assert tree is not None
    return tree


def check_follows(language_id: str, source: str, pieces: list[str], data: st.DataObject) -> None:
    """A tree that followed edits is one of the same text; where the text is sound it is the one parsed anew."""
    text = Text(source)
    tree = parsed(text, language_id)
    for _ in range(data.draw(st.integers(1, 4))):
        edits, old, old_sexp = [], tree, tree.sexp()
        for _ in range(data.draw(st.integers(1, 2))):
            start = data.draw(st.integers(0, len(text)))
            end = min(len(text), start + data.draw(st.integers(0, 8)))
            edits.append(Edit(Span(start, end), data.draw(st.sampled_from(["", *pieces]))))
            text = text.apply(edits[-1])
        edited = tree.edit(edits, text)
        assert edited is not None
        assert old.sexp() == old_sexp
        fresh, tree = parsed(text, language_id), edited
        assert tree.text is text
        assert tree.sexp() == fresh.sexp()
        for offset in range(len(text) + 1):
            assert tree.place(offset) == fresh.place(offset)


@given(source=st.lists(st.sampled_from(PYTHON), max_size=12).map("".join), data=st.data())
@settings(max_examples=3000, deadline=None)
def test_python_follows_edits(source: str, data: st.DataObject) -> None:
    check_follows("python", source, PYTHON, data)


@given(source=st.lists(st.sampled_from(JAVASCRIPT), max_size=12).map("".join), data=st.data())
@settings(max_examples=3000, deadline=None)
def test_javascript_follows_edits(source: str, data: st.DataObject) -> None:
    check_follows("typescriptreact", source, JAVASCRIPT, data)
