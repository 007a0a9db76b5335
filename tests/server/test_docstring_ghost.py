"""The whole docstring as ghost text, where one is begun."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from conftest import SETTINGS, Bench
from docstring_bench import edited, says, with_cursor
from harness import replacement, until

from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.reuse.memory import Memory
from aigc_lsp.server.docstring_ghost import CHECK_SECONDS, begun_at, suggested
from aigc_lsp.service.wire import InfillPiece, InfillRequest
from aigc_lsp.text import Text

pytestmark = pytest.mark.asyncio(loop_scope="session")

PYTHON = "x = 1\n\n\ndef add(first, second):\n    {}\n    return first + second\n"
WEB = "{}\nexport function add(first: number, second: number): number {{\n  return first + second;\n}}\n"
METHOD = "class Sum {{\n  n = 1;\n\n{}\n  add(first: number, second: number): number {{\n    return first;\n  }}\n}}\n"
RUST = "{}\npub fn add(first: u8, second: u8) -> Result<u8, Error> {{\n    one(first)?;\n    Ok(first + second)\n}}\n"

BEGUN: dict[str, tuple[str, str, str]] = {
    "quotes": ("python", "py", PYTHON.format('"""|')),
    "quotes that the editor has closed": ("python", "py", PYTHON.format('"""|"""')),
    "other quotes": ("python", "py", PYTHON.format("'''|'''")),
    "a blank line below": ("python", "py", PYTHON.format('"""|"""\n')),
    "CRLF": ("python", "py", PYTHON.format('"""|"""').replace("\n", "\r\n")),
    "tabs and an emoji": ("python", "py", "y = '🙂'\n" + PYTHON.format('"""|"""').replace("    ", "\t")),
    "no body yet": ("python", "py", 'def add(first, second):\n    """|'),
    "no body yet, code below": ("python", "py", 'def add(first, second):\n    """|"""\n\n\ndef sub(x):\n    pass\n'),
    "a method": ("python", "py", 'class A:\n    def add(self, first, second):\n        """|"""\n        return 1\n'),
    "a header of many lines": ("python", "py", 'def add(\n    first,\n    second,\n):\n    """|"""\n    return 1\n'),
    "a remark behind the header": ("python", "py", PYTHON.format('"""|"""').replace("second):", "second):  # sum")),
    "a comment": ("typescript", "ts", WEB.format("/**|")),
    "a comment that the editor has closed": ("typescript", "ts", WEB.format("/**| */")),
    "a comment, and Enter": ("typescript", "ts", WEB.format("/**\n * |\n */")),
    "a comment, and Enter, not closed": ("typescript", "ts", WEB.format("/**\n * |")),
    "in a class": ("typescript", "ts", METHOD.format("  /**\n   * |\n   */")),
    "closed, in a class": ("typescript", "ts", METHOD.format("  /**|*/")),
    "slashes": ("rust", "rs", RUST.format("/// |")),
}  # fmt: skip


@pytest.mark.parametrize(("language", "suffix", "marked"), BEGUN.values(), ids=BEGUN)
async def test_the_whole_docstring(bench: Bench, language: str, suffix: str, marked: str) -> None:
    bench.engine.script = says
    text, span = with_cursor(marked, bench.encoding)
    uri = bench.fresh(text, language, suffix)
    (item,) = await bench.client.inline(uri, *span["start"].values())
    assert item["range"]["start"]["line"] == item["range"]["end"]["line"] == span["start"]["line"]
    change = {"range": item["range"], "newText": item["insertText"]}
    after = edited(text, {"changes": {uri: [change]}}, bench.encoding).replace("\r\n", "\n")
    assert after.count("Add two numbers.") == 1
    if language == "python":
        (function,) = [each for each in ast.walk(ast.parse(after)) if getattr(each, "name", None) == "add"]
        told = ast.get_docstring(function) or ""  # type: ignore[arg-type]
        assert [name for name in ("first:", "second:", "Returns:") if name in told][:2] == ["first:", "second:"]
    else:
        assert after.index("Add two numbers.") < after.index("add(first")
        assert after.count("*/") == after.count("/**")
        assert language == "rust" or "@param second" in after
    lines = marked.replace("\r\n", "\n").partition("|")[0].split("\n")[:-1]
    assert after.split("\n")[: len(lines)] == lines  # what stands above stays


async def test_it_is_remembered_and_typed_through(bench: Bench) -> None:
    bench.engine.script = says
    text, span = with_cursor(PYTHON.format('"""|"""'), bench.encoding)
    uri, (line, character) = bench.fresh(text), span["start"].values()
    (first,) = await bench.client.inline(uri, line, character)
    asked = len(bench.engine.asked)
    assert asked
    (again,) = await bench.client.inline(uri, line, character)
    assert again["insertText"] == first["insertText"]
    (by_hand,) = (await bench.client.ask_inline(uri, line, character, trigger=1).reply())["items"]
    assert by_hand["insertText"] == first["insertText"]
    bench.client.change(uri, 2, replacement((line, character), (line, character), "Add"))
    (rest,) = await bench.client.inline(uri, line, character + 3)
    assert first["insertText"] == "Add" + rest["insertText"]
    assert len(bench.engine.asked) == asked


