"""What an editor gets beside the text: choices, the popup's entry, the command, why there is nothing; and that what was
said once is not asked again."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from conftest import Bench
from harness import Answer, replacement

from aigc_lsp.pipeline import Completion
from aigc_lsp.server.explain import told
from aigc_lsp.service.wire import Usage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def asked_by_hand(bench: Bench, uri: str, line: int, character: int) -> list[dict[str, Any]]:
    params = {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 1},
    }
    return (await bench.client.post("textDocument/inlineCompletion", params).reply())["items"]


async def with_popup(bench: Bench, uri: str, position: tuple[int, int], start: int, text: str) -> list[dict[str, Any]]:
    line, character = position
    span = {"start": {"line": line, "character": start}, "end": {"line": line, "character": character}}
    params = {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 2, "selectedCompletionInfo": {"range": span, "text": text}},
    }
    return (await bench.client.post("textDocument/inlineCompletion", params).reply())["items"]


def in_choices(*texts: str, cut_off: str = "") -> Answer:
    """As our model server answers where `n` are wanted; `cut_off` is one that has not ended."""
    import json

    choices = [
        {"index": i, "content": text, "mean_logprob": -0.1 * i, "stop_type": "limit" if text == cut_off else "eos"}
        for i, text in enumerate(texts)
    ]
    events = [
        {"content": texts[0], "stop": False},
        {"content": "", "stop": True, "stop_type": "eos", "choices": choices},
    ]
    return Answer(raw=b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events))


async def test_several_choices_when_asked_by_hand(bench: Bench) -> None:
    uri = bench.fresh("x = ")
    bench.engine.script = lambda body: in_choices("first()", "second()", "first()  ", "third()")
    items = await asked_by_hand(bench, uri, 0, 4)
    assert [item["insertText"] for item in items] == ["first()", "second()", "third()"]
    assert bench.engine.asked[-1].body["n"] == 3
    assert bench.engine.asked[-1].body["stop"] == ["\n"]
    assert len({item["command"]["arguments"][0] for item in items}) == 3
    # The next key and the next question by hand know them.
    bench.client.change(uri, 2, replacement((0, 4), (0, 4), "s"))
    assert await bench.client.ghost(uri, 0, 5) == ["econd()"]
    assert len(bench.engine.asked) == 1


async def test_a_choice_that_was_cut_off_is_cut_to_what_is_whole(bench: Bench) -> None:
    uri = bench.fresh("x = ")
    bench.engine.script = lambda body: in_choices("first() or other", "second() or oth", cut_off="second() or oth")
    items = await asked_by_hand(bench, uri, 0, 4)
    assert [item["insertText"] for item in items] == ["first() or other", "second()"]


async def test_what_is_there_already_is_the_first_choice(bench: Bench) -> None:
    uri = bench.fresh("x = ")
    bench.engine.says("seen()", "\n")
    assert await bench.client.ghost(uri, 0, 4) == ["seen()"]
    bench.engine.script = lambda body: in_choices("other()", "seen()")
    items = await asked_by_hand(bench, uri, 0, 4)
    assert [item["insertText"] for item in items] == ["seen()", "other()"]


async def test_one_choice_while_one_types(bench: Bench) -> None:
    uri = bench.fresh("x = ")
    bench.engine.says("1")
    assert len(await bench.client.inline(uri, 0, 4)) == 1
    assert bench.engine.asked[-1].body["n"] == 1


POPUPS = {
    "what follows the entry": ("store.fi", 6, "find", "(number)", "store.find"),
    "an entry that is another word": ("store.fi", 6, "refill", "()", "store.refill"),
    "nothing typed yet": ("store.", 6, "find", "(number)", "store.find"),
}


@pytest.mark.parametrize(("line", "start", "entry", "said", "prompt"), POPUPS.values(), ids=POPUPS)
async def test_the_entry_of_the_popup_is_gone_on_with(
    any_editor: Bench, line: str, start: int, entry: str, said: str, prompt: str
) -> None:
    uri = any_editor.fresh(line)
    any_editor.engine.says(said, "\n")
    (item,) = await with_popup(any_editor, uri, (0, len(line)), start, entry)
    assert item["insertText"] == item["filterText"] == entry + said
    assert item["range"] == {
        "start": {"line": 0, "character": start},
        "end": {"line": 0, "character": len(line)},
    }
    assert any_editor.engine.asked[-1].body["input_prefix"] == prompt


async def test_closers_behind_the_popup_stay(bench: Bench) -> None:
    uri = bench.fresh("print(st)")
    bench.engine.says(".x)", "\n")
    (item,) = await with_popup(bench, uri, (0, 8), 6, "store")
    assert item["insertText"] == "store.x"
    assert item["range"]["end"]["character"] == 8


async def test_closers_behind_the_popup_that_it_goes_beyond_are_replaced(bench: Bench) -> None:
    uri = bench.fresh("if len(it)")
    bench.engine.says(") > 0:", "\n")
    (item,) = await with_popup(bench, uri, (0, 9), 7, "items")
    assert item["insertText"] == "items) > 0:"
    assert (item["range"]["start"]["character"], item["range"]["end"]["character"]) == (7, 10)


async def test_accepted_by_word_the_rest_is_there_at_once(bench: Bench) -> None:
    uri = bench.fresh("x = ")
    bench.engine.says("store.find(number)", "\n")
    assert await bench.client.ghost(uri, 0, 4) == ["store.find(number)"]
    for version, (word, rest) in enumerate(
        (("store", ".find(number)"), (".find", "(number)"), ("(number", ")")), start=2
    ):
        column = 4 + len("store.find(number)") - len(word + rest)
        bench.client.change(uri, version, replacement((0, column), (0, column), word))
        assert await bench.client.ghost(uri, 0, column + len(word)) == [rest]
    assert len(bench.engine.asked) == 1


async def test_an_edit_in_another_file_makes_it_old(bench: Bench) -> None:
    """What it said may use what was changed there."""
    uri, other = bench.fresh("x = "), bench.fresh("y = 1")
    bench.engine.says("one()", "\n")
    assert await bench.client.ghost(uri, 0, 4) == ["one()"]
    bench.engine.says("two()", "\n")
    assert await bench.client.ghost(uri, 0, 4) == ["one()"]
    bench.client.change(other, 2, {"text": "y = 2"})
    assert await bench.client.ghost(uri, 0, 4) == ["two()"]


async def test_other_settings_make_it_old(bench: Bench) -> None:
    uri = bench.fresh("x = ")
    bench.engine.says("one()", "\n")
    assert await bench.client.ghost(uri, 0, 4) == ["one()"]
    bench.client.notify("workspace/didChangeConfiguration", {"settings": {"aigc": {"completion": {"never": ["one"]}}}})
    assert await bench.client.ghost(uri, 0, 4) == []
    assert (await explained(bench, uri))["withheld"] == "never"
    bench.client.notify("workspace/didChangeConfiguration", {"settings": {"aigc": bench.client.settings}})
    await bench.client.settled()


async def explained(bench: Bench, uri: str) -> Any:
    return await bench.client.post("aigc/explain", {"textDocument": {"uri": uri}}).reply()


async def test_why_there_is_what_there_is(bench: Bench) -> None:
    uri = bench.fresh("x = ")
    assert await explained(bench, uri) is None
    bench.engine.says("one()", "\n")
    await bench.client.ghost(uri, 0, 4)
    found = await explained(bench, uri)
    assert (found["text"], found["source"], found["reason"], found["withheld"]) == ("one()", "model", "line", "")
    assert "this was suggested:\n\n~~~text\none()\n~~~\n" in found["markdown"]
    assert re.search(r"ended by \*line\*, came from \*model\* after \d+ ms", found["markdown"])
    bench.client.change(uri, 2, replacement((0, 4), (0, 4), "o"))
    await bench.client.ghost(uri, 0, 5)
    assert (await explained(bench, uri))["source"] == "kept"
    bench.client.close(uri)
    assert await explained(bench, uri) is None
    for nonsense in ({}, {"textDocument": None}, {"textDocument": {"uri": 7}}):
        assert await bench.client.post("aigc/explain", nonsense).reply() is None


@pytest.mark.parametrize(
    ("said", "withheld"),
    [
        ("'ghp_" + "a8Zk3Qw1Lm7Tn4Vb9Xc2Pd6Rf5Hg0Js1Ky3B'", "secret"),
        ("'<redacted>'", "secret"),
        ("= = )", "syntax"),
    ],
)
async def test_what_is_kept_back(bench: Bench, said: str, withheld: str) -> None:
    uri = bench.fresh("token = ")
    bench.engine.says(said, "\n")
    assert await bench.client.ghost(uri, 0, 8) == []
    found = await explained(bench, uri)
    assert found["withheld"] == withheld
    told = {"secret": "looked like a secret", "syntax": "would not have parsed"}[withheld]
    assert f"nothing was suggested. It {told}" in found["markdown"]


async def test_what_the_model_said_is_told_piece_by_piece() -> None:
    pieces = (("~~~", 0.0), ("é\n", math.log(0.25)))
    found = Completion("", 0, "", 3, "line", Usage(), 12.4, withheld="unsure", confidence=0.125, pieces=pieces)
    assert told(found) == (
        "At the place that was completed last nothing was suggested. It was not sure enough to be shown unasked.\n\n"
        "It ended by *line*, came from *model* after 12 ms, 12% sure.\n\n"
        'What the model said, piece by piece:\n\n~~~~text\n100%  "~~~"\n 25%  "é\\n"\n~~~~'
    )


async def test_the_menu_has_the_command_too(editors: Any) -> None:
    bench = await editors("eglot")
    uri = bench.fresh("x = sto")
    bench.engine.says("re.find()", "\n")
    (item,) = (await bench.client.menu(uri, 0, 7))["items"]
    assert item["insertText"] == "store.find()"
    assert item["command"]["command"] == "aigc.accepted"
    params = {"command": item["command"]["command"], "arguments": item["command"]["arguments"]}
    assert await bench.client.post("workspace/executeCommand", params).reply() is None
