"""workspace/configuration and workspace/didChangeConfiguration: the section `aigc`, live."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from aigc_lsp.server.client import CLIENT_SECONDS, register_with

if TYPE_CHECKING:
    from aigc_lsp.server.app import Server

log = logging.getLogger(__name__)

SECTION = "aigc"
ORIGIN = "workspace/configuration"


def register(server: Server) -> None:
    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        """Clients either push the settings here, or send null and want to be asked."""
        settings = params.settings
        if isinstance(settings, dict) and SECTION in settings:
            apply(server, settings[SECTION])
        elif _can_be_asked(server):
            await pull(server)
        elif isinstance(settings, dict):
            apply(server, settings)


async def subscribe(server: Server) -> None:
    """Ask for the settings, and to be told of changes, as far as the client can."""
    workspace = server.client_capabilities.workspace
    changes = workspace.did_change_configuration if workspace else None
    if changes is not None and changes.dynamic_registration:
        options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
        await register_with(server, "aigc-configuration", types.WORKSPACE_DID_CHANGE_CONFIGURATION, options)
    if _can_be_asked(server):
        await pull(server)


async def pull(server: Server) -> None:
    request = server.workspace_configuration_async(
        types.ConfigurationParams([types.ConfigurationItem(section=SECTION)])
    )
    try:
        async with asyncio.timeout(CLIENT_SECONDS):
            answer = await asyncio.shield(request)
    except (JsonRpcException, TimeoutError) as error:
        log.info("the client did not give its settings: %s", type(error).__name__)
        return
    apply(server, answer[0] if answer else None)


def apply(server: Server, values: object) -> None:
    for message in server.session.set_layer(ORIGIN, values):
        server.tell_once(message)
    logging.getLogger("aigc_lsp").setLevel(server.session.config.log_level.upper())
    server.keeper.start(server.session.config, server.session.origins)
    server.folders.arrange()
    server.hints.arrange()
    server.status.touch()


def _can_be_asked(server: Server) -> bool:
    workspace = server.client_capabilities.workspace
    return bool(workspace and workspace.configuration)
