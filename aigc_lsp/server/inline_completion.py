"""textDocument/inlineCompletion: ghost text."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from lsprotocol import types

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.server import docstring_ghost, positions
from aigc_lsp.server.failure import described
from aigc_lsp.server.session import EDIT_SECONDS, within

if TYPE_CHECKING:
    from aigc_lsp.context.document import Document
    from aigc_lsp.pipeline import Completion
    from aigc_lsp.server.app import Server
    from aigc_lsp.service.backend import Backend

log = logging.getLogger(__name__)

LATE_SECONDS = 5.0
"""Beyond the time budget: for those who are served before us, and for a model that is loaded first. An editor that
waits for the answer (Emacs may) is not to wait longer."""

CHOICES = 3
"""Where somebody asks by hand."""


def register(server: Server) -> None:
    options = types.InlineCompletionOptions()

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, options)
    async def inline_completion(params: types.InlineCompletionParams) -> types.InlineCompletionList:
        uri, context = params.text_document.uri, params.context
        automatic = context.trigger_kind == types.InlineCompletionTriggerKind.Automatic
        popup = context.selected_completion_info
        found = await complete_at(server, uri, params.position, automatic=automatic, popup=popup)
        return types.InlineCompletionList(items=[] if found is None else _items(server, uri, found, popup))


def _items(
    server: Server, uri: str, found: Completion, popup: types.SelectedCompletionInfo | None
) -> list[types.InlineCompletionItem]:
    """The range is always sent: Neovim 0.12.0 fails without one. It holds what the popup's entry is about to replace,
    and closers behind the cursor, if anything."""
    document, encoding = server.session.documents[uri], server.session.encoding
    items = []
    for number, (text, replaces) in enumerate(
        ((found.text, found.replaces), *((m.text, m.replaces) for m in found.more))
    ):
        if popup is not None:
            start = positions.offset_at(document.text, popup.range.start.line, popup.range.start.character, encoding)
            length, text = found.offset - start + replaces, popup.text + text
        else:
            start, length = found.offset, replaces
        span = types.Range(
            types.Position(*positions.position_at(document.text, start, encoding)),
            types.Position(*positions.position_at(document.text, start + length, encoding)),
        )
        command = server.events.shown(document, start, text, length, found.confidence, alternative=number > 0)
        filter_text = text if popup is not None else None
        items.append(types.InlineCompletionItem(text, filter_text=filter_text, range=span, command=command))
    return items


async def complete_at(
    server: Server,
    uri: str,
    position: types.Position,
    *,
    automatic: bool,
    popup: types.SelectedCompletionInfo | None = None,
) -> Completion | None:
    """What to show at `position`; None: nothing to say, no model at hand, or overtaken by a later edit or request.

    With a `popup` it is what follows its entry, and `offset` is where that will end in the document as it is now.
    """
    session = server.session
    server.status.looks_at(uri)
    server.folders.look()
    server.open_documents.look()
    before = session.documents.get(uri)
    await server.open_documents.judged(uri)
    document = session.served(uri)
    if document is None or before is None or document.text is not before.text:
        return None
    server.keeper.asked(manual=not automatic)
    backend = server.keeper.at_hand
    if backend is None:
        return None
    offset = positions.offset_at(document.text, position.line, position.character, session.encoding)
    wanted, place = document, offset
    if popup is not None:
        wanted, place, offset = _with_entry(session.parsed(uri) or document, popup, session.encoding)

    def parsed() -> Document:
        return server.notebooks.among_cells((session.parsed(uri) if popup is None else None) or wanted)

    try:
        with server.status.busy():
            among_cells = server.notebooks.among_cells(wanted)
            found = await session.latest(uri, _in_time(server, among_cells, place, backend, automatic, parsed))
    except (EngineUnavailable, TimeoutError) as error:
        log.info("no completion: %s", error)
        return None
    except Exception as error:  # no request of an editor fails, not even where the model server talks nonsense
        log.error("a completion failed: %s", described(error))
        return None
    # The text at hand is the one that was completed, or the answer is for another time. (Its tree may be newer.)
    now = session.documents.get(uri)
    if found is None or now is None or now.text is not document.text:
        return None
    session.explained[uri] = found
    if found.source in ("model", "under way"):
        server.pace.answered(found.total_ms / 1e3)
    return replace(found, offset=offset) if found.text else None


def _with_entry(document: Document, popup: types.SelectedCompletionInfo, encoding: str) -> tuple[Document, int, int]:
    """The document as if the popup's entry was taken, where the cursor is then, and where what it replaces ends now."""
    _, (edit,) = positions.apply_changes(
        document.text, [types.TextDocumentContentChangePartial(popup.range, popup.text)], encoding
    )
    text = document.text.apply(edit)
    tree = document.tree.edit((edit,), text, within(EDIT_SECONDS)) if document.tree is not None else None
    return replace(document, text=text, tree=tree), edit.span.start + len(edit.new_text), edit.span.end


async def _in_time(
    server: Server,
    document: Document,
    offset: int,
    backend: Backend,
    automatic: bool,
    parsed: Callable[[], Document],
) -> Completion:
    """Raises `TimeoutError` where there is no answer in time, whoever is to blame."""
    from aigc_lsp.pipeline import Asked, complete  # not needed to answer initialize
    from aigc_lsp.polish.show import BASE

    config, health = server.session.config, server.keeper.standing.health

    held = asyncio.Event()

    async def hold() -> None:
        """Once, whoever asks first."""
        if automatic and not held.is_set():
            held.set()
            await asyncio.sleep(server.pace.hold_seconds(config.completion.debounce_ms / 1e3))

    asked = Asked(
        choices=1 if automatic else CHOICES,
        least=server.events.threshold(document.language, BASE) if automatic else 0.0,
        hold=hold,
        go_on=within,
    )
    until = asyncio.get_running_loop().time() + config.completion.time_budget_ms / 1e3 + LATE_SECONDS
    async with asyncio.timeout_at(until):
        if docstring := await docstring_ghost.suggested(server, document, offset, backend, hold, until):
            return docstring
        return await complete(
            document,
            offset,
            backend,
            config,
            gatherer=server.gatherer,
            health=health,
            memory=server.session.memory(document.uri),
            asked=asked,
            parsed=parsed,
        )
