"""Hints at stale docstrings: found when typing rests, pushed or pulled as the client has it, and gone in time."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Bench, started
from docstring_bench import with_cursor
from harness import initialize_params, replacement, until

from aigc_lsp.context.document import Document
from aigc_lsp.server.docstring_hints import stale_in
from aigc_lsp.syntax import parse
from aigc_lsp.text import Text

pytestmark = pytest.mark.asyncio(loop_scope="session")

STALE = 'def add(first, second):\n    """Add.\n\n    Args:\n        first: One.\n        third: Two.\n    """\n'
JAVA = "class A {\n  /**\n   * Add.\n   *\n   * @param |one| The one.\n   */\n  int add(int two) { return two; }\n}\n"

# What is stale stands between `|`; a missed parameter is marked where it is declared.
MARKED: dict[str, tuple[str, str, str]] = {
    "a renamed one": ("python", STALE.replace("third", "|third|"), "The parameter `third` is called `second` now."),
    "one that is gone": (
        "python",
        STALE.replace(", second", "").replace("third", "|third|"),
        "There is no parameter `third`.",
    ),
    "one that is missed": (
        "python",
        STALE.replace("second", "|second|").replace("        third: Two.\n", ""),
        "The parameter `second` is not documented.",
    ),
    "its name in the summary, too": (
        "python",
        STALE.replace("Add.", "Add third.").replace(", second", "").replace("third:", "|third|:"),
        "There is no parameter `third`.",
    ),
    "what is returned": (
        "python",
        'def add():\n    """Add.\n\n    Returns:\n        |The sum.|\n    """\n    pass\n',
        "Nothing is returned here.",
    ),
    "what is raised": (
        "python",
        'def add(x):\n    """Add.\n\n    Raises:\n        |KeyError|: Never.\n    """\n    return x\n',
        "`KeyError` is not raised here.",
    ),
    "CRLF and an emoji": (
        "python",
        STALE.replace("Add.", "Add 🙂.").replace(", second", "").replace("third", "|third|").replace("\n", "\r\n"),
        "There is no parameter `third`.",
    ),
    "Java": ("java", JAVA, "The parameter `one` is called `two` now."),
}  # fmt: skip


@pytest.mark.parametrize(("language", "marked", "message"), MARKED.values(), ids=MARKED)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
async def test_what_is_marked(language: str, marked: str, message: str, encoding: str) -> None:
    text, span = with_cursor(marked, encoding)
    (found,) = stale_in(Document("a:", "", language, 1, Text(text), parse(language, Text(text))), encoding)
    start, end = found.range.start, found.range.end
    assert (start.line, start.character) == tuple(span["start"].values())
    assert (end.line, end.character) == tuple(span["end"].values())
    assert found.message == message
    assert found.severity == 4


ABSTRACT = """class A:
    @abc.abstractmethod
    def a(self):
        '''Add.

        Returns:
            It.
        '''
"""

RIGHT = {
    "no docstring": "def add(first):\n    return first\n",
    "all is right": STALE.replace("third", "second"),
    "broken code in it": STALE + "    return first + ) (\n",
    "keys of what is left": STALE.replace("second", "**more"),
    "no parameter is told of": 'def add(first):\n    """Add."""\n    return first\n',
    "an error of another": 'def a():\n    """Add.\n\n    Raises:\n        KeyError: Often.\n    """\n    get()\n',
    "an abstract one": ABSTRACT,
}


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
async def test_what_is_not(text: str) -> None:
    assert stale_in(Document("a:", "", "python", 1, Text(text), parse("python", Text(text))), "utf-16") == ()


# Between client and server


async def pulled(bench: Bench, uri: str, previous: str | None = None) -> dict[str, Any]:
    params = {"textDocument": {"uri": uri}} | ({"previousResultId": previous} if previous is not None else {})
    return await bench.client.request("textDocument/diagnostic", params)


async def shown(bench: Bench, uri: str) -> list[str] | None:
    """What the client has of a document; None before it was told anything."""
    if bench.name in ("vscode", "neovim-0.12"):
        report = await pulled(bench, uri)
        return [each["message"] for each in report["items"]] if report["resultId"] else None
    told = [
        params["diagnostics"]
        for method, params in bench.client.notifications
        if method == "textDocument/publishDiagnostics" and params["uri"] == uri
    ]
    return [each["message"] for each in told[-1]] if told else None


async def becomes(bench: Bench, uri: str, *messages: str) -> None:
    async def has() -> bool:
        return await shown(bench, uri) == list(messages)

    await until(has, "the hints")


async def test_as_each_client_has_it(any_editor: Bench) -> None:
    uri = any_editor.fresh(STALE.replace(", second", ""))
    pulls = any_editor.name in ("vscode", "neovim-0.12")
    assert ("diagnosticProvider" in any_editor.client.capabilities) == pulls

    def refreshed() -> int:
        return [method for method, _ in any_editor.client.asked].count("workspace/diagnostic/refresh")

    if pulls:  # at once: it does not say that there is nothing, to be told of more a moment later
        assert await shown(any_editor, uri) == ["There is no parameter `third`."]
    await becomes(any_editor, uri, "There is no parameter `third`.")
    before = refreshed()
    any_editor.client.change(uri, 2, replacement((5, 8), (5, 13), "first"))
    if pulls:
        await until(lambda: refreshed() > before, "the word that it is to ask again")
    await becomes(any_editor, uri)
    assert pulls or not refreshed()


async def test_what_is_the_same_is_not_sent_again(bench: Bench) -> None:
    uri = bench.fresh(STALE)
    await becomes(bench, uri, "The parameter `third` is called `second` now.")
    first = await pulled(bench, uri)
    assert first["kind"] == "full"
    name = first["resultId"]
    assert await pulled(bench, uri, name) == {"kind": "unchanged", "resultId": name}
    # A key, and nothing is known of the text: the editor keeps what it has.
    bench.client.change(uri, 2, replacement((0, 0), (0, 0), "\n"))
    assert await pulled(bench, uri, name) == {"kind": "unchanged", "resultId": name}

    async def moved() -> bool:
        again = await pulled(bench, uri, name)
        return again["kind"] == "full" and again["items"][0]["range"]["start"]["line"] == 6

    await until(moved, "the hint in its new place")


async def test_what_breaks_keeps_its_hints(bench: Bench) -> None:
    uri = bench.fresh(STALE)
    await becomes(bench, uri, "The parameter `third` is called `second` now.")
    name = (await pulled(bench, uri))["resultId"]
    bench.client.change(uri, 2, replacement((7, 0), (7, 0), "x = (\n"))
    assert (await pulled(bench, uri, name))["kind"] == "unchanged"


OPTIONS: list[tuple[dict[str, Any], bool]] = [
    ({"docstring": {"staleHints": False}}, False),
    ({"docstring": {"staleHints": True}}, True),
    ({"languagesOff": ["python"]}, False),
    ({}, True),
]


@pytest.mark.process
async def test_off_by_a_setting_and_on_again(folder: Any) -> None:
    for name in ("vscode", "eglot"):
        async with started(folder, params=initialize_params(name), engine=False) as bench:
            bench.name = name
            uri = bench.fresh(STALE)
            await becomes(bench, uri, "The parameter `third` is called `second` now.")
            for option, is_on in OPTIONS:
                bench.client.notify("workspace/didChangeConfiguration", {"settings": {"aigc": option}})
                await becomes(bench, uri, *["The parameter `third` is called `second` now."] * is_on)
            if name == "eglot":
                bench.client.close(uri)
                await becomes(bench, uri)
            await bench.client.end()