async def test_in_the_menu_it_replaces_nothing(any_editor: Bench) -> None:
    """A menu's item is inserted before the quotes that are there."""
    if "completionProvider" not in any_editor.client.capabilities:
        return
    any_editor.engine.script = says
    text, span = with_cursor(PYTHON.format('"""|"""'), any_editor.encoding)
    (item,) = (await any_editor.client.menu(any_editor.fresh(text), *span["start"].values()))["items"]
    assert '"""' not in item["insertText"]
    assert item["insertText"].startswith("Add two numbers.\n")


async def test_an_edit_ends_it(bench: Bench) -> None:
    bench.engine.says("Add", hang=True)
    text, span = with_cursor(PYTHON.format('"""|'), bench.encoding)
    uri = bench.fresh(text)
    request = bench.client.ask_inline(uri, *span["start"].values())
    await until(lambda: bench.engine.asked, "the model")
    bench.client.change(uri, 2, replacement((0, 0), (0, 0), "y = 2\n"))
    assert (await request.reply())["items"] == []
    await bench.engine.asked[0].hung_up.wait()


class Slow:
    """A model that says a summary, and then nothing any more."""

    @asynccontextmanager
    async def infill(self, request: InfillRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        async def pieces() -> AsyncIterator[InfillPiece]:
            if not request.input_prefix.endswith('"""'):
                await asyncio.Event().wait()
            yield InfillPiece("Add two numbers.", stop_type="eos")

        yield pieces()


async def test_what_comes_too_late_has_plain_words(tmp_path: Path) -> None:
    """And what is there by then is shown."""
    text, _ = with_cursor(PYTHON.format('"""|'), "utf-8")
    document = Document("file:///a.py", str(tmp_path / "a.py"), "python", 1, Text(text), None)
    memory, held = Memory(), list[float]()
    server: Any = SimpleNamespace(
        session=SimpleNamespace(config=Config(), memory=lambda uri: memory),
        folders=SimpleNamespace(around=lambda path: None),
    )

    async def hold() -> None:
        held.append(now())

    now = asyncio.get_running_loop().time
    until, slow, offset = now() + CHECK_SECONDS + 0.3, cast(Any, Slow()), text.index('"""') + 3
    async with asyncio.timeout_at(until + 10):
        found = await suggested(server, document, offset, slow, hold, until)
    assert found is not None
    assert found.text.startswith("Add two numbers.\n")
    assert "first: The first." in found.text
    assert len(held) == 1
    (kept,) = [left.text for _, left in memory.suggestions(document.text, offset)]
    assert kept == found.text


ELSE = {
    "a text": PYTHON.format('y = """|'),
    "there is one": PYTHON.format('"""|\n    """Add."""'),
    "further down": PYTHON.format('y = 1\n    """|'),
    "of nothing": '    """|\n',
    "a second one": 'def add(first):\n    """Add."""\n    """|\n',
}


@pytest.mark.parametrize("marked", ELSE.values(), ids=ELSE)
async def test_elsewhere_it_is_completed_as_ever(bench: Bench, marked: str) -> None:
    bench.engine.says("some words", "\n")
    text, span = with_cursor(marked, bench.encoding)
    await bench.client.inline(bench.fresh(text), *span["start"].values())
    assert all(each.body.get("order") != "prefix" for each in bench.engine.asked)


async def test_off_by_a_setting(bench: Bench) -> None:
    def tell(ghost: bool) -> None:
        settings: dict[str, Any] = {"aigc": {**SETTINGS, "docstring": {"ghost": ghost}}}
        bench.client.notify("workspace/didChangeConfiguration", {"settings": settings})

    bench.engine.says("some words", "\n")
    text, span = with_cursor(PYTHON.format('"""|'), bench.encoding)
    uri = bench.fresh(text)
    tell(False)
    try:
        await bench.client.inline(uri, *span["start"].values())
        assert all(each.body.get("order") != "prefix" for each in bench.engine.asked)
    finally:
        tell(True)
        await bench.client.settled()


LINES: dict[str, tuple[str, str, bool]] = {
    "Python's quotes": ("python", '    """|', True),
    "two quotes": ("python", '    ""|', False),
    "four": ("python", '    """"|', False),
    "closed otherwise": ("python", "    \"\"\"|'''", False),
    "words behind": ("python", '    """|words', False),
    "a comment in Python": ("python", "/**|", False),
    "quotes in Go": ("go", '"""|', False),
    "a comment": ("java", "  /**|", True),
    "one for nobody": ("java", "  /*|", False),
    "Enter": ("java", "/**\n * |\n */", True),
    "Enter, words above": ("java", "/** Add.\n * |\n */", False),
    "a line more": ("java", "/**\n *\n * |\n */", False),
    "slashes": ("rust", "///|", True),
    "slashes above": ("rust", "/// Add.\n/// |", False),
    "slashes below": ("rust", "///|\n/// Add.", False),
    "a module's": ("rust", "//!|", True),
    "two slashes": ("rust", "//|", False),
}


@pytest.mark.parametrize(("language", "marked", "is_begun"), LINES.values(), ids=LINES)
async def test_what_looks_like_a_beginning(language: str, marked: str, is_begun: bool) -> None:
    before, _, after = marked.partition("|")
    assert (begun_at(Text(before + after), len(before), language) is not None) == is_begun
