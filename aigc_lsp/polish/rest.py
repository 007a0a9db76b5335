"""The rest of the cursor's line: closers that the model was not shown, and what it says of the rest again."""

from __future__ import annotations

import re

from aigc_lsp.context.closers import PAIRS, QUOTES, Scan, scan
from aigc_lsp.context.window import Window
from aigc_lsp.polish.lines import is_word_character

TRAILING = " \t\f\v\r\n"
_MARK = re.compile(r"\"+|'+|`+|\S")


def over_closers(line: str, window: Window) -> tuple[str, int, str]:
    """`line` over the closers that were withheld, as in `Insertion`.

    The model did not see them, so it says those that belong to its line itself: each that it says stands in the place
    of the one behind the cursor, in order. It may close no more brackets than the cursor's line has left open. Where
    its line ends as the withheld closers do, that end is left to them, and often nothing is replaced at all.
    """
    rest, before = window.withheld, scan(window.line_before)
    due = _due(before.open, "".join(PAIRS[mark] for mark in reversed(rest) if mark in PAIRS))
    may_close = len(due)
    is_string = bool(before.quote) and rest.lstrip().startswith(before.quote)
    if not is_string:
        wrong = [at for at, bracket in zip(scan(line).unopened, due, strict=False) if PAIRS[line[at]] != bracket]
        line = line[: wrong[0]].rstrip(TRAILING) if wrong else line
    at = said = 0
    first = None
    for mark in _MARK.finditer(rest):
        found = _where_said(mark[0], line, at, may_close)
        if found is None:
            break
        first = found if first is None else first
        may_close = 0 if mark[0] in PAIRS else may_close
        at, said = found + len(mark[0]), mark.end()
    excess = () if is_string and first is None else scan(line[at:]).unopened[may_close:]
    line = line[: at + excess[0]].rstrip(TRAILING) if excess else line
    alone = line if first is None else line[:first]
    while said and line.endswith(rest[said - 1]):
        line, said = line[:-1], said - 1
    return (line, said, alone) if rest[:said].strip() else (line, 0, line)


def _due(opened: str, kept: str) -> str:
    """Of the brackets that are open at the cursor those that the text may close, the last opened first.

    The rest of the line closes `kept`, and with it the outermost ones that it can: what is open within is the text's.
    """
    at = max(opened.find(kept), 0)
    return opened[at + len(kept) :][::-1]


def _where_said(mark: str, line: str, start: int, may_close: int) -> int | None:
    """Where `line` says `mark`, a closer: from `start` on, outside of what it opens itself there."""
    if mark[0] in QUOTES:
        ended = re.compile(rf"((?:\\.|(?!{mark})[^\\])*){mark}").match(line, start)
        return None if ended is None else ended.end(1)
    if mark in PAIRS:
        closing = scan(line[start:]).unopened[may_close:]
        return start + closing[0] if closing and line[start + closing[0]] == mark else None
    for at in range(start, len(line)):
        if line[at] == mark:
            before = scan(line[start:at])
            if not before.left_open and not before.quote:
                return at
    return None


def before_rest(text: str, window: Window) -> str:
    """`text` up to where it says what stands behind the cursor anyway.

    Three ways only, since equal characters alone are no sign: the quote that ends the string the cursor is in, a
    closing bracket beyond those that the line has left open and its rest does not close, or else the whole rest of the
    line at the end of the first line.
    """
    wanted = window.line_after.strip()
    first, newline, more = text.partition("\n")
    before, rest = scan(window.line_before), scan(wanted)
    if before.quote:
        if wanted[0] == before.quote:
            mark = wanted[0] * (3 if wanted.startswith(wanted[0] * 3) else 1)
            if (match := re.match(rf"((?:\\.|(?!{mark})[^\\])*){mark}", first)) is not None:
                return match[1]
    elif rest.unopened:
        if (at := _excess_closer(first, before, rest)) is not None:
            return _without_end(first[:at], wanted[: rest.unopened[0]].rstrip())
        if wanted[0] in PAIRS:
            return text
    said = _without_end(first.rstrip(), wanted)
    if said != first.rstrip():
        return said
    return first if is_word_character(wanted[0]) else first + newline + more


def _without_end(line: str, end: str) -> str:
    """`line` without `end`, where it ends so and not in the middle of a word."""
    said = line.removesuffix(end)
    joined = is_word_character(end[:1]) and is_word_character(said[-1:])
    return line if joined else said


def has_met_rest(text: str, window: Window) -> bool:
    """Whether the text so far closes a bracket that the rest of the line closes: what comes then will be cut."""
    if not window.line_after.strip():
        return False
    before, rest = scan(window.line_before), scan(window.line_after.strip())
    return (
        not before.quote and bool(rest.unopened) and _excess_closer(text.partition("\n")[0], before, rest) is not None
    )


def _excess_closer(first: str, before: Scan, rest: Scan) -> int | None:
    """Where the line closes one bracket more than it may, being followed by `rest`."""
    may_close = max(0, before.left_open - len(rest.unopened))
    closing = scan(first).unopened
    return closing[may_close] if len(closing) > may_close else None
