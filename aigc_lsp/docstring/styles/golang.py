"""Go's doc comments: prose whose first sentence begins with the name of what it is about."""

from __future__ import annotations

import re
from dataclasses import replace

from aigc_lsp.docstring.doc import Doc
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import comment, prose
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.docstring.verbs import base, third_person


def parse(text: str, subject: Subject) -> Doc:
    """The summary is the first paragraph of a comment with its marks; directives are set apart."""
    found = comment.opened(text)
    summary, description = prose.paragraphs(found.lines)
    return Doc(summary, description, directives=found.directives, is_written=True)


def render(doc: Doc, subject: Subject, layout: Layout) -> str:
    """The comment with its marks. Slots have no place in it."""
    form = "//"
    if not doc.is_written:
        doc = replace(doc, summary=begun(doc.summary, subject))
    blocks = comment.prose(doc, layout, comment.room_in(form, subject, layout))
    lines = [line for block in blocks for line in ["", *block]][1:]
    text = comment.closed(lines, form, replace(doc, directives=()), subject, layout)
    gap = [form] if doc.directives and lines else []  # gofmt sets directives apart
    return f"\n{subject.indent}".join([text, *gap, *doc.directives])


def begun(summary: str, subject: Subject) -> str:
    """A sentence that begins with the subject's name: "Return the key." becomes "Key returns the key."."""
    name = subject.name if subject.kind != "module" else f"Package {subject.name}"
    if re.match(rf"(?:(?:A|An|The) )?{re.escape(name)}\b|Deprecated:", summary):
        return summary
    first, space, rest = summary.partition(" ")
    return f"{name} {_third_person(first)}{space}{rest}" if summary else name


def _third_person(verb: str) -> str:
    """An imperative as Go's comments have it; a word that is none by its looks stays."""
    lower = verb[:1].lower() + verb[1:]
    if not lower.islower():  # HTTP, a name
        return verb
    if not lower.isalpha() or (lower.endswith("s") and not lower.endswith("ss")):
        return lower
    verb = base(lower)
    return third_person(verb) if verb else lower
