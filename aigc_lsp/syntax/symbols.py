"""What a file defines, imports and uses: the shapes, without a tree.

Offsets are code points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aigc_lsp.text import Span

DefinitionKind = Literal["class", "module", "function", "method", "type", "constant", "variable"]
Role = Literal["call", "attribute", "type", "name"]


@dataclass(frozen=True, slots=True)
class Definition:
    """What gets a name.

    name    its last part: `run` of `void Server::run()`
    kind    class: also a struct, trait, interface, enum or impl; module: also a namespace or package; constants and
            variables are those of a module or class, never of a function
    span    all of it, from the decorators, attributes and comments that stand right above it
    header  its signature, behind the decorators: with the colon in Python, without the opening brace elsewhere; of a
            constant or variable all that fits on its first line
    body    behind the header; None where there is none (a prototype, a short constant)
    parent  the dotted names of what encloses it, or of the class that it is a method of; "" at the top
    doc     the first paragraph of its docstring or of the comment above, without the marks at both ends (inside, the
            marks of further lines are left); None where there is none
    """

    name: str
    kind: DefinitionKind
    span: Span
    header: Span
    body: Span | None
    parent: str
    doc: Span | None

    @property
    def path(self) -> str:
        """The dotted name, with the parent's."""
        return f"{self.parent}.{self.name}" if self.parent else self.name


@dataclass(frozen=True, slots=True)
class Import:
    """One module that is imported.

    module  as written, without quotes but for C's (`"a.h"` and `<a.h>` differ). Two are made plain: Ruby's
            `require_relative "a"` is "./a", Rust's `mod a;` is "self::a"
    names   (name, name that it gets here, or "" where it keeps its own); empty where the module as a whole is meant.
            JavaScript's default import is called "default"
    span    the statement, or the part of it that names this module
    alias   the name that the module as a whole gets here: "" its own, "*" all its names come in
    """

    module: str
    names: tuple[tuple[str, str], ...]
    span: Span
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """A name that is used at `offset`. `receiver` is the plain name before the dot, the arrow or `::`, or ""."""

    name: str
    offset: int
    role: Role
    receiver: str = ""


@dataclass(frozen=True, slots=True)
class Symbols:
    """What an index keeps of a file."""

    definitions: tuple[Definition, ...]
    imports: tuple[Import, ...]
