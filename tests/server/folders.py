"""A workspace on disk for tests of the language server, in a process of its own or in ours."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from conftest import Bench
from harness import initialize_params, until
from lsprotocol import types

from aigc_lsp.server.app import Server, build_server


def opening(*folders: Path, client: str = "vscode") -> dict[str, Any]:
    """What an editor says that has these folders open."""
    given = [{"uri": each.as_uri(), "name": each.name} for each in folders]
    root = given[0]["uri"] if given else None
    return initialize_params(client) | {"workspaceFolders": given or None, "rootUri": root, "rootPath": None}


def index(bench: Bench) -> dict[str, Any]:
    """What the status says of the index; {} for none."""
    said = bench.client.statuses()
    return said[-1].get("index", {}) if said else {}


async def indexed(bench: Bench, files: int) -> dict[str, Any]:
    """Wait until so many files are indexed."""

    def is_so() -> bool:
        found = index(bench)
        return bool(found) and found["complete"] and found["files"] == files

    await until(is_so, f"{files} indexed files")
    return index(bench)


def changed(bench: Bench, *paths: Path) -> None:
    """The editor has seen that these were made, written or deleted."""
    changes = [{"uri": each.as_uri(), "type": 2 if each.exists() else 3} for each in paths]
    bench.client.notify("workspace/didChangeWatchedFiles", {"changes": changes})


@contextlib.asynccontextmanager
async def in_process(*folders: Path) -> AsyncIterator[Server]:
    """A language server without a wire, so that one can look into its index. It knows all that is in `folders`."""
    server = build_server()
    given = [types.WorkspaceFolder(each.as_uri(), each.name) for each in folders]
    server.folders.take(types.InitializeParams(types.ClientCapabilities(), workspace_folders=given))
    server.folders.begin()
    server.folders.arrange()
    try:
        await until(lambda: (found := server.folders.indexed) and found.complete, "the first scan")
        yield server
    finally:
        await server.open_documents.close()
        await server.folders.close()


def open_in(server: Server, path: Path, text: str | None = None, language: str = "python") -> str:
    """Open a file; its URI."""
    said = path.read_text() if text is None else text
    server.session.open(types.TextDocumentItem(path.as_uri(), language, 1, said))
    return path.as_uri()
