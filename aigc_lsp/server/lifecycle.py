"""initialize, initialized, shutdown."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsprotocol import types

from aigc_lsp.server import completion, configuration, docstring_hints, workspace
from aigc_lsp.server.abilities import abilities_of
from aigc_lsp.server.failure import on_loop_error

if TYPE_CHECKING:
    from aigc_lsp.server.app import Server


def register(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        """Runs before the capabilities are built, so what suits this client is registered here."""
        asyncio.get_running_loop().set_exception_handler(on_loop_error)
        session = server.session
        server.client_info = params.client_info
        session.encoding = str(getattr(server.workspace.position_encoding, "value", server.workspace.position_encoding))
        server.startup_messages = session.read_settings()
        server.startup_messages += session.set_layer("initializationOptions", params.initialization_options)
        logging.getLogger("aigc_lsp").setLevel(session.config.log_level.upper())
        server.folders.take(params)
        server.definitions.take(params.capabilities)
        server.abilities = abilities_of(params)
        if server.abilities.pulls:
            docstring_hints.register_pull(server)
        if not offers_inline_completion(params.capabilities):
            completion.register_fallback(server)

    @server.feature(types.INITIALIZED)
    async def initialized(params: types.InitializedParams) -> None:
        settle_memory()
        settle_again(server, SETTLE_SECONDS)
        server.status.begin()
        for message in server.startup_messages:
            server.tell_once(message)
        server.folders.begin()
        await configuration.subscribe(server)
        server.keeper.start(server.session.config, server.session.origins)
        server.folders.arrange()
        await workspace.subscribe(server)

    @server.feature(types.SHUTDOWN)
    async def shutdown(params: None) -> None:
        server.session.supersede_all()
        await server.errands.close()  # they hang up, while there is somebody to hang up on
        await server.keeper.close()
        await server.open_documents.close()
        await server.hints.close()
        await server.events.close()
        await server.folders.close()
        server.status.end()


SETTLE_SECONDS = (3.0, 15.0, 60.0)
"""What completions need is loaded with the first, and the index comes with the folders."""


def settle_again(server: Server, delays: Sequence[float]) -> None:
    """Settle what was loaded since, after each of `delays`, and not while somebody types."""
    if delays:
        asyncio.get_running_loop().call_later(delays[0], _settle, server, delays)


def _settle(server: Server, delays: Sequence[float]) -> None:
    if server.pace.rests:
        settle_memory()
        settle_again(server, delays[1:])
    else:
        settle_again(server, (1.0, *delays[1:]))


def settle_memory() -> None:
    """Collect what loading left behind, and never look through what it made again: a full collection would take longer
    than a frame. `__main__` has put it off until here."""
    gc.collect()
    gc.freeze()
    gc.enable()


def offers_inline_completion(capabilities: types.ClientCapabilities) -> bool:
    document = capabilities.text_document
    return document is not None and document.inline_completion is not None
