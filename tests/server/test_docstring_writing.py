"""Docstrings written in the editor: codeAction/resolve, and the command that works beside the user."""

from __future__ import annotations

import ast
import asyncio
from typing import Any

import pytest
from conftest import SETTINGS, Bench, started
from docstring_bench import COMMAND, Buffer, actions, edited, edits_in, says, with_cursor
from harness import CANCELLED, INVALID_PARAMS, Request, replacement, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONTENT_MODIFIED, REQUEST_FAILED = -32801, -32803

ADD = "def add(first, second):\n    return first + second\n"
STALE = '''def add(first, second):
    """Add, as in *school*.

    Args:
        first: Never zero!
        third: Whatever.
    """
    return first + second
'''
CART = """class Cart:
    def add(self, item):
        self.items.append(item)

    def size(self):
        return len(self.items)

    def _inner(self):
        pass
"""
TYPED = "export function add(first: number, second: number): number {\n  return first + second;\n}\n"


async def chosen(bench: Bench, uri: str, span: dict[str, Any], title: str = "docstring") -> Request:
    """The user chooses the first action with that title."""
    action = next(each for each in await actions(bench, uri, span) if title in each["title"])
    return bench.client.post("codeAction/resolve", action)


def without_docstrings(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


def docstring(source: str, name: str) -> str:
    """As Python has it."""
    nodes = [node for node in ast.walk(ast.parse(source)) if getattr(node, "name", None) == name]
    return ast.get_docstring(nodes[0]) or ""  # type: ignore[arg-type]


# Resolved


WRITTEN: dict[str, str] = {
    "plain": ADD.replace("add", "a|dd"),
    "CRLF and tabs": ADD.replace("    ", "\t").replace("\n", "\r\n").replace("add", "a|dd"),
    "emoji before it": 'x = "🙂🙂"\n\n\n' + ADD.replace("add", "a|dd").replace("return", "x = '🙂'; return"),
    "a body on the line of the header": "def a|dd(first, second): return first + second\n",
    "no line end": "def a|dd(first, second):\n    return first + second",
    "a docstring that is stale": STALE.replace("add", "a|dd"),
    "one of a line": ADD.replace("add", "a|dd").replace(":\n", ':\n    """Add."""\n', 1),
}


@pytest.mark.parametrize("marked", WRITTEN.values(), ids=WRITTEN)
async def test_what_is_written(bench: Bench, marked: str) -> None:
    text, span = with_cursor(marked, bench.encoding)
    bench.engine.script = says
    uri = bench.fresh(text)
    action = await (await chosen(bench, uri, span)).reply()
    after = edited(text, action["edit"], bench.encoding)
    assert without_docstrings(after) == without_docstrings(text)
    told = docstring(after, "add")
    assert [name for name in ("first:", "second:", "third:", "Returns:") if name in told][:2] == ["first:", "second:"]
    assert "third:" not in told
    assert ("\r\n" in text) == ("\r\n" in after)
    assert after.count("\n") == after.count("\r\n") or "\r\n" not in after
    for human in ("*school*", "Never zero!"):
        assert (human in text) == (human in after)


async def test_in_broken_code(bench: Bench) -> None:
    text, span = with_cursor(ADD.replace("add", "a|dd") + "\n\ndef broken(:\n    x = (\n", bench.encoding)
    bench.engine.script = says
    action = await (await chosen(bench, bench.fresh(text), span)).reply()
    after = edited(text, action["edit"], bench.encoding)
    assert after.endswith("    return first + second\n\n\ndef broken(:\n    x = (\n")
    assert after.startswith('def add(first, second):\n    """')


async def test_in_typescript(any_editor: Bench) -> None:
    if any_editor.name == "eglot":
        return  # it has the command
    text, span = with_cursor(TYPED.replace("add", "a|dd"), any_editor.encoding)
    any_editor.engine.script = says
    uri = any_editor.fresh(text, "typescript", "ts")
    action = await (await chosen(any_editor, uri, span)).reply()
    after = edited(text, action["edit"], any_editor.encoding)
    assert after.startswith("/**\n")
    assert after.endswith(" */\n" + text)
    assert [each for each in ("first", "second") if f"@param {each}" in after] == ["first", "second"]
    (change,) = action["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": 1}
    annotated = any_editor.name in ("vscode", "neovim-0.12")
    assert all(("annotationId" in each) == annotated for each in change["edits"])
    labels = [each["label"] for each in action["edit"].get("changeAnnotations", {}).values()]
    assert labels == ["Write docstring"] * annotated


async def test_of_a_class_and_its_methods(bench: Bench) -> None:
    text, span = with_cursor(CART.replace("Cart", "Ca|rt"), bench.encoding)
    bench.engine.script = says
    action = await (await chosen(bench, bench.fresh(text), span, "methods")).reply()
    assert len(action["edit"]["documentChanges"]) == 1  # undone in one step
    after = edited(text, action["edit"], bench.encoding)
    assert without_docstrings(after) == without_docstrings(text)
    assert all(docstring(after, name) for name in ("Cart", "add", "size"))
    assert docstring(after, "_inner") == ""


async def test_in_a_notebook(bench: Bench) -> None:
    text, span = with_cursor(ADD.replace("add", "a|dd"), bench.encoding)
    bench.engine.script = says
    notebook, cell = "file:///workspace/w.ipynb", "vscode-notebook-cell:/workspace/w.ipynb#w"
    item = {"uri": cell, "languageId": "python", "version": 1, "text": text}
    book = {"uri": notebook, "notebookType": "jupyter-notebook", "version": 1, "cells": [{"kind": 2, "document": cell}]}
    bench.client.notify("notebookDocument/didOpen", {"notebookDocument": book, "cellTextDocuments": [item]})
    action = await (await chosen(bench, cell, span)).reply()
    assert docstring(edited(text, action["edit"], bench.encoding), "add")


async def test_the_same_again_and_two_at_once(bench: Bench) -> None:
    text, span = with_cursor(ADD.replace("add", "a|dd") + ADD.replace("add", "sub"), bench.encoding)
    bench.engine.script = says
    uri = bench.fresh(text)
    both = [await chosen(bench, uri, span), await chosen(bench, uri, span)]
    first, second = [await each.reply() for each in both]
    assert first == second
    assert await (await chosen(bench, uri, span)).reply() == first


async def test_cancelled_half_way(bench: Bench) -> None:
    text, span = with_cursor(ADD.replace("add", "a|dd"), bench.encoding)
    bench.engine.says("Add", hang=True)
    request = await chosen(bench, bench.fresh(text), span)
    await until(lambda: bench.engine.asked, "the model")
    request.cancel()
    assert await request.error_code() == CANCELLED
    await bench.engine.asked[0].hung_up.wait()
    assert len(bench.engine.asked) == 1


async def test_ended_in_its_progress(bench: Bench) -> None:
    text, span = with_cursor(ADD.replace("add", "a|dd"), bench.encoding)
    bench.engine.says("Add", hang=True)
    request = await chosen(bench, bench.fresh(text), span)
    token = await began(bench)
    bench.client.notify("window/workDoneProgress/cancel", {"token": token})
    assert await request.error_code() == CANCELLED
    await bench.engine.asked[0].hung_up.wait()


async def test_changed_half_way(bench: Bench) -> None:
    text, span = with_cursor(ADD.replace("add", "a|dd"), bench.encoding)
    bench.engine.says("Add", hang=True)
    uri = bench.fresh(text)
    request = await chosen(bench, uri, span)
    await until(lambda: bench.engine.asked, "the model")
    bench.client.change(uri, 2, replacement((2, 0), (2, 0), "x = 1\n"))
    assert await request.error_code() == CONTENT_MODIFIED
    await bench.engine.asked[0].hung_up.wait()


async def test_changed_before(bench: Bench) -> None:
    text, span = with_cursor(ADD.replace("add", "a|dd"), bench.encoding)
    uri = bench.fresh(text)
    (action,) = await actions(bench, uri, span)
    bench.client.change(uri, 2, replacement((2, 0), (2, 0), "x = 1\n"))
    assert await bench.client.fails("codeAction/resolve", action) == CONTENT_MODIFIED
    assert bench.engine.asked == []
    bench.client.close(uri)
    assert await bench.client.fails("codeAction/resolve", action) == REQUEST_FAILED


async def test_an_action_of_somebody_else_is_left_alone(bench: Bench) -> None:
    action = {"title": "x", "kind": "quickfix", "data": {"who": 1}}
    assert await bench.client.request("codeAction/resolve", action) == action


@pytest.mark.process
async def test_a_model_that_comes_meanwhile(folder: Any) -> None:
    async with started(folder, engine=False) as bench:
        text, span = with_cursor(ADD.replace("add", "a|dd"), bench.encoding)
        uri = bench.fresh(text)
        first = await chosen(bench, uri, span)
        await began(bench)
        first.cancel()
        assert await first.error_code() == CANCELLED
        second = await chosen(bench, uri, span)
        bench.engine.script = says
        await bench.engine.up()
        assert docstring(edited(text, (await second.reply())["edit"], bench.encoding), "add")
        await bench.client.end()


async def test_a_model_that_fails_half_way(bench: Bench) -> None:
    text, span = with_cursor(ADD.replace("add", "a|dd"), bench.encoding)
    bench.engine.says("Add", hang_up=True)
    request = await chosen(bench, bench.fresh(text), span)
    assert await request.error_code() == REQUEST_FAILED
    buffer = Buffer(bench, text)
    await command(buffer, "def a|dd")
    await until(lambda: any("model server" in each for each in bench.client.messages()), "a sentence")
    assert buffer.applied == []


# By command


async def began(bench: Bench) -> str:
    """The token of the progress that was begun last, and is not ended."""

    def token() -> str:
        told = [params for method, params in bench.client.notifications if method == "$/progress"]
        ended = {each["token"] for each in told if each["value"]["kind"] == "end"}
        begun = [each for each in told if each["value"]["kind"] == "begin" and each["token"] not in ended]
        return begun[-1]["token"] if begun else ""

    return str(await until(token, "a progress"))


async def over(bench: Bench, token: str) -> None:
    def ended() -> bool:
        told = [params for method, params in bench.client.notifications if method == "$/progress"]
        return any(each["token"] == token and each["value"]["kind"] == "end" for each in told)

    await until(ended, "the end of the progress")


async def command(buffer: Buffer, marked: str, scope: str = "one", **more: Any) -> None:
    wanted = {"uri": buffer.uri, "range": buffer.range(marked), "scope": scope, **more}
    params = {"command": COMMAND, "arguments": [wanted]}
    assert await buffer.bench.client.request("workspace/executeCommand", params) is None


async def test_it_is_applied_in_every_client(any_editor: Bench) -> None:
    any_editor.engine.script = says
    buffer = Buffer(any_editor, 'x = "🙂"\n' + ADD)
    await command(buffer, "def a|dd", version=1)
    await until(lambda: buffer.applied, "the edit")
    assert docstring(buffer.text, "add")
    assert without_docstrings(buffer.text) == without_docstrings('x = "🙂"\n' + ADD)
    assert len(edits_in(buffer.applied[0])) == 1


async def test_it_returns_at_once_and_shows_what_it_does(bench: Bench) -> None:
    bench.engine.says("Add", hang=True)
    buffer = Buffer(bench, ADD)
    await command(buffer, "def a|dd")
    token = await began(bench)
    (begin,) = [p["value"] for m, p in bench.client.notifications if m == "$/progress" and p["token"] == token][:1]
    assert begin["title"] == "Write docstring"
    assert begin["cancellable"] is True
    said = len(bench.client.messages())
    bench.client.notify("window/workDoneProgress/cancel", {"token": token})
    await over(bench, token)
    await bench.engine.asked[0].hung_up.wait()
    assert buffer.applied == []
    assert bench.client.messages()[said:] == []


@pytest.mark.process
async def test_who_ends_the_editor_is_told_of_nothing(folder: Any) -> None:
    """What is under way ends with the session, and is no failure."""
    async with started(folder, settings=SETTINGS) as bench:
        await bench.ready()
        bench.engine.says("Add", hang=True)
        buffer = Buffer(bench, ADD)
        await command(buffer, "def a|dd")
        await until(lambda: bench.engine.asked, "the model")
        await bench.client.end()
        assert bench.client.messages() == []
        assert buffer.applied == []


async def test_all_of_a_file(bench: Bench) -> None:
    bench.engine.script = says
    buffer = Buffer(bench, STALE + "\n\n" + CART)
    await command(buffer, "def a|dd", "file")
    await until(lambda: buffer.applied, "the edit")
    assert len(buffer.applied) == 1
    assert all(docstring(buffer.text, name) for name in ("Cart", "size"))
    assert "third" not in buffer.text
    assert "Never zero!" in buffer.text


async def test_typing_elsewhere_meanwhile(bench: Bench) -> None:
    """It is written where its function is by then."""
    bench.engine.says("Add two numbers.", delay=0.3)
    buffer = Buffer(bench, "import os\n\n\n" + ADD + "\n\nx = 1\n")
    await command(buffer, "def a|dd")
    await until(lambda: bench.engine.asked, "the model")
    buffer.type("import os", "# 🙂\nimport re\n")
    buffer.type("x = 1", "y = 2\n")  # nobody looks between the two
    await until(lambda: buffer.applied, "the edit")
    assert docstring(buffer.text, "add")
    assert buffer.text.startswith("# 🙂\nimport re\nimport os\n\n\ndef add(first, second):\n")
    assert buffer.text.endswith("    return first + second\n\n\ny = 2\nx = 1\n")


async def test_typing_in_it_meanwhile(bench: Bench) -> None:
    bench.engine.says("Add", hang=True)
    buffer = Buffer(bench, ADD)
    await command(buffer, "def a|dd")
    await until(lambda: bench.engine.asked, "the model")
    buffer.type("return", "x = 1\n    ")
    await until(lambda: any("changed meanwhile" in each for each in bench.client.messages()), "a sentence")
    await bench.engine.asked[0].hung_up.wait()
    assert buffer.applied == []


async def test_commands_at_once(bench: Bench) -> None:
    bench.engine.script = says
    buffer = Buffer(bench, CART + "\n\n" + ADD.replace("add", "sub"))
    places = ("def a|dd", "class C|art", "def s|ub")
    await asyncio.gather(*(command(buffer, place, version=1) for place in places))
    await until(lambda: len(buffer.applied) == len(places), "all edits")
    assert all(docstring(buffer.text, name) for name in ("add", "Cart", "sub"))


async def test_what_an_editor_refuses(bench: Bench) -> None:
    bench.engine.script = says
    buffer = Buffer(bench, ADD)
    bench.client.applies = lambda edit: {"applied": False, "failureReason": "read-only"}
    await command(buffer, "def a|dd")
    await until(lambda: "The editor did not apply it: read-only" in bench.client.messages(), "a sentence")


async def test_where_nothing_is_to_be_written(bench: Bench) -> None:
    buffer = Buffer(bench, ADD)
    said = len(bench.client.messages())
    await command(buffer, "ret|urn")
    await until(lambda: bench.client.messages()[said:], "a sentence")
    assert bench.client.messages()[said:] == ["There is no docstring to be written or updated here."]
    assert bench.engine.asked == []


BAD: dict[str, list[Any]] = {
    "nothing": [],
    "no object": ["x"],
    "no range": [{"uri": "file:///a", "scope": "one"}],
    "another scope": [{"uri": "file:///a", "range": replacement((0, 0), (0, 0), "")["range"], "scope": "all"}],
    "a version of text": [
        {"uri": "file:///a", "range": replacement((0, 0), (0, 0), "")["range"], "scope": "one", "version": "1"}
    ],
    "two": [{}, {}],
}


@pytest.mark.parametrize("arguments", BAD.values(), ids=BAD)
async def test_bad_arguments(bench: Bench, arguments: list[Any]) -> None:
    params = {"command": COMMAND, "arguments": arguments}
    assert await bench.client.fails("workspace/executeCommand", params) == INVALID_PARAMS


async def test_a_range_outside_the_text(bench: Bench) -> None:
    bench.engine.script = says
    uri = bench.fresh(ADD)
    far = {"start": {"line": 900, "character": 900}, "end": {"line": 900, "character": 900}}
    said = len(bench.client.messages())
    wanted = {"uri": uri, "range": far, "scope": "one"}
    params = {"command": COMMAND, "arguments": [wanted]}
    await bench.client.request("workspace/executeCommand", params)
    await until(lambda: bench.client.messages()[said:], "a sentence")
    assert bench.engine.asked == []
