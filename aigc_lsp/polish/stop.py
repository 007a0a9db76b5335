"""When to stop: decided while the text streams in, so that what will be cut is never generated.

`rule_for` asks the tree once, before the model is asked: one line, or the block that begins here. `verdict` is then
asked after each piece; the first reason it gives ends the generation. It depends on the text and the rule alone, and
not on the pieces: what ends a text ends all that go on from it, at the same place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from aigc_lsp.context.window import Window
from aigc_lsp.polish.below import LOOKED_AT, met, rest_at
from aigc_lsp.polish.chatter import chatter_at, spelled
from aigc_lsp.polish.lines import depth, is_inside, is_word_character, unit_of, without_newline
from aigc_lsp.polish.repetition import is_endless, kept_of, runs_on
from aigc_lsp.syntax.layouts import Layout, layout_of
from aigc_lsp.syntax.place import Kind, Place

Reason = Literal["line", "block", "suffix", "repetition", "max_lines", "chatter"]

CLOSERS = ")]}"

_MARGIN = -1
_ABOVE = 4
_CASE = re.compile(r"(?:case\b|default\s*:)")
# Behind these a closing bracket or word still ends its block: `});`, `end,`.
_BEHIND_CLOSER = ");, \t"


@dataclass(frozen=True, slots=True)
class Rule:
    """What to write at the cursor.

    is_block      a whole block below a header indented by `header_indent`; else the rest of the line
    header_width  columns of that indentation; what stands no deeper is outside; -1 where nothing is
    closed_by     what closes the block already, behind the cursor or below it; or ""
    before_code   the cursor stands at the beginning of a line of code: a whole line goes above it
    line_before   the cursor's line up to the cursor, and `line_after` the rest of it
    above, below  the nearest lines that are not blank, from the top down. A line that is `before_code` is below
    kind          what the cursor is inside of
    unit          what a block is indented by in this file: a tab, some blanks, or "" where that is not known
    spelled       control tokens that this file spells out itself
    """

    is_block: bool
    header_indent: str
    header_width: int
    closed_by: str
    before_code: bool
    max_lines: int
    line_before: str
    line_after: str
    above: tuple[str, ...]
    below: tuple[str, ...]
    language: str
    kind: Kind
    unit: str
    spelled: frozenset[str]

    @property
    def is_closed(self) -> bool:
        return bool(self.closed_by)

    @property
    def is_begun(self) -> bool:
        """Whether the cursor's line has something on it: before the cursor, or behind."""
        return bool(self.line_before.strip() or (self.line_after.strip() and not self.before_code))

    @property
    def header(self) -> str:
        """The line that the text follows, or goes on with."""
        return self.line_before if self.line_before.strip() else "".join(self.above[-1:])


@dataclass(frozen=True, slots=True)
class Verdict:
    """Stop, for `reason`, and keep the first `keep` characters of the text."""

    reason: Reason
    keep: int


def rule_for(place: Place, window: Window, max_lines: int) -> Rule | None:
    """The rule at the cursor; None where nothing should be written: in the middle of a word."""
    if is_word_character(window.prefix[-1:]) and is_word_character(window.suffix[:1]):
        return None
    layout = layout_of(window.language)
    above = [line for line in window.prefix.split("\n")[:-1] if line.strip()]
    below = [line.rstrip() for line in window.suffix.split("\n")[1:] if line.strip()]
    before_code = place.kind == "code" and _stands_before_code(window)
    if before_code:
        below.insert(0, (window.line_before + window.line_after).rstrip())
    own = [window.line_before + "x"] if place.opens_block and not window.line_before.strip() else []
    unit = unit_of(above + own, below, layout)
    is_inside_block = place.opens_block or place.block_end is not None
    header_width = depth(place.block_indent + "x", unit) if is_inside_block else _MARGIN
    rest = window.line_after.strip()
    return Rule(
        is_block=place.opens_block and place.kind == "code",
        header_indent=place.block_indent,
        header_width=header_width,
        closed_by=rest if _is_closer(rest, layout) else _closed_by(above, below, header_width, layout, unit),
        before_code=before_code,
        max_lines=max_lines,
        line_before=window.line_before,
        line_after=window.line_after,
        above=tuple(above[-_ABOVE:]),
        below=tuple(below[:LOOKED_AT]),
        language=window.language,
        kind=place.kind,
        unit=unit,
        spelled=spelled(window.prefix) | spelled(window.suffix),
    )


def _stands_before_code(window: Window) -> bool:
    before, after = window.line_before, window.line_after
    begins = after.lstrip()[:1]
    is_code = is_word_character(begins) or begins in tuple("@\"'$")
    return is_code and not before.strip() and (not before or after[0] == begins)


def _closed_by(above: list[str], below: list[str], header_width: int, layout: Layout, unit: str) -> str:
    """The line below that closes the block whose header is so deep, where there is one."""
    found = next((line for line in below if depth(line, unit) <= header_width), "")
    if not _is_closer(found.strip(), layout):
        return ""
    columns = depth(found, unit)
    if columns < header_width:  # it closes what encloses the block, unless the header is laid out oddly
        owner = next((line for line in reversed(above) if depth(line, unit) <= columns), "")
        if layout.opens.match(owner.rstrip()):
            return ""
    return found.strip()


