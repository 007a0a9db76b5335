"""Whatever is said: what is shown is a part of it, the same however it comes in pieces."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from saying import at_cursor, said_in_pieces

from aigc_lsp.context.window import Window
from aigc_lsp.polish.cut import insertion
from aigc_lsp.polish.stop import Rule

PLACES = {
    "python line": ("python", "def f(x):\n    y = 1\n    z = $0\n    return z\n"),
    "python block": ("python", "def f(x):\n    $0\n\n\ndef g():\n    return 1\n"),
    "python header": ("python", "class A:\n    def f(self):$0\n"),
    "before code": ("python", "def f(x):\n    $0return x\n"),
    "call": ("python", "x = f($0)\n"),
    "string": ("python", "x = '$0'\n"),
    "javascript block": ("javascript", "function f(x) {\n  if (x) {\n    $0\n  }\n}\n"),
    "javascript braces": ("javascript", "function f(x) {$0}\n"),
    "ruby": ("ruby", "def f(x)\n  if x\n    $0\nend\n"),
    "go": ("go", "func f(x int) {\n\tif x {\n\t\ty()\n\t}\n\tswitch x {\n\t$0\n\t}\n}\n"),
    "shell": ("shellscript", "for x in a; do\n  $0\n"),
}
WORDS = [
    *"()[]{}'\"`:;,.=#+-", " ", "  ", "    ", "\t", "\n", "\n\n", "\r\n", "\n    ", "\n        ", "x", "y", "return",
    "if x:", "else", "end", "done", "}", "a()", "z = 1", "case 1:", "f(x)", "for x in y:", "```", "<|im_end|>",
    "Here is the code", "é", "😀", "\x00", "'''", '"""', "/*", "*/", "return z", "def g():",
]  # fmt: skip
said = st.lists(st.sampled_from(WORDS), max_size=40).map("".join)


@cache
def place(name: str, is_block: bool | None) -> tuple[Rule, Window]:
    language, source = PLACES[name]
    return at_cursor(source, language, tree=True, is_block=is_block)


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("is_block", [None, True])
@pytest.mark.parametrize("name", PLACES)
@given(said=said, size=st.integers(1, 9), ended=st.booleans())
def test_pieces_do_not_matter_and_nothing_is_invented(
    name: str, is_block: bool | None, said: str, size: int, ended: bool
) -> None:
    rule, window = place(name, is_block)
    whole, _ = said_in_pieces(said, 10**6, rule, window, ended=ended)
    in_pieces, _ = said_in_pieces(said, size, rule, window, ended=ended)
    assert in_pieces.text == whole.text
    for text in (whole.text, whole.alone):
        assert squeezed(text) in squeezed(said)
        assert "\r" not in text
        assert "\x00" not in text


@pytest.mark.parametrize("name", PLACES)
@given(text=st.text(max_size=300), ended=st.booleans())
def test_any_characters(name: str, text: str, ended: bool) -> None:
    rule, window = place(name, None)
    inserted = insertion(text, rule, window, ended=ended)
    assert squeezed(inserted.text) in squeezed(text)
    assert inserted.replaces <= len(window.withheld)
