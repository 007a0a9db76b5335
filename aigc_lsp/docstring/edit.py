"""The edit that puts a docstring in its place, and the check that it touches nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from aigc_lsp.docstring.structure import subjects
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.errors import DocstringRefused
from aigc_lsp.syntax import Tree, shape
from aigc_lsp.text import Edit, Span, Text

_BREAK = re.compile(r"\r\n?|\n")
_BLANK_LINES = re.compile(r"(?:[ \t\f]*(?:\r\n?|\n))*")
_OWN_GAP = re.compile(r"[ \t\f]*(?:async\s+def|def|class|@|#)")
"""What a blank line stands above by custom, below a function's docstring too."""


def edit_for(text: Text, subject: Subject, docstring: str) -> Edit:
    """What puts `docstring`, as a style renders it, where `subject` has its own or would have it; only what differs is
    replaced. Its lines end as those of the file do. Around a docstring that is new in Python the blank lines are those
    that are the custom (ruff's D202, D204)."""
    found = _BREAK.search(text.source)
    end = found[0] if found else "\n"
    docstring = docstring.replace("\n", end)
    if subject.existing is not None:
        return _least(text, subject.existing, docstring)
    place, indent = subject.place, subject.indent
    if subject.is_inline:
        before = len(text.source[:place].rstrip(" \t"))
        behind = "" if not text.source[place:].strip() else end + indent
        return Edit(Span(before, place), f"{end}{indent}{docstring}{behind}" if before else docstring + behind)
    if subject.language != "python":
        gap = end if subject.kind == "module" and subject.language != "go" else ""
        return Edit(Span(place, place), f"{docstring}{end}{gap}{indent}")
    blanks = _BLANK_LINES.match(text.source, place)
    below = blanks.end() if blanks else place
    if subject.kind in ("class", "module"):
        gap = end if below == place and below < len(text) else ""
        return Edit(Span(place, place), f"{indent}{docstring}{end}{gap}")
    below = place if _OWN_GAP.match(text.source, below) else below
    return Edit(Span(place, below), f"{indent}{docstring}{end}")


def _least(text: Text, old: Span, new: str) -> Edit:
    """The replacement of `old` by `new`, without the lines that they begin and end with alike."""
    before, after = _lines(text.slice(old)), _lines(new)
    first = sum(len(one) for one, _ in takewhile(_alike, zip(before, after, strict=False)))
    most = min(len(text.slice(old)), len(new)) - first
    last = 0
    for one, other in zip(reversed(before), reversed(after), strict=False):
        if one != other or last + len(one) > most:
            break
        last += len(one)
    return Edit(Span(old.start + first, old.end - last), new[first : len(new) - last])


def _alike(pair: tuple[str, str]) -> bool:
    return pair[0] == pair[1]


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+", text)


def leaves_code_alone(before: Tree, after: Tree) -> bool:
    """Whether two trees are the same but for docstrings and doc comments."""
    return shape(before, _docstrings(before)) == shape(after, _docstrings(after))


def _docstrings(tree: Tree) -> list[Span]:
    found = {each.existing for each in subjects(tree) if each.existing is not None}
    spans = sorted(found, key=lambda span: (span.start, -span.end))
    return [span for n, span in enumerate(spans) if not n or spans[n - 1].end <= span.start]


def checked(tree: Tree, edits: Sequence[Edit]) -> Tree:
    """The tree with `edits`, each in terms of `tree`'s text and none in another.

    Raises `DocstringRefused` where more than docstrings would change. Whoever applies an edit has checked it.
    """
    done, text = tree, tree.text
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text.apply(edit)
        changed = done.edit([edit], text)
        if changed is None:
            raise DocstringRefused("The file with its docstring cannot be parsed, so nothing is written.")
        done = changed
    if not leaves_code_alone(tree, done) or (done.has_errors and not tree.has_errors):
        raise DocstringRefused("The docstring would change more than docstrings here, so nothing is written.")
    return done
