"""A syntax tree of one text, and how it follows edits.

Contract
    `parse` and `Tree.edit` never raise: None says that there is no tree (no grammar, a text too large, a
    budget that ran out, or whatever else goes wrong), and every caller can do without one. Offsets are code
    points here as everywhere; bytes stay inside.

Invariants
    A `Tree` is a snapshot: it holds its text and never changes, so it may be read while newer ones are
    made. `edit` works on a copy. After an error, a tree that followed edits may be recovered differently
    from one parsed anew; both are trees of exactly the same text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property

import tree_sitter

from aigc_lsp.syntax.cursor import place_in_tree, scopes_in_tree
from aigc_lsp.syntax.definitions import definitions
from aigc_lsp.syntax.encoded import Encoded
from aigc_lsp.syntax.faults import faults
from aigc_lsp.syntax.grammar import Grammar, grammar
from aigc_lsp.syntax.imports import imports
from aigc_lsp.syntax.place import Place
from aigc_lsp.syntax.symbols import Definition, Import, Symbols, Use
from aigc_lsp.syntax.uses import uses
from aigc_lsp.text import Edit, Span, Text

MAX_BYTES = 2_000_000
# Each edit costs a copy of the text; from here on parsing anew is cheaper.
_MAX_EDITS = 32
# What the parser is given at once. It asks again wherever it goes on after something it can reuse.
_CHUNK = 1 << 16
# Imports further inside than this (a function in a method in a class) are left out of `Tree.imports`.
_IMPORT_DEPTH = 5

_MAY_IMPORT = re.compile(
    r"\b(?:import|from|include|require\w*|use|using|mod|source|package|namespace|export)\b|^\s*\.\s"
)
_MAY_HIDE = re.compile(r"[/*`\"'#=]")
_FOLLOWS = re.compile(r"\s*\S?")

# Direct children of an error. From here on a query, which is quadratic in them, takes seconds.
_MAX_IN_ERROR = 20_000

GoOn = Callable[[], bool]
"""Asked some thousand times a second while a text is parsed; False ends it. In pathological text a quarter of a second
can pass between two questions."""


def parse(language_id: str, text: Text, go_on: GoOn | None = None) -> Tree | None:
    """The tree of `text`, or None, also where `go_on` said so."""
    try:
        found = grammar(language_id)
        if found is None or len(text) > MAX_BYTES:
            return None
        encoded = Encoded(text.source)
        if len(encoded.data) > MAX_BYTES:
            return None
        return Tree(found, language_id, text, encoded, _parsed(found, encoded, None, go_on))
    except Exception:  # a missing wheel, an incompatible grammar, a lone surrogate, time: no tree, as promised
        return None


def symbols_of(language_id: str, text: Text, go_on: GoOn | None = None) -> Symbols:
    """What a file defines and imports; nothing without a tree. Never raises."""
    tree = parse(language_id, text, go_on)
    return Symbols((), ()) if tree is None else tree.symbols()


class Tree:
    """An immutable syntax tree of `text`."""

    def __init__(
        self, grammar: Grammar, language_id: str, text: Text, encoded: Encoded, tree: tree_sitter.Tree
    ) -> None:
        self.language_id = language_id
        self.text = text
        self.grammar = grammar
        self.encoded = encoded
        self._tree = tree
        self._scopes: tuple[int, tuple[Definition, ...]] = -1, ()
        """The last answer of `scopes`: a key asks for the same place several times."""

    def __repr__(self) -> str:
        return f"Tree({self.language_id}, {self.text!r})"

    @property
    def root(self) -> tree_sitter.Node:
        """tree-sitter's own tree, in bytes: for this package only."""
        return self._tree.root_node

    @property
    def has_errors(self) -> bool:
        return self._tree.root_node.has_error

    def edit(self, edits: Sequence[Edit], new_text: Text, go_on: GoOn | None = None) -> Tree | None:
        """The tree of `new_text`, which `edits` lead to, each in terms of the text after those before it."""
        if len(edits) > _MAX_EDITS or len(new_text) > MAX_BYTES:
            return parse(self.language_id, new_text, go_on)
        try:
            return self._reparse(edits, new_text, go_on)
        except Exception:  # as in `parse`
            return None

    def faults(self) -> tuple[Span, ...] | None:
        """Errors and missing tokens, outer ones first; a missing token has no length. None where there are too many."""
        found = faults(self.root)
        at = self.encoded.offset_at
        return None if found is None else tuple(Span(at(start), at(end)) for start, end in found)

    def place(self, offset: int) -> Place:
        """What surrounds `offset`; one outside the text counts as its nearest end."""
        return place_in_tree(self, self._within(offset))

    def scopes(self, offset: int) -> tuple[Definition, ...]:
        """The definitions that enclose `offset`, outermost first.

        They are those of `Place.scope`, and modules. Where an error may have cost the tree some of them they are read
        off the layout of lines: without body and doc, and with the line that names them as their header.
        """
        offset = self._within(offset)
        if self._scopes[0] != offset:
            self._scopes = offset, scopes_in_tree(self, offset)
        return self._scopes[1]

    def definitions(self) -> tuple[Definition, ...]:
        """All definitions, in order of place. Some milliseconds for thousands of lines, once for each tree."""
        return self._definitions

    def imports(self) -> tuple[Import, ...]:
        """All imports but those deep in functions, in order of place. Much cheaper than `definitions`."""
        return self._imports

    def identifiers(self, start: int, end: int) -> tuple[Use, ...]:
        """The names used in `start..end`, in order of place; none in comments and strings, none where it is given."""
        start, end = self._within(start), self._within(end)
        if start >= end or not self.is_legible:
            return ()
        cursor = tree_sitter.QueryCursor(self.grammar.names)
        cursor.set_byte_range(self.encoded.byte_at(start), self.encoded.byte_at(end))
        return uses(cursor.matches(self.root), self.encoded, start, end)

    def symbols(self) -> Symbols:
        """All that an index keeps of the text."""
        return Symbols(self.definitions(), self.imports())

    def sexp(self) -> str:
        """The tree as an s-expression, for tests."""
        return str(self._tree.root_node)

    @cached_property
    def is_legible(self) -> bool:
        """Whether the whole tree can be asked: it is not one huge error."""
        errors = (self.root, *self.root.children) if self.root.has_error else ()
        return not any(node.is_error and node.child_count > _MAX_IN_ERROR for node in errors)

    @cached_property
    def _definitions(self) -> tuple[Definition, ...]:
        if not self.is_legible:
            return ()
        matches = tree_sitter.QueryCursor(self.grammar.definitions).matches(self.root)
        return definitions(matches, self.encoded)

    @cached_property
    def _imports(self) -> tuple[Import, ...]:
        if not self.is_legible:
            return ()
        cursor = tree_sitter.QueryCursor(self.grammar.imports)
        cursor.set_max_start_depth(_IMPORT_DEPTH)
        return imports(cursor.matches(self.root), self.encoded, self.language_id)

    def _within(self, offset: int) -> int:
        return min(max(offset, 0), len(self.text))

    def _reparse(self, edits: Sequence[Edit], new_text: Text, go_on: GoOn | None) -> Tree | None:
        tree, encoded = self._tree.copy(), self.encoded
        for edit in edits:
            start, end = edit.span.start, edit.span.end
            before, after = encoded, encoded.replaced(start, end, edit.new_text)
            # Told to reach into what follows, the edit has the parser look into the next statement. Else it may take
            # that for none that it can use (Python's line ends have no width, so it begins where the edit ends), and
            # so with each to the end of the file.
            reach = _FOLLOWS.match(before.source, end)
            new_end = start + len(edit.new_text)
            if reach is not None:
                end, new_end = reach.end(), new_end + reach.end() - end
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
            return parse(self.language_id, new_text, go_on)
        found = Tree(self.grammar, self.language_id, new_text, encoded, _parsed(self.grammar, encoded, tree, go_on))
        if "_imports" in self.__dict__ and not self.has_errors and self._imports_stay(edits, new_text):
            found.__dict__["_imports"] = self._imports
        return found

    def _imports_stay(self, edits: Sequence[Edit], new_text: Text) -> bool:
        """Whether all edits are below the last import, on lines that import nothing: asking for them is the dearest
        question of a key."""
        end = self._imports[-1].span.end if self._imports else 0
        for edit in edits:
            if edit.span.start <= end:
                return False
            first = new_text.line_at(min(edit.span.start, len(new_text)))
            last = new_text.line_at(min(edit.span.start + len(edit.new_text), len(new_text)))
            if any(_MAY_IMPORT.search(new_text.line(line)) for line in range(first, last + 1)):
                return False
            # What ends a comment or a text of many lines may have hidden some, or hide some from now on.
            if _MAY_HIDE.search(edit.new_text) or _MAY_HIDE.search(self.text.slice(edit.span)):
                return False
        return True


def _parsed(grammar: Grammar, encoded: Encoded, old: tree_sitter.Tree | None, go_on: GoOn | None) -> tree_sitter.Tree:
    """Raises ValueError where `go_on` ends it."""
    parser, data = tree_sitter.Parser(grammar.language), encoded.data
    if go_on is None:
        return parser.parse(data) if old is None else parser.parse(data, old)

    def read(byte: int, _: object) -> bytes:
        return data[byte : byte + _CHUNK]

    def is_over(_byte: int, _has_error: bool) -> bool:
        return not go_on()

    if old is None:
        return parser.parse(read, progress_callback=is_over)
    return parser.parse(read, old, progress_callback=is_over)
