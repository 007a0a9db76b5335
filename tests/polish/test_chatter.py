"""Fences, phrases of a chat and control tokens: the text ends before them, except where they are text of the file."""

from __future__ import annotations

import pytest
from each_row import each_row
from saying import at_cursor, said_in_pieces, shown

from aigc_lsp import catalogue

OURS = sorted({token for name in catalogue.names() for token in catalogue.load(name).control_tokens})
OTHERS = [
    "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<｜fim▁begin｜>", "<｜end▁of▁sentence｜>", " <EOT>",
    " <MID>", "▁<SUF>", "<|file_separator|>", "<|eot_id|>", "</s>", "<file_sep>", "<commit_before>", "<|cursor|>",
]  # fmt: skip


@each_row("token", OURS)
def test_control_tokens_of_our_models_on_a_line_of_their_own(token: str) -> None:
    assert shown("def f():\n    $0", f"a()\n{token}\n    b()\n") == "a()"


@each_row("token", [*(token for token in OURS if token not in ("<filename>", "<reponame>")), *OTHERS])
def test_control_tokens_within_a_line(token: str) -> None:
    assert shown("x = $0\n", f"1{token}2\n") == "1"
    assert shown("def f():\n    $0", f"a(){token}\n    b()\n") == "a()"


LEGITIMATE = {
    "the file spells it": ("python", 'A = "<|im_end|>"\nB = $0\n', '"<|im_end|>"'),
    "the file spells others": ("python", 'A = "<|im_end|>"\nB = $0\n', '["<|im_start|>", "<|endoftext|>"]'),
    "a place holder in a usage": ("python", "usage = $0\n", '"cat <filename>"'),
    "markup": ("html", "<p>$0\n", "<s>old</s>"),
    "a tag of a component": ("typescriptreact", "const a = $0\n", "<s>old</s>;"),
    "a comparison": ("python", "x = $0\n", "a <b> c"),
    "pipes": ("fsharp", "let x = $0\n", "f <| a |> g"),
    "a generic": ("rust", "let x = $0\n", "a::<Vec<Pad>>();"),
    "a closure": ("rust", "let x = $0\n", "f(|a| a < 1 || b > 2);"),
}


@pytest.mark.parametrize(("language", "source", "said"), LEGITIMATE.values(), ids=LEGITIMATE)
def test_what_looks_like_a_control_token(language: str, source: str, said: str) -> None:
    assert shown(source, said + "\n", language) == said


CHAT = {
    "a fence": ("python", "a()\n```\n\nThis code calls a.\n", "a()"),
    "a fence at the margin": ("javascript", "a();\n```\n", "a();"),
    "a fence first": ("python", "```python\n    a()\n```\n", ""),
    "tildes": ("python", "a()\n~~~\n", "a()"),
    "what the code does": ("python", "a()\n\nThis code calls `a`.\n", "a()"),
    "indented": ("python", "a()\n    This function calls `a`.\n", "a()"),
    "here it is": ("python", "Here is the completed code:\n    a()\n", ""),
    "sure": ("python", "Sure! Here's the code:\n    a()\n", ""),
    "an explanation": ("java", "a();\n    Explanation:\n    it calls a\n", "a();"),
    "a note": ("go", "a()\n    Note that a is called\n", "a()"),
}
HEADERS = {
    "python": "def f():\n    $0",
    "javascript": "function f() {\n    $0\n}\n",
    "java": "class A {\n    void f() {\n    $0\n    }\n}\n",
    "go": "func f() {\n    $0\n}\n",
}


@pytest.mark.parametrize(("language", "said", "expected"), CHAT.values(), ids=CHAT)
def test_the_text_ends_before_a_chat(language: str, said: str, expected: str) -> None:
    assert shown(HEADERS[language], said, language) == expected


@pytest.mark.parametrize("language", ["python", "java", "c", "rust", "ruby", "php", "shellscript", "lua"])
def test_one_line(language: str) -> None:
    assert shown("a\n$0\nb\n", "Here is the code you asked for:\n", language, is_block=False) == ""
    assert shown("a\n$0\nb\n", "```\n", language, is_block=False) == ""


TEXT = {
    "a docstring": (
        '"""Do it.\n\n    This function does it.\n    """\n    a()',
        '"""Do it.\n\n    This function does it.\n    """\n    a()',
    ),
    "a fence in a docstring": (
        '"""Do it.\n\n    ```\n    f()\n    ```\n    """\n    a()',
        '"""Do it.\n\n    ```\n    f()\n    ```\n    """\n    a()',
    ),
    "a comment": ("# This code does it.\n    a()", "# This code does it.\n    a()"),
    "names": ("This = code(a)\n    Here.a()\n    sure = 1", "This = code(a)\n    Here.a()\n    sure = 1"),
    "a string": ("a('Sure! Here is the code')", "a('Sure! Here is the code')"),
}


@pytest.mark.parametrize(("said", "expected"), TEXT.values(), ids=TEXT)
def test_what_belongs_to_the_file(said: str, expected: str) -> None:
    assert shown("def f():\n    $0", said + "\n") == expected


def test_a_comment_of_several_lines() -> None:
    said = "/*\n   This function is called once.\n   */\n  a();"
    assert shown("function f() {\n  $0\n}\n", said + "\n}\n", "javascript") == said


@pytest.mark.parametrize("language", ["markdown", "plaintext", "restructuredtext", "latex"])
@pytest.mark.parametrize("said", ["```python", "Here is the code you asked for:", "This code does nothing."])
def test_in_prose_nothing_is_a_chat(language: str, said: str) -> None:
    assert shown("Text.\n\n$0\n", said + "\n", language) == said


@pytest.mark.parametrize("said", ["```python", "This function does it."])
def test_in_a_docstring_it_may_begin(said: str) -> None:
    """That this is a docstring only the tree knows."""
    rule, window = at_cursor('def f():\n    """Do it.\n\n    $0\n    """\n', "python", tree=True)
    inserted, _ = said_in_pieces(said + "\n    more\n", 1, rule, window)
    assert inserted.text == said


@pytest.mark.parametrize("broken", ["\x00", "\x1b[0m", "\ufffd", "\x0c", "\x9f"])
def test_what_nobody_types_ends_the_text(broken: str) -> None:
    assert shown("x = $0\n", f"1{broken}2\n") == "1"
    assert shown("def f():\n    $0", f"a()\n    b{broken}()\n") == "a()\n    b"
