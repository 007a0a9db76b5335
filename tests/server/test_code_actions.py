"""textDocument/codeAction: what is offered where, and in which form, without asking a model."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Bench
from docstring_bench import COMMAND, REWRITE, actions, with_cursor

from aigc_lsp.config import DOCSTRING_STYLES
from aigc_lsp.docstring.styles import STYLES

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADD = "def add(first, second):\n    return first + second\n"
STALE = 'def add(first, second):\n    """Add.\n\n    Args:\n        first: One.\n        third: Two.\n    """\n'
WHOLE = STALE.replace(", second", "").replace("        third: Two.\n", "")
CART = "class Cart:\n    def add(self, item):\n        self.items.append(item)\n"
CLASS = "Write docstrings for the class and its methods"

OFFERED: dict[str, tuple[str, str, list[str]]] = {
    "in a name": ("python", ADD.replace("add", "a|dd"), ["Write docstring"]),
    "in a parameter": ("python", ADD.replace("second)", "sec|ond)"), ["Write docstring"]),
    "at the colon": ("python", ADD.replace("):", "):|"), ["Write docstring"]),
    "in the body": ("python", ADD.replace("return", "ret|urn"), []),
    "a header of many lines": ("python", "def add(\n    first,\n    sec|ond,\n):\n    pass\n", ["Write docstring"]),
    "a decorator": ("python", "@ca|che\n" + ADD, ["Write docstring"]),
    "both are selected": ("python", "|" + ADD + ADD.replace("add", "sub") + "|", ["Write docstrings"]),
    "one is stale": ("python", STALE.replace("third", "th|ird"), ["Update docstring"]),
    "one is bare": ("python", 'def add(first, second):\n    """A|dd."""\n    return 1\n', ["Complete docstring"]),
    "one is right": ("python", WHOLE.replace("add", "a|dd"), []),
    "a class": ("python", CART.replace("Cart", "Ca|rt"), ["Write docstring", CLASS]),
    "a method": ("python", CART.replace("add", "ad|d"), ["Write docstring"]),
    "a header that is broken": ("python", "def add(first, = second|:\n    return 1\n", []),
    "broken code below": ("python", ADD.replace("add", "a|dd").replace("first +", "first + ) ("), ["Write docstring"]),
    "no code at all": ("markdown", "# Ti|tle\n", []),
    "a module": ("python", "|import os\n\nprint(os)\n", ["Write docstring"]),
    "CRLF and tabs": ("python", "def a|dd(first):\r\n\treturn 1\r\n", ["Write docstring"]),
    "behind an emoji": ("python", 'x = "🙂"; y = 1\n' + ADD.replace("add", "a|dd"), ["Write docstring"]),
    "TypeScript": ("typescript", "export function a|dd(first: number) {\n  return first;\n}\n", ["Write docstring"]),
    "an arrow function": ("typescript", "const a|dd = (first: number) => first;\n", ["Write docstring"]),
    "Rust": ("rust", "pub fn a|dd(first: u8) -> u8 { first }\n", ["Write docstring"]),
    "Go": ("go", "package a\n\nfunc A|dd(first int) int { return first }\n", ["Write docstring"]),
    "shell": ("shellscript", "a|dd() {\n  echo $1\n}\n", ["Write docstring"]),
}  # fmt: skip


@pytest.mark.parametrize(("language", "marked", "titles"), OFFERED.values(), ids=OFFERED)
async def test_what_is_offered(bench: Bench, language: str, marked: str, titles: list[str]) -> None:
    text, span = with_cursor(marked, bench.encoding)
    found = await actions(bench, bench.fresh(text, language), span)
    assert [each["title"] for each in found] == titles
    assert {each["kind"] for each in found} <= {REWRITE}


ASKED: dict[str, tuple[list[str] | None, list[str]]] = {
    "anything": (None, [REWRITE, REWRITE]),
    "the empty kind": ([""], [REWRITE, REWRITE, "source.docstring"]),
    "refactor": (["refactor"], [REWRITE, REWRITE]),
    "this one": ([REWRITE], [REWRITE, REWRITE]),
    "another that begins so": (["refactor.rewrite.doc"], []),
    "quick fixes": (["quickfix"], []),
    "source": (["source"], ["source.docstring"]),
    "one of several": (["quickfix", "source.docstring"], ["source.docstring"]),
    "on saving": (["source.fixAll"], []),
}


@pytest.mark.parametrize(("only", "kinds"), ASKED.values(), ids=ASKED)
async def test_only_what_is_asked_for(bench: Bench, only: list[str] | None, kinds: list[str]) -> None:
    text, span = with_cursor(CART.replace("Cart", "Ca|rt"), bench.encoding)
    found = await actions(bench, bench.fresh(text), span, only)
    assert [each["kind"] for each in found] == kinds
    assert all(("command" in each) == (each["kind"] == "source.docstring") for each in found)


async def test_the_form_that_each_client_takes(any_editor: Bench) -> None:
    """Emacs stands still while an action is resolved, and gives up after ten seconds."""
    text, span = with_cursor(ADD.replace("add", "a|dd"), any_editor.encoding)
    uri = any_editor.fresh(text)
    (found,) = await actions(any_editor, uri, span)
    wanted = {"uri": uri, "range": span, "scope": "one", "version": 1}
    if any_editor.name == "eglot":
        assert found["command"] == {"title": "Write docstring", "command": COMMAND, "arguments": [wanted]}
        assert "data" not in found
    else:
        assert found["data"] == wanted
        assert "command" not in found
    assert "edit" not in found
    assert found.get("tags") == ([1] if any_editor.name == "vscode" else None)


async def test_what_is_said_in_initialize(any_editor: Bench) -> None:
    provider = any_editor.client.capabilities["codeActionProvider"]
    assert provider["resolveProvider"] is True
    assert {REWRITE, "quickfix", "source.docstring"} <= set(provider["codeActionKinds"])
    assert COMMAND in any_editor.client.capabilities["executeCommandProvider"]["commands"]


async def test_the_quick_fix_of_a_hint(bench: Bench) -> None:
    text, span = with_cursor(STALE.replace("third", "|third|"), bench.encoding)
    uri = bench.fresh(text)
    hint = {"range": span, "message": "x", "severity": 4, "source": "aigc-lsp", "code": "stale-docstring"}
    others = [hint | {"source": "ruff"}, hint | {"code": "other"}, {"range": span, "message": "y"}]
    (found,) = await actions(bench, uri, span, diagnostics=[hint, hint, *others])
    assert found["title"] == "Update docstring"
    assert found["kind"] == "quickfix"
    assert found["diagnostics"] == [hint]
    assert found["isPreferred"] is True
    assert [each["kind"] for each in await actions(bench, uri, span, ["refactor"], [hint])] == [REWRITE]


async def test_nothing_in_what_is_not_served(bench: Bench) -> None:
    text, span = with_cursor(ADD.replace("add", "a|dd"), bench.encoding)
    assert await actions(bench, "file:///never-opened.py", span) == []
    bench.client.open("file:///workspace/.env", text)
    assert await actions(bench, "file:///workspace/.env", span) == []
    bench.client.close("file:///workspace/.env")


async def test_in_the_cells_of_a_notebook(bench: Bench) -> None:
    cells = {"python": ADD.replace("add", "a|dd"), "magic": "%%bash\n" + ADD.replace("add", "a|dd")}
    found: dict[str, list[dict[str, Any]]] = {}
    for name, marked in cells.items():
        text, span = with_cursor(marked, bench.encoding)
        notebook, cell = f"file:///workspace/{name}.ipynb", f"vscode-notebook-cell:/workspace/{name}.ipynb#a"
        item = {"uri": cell, "languageId": "python", "version": 1, "text": text}
        book = {
            "uri": notebook,
            "notebookType": "jupyter-notebook",
            "version": 1,
            "cells": [{"kind": 2, "document": cell}],
        }
        bench.client.notify("notebookDocument/didOpen", {"notebookDocument": book, "cellTextDocuments": [item]})
        found[name] = await actions(bench, cell, span)
    assert [each["title"] for each in found["python"]] == ["Write docstring"]
    assert found["magic"] == []


async def test_every_style_may_be_asked_for() -> None:
    assert set(DOCSTRING_STYLES) == {"auto", *STYLES}
