"""Places read off the layout of lines: what indentation says where there is no tree, or none to be trusted.

In a half-written file an error can make the parser lose the function around the cursor, while its
indentation still stands. So everything here needs lines only; a `Lexis` says what it can about comments and
strings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from aigc_lsp.syntax.layouts import Layout, layout_of
from aigc_lsp.syntax.place import Block, Kind, Opener, Place, ScopeKind, Surroundings, indent_at, indent_of, width
from aigc_lsp.syntax.quotes import inside_of_line
from aigc_lsp.syntax.symbols import Definition
from aigc_lsp.text import Span, Text

# Lines of comments and strings that are looked at in search of a block's header: in a string of thousands, no more.
_MAX_PASSED_OVER = 64
# Lines in which the next outer line is looked for at once.
_STRETCH = 128
# Lines of one header.
_LONGEST_HEADER = 24
# Code that is not indented.
_AT_MARGIN = re.compile(r"^[^\s#/*][^\r\n]*", re.M)


class Lexis(Protocol):
    """What is known about comments, strings and openers."""

    def skip_back(self, offset: int) -> int:
        """The end of the last token before `offset`: white space and comments are skipped."""
        ...

    def skip_ahead(self, offset: int) -> int:
        """The start of the next token from `offset` on, or the length of the text."""
        ...

    def code_from(self, offset: int) -> int:
        """`offset` where code begins there (a string begins as code), else the end of the comment or string that
        holds it."""
        ...


def place_without_tree(text: Text, offset: int, language_id: str) -> Place:
    """The place of `offset` as far as lines tell; its kind is never "comment"."""
    layout = layout_of(language_id)
    offset = min(max(offset, 0), len(text))
    lexis = LineLexis(text, layout)
    kind = inside_of_line(text.source[text.line_start(text.line_at(offset)) : offset], language_id)
    opener = opener_on_line(text, layout, lexis.skip_back(offset)) if kind == "code" else None
    if opener is not None and not awaits_body(text, layout, lexis, opener, offset, unclosed=True):
        opener = None
    return place_at(kind, offset, opener, surroundings(text, layout, lexis, opener, offset))


def place_at(kind: Kind, offset: int, opener: Opener | None, around: Surroundings) -> Place:
    """Put a place together; an `opener` given here is one whose body is to be written at `offset`."""
    block = around.block
    end = None if block is None else max(block.end, offset)
    if opener is None:
        return Place(kind, around.scope, False, "" if block is None else block.indent, end)
    return Place("code", around.scope, True, opener.indent, offset if end is None else end)


def opener_on_line(text: Text, layout: Layout, end: int) -> Opener | None:
    """The opener that ends at `end`, judged by its line."""
    line = text.line_at(end)
    before = text.source[text.line_start(line) : end]
    return Opener(end, indent_of(before)) if layout.opens.match(before) else None


def begins_scope(layout: Layout, line: str) -> bool:
    """Whether a line that opens a block belongs to a class or function, as far as one line tells."""
    return layout.name_of(line) is not None or line.lstrip().startswith(")")


def awaits_body(text: Text, layout: Layout, lexis: Lexis, opener: Opener, offset: int, unclosed: bool) -> bool:
    """Whether the body of `opener` is still to be written at `offset`, only comments between the two.

    `unclosed` says that closers may be missing: then what follows is the body's only if indented deeper.
    """
    line = text.line_at(offset)
    rest = text.source[offset : text.line_end(line)].strip()
    if rest and not layout.closer_at(rest, 0):
        return False
    if layout.inline is not None and text.line_at(opener.end) == line:
        header = text.source[text.line_start(line) : opener.end]
        if not layout.inline.match(header):
            return False
    ahead = lexis.skip_ahead(offset)
    if ahead == len(text) or layout.closer_at(text.source, ahead):
        return True
    following = indent_at(text, text.line_at(ahead))
    return (unclosed or layout.is_indented) and width(following) <= width(opener.indent)


@dataclass(frozen=True, slots=True)
class OuterLine:
    """A line that encloses a cursor. `header` is its text, with the lines up to `last` where they belong to it."""

    line: int
    last: int
    indent: str
    header: str
    name: tuple[str, ScopeKind] | None


def surroundings(text: Text, layout: Layout, lexis: Lexis, opener: Opener | None, offset: int) -> Surroundings:
    """Scope and block of `offset` by indentation. An `opener` is one that awaits its body at `offset`."""
    line = text.line_at(offset) if opener is None else text.line_at(opener.end) + 1
    scope: list[tuple[str, ScopeKind]] = []
    block = None
    for outer in outer_lines(text, layout, lexis, opener, offset):
        if outer.name is not None:
            scope.append(outer.name)
        if block is None and (outer.name is not None or layout.opens.match(outer.header.rstrip())):
            block = Block(end_by_lines(text, layout, lexis, max(line, outer.line + 1), outer.indent), outer.indent)
    return Surroundings(tuple(reversed(scope)), block)


def scopes_by_lines(
    text: Text, layout: Layout, lexis: Lexis, opener: Opener | None, offset: int
) -> tuple[Definition, ...]:
    """The definitions that enclose `offset` by their indentation, outermost first."""
    line = text.line_at(offset) if opener is None else text.line_at(opener.end) + 1
    scopes: list[Definition] = []
    for outer in reversed(list(outer_lines(text, layout, lexis, opener, offset))):
        if outer.name is None:
            continue
        name, kind = outer.name
        start = text.line_start(outer.line) + len(outer.indent)
        end = max(end_by_lines(text, layout, lexis, max(line, outer.line + 1), outer.indent), offset)
        header = Span(start, start + _length_of_header(layout, text.source[start : text.line_end(outer.last)]))
        is_method = kind == "function" and bool(scopes) and scopes[-1].kind == "class"
        parent = ".".join(scope.name for scope in scopes)
        scopes.append(Definition(name, "method" if is_method else kind, Span(start, end), header, None, parent, None))
    return tuple(scopes)


def _length_of_header(layout: Layout, said: str) -> int:
    """Without what opens the body, but for the colon that belongs to a header."""
    end = layout.ends_header.search(said) if layout.ends_header else None
    if end is not None:
        said = said[: end.start() + end[0].startswith(":")]
    return len(said.rstrip())


def outer_lines(text: Text, layout: Layout, lexis: Lexis, opener: Opener | None, offset: int) -> Iterator[OuterLine]:
    """The lines that enclose `offset` by their indentation, the innermost first."""
    if opener is None:
        line, limit = text.line_at(offset), _own_width(text, layout, lexis, offset)
    else:
        line, limit = text.line_at(opener.end) + 1, width(opener.indent) + 1
    for above, indent in _less_indented_above(text, layout, lexis, line, limit):
        header, last = _header(text, layout, above, indent)
        # `each(x => {` is no function of that name.
        is_whole = not header.rstrip().endswith("{") or header.count("(") == header.count(")")
        yield OuterLine(above, last, indent, header, layout.name_of(header) if is_whole else None)
        line = above
    for start, name in _open_namespaces(text, layout, text.line_start(min(line, text.line_count - 1))):
        above = text.line_at(start)
        yield OuterLine(above, above, "", text.line(above), (name, "class"))


def _header(text: Text, layout: Layout, line: int, indent: str) -> tuple[str, int]:
    """The header that begins on a line, without its line breaks, and its last line; else that line alone."""
    if layout.ends_header is None:
        return text.line(line), line
    header = ""
    for below in range(line, min(line + _LONGEST_HEADER, text.line_count)):
        said = text.line(below) if below == line else text.line(below).strip()
        outside = below > line and width(indent_at(text, below)) <= width(indent)
        if outside and said[:1] not in (")", "]", "}", "{", ":"):
            break
        header = f"{header} {said}" if header else said
        if layout.ends_header.search(header):
            if header.count("(") == header.count(")"):
                return header, below
            break
        if header.rstrip().endswith((";", "}")):
            break
    return text.line(line), line


def _open_namespaces(text: Text, layout: Layout, end: int) -> list[tuple[int, str]]:
    """(start, name) of the namespaces that are open at `end` without being indented, the innermost first.

    Whatever else stands at the margin is closed there too, by the next brace at the margin.
    """
    if layout.namespace is None or layout.namespace.search(text.source, 0, end) is None:
        return []
    opened: list[tuple[int, str]] = []
    is_inside = False
    for match in _AT_MARGIN.finditer(text.source, 0, end):
        if named := layout.namespace.match(text.source, match.start(), match.end()):
            opened.append((match.start(), named[1] or ""))
            is_inside = False
        elif match[0][0] != "}":
            is_inside = not match[0].rstrip().endswith((";", "}"))
        elif is_inside or not opened:
            is_inside = False
        else:
            opened.pop()
    return [found for found in reversed(opened) if found[1]]


class LineLexis:
    """A `Lexis` without a tree: a line that looks like a comment is one, and everything else is code."""

    def __init__(self, text: Text, layout: Layout) -> None:
        self._text = text
        self._layout = layout

    def skip_back(self, offset: int) -> int:
        line, end = self._text.line_at(offset), offset
        while line >= 0:
            before = self._text.source[self._text.line_start(line) : end].rstrip()
            if before and not self._layout.comment.match(before):
                return self._text.line_start(line) + len(before)
            line -= 1
            end = self._text.line_end(line) if line >= 0 else 0
        return 0

    def skip_ahead(self, offset: int) -> int:
        line, start = self._text.line_at(offset), offset
        while True:
            source = self._text.source[start : self._text.line_end(line)]
            if source.strip() and not self._layout.comment.match(source):
                return start + len(source) - len(source.lstrip())
            line += 1
            if line == self._text.line_count:
                return len(self._text)
            start = self._text.line_start(line)

    def code_from(self, offset: int) -> int:
        line = self._text.line_at(offset)
        is_comment = self._layout.comment.match(self._text.source, self._text.line_start(line))
        return max(self._text.line_end(line), offset + 1) if is_comment else offset


def _own_width(text: Text, layout: Layout, lexis: Lexis, offset: int) -> int:
    """How deep the cursor's line is; a blank line is as deep as the cursor or as what follows it."""
    line = text.line_at(offset)
    source = text.line(line)
    if source.strip():
        return width(indent_of(source))
    column = width(text.source[text.line_start(line) : offset])
    ahead = lexis.skip_ahead(offset)
    if ahead == len(text):
        return column
    closes = layout.closer_at(text.source, ahead) > 0
    return max(column, width(indent_at(text, text.line_at(ahead))) + closes)


