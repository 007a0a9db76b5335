"""The measuring editor's side of the wire: what goes out, in how many writes, and what it makes of answers."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from lsprotocol import types

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.measure import editor
from aigc_lsp.measure.editor import Editor, Refused

HERE = types.Position(0, 3)


class Pipe:
    """Both ends of a language server that a test plays: `writes` has what came in each write."""

    def __init__(self) -> None:
        self.stdin, self.stdout, self.writes = self, asyncio.StreamReader(), list[list[dict[str, Any]]]()

    def write(self, said: bytes) -> None:
        messages = []
        while said:
            head, _, rest = said.partition(b"\r\n\r\n")
            length = int(head.removeprefix(b"Content-Length: "))
            messages.append(json.loads(rest[:length]))
            said = rest[length:]
        self.writes.append(messages)

    def say(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.stdout.feed_data(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def sent(self) -> list[dict[str, Any]]:
        """What the next write brings."""
        async with asyncio.timeout(5):
            while not self.writes:
                await asyncio.sleep(0)
        return self.writes.pop(0)


@pytest.fixture
async def wire() -> tuple[Editor, Pipe]:
    pipe, window = Pipe(), Editor()
    window._process = pipe  # type: ignore[assignment]
    window._reading = asyncio.create_task(window._read())
    window.open("file:///a.py", "python", "x =")
    assert [message["method"] for message in await pipe.sent()] == ["textDocument/didOpen"]
    return window, pipe


async def test_a_change_its_command_and_the_request_behind_it_are_one_write(wire: tuple[Editor, Pipe]) -> None:
    window, pipe = wire
    window.insert(HERE, " ")
    window.execute({"title": "t", "command": "aigc.accepted", "arguments": [1]})
    asked = asyncio.create_task(window.ask(HERE))
    change, execute, request = await pipe.sent()
    assert change["params"]["textDocument"] == {"uri": "file:///a.py", "version": 2}
    assert change["params"]["contentChanges"] == [
        {"range": {"start": {"line": 0, "character": 3}, "end": {"line": 0, "character": 3}}, "text": " "}
    ]
    assert (execute["params"], "id" in change) == ({"command": "aigc.accepted", "arguments": [1]}, False)
    assert request["params"]["context"] == {"triggerKind": types.InlineCompletionTriggerKind.Automatic}
    pipe.say(id=execute["id"], result=None)  # nobody waits for it
    span = {"start": {"line": 0, "character": 3}, "end": {"line": 0, "character": 4}}
    command = {"title": "t", "command": "aigc.accepted"}
    pipe.say(id=request["id"], result={"items": [{"insertText": "1", "range": span, "command": command}]})
    answer = await asked
    expected = types.Range(HERE, types.Position(0, 4))
    assert (answer.text, answer.span, answer.command) == ("1", expected, command)
    assert answer.ms > 0


async def test_a_change_without_a_request_goes_out_too(wire: tuple[Editor, Pipe]) -> None:
    window, pipe = wire
    window.insert(HERE, " ")
    assert pipe.writes == []
    assert [message["method"] for message in await pipe.sent()] == ["textDocument/didChange"]


async def test_what_is_cancelled_is_told_and_its_late_answer_is_nobodys(wire: tuple[Editor, Pipe]) -> None:
    window, pipe = wire
    first = asyncio.create_task(window.ask(HERE))
    (request,) = await pipe.sent()
    first.cancel()
    (cancel,) = await pipe.sent()
    assert (cancel["method"], cancel["params"]) == ("$/cancelRequest", {"id": request["id"]})
    second = asyncio.create_task(window.ask(HERE))
    (again,) = await pipe.sent()
    pipe.say(id=request["id"], result={"items": [{"insertText": "late"}]})
    pipe.say(id=again["id"], error={"code": -32800, "message": "cancelled"})
    assert (await second).text == ""


async def test_the_servers_own_requests_are_answered(wire: tuple[Editor, Pipe]) -> None:
    window, pipe = wire
    for method, params, expected in (
        ("workspace/configuration", {"items": [{}, {}]}, {"result": [None, None]}),
        ("window/workDoneProgress/create", {"token": 1}, {"result": None}),
        ("client/registerCapability", {"registrations": []}, {"result": None}),
    ):
        pipe.say(id="theirs", method=method, params=params)
        assert await pipe.sent() == [{"jsonrpc": "2.0", "id": "theirs", **expected}]
    pipe.say(id=7, method="window/showDocument", params={})
    assert (await pipe.sent())[0]["error"]["code"] == -32601
    pipe.say(method="aigc/status", params={"kind": "Normal", "index": {"complete": True}})
    pipe.say(method="window/showMessage", params={"type": 1, "message": "hello"})
    await asyncio.sleep(0.01)
    assert (window.status["index"], window.messages) == ({"complete": True}, ["hello"])


async def test_a_server_that_cannot_explain(wire: tuple[Editor, Pipe]) -> None:
    window, pipe = wire
    asked = asyncio.create_task(window.explain())
    (request,) = await pipe.sent()
    pipe.say(id=request["id"], error={"code": -32601, "message": "no"})
    assert await asked == {}


async def test_other_errors_are_raised(wire: tuple[Editor, Pipe]) -> None:
    window, pipe = wire
    asked = asyncio.create_task(window.ask(HERE))
    (request,) = await pipe.sent()
    pipe.say(id=request["id"], error={"code": -32603, "message": "broken"})
    with pytest.raises(Refused, match="broken"):
        await asked


async def test_nobody_waits_for_a_server_that_has_ended(wire: tuple[Editor, Pipe]) -> None:
    window, pipe = wire
    asked = asyncio.create_task(window.ask(HERE))
    await pipe.sent()
    pipe.stdout.feed_eof()
    with pytest.raises(EngineUnavailable, match="ended"):
        await asked
    with pytest.raises(EngineUnavailable, match="ended"):
        await window.ask(HERE)


async def test_the_clock_stops_with_the_replys_bytes(
    wire: tuple[Editor, Pipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this process does between them and whoever awaits the answer is not the server's time."""
    pipe, now = wire[1], [1.0]
    monkeypatch.setattr(editor, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    asked = asyncio.create_task(wire[0].ask(HERE))
    (request,) = await pipe.sent()
    now[0] = 1.25
    pipe.say(id=request["id"], result=None)
    while not wire[0]._waiting[request["id"]].done():
        await asyncio.sleep(0)
    now[0] = 9.0
    assert (await asked).ms == 250
