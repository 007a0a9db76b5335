"""Prose alone: a summary and what follows it."""

from __future__ import annotations

from aigc_lsp.docstring.doc import Doc
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import literal, prose
from aigc_lsp.docstring.subject import Subject


def parse(text: str, subject: Subject) -> Doc:
    """The summary is the first paragraph of a docstring with its quotes."""
    prefix, lines = literal.opened(text)
    return literal.written(Doc(*prose.paragraphs(lines)), prefix)


def render(doc: Doc, subject: Subject, layout: Layout) -> str:
    """The docstring with its quotes. Slots have no place in it."""
    return literal.closed(literal.prose(doc, layout, subject), doc, subject, layout)
