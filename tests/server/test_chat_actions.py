"""Explain, test, fix, TODO and own actions in the editor: what is offered, done beside the user, and never stale."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import SETTINGS, Bench, started
from docstring_bench import Buffer, edits_in, with_cursor
from harness import INVALID_PARAMS, Answer, initialize_params, until

from aigc_lsp.context.document import Document
from aigc_lsp.errors import ActionRefused
from aigc_lsp.index.paths import Paths
from aigc_lsp.server.chat_actions import place_of_test
from aigc_lsp.text import Text

pytestmark = pytest.mark.asyncio(loop_scope="session")

READ = "def read(path):\n    with open(pth) as file:\n        return file.read()\n"
FIXED = READ.replace("pth", "path")
DIAGNOSTIC = {
    "range": {"start": {"line": 1, "character": 14}, "end": {"line": 1, "character": 17}},
    "message": "`pth` is not defined",
    "severity": 1,
    "source": "linter",
    "code": "F821",
}
OWN = {"title": "Name it", "prompt": "Name {selection}", "kind": "refactor.rewrite"}


async def offers(
    bench: Bench, uri: str, span: dict[str, Any], only: list[str] | None = None, *diagnostics: dict[str, Any]
) -> list[dict[str, Any]]:
    """Those that are not of docstrings."""
    context = {"diagnostics": list(diagnostics)} | ({"only": only} if only is not None else {})
    params = {"textDocument": {"uri": uri}, "range": span, "context": context}
    found = await bench.client.request("textDocument/codeAction", params)
    return [each for each in found if "docstring" not in each["title"].lower()]


async def choose(bench: Bench, action: dict[str, Any]) -> None:
    assert await bench.client.request("workspace/executeCommand", action["command"]) is None


async def told(bench: Bench, words: str, before: int) -> str:
    """The message with these words, among those since the first `before`."""

    def found() -> str:
        return next((each for each in bench.client.messages()[before:] if words in each), "")

    return str(await until(found, words))


def settings(bench: Bench, **more: Any) -> None:
    bench.client.notify("workspace/didChangeConfiguration", {"settings": {"aigc": SETTINGS | more}})


async def test_what_is_offered_where(any_editor: Bench) -> None:
    text, span = with_cursor("|# TODO: count\ndef read(path):\n    return 1|\n", any_editor.encoding)
    uri = any_editor.fresh(text)
    found = await offers(any_editor, uri, span, None, DIAGNOSTIC, DIAGNOSTIC | {"severity": 4})
    assert [(each["title"], each["kind"]) for each in found] == [
        ("Fix: `pth` is not defined", "quickfix"),
        ("Complete TODO", "refactor.rewrite.todo"),
        ("Explain selection", "refactor.explain"),
        ("Write test for read", "refactor.test"),
    ]
    assert [each["diagnostics"][0]["code"] for each in found if "diagnostics" in each] == ["F821"]
    assert all("edit" not in each and each["command"]["command"].startswith("aigc.") for each in found)
    fixes = await offers(any_editor, uri, span, ["quickfix"], DIAGNOSTIC)
    assert [each["title"] for each in fixes] == ["Fix: `pth` is not defined"]
    assert await offers(any_editor, uri, span, ["source"], DIAGNOSTIC) == []


async def test_a_fix_is_applied(any_editor: Bench) -> None:
    buffer = Buffer(any_editor, READ)
    any_editor.engine.says("with open(path) as file:")
    (action,) = await offers(any_editor, buffer.uri, DIAGNOSTIC["range"], ["quickfix"], DIAGNOSTIC)  # type: ignore[arg-type]
    await choose(any_editor, action)
    await until(lambda: buffer.text == FIXED, "the fix")
    (edit,) = buffer.applied
    if any_editor.name == "vscode":
        (change,) = edit["documentChanges"]
        assert change["textDocument"] == {"uri": buffer.uri, "version": 1}
        assert edit["changeAnnotations"][change["edits"][0]["annotationId"]]["label"] == "Fixing"
        assert action["tags"] == [1]


async def test_an_explanation_is_a_message_where_there_is_no_better_way(any_editor: Bench) -> None:
    text, span = with_cursor("|x = 1|\n", any_editor.encoding)
    uri = any_editor.fresh(text)
    before = len(any_editor.client.messages())
    any_editor.engine.writes = lambda body: Answer(("It is ", "one."))
    (action,) = [each for each in await offers(any_editor, uri, span) if each["title"].startswith("Explain")]
    await choose(any_editor, action)
    assert await told(any_editor, "It is one.", before) == "It is one."
    assert any_editor.engine.written[-1].body["messages"][-1]["content"].endswith("```python\nx = 1\n```")


@pytest.mark.process
async def test_an_explanation_is_shown_by_a_client_that_can(folder: Any) -> None:
    given = initialize_params("vscode")
    given["capabilities"]["experimental"] = {"aigc": {"show": True}}
    async with started(folder, params=given) as bench:
        await bench.ready()
        uri = bench.fresh("x = 1\n")
        bench.engine.writes = lambda body: Answer(("It is *one*.",))
        span = {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}}
        (action,) = await offers(bench, uri, span)
        await choose(bench, action)
        shown = await until(
            lambda: [params for method, params in bench.client.notifications if method == "aigc/show"], "what is shown"
        )
        assert shown == [{"title": "Explanation", "markdown": "It is *one*."}]
        assert bench.client.messages() == []
        await bench.client.end()


async def test_nothing_is_applied_to_what_was_changed_meanwhile(bench: Bench) -> None:
    buffer = Buffer(bench, READ)
    bench.engine.script = lambda body: Answer(("with open(",), hang=True)
    before = len(bench.client.messages())
    (action,) = await offers(bench, buffer.uri, DIAGNOSTIC["range"], ["quickfix"], DIAGNOSTIC)  # type: ignore[arg-type]
    await choose(bench, action)
    asked = await until(lambda: bench.engine.asked, "the question")
    buffer.type("def", "# new\n")
    await told(bench, "was changed meanwhile", before)
    await asked[0].hung_up.wait()
    assert buffer.applied == []
    # An action of a version that is gone is no better.
    await choose(bench, action)
    await told(bench, "was changed meanwhile", before + 1)
    assert len(bench.engine.asked) == 1


async def test_who_ends_the_progress_ends_the_work(bench: Bench) -> None:
    buffer = Buffer(bench, "def f(items):\n    # TODO: sort them\n    return items\n")
    bench.engine.script = lambda body: Answer(("items",), hang=True)
    messages, asked_before = len(bench.client.messages()), len(bench.client.asked)
    (action,) = await offers(bench, buffer.uri, buffer.range("TODO|"), ["refactor.rewrite.todo"])
    await choose(bench, action)
    asked = await until(lambda: bench.engine.asked, "the question")

    def token() -> Any:
        begun = [params for method, params in bench.client.notifications if method == "$/progress"]
        made = [params["token"] for method, params in bench.client.asked[asked_before:] if "workDone" in method]
        return next((each["token"] for each in begun if each["token"] in made), None)

    bench.client.notify("window/workDoneProgress/cancel", {"token": await until(token, "the progress")})
    await asked[0].hung_up.wait()
    await until(lambda: bench.client.progress()[-1] == "end", "its end")
    assert buffer.applied == []
    assert len(bench.client.messages()) == messages


async def test_a_test_in_a_new_file(bench: Bench) -> None:
    buffer = Buffer(bench, "def total(prices):\n    return sum(prices)\n")
    applied: list[dict[str, Any]] = []
    bench.client.applies = lambda edit: applied.append(edit) or {"applied": True}  # type: ignore[func-returns-value]
    bench.engine.says("[1]) == 1\n")
    (action,) = await offers(bench, buffer.uri, buffer.range("to|tal"), ["refactor.test"])
    await choose(bench, action)
    (edit,) = await until(lambda: applied, "the edit")
    folder, _, name = buffer.uri.rpartition("/")
    made, change = edit["documentChanges"]
    uri = f"{folder}/test_{name}"
    assert made == {"kind": "create", "uri": uri, "options": {"overwrite": False, "ignoreIfExists": False}}
    assert change["textDocument"] == {"uri": uri, "version": None}
    (written,) = edits_in({"documentChanges": [change]})
    assert written["newText"] == (
        f"from {name.removesuffix('.py')} import total\n\n\ndef test_total():\n    assert total([1]) == 1\n"
    )


async def test_a_test_in_a_file_that_is_open(bench: Bench) -> None:
    subject = bench.fresh("def total(prices):\n    return sum(prices)\n")
    folder, _, name = subject.rpartition("/")
    module = name.removesuffix(".py")
    text = f'"""Tests. 🙂"""\n\nfrom {module} import other\n\n\ndef test_other():\n    assert other()\n'
    bench.client.open(f"{folder}/test_{name}", text, version=7)
    applied: list[dict[str, Any]] = []
    bench.client.applies = lambda edit: applied.append(edit) or {"applied": True}  # type: ignore[func-returns-value]
    bench.engine.says("[1]) == 1\n")
    place = {"line": 0, "character": 6}
    (action,) = await offers(bench, subject, {"start": place, "end": place}, ["refactor.test"])
    await choose(bench, action)
    (edit,) = await until(lambda: applied, "the edit")
    (change,) = edit["documentChanges"]
    assert change["textDocument"] == {"uri": f"{folder}/test_{name}", "version": 7}
    assert [each["newText"] for each in change["edits"]] == [
        f"\nfrom {module} import total",
        "\n\ndef test_total():\n    assert total([1]) == 1\n",
    ]


@pytest.mark.parametrize("is_inside", [True, False])
async def test_nothing_outside_the_workspace_is_read_for_a_test(tmp_path: Path, is_inside: bool) -> None:
    for name in ("package.json", "a.test.js"):
        (tmp_path / name).write_text("vitest")
    paths = Paths()
    for name in ("package.json", "a.test.js", "a.js"):
        paths.add(name)
    found = (SimpleNamespace(index=SimpleNamespace(paths=paths)), "a.js") if is_inside else None
    server: Any = SimpleNamespace(
        session=SimpleNamespace(documents={}),
        folders=SimpleNamespace(workspace=SimpleNamespace(locate=lambda path: found)),
    )
    document = Document("file:///a.js", str(tmp_path / "a.js"), "javascript", 1, Text("f();\n"))
    if not is_inside:
        with pytest.raises(ActionRefused, match="was not read"):
            await place_of_test(server, document)
        (tmp_path / "a.test.js").unlink()
    place = await place_of_test(server, document)
    assert (place.manifest, place.before is None) == (("vitest", False) if is_inside else ("", True))


async def test_an_action_of_the_users_own(bench: Bench) -> None:
    buffer = Buffer(bench, "x = 1\n")
    span = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}
    settings(bench, actions=[OWN | {"where": "replace"}, {"title": "Broken", "prompt": "{nope}"}])
    try:
        assert "{nope}" in await told(bench, "Broken", 0)
        bench.engine.writes = lambda body: Answer(("```\ncount\n```\n",))
        found = await offers(bench, buffer.uri, span)
        assert [each["title"] for each in found] == ["Explain selection", "Name it"]
        await choose(bench, found[1])
        await until(lambda: buffer.text == "count = 1\n", "the edit")
        assert bench.engine.written[-1].body["messages"][-1]["content"] == "Name x"
    finally:
        settings(bench)


async def test_what_a_model_cannot_do_is_not_offered(bench: Bench) -> None:
    uri = bench.fresh("x = 1\n")
    span = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 5}}
    settings(bench, languagesOff=["python"])
    try:
        assert await offers(bench, uri, span) == []
    finally:
        settings(bench)
    assert [each["title"] for each in await offers(bench, uri, span)] == ["Explain selection"]


@pytest.mark.parametrize(
    "argument",
    [
        None,
        [],
        {"uri": 3},
        {"uri": "file:///a.py"},
        {"uri": "file:///a.py", "range": {"start": 1, "end": 2}},
        {"uri": "file:///a.py", "range": DIAGNOSTIC["range"], "version": "1"},
        {"uri": "file:///a.py", "range": DIAGNOSTIC["range"], "diagnostics": [3]},
        {"uri": "file:///a.py", "range": DIAGNOSTIC["range"], "diagnostics": [{"message": "no range"}]},
    ],
)
async def test_nonsense_is_refused(bench: Bench, argument: Any) -> None:
    given = {"command": "aigc.fix", "arguments": [] if argument is None else [argument]}
    assert await bench.client.fails("workspace/executeCommand", given) == INVALID_PARAMS


async def test_what_is_refused_is_said(bench: Bench) -> None:
    uri = bench.fresh("x = 1\n")
    place = {"line": 0, "character": 0}
    for name, document, words in (
        ("explain", uri, "Select the code"),
        ("fix", uri, "no diagnostic"),
        ("completeTodo", uri, "no TODO"),
        ("writeTest", uri, "no function"),
        ("action", uri, "no action called"),
        ("explain", "file:///workspace/never-opened.py", "not open"),
    ):
        before = len(bench.client.messages())
        given = {"uri": document, "range": {"start": place, "end": place}}
        await bench.client.request("workspace/executeCommand", {"command": f"aigc.{name}", "arguments": [given]})
        await told(bench, words, before)
