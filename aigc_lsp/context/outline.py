"""What somebody who uses a definition has to know of it: its signature, and of a class what it has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from aigc_lsp.text import Span, Text

MOST_CHARACTERS = 480
"""Of an outline: a class has its first members."""

_MOST_SIGNATURE = 400
_SPACE = re.compile(r"\s*\n\s*")
_LOOSE = re.compile(r"(?<=[(\[]) | ?,? (?=[)\]])")


class Defined(Protocol):
    """As `syntax.Definition` and `index.Defined` are."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def parent(self) -> str: ...
    @property
    def span(self) -> Span: ...
    @property
    def header(self) -> Span: ...


def dotted(defined: Defined) -> str:
    """Its name with its parent's, which is the parent of what it has."""
    return f"{defined.parent}.{defined.name}" if defined.parent else defined.name


def signature(text: Text, defined: Defined) -> str:
    """The header on one line, as code: `def run(self, count: int) -> str: ...`."""
    said = _SPACE.sub(" ", text.slice(defined.header).strip())
    said = _LOOSE.sub("", said)[:_MOST_SIGNATURE]
    is_open = said.endswith(":" if defined.kind in ("function", "method") else "=")
    return f"{said} ..." if is_open else said


def outline(text: Text, defined: Defined, members: Sequence[Defined]) -> str:
    """The signature, and below it those of `members`, as many as there is room for: in their order, but what makes an
    object and what holds its state first."""
    said = signature(text, defined)
    left = MOST_CHARACTERS - len(said)
    kept: list[tuple[int, str]] = []
    for each in sorted(members, key=lambda member: (_rank(member, defined), member.span.start)):
        line = f"    {signature(text, each)}"
        if len(line) >= left:
            break
        left -= len(line) + 1
        kept.append((each.span.start, line))
    return "\n".join([said, *(line for _, line in sorted(kept))])


def within(text: Text, owner: Defined | None, defined: Defined) -> str:
    """The signature of a member, below the line of its class where that is known."""
    said = signature(text, defined)
    return f"{signature(text, owner)}\n    {said}" if owner is not None else said


_MAKERS = {"__init__", "constructor", "initialize", "__construct", "new"}


def _rank(member: Defined, owner: Defined) -> int:
    if member.name in _MAKERS or member.name == owner.name:
        return 0
    if member.kind in ("constant", "variable"):
        return 1
    return 3 if member.name.startswith("_") else 2
