"""The server's text is the client's text, whatever was typed, in each encoding."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from conftest import Bench
from harness import replacement, units
from lsprotocol import converters, types

from aigc_lsp.server.session import Session

pytestmark = pytest.mark.asyncio(loop_scope="session")

URI = "file:///workspace/fuzzed.py"
# Line ends, what str.splitlines takes for line ends, characters of one to four UTF-8 bytes, marks, code.
PIECES = (
    "\n",
    "\r\n",
    "\r",
    "\f",
    "\v",
    "\x85",
    "\u2028",
    "\u2029",
    "\x1c",
    "é",
    "ß",
    "€",
    "\u0301",
    "😀",
    "👩‍👩‍👧",
    "\ufeff",
)
PIECES += (" ", "    ", "\t", "(", ")", "{", "}", '"', '"""', "#", "def f():", "x = 1", "if ", "return", "")
STARTS = ("", "\ufeff", "x", "a\r\nb\r\n", "😀\n😀", "def f(x):\r    return x\r", '"""é\u2028\n', "\n\n\n")


class Editor:
    """What a client holds. Positions are found by walking; the server's way is another."""

    def __init__(self, text: str, encoding: str, chance: random.Random) -> None:
        self.text, self.encoding, self.chance = text, encoding, chance
        self.version = 1

    def position(self, offset: int) -> tuple[int, int]:
        starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", self.text))]
        line = max(n for n, start in enumerate(starts) if start <= offset)
        return line, units(self.text[starts[line] : offset], self.encoding)

    def place(self) -> int:
        """Any offset but one inside a line end, which no position names."""
        while True:
            offset = self.chance.randint(0, len(self.text))
            if self.text[max(offset - 1, 0) : offset + 1] != "\r\n":
                return offset

    def change(self) -> dict[str, Any]:
        """Do something, and say so as a client does."""
        new = "".join(self.chance.choices(PIECES, k=self.chance.choice((0, 1, 1, 1, 2, 5))))
        if self.chance.random() < 0.04:
            self.text = new
            return {"text": new}
        first = self.place()
        last = first if self.chance.random() < 0.5 else self.place()
        first, last = sorted((first, last))
        change = replacement(self.position(first), self.position(last), new)
        self.text = self.text[:first] + new + self.text[last:]
        return change

    def changes(self) -> list[dict[str, Any]]:
        self.version += 1
        return [self.change() for _ in range(self.chance.choice((1, 1, 1, 2, 4)))]


def as_model_sees(text: str) -> str:
    return re.sub(r"\r\n|\r", "\n", text).removeprefix("\ufeff")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_session_follows_random_edits(encoding: str) -> None:
    converter = converters.get_converter()
    for seed in range(40):
        chance = random.Random(seed)
        editor = Editor(chance.choice(STARTS), encoding, chance)
        session = Session()
        session.encoding = encoding
        session.open(types.TextDocumentItem(URI, chance.choice(("python", "typescript", "text")), 1, editor.text))
        for _ in range(15):
            wire = {"textDocument": {"uri": URI, "version": editor.version}, "contentChanges": editor.changes()}
            before = session.documents[URI]
            snapshot = before.text.source
            params = converter.structure(wire, types.DidChangeTextDocumentParams)
            assert session.change(URI, editor.version, params.content_changes)
            document = session.documents[URI]
            assert document.text.source == editor.text, f"seed {seed}"
            assert document.version == editor.version
            assert document.tree is None or document.tree.text.source == editor.text
            assert before.text.source == snapshot  # published, so it never changes


@pytest.mark.parametrize("any_editor", ["vscode", "neovim-0.12", "eglot"], indirect=True)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_model_server_sees_what_was_typed(any_editor: Bench, seed: int) -> None:
    client, engine = any_editor.client, any_editor.engine
    chance = random.Random(seed)
    editor = Editor(chance.choice(STARTS), client.encoding, chance)
    uri = any_editor.fresh(editor.text)
    compared = 0
    for _ in range(30):
        client.change(uri, editor.version, *editor.changes())
        offset = editor.place()
        engine.says("x")
        await client.ask_inline(uri, *editor.position(offset)).reply()
        for asked in engine.asked:  # none in the middle of a word
            compared += 1
            prefix, whole = as_model_sees(editor.text[:offset]), as_model_sees(editor.text)
            assert asked.body["input_prefix"] == prefix
            suffix = whole[len(prefix) :]
            rest = suffix.partition("\n")[0]  # closers behind the cursor are kept out
            seen = asked.body["input_suffix"].rstrip()  # what was read stays where only blanks at the end are new
            assert seen in (suffix.rstrip(), suffix[len(rest) :].rstrip())
    assert compared > 15


async def test_reopened_document_is_the_new_one(bench: Bench) -> None:
    uri = bench.fresh("old = 1\n")
    bench.client.close(uri)
    bench.engine.says("x")
    assert await bench.client.ghost(uri, 0, 0) == []
    bench.client.open(uri, "new = ")
    assert await bench.client.ghost(uri, 0, 6) == ["x"]
    assert [asked.text for asked in bench.engine.asked] == ["new = "]


async def test_open_twice_takes_the_second_text(bench: Bench) -> None:
    uri = bench.fresh("old = ")
    bench.client.open(uri, "newer = ")
    bench.engine.says("x")
    assert await bench.client.ghost(uri, 0, 8) == ["x"]
    assert bench.engine.asked[-1].text == "newer = "


async def test_a_document_changed_from_what_is_not_served_to_what_is(bench: Bench) -> None:
    """Too large or binary at first: it is served as soon as it is not."""
    for text in ("x\0y", "#" * 2_000_001):
        uri = bench.fresh(text)
        bench.engine.says("return 1")
        assert await bench.client.ghost(uri, 0, 0) == []
        bench.client.change(uri, 2, {"text": "def f():\n    "})
        assert await bench.client.ghost(uri, 1, 4) == ["return 1"]
        bench.client.change(uri, 3, replacement((0, 0), (0, 0), "\0"))
        assert await bench.client.ghost(uri, 1, 4) == []
