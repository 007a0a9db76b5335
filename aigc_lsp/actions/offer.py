"""What is offered at a place: no more than one wants to read in a menu, and nothing that needs the model to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aigc_lsp import catalogue
from aigc_lsp.actions.own import is_possible
from aigc_lsp.actions.problem import Problem
from aigc_lsp.actions.testing_place import is_testable
from aigc_lsp.actions.todo import todo_at
from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.errors import ModelError
from aigc_lsp.text import Span

Name = Literal["explain", "writeTest", "fix", "completeTodo", "action"]

QUICK_FIX = "quickfix"
MOST_FIXES = 2
_LONGEST = 60
"""Characters of a diagnostic's message in a title."""


@dataclass(frozen=True, slots=True)
class Offer:
    """`problem` is the one, by its number among those of the range, that a fix is for; `own` is the title of an action
    of the user's own."""

    name: Name
    title: str
    kind: str
    problem: int | None = None
    own: str = ""


def can_chat(config: Config) -> bool:
    """Whether who is asked can answer in a chat: of a model on this machine its descriptor says so, and a server
    elsewhere has the path or says that it has not."""
    if config.engine.url:
        return True
    try:
        return catalogue.load(config.model).chat
    except ModelError:
        return False


def offered(document: Document, span: Span, problems: Sequence[Problem], config: Config) -> list[Offer]:
    """What may be asked for, where `span` is the selection or the cursor, and `problems` are the diagnostics in it.

    Whether the model can chat (`can_chat`) is the caller's to ask, since it reads the disk.
    """
    found = [
        Offer("fix", f"Fix: {_shortened(each.message)}", QUICK_FIX, number)
        for number, each in enumerate(problems)
        if each.message.strip()
    ][:MOST_FIXES]
    if todo_at(document, span.start) is not None:
        found.append(Offer("completeTodo", "Complete TODO", "refactor.rewrite.todo"))
    if document.text.slice(span).strip():
        found.append(Offer("explain", "Explain selection", "refactor.explain"))
    if (subject := tested_at(document, span)) is not None:
        found.append(Offer("writeTest", f"Write test for {subject.name}", "refactor.test"))
    for own in config.actions:
        if is_possible(own, document, span, len(problems)):
            found.append(Offer("action", own.title, own.kind, own=own.title))
    return found


def tested_at(document: Document, span: Span) -> Subject | None:
    """The function for which a test can be written, where the span is in its header or selects it."""
    if document.tree is None or not is_testable(document.path, document.language):
        return None
    from aigc_lsp.docstring.structure import subjects_at

    found = [
        each
        for each in subjects_at(document.tree, span.start, span.end)
        if each.kind in ("function", "method") and not each.is_abstract and not each.is_overload
    ]
    return found[0] if len(found) == 1 and found[0].name else None


def _shortened(message: str) -> str:
    line = message.strip().split("\n")[0].strip()
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"
