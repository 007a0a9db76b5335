"""The head of a window: what a long file says far above it and the model has to know all the same.

That is lines of code, in the file's order: its imports, and the headers of the definitions in which the window begins.
It depends on where the window begins and on nothing near the cursor, so it stays while one types.
"""

from __future__ import annotations

from aigc_lsp.syntax import Tree
from aigc_lsp.syntax.cursor import Cursor, is_rubble
from aigc_lsp.syntax.layouts import Layout, layout_of
from aigc_lsp.syntax.lines import LineLexis, outer_lines
from aigc_lsp.syntax.place import indent_at, width
from aigc_lsp.text import Text

Lines = tuple[int, int]
"""The first line and the last, counted from 0."""

_REACH = 16
"""Lines above an indented import in which the definition that it may stand in is looked for."""


def head(tree: Tree, start: int, budget: int) -> str:
    """What belongs right before the line that begins at `start`: whole lines, at most `budget` characters; or "".

    Headers come before imports where not everything fits, the innermost first; of the imports the last stay, since a
    project's own stand below those of libraries by custom.
    """
    text = tree.text
    line = text.line_at(start)
    layout = layout_of(tree.language_id)
    headers = [found for found in _headers(tree, layout, start) if found[0] < line]
    chosen: set[int] = set()
    for first, last in headers:
        whole, brief = (first, min(last, line - 1)), (first, first)
        budget -= _take(text, whole, chosen, budget) or _take(text, brief, chosen, budget)
    begun = {first for first, _ in headers}
    for first, last in reversed(import_lines(tree)):
        if last < line and _is_known(text, layout, first, begun):
            budget -= _take(text, (first, last), chosen, budget)
    return "".join(f"{text.line(number)}\n" for number in sorted(chosen)).removeprefix("\ufeff")


def import_lines(tree: Tree) -> list[Lines]:
    """The lines of the file's imports, in order of place."""
    text = tree.text
    found = ((text.line_at(each.span.start), text.line_at(each.span.end)) for each in tree.imports())
    return list(dict.fromkeys(found))


def _take(text: Text, lines: Lines, chosen: set[int], budget: int) -> int:
    """Add those lines to `chosen` if they fit; how many characters they take."""
    fresh = [number for number in range(lines[0], lines[1] + 1) if number not in chosen]
    length = sum(len(text.line(number)) + 1 for number in fresh)
    if length > budget:
        return 0
    chosen.update(fresh)
    return length


def _headers(tree: Tree, layout: Layout, start: int) -> list[Lines]:
    """The lines of the headers of the definitions around `start`, the innermost first.

    By the layout of lines always: `Tree.scopes` does so too where the tree is broken, as it is at every other key, and
    where the two differ the prompt would change with each of those.
    """
    text = tree.text
    lexis = LineLexis(text, layout) if is_rubble(tree, start) else Cursor(tree, start)
    found = []
    for outer in outer_lines(text, layout, lexis, None, start):
        if outer.name is not None:
            # The brace may stand on a line of its own.
            is_below = outer.last + 1 < text.line_count and text.line(outer.last + 1).strip() == "{"
            found.append((outer.line, outer.last + is_below))
    return found


def _is_known(text: Text, layout: Layout, line: int, begun: set[int]) -> bool:
    """Whether what is imported on `line` is known where the window begins: it stands in no definition but in those
    whose headers begin on the lines `begun`."""
    limit = width(indent_at(text, line))
    for above in range(line - 1, max(line - _REACH, 0) - 1, -1):
        if limit == 0:
            break
        column = width(indent_at(text, above))
        said = text.line(above)
        if column >= limit or not said.strip():
            continue
        if layout.name_of(said) is not None:
            return above in begun
        limit = column + (layout.goes_on.match(said.lstrip()) is not None)
    return limit == 0
