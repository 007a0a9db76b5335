"""What clients can do, read off the `initialize` that they sent."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from harness import CLIENTS, initialize_params
from lsprotocol import types
from pygls.protocol import default_converter

from aigc_lsp.server.abilities import Abilities, abilities_of

ALL = set(asdict(Abilities()))
LACKING = {
    "vscode": set[str](),
    "neovim-0.11": {"annotated", "tagged", "pulls"},
    "neovim-0.12": {"tagged"},
    "eglot": {"resolves", "annotated", "creates", "tagged", "pulls"},
}


def lacking(given: dict[str, object]) -> set[str]:
    params = default_converter().structure(given, types.InitializeParams)
    return {name for name, value in asdict(abilities_of(params)).items() if value is False}


@pytest.mark.parametrize("name", CLIENTS)
def test_of_recorded_clients(name: str) -> None:
    assert lacking(initialize_params(name)) == LACKING[name]


def test_of_a_client_that_says_nothing() -> None:
    assert lacking({"processId": None, "rootUri": None, "capabilities": {}}) == ALL


def test_whose_edits_are_resolved() -> None:
    """Not those of one that keeps no data, resolves something else, or stands still meanwhile (lsp-mode)."""
    given = initialize_params("vscode")
    action = given["capabilities"]["textDocument"]["codeAction"]
    for change in ({"dataSupport": False}, {"resolveSupport": {"properties": ["command"]}}):
        given["capabilities"]["textDocument"]["codeAction"] = action | change
        assert lacking(given) == {"resolves"}
    given["capabilities"]["textDocument"]["codeAction"] = action
    assert lacking(given | {"clientInfo": {"name": "emacs"}}) == {"resolves"}
    assert lacking(given | {"clientInfo": None}) == set()
