"""What a tree is made of apart from some of its text: two trees of the same shape are the same code."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import tree_sitter

from aigc_lsp.syntax.tree import Tree
from aigc_lsp.text import Span


@dataclass(frozen=True, slots=True)
class Shape:
    """`nodes`: the kind of each node, outer ones before those in them, with its text where it has no children; ("", "")
    ends the children of one. `comments` stand apart, since what they belong to may change with what stands near them.
    """

    nodes: tuple[tuple[str, bytes], ...]
    comments: tuple[bytes, ...]


def shape(tree: Tree, without: Sequence[Span]) -> Shape:
    """The shape of `tree` but for what lies in one of `without`, in order of place and apart from each other, and for
    nodes that have nothing else in them."""
    at = tree.encoded.byte_at
    return _Walk(tree.encoded.data, [(at(span.start), at(span.end)) for span in without]).over(tree.root.walk())


class _Walk:
    def __init__(self, data: bytes, holes: Sequence[tuple[int, int]]) -> None:
        self._data, self._holes = data, holes
        self._nodes: list[tuple[str, bytes]] = []
        self._comments: list[bytes] = []
        self._open: list[tuple[int, bool]] = []
        """Of each node around: where it begins in `_nodes`, and whether something in it was left out."""

    def over(self, cursor: tree_sitter.TreeCursor) -> Shape:
        while True:
            if not self._enter(cursor):
                while not cursor.goto_next_sibling():
                    if not cursor.goto_parent():
                        return Shape(tuple(self._nodes), tuple(self._comments))
                    self._leave()

    def _enter(self, cursor: tree_sitter.TreeCursor) -> bool:
        """Whether the cursor is at a child now."""
        node = cursor.node
        assert node is not None
        text = self._data[node.start_byte : node.end_byte]
        if self._is_left_out(node.start_byte, node.start_byte + len(text.rstrip())):
            self._leave_out()
        elif node.is_extra:
            self._comments.append(text.rstrip())
        elif cursor.goto_first_child():
            self._open.append((len(self._nodes), False))
            self._nodes.append((node.type, b""))
            return True
        else:
            self._nodes.append((node.type, text))
        return False

    def _leave(self) -> None:
        start, is_holed = self._open.pop()
        if is_holed and len(self._nodes) == start + 1:
            del self._nodes[start:]
            self._leave_out()
        else:
            self._nodes.append(("", b""))

    def _leave_out(self) -> None:
        if self._open:
            self._open[-1] = self._open[-1][0], True

    def _is_left_out(self, start: int, end: int) -> bool:
        found = bisect_right(self._holes, start, key=lambda hole: hole[0]) - 1
        return start < end and found >= 0 and end <= self._holes[found][1]
