"""The place of a cursor in a tree.

The tree says what is a string and what a comment. Scope and block come from the tree where it is sound around the
cursor, and from the layout of lines (`lines.py`) where an error may have cost it the function that the cursor is in:
`def f():` above an unfinished statement is often recovered as an error beside an empty block.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

import tree_sitter

from aigc_lsp.syntax.lines import awaits_body, layout_of, opener_on_line, place_at, surroundings
from aigc_lsp.syntax.place import Block, Kind, Opener, Place, ScopeKind, Surroundings, indent_of, width

if TYPE_CHECKING:
    from aigc_lsp.syntax.tree import Tree

Captures = dict[str, list[tree_sitter.Node]]

_SPACE = re.compile(r"\s*")
_ENCLOSED: dict[str, Kind] = {"string": "string", "comment": "comment", "line_comment": "comment", "code": "code"}


def place_in_tree(tree: Tree, offset: int) -> Place:
    return Cursor(tree, offset).place()


class Cursor:
    """One offset in one tree. Also the `Lexis` of that tree."""

    def __init__(self, tree: Tree, offset: int) -> None:
        self._text = tree.text
        self._source = tree.text.source
        self._encoded = tree._encoded
        self._root = tree._tree.root_node
        self._query = tree._grammar.places
        self._layout = layout_of(tree.language_id)
        self._offset = offset

    def place(self) -> Place:
        kind = self.kind_at(self._offset)
        opener = self._opener() if kind == "code" else None
        if self._sound:
            return place_at(kind, self._offset, opener, self._enclosing(opener))
        return place_at(kind, self._offset, opener, surroundings(self._text, self._layout, self, opener, self._offset))

    # What is a string, a comment, a token

    def kind_at(self, offset: int) -> Kind:
        """What `offset` is strictly inside of; behind a line comment is inside."""
        kind: Kind = "code"
        smallest = len(self._encoded.data) + 1
        byte = self._encoded.byte_at(offset)
        for captures in self._captures(offset - 1, offset + 1):
            for name in captures.keys() & _ENCLOSED.keys():
                node = captures[name][0]
                at_end = byte == node.end_byte and (name == "line_comment" or self._is_open_comment(name, node))
                if not node.start_byte < byte < node.end_byte and not at_end:
                    continue
                if node.end_byte - node.start_byte < smallest:
                    smallest, kind = node.end_byte - node.start_byte, _ENCLOSED[name]
        if kind == "code" and self._root.has_error:
            return self._unclosed_kind(offset)
        return kind

    def is_code(self, offset: int) -> bool:
        return self._comment_from(offset) is None and self.kind_at(offset) == "code"

    def skip_back(self, offset: int) -> int:
        while True:
            end = len(self._source[self._text.line_start(self._text.line_at(offset)) : offset].rstrip())
            end += self._text.line_start(self._text.line_at(offset))
            at_line_start = end == self._text.line_start(self._text.line_at(offset))
            if at_line_start and end > 0:
                offset = end - 1
                continue
            comment = self._comment_around(end - 1) if end else None
            if comment is None:
                return end
            offset = self._encoded.offset_at(comment.start_byte)

    def skip_ahead(self, offset: int) -> int:
        while True:
            match = _SPACE.match(self._source, offset)
            offset = match.end() if match else offset
            comment = self._comment_from(offset)
            if comment is None:
                return offset
            offset = max(self._encoded.offset_at(comment.end_byte), offset + 1)

    def _unclosed_kind(self, offset: int) -> Kind:
        """Inside of a string that was opened before `offset` and not closed: the tree has only an error there."""
        line_start = self._text.line_start(self._text.line_at(offset))
        opened: list[tuple[int, Kind]] = []
        for captures in self._captures(line_start, offset):
            opened += self._openings(captures, offset)
        for mark in ('"""', "'''", "`"):
            at = self._source.rfind(mark, 0, offset)
            if 0 <= at < line_start:
                for captures in self._captures(at, at + len(mark)):
                    opened += self._openings(captures, offset)
        return max(opened, default=(0, "code"))[1]  # type: ignore[return-value]

    def _openings(self, captures: Captures, offset: int) -> list[tuple[int, Kind]]:
        ...

    def _captures(self, start: int, end: int) -> list[Captures]:
        """The matches of the query that touch `start..end`."""
        cursor = tree_sitter.QueryCursor(self._query)
        first = self._encoded.byte_at(max(start, 0))
        cursor.set_byte_range(first, max(self._encoded.byte_at(min(end, len(self._source))), first + 1))
        return [captures for _, captures in cursor.matches(self._root)]
