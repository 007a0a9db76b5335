"""Four real editors: what each is offered, and a completion in its own manner."""

from __future__ import annotations

import pytest
from conftest import Bench
from harness import CLIENTS, initialize_params, units

pytestmark = pytest.mark.asyncio(loop_scope="session")

INLINE = ("vscode", "neovim-0.12")


async def test_capabilities(any_editor: Bench) -> None:
    capabilities = any_editor.client.capabilities
    assert capabilities["positionEncoding"] == CLIENTS[any_editor.name][1]
    assert "inlineCompletionProvider" in capabilities
    assert ("completionProvider" in capabilities) == (any_editor.name not in INLINE)
    sync = capabilities["textDocumentSync"]
    assert (sync["openClose"], sync["change"]) == (True, 2)


async def test_the_fixtures_are_what_the_tests_think() -> None:
    """The clients that say nothing of inline completion are the ones with the menu."""
    for name in CLIENTS:
        document = initialize_params(name)["capabilities"]["textDocument"]
        assert (document.get("inlineCompletion") is not None) == (name in INLINE)


async def test_ghost_text_behind_an_emoji(any_editor: Bench) -> None:
    before, after = 'print("😀é", value', "\nprint(2)\n"
    any_editor.engine.says("s)", "\nprint(3)\n")
    uri = any_editor.fresh(before + after)
    column = units(before, any_editor.encoding)
    position = {"line": 0, "character": column}
    items = await any_editor.client.inline(uri, 0, column)
    (item,) = items
    assert (item["insertText"], item["range"]) == ("s)", {"start": position, "end": position})
    assert item["command"]["command"] == "aigc.accepted"
    (asked,) = any_editor.engine.asked
    assert (asked.body["input_prefix"], asked.body["input_suffix"]) == (before, after)


async def test_emoji_in_the_typed_text(any_editor: Bench) -> None:
    """Columns differ between the encodings in changes, too."""
    uri = any_editor.fresh("😀😀\n")
    start = units("😀", any_editor.encoding)
    change = {
        "range": {"start": {"line": 0, "character": start}, "end": {"line": 0, "character": 2 * start}},
        "text": "é😀!",
    }
    any_editor.client.change(uri, 2, change)
    any_editor.engine.says("x")
    await any_editor.client.inline(uri, 0, units("😀é😀", any_editor.encoding))
    (asked,) = any_editor.engine.asked
    assert (asked.body["input_prefix"], asked.body["input_suffix"]) == ("😀é😀", "!\n")


@pytest.mark.parametrize("any_editor", ["eglot", "neovim-0.11"], indirect=True)
async def test_menu_behind_an_emoji(any_editor: Bench) -> None:
    before = 'x = "😀"; resul'
    any_editor.engine.says("t.append(1)")
    uri = any_editor.fresh(f"{before}\n")
    answer = await any_editor.client.menu(uri, 0, units(before, any_editor.encoding))
    assert answer["isIncomplete"] is True
    (item,) = answer["items"]
    assert item["insertText"] == item["filterText"] == item["label"] == "result.append(1)"
    assert "textEdit" not in item
    assert item["insertTextFormat"] == 1
    assert item["sortText"] < "!"  # before whatever another server sorts by


@pytest.mark.parametrize("any_editor", ["eglot"], indirect=True)
@pytest.mark.parametrize(
    ("line", "said", "inserted", "label", "filtered"),
    [
        ("    ", "return 1", "return 1", "return 1", "return 1"),
        ("foo.", "bar()", "bar()", "bar()", "bar()"),
        ("foo(a", ", b)", "a, b)", "a, b)", "a, b)"),
        ("x =", " 1", " 1", "1", "1"),
        ("größe", "_2 = 1", "größe_2 = 1", "größe_2 = 1", "größe_2 = 1"),
    ],
)
async def test_menu_item(any_editor: Bench, line: str, said: str, inserted: str, label: str, filtered: str) -> None:
    any_editor.engine.says(said)
    uri = any_editor.fresh(line)
    (item,) = (await any_editor.client.menu(uri, 0, units(line, any_editor.encoding)))["items"]
    assert (item["insertText"], item["label"], item["filterText"]) == (inserted, label, filtered)
    assert item["detail"] == "aigc-lsp"
    assert "documentation" not in item


@pytest.mark.parametrize("any_editor", ["eglot"], indirect=True)
async def test_menu_item_of_several_lines(any_editor: Bench) -> None:
    any_editor.engine.says("\n    x = 1\n    return x\n")
    uri = any_editor.fresh("def f():")
    (item,) = (await any_editor.client.menu(uri, 0, 8))["items"]
    assert item["insertText"] == "\n    x = 1\n    return x"
    assert item["label"] == "x = 1 …"
    assert item["documentation"] == {"kind": "plaintext", "value": item["insertText"]}


@pytest.mark.parametrize(
    ("any_editor", "inserted"),
    [("eglot", "x = 1\n    return x"), ("neovim-0.11", "x = 1\nreturn x")],
    indirect=["any_editor"],
)
async def test_menu_item_of_several_indented_lines(any_editor: Bench, inserted: str) -> None:
    """Neovim's menu indents the later lines itself."""
    any_editor.engine.says("x = 1\n    return x\n")
    uri = any_editor.fresh("def f():\n    ")
    (item,) = (await any_editor.client.menu(uri, 1, 4))["items"]
    assert item["insertText"] == inserted


@pytest.mark.parametrize("any_editor", ["eglot"], indirect=True)
async def test_menu_without_anything_is_still_incomplete(any_editor: Bench) -> None:
    """Else eglot would not ask again while the word is typed on."""
    uri = any_editor.fresh("x")
    assert await any_editor.client.menu(uri, 0, 1) == {"isIncomplete": True, "items": []}


async def test_ghost_text_of_several_lines(any_editor: Bench) -> None:
    any_editor.engine.says("    x = 1\n", "    return x\n", "\n\nprint()")
    uri = any_editor.fresh("def f():\n")
    assert await any_editor.client.ghost(uri, 1, 0) == ["    x = 1\n    return x"]


async def test_both_triggers(bench: Bench) -> None:
    bench.engine.says("x")
    uri = bench.fresh("a = ")
    for trigger in (1, 2):
        assert (await bench.client.ask_inline(uri, 0, 4, trigger).reply())["items"]


async def test_selected_completion_info_does_no_harm(bench: Bench) -> None:
    bench.engine.says("1")
    uri = bench.fresh("a = ")
    at = {"line": 0, "character": 4}
    info = {"range": {"start": at, "end": at}, "text": "12"}
    params = {
        "textDocument": {"uri": uri},
        "position": at,
        "context": {"triggerKind": 2, "selectedCompletionInfo": info},
    }
    assert (await bench.client.request("textDocument/inlineCompletion", params))["items"]
