"""Definitions asked of the client: only of one that offers them, never waited for, and looked at only where one may."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from conftest import Bench, started
from folders import indexed, opening
from harness import units, until
from lsprotocol import types
from pygls.exceptions import JsonRpcInternalError
from workspaces import write

from aigc_lsp.context.document import Document
from aigc_lsp.server import definitions
from aigc_lsp.server.app import Server
from aigc_lsp.server.definitions import METHOD, MOST_FAILURES, Definitions, offers_definitions, places
from aigc_lsp.text import Text

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="session")]

SENT = "def send(self, to: str, retry: int = 3) -> bool: ..."
MAILER = "class Mailer:\n    def send(self, to: str, retry: int = 3) -> bool:\n        return True\n"
SEND = {"start": {"line": 1, "character": 8}, "end": {"line": 1, "character": 12}}
WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 2, "character": 19}}
CALL = "def f(x):\n    make(x).send("
OFFERED = {"experimental": {"aigc": {"definitions": True}}}

# Two on one line, behind characters that take another number of units in each encoding.
WIDE = "/* 😀é😀 */ function first(a) {} function send(one, two) {}\n"

FILES = {
    "p/a.py": MAILER,
    "p/wide.js": WIDE,
    "p/ignored.py": MAILER,
    "p/private.py": MAILER,
    ".env": MAILER,
    ".gitignore": "ignored.py\n",
    ".aigcignore": "private.py\n",
}

Reply = dict[str, Any]
"""The members of a reply that are not the same in all."""


class Editor:
    """An editor that answers `aigc/definition` with `says`, after `delay` seconds, or not at all (None)."""

    def __init__(self, bench: Bench, root: Path) -> None:
        self.bench, self.root = bench, root
        self.says: Reply | None = {"result": None}
        self.delay = 0.0
        self.asked: list[Any] = []
        self.answered = 0
        self._numbers = count()
        self._versions: dict[str, int] = {}
        self._take = bench.client._take
        self._tasks: set[asyncio.Task[None]] = set()
        bench.client._take = self._hear  # type: ignore[method-assign]

    def _hear(self, message: dict[str, Any]) -> None:
        if message.get("method") != METHOD:
            self._take(message)
            return
        self.asked.append(message["params"])
        if self.says is not None:
            self._tasks.add(asyncio.create_task(self._reply({"id": message["id"], **self.says}, self.delay)))

    async def _reply(self, reply: Reply, delay: float) -> None:
        await asyncio.sleep(delay)
        self.bench.client.send(reply)
        self.answered += 1

    def place(self, path: str, span: Any = SEND) -> dict[str, Any]:
        return {"uri": (self.root / path).as_uri(), "range": span}

    async def prompt(self, path: str, text: str) -> str:
        """What the model is shown above the cursor, at the end of `text`, the document's from now on."""
        client, engine, uri = self.bench.client, self.bench.engine, (self.root / path).as_uri()
        version = self._versions[uri] = self._versions.get(uri, 0) + 1
        if version == 1:
            client.open(uri, text, "javascript" if path.endswith(".js") else "python")
        else:
            client.change(uri, version, {"text": text})
        before = len(engine.asked)
        position = text.count("\n"), units(text[text.rfind("\n") + 1 :], self.bench.encoding)
        assert await client.ghost(uri, *position) == ["'x')"]
        assert len(engine.asked) == before + 1
        body = engine.asked[-1].body
        others = [f"{each['filename']}\n{each['text']}\n" for each in body["input_extra"]]
        return str("".join([*others, body["input_head"], body["input_prefix"]]))

    async def told(self, reply: Reply, wanted: str, name: str = "py", text: str = CALL) -> str:
        """The first prompt with `wanted` in it while somebody types in a new document."""
        self.says, path = reply, f"p/m{next(self._numbers)}.{name}"
        keys = count()

        async def typed() -> str:
            found = await self.prompt(path, text + " " * next(keys))
            return found if wanted in found else ""

        return str(await until(typed, f"{wanted} in the prompt"))

    async def ignored(self, reply: Reply) -> None:
        """Of what is answered nothing comes into the prompt."""
        self.says, path, before = reply, f"p/m{next(self._numbers)}.py", self.answered
        await self.prompt(path, CALL)
        await until(lambda: self.answered > before, "an answer")
        for keys in range(1, 4):
            prompt = await self.prompt(path, CALL + " " * keys)
            assert "retry" not in prompt, reply
        assert self.answered == before + 1


