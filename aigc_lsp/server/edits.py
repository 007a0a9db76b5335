"""Edits of ours as the client takes them, and having it apply them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from aigc_lsp.errors import AigcError, DocumentChanged
from aigc_lsp.server import positions

if TYPE_CHECKING:
    from aigc_lsp.context.document import Document
    from aigc_lsp.server.app import Server
    from aigc_lsp.text import Edit, Span

TOLD_SECONDS = 2.0
"""Some clients tell of a change a while after they have made it."""

APPLY_SECONDS = 300.0
"""Some clients ask the user first."""

_ANNOTATION = "aigc"
_BY = "Written by a language model (aigc-lsp)."


def range_of(document: Document, span: Span, encoding: str) -> types.Range:
    return types.Range(
        types.Position(*positions.position_at(document.text, span.start, encoding)),
        types.Position(*positions.position_at(document.text, span.end, encoding)),
    )


def workspace_edit(server: Server, document: Document, edits: Sequence[Edit], label: str) -> types.WorkspaceEdit:
    """`edits` of `document`, each in terms of its text as it is, to be undone in one step. `label` says what they are.

    They name the document's version, and that a model wrote them, where the client knows such.
    """
    abilities, encoding = server.abilities, server.session.encoding
    made = [(range_of(document, edit.span, encoding), edit.new_text) for edit in edits]
    if not abilities.versioned:
        return types.WorkspaceEdit(changes={document.uri: [types.TextEdit(*each) for each in made]})
    named = types.OptionalVersionedTextDocumentIdentifier(document.uri, document.version)
    if not abilities.annotated:
        plain = [types.TextEdit(*each) for each in made]
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(named, plain)])
    annotated = [types.AnnotatedTextEdit(_ANNOTATION, *each) for each in made]
    return types.WorkspaceEdit(
        document_changes=[types.TextDocumentEdit(named, annotated)],
        change_annotations={_ANNOTATION: types.ChangeAnnotation(label, needs_confirmation=False, description=_BY)},
    )


async def document_of(server: Server, uri: str, version: int | None, changed: str) -> Document:
    """The document that an edit is asked for, with its tree, where it has one.

    Raises `AigcError` where it may not be read, and `DocumentChanged`, which says `changed`, where it has another
    `version` by now.
    """
    await server.open_documents.judged(uri)
    document = server.session.served(uri)
    if document is None:
        reason = server.session.refusal(server.session.documents.get(uri))
        raise AigcError(reason or "This file is not open, or it is not known yet whether it may be read.")
    if version is not None and document.version != version:
        raise DocumentChanged(changed)
    return server.notebooks.among_cells(server.session.parsed(uri) or document)


async def apply(server: Server, edit: types.WorkspaceEdit, label: str) -> None:
    """Have the client apply `edit`. Raises `AigcError` where it says that it did not."""
    request = server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit, label))
    reason = ""
    try:
        async with asyncio.timeout(APPLY_SECONDS):
            answer = await asyncio.shield(request)
    except TimeoutError:
        return  # it may still do so
    except JsonRpcException as error:
        reason = error.message
    else:
        if answer is None or answer.applied:
            return
        reason = answer.failure_reason or ""
    raise AigcError(f"The editor did not apply it: {reason}" if reason else "The editor did not apply it.")


async def told_of(server: Server, document: Document) -> None:
    """Return when the client has told of a change of `document`, or when that takes too long."""
    end = time.monotonic() + TOLD_SECONDS
    while time.monotonic() < end:
        now = server.session.documents.get(document.uri)
        if now is None or now.text is not document.text:
            return
        await asyncio.sleep(0.02)
