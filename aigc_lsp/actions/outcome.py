"""What comes of an action: something to read, or edits that were checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aigc_lsp.config import Config
from aigc_lsp.context.secrets import PLACEHOLDER
from aigc_lsp.errors import ActionRefused
from aigc_lsp.syntax import Tree, parse
from aigc_lsp.text import Edit, Span, Text

UNSOUND = "What the model wrote does not parse, so nothing was changed."
SAME = "The model found nothing to change here."
UNWANTED = "What the model wrote holds what no suggestion may hold, so nothing was changed."


@dataclass(frozen=True, slots=True)
class Shown:
    title: str
    markdown: str


@dataclass(frozen=True, slots=True)
class Changed:
    """`edits` of the document that the action was asked for."""

    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """`edits` of the file at `path`, each in terms of `before`, its text; None where it is to be made."""

    path: str
    before: Text | None
    edits: tuple[Edit, ...]


Outcome = Shown | Changed | Placed


def replaced(text: Text, span: Span, new_text: str) -> Edit:
    """The least that puts `new_text` in the place of `span`, with the line ends of the file. Raises `ActionRefused`
    where that is nothing."""
    new_text = with_line_ends(text, new_text)
    old = text.slice(span)
    if old == new_text:
        raise ActionRefused(SAME)
    most = min(len(old), len(new_text))
    start = next((at for at in range(most) if old[at] != new_text[at]), most)
    end = next((at for at in range(most - start) if old[-1 - at] != new_text[-1 - at]), most - start)
    return Edit(Span(span.start + start, span.end - end), new_text[start : len(new_text) - end])


def with_line_ends(text: Text, new_text: str) -> str:
    """`new_text`, whose lines end in `\\n`, with the line ends of `text`."""
    first = text.source[text.line_end(0) : text.line_start(1)] if text.line_count > 1 else "\n"
    return new_text if first == "\n" else new_text.replace("\r\n", "\n").replace("\n", first)


def checked(language: str, text: Text, edits: Iterable[Edit], config: Config, tree: Tree | None = None) -> None:
    """Return where `text`, which has the `tree`, parses no worse with `edits`, given from the first to the last. Raises
    `ActionRefused`."""
    made = text
    for edit in reversed(tuple(edits)):
        made = made.apply(edit)
    if any(made.source.count(each) > text.source.count(each) for each in (PLACEHOLDER, *config.completion.never)):
        raise ActionRefused(UNWANTED)
    before, after = tree or parse(language, text), parse(language, made)
    if before is None or (allowed := before.faults()) is None:
        return  # nobody can tell
    found = after.faults() if after is not None else None
    if found is None or len(found) > len(allowed):
        raise ActionRefused(UNSOUND)
