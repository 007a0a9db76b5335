"""aigc/definition: where something is defined, asked of the client, and so of the language's own server behind it.

LSP has no request by which a server asks a client for that, so this one is ours, and a client that answers it says so:
`"experimental": {"aigc": {"definitions": true}}` among its capabilities in `initialize` (in VS Code a feature's
`fillClientCapabilities`, in Neovim the `capabilities` of `vim.lsp.start`). Nobody else is asked.

    params   {textDocument: {uri}, position}, as those of textDocument/definition
    result   as that of textDocument/definition: Location | Location[] | LocationLink[] | null

Nobody waits for an answer. One that is late, wrong or an error is done without, and after three in a row the client is
left alone for a minute.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from aigc_lsp.server import positions
from aigc_lsp.server.plain import plain
from aigc_lsp.server.session import path_of

if TYPE_CHECKING:
    from aigc_lsp.context.document import Document
    from aigc_lsp.gather.told import Place
    from aigc_lsp.server.app import Server

log = logging.getLogger(__name__)

METHOD = "aigc/definition"
ANSWER_SECONDS = 2.0
MOST_FAILURES = 3
"""In a row."""
REST_SECONDS = 60.0
"""Then it is not asked for so long; one failure more, and it is left alone again."""


class Definitions:
    """Asks the client; `is_offered` says whether it is to be asked at all."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._failures = 0
        self._rests_until = 0.0
        self.is_offered = False

    def take(self, capabilities: types.ClientCapabilities) -> None:
        self.is_offered = offers_definitions(capabilities)

    async def ask(self, document: Document, offset: int) -> list[Place]:
        """Where the name at `offset` is defined; nothing where the client does not say it, in time and in order."""
        if not self.is_offered or time.monotonic() < self._rests_until:
            return []
        encoding = self._server.session.encoding
        line, character = positions.position_at(document.text, offset, encoding)
        position = {"line": line, "character": character}
        params = {"textDocument": {"uri": document.uri}, "position": position}
        request = self._server.protocol.send_request_async(METHOD, params)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                found = places(await asyncio.shield(request), encoding)
        except (JsonRpcException, TimeoutError, ValueError) as error:
            self._failures += 1
            if self._failures >= MOST_FAILURES:
                self._rests_until = time.monotonic() + REST_SECONDS
            log.info("the client did not say where something is defined: %s", type(error).__name__)
            return []
        self._failures = 0
        return found


def offers_definitions(capabilities: types.ClientCapabilities) -> bool:
    match plain(capabilities.experimental):
        case {"aigc": {"definitions": True}}:
            return True
    return False


def places(answer: Any, encoding: str) -> list[Place]:
    """What a result names. Raises `ValueError` where it is none."""
    given = plain(answer)
    if given is None:
        return []
    return [_place(each, encoding) for each in (given if isinstance(given, list) else [given])]


def _place(given: Any, encoding: str) -> Place:
    from aigc_lsp.gather.told import Place  # not needed to answer initialize

    match given:
        case {
            "targetUri": str(uri),
            "targetSelectionRange": {"start": {"line": int(line), "character": int(character)}},
        }:
            pass
        case {"uri": str(uri), "range": {"start": {"line": int(line), "character": int(character)}}}:
            pass
        case _:
            raise ValueError("no location")
    return Place(uri, path_of(uri), partial(positions.offset_at, line=line, character=character, encoding=encoding))
