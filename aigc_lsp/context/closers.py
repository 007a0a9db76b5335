"""The closers behind the cursor: editors insert them as one types, so they say nothing about what is to be written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

PAIRS = {")": "(", "]": "[", "}": "{"}
QUOTES = "\"'`"
CLOSERS = "".join(PAIRS) + QUOTES
_OPENERS = frozenset(PAIRS.values())


@dataclass(frozen=True, slots=True)
class Scan:
    """A line read from its start: where the closing brackets stand that it did not open, the brackets that it leaves
    open, the outermost first, and the quote that is open at its end."""

    unopened: tuple[int, ...]
    open: str
    quote: str

    @property
    def left_open(self) -> int:
        return len(self.open)


def scan(line: str) -> Scan:
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
        elif character in _OPENERS:
            stack.append(character)
        elif character in PAIRS:
            if stack and stack[-1] == PAIRS[character]:
                stack.pop()
            else:
                unopened.append(at)
    return Scan(tuple(unopened), "".join(stack), quote)


LONGEST = 40
"""Characters of a rest. What is longer no editor has inserted."""


def withheld(line_before: str, line_after: str) -> str:
    """All of `line_after`, or nothing: what of the rest of the cursor's line the model is not to see.

    The rest is withheld where it is blank, or begins with a closing bracket or the quote that is open at the cursor and
    has nothing else behind it but `;`, `,`, `:` and blanks. Those three alone tell how the statement goes on. In a
    docstring that begins on the line, brackets and quotes may stand before its end.
    """
    rest = line_after.strip()
    if len(line_after) > LONGEST or rest[:1] in tuple(";,:"):
        return ""
    docstring = next((mark for mark in ('"""', "'''") if line_before.count(mark) % 2), "")
    if docstring and not rest.strip(CLOSERS):
        return line_after
    quote = scan(line_before).quote if any(mark in rest for mark in QUOTES) else ""
    return line_after if _only_closers(quote).fullmatch(rest) else ""


@cache
def _only_closers(quote: str) -> re.Pattern[str]:
    """With `quote` once, as it ends a string, or three times; no other quote, since that would begin one."""
    mark = f"(?:{quote * 3}|{quote})?" if quote else ""
    return re.compile(rf"[)\]}}\s]*{mark}[)\]}};,:\s]*")
