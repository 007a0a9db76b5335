"""Text that takes long to parse: the editor is answered all the same, and the tree comes later."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Bench
from folders import in_process, open_in
from harness import replacement, until
from lsprotocol import types
from workspaces import write

from aigc_lsp.server import open_documents, session
from aigc_lsp.server.app import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

LARGE = "".join(f"def f{number}(a, b):\n    return [a, b, {number}]\n\n\n" for number in range(600))
NESTED = "(" * 150_000


def typed(text: str) -> types.TextDocumentContentChangePartial:
    start = types.Position(0, 0)
    return types.TextDocumentContentChangePartial(range=types.Range(start, start), text=text)


def tree_of(server: Server, uri: str) -> object:
    return server.session.documents[uri].tree


@pytest.fixture
def no_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Nothing can be parsed at once."""
    monkeypatch.setattr(session, "OPEN_SECONDS", 0.0)
    monkeypatch.setattr(session, "EDIT_SECONDS", 0.0)
    return monkeypatch


async def test_a_tree_comes_when_typing_rests(tmp_path: Path, no_time: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a.py": LARGE})
    async with in_process(tmp_path) as server:
        uri = open_in(server, tmp_path / "a.py")
        assert tree_of(server, uri) is None
        await until(lambda: tree_of(server, uri), "the tree")
        for number in range(3):
            assert server.session.change(uri, number + 2, [typed("x")])
            assert tree_of(server, uri) is None
        before = server.session.documents[uri]
        await until(lambda: tree_of(server, uri), "the tree, again")
        after = server.session.documents[uri]
        assert (after.version, after.text) == (4, before.text)
        assert after.tree is not None
        assert after.tree.text.source == "xxx" + LARGE
        assert before.tree is None  # published, so it never changes


async def test_no_key_waits_for_text_that_took_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that could not be parsed at once is not tried whole with each key."""
    tried = []

    def parse(language: str, text: object) -> None:
        tried.append(text)

    monkeypatch.setattr(session, "parse", parse)
    monkeypatch.setattr(open_documents, "PARSE_REST_SECONDS", 60.0)
    async with in_process(tmp_path) as server:
        uri = open_in(server, tmp_path / "a.py", LARGE)
        for number in range(5):
            server.session.change(uri, number + 2, [typed("x")])
        assert len(tried) == 1
        assert server.session.documents[uri].text.source == "xxxxx" + LARGE


async def test_a_tree_of_a_text_that_has_changed_meanwhile_is_dropped(
    tmp_path: Path, no_time: pytest.MonkeyPatch
) -> None:
    no_time.setattr(open_documents, "PARSE_REST_SECONDS", 0.0)
    parse, begun = open_documents._parse, []

    def slow(document: object, is_unwanted: object) -> object:
        begun.append(document)
        tree = parse(document, is_unwanted)  # type: ignore[arg-type]
        if len(begun) == 1:
            server.session.change(uri, 2, [typed("x = 1\n")])
        return tree

    async with in_process(tmp_path) as server:
        no_time.setattr(open_documents, "_parse", slow)
        no_time.setattr(asyncio, "to_thread", _at_once)
        uri = open_in(server, tmp_path / "a.py", LARGE)
        await until(lambda: tree_of(server, uri), "a tree")
        assert len(begun) == 2
        assert server.session.documents[uri].tree.text.source == "x = 1\n" + LARGE  # type: ignore[union-attr]


async def _at_once(work: object, *arguments: object) -> object:
    return work(*arguments)  # type: ignore[operator]


async def test_text_that_nobody_can_parse_is_not_tried_again_and_again(
    tmp_path: Path, no_time: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def parse(document: object, is_unwanted: object) -> None:
        tried.append("")

    no_time.setattr(open_documents, "_parse", parse)
    no_time.setattr(open_documents, "PARSE_REST_SECONDS", 0.0)
    async with in_process(tmp_path) as server:
        uri = open_in(server, tmp_path / "a.py", LARGE)
        await until(lambda: tried, "the first try")
        await until(lambda: uri in server.open_documents._hard, "what comes of it")
        for number in range(5):
            server.session.change(uri, number + 2, [typed("x")])
            await asyncio.sleep(0.05)
        assert len(tried) == 1
        server.session.close(uri)
        open_in(server, tmp_path / "a.py", LARGE)
        await until(lambda: len(tried) == 2, "a try at what is opened again")


async def test_completions_meanwhile(bench: Bench) -> None:
    """Nothing but brackets, which takes seconds: each key is answered, and other documents are, too."""
    uri, other = bench.fresh(NESTED + "\nx = "), bench.fresh("y = ")
    bench.engine.says("1")
    for number in range(5):
        bench.client.change(uri, number + 2, replacement((0, 0), (0, 0), "("))
        assert await bench.client.ghost(uri, 1, 4) == ["1"]
        assert await bench.client.ghost(other, 0, 4) == ["1"]
    bench.client.close(uri)
