"""Where what is found while somebody types goes: above the function that the cursor is in, as comments.

All of the prompt before it stays as it was read. Nearer to the cursor it would be read even less, but there a small
model takes it for what is to be said (measured: ARCHITECTURE.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aigc_lsp.context.document import Document
from aigc_lsp.context.snippet import Snippet, blocks
from aigc_lsp.syntax import commented
from aigc_lsp.syntax.place import indent_of

_BLANK = re.compile(r"\s*$")


def with_late(prefix: str, document: Document, offset: int, late: Sequence[Snippet]) -> str:
    """`prefix`, the window's, with `late` above what encloses the cursor and begins in it; else where it begins."""
    if not late:
        return prefix
    at = _place(prefix, document, offset)
    indent = indent_of(prefix[at:].partition("\n")[0])
    said = "\n".join(f"Path: {path}\n{text}" for path, text in blocks(late))
    return prefix[:at] + commented(document.language, said, indent) + prefix[at:]


def _place(prefix: str, document: Document, offset: int) -> int:
    """The start of the line of `prefix` on which the innermost definition begins that the cursor is in."""
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
        return at + 1
    return 0
