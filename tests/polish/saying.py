"""What is shown where a model says something: the rules alone, without a pipeline. `$0` is the cursor."""

from __future__ import annotations

from dataclasses import replace

from aigc_lsp.context.window import Window, gather
from aigc_lsp.polish.cut import Insertion, has_met_rest, insertion
from aigc_lsp.polish.stop import Rule, rule_for, verdict
from aigc_lsp.syntax import parse, place_without_tree
from aigc_lsp.text import Text


def at_cursor(
    source: str, language: str, *, tree: bool, is_block: bool | None = None, max_lines: int = 16
) -> tuple[Rule, Window]:
    """The rule and the window; `is_block` asks for several lines (or one) whatever the place is."""
    before, after = source.split("$0")
    text = Text(before + after)
    found = parse(language, text) if tree else None
    window = gather(text, len(before), language=language, prefix_tokens=512, suffix_tokens=128, tree=found)
    place = found.place(len(before)) if found else place_without_tree(text, len(before), language)
    rule = rule_for(place, window, max_lines)
    assert rule is not None
    return (rule if is_block is None else replace(rule, is_block=is_block)), window


def said_in_pieces(said: str, size: int, rule: Rule, window: Window, *, ended: bool = True) -> tuple[Insertion, str]:
    """What is inserted, and what was heard of `said`."""
    text = ""
    for at in range(0, len(said), size):
        text += said[at : at + size]
        if end := verdict(text, rule):
            return insertion(text[: end.keep], rule, window, ended=True), text
        if (rule.is_block or not window.withheld.strip()) and has_met_rest(text, window):
            return insertion(text, rule, window, ended=True), text
    return insertion(text, rule, window, ended=ended), text


def shown(
    source: str,
    said: str,
    language: str = "python",
    *,
    ended: bool = True,
    is_block: bool | None = None,
    max_lines: int = 16,
) -> str:
    """The text shown where nothing can be replaced: the same for each size of pieces, with a tree and without."""
    found = {}
    for tree in (True, False):
        rule, window = at_cursor(source, language, tree=tree, is_block=is_block, max_lines=max_lines)
        for size in (1, 3, 10**6):
            inserted, _ = said_in_pieces(said, size, rule, window, ended=ended)
            found[inserted.alone] = f"tree {tree}, pieces of {size}"
    assert len(found) == 1, found
    return next(iter(found))
