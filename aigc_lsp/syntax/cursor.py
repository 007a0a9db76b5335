"""The place of a cursor in a tree.

The tree says what is a string and what a comment. Scope and block come from the tree where it is sound
around the cursor, and from the layout of lines (`lines.py`) where an error may have cost it the function
that the cursor is in: `def f():` above an unfinished statement is often recovered as an error beside an
empty block.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import tree_sitter

from aigc_lsp.syntax.definitions import Captures, definition_at, name_span
from aigc_lsp.syntax.layouts import layout_of
from aigc_lsp.syntax.lines import (
    LineLexis,
    awaits_body,
    begins_scope,
    opener_on_line,
    place_at,
    place_without_tree,
    scopes_by_lines,
    surroundings,
)
from aigc_lsp.syntax.place import Block, Kind, Opener, Place, ScopeKind, Surroundings, indent_at, indent_of, width
from aigc_lsp.syntax.quotes import REACH, quotes_of, unclosed
from aigc_lsp.syntax.symbols import Definition
from aigc_lsp.text import Span

if TYPE_CHECKING:
    from aigc_lsp.syntax.tree import Tree

_SPACE = re.compile(r"\s*")
_KINDS: dict[str, Kind] = {"string": "string", "comment": "comment", "line_comment": "comment", "code": "code"}
_COMMENTS = ("comment", "line_comment")
_LITERALS = ("string", "comment", "line_comment", "text")
_SCOPES: dict[str, ScopeKind] = {"class": "class", "module": "class", "function": "function", "method": "function"}

# From here on, reading an error takes longer than typing: a query is quadratic in its direct children.
_RUBBLE = 800
# Comments that are passed over between a header and its body: of a thousand lines of them, no more.
_MAX_COMMENTS = 64
# Bytes before a definition's name and behind it in which its decorators, its doc comment and the rest of its header
# are looked for.
_LEAD, _HEAD = 4000, 2000


def place_in_tree(tree: Tree, offset: int) -> Place:
    """The place of an offset inside the text."""
    if is_rubble(tree, offset):
        return place_without_tree(tree.text, offset, tree.language_id)
    return Cursor(tree, offset).place()


def scopes_in_tree(tree: Tree, offset: int) -> tuple[Definition, ...]:
    """The definitions that enclose an offset inside the text, outermost first."""
    if is_rubble(tree, offset):
        layout = layout_of(tree.language_id)
        return scopes_by_lines(tree.text, layout, LineLexis(tree.text, layout), None, offset)
    return Cursor(tree, offset).definitions()


def is_rubble(tree: Tree, offset: int) -> bool:
    """Whether the text around `offset` is one large error."""
    walk = tree.root.walk()
    if walk.goto_first_child_for_byte(tree.encoded.byte_at(offset)) is None or walk.node is None:
        walk.goto_last_child()
    return any(node is not None and node.is_error and node.child_count > _RUBBLE for node in (tree.root, walk.node))


class Cursor:
    """One offset in one tree. Also the `Lexis` of that tree."""

    def __init__(self, tree: Tree, offset: int) -> None:
        self._tree = tree
        self._text = tree.text
        self._source = tree.text.source
        self._encoded = tree.encoded
        self._root = tree.root
        self._query = tree.grammar.places
        self._language_id = tree.language_id
        self._layout = layout_of(tree.language_id)
        self._offset = offset
        self._unclosed = offset
        self._before = self.skip_back(offset)

    def place(self) -> Place:
        kind = self._kind()
        opener = self._opener() if kind == "code" else None
        if self.is_sound:
            around = self._surroundings(opener)
        else:
            around = surroundings(self._text, self._layout, self, opener, self._offset)
        return place_at(kind, self._offset, opener, around)

    def definitions(self) -> tuple[Definition, ...]:
        """The definitions around the cursor, outermost first."""
        opener = self._opener() if self._kind() == "code" else None
        if self.is_sound:
            names = [name_span(captures)[0] for captures, _ in self._scopes(opener)]
            return tuple(found for at in names if (found := self._definition(at)) is not None)
        return tuple(
            self._completed(found) for found in scopes_by_lines(self._text, self._layout, self, opener, self._offset)
        )

    def _completed(self, by_lines: Definition) -> Definition:
        """With what the tree says about the same header, where it has it."""
        at = self._source.find(by_lines.name, by_lines.header.start, by_lines.header.end)
        found = self._definition(self._encoded.byte_at(at)) if at >= 0 else None
        if found is None or found.span.start > by_lines.header.start:
            return by_lines
        span = Span(found.span.start, by_lines.span.end)
        return replace(by_lines, span=span, header=found.header, doc=found.doc)

    def _definition(self, name: int) -> Definition | None:
        """The definition whose name begins at that byte, from what stands around its header."""
        cursor = tree_sitter.QueryCursor(self._tree.grammar.definitions)
        cursor.set_byte_range(max(name - _LEAD, 0), min(name + _HEAD, len(self._encoded.data)))
        return definition_at(cursor.matches(self._root), self._encoded, name)

    # Strings, comments, tokens

    def _kind(self) -> Kind:
        """What the cursor is strictly inside of; behind a line comment is inside."""
        found = self._innermost(self._offset)
        kind = "code" if found is None else _KINDS[found[0]]
        if not self._root.has_error or kind == "string":
            return kind
        if found is None or kind == "code":
            return self._unclosed_kind(self._offset)
        # What looks like a comment in a string that is not closed: the `//` of an address.
        begin = self._encoded.offset_at(found[1].start_byte)
        return "string" if self._unclosed_kind(begin) == "string" else kind

    def code_from(self, offset: int) -> int:
        if self._unclosed < offset < self._offset:
            return self._offset
        found = self._innermost(offset, begins=_COMMENTS)
        if found is None or _KINDS[found[0]] == "code":
            return offset
        return max(self._encoded.offset_at(found[1].end_byte), offset + 1)

    def _innermost(self, offset: int, begins: Collection[str] = ()) -> tuple[str, tree_sitter.Node] | None:
        """The smallest string, comment, or code in a string around `offset`; or a capture of `begins` that begins
        there."""
        around, byte = [], self._encoded.byte_at(offset)
        for name, node in self._named(_KINDS, offset - 1, offset + 1):
            start, end = node.start_byte, node.end_byte
            inside = start < byte or (start == byte and name in begins)
            if byte == end and (self._goes_on(node) if name == "string" else name == "line_comment"):
                end += self._source[offset - 1] not in "\r\n" or name == "string"
            if inside and byte < end:
                around.append((end - start, name, node))
        if not around:
            return None
        around.sort(key=lambda found: found[0])
        # There is no comment in a string: an error made the parser see one.
        is_string = len(around) > 1 and around[0][1] in _COMMENTS and around[1][1] == "string"
        return around[is_string][1:]

    def _goes_on(self, node: tree_sitter.Node) -> bool:
        """Whether a here document has no end but that of the text."""
        if node.end_byte < len(self._encoded.data) or not node.child_count:
            return False
        last = node.child(node.child_count - 1)
        return last is not None and last.start_byte == last.end_byte

    def skip_back(self, offset: int) -> int:
        comments = 0
        while offset > 0:
            line_start = self._text.line_start(self._text.line_at(offset))
            end = line_start + len(self._source[line_start:offset].rstrip())
            if end == line_start:
                offset = line_start - 1
            elif comments < _MAX_COMMENTS and (comment := self._comment_at(end - 1)):
                offset = self._encoded.offset_at(comment.start_byte)
                comments += 1
            else:
                return end
        return 0

    def skip_ahead(self, offset: int) -> int:
        for _ in range(_MAX_COMMENTS):
            match = _SPACE.match(self._source, offset)
            offset = match.end() if match else offset
            comment = self._comment_at(offset, begins=True)
            if comment is None:
                break
            offset = self._encoded.offset_at(comment.end_byte)
        return offset

    def _comment_at(self, offset: int, begins: bool = False) -> tree_sitter.Node | None:
        """The comment that holds, or `begins` with, the character at `offset`."""
        byte = self._encoded.byte_at(offset)
        for _, node in self._named(_COMMENTS, offset, offset + 1):
            if node.start_byte <= byte < node.end_byte and not (begins and node.start_byte != byte):
                return node
        return None

    def _unclosed_kind(self, offset: int) -> Kind:
        """What code by the tree is where a comment or string may be open and never closed: an error to the tree."""
        start = self._text.line_start(self._text.line_at(max(offset - REACH, 0)))
        known = sorted(
            (self._encoded.offset_at(node.start_byte), self._encoded.offset_at(node.end_byte))
            for _, node in self._named(_LITERALS, start, offset)
            if not node.has_error and node.start_byte < self._encoded.byte_at(offset)
        )
        if self._layout.block_comment is not None:
            begin, end = self._layout.block_comment
            at = self._source.rfind(begin, start, offset)
            is_open = at >= 0 and self._source.find(end, at + len(begin), offset) < 0
            if is_open and not any(low <= at < high for low, high in known):
                return "comment"
        found = unclosed(self._source, start, offset, quotes_of(self._language_id), known)
        if found is None:
            return "code"
        self._unclosed, inside = found
        return inside

    # Openers, scopes, blocks

    @cached_property
    def is_sound(self) -> bool:
        """Whether there is no error in the top-level nodes around the cursor."""
        if self._root.is_error:
            return False
        for offset in (max(self._before - 1, 0), self._offset):
            # Not `Node.first_child_for_byte`: in py-tree-sitter 0.26 it crashes where there is no such child.
            walk = self._root.walk()
            if walk.goto_first_child_for_byte(self._encoded.byte_at(offset)) is None or walk.node is None:
                continue
            node = walk.node
            if any(near is not None and near.has_error for near in (node.prev_sibling, node, node.next_sibling)):
                return False
        return True

    def _opener(self) -> Opener | None:
        """The opener whose body is to be written at the cursor."""
        opener = self._opener_ending_at(self._before) or self._opener_above_docstring()
        awaits = opener and awaits_body(
            self._text, self._layout, self, opener, self._offset, unclosed=self._root.has_error
        )
        return opener if awaits else None

    def _opener_ending_at(self, end: int) -> Opener | None:
        byte = self._encoded.byte_at(end)
        for captures in self._captures(end - 1, end):
            if "open" in captures and captures["open"][0].end_byte == byte:
                header = captures.get("header", captures["open"])[0]
                return Opener(end, self._indent_at(header.start_byte))
        return None if self.is_sound else opener_on_line(self._text, self._layout, end)

    def _opener_above_docstring(self) -> Opener | None:
        """The header of a class or function with nothing but a docstring, above the cursor's line."""
        text, line = self._text, self._text.line_at(self._offset)
        if not self._layout.is_indented or self._before >= text.line_start(line):
            return None
        byte = self._encoded.byte_at(self._before)
        for _, node in self._named(("string",), self._before - 1, self._before):
            start = self._encoded.offset_at(node.start_byte)
            header_end = self.skip_back(start)
            if node.end_byte != byte or header_end >= text.line_start(text.line_at(start)):
                continue
            opener = self._opener_ending_at(header_end)
            if opener is None or not begins_scope(self._layout, text.line(text.line_at(header_end))):
                continue
            column = width(indent_of(text.source[text.line_start(line) : self._offset]))
            # Behind a docstring a body is not due: further down, at the margin, something else is written.
            if column > width(opener.indent) or line == text.line_at(self._before) + 1:
                return opener
        return None

    def _surroundings(self, opener: Opener | None) -> Surroundings:
        """Scope and block by the tree."""
        byte = self._byte_of(opener)
        blocks: list[tuple[int, int, int]] = []
        for captures in self._near:
            if "open" in captures:
                start, end = captures["open"][0].end_byte, captures["block"][0].end_byte
                header = captures.get("header", captures["open"])[0].start_byte
                if start <= byte and self._reaches(header, end, byte):
                    blocks.append((start, end, header))
        block = None
        if blocks:
            _, end, header = max(blocks)
            block = Block(self._encoded.offset_at(end), self._indent_at(header))
        scope = (
            (self._content(*name_span(captures)[:2]).strip("\"'"), kind) for captures, kind in self._scopes(opener)
        )
        return Surroundings(tuple(scope), block)

    def _scopes(self, opener: Opener | None) -> list[tuple[Captures, ScopeKind]]:
        """The classes and functions around the cursor by the tree, outermost first."""
        byte = self._byte_of(opener)
        found: list[tuple[int, Captures, ScopeKind]] = []
        for captures in self._near:
            for name in captures.keys() & _SCOPES.keys():
                node = captures[name][0]
                if node.start_byte < byte and self._reaches(node.start_byte, node.end_byte, byte):
                    found.append((node.start_byte, captures, _SCOPES[name]))
        return [(captures, kind) for _, captures, kind in sorted(found, key=lambda scope: scope[0])]

    @cached_property
    def _near(self) -> list[Captures]:
        return self._captures(self._before - 1, self._offset + 1)

    def _byte_of(self, opener: Opener | None) -> int:
        """The byte that blocks and scopes must hold: that of the opener, or of the cursor.

        Behind a line's last token it is that token's end, since a body told by indentation ends there.
        """
        if opener is not None:
            return self._encoded.byte_at(opener.end)
        same_line = self._before >= self._text.line_start(self._text.line_at(self._offset))
        return self._encoded.byte_at(self._before if same_line and self._layout.is_indented else self._offset)

    def _reaches(self, start: int, end: int, byte: int) -> bool:
        """Whether what begins at byte `start` and ends at byte `end` still holds the cursor at `byte`.

        Where indentation tells the end of a block, a line without code below it goes on with the block if it is
        indented deeper than the block's header.
        """
        if byte < end:
            return True
        if byte == end and not self._layout.is_closed(self._source, self._encoded.offset_at(end)):
            return True
        line = self._text.line_at(self._offset)
        line_start, line_end = self._text.line_start(line), self._text.line_end(line)
        if not self._layout.is_indented or self._before >= line_start or self.skip_ahead(line_start) < line_end:
            return False
        column = width(indent_of(self._source[line_start : self._offset]))
        return self._encoded.byte_at(self._before) <= end and column > width(self._indent_at(start))

    def _indent_at(self, byte: int) -> str:
        """The indentation of the line that holds `byte`."""
        return indent_at(self._text, self._text.line_at(self._encoded.offset_at(byte)))

    # Queries

    def _content(self, start: int, end: int) -> str:
        return self._encoded.data[start:end].decode()

    def _named(self, names: Collection[str], start: int, end: int) -> Iterator[tuple[str, tree_sitter.Node]]:
        """The captures of these names that touch `start..end`."""
        for captures in self._captures(start, end):
            for name in captures.keys() & set(names):
                for node in captures[name]:
                    yield name, node

    def _captures(self, start: int, end: int) -> list[Captures]:
        """The matches of the query that touch `start..end`."""
        cursor = tree_sitter.QueryCursor(self._query)
        first = self._encoded.byte_at(max(start, 0))
        cursor.set_byte_range(first, max(self._encoded.byte_at(min(end, len(self._source))), first + 1))
        return [captures for _, captures in cursor.matches(self._root)]
