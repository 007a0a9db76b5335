"""What is mended of what the model said: how it begins, how it is indented, and an end in the middle of a word.

No word is invented: but for indentation, all of it is a part of what was said.
"""

from __future__ import annotations

import re

from aigc_lsp.context.closers import scan
from aigc_lsp.polish.lines import UNITS, depth, is_inside, is_word_character
from aigc_lsp.polish.stop import Rule
from aigc_lsp.syntax.layouts import layout_of
from aigc_lsp.syntax.place import indent_of

_LAST_WORD = re.compile(r"[\w$]+\Z")
# What a line cannot end with: operators, open brackets, and words that want another one.
_DANGLING = re.compile(
    r"(?:[\s=+\-*/%<>&|^~,.:(\[{!?@\\]|(?<!\w)(?:and|or|not|in|is|if|else|await|new|lambda|for|as|return)(?!\w))+\Z"
)
_LEADING_BLANKS = re.compile(r"[ \t]*")


def plain_lines(text: str) -> str:
    """With no line end but `\\n`."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def unrepeated(text: str, rule: Rule) -> str:
    """`text` without what stands before the cursor on its line, where the model said the line from its start."""
    before = rule.line_before
    lead = _LEADING_BLANKS.match(text)
    blanks = lead[0] if lead else ""
    if before and not before.strip():
        is_nested = depth(before + "x", rule.unit) <= rule.header_width
        return text[len(blanks) :] if blanks == before and not is_nested and rule.kind == "code" else text
    said, start = before.strip(), text[len(blanks) :]
    if len(said) < 3 or not start.startswith(said) or not _is_line(said):
        return text
    left = start[len(said) :]
    return left if left.partition("\n")[0].strip() else text


def _is_line(said: str) -> bool:
    """Whether nobody says `said` twice in a row: it ends within a word, or is more than a word and a bracket."""
    return is_word_character(said[-1]) or len(said.split()) > 1


def whole_words(text: str, rule: Rule) -> str:
    """One line that a limit cut off, up to where its last whole word makes sense as an end; may be empty."""
    if rule.kind != "code":
        return text[: max(text.rfind(" "), 0)].rstrip()
    text = _LAST_WORD.sub("", text)
    if not scan(rule.line_before).quote and (at := _open_quote(rule.line_before, text)) is not None:
        text = text[:at]
    return _DANGLING.sub("", text)


def _open_quote(line_before: str, text: str) -> int | None:
    """Where in `text` a string begins that it does not end."""
    if not scan(line_before + text).quote:
        return None
    return next(at for at in range(len(text) - 1, -1, -1) if not scan(line_before + text[:at]).quote)


def without_headers(text: str, rule: Rule) -> str:
    """Several lines without those at the end that open a block with nothing in it, not even what stands below."""
    layout = layout_of(rule.language)
    inside = depth(rule.below[0], rule.unit) if rule.below else 0
    while "\n" in text.strip():
        rest, _, last = text.rstrip().rpartition("\n")
        if not layout.opens.match(last) or depth(last, rule.unit) < inside:
            break
        text = rest
    return text


def indented(text: str, rule: Rule) -> str:
    """Several lines, indented as the file is: by tabs or blanks, and by as many. Who is how deep stays as said."""
    unit, lines = rule.unit, text.split("\n")
    if not unit or rule.kind != "code" or len(lines) < 2:
        return text
    said_unit = _said_unit(lines, rule)
    found = []
    for number, line in enumerate(lines):
        own = bool(rule.line_before) if number == 0 else not line.strip()
        if not own and not is_inside("\n".join(lines[:number]), rule.language):
            line = _indented(line, said_unit, lines, rule)
        found.append(line)
    return "\n".join(found)


def _indented(line: str, said_unit: int, lines: list[str], rule: Rule) -> str:
    indent, unit = indent_of(line), rule.unit
    code = line[len(indent) :]
    if unit == "\t":
        blanks = len(indent) - len(indent.lstrip("\t"))
        over = len(indent) - blanks
        width = said_unit or 4
        is_blanks = "\t" not in indent[blanks:] and not blanks
        return "\t" * (over // width) + " " * (over % width) + code if is_blanks else line
    if "\t" in indent:
        return indent.replace("\t", unit) + code
    if not said_unit or said_unit == len(unit):
        return line
    base = _base(lines, rule)
    deeper = len(indent) - base
    if deeper <= 0:
        return line
    return " " * (base + deeper // said_unit * len(unit) + deeper % said_unit) + code


def _base(lines: list[str], rule: Rule) -> int:
    """The depth that the text's own steps begin from: of the cursor, or of the header where it writes that itself."""
    begins_itself = rule.line_before.strip() or indent_of(lines[0]) or not rule.line_before
    return rule.header_width if begins_itself else depth(rule.line_before + "x", rule.unit)


def _said_unit(lines: list[str], rule: Rule) -> int:
    """By how many blanks the text indents what stands below a header; 0 where it does not say, or not always so."""
    layout = layout_of(rule.language)
    steps = set()
    header, columns = rule.header, max(rule.header_width, 0)
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        is_users = number == 0 and rule.line_before.strip()
        here = depth(rule.line_before + line if number == 0 else line)
        by_user = number == 0 and rule.line_before and not indent_of(line)
        if layout.opens.match(header.rstrip()) and not is_users and not by_user and here > columns:
            steps.add(here - columns)
        header, columns = (rule.line_before + line if number == 0 else line), here
    return steps.pop() if len(steps) == 1 and steps <= set(UNITS) else 0
