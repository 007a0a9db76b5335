"""The names that are used in a stretch of a tree, from what `queries/` capture and the signs beside them.

The tree knows a call where it is sound. In half-written code it often is not, while the bracket behind a
name and the dot before it are still there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

from aigc_lsp.syntax.definitions import Captures
from aigc_lsp.syntax.encoded import Encoded
from aigc_lsp.syntax.symbols import Role, Use

# The more a capture says, the higher.
_RANKS = {"name": 0, "type": 1, "call": 2}

_CALLED = re.compile(r"!?[ \t]*\(")
# The receiver is a plain name only where nothing leads to it: in `a.b.c` that of `c` is none.
_MEMBER = re.compile(
    r"(?:(?P<chain>(?:\.|->|::)\s*)?(?P<name>(?:\$|@{1,2})?[^\W\d]\w*)[!?]?\s*)?"
    r"(?:(?<!\.)\.|[?&!]\.|\??->|::)$"
)
_REACH = 120


def uses(matches: Iterable[tuple[int, Captures]], encoded: Encoded, start: int, end: int) -> tuple[Use, ...]:
    """The names used in `start..end`, code points, among `matches` of the query `names`, in order of place."""
    first, last = encoded.byte_at(start), encoded.byte_at(end)
    found: dict[int, tuple[int, Role, int]] = {}
    given, apart = set(), []
    for _, captures in matches:
        for name, nodes in captures.items():
            node = nodes[0]
            if name == "apart":
                apart.append((node.start_byte, node.end_byte))
            elif name == "given":
                given.add(node.start_byte)
            elif name in _RANKS and first <= node.start_byte and node.end_byte <= last:
                rank = _RANKS[name], cast(Role, name), node.end_byte
                found[node.start_byte] = max(found.get(node.start_byte, rank), rank)
    return tuple(
        _use(encoded, at, node_end, role)
        for at, (_, role, node_end) in sorted(found.items())
        if at not in given and not any(low <= at < high for low, high in apart)
    )


def _use(encoded: Encoded, start_byte: int, end_byte: int, role: Role) -> Use:
    start, end = encoded.offset_at(start_byte), encoded.offset_at(end_byte)
    member = None
    if start and encoded.source[start - 1] in ".>:":
        member = _MEMBER.search(encoded.source, max(start - _REACH, 0), start)
    receiver = (member["name"] or "") if member and not member["chain"] else ""
    if role == "name":
        if _CALLED.match(encoded.source, end):
            role = "call"
        elif member:
            role = "attribute"
    return Use(encoded.source[start:end], start, role, receiver)
