"""Who writes for a command: brought up where it is not."""

from __future__ import annotations

from typing import Any


async def ready_backend(config: Any) -> Any:
    """The server at engine.url, or our own, ready."""
    if not config.engine.url:
        return await ready_client(config)
    from aigc_lsp.service import remote

    return remote.connect(config)


async def ready_client(config: Any) -> Any:
    """A client of a model server that is loaded, started and waited for where that is needed."""
    from aigc_lsp.service import life
    from aigc_lsp.terminal import ProgressBar

    client = life.connect()
    try:
        with ProgressBar() as bar:
            await life.attach(client, {}, config.engine.start)
            async for health in life.follow(client, config.model):
                bar.report_health(health)
    except BaseException:
        await client.close()
        raise
    return client
