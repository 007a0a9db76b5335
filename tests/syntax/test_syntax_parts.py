"""What texts are made of, in each family of grammars: bodies with their statements, what stands in brackets."""

from __future__ import annotations

from each_row import each_row

from aigc_lsp.syntax import parse
from aigc_lsp.syntax.parts import parts
from aigc_lsp.text import Text


@each_row(
    ("language", "source", "bodies", "brackets"),
    [
        (
            "python",
            "def f(a, b):\n    # c\n    if a:\n        g(é, [1])\n    return b\n",
            [
                (["def f(a, b):\n    # c\n    if a:\n        g(é, [1])\n    return b"], None, True),
                (["if a:\n        g(é, [1])", "return b"], None, False),
                (["g(é, [1])"], None, False),
            ],
            ["a, b", "é, [1]", "1"],
        ),
        (
            "typescript",
            "function f(a: T) { g(a); return {b}; }\n",
            [
                (["function f(a: T) { g(a); return {b}; }"], None, True),
                (["g(a);", "return {b};"], " g(a); return {b}; ", False),
            ],
            ["a: T", "a", "b"],
        ),
        (
            "go",
            "package a\n\nfunc f() {\n\tg(1)\n\th()\n}\n",
            [
                (["package a", "func f() {\n\tg(1)\n\th()\n}"], None, True),
                (["g(1)", "h()"], "\n\tg(1)\n\th()\n", False),
            ],
            ["1"],
        ),
        (
            "ruby",
            "a.each do |x|\n  p(x)\nend\n",
            [(["a.each do |x|\n  p(x)\nend"], None, True), (["p(x)"], None, False)],
            ["x"],
        ),
        (
            "cpp",
            "class A { public: int f() { return g(1); } };\n",
            [
                (["class A { public: int f() { return g(1); } }"], None, True),
                (["int f() { return g(1); }"], " public: int f() { return g(1); } ", False),
                (["return g(1);"], " return g(1); ", False),
            ],
            ["1"],
        ),
    ],
)
def test_parts(language: str, source: str, bodies: list[tuple[list[str], str, bool]], brackets: list[str]) -> None:
    text = Text(source)
    tree = parse(language, text)
    assert tree is not None
    found = parts(tree)
    told = [
        (
            [text.slice(each).rstrip() for each in body.statements],
            body.inside and text.slice(body.inside),
            body.is_whole,
        )
        for body in found.bodies
    ]
    assert told == bodies
    assert [text.slice(each) for each in found.brackets] == brackets
