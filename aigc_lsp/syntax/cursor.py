"""The place of a cursor in a tree.

The tree says what is a string and what a comment. Scope and block come from the tree where it is sound
around the cursor, and from the layout of lines (`lines.py`) where an error may have cost it the function
that the cursor is in: `def f():` above an unfinished statement is often recovered as an error beside an
empty block.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import tree_sitter

from aigc_lsp.syntax.lines import (
    awaits_body,
    begins_scope,
    layout_of,
    opener_on_line,
    place_at,
    place_without_tree,
    surroundings,
)
from aigc_lsp.syntax.place import Block, Kind, Opener, Place, ScopeKind, Surroundings, indent_at, indent_of, width

if TYPE_CHECKING:
    from aigc_lsp.syntax.tree import Tree

Captures = dict[str, list[tree_sitter.Node]]

_SPACE = re.compile(r"\s*")
_KINDS: dict[str, Kind] = {
    "string": "string",
    "comment": "comment",
    "line_comment": "comment",
    "code": "code",
}
_COMMENTS = ("comment", "line_comment")
_SCOPES: tuple[ScopeKind, ...] = ("class", "function")
# Strings that may go on over lines begin with one of these.
_LONG_MARKS = ('"""', "'''", "`")

# From here on, reading an error takes longer than typing: a query is quadratic in its direct children.
_RUBBLE = 800
# How far back an unclosed string is looked for: a minified file is a single line.
_REACH = 4000
# Strings that code can be written inside of.
_INTERPOLATES = re.compile(r"[rR]*[fFtT]|`")


def place_in_tree(tree: Tree, offset: int) -> Place:
    """The place of an offset inside the text."""
    if _is_rubble(tree, offset):
        return place_without_tree(tree.text, offset, tree.language_id)
    return Cursor(tree, offset).place()