@contextlib.asynccontextmanager
async def editing(folder: Path, *, can: Any = OFFERED, encoding: str = "utf-16") -> AsyncIterator[Editor]:
    """One in a workspace of `FILES`, whose client `can` do that, too."""
    root = write(folder / "w", cast(dict[str, str | bytes], FILES))
    write(folder, {"outside.py": MAILER})
    params = opening(root)
    params["capabilities"] |= can
    params["capabilities"]["general"] = {"positionEncodings": [encoding]}
    async with started(folder, params=params) as bench:
        assert bench.encoding == encoding
        await bench.ready()
        await indexed(bench, 2)
        bench.engine.says("'x')")
        yield Editor(bench, root)


async def test_what_the_client_says_is_in_the_next_prompt(folder: Path) -> None:
    async with editing(folder) as editor:
        place, nowhere = editor.place("p/a.py"), editor.place("p/gone.py")
        link = {"targetUri": place["uri"], "targetRange": WHOLE, "targetSelectionRange": SEND}
        for result in (place, [place], [nowhere, place], [link], [link | {"originSelectionRange": SEND}, nowhere]):
            prompt = await editor.told({"result": result}, SENT)
            assert "p/a.py" in prompt[: prompt.index(SENT)]
        assert len(editor.asked) == 5
        assert editor.asked[0] == {
            "textDocument": {"uri": (editor.root / "p/m0.py").as_uri()},
            "position": {"line": 1, "character": 12},
        }
        await editor.bench.client.end()


async def test_what_may_not_be_looked_at_and_what_is_no_answer(folder: Path) -> None:
    async with editing(folder) as editor:
        for path in ("../outside.py", "p/ignored.py", "p/private.py", ".env", "p/gone.py", "p"):
            await editor.ignored({"result": editor.place(path)})
        await editor.ignored({"result": {"uri": "untitled:Untitled-1", "range": SEND}})
        await editor.ignored({"result": []})
        await editor.ignored({"error": {"code": -32801, "message": "content modified"}})
        await editor.ignored({"result": {"uri": 5, "range": None, "class": 1}})
        await editor.told({"result": editor.place("p/a.py")}, SENT)  # it is asked still
        for _ in range(MOST_FAILURES):
            await editor.ignored({"result": "nonsense"})
        before = len(editor.asked)
        assert SENT not in await editor.prompt("p/last.py", CALL)
        await editor.bench.client.settled()
        assert len(editor.asked) == before  # and now no more
        await editor.bench.client.end()


async def test_a_late_answer_and_none_keep_nobody_waiting(folder: Path) -> None:
    async with editing(folder) as editor:
        editor.delay = 1.0
        editor.says = {"result": editor.place("p/a.py")}
        for keys in range(3):
            assert SENT not in await editor.prompt("p/late.py", CALL + " " * keys)
        assert (len(editor.asked), editor.answered) == (1, 0)
        await until(lambda: editor.answered == 1, "the answer")
        typed, keys = "", 3
        while SENT not in typed:
            typed, keys = await editor.prompt("p/late.py", CALL + " " * keys), keys + 1
        assert f"# Path: p/a.py\n# class Mailer:\n#     {SENT}\n" in typed  # above the function, as a comment
        editor.says = None
        for keys in range(3):
            assert SENT not in await editor.prompt("p/never.py", CALL + " " * keys)
        assert (len(editor.asked), editor.answered) == (2, 1)
        await editor.bench.client.end()  # also while it is under way


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_positions_are_in_the_encoding_that_was_agreed(folder: Path, encoding: str) -> None:
    before = "const s = '😀é'; make(s)."
    async with editing(folder, encoding=encoding) as editor:
        at = {"line": 0, "character": units(WIDE[: WIDE.index("send")], encoding)}
        reply = {"result": editor.place("p/wide.js", {"start": at, "end": at})}
        prompt = await editor.told(reply, "function send(one, two)", "js", f"{before}send(")
        assert "first" not in prompt
        assert editor.asked[0]["position"] == {"line": 0, "character": units(before, encoding)}
        await editor.bench.client.end()


async def test_nobody_is_asked_who_did_not_offer_it(folder: Path) -> None:
    async with editing(folder, can={"experimental": {"aigc": {"definitions": False}}}) as editor:
        for keys in range(3):
            assert SENT not in await editor.prompt("p/m.py", CALL + " " * keys)
        await editor.bench.client.settled()
        assert editor.asked == []
        await editor.bench.client.end()


# Without a process


