"""Docstrings that a user asks for: which are meant, and the edits that write them.

Contract
    `meant` looks at a tree and nothing else. `written` asks the model. What it gives is for the document as it is then,
    in one piece, and leaves the code alone; nothing is given where that is another document by now.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal, cast
from weakref import WeakValueDictionary

from lsprotocol import types

from aigc_lsp.errors import DocstringRefused, DocumentChanged
from aigc_lsp.server import positions
from aigc_lsp.server.edits import document_of
from aigc_lsp.server.plain import is_version, plain_range, range_in
from aigc_lsp.server.working import model_at_hand, working
from aigc_lsp.text import Edit, Span

if TYPE_CHECKING:
    from aigc_lsp.context.document import Document
    from aigc_lsp.docstring.manner import Manner
    from aigc_lsp.docstring.subject import Subject
    from aigc_lsp.server.app import Server
    from aigc_lsp.server.working import Report
    from aigc_lsp.syntax import Tree
    from aigc_lsp.text import Text

Scope = Literal["one", "methods", "file"]
"""What a range means; a class and what is in it; all of the file that others use."""

State = Literal["missing", "stale", "bare", "right"]
"""`bare`: there is a docstring, and it does not tell of all that its style asks for."""

Put = Callable[["Document", tuple[Edit, ...]], Awaitable[None]]

Place = tuple[int, int]
"""From one offset to another."""

CHANGED = "The file was changed meanwhile, so no docstring was written."


class Turns:
    """One after the other in each document: the second is for what the first has written."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, uri: str) -> asyncio.Lock:
        return self._locks.setdefault(uri, asyncio.Lock())


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a user wants docstrings of, as a client sends it back. Without a `version` it is the document as it is."""

    uri: str
    range: types.Range
    scope: Scope
    version: int | None = None

    def plain(self) -> dict[str, Any]:
        wanted = {"uri": self.uri, "range": plain_range(self.range), "scope": self.scope}
        return wanted if self.version is None else {**wanted, "version": self.version}


def wanted_of(given: Any) -> Wanted:
    """Raises `ValueError` where it is none."""
    match given:
        case {"uri": str(uri), "scope": "one" | "methods" | "file" as scope} if is_version(given.get("version")):
            return Wanted(uri, range_in(given.get("range")), cast(Scope, scope), given.get("version"))
    raise ValueError("no {uri, range, scope}")


# What is meant


def meant(document: Document, start: int, end: int, scope: Scope) -> list[Subject]:
    """What `start..end` of a document means, in order of place, where its docstring is not right. Of a class and of a
    file only what lacks its docstring, or has a stale one."""
    from aigc_lsp.docstring.structure import subjects_at

    tree = document.tree
    if tree is None:
        return []
    if scope == "file":
        return _wanting(tree, "public")
    found = subjects_at(tree, start, end)
    if scope == "one":
        return [each for each in found if state_of(document.text, each) != "right"]
    outer = next((each for each in found if each.kind == "class"), None)
    return [] if outer is None else [each for each in _wanting(tree, "private") if _is_of(each, outer)]


def _wanting(tree: Tree, which: Literal["public", "private"]) -> list[Subject]:
    from aigc_lsp.docstring_files.problems import problems

    return list({each.subject.span: each.subject for each in problems(tree, which)}.values())


def _is_of(subject: Subject, outer: Subject) -> bool:
    """Whether it is the class itself, or something in it that a docstring is written for."""
    if subject.span == outer.span:
        return True
    path = ".".join(filter(None, (outer.parent, outer.name)))
    is_inside = outer.span.start <= subject.span.start and subject.span.end <= outer.span.end
    return is_inside and subject.parent == path and subject.kind != "constructor" and not subject.name.startswith("_")


def state_of(text: Text, subject: Subject) -> State:
    """How the docstring of `subject` stands, by itself."""
    from aigc_lsp.docstring.detect import parsed
    from aigc_lsp.docstring.fill import wanted
    from aigc_lsp.docstring_files.problems import stale

    if subject.existing is None:
        return "missing"
    if stale(text, subject):
        return "stale"
    style, doc = parsed(text.slice(subject.existing), subject)
    return "right" if wanted(subject, doc, style.asks) == doc and doc.summary else "bare"


# What is written


async def written(
    server: Server, wanted: Wanted, title: str, put: Put | None = None
) -> tuple[Document, tuple[Edit, ...]]:
    """The edits that come of it, none where all is right, and the document that they are for. With a progress that has
    this title. With `put`, which puts them into the document, that may change meanwhile, but not in what it is about.

    Raises `DocumentChanged`, `EngineUnavailable`, `DocstringRefused`, or another `AigcError` with a sentence, and
    `EndedByUser`.
    """
    document = await _document_of(server, wanted)
    text, encoding = document.text, server.session.encoding
    start, end = (
        positions.offset_at(text, each.line, each.character, encoding)
        for each in (wanted.range.start, wanted.range.end)
    )
    subjects = await asyncio.to_thread(meant, document, start, end, wanted.scope)
    async with server.turns.of(wanted.uri):
        following = _Following(server, document, ())
        if put is not None and following.now.text is not text:  # something was written before it was our turn
            document = await _document_of(server, replace(wanted, version=None))
            if wanted.scope != "file":  # no await between the two: both are of one text
                ((start, end),) = following.carried([(min(start, end), max(start, end))])
            subjects = await asyncio.to_thread(meant, document, start, end, wanted.scope)
        following = _Following(server, document, subjects)
        if not subjects:
            return following.now, ()

        async def work(report: Report) -> tuple[Edit, ...]:
            return await _edits(server, document, subjects, report)

        def check() -> None:
            if put is not None:
                following.carried(())
            elif following.now.text is not document.text:
                raise DocumentChanged(CHANGED)

        edits = await working(server, title, work, check)
        found = following.now, await following.checked(edits)
        if put is not None and edits:
            await put(*found)
        return found


async def _document_of(server: Server, wanted: Wanted) -> Document:
    """With its tree."""
    document = await document_of(server, wanted.uri, wanted.version, CHANGED)
    if document.tree is None:
        raise DocstringRefused(f"This file cannot be parsed as {document.language}, so no docstring is written.")
    return document


async def _edits(server: Server, document: Document, subjects: Sequence[Subject], report: Report) -> tuple[Edit, ...]:
    from aigc_lsp.writer import write_docstring

    backend, config = await model_at_hand(server), server.session.config
    manner = await manner_in(server, document)
    edits: list[Edit] = []
    refused: list[DocstringRefused] = []
    for number, subject in enumerate(subjects):

        def progressed(done: int, of: int, number: int = number, subject: Subject = subject) -> None:
            share = (number + done / max(of, 1)) / len(subjects)
            report(subject.name or os.path.basename(document.path), int(100 * share))

        progressed(0, 1)
        try:
            edit = await write_docstring(document, subject, manner, backend, config, on_progress=progressed)
        except DocstringRefused as error:
            refused.append(error)
        else:
            edits += [edit] if edit.new_text or len(edit.span) else []
    if refused and not edits:
        raise refused[0]
    return tuple(apart(edits))


def apart(edits: Iterable[Edit]) -> list[Edit]:
    """`edits` in order of place, without what would be written into another."""
    kept: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        if not kept or edit.span.start > kept[-1].span.end:
            kept.append(edit)
    return kept


async def manner_in(server: Server, document: Document) -> Manner:
    """How docstrings are written in the document, which has a tree, and around it."""
    from aigc_lsp.docstring.manner import ProjectHabits, manner_of
    from aigc_lsp.docstring_project import habits_of

    config, tree, path = server.session.config, document.tree, document.path
    assert tree is not None
    within = server.folders.around(path)

    def work() -> Manner:
        folder = os.path.dirname(path)
        is_read = bool(path) and within is not None and os.path.isdir(folder)
        project = habits_of(folder, document.language, config.context.exclude, within or "") if is_read else None
        return manner_of(tree, config.docstring.style, project or ProjectHabits())

    return await asyncio.to_thread(work)


class _Following:
    """Where the subjects of a document are in what it is by now."""

    def __init__(self, server: Server, document: Document, subjects: Sequence[Subject]) -> None:
        self._server = server
        self._document = document
        self._regions = [_region(each) for each in subjects]  # in what was seen
        self._seen = document.text
        self._changes: list[Edit] = []  # that lead from the document's text to what was seen

    @property
    def now(self) -> Document:
        """The document as it is by now. Raises `DocumentChanged` where it was closed."""
        found = self._server.session.documents.get(self._document.uri)
        if found is None:
            raise DocumentChanged("The file was closed meanwhile, so no docstring was written.")
        return found

    def carried(self, places: Iterable[Place] = ()) -> list[Place]:
        """Where `places` of the document are by now. Raises `DocumentChanged` where one of its subjects, or of them, is
        another."""
        text = self.now.text
        if text is not self._seen:
            changes = positions.differences(self._seen.source, text.source)
            self._regions = [reduce(_shifted, changes, region) for region in self._regions]
            self._changes += changes
            self._seen = text
        return [reduce(_shifted, self._changes, place) for place in places]

    async def checked(self, edits: Sequence[Edit]) -> tuple[Edit, ...]:
        """`edits` of the document for what it is by now, which they leave alone but for docstrings."""
        from aigc_lsp.docstring.edit import checked

        places = self.carried((each.span.start, each.span.end) for each in edits)
        made = tuple(Edit(Span(*place), each.new_text) for place, each in zip(places, edits, strict=True))
        now = self.now
        parsed = self._server.session.parsed(now.uri)
        if parsed is None or parsed.tree is None:
            raise DocumentChanged(CHANGED)
        await asyncio.to_thread(checked, parsed.tree, made)
        if self.now.text is not now.text:
            raise DocumentChanged(CHANGED)
        return made


def _region(subject: Subject) -> Place:
    """What a docstring is about and where it goes."""
    places = [subject.place, *((subject.existing.start, subject.existing.end) if subject.existing else ())]
    if subject.kind != "module":
        places += (subject.span.start, subject.span.end)
    return min(places), max(places)


def _shifted(place: Place, change: Edit) -> Place:
    """Where `place` is after `change`. Raises `DocumentChanged` where that touches it."""
    start, end = place
    if end < change.span.start:
        return place
    if change.span.end < start:
        by = len(change.new_text) - len(change.span)
        return start + by, end + by
    raise DocumentChanged(CHANGED)