class Cursor:
    """One offset in one tree. Also the `Lexis` of that tree."""

    def __init__(self, tree: Tree, offset: int) -> None:
        self._text = tree.text
        self._source = tree.text.source
        self._encoded = tree.encoded
        self._root = tree.root
        self._query = tree.grammar.places
        self._layout = layout_of(tree.language_id)
        self._offset = offset
        self._before = self.skip_back(offset)

    def place(self) -> Place:
        kind = self.kind_at(self._offset)
        opener = self._opener() if kind == "code" else None
        if self._sound:
            around = self._surroundings(opener)
        else:
            around = surroundings(self._text, self._layout, self, opener, self._offset)
        return place_at(kind, self._offset, opener, around)

    # Strings, comments, tokens

    def kind_at(self, offset: int) -> Kind:
        """What `offset` is strictly inside of; behind a line comment is inside."""
        kind: Kind = "code"
        smallest, byte = len(self._encoded.data) + 1, self._encoded.byte_at(offset)
        for name, node in self._named(_KINDS, offset - 1, offset + 1):
            inside = node.start_byte < byte < node.end_byte or (name == "line_comment" and byte == node.end_byte)
            if inside and node.end_byte - node.start_byte < smallest:
                smallest, kind = node.end_byte - node.start_byte, _KINDS[name]
        if self._root.has_error and kind != "comment":
            return self._unclosed_kind(offset, kind)
        return kind

    def is_code(self, offset: int) -> bool:
        return self._comment_at(offset, begins=True) is None and self.kind_at(offset) == "code"

    def skip_back(self, offset: int) -> int:
        while offset > 0:
            line_start = self._text.line_start(self._text.line_at(offset))
            end = line_start + len(self._source[line_start:offset].rstrip())
            if end == line_start:
                offset = line_start - 1
            elif comment := self._comment_at(end - 1):
                offset = self._encoded.offset_at(comment.start_byte)
            else:
                return end
        return 0

    def skip_ahead(self, offset: int) -> int:
        while True:
            match = _SPACE.match(self._source, offset)
            offset = match.end() if match else offset
            comment = self._comment_at(offset, begins=True)
            if comment is None:
                return offset
            offset = self._encoded.offset_at(comment.end_byte)

    def _comment_at(self, offset: int, begins: bool = False) -> tree_sitter.Node | None:
        """The comment that holds, or `begins` with, the character at `offset`."""
        byte = self._encoded.byte_at(offset)
        for _, node in self._named(_COMMENTS, offset, offset + 1):
            if node.start_byte <= byte < node.end_byte and not (begins and node.start_byte != byte):
                return node
        return None

    def _unclosed_kind(self, offset: int, kind: Kind) -> Kind:
        """As `kind_at`, where a string or comment may be open and never closed: an error to the tree."""
        if self._in_unclosed_comment(offset):
            return "comment"
        if kind != "code":
            return kind
        line_start = self._text.line_start(self._text.line_at(offset))
        opened = self._unclosed_openings(line_start, offset)
        for mark in _LONG_MARKS:
            at = self._source.rfind(mark, 0, line_start)
            # The last such mark is closed, or it is the one; only then is what follows it looked at.
            if at >= 0 and self._unclosed_openings(at, at + len(mark)):
                opened |= {(o, t) for o, t in self._unclosed_openings(at, offset) if o == at or not _is_quote(t)}
        inside: str | None = None
        for _, token in sorted(opened):
            if _is_quote(token):
                inside = token
            elif inside is not None and _INTERPOLATES.match(inside):
                inside = None
        return "code" if inside is None else "string"

    def _unclosed_openings(self, start: int, end: int) -> set[tuple[int, str]]:
        """(offset, token) of what opens a string, or code in one, within `start..end` and is never closed."""
        start = max(start, end - _REACH)
        tokens, closed = {}, set()
        for name, node in self._named(("open.string", "open.code", "string", "code"), start, end):
            if name.startswith("open"):
                tokens[node.start_byte] = node
            else:
                closed |= {node.start_byte, node.end_byte}
        return {
            (at, self._content(node))
            for byte, node in tokens.items()
            if byte not in closed
            and node.end_byte not in closed
            and start <= (at := self._encoded.offset_at(byte))
            and self._encoded.offset_at(node.end_byte) <= end
        }

    def _in_unclosed_comment(self, offset: int) -> bool:
        if self._layout.block_comment is None:
            return False
        begin, end = self._layout.block_comment
        at = self._source.rfind(begin, 0, offset)
        if at < 0 or self._source.find(end, at + len(begin), offset) >= 0:
            return False
        byte = self._encoded.byte_at(at)
        return not any(node.start_byte < byte < node.end_byte for _, node in self._named(_KINDS, at, at + 1))

    # Openers, scopes, blocks

    @cached_property
    def _sound(self) -> bool:
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
        return None if self._sound else opener_on_line(self._text, self._layout, end)

    def _opener_above_docstring(self) -> Opener | None:
        """The header of a class or function with nothing but a docstring, above the cursor's line."""
        text, line = self._text, self._text.line_at(self._offset)
        if self._layout.closers or self._before >= text.line_start(line):
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
        byte = self._encoded.byte_at(self._probe() if opener is None else opener.end)
        scopes: list[tuple[int, str, ScopeKind]] = []
        blocks: list[tuple[int, int, int]] = []
        for captures in self._captures(self._before - 1, self._offset + 1):
            if "open" in captures:
                start, end = captures["open"][0].end_byte, captures["block"][0].end_byte
                header = captures.get("header", captures["open"])[0].start_byte
                if start <= byte and self._reaches(header, end, byte):
                    blocks.append((start, end, header))
                continue
            for kind in _SCOPES:
                for node in captures.get(kind, ()):
                    if node.start_byte < byte and self._reaches(node.start_byte, node.end_byte, byte):
                        scopes.append((node.start_byte, self._content(captures["name"][0]).strip("\"'"), kind))
        block = None
        if blocks:
            start, end, header = max(blocks)
            block = Block(self._encoded.offset_at(start), self._encoded.offset_at(end), self._indent_at(header))
        return Surroundings(tuple((name, kind) for _, name, kind in sorted(scopes)), block)

    def _probe(self) -> int:
        """The cursor; behind a line's last token, that token's end, since a body told by indentation ends there."""
        same_line = self._before >= self._text.line_start(self._text.line_at(self._offset))
        return self._before if same_line and not self._layout.closers else self._offset

    def _reaches(self, start: int, end: int, byte: int) -> bool:
        """Whether what begins at byte `start` and ends at byte `end` still holds the cursor at `byte`.

        Where indentation tells the end of a block, a line without code below it goes on with the block if it is
        indented deeper than the block's header.
        """
        if byte < end:
            return True
        if byte == end and self._source[self._encoded.offset_at(end) - 1] not in self._layout.closers:
            return True
        line = self._text.line_at(self._offset)
        line_start, line_end = self._text.line_start(line), self._text.line_end(line)
        if self._layout.closers or self._before >= line_start or self.skip_ahead(line_start) < line_end:
            return False
        column = width(indent_of(self._source[line_start : self._offset]))
        return self._encoded.byte_at(self._before) <= end and column > width(self._indent_at(start))

    def _indent_at(self, byte: int) -> str:
        """The indentation of the line that holds `byte`."""
        return indent_at(self._text, self._text.line_at(self._encoded.offset_at(byte)))

    # Queries

    def _content(self, node: tree_sitter.Node) -> str:
        return self._encoded.data[node.start_byte : node.end_byte].decode()

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


def _is_rubble(tree: Tree, offset: int) -> bool:
    """Whether the text around `offset` is one large error."""
    walk = tree.root.walk()
    if walk.goto_first_child_for_byte(tree.encoded.byte_at(offset)) is None or walk.node is None:
        walk.goto_last_child()
    return any(node is not None and node.is_error and node.child_count > _RUBBLE for node in (tree.root, walk.node))


def _is_quote(token: str) -> bool:
    return token[-1] in "\"'`"
