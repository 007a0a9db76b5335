"""What a text is made of, for whoever cuts pieces out of it: statements, the bodies that hold them, brackets.

Read off the names that grammars give their nodes, which are alike over languages: a body is a node whose name says
block, body or the like, and a statement is what stands in one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter

from aigc_lsp.syntax.tree import Tree
from aigc_lsp.text import Span

_BODY = re.compile(
    r"(?:\w+_)?(?:block|body)|body_statement|compound_statement|(?:field_)?declaration_list|statement_list|do_group|then|else"
)
_WHOLE = {"module", "program", "source_file", "translation_unit", "compilation_unit"}
_NO_STATEMENT = {"php_tag", "access_specifier", "block_parameters"}
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_MOST_NODES = 200_000


@dataclass(frozen=True, slots=True)
class Body:
    """Statements that follow one another, without comments. `inside` is what stands between the braces, or None where
    there are none. `is_whole`: they are the file's own."""

    statements: tuple[Span, ...]
    inside: Span | None
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """`brackets` are what stands within a pair of them on the way, without the bracket itself: arguments, parameters,
    elements; bodies are not among them."""

    bodies: tuple[Body, ...]
    brackets: tuple[Span, ...]


def parts(tree: Tree) -> Parts:
    """Of the whole text, in order of where they begin."""
    bodies, brackets = [], []
    at = tree.encoded.offset_at
    for node in _nodes(tree.root):
        children = node.children
        if not children:
            continue
        has_braces = _BRACKETS.get(children[0].type) == children[-1].type
        inside = Span(at(children[0].end_byte), at(children[-1].start_byte)) if has_braces else None
        if _is_body(node):
            if len(children) == 3 and children[1].type == "statement_list":
                children = children[1].children  # Go has them in a node of their own
            elif node.type == "statement_list" and node.parent is not None and _is_body(node.parent):
                continue
            said = [each for each in children if each.is_named and _is_statement(each)]
            if said:
                spans = tuple(Span(at(each.start_byte), at(each.end_byte)) for each in said)
                bodies.append(Body(spans, inside, node.type in _WHOLE))
        elif inside is not None and len(children) > 2:
            brackets.append(inside)
    return Parts(tuple(bodies), tuple(brackets))


def _is_body(node: tree_sitter.Node) -> bool:
    return node.type in _WHOLE or _BODY.fullmatch(node.type) is not None


def _is_statement(node: tree_sitter.Node) -> bool:
    return not node.is_extra and "comment" not in node.type and node.type not in _NO_STATEMENT and not _is_body(node)


def _nodes(root: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Named nodes, each before what it holds."""
    cursor, seen = root.walk(), 0
    while True:
        node = cursor.node
        if node is not None and node.is_named:
            yield node
        seen += 1
        if seen < _MOST_NODES and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
