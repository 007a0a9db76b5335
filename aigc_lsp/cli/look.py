"""What there is: the model server, its settings, what is accepted, what is wrong."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Annotated

import typer

from aigc_lsp.cli.app import Json, app, configuration
from aigc_lsp.errors import AigcError


@app.command()
def status(as_json: Json = False) -> None:
    """Say how the model server is, or the server at engine.url. Exit code 1 where none answers."""
    from aigc_lsp import status as state

    found = state.look(configuration())
    print(json.dumps(found.to_json()) if as_json else "\n".join(state.lines(found)))
    if found.health is None:
        raise typer.Exit(1)


@app.command()
def stats(as_json: Json = False) -> None:
    """Say what became of the suggestions that you were shown: accepted, typed, rejected, kept.

    Of what was shown and accepted in each language; counted on this machine, for you and for the option
    completion.learn, without any text.
    """
    from aigc_lsp.feedback import store, table
    from aigc_lsp.feedback.counts import to_json

    path = store.default_path()
    try:
        counts = store.read(path).total
    except ValueError as error:
        raise AigcError(f"{path} makes no sense; the next suggestion begins it anew.") from error
    if as_json:
        printed = [table.HEADINGS, *table.rows(counts)]
        print(json.dumps({"path": str(path), "languages": to_json(counts), "table": printed}))
        return
    if not counts:
        print("Nothing has been counted yet.")
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, header_style="bold")
    for heading in table.HEADINGS:
        shown.add_column(heading, justify="left" if heading == table.HEADINGS[0] else "right")
    for row in table.rows(counts):
        shown.add_row(*row)
    Console().print(shown)


@app.command()
def doctor(
    verify: Annotated[bool, typer.Option("--verify", help="Read every byte of the model, too: some seconds.")] = False,
    as_json: Json = False,
) -> None:
    """Look through what completions need: a line for each, and what to do about it. Exit code 1 on a problem."""
    from aigc_lsp import doctor as checks

    found = []
    for check in checks.examine(verify):
        found.append(check)
        if not as_json:
            print(f"{check.level:<8} {check.name:<15} {check.message}", flush=True)
    has_problem = any(check.level == "problem" for check in found)
    if as_json:
        print(json.dumps({"ok": not has_problem, "checks": [dataclasses.asdict(check) for check in found]}))
    if has_problem:
        raise typer.Exit(1)


@app.command()
def config(as_json: Json = False) -> None:
    """Print every option: its value, where that comes from, what is allowed and what it does."""
    from dataclasses import asdict
    from operator import attrgetter

    from aigc_lsp import config as settings

    layer, messages = settings.file_layer()
    resolved = settings.resolve(layer, settings.environment_layer())
    rows = [
        {
            "option": option.key,
            "value": attrgetter(option.key)(resolved.config),
            "origin": resolved.origins[option.key],
            "allowed": option.allowed,
            "doc": option.doc,
            "variable": option.variable,
        }
        for option in settings.options()
    ]
    for message in [*messages, *resolved.messages]:
        print(f"aigc-lsp: {message}", file=sys.stderr)
    if as_json:
        print(json.dumps(rows, default=asdict))
        return
    print(f"# Settings live in {settings.config_path()}, in AIGC_LSP_… variables, and in your editor (section `aigc`).")
    for row in rows:
        value = json.dumps(row["value"], default=asdict)
        print(f"\n{row['option']} = {value}   ({row['origin']}; allowed: {row['allowed']})\n    {row['doc']}")
