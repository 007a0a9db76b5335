"""When to stop: decided while the text streams in, so that what will be cut is never generated.

`rule_for` asks the tree once, before the model is asked: one line, or the block that begins here. `verdict` is then
asked after each piece; the first reason it gives ends the generation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aigc_lsp.context.window import Window
from aigc_lsp.syntax.place import Place, width

Reason = Literal["line", "block", "suffix", "repetition", "max_lines"]

CLOSERS = ")]}"

BLANKS = 24
"""Characters. A model that begins with so many blanks (after an odd indentation) goes on with them for ever."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What to write at the cursor.

    `is_block`: a whole block below a header indented by `header_indent`; else the rest of the line.
    `is_closed`: the block's closing bracket already stands below.
    """

    is_block: bool
    header_indent: str
    is_closed: bool
    max_lines: int
    line_before: str
    next_line: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Stop, for `reason`, and keep the first `keep` characters of the text."""

    reason: Reason
    keep: int


def rule_for(place: Place, window: Window, max_lines: int) -> Rule | None:
    """The rule at the cursor; None where nothing should be written: in the middle of a word."""
    if is_word_character(window.prefix[-1:]) and is_word_character(window.suffix[:1]):
        return None
    below = [line for line in window.suffix.split("\n")[1:] if line.strip()]
    next_line = below[0].rstrip() if below else ""
    closes = next_line.lstrip()[:1] in tuple(CLOSERS) and _width_of(next_line) <= width(place.block_indent)
    return Rule(
        is_block=place.opens_block and place.kind == "code",
        header_indent=place.block_indent,
        is_closed=closes or window.line_after.strip()[:1] in tuple(CLOSERS),
        max_lines=max_lines,
        line_before=window.line_before,
        next_line=next_line,
    )


def verdict(text: str, rule: Rule) -> Verdict | None:
    """Whether the text so far is enough. Only whole lines are judged, but for the rest of the cursor's line."""
    if len(text) > BLANKS and not text[: BLANKS + 1].strip(" \t"):
        return Verdict("repetition", 0)
    if not rule.is_block:
        end = text.find("\n")
        return Verdict("line", end) if end >= 0 else None
    lines = text.split("\n")
    start = 0
    for number, line in enumerate(lines[:-1]):
        if reason := _ends(lines, number, rule):
            return Verdict(reason, _without_newline(text, start))
        start += len(line) + 1
        if number + 1 >= rule.max_lines:
            return Verdict("max_lines", start - 1)
    return _unfinished(lines[-1], len(lines) - 1, start, text, rule)


def _ends(lines: list[str], number: int, rule: Rule) -> Reason | None:
    """Why the whole line `number` does not belong to the text any more."""
    line = lines[number]
    if not line.strip():
        return "block" if number > 1 and not lines[number - 1].strip() else None  # two blank lines end a block
    whole = rule.line_before + line if number == 0 else line
    if _meets(whole, rule.next_line):
        return "suffix"
    if number and _leaves(whole, rule):
        return "block"
    before = [line for line in lines[:number] if line.strip()][-2:]
    return "repetition" if len(before) == 2 and all(line == other for other in before) else None


def _leaves(line: str, rule: Rule) -> bool:
    """Whether a line stands outside the block: not deeper than its header. The bracket that closes an open block is
    still of it."""
    if _width_of(line) > width(rule.header_indent):
        return False
    return rule.is_closed or line.strip()[0] not in CLOSERS


def _unfinished(line: str, number: int, start: int, text: str, rule: Rule) -> Verdict | None:
    """The line under way: its indentation alone can tell that the block has ended."""
    if number and line.strip() and _leaves(line, rule):
        return Verdict("block", _without_newline(text, start))
    return None


def _meets(line: str, next_line: str) -> bool:
    """The output has met the suffix when a whole line of it is the next line below, indentation included.

    A line of nothing but signs (`}`, `else:` is a word) says too little, unless it is alone in what follows.
    """
    return bool(next_line) and line.rstrip() == next_line and any(map(str.isalnum, next_line))


def _without_newline(text: str, end: int) -> int:
    """`end` moved before the line break that leads to it."""
    return end - 1 if end and text[end - 1] == "\n" else end


def _width_of(line: str) -> int:
    return width(line[: len(line) - len(line.lstrip())])


def is_word_character(character: str) -> bool:
    """False for no character at all, too."""
    return character.isalnum() or character == "_"
