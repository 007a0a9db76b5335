"""textDocument/inlineCompletion: ghost text."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from lsprotocol import types

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.pipeline import Completion, Document, complete
from aigc_lsp.server import positions
from aigc_lsp.server.failure import described

if TYPE_CHECKING:
    from aigc_lsp.server.app import Server

log = logging.getLogger(__name__)


def register(server: Server) -> None:
    options = types.InlineCompletionOptions()

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, options)
    async def inline_completion(params: types.InlineCompletionParams) -> types.InlineCompletionList:
        automatic = params.context.trigger_kind == types.InlineCompletionTriggerKind.Automatic
        found = await complete_at(server, params.text_document.uri, params.position, automatic=automatic)
        if found is None:
            return types.InlineCompletionList(items=[])
        # The range is always sent: Neovim 0.12.0 fails without one. Empty: nothing is replaced.
        span = types.Range(params.position, params.position)
        return types.InlineCompletionList(items=[types.InlineCompletionItem(found.text, range=span)])


async def complete_at(server: Server, uri: str, position: types.Position, *, automatic: bool) -> Completion | None:
    """What to show at `position`, or None: nothing to say, model not ready, or overtaken by a later edit or request."""
    session, keeper = server.session, server.keeper
    document = session.served(uri)
    if document is None:
        return None
    keeper.asked()
    if not keeper.ready or keeper.client is None:
        return None
    offset = positions.offset_at(document.text, position.line, position.character, session.encoding)
    try:
        found = await session.latest(uri, _delayed(server, document, offset, automatic))
    except EngineUnavailable as error:
        log.info("%s", error)
        keeper.lost()
        return None
    except Exception as error:  # no request of an editor fails, not even where the model server talks nonsense
        log.error("a completion failed: %s", described(error))
        keeper.lost()
        return None
    # The text at hand is the one that was completed, or the answer is for another time.
    if found is None or not found.text or session.documents.get(uri) is not document:
        return None
    return found


async def _delayed(server: Server, document: Document, offset: int, automatic: bool) -> Completion:
    config = server.session.config
    if automatic and config.completion.debounce_ms:
        await asyncio.sleep(config.completion.debounce_ms / 1e3)
    assert server.keeper.client is not None
    return await complete(document, offset, server.keeper.client, config)
