"""What to cut: from what the model said to what may be inserted.

Each rule takes the text and gives back its beginning: no word is invented here. An empty text means: show nothing.
"""

from __future__ import annotations

from aigc_lsp.context.window import Window
from aigc_lsp.polish.stop import CLOSERS, Rule, is_word_character

_PAIRS = {")": "(", "]": "[", "}": "{"}
_TRAILING = " \t\f\v\r\n"


def cut(text: str, rule: Rule, window: Window, *, ended: bool) -> str:
    """The text to insert. `ended` is false where the model was stopped by a limit, in the middle of something."""
    if not ended and rule.is_block and "\n" in text:
        text = text[: text.rfind("\n")]  # the line that was cut off
    text = _before_rest(text, window.line_after) if window.line_after.strip() else text
    text = text.rstrip(_TRAILING)
    if not text or _repeats(text, rule):
        return ""
    if rule.is_block and "\n" in text and window.line_after.strip()[:1] in tuple(CLOSERS):
        text += "\n" + rule.header_indent  # `{|}`: the bracket behind the cursor goes below the block
    return text


def _before_rest(text: str, rest: str) -> str:
    """`text` up to where it says what stands behind the cursor anyway.

    Two ways only, since equal characters alone are no sign: the whole rest of the line at the end of the first line,
    or a closing bracket that nothing in the text opened and that the rest begins with.
    """
    wanted = rest.strip()
    first, newline, more = text.partition("\n")
    if wanted[0] in CLOSERS:
        at = _unopened(first)
        if at is not None and first[at] == wanted[0]:
            return first[:at]
    if first.rstrip().endswith(wanted):
        return first.rstrip()[: -len(wanted)]
    return first + newline + more if not is_word_character(wanted[0]) else first


def _unopened(line: str) -> int | None:
    """Where the first closing bracket stands that the line did not open; brackets within quotes do not count."""
    stack: list[str] = []
    quote = ""
    escaped = False
    for at, character in enumerate(line):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif character in _PAIRS.values():
            stack.append(character)
        elif character in _PAIRS:
            if not stack or stack.pop() != _PAIRS[character]:
                return at
    return None


def _repeats(text: str, rule: Rule) -> bool:
    """Whether the text is only the line that stands below already."""
    line = (rule.line_before + text).strip()
    return bool(rule.next_line) and line == rule.next_line.strip() and any(map(str.isalnum, line))
