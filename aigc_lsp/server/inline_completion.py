"""textDocument/inlineCompletion: ghost text."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from lsprotocol import types

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.server import positions
from aigc_lsp.server.failure import described

if TYPE_CHECKING:
    from aigc_lsp.context.document import Document
    from aigc_lsp.pipeline import Completion
    from aigc_lsp.server.app import Server
    from aigc_lsp.service.backend import Backend

log = logging.getLogger(__name__)

LATE_SECONDS = 5.0
"""Beyond the time budget: for those who are served before us, and for a model that is loaded first. An editor that
waits for the answer (Emacs may) is not to wait longer."""


def register(server: Server) -> None:
    options = types.InlineCompletionOptions()

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, options)
    async def inline_completion(params: types.InlineCompletionParams) -> types.InlineCompletionList:
        automatic = params.context.trigger_kind == types.InlineCompletionTriggerKind.Automatic
        found = await complete_at(server, params.text_document.uri, params.position, automatic=automatic)
        if found is None:
            return types.InlineCompletionList(items=[])
        # The range is always sent: Neovim 0.12.0 fails without one. It holds closers behind the cursor, if anything.
        text = server.session.documents[params.text_document.uri].text
        end = types.Position(*positions.position_at(text, found.offset + found.replaces, server.session.encoding))
        span = types.Range(params.position, end if found.replaces else params.position)
        return types.InlineCompletionList(items=[types.InlineCompletionItem(found.text, range=span)])


async def complete_at(server: Server, uri: str, position: types.Position, *, automatic: bool) -> Completion | None:
    """What to show at `position`; None: nothing to say, no model at hand, or overtaken by a later edit or request."""
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
    try:
        with server.status.busy():
            among_cells = server.notebooks.among_cells(document)
            found = await session.latest(uri, _in_time(server, among_cells, offset, backend, automatic))
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
    if found.source == "model":
        server.pace.answered(found.total_ms / 1e3)
    return found if found.text else None


async def _in_time(server: Server, document: Document, offset: int, backend: Backend, automatic: bool) -> Completion:
    """Raises `TimeoutError` where there is no answer in time, whoever is to blame."""
    from aigc_lsp.pipeline import complete  # not needed to answer initialize

    config, health = server.session.config, server.keeper.standing.health

    async def hold() -> None:
        if automatic and (seconds := server.pace.hold_seconds(config.completion.debounce_ms / 1e3)):
            await asyncio.sleep(seconds)

    async with asyncio.timeout(config.completion.time_budget_ms / 1e3 + LATE_SECONDS):
        return await complete(
            document,
            offset,
            backend,
            config,
            gatherer=server.gatherer,
            health=health,
            memory=server.session.memory(document.uri),
            hold=hold,
        )
