"""A syntax tree of one text, and how it follows edits.

Contract
    `parse` and `Tree.edit` never raise: None says that there is no tree (no grammar, a text too large, or
    whatever else goes wrong), and every caller can do without one. Offsets are code points here as
    everywhere; bytes stay inside.

Invariants
    A `Tree` is a snapshot: it holds its text and never changes, so it may be read while newer ones are
    made. `edit` works on a copy. After an error, a tree that followed edits may be recovered differently
    from one parsed anew; both are trees of exactly the same text.
"""

from __future__ import annotations

from collections.abc import Sequence

import tree_sitter

from aigc_lsp.syntax.cursor import place_in_tree
from aigc_lsp.syntax.encoded import Encoded
from aigc_lsp.syntax.grammar import Grammar, grammar
from aigc_lsp.syntax.place import Place
from aigc_lsp.text import Edit, Text

MAX_BYTES = 2_000_000
# Each edit costs a copy of the text; from here on parsing anew is cheaper.
_MAX_EDITS = 32


def parse(language_id: str, text: Text) -> Tree | None:
    """The tree of `text`, or None."""
    try:
        found = grammar(language_id)
        if found is None or len(text) > MAX_BYTES:
            return None
        encoded = Encoded(text.source)
        if len(encoded.data) > MAX_BYTES:
            return None
        return Tree(found, language_id, text, encoded, tree_sitter.Parser(found.language).parse(encoded.data))
    except Exception:  # a missing wheel, an incompatible grammar, a lone surrogate: no tree, as promised
        return None


class Tree:
    """An immutable syntax tree of `text`."""

    __slots__ = ("_tree", "encoded", "grammar", "language_id", "text")

    def __init__(
        self, grammar: Grammar, language_id: str, text: Text, encoded: Encoded, tree: tree_sitter.Tree
    ) -> None:
        self.language_id = language_id
        self.text = text
        self.grammar = grammar
        self.encoded = encoded
        self._tree = tree

    def __repr__(self) -> str:
        return f"Tree({self.language_id}, {self.text!r})"

    @property
    def root(self) -> tree_sitter.Node:
        """tree-sitter's own tree, in bytes: for this package only."""
        return self._tree.root_node

    @property
    def has_errors(self) -> bool:
        return self._tree.root_node.has_error

    def edit(self, edits: Sequence[Edit], new_text: Text) -> Tree | None:
        """The tree of `new_text`, which `edits` lead to, each in terms of the text after those before it."""
        if len(edits) > _MAX_EDITS or len(new_text) > MAX_BYTES:
            return parse(self.language_id, new_text)
        try:
            return self._reparse(edits, new_text)
        except Exception:  # as in `parse`
            return None

    def place(self, offset: int) -> Place:
        """What surrounds `offset`; one outside the text counts as its nearest end."""
        return place_in_tree(self, min(max(offset, 0), len(self.text)))

    def sexp(self) -> str:
        """The tree as an s-expression, for tests."""
        return str(self._tree.root_node)

    def _reparse(self, edits: Sequence[Edit], new_text: Text) -> Tree | None:
        tree, encoded = self._tree.copy(), self.encoded
        for edit in edits:
            start, end = edit.span.start, edit.span.end
            before, after = encoded, Encoded(encoded.source[:start] + edit.new_text + encoded.source[end:])
            new_end = start + len(edit.new_text)
            tree.edit(
                start_byte=before.byte_at(start),
                old_end_byte=before.byte_at(end),
                new_end_byte=after.byte_at(new_end),
                start_point=before.point_at(start),
                old_end_point=before.point_at(end),
                new_end_point=after.point_at(new_end),
            )
            encoded = after
        if encoded.source != new_text.source or len(encoded.data) > MAX_BYTES:
            return parse(self.language_id, new_text)
        parsed = tree_sitter.Parser(self.grammar.language).parse(encoded.data, tree)
        return Tree(self.grammar, self.language_id, new_text, encoded, parsed)
