"""Hints where a docstring says of its function what that does not have: textDocument/diagnostic, where the client asks
and can be told to ask again, else textDocument/publishDiagnostics.

Contract
    Looked for when typing rests (`open_documents`), in a thread; no key waits for it, and no request but a client's
    first for a document. Between two looks the client keeps what it has, and moves it with the text. A text that does
    not parse is not looked at: what is known of it stays. What was found for a text that is another by now is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from aigc_lsp.server.client import CLIENT_SECONDS
from aigc_lsp.server.edits import range_of
from aigc_lsp.server.tasks import Tasks
from aigc_lsp.text import Span

if TYPE_CHECKING:
    from aigc_lsp.context.document import Document
    from aigc_lsp.docstring.doc import Slot
    from aigc_lsp.docstring.stale import Finding
    from aigc_lsp.docstring.subject import Subject
    from aigc_lsp.server.app import Server
    from aigc_lsp.text import Text

log = logging.getLogger(__name__)

SOURCE, CODE = "aigc-lsp", "stale-docstring"

Report = types.RelatedFullDocumentDiagnosticReport | types.RelatedUnchangedDocumentDiagnosticReport


def register_pull(server: Server) -> None:
    options = types.DiagnosticOptions(
        inter_file_dependencies=False, workspace_diagnostics=False, identifier="aigc-docstrings"
    )

    @server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, options)
    async def diagnostic(params: types.DocumentDiagnosticParams) -> Report:
        return await server.hints.report(params.text_document.uri, params.previous_result_id)


def is_ours(diagnostic: types.Diagnostic) -> bool:
    return diagnostic.source == SOURCE and diagnostic.code == CODE


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found in a text. `name` is another whenever it is another."""

    text: Text
    found: tuple[types.Diagnostic, ...]
    name: str


class Hints:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._session = server.session
        self._known: dict[str, _Known] = {}
        self._arranged: object = None
        self._number = 0
        self._tasks = Tasks("a hint at stale docstrings")

    async def look(self, document: Document, *, is_asked: bool = False) -> None:
        """Typing rests, or (`is_asked`) the client waits; and the document has a tree without errors."""
        uri = document.uri
        if not self._session.config.docstring.stale_hints or self._session.served(uri) is None:
            return
        if self._server.notebooks.among_cells(document).language != document.language:
            return  # a cell that is handed to another language
        found = await asyncio.to_thread(stale_in, document, self._session.encoding)
        now = self._session.documents.get(uri)
        if now is not None and now.text is document.text and self._session.config.docstring.stale_hints:
            self._take(document, found, is_asked=is_asked)

    def closed(self, uri: str) -> None:
        known = self._known.pop(uri, None)
        if known is not None and known.found and not self._server.abilities.pulls:
            self._publish(uri, (), None)

    def arrange(self) -> None:
        """The settings may be others."""
        config = self._session.config
        before, self._arranged = self._arranged, (config.enabled, config.languages_off, config.docstring.stale_hints)
        if before == self._arranged:
            return
        for document in list(self._session.documents.values()):
            if config.docstring.stale_hints and not self._session.refusal(document):
                self._tasks.spawn(self._look_again(document.uri))
            elif document.uri in self._known:
                self._take(document, ())

    async def close(self) -> None:
        await self._tasks.close()

    async def report(self, uri: str, previous: str | None) -> Report:
        """What the client is to show by now, as far as it is not what it shows already. One that shows nothing yet is
        not told to ask again: it is looked for at once."""
        if previous is None and self._now_known(uri) is None:
            await self._look_again(uri, is_asked=True)
        known = self._now_known(uri)
        if previous is not None and (known is None or known.name == previous):
            return types.RelatedUnchangedDocumentDiagnosticReport(previous)
        if known is None:
            return types.RelatedFullDocumentDiagnosticReport([], result_id="")
        return types.RelatedFullDocumentDiagnosticReport(list(known.found), result_id=known.name)

    def _now_known(self, uri: str) -> _Known | None:
        """What is known of a document as it is."""
        known, document = self._known.get(uri), self._session.documents.get(uri)
        return known if known is not None and document is not None and known.text is document.text else None

    def _take(self, document: Document, found: tuple[types.Diagnostic, ...], *, is_asked: bool = False) -> None:
        known = self._known.get(document.uri)
        if found == (known.found if known is not None else ()):
            name = known.name if known is not None else "0"
            self._known[document.uri] = _Known(document.text, found, name)
            return
        self._number += 1
        self._known[document.uri] = _Known(document.text, found, str(self._number))
        if self._server.abilities.pulls:
            if not is_asked:
                self._tasks.spawn(self._refresh())
        else:
            self._publish(document.uri, found, document.version)

    def _publish(self, uri: str, found: tuple[types.Diagnostic, ...], version: int | None) -> None:
        self._server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, list(found), version))

    async def _refresh(self) -> None:
        request = self._server.workspace_diagnostic_refresh_async(None)
        try:
            async with asyncio.timeout(CLIENT_SECONDS):
                await asyncio.shield(request)
        except (JsonRpcException, TimeoutError) as error:
            log.info("the client does not ask for diagnostics again: %s", type(error).__name__)

    async def _look_again(self, uri: str, *, is_asked: bool = False) -> None:
        await self._server.open_documents.judged(uri)
        document = self._session.parsed(uri)
        if document is not None and document.tree is not None and not document.tree.has_errors:
            await self.look(document, is_asked=is_asked)


