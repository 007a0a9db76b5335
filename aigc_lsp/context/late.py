"""Where what is found while somebody types goes: above the function that the cursor is in, as comments.

All of the prompt before it stays as it was read. Nearer to the cursor it would be read even less, but there a small
model takes it for what is to be said (measured: ARCHITECTURE.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aigc_lsp.context.document import Document
from aigc_lsp.context.snippet import Snippet, blocks
from aigc_lsp.context.window import Window
from aigc_lsp.syntax import commented
from aigc_lsp.syntax.place import indent_of


def with_late(window: Window, document: Document, late: Sequence[Snippet]) -> Window:
    """`window` with `late` above what encloses the cursor and begins in the prefix; else at the end of its head."""
    if not late:
        return window
    said = "\n".join(f"Path: {path}\n{text}" for path, text in blocks(late))
    at = _place(window.prefix, document, window.offset)
    if not at:
        return replace(window, head=window.head + commented(document.language, said))
    indent = indent_of(window.prefix[at:].partition("\n")[0])
    return replace(window, prefix=window.prefix[:at] + commented(document.language, said, indent) + window.prefix[at:])


def _place(prefix: str, document: Document, offset: int) -> int:
    """The start of the line of `prefix` on which the innermost definition begins that the cursor is in, or 0."""
    text, tree = document.text, document.tree
    own = text.line_at(offset)
    scopes = tree.scopes(offset) if tree is not None else ()
    for scope in reversed(scopes):
        above = own - text.line_at(scope.span.start)
        if not above:
            continue  # it begins on the cursor's own line
        at = len(prefix)
        for _ in range(above + 1):
            at = prefix.rfind("\n", 0, at)
            if at < 0:
                return 0
        return _above_attributes(prefix, at + 1)
    return 0


def _above_attributes(prefix: str, at: int) -> int:
    """`at`, the start of a line, or that of the first of the decorators right above it."""
    while at:
        above = prefix.rfind("\n", 0, at - 1) + 1
        if not prefix[above:at].lstrip().startswith(("@", "#[")):
            break
        at = above
    return at