def _less_indented_above(text: Text, layout: Layout, lexis: Lexis, line: int, limit: int) -> Iterator[tuple[int, str]]:
    """Lines of code above `line`, each less indented than `limit` and those before it, the nearest first."""
    passed_over = 0
    while line > 0 and limit > 0:
        top = max(line - _STRETCH, 0)
        for start in _shallow(text, top, line, limit - 1):
            above = text.line_at(start)
            indent = indent_at(text, above)
            if width(indent) >= limit or (
                layout.aside and layout.aside.match(text.source, start, text.line_end(above))
            ):
                continue
            if lexis.code_from(start) != start:
                passed_over += 1
                if passed_over > _MAX_PASSED_OVER:
                    return
                continue
            yield above, indent
            limit = width(indent) + (layout.goes_on.match(text.source, start) is not None)
        line = top


def _shallow(text: Text, top: int, bottom: int, columns: int) -> list[int]:
    """Where the code begins in those lines of `top..bottom` with at most `columns` blanks before it, the last first.

    A tab is one blank, so there are lines among them that are indented deeper.
    """
    start, end = text.line_start(top), text.line_end(bottom - 1)
    pattern = _shallow_pattern(columns)
    found = [match.end() for match in pattern.finditer(text.source, max(start - 1, 0), end) if match.end() < end]
    if top == 0:
        blanks = len(indent_at(text, 0))
        first = blanks + text.source.startswith("\ufeff")
        if blanks <= columns and first < end and not text.source[first].isspace():
            found.insert(0, first)
    found.reverse()
    return found


@cache
def _shallow_pattern(columns: int) -> re.Pattern[str]:
    return re.compile(rf"[\r\n][ \t\f]{{0,{columns}}}(?=\S)")


def end_by_lines(text: Text, layout: Layout, lexis: Lexis, line: int, indent: str) -> int:
    """Where the block ends whose opening line is indented by `indent`, searched from `line` on."""
    end = text.line_end(min(line, text.line_count) - 1)
    if line >= text.line_count:
        return end
    columns, at = width(indent), max(text.line_start(line) - 1, 0)
    while match := _shallow_pattern(columns).search(text.source, at):
        at = match.end()
        if (code := lexis.code_from(at)) != at:
            at = code
        elif width(indent_at(text, text.line_at(at))) <= columns:
            if length := layout.closer_at(text.source, at):
                return at + length
            break
    else:
        at = len(text)
    return max(end, text.line_end(text.line_at(lexis.skip_back(at))))
