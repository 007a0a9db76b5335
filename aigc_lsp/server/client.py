"""What is asked of the client, which may refuse, and may never answer."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from aigc_lsp.server.app import Server

CLIENT_SECONDS = 5.0
"""A client that does not answer by then is done without."""


async def register_with(server: Server, name: str, method: str, options: object) -> None:
    """Ask the client to send us `method` from now on."""
    registration = types.Registration(id=name, method=method, register_options=options)
    request = server.client_register_capability_async(types.RegistrationParams([registration]))
    with contextlib.suppress(JsonRpcException, TimeoutError):
        async with asyncio.timeout(CLIENT_SECONDS):
            await asyncio.shield(request)
