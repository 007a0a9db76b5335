"""That an edit is small, and that what changes more than docstrings is refused."""

from __future__ import annotations

import pytest
from test_structure import tree_of

from aigc_lsp.docstring.edit import checked, edit_for, leaves_code_alone
from aigc_lsp.docstring.structure import subjects
from aigc_lsp.errors import DocstringRefused
from aigc_lsp.text import Edit, Span


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_lines_that_differ_are_replaced(end: str) -> None:
    source = f'def f(a, b):{end}    """Do.{end}{end}    Args:{end}        a: A.{end}    """{end}    pass{end}'
    tree = tree_of(source, "python")
    edit = edit_for(tree.text, subjects(tree)[1], '"""Do.\n\n    Args:\n        a: A.\n        b: B.\n    """')
    assert (edit.new_text, tree.text.slice(edit.span)) == (f"        b: B.{end}", "")
    same = edit_for(tree.text, subjects(tree)[1], '"""Do.\n\n    Args:\n        a: A.\n    """')
    assert (len(same.span), same.new_text) == (0, "")
    grown = edit_for(tree.text, subjects(tree)[1], '"""Do.\n\n    Args:\n        a: A.\n        a: A.\n    """')
    assert tree.text.apply(grown).source.count("a: A.") == 2


SAME = [
    ("python", "def f(): return 1\n", 'def f():\n    """D."""\n    return 1\n'),
    ("python", "def f():\n    # why\n    return 1\n", 'def f():\n    """D."""\n    # why\n    return 1\n'),
    ("python", 'def f():\n    """A."""\n', "def f():\n    '''B.\n    '''\n"),
    ("python", "x = 1\n", '"""D."""\n\nx = 1\n'),
    ("typescript", "const f = () => 1;\n", "/** D. */\nconst f = () => 1;\n"),
    ("rust", "fn f() {}\n", "/// D.\n///\n/// E.\nfn f() {}\n"),
    ("csharp", "class A { int f() { return 1; } }", "class A { \n/// <summary>D.</summary>\nint f() { return 1; } }"),
]


@pytest.mark.parametrize(("language", "before", "after"), SAME)
def test_docstrings_do_not_count(language: str, before: str, after: str) -> None:
    assert leaves_code_alone(tree_of(before, language), tree_of(after, language))
    assert leaves_code_alone(tree_of(after, language), tree_of(before, language))


OTHERS = [
    ("python", "def f(): return 1\n", "def f(): return 2\n"),
    ("python", "def f():\n    return 1\n", 'def f():\n    """D."""\n    return 1; g()\n'),
    ("python", "def f():\n    return 'a'\n", "def f():\n    return 'b'\n"),
    ("python", "if a:\n    b\nc\n", "if a:\n    b\n    c\n"),
    ("python", "def f():\n    # why\n    return 1\n", "def f():\n    return 1\n"),
    ("python", "def f():\n    return 1\n", 'def f():\n    "a" + """D."""\n    return 1\n'),
    ("python", "def f():\n    return 1\n", 'def f():\n    return 1\n    """D."""\n'),
    ("typescript", "f();\n", "/* D. */\nf();\n"),
    ("typescript", "f(1);\n", "f(/** D. */);\n"),
]


@pytest.mark.parametrize(("language", "before", "after"), OTHERS)
def test_everything_else_does(language: str, before: str, after: str) -> None:
    assert not leaves_code_alone(tree_of(before, language), tree_of(after, language))


def test_what_would_change_code_is_refused() -> None:
    tree = tree_of("def f():\n    return 1\n\n\ndef g():\n    return 2\n", "python")
    edits = [Edit(Span(9, 9), '    """D."""\n'), Edit(Span(33, 33), '    """E."""\n')]
    done = checked(tree, edits)
    assert done.text.source == 'def f():\n    """D."""\n    return 1\n\n\ndef g():\n    """E."""\n    return 2\n'
    for wrong in (Edit(Span(9, 9), '    """D.\n'), Edit(Span(9, 22), ""), Edit(Span(4, 5), "h")):
        with pytest.raises(DocstringRefused):
            checked(tree, [wrong])
