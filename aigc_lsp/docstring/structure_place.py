"""Where a docstring is, or goes: comments and decorators above a definition, its header, and the indentation."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from aigc_lsp.syntax import Mark
from aigc_lsp.text import Span, Text

# What a doc comment looks like; languages that are not here have any comment right above the definition for one.
_SLASHED = re.compile(r"/\*\*(?!/)|/\*!|///(?!/)|//!")
_STARRED = re.compile(r"/\*\*(?!/)")
_DOCS = {
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact", "java", "php"), _STARRED),
    **dict.fromkeys(("c", "cpp"), _SLASHED),
    "csharp": re.compile(r"/\*\*(?!/)|///(?!/)"),
    "rust": re.compile(r"/\*\*(?![/*])|///(?!/)"),
}
_DIRECTIVE = re.compile(
    r"#!|//(?:go:|line |export |nolint|\s*\+build)|#\s*(?:shellcheck|rubocop|frozen_string_literal|encoding|typed|"
    r"-\*-|:nodoc:|vim?:|type:|noqa|pylint|ruff|fmt:)|/[/*]\s*(?:eslint|@ts-|prettier|istanbul|c8|biome|clang-format|NOLINT)"
)
_MODULE_DOCS = {"rust": re.compile(r"//!|/\*!"), "go": re.compile(r"//|/\*"), "shellscript": re.compile(r"#(?!!)")}
_BLANK = re.compile(r"[ \t\f]*")
_BLANKS = re.compile(r"\s*")
_PYTHON_LEAD = re.compile(r"(?:[ \t\f]*#[^\r\n]*(?:\r\n?|\n|\Z))*(?:[ \t\f]*(?:\r\n?|\n))*")
_MOST_LEADS = 2000


@dataclass(frozen=True, slots=True)
class Above:
    """What leads to definitions: comments and decorators of the whole text, in order."""

    text: Text
    language: str
    leads: Sequence[Mark]
    ends: Sequence[int]

    def of(self, whole: Span) -> tuple[Span, Span | None]:
        """`whole` with the decorators right above it, and the doc comment above or among them."""
        source, start, first = self.text.source, whole.start, whole.start
        docs: list[Span] = []
        is_doc, is_over = _DOCS.get(self.language), False
        for _ in range(_MOST_LEADS):
            lead = self._ending_at(start)
            if lead is None:
                break
            start = lead.span.start
            if lead.role == "decorator":
                first = start
                is_over = is_over or bool(docs)
                continue
            said = source[start : start + 40]
            counts = not _DIRECTIVE.match(said) and (is_doc is None or is_doc.match(said) is not None)
            if counts and not is_over and not (docs and said.startswith("/*")):
                docs.append(lead.span)
                is_over = said.startswith("/*")
            else:
                is_over = is_over or bool(docs)
        existing = Span(docs[-1].start, self._trimmed(docs[0].end)) if docs else None
        return Span(first, whole.end), existing

    def _ending_at(self, start: int) -> Mark | None:
        """The comment or decorator that stands alone right before `start`."""
        source, end = self.text.source, self._trimmed(start)
        line = self.text.line_at(end)
        if end == 0 or self.text.line_at(start) - line > 1:
            return None
        at = bisect_left(self.ends, end)
        lead = self.leads[at] if at < len(self.leads) else None
        if lead is None or lead.span.start >= end or self._trimmed(lead.span.end) != end:
            return None
        begin = self.text.line_start(self.text.line_at(lead.span.start))
        # A comment behind code belongs to that, but where code follows it; a decorator may follow another.
        is_alone = not source[begin : lead.span.start].strip() or self.text.line_at(start) == line
        return lead if is_alone or lead.role == "decorator" else None

    def _trimmed(self, end: int) -> int:
        source = self.text.source
        while end > 0 and source[end - 1] in " \t\r\n\f":
            end -= 1
        return end


def between(marks: Sequence[Mark], start: int, end: int) -> Sequence[Mark]:
    """Those of `marks`, in order of place, that begin in `start..end`."""
    return marks[bisect_left(marks, start, key=starts_at) : bisect_left(marks, end, key=starts_at)]


def starts_at(mark: Mark) -> int:
    """Where a mark begins."""
    return mark.span.start


def above(text: Text, language: str, marks: Sequence[Mark]) -> Above:
    """All that can lead to a definition."""
    leads = sorted((mark for mark in marks if mark.role in ("comment", "decorator")), key=lambda mark: mark.span.end)
    source = text.source
    # A line comment of some grammars has the end of its line.
    ends = [mark.span.start + len(source[mark.span.start : mark.span.end].rstrip()) for mark in leads]
    return Above(text, language, leads, ends)


def header_of(
    text: Text, whole: Span, decorators: Sequence[Mark], name: Span, body: Span | None, end: Span | None
) -> Span:
    """From behind the decorators to before the body."""
    source = text.source
    start = whole.start
    for mark in decorators:
        if mark.span.start >= start and not source[start : mark.span.start].strip():
            start = _BLANKS.match(source, mark.span.end).end()  # type: ignore[union-attr]
    if end is not None and end.end >= name.end:
        stop = end.end
    else:
        stop = whole.end if body is None else max(body.start, name.end)
    trimmed = source[start:stop].rstrip("; \t\r\n\f,")
    return Span(min(start, name.start), max(min(start, name.start) + len(trimmed), name.end))


def indent_at(text: Text, offset: int) -> str:
    """What the line of `offset` begins with."""
    start = text.line_start(text.line_at(offset))
    return _BLANK.match(text.source, start)[0]  # type: ignore[index]


def python_place(text: Text, header: Span, body: Span | None) -> tuple[int, str, bool]:
    """Where a docstring goes, its indentation, and whether the body is on the header's line."""
    line = text.line_at(header.end)
    first = text.line_at(header.start)
    outer = indent_at(text, header.start)
    below = text.line_start(line + 1) if line + 1 < text.line_count else len(text)
    is_inline = body is not None and len(body) > 0 and text.line_at(body.start) == line
    if body is not None and len(body) and not is_inline:
        inner = indent_at(text, body.start)
        if len(inner) > len(outer):
            return below, inner, False
    is_inline = is_inline or text.line_at(below) == line  # the file ends there
    inner = outer + ("\t" if outer.startswith("\t") else _unit(text, first))
    return (body.start if body is not None and is_inline else below), inner, is_inline


