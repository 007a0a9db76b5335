"""Lines of code beside one another: how deep one stands, whether two say the same, and whether that tells anything."""

from __future__ import annotations

import re
from itertools import pairwise

from aigc_lsp.syntax.layouts import Layout
from aigc_lsp.syntax.place import indent_of, width
from aigc_lsp.syntax.quotes import inside_of_line, quotes_of, unclosed

UNITS = (2, 3, 4, 8)
"""Blanks that a block is indented by."""

_WORD = re.compile(r"\w+")


def is_word_character(character: str) -> bool:
    """False for no character at all, too."""
    return character.isalnum() or character == "_"


def depth(line: str, unit: str = "") -> int:
    """Columns before the first word of `line`, in a file whose blocks are indented by `unit` ("" where nobody knows).

    A model that writes blanks into a file of tabs means a tab by four of them, or the other way round.
    """
    indent = indent_of(line)
    if unit == "\t":
        return width(indent.replace("    ", "\t"))
    return len(indent.expandtabs(len(unit))) if unit else width(indent)


def is_same(line: str, other: str, unit: str = "") -> bool:
    """Whether two lines differ in nothing but blanks within and a comma or semicolon at the end."""
    return depth(line, unit) == depth(other, unit) and bare(line) == bare(other)


def bare(line: str) -> str:
    return "".join(line.split()).rstrip(",;")


def is_signs(line: str) -> bool:
    return not any(map(str.isalnum, line))


def is_attribute(line: str) -> bool:
    """Whether `line` is a decorator or an attribute: it belongs to what follows, and many may be the same."""
    return line.lstrip().startswith(("@", "#["))


def tells(line: str) -> bool:
    """Whether `line` says enough not to stand in two places by chance: `else:`, `return` and `})` may."""
    words = _WORD.findall(line)
    return len(words) > 1 or (len(words) == 1 and len(words[0]) > 6)


def without_newline(text: str, end: int) -> int:
    """`end` moved before the line break that leads to it."""
    return end - 1 if end and text[end - 1] == "\n" else end


def unit_of(above: list[str], below: list[str], layout: Layout) -> str:
    """What a file of these lines, none of them blank, indents a block by: a tab, some blanks, or "" where they do not
    tell, or not all the same."""
    lines = above + below
    tabs = sum(line[0] == "\t" for line in lines)
    if tabs > sum(line[:2] == "  " for line in lines):
        return "\t"
    steps = {
        depth(deeper) - depth(line)
        for part in (above, below)
        for line, deeper in pairwise(part)
        if layout.opens.match(line.rstrip())
    }
    steps = {step for step in steps if step > 0}
    return " " * steps.pop() if len(steps) == 1 and steps <= set(UNITS) else ""


def is_inside(before: str, language: str) -> bool:
    """Whether the end of a text that begins as code is inside of a string or a comment of several lines."""
    if before.rfind("/*") > before.rfind("*/"):
        return True
    try:
        quotes = quotes_of(language)
    except KeyError:
        return inside_of_line(before, language) == "string"
    return unclosed(before, 0, len(before), quotes, ()) is not None
