"""Syntax: languages, trees that follow edits, and what surrounds a cursor.

The only room that imports tree_sitter. Inside are UTF-8 bytes, outside are code points.
"""

from aigc_lsp.syntax.grammar import has_grammar, language_of
from aigc_lsp.syntax.lines import place_without_tree
from aigc_lsp.syntax.place import Kind, Place, Scope, ScopeKind
from aigc_lsp.syntax.tree import Tree, parse

__all__ = [
    "Kind",
    "Place",
    "Scope",
    "ScopeKind",
    "Tree",
    "has_grammar",
    "language_of",
    "parse",
    "place_without_tree",
]
