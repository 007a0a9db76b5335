"""What a docstring tells of, as `queries/signatures/` captures it: plain data, in order of place.

A capture without a part in `_PARTS` says what its node is to the definition around it (`python.scm` lists them);
what follows a dot says which sort of it. The others are parts of it. What a grammar calls by the name of a part is
one without being captured. Captures of the same node are one mark.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import tree_sitter

from aigc_lsp.syntax.definitions import name_span
from aigc_lsp.text import Span

if TYPE_CHECKING:
    from aigc_lsp.syntax.tree import Tree

_PARTS = frozenset(
    {"name", "type", "value", "body", "scope", "error", "caught", "as", "declarator", "key", "optional", "end", "owner"}
)
_FIELDS = {
    "name": ("name",),
    "type": ("return_type", "type", "result", "returns"),
    "value": ("value", "default_value", "right"),
    "body": ("body",),
}


@dataclass(slots=True)
class Mark:
    """A captured node: its role, its sort ("" without one), where it is in code points, and its parts in order."""

    role: str
    sort: str
    span: Span
    parts: dict[str, list[Span]] = field(default_factory=dict)

    def part(self, name: str) -> Span | None:
        """The first part of that name."""
        found = self.parts.get(name)
        return found[0] if found else None


def marks(tree: Tree, start: int, end: int) -> list[Mark]:
    """The marks of all nodes that touch `start..end`; outer ones before those in them. Nothing in rubble."""
    if not tree.is_legible:
        return []
    cursor = tree_sitter.QueryCursor(tree.grammar.signatures)
    at = tree.encoded.byte_at
    cursor.set_byte_range(at(start), at(end))
    found: dict[tuple[str, int, int], Mark] = {}
    for _, captures in cursor.matches(tree.root):
        roles = [name for name in captures if name not in _PARTS and not name.startswith("_")]
        for node in captures[roles[0]]:
            _merge(tree, found, roles[0], node, captures)
    return sorted(found.values(), key=lambda mark: (mark.span.start, -mark.span.end))


def _merge(
    tree: Tree,
    found: dict[tuple[str, int, int], Mark],
    capture: str,
    node: tree_sitter.Node,
    captures: dict[str, list[tree_sitter.Node]],
) -> None:
    role, _, sort = capture.partition(".")
    if "declarator" in captures and role != "parameter" and name_span(captures)[2] != (role == "function"):
        return  # a pointer to a function among the functions, or a method among the fields
    names = captures.get("name") or captures.get("declarator")
    key = role, node.start_byte, names[0].start_byte if names else node.end_byte
    mark = found.get(key)
    if mark is None:
        mark = found[key] = Mark(role, sort, _span(tree, node.start_byte, node.end_byte))
        # What is taken apart, or given to a name, has its own signature further in.
        for part, fields in _FIELDS.items() if "scope" not in captures and role != "piece" else ():
            child = next((child for name in fields if (child := node.child_by_field_name(name)) is not None), None)
            if child is not None:
                mark.parts[part] = [_span(tree, child.start_byte, child.end_byte)]
    mark.sort = sort if sort == "property" else mark.sort or sort
    for part, nodes in captures.items():
        if part == "declarator":
            first, last, _ = name_span(captures)
            mark.parts["name"] = [_span(tree, first, last)]
        elif part in _PARTS:
            spans = [_span(tree, each.start_byte, each.end_byte) for each in nodes]
            known = mark.parts.get(part, [])
            if part == "caught":
                spans = known + [span for span in spans if span not in known]
            elif part == "end" and known and known[0].end > spans[0].end:
                spans = known
            mark.parts[part] = spans


def _span(tree: Tree, start: int, end: int) -> Span:
    return Span(tree.encoded.offset_at(start), tree.encoded.offset_at(end))
