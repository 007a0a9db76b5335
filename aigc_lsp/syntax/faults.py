"""What a parser could not read: how many errors and missing tokens there are in a tree.

Counts are compared, never read by themselves: an unclosed bracket makes one error of the rest of the file, or fifty.
"""

from __future__ import annotations

import tree_sitter

_MOST = 3_000
"""Nodes that are looked at. What has more of them around its errors is rubble, where a count means nothing."""


def faults(root: tree_sitter.Node) -> tuple[tuple[int, int], ...] | None:
    """The bytes of each error and missing token (start, end), outer ones first; None for rubble."""
    found: list[tuple[int, int]] = []
    if not root.has_error:
        return ()
    walk, left = root.walk(), _MOST
    while left:
        left -= 1
        node = walk.node
        if node is None:
            return None
        if node.is_error or node.is_missing:
            found.append((node.start_byte, node.end_byte))
        if node.has_error and walk.goto_first_child():
            continue
        while not walk.goto_next_sibling():
            if not walk.goto_parent():
                return tuple(found)
    return None
