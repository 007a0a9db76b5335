"""What of a file an action is about, in whole lines; and code without its indentation, and with it."""

from __future__ import annotations

import textwrap

from aigc_lsp.context.document import Document
from aigc_lsp.syntax import Definition
from aigc_lsp.syntax.place import indent_at
from aigc_lsp.text import Span, Text

MOST_LINES = 60
_AROUND = 8
"""Lines on each side, where the function is too long."""


def function_at(document: Document, offset: int) -> Definition | None:
    """The innermost function or method around `offset`."""
    scopes = document.tree.scopes(offset) if document.tree is not None else ()
    return next((each for each in reversed(scopes) if each.kind in ("function", "method")), None)


def around(document: Document, span: Span) -> Span:
    """The lines of the function around `span`; where there is none, or a long one, the lines near it."""
    text = document.text
    function = function_at(document, span.start)
    if function is not None and function.span.start <= span.start and span.end <= function.span.end:
        lines = whole_lines(text, function.span)
        if text.slice(lines).count("\n") < MOST_LINES:
            return lines
    first = max(0, text.line_at(span.start) - _AROUND)
    last = min(text.line_count - 1, text.line_at(span.end) + _AROUND)
    return Span(text.line_start(first), text.line_end(last))


def whole_lines(text: Text, span: Span) -> Span:
    """From the beginning of its first line to the end of its last, without the terminator. A span that ends where a
    line begins, as an editor selects whole lines, ends before that."""
    end = span.end - 1 if span.end > span.start and text.source[span.end - 1] in "\r\n" else span.end
    last = text.line_at(max(end, span.start))
    return Span(text.line_start(text.line_at(span.start)), text.line_end(last))


def plain(code: str) -> str:
    """`code` with line ends `\\n`, without the indentation that all its lines have."""
    return textwrap.dedent(code.replace("\r\n", "\n").replace("\r", "\n"))


def indented(code: str, indent: str) -> str:
    """`code`, whatever indentation its lines have in common, with `indent` before each that is not blank."""
    return textwrap.indent(plain(code), indent).rstrip("\n")


def indent_of_region(text: Text, span: Span) -> str:
    """The indentation of the first line of it that is not blank."""
    first, last = text.line_at(span.start), text.line_at(span.end)
    return next((indent_at(text, line) for line in range(first, last + 1) if text.line(line).strip()), "")
