"""What to cut: from what the model said to what may be inserted.

Each rule takes the text and gives back its beginning: no word is invented here. An empty text means: show nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aigc_lsp.context.window import Window
from aigc_lsp.polish.stop import CLOSERS, Rule, is_word_character

_PAIRS = {")": "(", "]": "[", "}": "{"}
QUOTES = "\"'`"
_TRAILING = " \t\f\v\r\n"


def cut(text: str, rule: Rule, window: Window, *, ended: bool) -> str:
    """The text to insert. `ended` is false where the model was stopped by a limit, in the middle of something."""
    if not ended and rule.is_block and "\n" in text:
        text = text[: text.rfind("\n")]  # the line that was cut off
    text = _before_rest(text, window) if window.line_after.strip() else text
    text = text.rstrip(_TRAILING)
    if not text or _repeats(text, rule):
        return ""
    if rule.is_block and "\n" in text and window.line_after.strip()[:1] in tuple(CLOSERS):
        text += "\n" + rule.header_indent  # `{|}`: the bracket behind the cursor goes below the block
    return text


def _before_rest(text: str, window: Window) -> str:
    """`text` up to where it says what stands behind the cursor anyway.

    Three ways only, since equal characters alone are no sign: the quote that ends the string the cursor is in, a
    closing bracket beyond those that the line has left open and its rest does not close, or else the whole rest of the
    line at the end of the first line.
    """
    wanted = window.line_after.strip()
    first, newline, more = text.partition("\n")
    before, rest = _scan(window.line_before), _scan(wanted)
    if before.quote:
        if wanted[0] == before.quote:
            mark = wanted[0] * (3 if wanted.startswith(wanted[0] * 3) else 1)
            if (match := re.match(rf"((?:\\.|(?!{mark})[^\\])*){mark}", first)) is not None:
                return match[1]
    elif rest.unopened:
        if (at := _excess_closer(first, before, rest)) is not None:
            return first[:at]
        if wanted[0] in CLOSERS:
            return text
    said = first.rstrip().removesuffix(wanted)
    joined = is_word_character(wanted[0]) and is_word_character(said[-1:])
    if said != first.rstrip() and not joined:
        return said
    return first if is_word_character(wanted[0]) else first + newline + more


def has_met_rest(text: str, window: Window) -> bool:
    """Whether the text so far closes a bracket that the rest of the line closes: what comes then will be cut."""
    if not window.line_after.strip():
        return False
    before, rest = _scan(window.line_before), _scan(window.line_after.strip())
    return (
        not before.quote and bool(rest.unopened) and _excess_closer(text.partition("\n")[0], before, rest) is not None
    )


def _excess_closer(first: str, before: _Scan, rest: _Scan) -> int | None:
    """Where the line closes one bracket more than it may, being followed by `rest`."""
    may_close = max(0, before.left_open - len(rest.unopened))
    closing = _scan(first).unopened
    return closing[may_close] if len(closing) > may_close else None


@dataclass(frozen=True, slots=True)
class _Scan:
    """A line read from its start: where the closing brackets stand that it did not open, how many brackets it leaves
    open, and the quote that is open at its end."""

    unopened: tuple[int, ...]
    left_open: int
    quote: str


def _scan(line: str) -> _Scan:
    """Brackets within quotes do not count."""
    stack: list[str] = []
    unopened: list[int] = []
    quote = ""
    escaped = False
    for at, character in enumerate(line):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in QUOTES:
            quote = character
        elif character in _PAIRS.values():
            stack.append(character)
        elif character in _PAIRS:
            if stack and stack[-1] == _PAIRS[character]:
                stack.pop()
            else:
                unopened.append(at)
    return _Scan(tuple(unopened), len(stack), quote)


def _repeats(text: str, rule: Rule) -> bool:
    """Whether the text is only the line that stands below already."""
    line = (rule.line_before + text).strip()
    return bool(rule.next_line) and line == rule.next_line.strip() and any(map(str.isalnum, line))