# What is stale, and where


def stale_in(document: Document, encoding: str) -> tuple[types.Diagnostic, ...]:
    """All that is stale in the docstrings of a document with a tree."""
    from aigc_lsp.docstring.structure import subjects
    from aigc_lsp.docstring_files.problems import stale

    if document.tree is None:
        return ()
    return tuple(
        types.Diagnostic(
            range_of(document, _place(document.text, subject, finding), encoding),
            finding.message,
            severity=types.DiagnosticSeverity.Hint,
            code=CODE,
            source=SOURCE,
        )
        for subject in subjects(document.tree)
        for finding in stale(document.text, subject)
    )


def _place(text: Text, subject: Subject, finding: Finding) -> Span:
    """What a finding is about: a parameter that is missed in the header, all else in the docstring."""
    if finding.kind == "missing" or subject.existing is None:
        header = text.slice(subject.header)
        behind = header.find(subject.name) + len(subject.name)
        return _found(header, finding.name, behind, subject.header) or _first_line(text, subject.header)
    written = text.slice(subject.existing)
    slot = _slot(text, subject, finding)
    line = next((line.strip() for line in slot.written.lines), "") if slot and slot.written else ""
    at = max(written.find(line), 0) if line else 0
    named = _found(written, finding.name, at, subject.existing) if finding.name else None
    if named is None and line and line in written:
        start = subject.existing.start + at
        return Span(start, start + len(line))
    return named or _first_line(text, subject.existing)


def _slot(text: Text, subject: Subject, finding: Finding) -> Slot | None:
    """Where the docstring says it."""
    from aigc_lsp.docstring.detect import parsed
    from aigc_lsp.docstring.doc import bare

    assert subject.existing is not None
    _, doc = parsed(text.slice(subject.existing), subject)
    slots = {"raise": doc.raises, "return": doc.returns, "yield": doc.yields}.get(finding.kind, doc.parameters)
    return next((slot for slot in slots if not finding.name or bare(finding.name) in map(bare, slot.names)), None)


def _found(source: str, name: str, start: int, within: Span) -> Span | None:
    """The first time that `name` is a word in `source`, which is what stands `within`, from `start` on."""
    match = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)").search(source, start)
    return Span(within.start + match.start(), within.start + match.end()) if match else None


def _first_line(text: Text, span: Span) -> Span:
    return Span(span.start, min(span.end, text.line_end(text.line_at(span.start))))
