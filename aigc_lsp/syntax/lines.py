"""Places read off the layout of lines: what indentation says where there is no tree, or none to be trusted.

In a half-written file an error can make the parser lose the function around the cursor, while its
indentation still stands. So everything here needs lines only; a `Lexis` says what it can about comments and
strings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from aigc_lsp.syntax.place import Block, Kind, Opener, Place, ScopeKind, Surroundings, indent_of, width
from aigc_lsp.text import Text


@dataclass(frozen=True, slots=True)
class Layout:
    """How one family of languages lays out blocks.

    opens     matches the part of a line up to its last token where a body is to follow
    names     (pattern, kind): the line that begins a scope; group 1 is the scope's name
    comment   matches a line that is a comment
    closers   what a block ends with; empty where its end is told by indentation
    block_comment  what begins and ends a comment of many lines
    """

    opens: re.Pattern[str]
    names: tuple[tuple[re.Pattern[str], ScopeKind], ...]
    comment: re.Pattern[str]
    closers: frozenset[str]
    block_comment: tuple[str, str] | None = None


class Lexis(Protocol):
    """What is known about comments, strings and openers."""

    def skip_back(self, offset: int) -> int:
        """The end of the last token before `offset`: white space and comments are skipped."""
        ...

    def skip_ahead(self, offset: int) -> int:
        """The start of the next token from `offset` on, or the length of the text."""
        ...

    def is_code(self, offset: int) -> bool:
        """Whether code begins at `offset`, not a comment; a string begins as code."""
        ...


_HEADER = r"(?:async\s+)?(?:def|class|if|elif|else|for|while|with|try|except|finally|match|case)\b.*:$"
INDENTED = Layout(
    # A closing bracket at the start of a line ends a header that began on a line above.
    opens=re.compile(rf"^\s*(?:{_HEADER}|[)\]}}].*:$)"),
    names=(
        (re.compile(r"\s*(?:async\s+)?def\s+(\w+)"), "function"),
        (re.compile(r"\s*class\s+(\w+)"), "class"),
    ),
    comment=re.compile(r"\s*#"),
    closers=frozenset(),
)
_NOT_A_NAME = r"(?!(?:if|for|while|switch|catch|with|return|function|do|else)\b)"
BRACED = Layout(
    # Behind these a brace begins a value or a pattern, not a body.
    opens=re.compile(r"^(?!.*(?:[=(,:\[?&|]|\b(?:return|import|export|const|let|var|default))\s*\{$).*\{$"),
    names=(
        (re.compile(r"[^'\"`/]*\b(?:class|interface|enum|namespace|struct|trait|impl)\s+([\w$.]+)"), "class"),
        (re.compile(r"[^'\"`/]*\b(?:function\b\s*\*?|fn|func|def)\s*([\w$]+)"), "function"),
        (
            re.compile(r"[^'\"`/]*\b(?:const|let|var)\s+([\w$]+)[^=]*=\s*(?:async\s*)?(?:function\b|.*=>)"),
            "function",
        ),
        (
            re.compile(rf"\s*(?:[\w$]+\s+)*?\*?{_NOT_A_NAME}([\w$#]+)\s*\([^{{}}]*\)\s*(?::[^{{}}]*)?\{{"),
            "function",
        ),
    ),
    comment=re.compile(r"\s*(?://|/\*|\*|#)"),
    closers=frozenset("}"),
    block_comment=("/*", "*/"),
)
_COLON = Layout(re.compile(r".*[:{]$"), (), re.compile(r"\s*#"), frozenset())
_LAYOUTS = {"python": INDENTED, "yaml": _COLON, "nim": _COLON}

# Lines of comments and strings that are looked at in search of a block's header: in a string of thousands, no more.
_MAX_PASSED_OVER = 64


def layout_of(language_id: str) -> Layout:
    return _LAYOUTS.get(language_id, BRACED)


def place_without_tree(text: Text, offset: int, language_id: str) -> Place:
    """The place of `offset` as far as lines tell; its kind is always "code"."""
    layout = layout_of(language_id)
    offset = min(max(offset, 0), len(text))
    lexis = LineLexis(text, layout)
    opener = opener_on_line(text, layout, lexis.skip_back(offset))
    if opener is not None and not awaits_body(text, layout, lexis, opener, offset, unclosed=True):
        opener = None
    return place_at("code", offset, opener, surroundings(text, layout, lexis, opener, offset))


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
    return _name_of(layout, line) is not None or line.lstrip().startswith(")")


def awaits_body(text: Text, layout: Layout, lexis: Lexis, opener: Opener, offset: int, unclosed: bool) -> bool:
    """Whether the body of `opener` is still to be written at `offset`, only comments between the two.

    `unclosed` says that braces may be missing: then what follows is the body's only if indented deeper.
    """
    ahead = lexis.skip_ahead(offset)
    rest = text.source[offset : text.line_end(text.line_at(offset))].strip()
    if rest and rest[0] not in layout.closers:
        return False
    if ahead == len(text) or text.source[ahead] in layout.closers:
        return True
    following = text.line(text.line_at(ahead))
    return (unclosed or not layout.closers) and width(indent_of(following)) <= width(opener.indent)


def surroundings(text: Text, layout: Layout, lexis: Lexis, opener: Opener | None, offset: int) -> Surroundings:
    """Scope and block of `offset` by indentation. An `opener` is one that awaits its body at `offset`."""
    line = text.line_at(offset)
    if opener is None:
        limit = _own_width(text, layout, lexis, offset)
    else:
        line, limit = text.line_at(opener.end) + 1, width(opener.indent) + 1
    scope: list[tuple[str, ScopeKind]] = []
    block = None
    for above, indent in _outer_lines(text, layout, lexis, line, limit):
        source = text.line(above)
        name = _name_of(layout, source)
        if name is not None:
            scope.append(name)
        if block is None and (name is not None or layout.opens.match(source.rstrip())):
            block = Block(
                text.line_end(above), _end_by_lines(text, layout, lexis, max(line, above + 1), indent), indent
            )
    return Surroundings(tuple(reversed(scope)), block)


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

    def is_code(self, offset: int) -> bool:
        line = self._text.line(self._text.line_at(offset))
        return not self._layout.comment.match(line)


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
    closes = text.source[ahead] in layout.closers
    return max(column, width(indent_of(text.line(text.line_at(ahead)))) + closes)


def _outer_lines(text: Text, layout: Layout, lexis: Lexis, line: int, limit: int) -> list[tuple[int, str]]:
    """Lines above `line`, each less indented than `limit` and those before it, the nearest first."""
    found, passed_over = [], 0
    for above in range(line - 1, -1, -1):
        if limit <= 0:
            break
        source = text.line(above)
        indent = indent_of(source)
        code = source.lstrip(" \t\f\ufeff")
        if not code.strip() or width(indent) >= limit:
            continue
        if not lexis.is_code(text.line_start(above) + len(source) - len(code)):
            passed_over += 1
            if passed_over > _MAX_PASSED_OVER:
                break
            continue
        found.append((above, indent))
        # A line that begins with a closing bracket belongs to one of the same indentation above it.
        limit = width(indent) + (code[0] in ")]}")
    return found


def _name_of(layout: Layout, source: str) -> tuple[str, ScopeKind] | None:
    for pattern, kind in layout.names:
        if match := pattern.match(source.lstrip("\ufeff")):
            return match[1], kind
    return None


def _end_by_lines(text: Text, layout: Layout, lexis: Lexis, line: int, indent: str) -> int:
    """Where the block ends whose opening line is indented by `indent`, searched from `line` on."""
    end = text.line_end(min(line, text.line_count) - 1)
    for below in range(line, text.line_count):
        source = text.line(below)
        first = text.line_start(below) + len(source) - len(source.lstrip())
        if not source.strip() or not lexis.is_code(first):
            continue
        if width(indent_of(source)) <= width(indent):
            return first + 1 if text.source[first] in layout.closers else end
        end = text.line_end(below)
    return end
