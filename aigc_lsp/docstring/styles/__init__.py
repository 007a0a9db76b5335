"""The styles of docstrings: what one says, and how the same is written in it.

`parse(text, subject)` takes a docstring with its quotes or comment marks, of any line ends, and never raises; nothing
that a human wrote is lost. `render(doc, subject, layout)` gives it back: lines end with "\\n", the first has no
indentation (it stands where the subject's `place` or `existing` begins), the others have the subject's. The slots of
the docstring are written in the subject's order, with its stars, and its types where the style or the layout has them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from aigc_lsp.docstring.doc import Doc, SlotKind
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import (
    csharp,
    fields,
    flavours,
    golang,
    google,
    numpy,
    plain,
    rustdoc,
    shell,
    tags,
)
from aigc_lsp.docstring.subject import Subject


@dataclass(frozen=True, slots=True)
class Style:
    """A way to write docstrings. `tells` are the kinds of slots that it has a place for, `asks` those that a new
    docstring in it has where its subject has them."""

    name: str
    parse: Callable[[str, Subject], Doc]
    render: Callable[[Doc, Subject, Layout], str]
    tells: frozenset[SlotKind]
    asks: frozenset[SlotKind]


_PYTHON: frozenset[SlotKind] = frozenset(["parameters", "returns", "yields", "raises", "attributes"])
_CALLED: frozenset[SlotKind] = frozenset(["generics", "parameters", "returns", "yields", "raises"])
_NONE: frozenset[SlotKind] = frozenset()


def _tags(flavour: flavours.Flavour, *also: SlotKind) -> Style:
    parse, render = partial(tags.parse, flavour=flavour), partial(tags.render, flavour=flavour)
    asks = flavour.tells & (_CALLED | frozenset(also)) - frozenset(["generics"] if flavour is flavours.PHPDOC else [])
    return Style(flavour.style, parse, render, flavour.tells, asks)


def _fields(marks: fields.Marks) -> Style:
    parse, render = partial(fields.parse, marks=marks), partial(fields.render, marks=marks)
    return Style(marks.style, parse, render, _PYTHON, _PYTHON)


STYLES: dict[str, Style] = {
    style.name: style
    for style in (
        Style("google", google.parse, google.render, _PYTHON, _PYTHON),
        Style("numpy", numpy.parse, numpy.render, _PYTHON, _PYTHON),
        _fields(fields.SPHINX),
        _fields(fields.EPYTEXT),
        Style("plain", plain.parse, plain.render, _NONE, _NONE),
        _tags(flavours.JSDOC),
        _tags(flavours.TSDOC),
        _tags(flavours.JAVADOC),
        _tags(flavours.KDOC, "attributes"),
        _tags(flavours.PHPDOC),
        _tags(flavours.DOXYGEN),
        _tags(flavours.YARD),
        Style("rustdoc", rustdoc.parse, rustdoc.render, _CALLED - {"yields"}, frozenset(["raises"])),
        Style("go", golang.parse, golang.render, _NONE, _NONE),
        Style("csharp", csharp.parse, csharp.render, _CALLED - {"yields"}, _CALLED - {"yields"}),
        Style(
            "shell", shell.parse, shell.render, _CALLED & {"parameters", "returns"}, _CALLED & {"parameters", "returns"}
        ),
    )
}

OF_LANGUAGE: dict[str, tuple[str, ...]] = {
    "python": ("google", "numpy", "sphinx", "epytext", "plain"),
    **dict.fromkeys(("javascript", "javascriptreact"), ("jsdoc", "tsdoc")),
    **dict.fromkeys(("typescript", "typescriptreact"), ("tsdoc", "jsdoc")),
    "java": ("javadoc",),
    "c": ("doxygen",),
    "cpp": ("doxygen",),
    "csharp": ("csharp",),
    "go": ("go",),
    "rust": ("rustdoc",),
    "ruby": ("yard",),
    "php": ("phpdoc",),
    "shellscript": ("shell",),
}
"""The styles of each language, its default first; every other language has `kdoc`."""
