"""Subjects and docstrings that the tests of styles share."""

from __future__ import annotations

import re
from dataclasses import replace

from aigc_lsp.docstring.doc import SLOT_KINDS, Doc, Section, Slot
from aigc_lsp.docstring.styles import OF_LANGUAGE
from aigc_lsp.docstring.subject import Parameter, Subject
from aigc_lsp.text import Span

LANGUAGE = {style: language for language, styles in OF_LANGUAGE.items() for style in styles} | {
    "kdoc": "kotlin",
    "tsdoc": "typescript",
    "jsdoc": "javascript",
}


def subject(*names: str | Parameter, language: str = "python", indent: str = "    ", **rest: object) -> Subject:
    """A function with these parameters; a name alone is one without type and default."""
    parameters = tuple(Parameter(name) if isinstance(name, str) else name for name in names)
    rest = {"kind": "function", "name": "scale", "body": Span(0, 1)} | rest
    return Subject(
        span=Span(0, 1), header=Span(0, 1), place=0, language=language, indent=indent, parameters=parameters, **rest
    )


def flowed(doc: Doc) -> Doc:
    """`doc` without the line breaks inside its paragraphs."""
    for kind in SLOT_KINDS:
        doc = doc.with_slots(kind, (Slot(each.name, each.type, _flow(each.phrase)) for each in doc.slots(kind)))
    others = tuple(Section(each.title, _flow(each.text)) for each in doc.others)
    return replace(doc, summary=_flow(doc.summary), description=_flow(doc.description), others=others)


def _flow(text: str) -> str:
    return re.sub(r"(?<=\S)\n(?=\S)", " ", text)


SCALE = subject(
    Parameter("x", "float"),
    Parameter("by", "float", "2.0"),
    Parameter("rest", "float", kind="rest"),
    returns="float",
    raises=("ValueError",),
    generics=("T",),
)

WORDS = Doc(
    summary="Scale a number.",
    description="The factor comes last.\n\nNothing is rounded.",
    generics=(Slot("T", "", "The kind of number."),),
    parameters=(
        Slot("x", "", "The number to scale, which may be as large as anybody likes, or nothing at all."),
        Slot("by", "", "The factor."),
        Slot("rest", "", "More numbers."),
    ),
    returns=(Slot("", "", "The scaled number."),),
    raises=(Slot("ValueError", "", "If the factor is zero."),),
)
"""What is said of `SCALE`; its longest phrase needs two lines."""