@pytest.mark.parametrize(
    ("experimental", "offered"),
    [
        ({"aigc": {"definitions": True}}, True),
        ({"other": 1, "aigc": {"more": [], "definitions": True}}, True),
        ({"aigc": {"definitions": "yes"}}, False),
        ({"aigc": {"definitions": 1}}, False),
        ({"aigc": True}, False),
        ({}, False),
        ([], False),
        (None, False),
    ],
)
async def test_who_offers_it(experimental: Any, offered: bool) -> None:
    assert offers_definitions(types.ClientCapabilities(experimental=experimental)) is offered


START = {"start": {"line": 1, "character": 2}}


@pytest.mark.parametrize(
    "answer",
    [
        "",
        5,
        True,
        {},
        [None],
        [[]],
        {"uri": "file:///a"},
        {"uri": 5, "range": START},
        {"uri": "file:///a", "range": {"start": {"line": 1.5, "character": 2}}},
        {"uri": "file:///a", "range": {"start": {"line": "1", "character": 2}}},
        {"uri": "file:///a", "range": {"end": {"line": 1, "character": 2}}},
        {"targetUri": "file:///a", "targetRange": START},
        [{"uri": "file:///a", "range": START}, {"uri": "file:///b"}],
    ],
)
async def test_nonsense_is_no_answer(answer: Any) -> None:
    with pytest.raises(ValueError, match="no location"):
        places(answer, "utf-16")


@pytest.mark.parametrize(
    ("uri", "path"), [("file:///a%20b/c.py", "/a b/c.py"), ("git:/a.py", ""), ("file://[", ""), ("", "")]
)
async def test_a_place_and_its_path(uri: str, path: str) -> None:
    (found,) = places({"uri": uri, "range": START}, "utf-16")
    assert (found.uri, found.path, found.offset_in(Text("a\n😀b"))) == (uri, path, 3)


@pytest.mark.parametrize(("line", "character", "offset"), [(-1, -1, 0), (0, 10**30, 1), (10**30, 0, 4)])
async def test_a_position_that_is_none(line: int, character: int, offset: int) -> None:
    place = {"uri": "file:///a", "range": {"start": {"line": line, "character": character}}}
    assert places([place], "utf-8")[0].offset_in(Text("a\n😀b")) == offset


class Silent:
    """A client without a wire: the test answers, or nobody."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[Any]] = []
        self.protocol = self
        self.session = SimpleNamespace(encoding="utf-16")

    def send_request_async(self, method: str, params: Any) -> asyncio.Future[Any]:
        assert method == METHOD
        self.asked.append(asyncio.get_running_loop().create_future())
        return self.asked[-1]


DOCUMENT = Document("file:///m.py", "/m.py", "python", 1, Text("send("))


@pytest.fixture
def asker(monkeypatch: pytest.MonkeyPatch) -> tuple[Definitions, Silent]:
    monkeypatch.setattr(definitions, "ANSWER_SECONDS", 0.05)
    client = Silent()
    found = Definitions(cast(Server, client))
    found.take(types.ClientCapabilities(experimental=OFFERED["experimental"]))
    return found, client


async def test_a_silent_client_is_asked_three_times_and_then_left_alone(
    asker: tuple[Definitions, Silent], monkeypatch: pytest.MonkeyPatch
) -> None:
    asks, client = asker
    for number in range(1, MOST_FAILURES + 1):
        assert await asks.ask(DOCUMENT, 0) == []
        assert len(client.asked) == number
    assert await asks.ask(DOCUMENT, 0) == []
    assert len(client.asked) == MOST_FAILURES
    monkeypatch.setattr(asks, "_rests_until", time.monotonic())  # a minute later
    for _ in range(2):
        assert await asks.ask(DOCUMENT, 0) == []
        assert len(client.asked) == MOST_FAILURES + 1
    client.asked[0].set_result(None)  # far too late, and no harm
    client.asked[1].set_exception(JsonRpcInternalError("far too late"))


async def test_an_answer_in_order_makes_good_for_failures(asker: tuple[Definitions, Silent]) -> None:
    asks, client = asker
    answers: list[Callable[[asyncio.Future[Any]], None]] = [
        lambda future: future.set_exception(JsonRpcInternalError("no")),
        lambda future: future.set_result("nonsense"),
        lambda future: future.set_result(None),
    ]
    for number in range(9):
        asking = asyncio.create_task(asks.ask(DOCUMENT, 0))
        await until(lambda: len(client.asked) == number + 1, "the question")  # noqa: B023
        answers[number % 3](client.asked[-1])
        assert await asking == []


async def test_one_that_offers_nothing_is_not_asked(asker: tuple[Definitions, Silent]) -> None:
    asks, client = asker
    asks.take(types.ClientCapabilities())
    assert await asks.ask(DOCUMENT, 0) == []
    assert client.asked == []
