"""Models and plugins on this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from aigc_lsp.cli.app import Json, configuration, editors_app, models_app
from aigc_lsp.errors import UsageError


@models_app.command("list")
def models_list(as_json: Json = False) -> None:
    """List the models that can be had, and which are on this machine; the configured one has a star."""
    from aigc_lsp import catalogue
    from aigc_lsp.weights.store import Store

    store, configured = Store(), configuration().model
    rows: list[dict[str, Any]] = []
    for name in catalogue.names():
        model = catalogue.load(name)
        rows.append(
            {
                "name": name,
                "configured": name == configured,
                "state": store.state(model),
                "download_bytes": model.size,
                "disk_bytes": store.disk_bytes(model),
                "license": model.license,
                "description": model.description,
            }
        )
    if as_json:
        print(json.dumps(rows))
        return
    widest = max(len(row["name"]) for row in rows)
    for row in rows:
        sizes = [f"{row[key] / 1e6:7,.0f} MB" for key in ("download_bytes", "disk_bytes")]
        star = "*" if row["configured"] else " "
        print(
            f"{star} {row['name']:{widest}}  {row['state']:7}  {sizes[0]} download {sizes[1]} on disk  {row['license']}"
        )
        print(f"    {row['description']}")


Name = Annotated[str, typer.Argument(help="A name from `aigc-lsp models list`.")]


@models_app.command("pull")
def models_pull(
    name: Name,
    from_path: Annotated[
        Path | None,
        typer.Option("--from", help="Take this file, carried here by hand; its digest is checked."),
    ] = None,
) -> None:
    """Fetch a model, check its digest and convert it. Goes on where an earlier pull was cut off."""
    from aigc_lsp import catalogue
    from aigc_lsp.modelserver.preparing import prepare
    from aigc_lsp.terminal import ProgressBar
    from aigc_lsp.weights.store import Store

    model, store = catalogue.load(name), Store()
    with ProgressBar() as bar:
        if store.state(model) != "packed":
            store.fetch(model, bar.report, from_path)
        folder = prepare(model, store, download=True, report=bar.report)
    print(f"{name} is ready in {folder}")


@models_app.command("verify")
def models_verify(name: Name) -> None:
    """Read every byte of a model and compare it with its digest. Exit code 1 where one differs."""
    from aigc_lsp import catalogue
    from aigc_lsp.weights.store import Store

    problems = Store().verify(catalogue.load(name))
    for problem in problems:
        print(f"aigc-lsp: {problem}", file=sys.stderr)
    if problems:
        raise typer.Exit(1)
    print(f"{name} is sound.")


@models_app.command("remove")
def models_remove(name: Name) -> None:
    """Delete a model from this machine, with what was converted from it and what was fetched in part."""
    from aigc_lsp import catalogue
    from aigc_lsp.weights.store import Store

    freed = Store().remove(catalogue.load(name))
    print(f"{name} is removed: {freed / 1e6:,.0f} MB freed.")


@editors_app.command("install")
def editors_install(
    editor: Annotated[str, typer.Argument(metavar="vscode|neovim|emacs")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Put the plugin where your editor finds it, and say what is left to do. Your settings are not touched."""
    from aigc_lsp import editors_install as plugins

    if editor not in plugins.EDITORS:
        raise UsageError(f"There is no plugin for {editor}; there are {', '.join(plugins.EDITORS)}.")
    print("\n".join(plugins.steps(editor) if dry_run else plugins.install(editor)))
