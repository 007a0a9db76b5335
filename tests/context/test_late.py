"""Where what is found while somebody types goes: ▏ is the cursor, the notes are `def late(x): ...` of a/b."""

from __future__ import annotations

import pytest

from aigc_lsp.context.document import Document
from aigc_lsp.context.late import late_line, with_late
from aigc_lsp.context.snippet import Late, Snippet
from aigc_lsp.context.window import gather
from aigc_lsp.syntax import parse
from aigc_lsp.text import Text

LATE = [Snippet("a/b.py", "class L:\n    def late(self): ...", "definition"), Snippet("a/b.py", "late(1)", "usage")]


def noted(marked: str, language: str = "python", *, tree: bool = True, budget: int = 1000) -> str:
    source, offset = marked.replace("▏", ""), marked.index("▏")
    text = Text(source)
    document = Document("u", "p", language, 1, text, parse(language, text) if tree else None)
    window = gather(text, offset, language=language, prefix_tokens=budget, suffix_tokens=50, tree=document.tree)
    line = late_line(window, document)
    found = with_late(window, document, [Late(each, line) for each in LATE if line is not None])
    return found.head + found.prefix


NOTE = "# Path: a/b.py\n# class L:\n#     def late(self): ...\n# late(1)\n"


def indented(note: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in note.splitlines())


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("import os\n\n\ndef f():\n    x = 1\n    y = ▏\n", f"import os\n\n\n{NOTE}def f():\n    x = 1\n    y = "),
        (
            "class A:\n    z = 0\n\n    @cached\n    def f(self):\n        y = ▏\n",
            f"class A:\n    z = 0\n\n{indented(NOTE, 4)}    @cached\n    def f(self):\n        y = ",
        ),
        ("x = 1\ny = ▏\n", f"{NOTE}x = 1\ny = "),
        ("x = 1\n\ny = 2\nz = ▏\n", f"x = 1\n\n{NOTE}y = 2\nz = "),
        ("x = 1\n\ny = ▏\n", "x = 1\n\ny = "),  # not right above the cursor's line
        ("x = 1\n\n\ndef f(): return ▏\n", "x = 1\n\n\ndef f(): return "),
        ("y = ▏\n", "y = "),
        (
            "def f():\n    x = 1\n    def g():\n        y = ▏\n    return 1\n",
            f"def f():\n    x = 1\n{indented(NOTE, 4)}    def g():\n        y = ",
        ),
        ("def f():\n    x = [\n    y = late(▏\n", f"{NOTE}def f():\n    x = [\n    y = late("),
    ],
)
def test_above_the_innermost_definition(marked: str, expected: str) -> None:
    assert noted(marked) == expected
    assert noted(marked.replace("\n", "\r\n")) == expected


def test_in_the_languages_own_comments() -> None:
    source = "class A {\n  go() {\n    const x = late(▏\n  }\n}\n"
    assert noted(source, "typescript").startswith("class A {\n  // Path: a/b.py\n  // class L:\n")


def test_without_a_tree_where_the_paragraph_begins() -> None:
    assert noted("def f():\n    y = ▏\n", tree=False) == f"{NOTE}def f():\n    y = "


def test_where_the_definition_begins_above_the_window() -> None:
    body = "".join(f"    value_{at} = {at}\n" for at in range(300))
    assert NOTE not in noted(f"def f():\n{body}    y = ▏\n", budget=100)
    found = noted(f"def f():\n{body}\n    x = 1\n    y = ▏\n", budget=100)
    assert f"299\n\n{indented(NOTE, 4)}    x = 1\n    y = " in found


def test_nothing_late_changes_nothing() -> None:
    text = Text("x = ")
    window = gather(text, 4, language="python", prefix_tokens=9, suffix_tokens=9)
    assert with_late(window, Document("u", "p", "python", 1, text), ()) is window


def test_it_stays_where_it_was_put() -> None:
    """Also where the cursor comes into another function, or the tree breaks meanwhile; the next is put there."""
    was = "def f():\n    x = 1\n    y = f(\n"
    now = was + "    return y\n\n\ndef g():\n    (late("
    text, late = Text(now), [Late(LATE[0], 0), Late(LATE[1], 6)]
    document = Document("u", "p", "python", 1, text, None)
    window = gather(text, len(now), language="python", prefix_tokens=1000, suffix_tokens=50)
    assert with_late(window, document, late).prefix == now.replace("def g()", "# Path: a/b.py\n# late(1)\ndef g()")
    assert with_late(window, document, late).head == "# Path: a/b.py\n# class L:\n#     def late(self): ...\n"
