"""How something is called elsewhere: the best example of how to call it here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aigc_lsp.text import Span, Text

MOST_LINES, MOST_CHARACTERS = 6, 600
"""Of one call."""

MOST_BEFORE = 200
"""Characters before it on its line: what has more was not written by hand."""

# What stands before a name that is being defined or declared: only words, and none that goes before a call.
_DEFINES = re.compile(r"\s*(?:[\w<>\[\],.?:@]+[\s*&]+|\([^()]*\)\s*)+$|#\s*define\s+$")
_GOES_BEFORE = re.compile(
    r"\b(?:return|await|yield|raise|throw|new|not|and|or|in|is|if|elif|else|while|until|unless|for|do|then|case|when|assert"
    r"|del|go|defer|default|print|echo|puts|with|from|lambda|typeof|delete|unsafe|match|try|emit|sizeof|local|exec)\s"
)
_MEMBER_WITH_BODY = re.compile(r"[^;]*\{\s*$")
_COMMENT = re.compile(r"\s*(?:#(?!\s*define\b)|//|\*|/\*|--|;|%)")
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def calls_of(name: str, text: Text, seen: Span | None = None) -> Iterator[str]:
    """The lines of each call of `name` in `text`, without their indentation; not of those within `seen`, not of its
    definition, and not of what is longer than `MOST_LINES`."""
    source = text.source
    at = source.find(f"{name}(")
    while at >= 0:
        line = text.line_at(at)
        start = text.line_start(line)
        before = source[start:at]
        is_whole = not (before[-1:].isalnum() or before[-1:] == "_") and len(before) <= MOST_BEFORE
        is_seen = seen is not None and seen.start <= at < seen.end
        if is_whole and not is_seen and not _is_definition(before, text.line(line)) and not _COMMENT.match(before):
            last = _last_line(text, at + len(name), line)
            if last is not None:
                yield _dedented([text.line(each) for each in range(line, last + 1)])
        at = source.find(f"{name}(", at + len(name))


def _is_definition(before: str, line: str) -> bool:
    if not before.strip():  # `name(…) {` of a class in JavaScript
        return bool(_MEMBER_WITH_BODY.match(line)) and "=>" not in line and "function" not in line
    return bool(_DEFINES.fullmatch(before)) and not _GOES_BEFORE.search(before)


def _last_line(text: Text, bracket: int, line: int) -> int | None:
    """The line on which the call that opens at `bracket` closes."""
    end = min(text.line_end(min(line + MOST_LINES - 1, text.line_count - 1)), bracket + MOST_CHARACTERS)
    depth = 0
    for at in range(bracket, end):
        character = text.source[at]
        depth += (character in "([{") - (character in _BRACKETS)
        if not depth:
            return text.line_at(at)
    return None


def _dedented(lines: list[str]) -> str:
    width = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[width:] if not line[:width].strip() else line.strip() for line in lines).rstrip()