def _is_closer(code: str, layout: Layout) -> bool:
    return code[:1] in tuple(CLOSERS) or layout.closer_at(code, 0) > 0


def verdict(text: str, rule: Rule) -> Verdict | None:
    """Whether the text so far is enough. Only whole lines are judged, but for the rest of the cursor's line."""
    if is_endless(text):
        return Verdict("repetition", 0)
    at = chatter_at(text, rule.language, rule.kind, rule.spelled, rule.line_before)
    said = text if at is None else text[:at]
    if found := _of_block(said, rule) if rule.is_block else _of_line(said, rule):
        return found
    return None if at is None else Verdict("chatter", without_newline(text, at))


def _of_line(text: str, rule: Rule) -> Verdict | None:
    end = text.find("\n")
    if runs_on(text if end < 0 else text[:end]):
        return Verdict("repetition", 0)
    return Verdict("line", end + rule.before_code) if end >= 0 else None


def _of_block(text: str, rule: Rule) -> Verdict | None:
    lines = text.split("\n")
    said: list[str] = []
    starts: list[int] = []
    start = 0
    for number, line in enumerate(lines[:-1]):
        if line.strip():
            said.append(rule.line_before + line if number == 0 else line)
            starts.append(start)
            if found := _of_whole_line(text, said, starts, rule):
                return found
        elif number > 1 and not lines[number - 1].strip():  # two blank lines end a block
            return Verdict("block", without_newline(text, start))
        start += len(line) + 1
        if number + 1 >= rule.max_lines:
            return Verdict("max_lines", start - 1)
    return _of_unfinished(text, lines[-1], said, start, rule)


def _of_whole_line(text: str, said: list[str], starts: list[int], rule: Rule) -> Verdict | None:
    """Whether the text ends before, with or behind the last line that it has `said`; lines begin at `starts`."""
    start, line = starts[-1], said[-1]
    if not rule.before_code and (found := rest_at(said, rule.line_after, rule.below, rule.unit)):
        lead = len(rule.line_before) if starts[-found[0]] == 0 else 0
        return Verdict("suffix", starts[-found[0]] + max(found[1] - lead, 0))
    if count := met(said, rule.below, rule.unit, is_begun=rule.is_begun):
        return Verdict("suffix", without_newline(text, starts[-count]))
    if start and _leaves(text[:start], line, said, rule):
        return Verdict("block", without_newline(text, start))
    if (kept := kept_of(said, rule.above)) is not None:
        return Verdict("repetition", without_newline(text, starts[kept]))
    if runs_on(line):
        return Verdict("repetition", without_newline(text, start))
    end = text.find("\n", start)
    return Verdict("block", end) if _ends(text[:start], line, rule) else None


def _of_unfinished(text: str, line: str, said: list[str], start: int, rule: Rule) -> Verdict | None:
    """The line under way: its indentation alone can tell that the block has ended."""
    if start and line.strip() and _leaves(text[:start], line, said, rule) and not _may_go_on(line, rule):
        return Verdict("block", without_newline(text, start))
    return Verdict("repetition", without_newline(text, start)) if runs_on(line) else None


def _leaves(before: str, line: str, said: list[str], rule: Rule) -> bool:
    """Whether a line stands outside the block: not deeper than its header. What closes an open block is still of it,
    and so is what is told apart in its own way (`case` in Go's `switch`), and the text of a string."""
    columns = depth(line, rule.unit)
    floor = rule.header_width
    if floor == _MARGIN and said and depth(said[0], rule.unit) > 0:
        floor = 0
    if columns > floor:
        return False
    if columns == floor and _goes_on(line.strip(), rule):
        return False
    return not is_inside(before, rule.language)


def _goes_on(code: str, rule: Rule) -> bool:
    """Whether a line as deep as the header belongs to the block, or to what the header began."""
    layout = layout_of(rule.language)
    if _CASE.match(code):
        return not layout.is_indented and not _CASE.match(rule.header.strip())
    if layout.aside is not None and layout.aside.match(code):
        return not _CASE.match(rule.header.strip())
    if not _is_closer(code, layout):
        return False
    # `else` goes on with an `if` that `end` closes below; not so a second `end`, nor an `else` that is there already.
    is_middle = code[0] not in CLOSERS and not _is_end_of_block(code, layout)
    return not rule.is_closed or (is_middle and _is_end_of_block(rule.closed_by, layout))


def _ends(before: str, line: str, rule: Rule) -> bool:
    """Whether a line that is of the block is its last one."""
    layout = layout_of(rule.language)
    if depth(line, rule.unit) != rule.header_width or not before.strip():
        return False
    return _is_closer(line.strip(), layout) and _is_end_of_block(line, layout) and not is_inside(before, rule.language)


def _is_end_of_block(code: str, layout: Layout) -> bool:
    code = code.rstrip(_BEHIND_CLOSER)
    return layout.is_closed(code, len(code))


def _may_go_on(line: str, rule: Rule) -> bool:
    """Whether an unfinished line may still become a word that goes on with the block: `els`, `cas`."""
    return not layout_of(rule.language).is_indented and line.strip().isalnum()