def _unit(text: Text, near: int) -> str:
    """The step of indentation: that of the first line above `near` that is indented, or four blanks."""
    for line in range(min(near, 200)):
        said = text.line(line)
        blank = _BLANK.match(said)[0]  # type: ignore[index]
        if blank and said.strip() and not said.strip().startswith(("#", '"', "'")):
            return "\t" if blank[0] == "\t" else " " * min(len(blank), 8)
    return "    "


def module_place(text: Text, language: str, comments: Sequence[Mark], package: int | None) -> tuple[int, Span | None]:
    """Where the docstring of a whole file goes, and a comment that is one. Not for Python's own."""
    source = text.source
    if language == "go" and package is not None:
        found = above(text, language, comments).of(Span(package, package))[1]
        return package, found
    docs = _MODULE_DOCS[language]
    at = 0
    if source.startswith("#!") and not source.startswith("#!["):
        at = text.line_start(1) if text.line_count > 1 else len(text)
    existing: Span | None = None
    for mark in comments:
        if mark.span.start < at:
            continue
        between = source[existing.end if existing else at : mark.span.start]
        is_near = not between.strip() and (existing is None or between.count("\n") < 2)
        said = source[mark.span.start : mark.span.end].rstrip()
        if not is_near or not docs.match(said):
            if existing is None and is_near and not said.startswith(("///", "/**")):
                at = mark.span.end
                continue
            break
        if existing is None and _DIRECTIVE.match(said):
            at = mark.span.end
            continue
        existing = Span(existing.start if existing else mark.span.start, mark.span.start + len(said))
    if existing is None and at:
        at = _BLANKS.match(source, at).end()  # type: ignore[union-attr]
    return (existing.start if existing else at), existing


def python_module_place(text: Text) -> int:
    """Below the comments that a file begins with."""
    match = _PYTHON_LEAD.match(text.source)
    return match.end() if match else 0
