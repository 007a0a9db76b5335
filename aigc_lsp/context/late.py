"""Where what is found while somebody types goes: above the function that the cursor is in then, as comments.

All of the prompt before it stays as it was read. Nearer to the cursor it would be read even less, but there a small
model takes it for what is to be said (measured: ARCHITECTURE.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from aigc_lsp.context.document import Document
from aigc_lsp.context.snippet import Late, blocks
from aigc_lsp.context.window import Window
from aigc_lsp.syntax import commented
from aigc_lsp.syntax.place import indent_of


def late_line(window: Window, document: Document) -> int | None:
    """The line of `document` on which the innermost definition begins that the cursor is in, with its decorators; where
    there is none in the window's prefix, that on which the paragraph begins. None where that is the cursor's own."""
    text, tree, prefix = document.text, document.tree, window.prefix
    own = text.line_at(window.offset)
    for scope in reversed(tree.scopes(window.offset) if tree is not None else ()):
        line = text.line_at(scope.span.start)
        if line < own and (at := _start(prefix, own - line)):
            return own - prefix.count("\n", _above_attributes(prefix, at))
    line = own
    while line and text.line(line - 1).strip():
        line -= 1
    return line if line < own and (_start(prefix, own - line) or window.start == line == 0) else None


def with_late(window: Window, document: Document, late: Sequence[Late]) -> Window:
    """`window` with each of `late` above its line, where the prefix has that; else at the end of its head."""
    if not late:
        return window
    own, head, prefix = document.text.line_at(window.offset), window.head, window.prefix
    places = [(_start(prefix, own - each.line), each.snippet) for each in late]
    places.sort(key=lambda placed: -placed[0])  # from the last, so that the others' places stay
    for at, group in groupby(places, key=lambda placed: placed[0]):
        said = "\n".join(f"Path: {path}\n{text}" for path, text in blocks(snippet for _, snippet in group))
        if at:
            indent = indent_of(window.prefix[at:].partition("\n")[0])
            prefix = prefix[:at] + commented(document.language, said, indent) + prefix[at:]
        else:
            head += commented(document.language, said)
    return replace(window, head=head, prefix=prefix)


def _start(prefix: str, above: int) -> int:
    """The start of the line of `prefix` that is `above` lines above its last, or 0."""
    at = len(prefix)
    for _ in range(above + 1):
        at = prefix.rfind("\n", 0, at)
        if at < 0:
            return 0
    return at + 1 if above >= 0 else 0


def _above_attributes(prefix: str, at: int) -> int:
    """`at`, the start of a line, or that of the first of the decorators right above it."""
    while at:
        above = prefix.rfind("\n", 0, at - 1) + 1
        if not prefix[above:at].lstrip().startswith(("@", "#[")):
            break
        at = above
    return at
