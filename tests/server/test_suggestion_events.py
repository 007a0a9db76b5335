"""What becomes of suggestions, as a language server hears of it: commands, notifications, and changes of the text."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from harness import until
from lsprotocol import types
from pygls.lsp.server import LanguageServer

from aigc_lsp.config import CompletionConfig, Config
from aigc_lsp.context.document import Document
from aigc_lsp.feedback import store
from aigc_lsp.feedback.counts import Tally, decile_of
from aigc_lsp.server import counting, positions
from aigc_lsp.server.events import ACCEPTED, DID_PARTIALLY_ACCEPT, DID_SHOW, Events
from aigc_lsp.server.session import Session

URI = "file:///w/a.py"
P = 0.55


class Editor:
    """A session with one document, and a clock and timers that go when they are told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 100.0
        self.session = Session()
        self.server = LanguageServer("test", "1")
        self.events = Events(SimpleNamespace(session=self.session), clock=lambda: self.now)  # type: ignore[arg-type]
        self.events.register(self.server)
        self.session.listener = self
        self.opened = lambda document: None
        self.changed, self.closed = self.events.changed, self.events.closed

    def open(self, text: str, language: str = "plaintext") -> None:
        self.session.open(types.TextDocumentItem(URI, language, 0, text))

    @property
    def document(self) -> Document:
        return self.session.documents[URI]

    @property
    def text(self) -> str:
        return self.document.text.source

    def show(self, text: str, replaces: int = 0, offset: int | None = None, **more: Any) -> types.Command:
        """At the end of the text, unless told."""
        return self.events.shown(self.document, len(self.text) if offset is None else offset, text, replaces, P, **more)

    def edit(self, new: str, start: int | None = None, end: int | None = None, seconds: float = 1.0) -> None:
        """One change, `seconds` after what was before; at the end of the text, unless told."""
        self.now += seconds
        start = len(self.text) if start is None else start
        end = start if end is None else end
        places = (positions.position_at(self.document.text, at, "utf-16") for at in (start, end))
        span = types.Range(*(types.Position(*place) for place in places))
        self.session.change(URI, 1, [types.TextDocumentContentChangePartial(span, new)])

    def run(self, command: types.Command) -> None:
        """As pygls does it."""
        params = types.ExecuteCommandParams(command.command, arguments=command.arguments)
        handler, arguments, named = next(self.server.protocol.lsp_workspace__execute_command(params))
        handler(*arguments, **named)

    def tell(self, method: str, params: Any) -> None:
        """As pygls hands it over."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        self.server.protocol.fm.features[method](self.server.protocol.structure_message(message).params)

    def item(self, text: str, command: types.Command) -> dict[str, Any]:
        return {"insertText": text, "command": {"title": "", "command": ACCEPTED, "arguments": command.arguments}}

    async def counted(self, language: str = "plaintext", probability: float | None = P) -> Tally:
        """What the file says in the end."""
        await self.events.close()
        return store.read(self.path).total.get(language, {}).get(decile_of(probability), Tally())


@pytest_asyncio.fixture
async def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Editor]:
    monkeypatch.setenv("AIGC_LSP_STATE_DIR", str(tmp_path))
    found = Editor(tmp_path / "suggestions.json")
    found.open("x = ")
    yield found
    await found.events.close()


# Read off the text


async def test_accepted_in_one_edit(editor: Editor) -> None:
    editor.show("foo(1)")
    editor.edit("foo(1)")
    assert await editor.counted() == Tally(shown=1, accepted=1, characters=6)


async def test_typed_through_is_one_suggestion(editor: Editor) -> None:
    first = editor.show("ab")
    editor.edit("a")
    assert editor.show("b").arguments == first.arguments
    editor.edit("b")
    assert await editor.counted() == Tally(shown=1, typed=1)


async def test_typed_then_accepted_counts_what_was_accepted(editor: Editor) -> None:
    editor.show("foo(1)")
    editor.edit("f")
    editor.edit("oo(1)")
    assert await editor.counted() == Tally(shown=1, accepted=1, characters=5)


async def test_accepted_by_words(editor: Editor) -> None:
    editor.show("foo bar baz")
    editor.edit("foo")
    editor.show(" bar baz")
    editor.edit(" bar")
    assert (await editor.counted()) == Tally(shown=1, partially=1, characters=7)


async def test_accepted_by_words_to_its_end_is_accepted(editor: Editor) -> None:
    editor.show("foo bar")
    editor.edit("foo")
    editor.edit(" bar")
    assert await editor.counted() == Tally(shown=1, accepted=1, characters=7)


async def test_rejected_by_what_is_typed(editor: Editor) -> None:
    editor.show("foo")
    editor.edit("x")
    editor.edit("y")
    assert await editor.counted() == Tally(shown=1, rejected=1)


async def test_a_part_accepted_and_the_rest_not_is_no_rejection(editor: Editor) -> None:
    editor.show("foo bar")
    editor.edit("foo")
    editor.edit("x")
    assert await editor.counted() == Tally(shown=1, partially=1, characters=3)


async def test_rejected_by_another_in_its_place(editor: Editor) -> None:
    one = editor.show("foo")
    editor.now += 1
    assert editor.show("bar").arguments != one.arguments
    assert await editor.counted() == Tally(shown=2, rejected=1)


@pytest.mark.parametrize("vanish", [lambda e: e.edit("x", seconds=0.4), lambda e: e.show("bar", offset=4)])
async def test_a_glance_is_no_rejection(editor: Editor, vanish: Callable[[Editor], object]) -> None:
    editor.show("foo")
    vanish(editor)
    assert (await editor.counted()).rejected == 0


@pytest.mark.parametrize("at", ["deleted", "elsewhere", "closed", "shown elsewhere"])
async def test_what_only_vanished_was_not_rejected(editor: Editor, at: str) -> None:
    editor.open("y\nx = ")
    editor.show("foo")
    match at:
        case "deleted":
            editor.edit("", 4, 6)
        case "elsewhere":
            editor.edit("z", 0, 0)
        case "closed":
            editor.session.close(URI)
        case "shown elsewhere":
            editor.now += 1
            editor.show("z", offset=1)
    assert (await editor.counted()).decided == 0


async def test_it_follows_the_text(editor: Editor) -> None:
    editor.show("foo(1)")
    editor.edit("# above\n", 0, 0)
    editor.edit("foo(1)")
    assert (await editor.counted()).accepted == 1


async def test_a_client_that_sends_whole_texts(editor: Editor) -> None:
    editor.open("# long\n" * 1000 + "x = ")
    editor.show("foo(1)")
    editor.now += 1
    whole = types.TextDocumentContentChangeWholeDocument(editor.text + "foo(1)")
    editor.session.change(URI, 1, [whole])
    assert (await editor.counted()) == Tally(shown=1, accepted=1, characters=6)


async def test_several_choices_are_one_that_is_shown(editor: Editor) -> None:
    """The others count where they are taken."""
    one, other = editor.show("foo(1)"), editor.show("foo(2)", alternative=True)
    assert one.arguments != other.arguments
    assert editor.show("foo", alternative=True).arguments not in (one.arguments, other.arguments)
    editor.edit("foo(2)")
    assert await editor.counted() == Tally(shown=2, accepted=1, characters=6)


async def test_how_sure_one_was_is_the_decile(editor: Editor) -> None:
    for probability in (0.31, None, float("nan"), 1.5):
        editor.events.shown(editor.document, 4, f"f{probability}", 0, probability)
    await editor.events.close()
    assert store.read(editor.path).total == {"plaintext": {3: Tally(shown=1), -1: Tally(shown=3)}}


# Told by the client


async def test_command_says_accepted(editor: Editor) -> None:
    """Of a text that the editor changed while it put it in, nobody could tell."""
    command = editor.show("foo(1)")
    editor.edit("foo( 1 ) ;")
    editor.run(command)
    editor.run(command)
    assert await editor.counted() == Tally(shown=1, accepted=1, characters=6)


@pytest.mark.parametrize("command_first", [True, False])
async def test_command_and_change_are_one_acceptance(editor: Editor, command_first: bool) -> None:
    command = editor.show("foo(1)")
    if command_first:
        editor.run(command)
    editor.edit("foo(1)")
    if not command_first:
        editor.run(command)
    assert await editor.counted() == Tally(shown=1, accepted=1, characters=6)


async def test_client_that_tells_what_it_shows_is_believed(editor: Editor) -> None:
    one = editor.show("foo")
    editor.tell(DID_SHOW, {"item": editor.item("foo", one)})
    editor.edit("x")
    editor.show("bar")  # which it never shows
    editor.edit("y")
    two = editor.show("baz")
    editor.tell(DID_SHOW, {"item": editor.item("baz", two)})
    editor.tell(DID_SHOW, {"item": editor.item("baz", two)})
    assert await editor.counted() == Tally(shown=2, rejected=1)


@pytest.mark.parametrize("told_first", [True, False])
async def test_client_tells_how_much_was_accepted(editor: Editor, told_first: bool) -> None:
    """The length is that of all accepted so far, in UTF-16."""
    text = "😀😀 bar baz"
    command = editor.show(text)
    for part, length in (("😀😀", 4), (" bar", 8)):
        message = {"item": editor.item(text, command), "acceptedLength": length}
        if told_first:
            editor.tell(DID_PARTIALLY_ACCEPT, message)
        editor.edit(part)
        if not told_first:
            editor.tell(DID_PARTIALLY_ACCEPT, message)
    assert await editor.counted() == Tally(shown=1, partially=1, characters=6)


async def test_item_of_the_rest_is_measured_from_there(editor: Editor) -> None:
    command = editor.show("foo bar baz")
    for key in "foo ":
        editor.edit(key)
    assert editor.show("bar baz").arguments == command.arguments
    editor.tell(DID_PARTIALLY_ACCEPT, {"item": editor.item("bar baz", command), "acceptedLength": 3})
    assert await editor.counted() == Tally(shown=1, partially=1, characters=3)


@pytest.mark.parametrize(
    "params",
    [
        [],
        [1],
        {},
        {"item": None},
        {"item": 3, "acceptedLength": 1},
        {"item": {"insertText": "a"}, "acceptedLength": 1},
        {"item": {"command": {"arguments": None}}},
        {"item": {"command": {"arguments": [{}]}}, "acceptedLength": 1},
        {"item": {"command": {"arguments": ["nobody's"]}}, "acceptedLength": 1},
    ],
)
async def test_nonsense_of_a_client_is_ignored(editor: Editor, params: Any) -> None:
    editor.show("foo")
    editor.tell(DID_SHOW, params)
    editor.tell(DID_PARTIALLY_ACCEPT, params)
    editor.run(types.Command("", ACCEPTED, arguments=params if isinstance(params, list) else ["", 3]))
    assert await editor.counted() == Tally(shown=1)


@pytest.mark.parametrize("length", [None, -1, 0, "3", 1.5, True])
async def test_length_that_is_none_is_ignored(editor: Editor, length: Any) -> None:
    command = editor.show("foo")
    editor.tell(DID_PARTIALLY_ACCEPT, {"item": editor.item("foo", command), "acceptedLength": length})
    assert await editor.counted() == Tally(shown=1)


async def test_length_beyond_the_text_is_all_of_it(editor: Editor) -> None:
    command = editor.show("foo")
    editor.tell(DID_PARTIALLY_ACCEPT, {"item": editor.item("foo", command), "acceptedLength": 99})
    assert await editor.counted() == Tally(shown=1, accepted=1, characters=3)


# Kept


@pytest_asyncio.fixture
async def later(monkeypatch: pytest.MonkeyPatch) -> dict[float, Callable[[], None]]:
    """What is to be done after how many seconds, as the loop was told."""
    found: dict[float, Callable[[], None]] = {}
    loop = asyncio.get_running_loop()
    call_later = loop.call_later

    def note(seconds: float, work: Callable[..., None], *arguments: Any) -> Any:
        if seconds >= 30:
            found[seconds] = lambda: work(*arguments)
        return call_later(seconds, work, *arguments)

    monkeypatch.setattr(loop, "call_later", note)
    return found


async def test_kept_share_follows_the_text(editor: Editor, later: dict[float, Callable[[], None]]) -> None:
    editor.open("x = 1")
    editor.show(" + a + b")
    editor.edit(" + a + b")
    assert list(later) == [30, 120, 600]
    editor.edit("# above\n", 0, 0)
    later[30]()
    editor.edit("", len(editor.text) - 4)  # " + b" goes
    editor.edit("", len(editor.text) - 4, len(editor.text))
    later[120]()
    editor.edit("y", 0, len(editor.text))
    later[600]()
    assert await editor.counted() == Tally(
        shown=1, accepted=1, characters=8, kept_30=1, share_30=1, kept_120=1, share_120=0.5, kept_600=1
    )


async def test_parts_accepted_are_kept_as_one(editor: Editor, later: dict[float, Callable[[], None]]) -> None:
    editor.show("foo bar baz")
    editor.edit("foo")
    editor.edit(" bar")
    editor.edit("!", len(editor.text))
    editor.edit("", len(editor.text) - 4, len(editor.text) - 1)
    later[30]()
    found = await editor.counted()
    assert (found.kept_30, found.share_30) == (1, 0.5)


async def test_closed_document_is_not_looked_at(editor: Editor, later: dict[float, Callable[[], None]]) -> None:
    editor.show("foo")
    editor.edit("foo")
    editor.session.close(URI)
    later[30]()
    assert (await editor.counted()).kept_30 == 0


async def test_typed_is_not_looked_at(editor: Editor, later: dict[float, Callable[[], None]]) -> None:
    editor.show("a")
    editor.edit("a")
    assert not later


# The file, and what is learnt


async def test_threshold_moves_by_what_was_done(editor: Editor) -> None:
    assert editor.events.threshold("plaintext", 0.35) == 0.35
    for _ in range(20):
        editor.show("foo")
        editor.edit("x")
    raised = editor.events.threshold("plaintext", 0.35)
    assert raised > 0.36
    assert editor.events.threshold("python", 0.35) == 0.35
    await editor.events.close()

    again = Editor(editor.path)  # the next server
    assert again.events.threshold("plaintext", 0.35) == 0.35  # not waited for
    await again.events.close()
    assert again.events.threshold("plaintext", 0.35) == pytest.approx(raised)


async def test_written_a_while_later(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "WRITE_SECONDS", 0.01)
    editor.show("foo")
    await until(editor.path.exists, "the file")
    editor.edit("foo")
    await until(lambda: store.read(editor.path).total["plaintext"][5].accepted, "the next count in it")


async def test_what_cannot_be_written_is_written_later(
    editor: Editor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(counting, "WRITE_SECONDS", 0.01)
    tries, add = [], store.add

    def fail(path: Path, counts: Any) -> store.Ledger:
        tries.append(path)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(counting.store, "add", fail)
    with caplog.at_level(logging.WARNING):
        for n in (1, 2):
            editor.show(f"{n}", offset=0)
            await until(lambda: len(tries) >= n, "the file to be tried")  # noqa: B023
    assert caplog.text.count("cannot be written") == 1
    assert editor.events.threshold("plaintext", 0.35) == 0.35
    monkeypatch.setattr(counting.store, "add", add)
    assert (await editor.counted()).shown == 2


async def test_switched_off_nothing_is_read_or_written(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "read", lambda path: pytest.fail("the file was read"))
    editor.session.config = replace(Config(), completion=replace(CompletionConfig(), learn=False))
    command = editor.show("foo")
    editor.run(command)
    editor.edit("foo")
    editor.show("bar")
    editor.edit("x")
    assert editor.events.threshold("plaintext", 0.35) == 0.35
    await editor.events.close()
    assert not list(editor.path.parent.iterdir())


async def test_switched_off_meanwhile_nothing_more_is_counted(editor: Editor) -> None:
    command = editor.show("foo")
    editor.edit("foo")
    editor.session.config = replace(Config(), completion=replace(CompletionConfig(), learn=False))
    editor.show("bar")
    editor.run(command)
    await editor.events.close()
    assert not editor.path.exists()


async def test_no_text_path_or_name_in_the_file(editor: Editor) -> None:
    editor.open("secret_name = ", "/home/me/secret")
    editor.show("secret_value")
    editor.edit("secret_value")
    await editor.events.close()
    said = editor.path.read_text()
    assert json.loads(said)["total"] == {"other": {"5": {"shown": 1, "accepted": 1, "characters": 12}}}
    assert "secret" not in said
    assert "a.py" not in said


async def test_only_so_many_are_remembered(editor: Editor) -> None:
    commands = []
    for n in range(100):
        commands.append(editor.show(f"foo{n}", offset=0))
        editor.edit("x", 0, 0, seconds=0)
    editor.run(commands[0])
    assert (await editor.counted()).accepted == 0
    assert len({command.arguments[0] for command in commands if command.arguments}) == 100
