"""What is wrong with the docstrings of a file: missing, or stale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aigc_lsp.docstring.detect import parsed
from aigc_lsp.docstring.stale import Finding, findings
from aigc_lsp.docstring.structure import subjects
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.docstring_files.public import public
from aigc_lsp.syntax import Tree
from aigc_lsp.text import Text


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` counts from 1: that of the definition, or of its docstring where that is stale."""

    kind: Literal["missing", "stale"]
    line: int
    subject: Subject
    message: str


Which = Literal["public", "private", "stale"]
"""Where a docstring is missed: on what is `public` (never in tests), on all but overloads, or nowhere."""


def problems(tree: Tree, which: Which = "public", *, is_test: bool = False) -> list[Problem]:
    """What is missing or stale in a file, in order of place.

    Stale ones count wherever they are; where the code below is broken they count as right.
    """
    text, found = tree.text, subjects(tree)
    missed = public(found, text) if which == "public" and not is_test else []
    if which == "private":
        missed = [each for each in found if not each.is_overload and (each.kind != "module" or text.source.strip())]
    said: list[Problem] = []
    for subject in found:
        if subject.existing is not None:
            line = text.line_at(subject.existing.start) + 1
            said += [
                Problem("stale", line, subject, f"`{path_of(subject)}`: {each.message}")
                for each in stale(text, subject)
            ]
        elif subject in missed:
            said.append(Problem("missing", line_of(text, subject), subject, f"{named(subject)} has no docstring."))
    return said


def stale(text: Text, subject: Subject) -> tuple[Finding, ...]:
    """What the docstring of `subject` says wrongly, in whatever style it is written."""
    if subject.existing is None or not subject.is_sound:
        return ()
    _, doc = parsed(text.slice(subject.existing), subject)
    return findings(subject, doc, text.slice(subject.body) if subject.body else "")


def line_of(text: Text, subject: Subject) -> int:
    """The line of its header, counted from 1."""
    return text.line_at(subject.header.start) + 1 if subject.kind != "module" else 1


def named(subject: Subject) -> str:
    """What it is, for a person: `method `Cart.add``."""
    if subject.kind == "module":
        return "The module" if subject.language == "python" else "The file"
    return f"The {subject.kind} `{path_of(subject)}`"


def path_of(subject: Subject) -> str:
    """Its name behind those of what encloses it."""
    return ".".join(filter(None, [subject.parent, subject.name]))
