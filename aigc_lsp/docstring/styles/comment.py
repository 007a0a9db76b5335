"""Doc comments: what stands between their marks, and marks around it.

Comments for tools, which must stay exactly as they are (`//go:generate`, `# shellcheck disable=…`), are set apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aigc_lsp.docstring.doc import Doc
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles.prose import columns, dedented, filled, lines_of, stopped, trimmed
from aigc_lsp.docstring.subject import Subject

_BLOCK = re.compile(r"\s*(/\*[*!]?)(?:\*+(?=\s|$))?")
_LINE = re.compile(r"\s*(//!|///?|#+) ?")
_BAR = re.compile(r"\s*(#{3,}|/{4,})\s*$")
_STAR = re.compile(r"\s*\*(?!/) ?")
_DIRECTIVE = re.compile(
    r"\s*(?://(?:go:|export |line |nolint\b|[a-z]+:[a-z])|// ?(?:NOLINT|eslint-|@ts-|prettier-)|#!"
    r"|# ?(?:shellcheck |frozen_string_literal:|rubocop:|typed:|noqa\b|encoding:|-\*-))"
)


@dataclass(frozen=True, slots=True)
class Comment:
    """The lines of a comment without marks and indentation; `form` is the mark it begins with."""

    form: str
    lines: list[str]
    directives: tuple[str, ...] = ()


def opened(text: str) -> Comment:
    """What stands in a comment. The closing mark may be missing; what has no mark stands there whole."""
    block = _BLOCK.match(text)
    if block is not None:
        content = re.sub(r"\s*\**\*/\s*$", "", text[block.end() :])
        first, *rest = lines_of(content)
        starred = [line for line in rest if line.strip()]
        if starred and all(_STAR.match(line) for line in starred):
            rest = [_STAR.sub("", line, count=1) for line in rest]
        else:
            rest = dedented(rest)
        return Comment(block[1], trimmed([first.strip(), *rest]))
    lines, directives = [], []
    form = ""
    for line in lines_of(text):
        mark = _LINE.match(line)
        if _DIRECTIVE.match(line):
            directives.append(line.strip())
        elif mark is None or _BAR.match(line):
            lines.append(line.strip().strip("#/") if mark else line.strip())
        else:
            form = form or mark[1]
            lines.append(line[mark.end() :])
    return Comment("#" if form.startswith("#") else form, trimmed(dedented(lines)), tuple(directives))


def prose(doc: Doc, layout: Layout, room: int) -> list[list[str]]:
    """The blocks of lines that every comment begins with: summary, description. `room` is in columns."""
    if doc.is_written:
        blocks = [doc.summary.split("\n"), doc.description.split("\n")]
    else:
        blocks = [filled(stopped(doc.summary, layout.full_stop), room), filled(doc.description, room)]
    return [block for block in blocks if block != [""]]


def room_in(form: str, subject: Subject, layout: Layout) -> int:
    """How many columns a line of a comment has for its text."""
    mark = 3 if form.startswith("/*") else len(form) + 1
    return layout.width - columns(subject.indent) - mark


def closed(lines: list[str], form: str, doc: Doc, subject: Subject, layout: Layout) -> str:
    """The comment that holds `lines`; its first line without indentation, no line end behind its last."""
    lines = trimmed(lines) or [""]
    if not form.startswith("/*"):
        marked = [f"{form}{line}" if line.startswith("\t") else f"{form} {line}".rstrip() for line in lines]
    else:
        lines = [line.replace("*/", "*\\/") for line in lines]
        single = f"{form} {lines[0]} */"
        fits = len(lines) == 1 and columns(subject.indent + single) <= layout.width
        if layout.one_line and fits and not lines[0].startswith(("@", "\\")):
            return "\n".join([single, *(subject.indent + each for each in doc.directives)])
        marked = [form, *(f" * {line}".rstrip() for line in lines), " */"]
    return f"\n{subject.indent}".join([*marked, *doc.directives])
