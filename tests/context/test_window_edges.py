"""Where a window begins and ends in a long file, what is put above it, and that neither moves while one types."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from thorough import stride

from aigc_lsp.context.window import CHARACTERS_PER_TOKEN, Window, gather
from aigc_lsp.syntax import Tree, parse
from aigc_lsp.text import Edit, Span, Text

PREFIX, SUFFIX = 600, 200

# What a file begins with, a unit of it (repeated; `#` is its number), its last line; and the lines of the top that come
# into the head.
LANGUAGES: dict[str, tuple[str, str, str, list[str]]] = {
    "python": (
        "import os\nfrom a import (\n    b,\n    c,\n)\n\n\nclass Cart(\n    Base,\n):\n    total = 0\n",
        "\n    @cached\n    def f#(self):\n        x = os.path\n\n        if x:\n            return b(x)\n",
        "",
        ["import os", "from a import (", "    b,", "    c,", ")", "class Cart(", "    Base,", "):"],
    ),
    "typescript": (
        "import { a } from './a';\nimport b from 'b';\n\nexport class Cart extends Base {\n  total = 0;\n",
        "\n  f#(x: number): number {\n    const y = a(x);\n\n    return y + b;\n  }\n",
        "}\n",
        ["import { a } from './a';", "import b from 'b';", "export class Cart extends Base {"],
    ),
    "go": (
        'package cart\n\nimport (\n\t"fmt"\n\t"os"\n)\n',
        "\n// F# says x.\nfunc F#(x int) int {\n\ty := x\n\n\tfmt.Println(os.Args, y)\n\treturn y\n}\n",
        "",
        ['\t"fmt"', '\t"os"'],
    ),
    "java": (
        "package a;\n\nimport java.util.List;\nimport java.util.Map;\n\npublic class Cart extends Base {\n",
        "\n    @Override\n    int f#(int x) {\n        int y = x;\n\n        return y;\n    }\n",
        "}\n",
        ["import java.util.List;", "import java.util.Map;", "public class Cart extends Base {"],
    ),
    "c": (
        '#include <stdio.h>\n#include "cart.h"\n',
        '\n/* Says x. */\nstatic int f#(int x)\n{\n\tint y = x;\n\n\tprintf("%d", y);\n\treturn y;\n}\n',
        "",
        ["#include <stdio.h>", '#include "cart.h"'],
    ),
    "rust": (
        "use std::fmt;\nuse crate::a::{b, c};\n\nimpl Cart {\n",
        "\n    /// Says x.\n    fn f#(&self, x: u8) -> u8 {\n        let y = b(x);\n\n        y\n    }\n",
        "}\n",
        ["use std::fmt;", "use crate::a::{b, c};", "impl Cart {"],
    ),
    "ruby": (
        "require 'json'\nrequire_relative 'a'\n\nmodule Shop\n  class Cart\n",
        "\n    def f#(x)\n      y = x\n\n      puts y\n    end\n",
        "  end\nend\n",
        ["require 'json'", "require_relative 'a'", "module Shop", "  class Cart"],
    ),
}


def source_of(language: str, count: int = 150) -> str:
    top, unit, bottom, _ = LANGUAGES[language]
    return top + "".join(unit.replace("#", str(number)) for number in range(count)) + bottom


def window(text: Text, offset: int, language: str, tree: Tree | None) -> Window:
    return gather(text, offset, language=language, prefix_tokens=PREFIX, suffix_tokens=SUFFIX, tree=tree)


@pytest.mark.parametrize("has_tree", [True, False])
@pytest.mark.parametrize("language", LANGUAGES)
def test_edges_are_where_definitions_begin(language: str, has_tree: bool) -> None:
    source = source_of(language)
    text, begins = Text(source), LANGUAGES[language][1].strip("\n").partition("\n")[0].split("#")[0]
    tree = parse(language, text) if has_tree else None
    for offset in range(len(source) // 2, len(source) * 3 // 4, 211):
        found = window(text, offset, language, tree)
        assert found.prefix.startswith(begins)
        after = offset + len(found.withheld) + len(found.suffix)
        assert source.startswith(begins, after)
        assert len(found.head) + len(found.prefix) <= PREFIX * CHARACTERS_PER_TOKEN


@pytest.mark.parametrize("language", LANGUAGES)
def test_head(language: str) -> None:
    source = source_of(language)
    text = Text(source)
    expected = "".join(f"{line}\n" for line in LANGUAGES[language][3])
    for offset in range(len(source) // 2, len(source) // 2 + 800, 97):
        assert window(text, offset, language, parse(language, text)).head == expected
        assert window(text, offset, language, None).head == ""


def test_a_window_that_begins_at_the_top_has_no_head() -> None:
    source = source_of("python", 5)
    text = Text(source)
    found = window(text, len(source) - 20, "python", parse("python", text))
    assert (found.head, found.prefix) == ("", source[:-20])


INSIDE = "        y = x + 1\n" * 300
LONG_BODIES = {
    "the function too": (
        f"import os\n\nclass A:\n    def f(self,\n          x):\n{INSIDE}$0",
        "import os\nclass A:\n    def f(self,\n          x):\n",
    ),
    "not the one that has ended": (
        f"import os\n\nclass A:\n    def f(self):\n        pass\n\n    def g(self):\n{INSIDE}$0",
        "import os\nclass A:\n    def g(self):\n",
    ),
    "a string at the margin is no end of it": (
        f'import os\n\nclass A:\n    def f(self):\n        x = """\nall\nof it\n"""\n{INSIDE}$0',
        "import os\nclass A:\n    def f(self):\n",
    ),
    "an import in another function is unknown here": (
        f"import os\n\ndef f():\n    import re\n\nclass A:\n    def g(self):\n        import io\n{INSIDE}$0",
        "import os\nclass A:\n    def g(self):\n        import io\n",
    ),
    "an import that is tried": (
        f"try:\n    import re\nexcept ImportError:\n    import os\n\ndef f(\n    x\n) -> int:\n{INSIDE}$0",
        "    import re\n    import os\ndef f(\n    x\n) -> int:\n",
    ),
    "a broken body": (
        f"import os\n\nclass A:\n    def f(self, x):\n{INSIDE}        y = (x[\n$0",
        "import os\nclass A:\n    def f(self, x):\n",
    ),
    "line ends": (
        f"import os\n\nclass A:\n    def f(self):\n{INSIDE}$0".replace("\n", "\r\n"),
        "import os\nclass A:\n    def f(self):\n",
    ),
    "a byte order mark": (f"\ufeffimport os\n\ndef f():\n{INSIDE}$0", "import os\ndef f():\n"),
}


@pytest.mark.parametrize(("source", "head"), LONG_BODIES.values(), ids=LONG_BODIES)
def test_head_within_a_long_body(source: str, head: str) -> None:
    before, after = source.split("$0")
    text = Text(before + after)
    assert window(text, len(before), "python", parse("python", text)).head == head


def test_too_long_a_head() -> None:
    """Headers first, a signature's first line where it is too long; then the last imports that fit."""
    imports = "".join(f"import a{number:02}\n" for number in range(100))
    parameters = "".join(f"    parameter_{number},\n" for number in range(100))
    source = f"{imports}\nclass A:\n  def f(\n{parameters}  ):\n{INSIDE}"
    text = Text(source)
    found = window(text, len(source), "python", parse("python", text))
    lines = found.head.splitlines()
    assert lines[-2:] == ["class A:", "  def f("]
    assert lines[:-2] == [f"import a{number:02}" for number in range(102 - len(lines), 100)]
    budget = PREFIX * CHARACTERS_PER_TOKEN // 4
    assert budget - 12 < len(found.head) <= budget


