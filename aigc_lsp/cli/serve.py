"""What runs on: the language server, the model server; and the end of that."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from aigc_lsp.cli.app import app, configuration
from aigc_lsp.errors import EngineUnavailable


@app.command()
def serve(
    stdio: Annotated[bool, typer.Option("--stdio", help="Speak on stdio, the only way there is.")] = True,
) -> None:
    """Be a language server on stdin and stdout. Your editor runs this."""
    from aigc_lsp.server.app import serve as serve_stdio

    if sys.stdin.isatty():
        print(
            "aigc-lsp serve speaks LSP on stdin and stdout; your editor runs it. Ctrl-D ends it.",
            file=sys.stderr,
        )
    raise typer.Exit(serve_stdio())


@app.command()
def engine(
    host: Annotated[
        str | None,
        typer.Option(help="Listen on this address, too; beyond this machine (such as 0.0.0.0) only with a token."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="And on this port: 8012 where only --host is given.")
    ] = None,
    token_env: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The environment variable with the token to ask for; else AIGC_LSP_ENGINE_TOKEN."
        ),
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="The token itself, which the machine's other users see in the list of processes.")
    ] = None,
) -> None:
    """Be the model server, one for each user. The language server starts it when it is needed.

    With --host or --port it serves other machines and other programs, too, and stays when nobody uses it. What they
    send is not encrypted: put it behind a TLS proxy or a tunnel where the network is not your own.
    """
    from aigc_lsp.modelserver import listen
    from aigc_lsp.modelserver.run import run_engine

    network = listen.network(host, port, token, token_env)
    if not run_engine(configuration(), network):
        if network is not None:
            raise EngineUnavailable("A model server runs already, without that address. Run `aigc-lsp stop` first.")
        print("A model server runs already; `aigc-lsp status` shows it.")


@app.command()
def stop() -> None:
    """Stop the model server. The next request of an editor starts it again."""
    from aigc_lsp.service import life

    async def work() -> bool:
        client = life.connect()
        try:
            return await life.stop(client)
        finally:
            await client.close()

    print("Stopped." if asyncio.run(work()) else "No model server is running.")
