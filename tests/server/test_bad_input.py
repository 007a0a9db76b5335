"""What no editor should send, and some do: each request has its reply, and the server lives on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Bench, started
from harness import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    NOT_INITIALIZED,
    Client,
    environment,
    initialize_params,
    inline_params,
    replacement,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

INLINE = "textDocument/inlineCompletion"


# The life of a session


@pytest.mark.process
async def test_order_of_a_session(folder: Path) -> None:
    """Before initialize, twice initialize, after shutdown."""
    client = await Client.start(environment(folder))
    try:
        client.open("file:///early.py", "x = ")  # dropped
        client.notify("initialized", {})  # dropped
        client.notify("$/setTrace", {"value": "verbose"})
        client.notify("workspace/didChangeConfiguration", {"settings": {"aigc": {"enabled": False}}})
        client.notify("$/cancelRequest", {"id": 1})
        assert await client.fails(INLINE, inline_params("file:///early.py", 0, 4)) == NOT_INITIALIZED
        assert await client.fails("shutdown") == NOT_INITIALIZED
        assert await client.fails("no/such/method", {}) == NOT_INITIALIZED
        assert client.asked == []
        assert await client.fails("initialize", {"capabilities": 7}) == INVALID_PARAMS
        result = await client.initialize()
        assert result["serverInfo"]["name"] == "aigc-lsp"
        assert await client.fails("initialize", initialize_params("eglot")) == INVALID_REQUEST
        assert await client.inline("file:///early.py", 0, 4) == []
        assert await client.request("shutdown") is None
        assert await client.fails(INLINE, inline_params("file:///early.py", 0, 4)) == INVALID_REQUEST
        assert await client.fails("initialize", initialize_params("eglot")) == INVALID_REQUEST
        assert await client.fails("shutdown") == INVALID_REQUEST
        client.open("file:///late.py", "x = ")
        client.notify("exit")
        await client._gone(code=0)
    finally:
        await client._kill()
    client.check(errors=True)  # the malformed initialize


@pytest.mark.process
async def test_exit_without_shutdown(folder: Path) -> None:
    async with started(folder) as bench:
        await bench.ready()
        bench.engine.says("a", hang=True)
        request = bench.client.ask_inline(bench.fresh("x = "), 0, 4)
        await until(lambda: bench.engine.asked, "the request")
        bench.client.notify("exit")
        await bench.client._gone(code=1)
        await bench.engine.asked[0].hung_up.wait()
        request.future.cancel()
    log = bench.client.stderr.decode()
    assert "Traceback" not in log, log


@pytest.mark.process
async def test_exit_before_initialize(folder: Path) -> None:
    async with started(folder, initialize=False) as bench:
        await bench.client.end(shutdown=False)


@pytest.mark.process
async def test_stdin_closed(folder: Path) -> None:
    async with started(folder, engine=False) as bench:
        await bench.client.hang_up(code=1)


@pytest.mark.process
async def test_stdin_closed_in_the_middle_of_a_message(folder: Path) -> None:
    async with started(folder, engine=False) as bench:
        stdin = bench.client.process.stdin
        assert stdin is not None
        stdin.write(b'Content-Length: 1000\r\n\r\n{"jsonrpc"')
        stdin.close()
        await bench.client._gone(code=1)
    assert "Traceback" not in bench.client.stderr.decode()


@pytest.mark.process
async def test_shutdown_answers_what_is_under_way(folder: Path) -> None:
    async with started(folder) as bench:
        await bench.ready()
        bench.engine.says("a", hang=True)
        request = bench.client.ask_inline(bench.fresh("x = "), 0, 4)
        await until(lambda: bench.engine.asked, "the request")
        await bench.client.end()
        assert await request.reply() == {"items": []}
        await bench.engine.asked[0].hung_up.wait()


# Messages


async def test_unknown_methods(bench: Bench) -> None:
    assert await bench.client.fails("no/such/method", {}) == METHOD_NOT_FOUND
    assert await bench.client.fails("no/such/method") == METHOD_NOT_FOUND
    assert await bench.client.fails("$/private") == METHOD_NOT_FOUND
    assert await bench.client.fails("textDocument/hover", inline_params("file:///x", 0, 0)) == METHOD_NOT_FOUND
    assert await bench.client.post("no/such/method", without_params=True).error_code() == METHOD_NOT_FOUND
    bench.client.notify("no/such/notification", {"a": 1})
    bench.client.notify("$/private")
    await bench.client.settled()


@pytest.mark.parametrize(
    "params",
    [
        None,
        [],
        {},
        7,
        "text",
        {"textDocument": {"uri": "file:///x"}},
        {"textDocument": {"uri": "file:///x"}, "position": {"line": 0, "character": 0}},
        {"textDocument": 1, "position": {"line": 0, "character": 0}, "context": {"triggerKind": 1}},
        inline_params("file:///x", "zero", 0),  # type: ignore[arg-type]
        inline_params("file:///x", 0, None),  # type: ignore[arg-type]
        inline_params("file:///x", -1, 0),
        inline_params("file:///x", 0, 0, trigger=99),
    ],
)
async def test_malformed_params(bench: Bench, params: Any) -> None:
    assert await bench.client.fails(INLINE, params) == INVALID_PARAMS


async def test_malformed_notifications(bench: Bench) -> None:
    uri = bench.fresh("x = ")
    bench.engine.says("1")
    for params in (None, [], {}, {"textDocument": {"uri": uri}}, {"textDocument": {"uri": uri, "version": "one"}}):
        for method in ("didOpen", "didChange", "didClose"):
            if method == "didClose" and params and "textDocument" in params:
                continue  # that is a good one
            bench.client.notify(f"textDocument/{method}", params)
    bench.client.notify("$/cancelRequest", {})
    bench.client.notify("workspace/didChangeConfiguration", [])
    assert await bench.client.ghost(uri, 0, 4) == ["1"]


async def test_responses_to_nobody(bench: Bench) -> None:
    bench.client.send({"id": 987654, "result": None})
    bench.client.send({"id": "x", "error": {"code": 1, "message": "m"}})
    bench.client.send({"id": None, "error": {"code": 1, "message": "m"}})
    await bench.client.settled()


async def test_ids_may_be_strings(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    replies: list[Any] = []
    take = bench.client._take_reply

    def sort_out(message: dict[str, Any]) -> None:
        (replies.append if message.get("id") == "one" else take)(message)

    monkeypatch.setattr(bench.client, "_take_reply", sort_out)
    bench.client.send({"id": "one", "method": INLINE, "params": inline_params("file:///x", 0, 0)})
    await bench.client.settled()
    assert [reply["result"] for reply in replies] == [{"items": []}]


@pytest.mark.process
async def test_what_is_no_message(folder: Path) -> None:
    """Not JSON, not an object, not JSON-RPC, not UTF-8."""
    async with started(folder) as bench:
        await bench.ready()
        for body in (
            b"{",
            b"[]",
            b"7",
            b"null",
            b'"x"',
            b"{}",
            b'{"jsonrpc": "2.0"}',
            b'{"jsonrpc": "1.0"}',
            b"\xff\xfe",
        ):
            bench.client.raw(body)
        bench.client.raw(json.dumps({"jsonrpc": "2.0", "method": 7}).encode())
        bench.client.raw(b"[" * 100_000)
        bench.engine.says("1")
        assert await bench.client.ghost(bench.fresh("x = "), 0, 4) == ["1"]
        await bench.client.end(errors=True)


# Documents


async def test_documents_never_opened(bench: Bench) -> None:
    uri = "file:///workspace/never.py"
    bench.engine.says("1")
    bench.client.change(uri, 2, replacement((0, 0), (0, 0), "x = "))
    assert await bench.client.ghost(uri, 0, 4) == []
    bench.client.close(uri)
    await bench.client.settled()
    assert bench.engine.asked == []


@pytest.mark.parametrize(
    "uri", ["", "untitled:Untitled-1", "no uri", "git:/a?{}", "file:///ü %zz/\U0001f600", "file://[bad"]
)
async def test_strange_uris(bench: Bench, uri: str) -> None:
    bench.engine.says("1")
    bench.client.open(uri, "x = ")
    assert await bench.client.ghost(uri, 0, 4) == ["1"]
    bench.client.close(uri)


@pytest.mark.parametrize(
    ("line", "character", "offset"),
    [(0, 999, 4), (99, 0, 10), (99, 99, 10), (1, 2**31 - 1, 10), (2**31 - 1, 2**31 - 1, 10), (1, 5, 10)],
)
async def test_positions_outside(bench: Bench, line: int, character: int, offset: int) -> None:
    text = "x = \ny = ("
    bench.engine.says("1")
    assert await bench.client.ghost(bench.fresh(text), line, character) == ["1"]
    (asked,) = bench.engine.asked
    assert (asked.body["input_prefix"], asked.text) == (text[:offset], text)


async def test_changes_outside(bench: Bench) -> None:
    uri = bench.fresh("ab")
    bench.client.change(uri, 2, replacement((7, 7), (9, 9), "("), replacement((0, 99), (0, 2), "c "))
    bench.engine.says("1")
    await bench.client.inline(uri, 0, 99)
    assert bench.engine.asked[-1].text in ("abc (", "ab(c ", "abc ")


async def test_change_ranges_the_wrong_way_round(bench: Bench) -> None:
    uri = bench.fresh("(abcd) + 1")
    bench.client.change(uri, 2, replacement((0, 5), (0, 1), "-"))
    bench.engine.says("1")
    await bench.client.inline(uri, 0, 2)
    assert bench.engine.asked[-1].text == "(-) + 1"


async def test_lone_surrogates_when_opened(bench: Bench) -> None:
    uri = bench.fresh("s = '\ud83d' + ")
    bench.engine.says("1")
    assert await bench.client.ghost(uri, 0, 11) == ["1"]
    assert bench.engine.asked[-1].body["input_prefix"] == "s = '\ufffd' + "


@pytest.mark.parametrize("any_editor", ["vscode", "neovim-0.12", "eglot"], indirect=True)
async def test_lone_surrogates_when_typed(any_editor: Bench) -> None:
    """Positions behind one stay right, and the session goes on."""
    client = any_editor.client
    uri = any_editor.fresh("x\ny", "plaintext", "txt")
    width = {"utf-8": 3}.get(any_editor.encoding, 1)
    client.change(uri, 2, replacement((0, 1), (0, 1), "\udc00"))
    client.change(uri, 3, replacement((0, 1 + width), (0, 1 + width), " = "))
    any_editor.engine.says("1")
    assert len(await client.inline(uri, 0, 1 + width + 3)) == 1
    assert any_editor.engine.asked[-1].body["input_prefix"] == "x\ufffd = "
    client.change(uri, 4, {"text": "\ud83d = "})
    assert len(await client.inline(uri, 0, width + 3)) == 1
    assert any_editor.engine.asked[-1].text == "\ufffd = "


async def test_lone_surrogates_from_the_model(bench: Bench) -> None:
    bench.engine.says("'\ud83d'")
    uri = bench.fresh("x = ")
    texts = await bench.client.ghost(uri, 0, 4)
    assert texts in ([], ["'"], ["'\ufffd'"])


async def test_control_tokens_are_text(bench: Bench) -> None:
    text = "# <|fim_middle|> <|endoftext|>\nx = '<|fim_prefix|>"
    bench.engine.says("'")
    assert await bench.client.ghost(bench.fresh(text), 1, 99) == ["'"]
    assert bench.engine.asked[-1].text == text


async def test_what_is_not_completed(bench: Bench) -> None:
    bench.engine.says("1")
    for text in ("x\0 = ", "x = \n" * 600_000):
        assert await bench.client.ghost(bench.fresh(text), 0, 4) == []
    assert bench.engine.asked == []


@pytest.mark.parametrize("language", ["python", "typescript", "plaintext", "", "no-such-language"])
@pytest.mark.parametrize("text", ["", "\n", "x", "\ufeff", "\r\n", "\r", "\u2028"])
async def test_tiny_documents(bench: Bench, text: str, language: str) -> None:
    """Empty file, cursor at the end of the file without a newline."""
    bench.engine.says("f()")
    line = text.count("\n") or text.count("\r")
    texts = await bench.client.ghost(bench.fresh(text, language), line, 99)
    is_no_python = text == "\u2028" and language == "python"  # what does not parse is not added to
    assert texts == ([] if is_no_python else ["f()"])


async def test_in_the_middle_of_a_word_nobody_is_asked(bench: Bench) -> None:
    bench.engine.says("1")
    uri = bench.fresh("resulting")
    assert await bench.client.ghost(uri, 0, 3) == []
    assert bench.engine.asked == []
    assert await bench.client.ghost(uri, 0, 9) == ["1"]


@pytest.mark.parametrize("text", ["", " ", "\n", "\n\n\n", "\t\n ", "\r\n"])
async def test_nothing_worth_showing(bench: Bench, text: str) -> None:
    bench.engine.says(text)
    assert await bench.client.inline(bench.fresh("x = "), 0, 4) == []


async def test_one_giant_line(bench: Bench) -> None:
    """One line of a minified file, below the limit of the file's size."""
    text = "f(x);" * 60_000
    uri = bench.fresh(text, "javascript")
    bench.engine.says("g()")
    await bench.client.inline(uri, 0, len(text) // 2 // 5 * 5)
    (asked,) = bench.engine.asked
    assert len(asked.text) < 200_000
