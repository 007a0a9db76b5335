"""What a docstring is about: a function, class or module, with all that its docstring has to name.

Offsets are code points of the whole text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aigc_lsp.text import Span

Kind = Literal["function", "method", "constructor", "property", "class", "module"]

ParameterKind = Literal["plain", "positional", "keyword", "rest", "keywords", "block", "type"]
"""`positional` and `keyword` are those that can be given in one way only; `rest` gathers the positional ones that are
left and `keywords` the named ones; `block` is Ruby's; `type` is a type's parameter."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter or an attribute.

    `name` is as a docstring gives it: `args` for `*args`, without PHP's `$`; what is destructured from a parameter
    follows it with dots (`root`, `root.width`, `root1."0"`, as in JSDoc; with a type `Props`, `props`). `type` and
    `default` are as written, "" where there is none.
    """

    name: str
    type: str = ""
    default: str = ""
    kind: ParameterKind = "plain"
    optional: bool = False
    """It may be left out: it has a default, or is declared so (`x?: T`)."""
    alias: str = ""
    """Of a shell's `$1`: the variable that the function puts it in."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that can have a docstring.

    `span` is the whole definition with its decorators, without a comment above it. `existing` is the docstring or doc
    comment that is there, with its quotes or marks; it is replaced from its first mark to its last. Where there is
    none, a new one goes to `place`:
      - Python, body below the header: `place` begins the line right below the header's, so what is put there is
        `indent`, docstring, line end. A module's likewise, below its leading comments, with no indent;
      - elsewhere `place` is the first character of the definition with its decorators, annotations and `export`, behind
        the line's `indent`: docstring, line end, `indent`;
      - `is_inline` says that other code stands before `place` on its line: in Python the header, whose body begins at
        `place` (or a file ends without a line end); elsewhere a bracket. Then: line end, `indent`, docstring, line end,
        `indent`.
    `indent` stands before each line of the docstring.

    `parameters` has no `self`, `this` or receiver. `returns` and `yields` are the type as written, "" where something
    is returned without one, None where nothing is. `raises` has the names of what leaves the body, in order, each
    once. `attributes` are the public ones of a class, struct or enum.
    """

    kind: Kind
    name: str
    language: str
    span: Span
    header: Span
    body: Span | None
    place: int
    indent: str
    existing: Span | None = None
    parameters: tuple[Parameter, ...] = ()
    generics: tuple[str, ...] = ()
    returns: str | None = None
    always_returns: bool = True
    """False where something is returned, and a way through it is known that ends without a value."""
    yields: str | None = None
    raises: tuple[str, ...] = ()
    attributes: tuple[Parameter, ...] = ()
    is_async: bool = False
    is_static: bool = False
    is_overload: bool = False
    is_abstract: bool = False
    decorators: tuple[str, ...] = ()
    is_inline: bool = False
    """Other code stands before `place` on its line."""
    is_sound: bool = True
    """False where there is an error in the body, so that what leaves it may be told wrongly."""
    parent: str = ""
    """The names of what encloses it, outermost first, with dots between them."""
