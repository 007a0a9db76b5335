"""Syntax: languages, trees that follow edits, what surrounds a cursor, what a file defines, imports and uses.

The only room that imports tree_sitter. Inside are UTF-8 bytes, outside are code points.
"""

from aigc_lsp.syntax.comments import comment_marks, commented
from aigc_lsp.syntax.grammar import family_of, has_grammar, language_of
from aigc_lsp.syntax.lines import place_without_tree
from aigc_lsp.syntax.marks import Mark, marks
from aigc_lsp.syntax.place import Kind, Place, Scope, ScopeKind
from aigc_lsp.syntax.shape import Shape, shape
from aigc_lsp.syntax.symbols import Definition, DefinitionKind, Import, Role, Symbols, Use
from aigc_lsp.syntax.tree import GoOn, Tree, parse, symbols_of

__all__ = [
    "Definition",
    "DefinitionKind",
    "GoOn",
    "Import",
    "Kind",
    "Mark",
    "Place",
    "Role",
    "Scope",
    "ScopeKind",
    "Shape",
    "Symbols",
    "Tree",
    "Use",
    "comment_marks",
    "commented",
    "family_of",
    "has_grammar",
    "language_of",
    "marks",
    "parse",
    "place_without_tree",
    "shape",
    "symbols_of",
]
