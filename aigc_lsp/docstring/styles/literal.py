"""Python's string literals: what stands between their quotes, and quotes around it."""

from __future__ import annotations

import re
import tokenize
from dataclasses import replace

from aigc_lsp.docstring.doc import Doc
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles.prose import columns, dedented, filled, lines_of, stopped, trimmed
from aigc_lsp.docstring.subject import Subject

_OPENING = re.compile(r"\s*([rRuUbBfF]{0,2})(\"\"\"|'''|\"|')")


def opened(text: str) -> tuple[str, list[str]]:
    """What stands before the quotes, and the lines between them without their indentation. Escapes stay as they are.

    Without quotes all of it is what would stand between them; closing quotes may be missing.
    """
    opening = _OPENING.match(text)
    if opening is None:
        return "", trimmed(_lines(text))
    content = text[opening.end() :].rstrip()
    return opening[1], trimmed(_lines(content.removesuffix(opening[2])))


def is_several(text: str) -> bool:
    """Whether it is more than one literal, side by side."""
    lines = iter(text.splitlines(keepends=True))
    try:
        return sum(token.type == tokenize.STRING for token in tokenize.generate_tokens(lambda: next(lines, ""))) > 1
    except (tokenize.TokenError, SyntaxError):
        return False  # it is not closed yet


def _lines(content: str) -> list[str]:
    first, *rest = lines_of(content)
    return [first.strip(), *dedented(rest)]


def prose(doc: Doc, layout: Layout, subject: Subject) -> list[list[str]]:
    """The blocks of lines that every docstring begins with: summary, description."""
    room = layout.width - columns(subject.indent)
    if doc.is_written:
        blocks = [doc.summary.split("\n"), doc.description.split("\n")]
    else:
        taken = 0 if layout.below else len(layout.quotes) + ("\\" in doc.summary)
        blocks = [filled(stopped(doc.summary, layout.full_stop), room, taken), filled(doc.description, room)]
    return [block for block in blocks if block != [""]]


def closed(blocks: list[list[str]], doc: Doc, subject: Subject, layout: Layout) -> str:
    """The literal that holds these blocks, a blank line between two of them."""
    lines = [line for block in blocks for line in ["", *trimmed(block)]][1:]
    prefix, quotes, lines = _quoted(lines or [""], doc, layout)
    opening, room = prefix + quotes, layout.width - columns(subject.indent)
    last = lines[-1]
    if len(lines) == 1 and not last.endswith(('"', "'", "\\")):
        single = f"{opening}{last}{quotes}"
        if layout.one_line and (columns(single) <= room or doc.is_written):
            return single
    if layout.below:
        lines = ["", *lines]
    if layout.blank_end:
        lines = [*lines, ""]
    lines = [opening + lines[0], *lines[1:]]
    if layout.text_end and not last.endswith(('"', "'", "\\")) and len(lines) > 1:
        lines[-1] += quotes
    else:
        lines.append(quotes)
    return "\n".join([lines[0], *(subject.indent + line if line else "" for line in lines[1:])])


def _quoted(lines: list[str], doc: Doc, layout: Layout) -> tuple[str, str, list[str]]:
    """The prefix and the quotes that these lines can stand in, and the lines, with escapes where nothing else helps."""
    text = "\n".join(lines)
    other = "'''" if layout.quotes == '"""' else '"""'
    quotes = layout.quotes if layout.quotes not in text else other
    if quotes not in text:
        return doc.prefix if doc.is_written else "r" * ("\\" in text), quotes, lines
    text = text if doc.is_written else text.replace("\\", "\\\\")
    return "", '"""', text.replace('"""', '\\"\\"\\"').split("\n")


def written(doc: Doc, prefix: str) -> Doc:
    """`doc` as one that stood in a file."""
    return replace(doc, is_written=True, prefix=prefix)
