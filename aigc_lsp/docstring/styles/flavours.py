"""How tags are written in each style that has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aigc_lsp.docstring.doc import SlotKind

_AT = re.compile(r" {0,3}@([a-z][\w-]*)(?![\w./@])")
_AT_OR_BACKSLASH = re.compile(r" {0,3}[@\\]([a-z]\w*)(?![\w./@])")


_DOXYGEN_INLINE = (
    "a", "b", "c", "e", "em", "p", "f", "n", "li", "arg", "ref", "link", "endlink", "code", "endcode", "verbatim",
    "endverbatim", "image", "cite", "emoji", "anchor",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flavour:
    """How tags are written.

    `kinds` tells what a tag is about, the first tag of a kind is the one that is written. `type` is where a type
    stands: `{…}` or `[…]` brackets, "php" before the name, "" nowhere. `generic` are the brackets around a type's
    parameter. `raised` is how an error is named: bare, in `{…}`, or as a link.
    """

    style: str
    kinds: Mapping[str, SlotKind]
    forms: tuple[str, ...] = ("/**",)
    type: str = ""
    generic: str = "{}"
    raised: str = "{}"
    hang: str = "  "
    tag: re.Pattern[str] = _AT
    marks: int = 1
    inline: frozenset[str] = frozenset()
    ends_at_blank: bool = False

    @property
    def tells(self) -> frozenset[SlotKind]:
        """The kinds of slots that have a tag. Generics without one have that of parameters."""
        return frozenset({*self.kinds.values(), *(("generics",) if self.style in ("javadoc", "kdoc") else ())})


JSDOC = Flavour(
    "jsdoc",
    {
        "template": "generics", "param": "parameters", "arg": "parameters", "argument": "parameters",
        "property": "attributes", "prop": "attributes", "returns": "returns", "return": "returns",
        "yields": "yields", "yield": "yields", "throws": "raises", "exception": "raises",
    },
    type="{}",
    raised="{{{}}}",
)  # fmt: skip

TSDOC = Flavour(
    "tsdoc",
    {
        "typeParam": "generics", "template": "generics", "param": "parameters", "arg": "parameters",
        "property": "attributes", "returns": "returns", "return": "returns", "yields": "yields",
        "throws": "raises", "exception": "raises",
    },
    type="tolerated",
    raised="{{@link {}}}",
)  # fmt: skip

JAVADOC = Flavour(
    "javadoc",
    {"param": "parameters", "return": "returns", "throws": "raises", "exception": "raises"},
    generic="<{}>",
    hang="    ",
)

KDOC = Flavour(
    "kdoc",
    {
        "param": "parameters", "property": "attributes", "return": "returns", "returns": "returns",
        "throws": "raises", "exception": "raises",
    },
)  # fmt: skip

PHPDOC = Flavour(
    "phpdoc",
    {
        "template": "generics", "property": "attributes", "param": "parameters", "return": "returns",
        "throws": "raises",
    },
    type="php",
)  # fmt: skip

DOXYGEN = Flavour(
    "doxygen",
    {
        "tparam": "generics", "param": "parameters", "return": "returns", "returns": "returns", "result": "returns",
        "throws": "raises", "throw": "raises", "exception": "raises", "exceptions": "raises",
    },
    forms=("/**", "/*!", "///", "//!"),
    type="[in]",
    tag=_AT_OR_BACKSLASH,
    marks=2,
    inline=frozenset(_DOXYGEN_INLINE),
    ends_at_blank=True,
)  # fmt: skip

YARD = Flavour(
    "yard",
    {
        "param": "parameters", "attr": "attributes", "return": "returns", "yield": "yields", "raise": "raises",
    },
    forms=("#",),
    type="[]",
    raised="[{}]",
)  # fmt: skip