TYPED = (
    "\nif x {\n\tfor (y in [1, 2:\n'''it's \"open\n/* why\n" + "result = foo(bar, x)\n" * 20,
    "x = foo(a, {'b': [1]})  \n" * 12,
)


@pytest.mark.parametrize("typed", TYPED, ids=["broken", "sound"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_while_typing_the_prompt_only_grows(language: str, typed: str) -> None:
    """300 characters, with a tree that follows them: one step at most, and what is below the line stays."""
    source = source_of(language, 90)
    text, offset = Text(source), source.index("\n", len(source) * 2 // 3)
    tree = parse(language, text)
    windows = []
    step = stride(1, 4)
    for at in range(0, 300, step):
        keys = typed[at : at + step]
        edit = Edit(Span(offset, offset), keys)
        text, offset = text.apply(edit), offset + len(keys)
        tree = tree.edit([edit], text) if tree else None
        windows.append(window(text, offset, language, tree))
    prompts = [found.head + found.prefix for found in windows]
    assert sum(not later.startswith(earlier) for earlier, later in pairwise(prompts)) <= 1
    assert len({found.suffix for found in windows}) == 1
    assert all(found.head for found in windows)


@given(data=st.data())
def test_a_window_is_a_piece_of_the_text(data: st.DataObject) -> None:
    language = data.draw(st.sampled_from(sorted(LANGUAGES)))
    source = source_of(language, 40)
    at = data.draw(st.integers(0, len(source)))
    source = source[:at] + data.draw(st.text(alphabet="ab (\n\t'\"{}[)é😀", max_size=40)) + source[at:]
    offset = data.draw(st.integers(0, len(source)))
    tokens = data.draw(st.integers(8, 400))
    text = Text(source)
    tree = parse(language, text)
    found = gather(text, offset, language=language, prefix_tokens=tokens, suffix_tokens=tokens, tree=tree)
    assert source[:offset].endswith(found.prefix)
    assert source[offset:].startswith(found.withheld + found.suffix)
    assert len(found.head) + len(found.prefix) <= tokens * CHARACTERS_PER_TOKEN
    assert len(found.head) <= tokens * CHARACTERS_PER_TOKEN // 4
    assert set(found.head.splitlines()) <= set(source[: offset - len(found.prefix)].splitlines())
