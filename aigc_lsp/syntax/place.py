"""What completion needs to know about a cursor."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from aigc_lsp.text import Text

_INDENT = re.compile("\ufeff?([ \\t\\f]*)")

Kind = Literal["code", "string", "comment"]
ScopeKind = Literal["class", "function"]
Scope = tuple[tuple[str, ScopeKind], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """The surroundings of one offset.

    kind          what the cursor is inside of; a docstring is "string", a substitution in a string is "code"
    scope         (name, kind) of the enclosing classes and functions, outermost first
    opens_block   the body of a block begins here, and it is so far empty (comments and a docstring aside)
    block_indent  indentation of the line that opens the innermost block (or that to be written), or ""
    block_end     where that block ends, never before the cursor; None at top level
    """

    kind: Kind
    scope: Scope
    opens_block: bool
    block_indent: str
    block_end: int | None


@dataclass(frozen=True, slots=True)
class Opener:
    """A token that opens a block: it ends at `end`, and the line that owns it is indented by `indent`."""

    end: int
    indent: str


@dataclass(frozen=True, slots=True)
class Block:
    """A body: where it ends, with the indentation of the line that opens it."""

    end: int
    indent: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Scope and innermost block of a cursor, however they were found."""

    scope: Scope
    block: Block | None


def width(indent: str) -> int:
    """Columns that an indentation takes, with Python's tab stops."""
    return len(indent.expandtabs(8))


def indent_of(line: str) -> str:
    """The indentation of a line; a byte order mark is none of it."""
    match = _INDENT.match(line)
    return match[1] if match else ""


def indent_at(text: Text, line: int) -> str:
    """The indentation of line `line`, without a copy of the line."""
    match = _INDENT.match(text.source, text.line_start(line))
    return match[1] if match else ""
