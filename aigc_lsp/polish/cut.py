"""What to cut: from what the model said to what may be inserted.

Each rule takes the text and gives back its beginning, or mends how it is indented: no word is invented here. An empty
text means: show nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from aigc_lsp.context.window import Window
from aigc_lsp.polish.below import ends_in, met, repeats
from aigc_lsp.polish.lines import bare, depth, is_attribute, is_signs, is_word_character
from aigc_lsp.polish.mend import indented, plain_lines, unrepeated, whole_words, without_headers
from aigc_lsp.polish.repetition import kept_of
from aigc_lsp.polish.rest import TRAILING, before_rest, over_closers
from aigc_lsp.polish.rest import has_met_rest as has_met_rest
from aigc_lsp.polish.stop import CLOSERS, Rule, verdict

_ENDS_LINE = tuple(")]}\"'`;:{")


@dataclass(frozen=True, slots=True)
class Insertion:
    """`text` in the place of the `replaces` characters behind the cursor, all of them closers that were withheld.

    `alone` is for where nothing can be replaced: `text` itself, or what of it stands before the first closer.
    """

    text: str
    replaces: int
    alone: str


def insertion(text: str, rule: Rule, window: Window, *, ended: bool) -> Insertion:
    """What to insert. `ended` is false where the model was stopped by a limit, in the middle of something.

    `text` is what the model said, or as much of it as a verdict kept: that makes no difference.
    """
    text, ended = _settled(unrepeated(plain_lines(text), rule), rule, ended)
    if not rule.is_block and window.withheld.strip():
        line = text.partition("\n")[0].rstrip(TRAILING)
        text, replaces, alone = over_closers(line if ended else whole_words(line, rule), window)
        text, alone = _shown(text, rule), _shown(alone, rule)
        return Insertion(text, replaces if text else 0, alone)
    if not ended:
        text = text[: text.rfind("\n")] if rule.is_block and "\n" in text else whole_words(text, rule)
    if rule.before_code:
        text = _above_code(text, rule, ended)
    else:
        text = _shown(_before_rest(text, rule, window), rule)
    if rule.is_block and "\n" in text and window.line_after.strip()[:1] in tuple(CLOSERS):
        text += "\n" + rule.header_indent  # `{|}`: the bracket behind the cursor goes below the block
    return Insertion(text, 0, text)


def _settled(text: str, rule: Rule, ended: bool) -> tuple[str, bool]:
    """What a verdict keeps of `text`, and whether it has ended; its last line is judged as the others are."""
    if found := verdict(text, rule):
        text, ended = text[: found.keep], True
    if ended and rule.is_block and (found := verdict(text + "\n", rule)):
        text = text[: found.keep]
    return text, ended


def _before_rest(text: str, rule: Rule, window: Window) -> str:
    rest = window.line_after.strip()
    if rest and rule.is_block and not rule.is_closed and "\n" in text:
        return text[: ends_in(text, rest)]
    return before_rest(text, window) if rest else text


def _above_code(text: str, rule: Rule, ended: bool) -> str:
    """Whole lines above the code that the cursor stands before, or what is said right before it: `this.`, `return `."""
    line, newline, _ = text.partition("\n")
    if not newline and not ended:
        return ""  # half a line, of which nobody knows whether it goes above
    if not newline and line.strip() and not _may_end_line(line):
        return line
    shown = _shown(text, rule)
    indent = rule.line_before if shown else ""
    return f"{shown}\n{indent}" if shown else ""


def _may_end_line(line: str) -> bool:
    return is_word_character(line[-1]) or line[-1] in _ENDS_LINE


def _shown(text: str, rule: Rule) -> str:
    text = text.rstrip(TRAILING)
    if rule.is_block:
        text = without_headers(_before_below(text, rule), rule)
        return indented(text.rstrip(TRAILING), rule)
    return "" if _is_there(text, rule) else text


def _before_below(text: str, rule: Rule) -> str:
    """`text` without the lines at its end that stand below already."""
    lines = (rule.line_before + text).split("\n")
    said = [number for number, line in enumerate(lines) if line.strip()]
    count = repeats([lines[number] for number in said], rule.below, rule.unit)
    if not count:
        return text
    kept = "\n".join(lines[: said[-count]])
    return kept[len(rule.line_before) :].rstrip(TRAILING)


def _is_there(text: str, rule: Rule) -> bool:
    """Whether the text makes only a line that stands below or right above already."""
    line = rule.line_before + text
    if not text.strip():
        return True
    if not rule.is_begun and kept_of([line], rule.above) == 0:
        return True
    if not rule.below or is_attribute(line):
        return False
    same_depth = depth(line, rule.unit) == depth(rule.below[0], rule.unit)
    is_next = bare(line) == bare(rule.below[0]) and (same_depth or not is_signs(line))
    return is_next or met([line], rule.below, rule.unit, is_begun=rule.is_begun) > 0
