"""Definitions that somebody else tells of: the language's own server, asked through the editor.

Contract
    `about` returns at once, with what was told before. Where the look-up of our own (`find`) knows nothing of a name
    at the cursor, it has it asked for behind our back, one at a time for each document; `news` is called when that is
    answered, and what was told is there at the next look. What was told is not asked again while the document is open;
    what nobody knew is, after a while: a language server that has just been started knows nothing yet.

What is kept of an answer is which definition was meant, not its text: a file is shown as it is when it is shown. Only
what is in an index, and so not hidden, or open and not hidden, is ever looked at.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from aigc_lsp.context.document import Document
from aigc_lsp.context.needs import Need, at_cursor
from aigc_lsp.context.outline import Defined, dotted, outline, within
from aigc_lsp.context.snippet import Snippet
from aigc_lsp.gather.find import OWNERS
from aigc_lsp.gather.sources import Spot, finder_at
from aigc_lsp.gather.texts import Texts
from aigc_lsp.index.build import Indexer
from aigc_lsp.index.workspace import Workspace
from aigc_lsp.text import Text

MOST_KEPT = 256
"""Answers."""
MOST_PLACES = 4
"""Of one answer."""
AGAIN_SECONDS = 5.0
"""So long after nobody knew a name it is not asked for again."""
READ_SECONDS = 2.0
"""A disk that hangs is waited for no longer, behind our back."""

_REACH = 2200  # characters before the cursor: as far as `needs` looks for what is called
_DOT = r"[!?]?(?:\.|->|::|\?\.)"
_BLANKS = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is said to be defined. `path` is absolute, or "" for what is no file; `offset_in` gives the
    offset in the text of that document."""

    uri: str
    path: str
    offset_in: Callable[[Text], int]


Ask = Callable[[Document, int], Awaitable[Sequence[Place]]]
"""Where the name at an offset of a document is defined. It never raises, and takes a few seconds at most."""


@dataclass(frozen=True, slots=True)
class _Indexed:
    """A definition in an indexed file. `path` is absolute."""

    path: str
    name: str
    parent: str


@dataclass(frozen=True, slots=True)
class _Apart:
    """One in a document that is in no index: to be shown as it was while that is open."""

    uri: str
    shown: Snippet


@dataclass(frozen=True, slots=True)
class _Unknown:
    """Nobody knew. `until` is a time of `time.monotonic`: it is not asked for before."""

    until: float


_Meant = _Indexed | _Apart | _Unknown
_Key = tuple[str, str, str]  # URI, name, receiver


class Told:
    """Belongs to the event loop. `news` is told the URI of the document that there is an answer for."""

    def __init__(self, workspace: Workspace, ask: Ask, news: Callable[[str], None]) -> None:
        self._workspace = workspace
        self._ask = ask
        self._news = news
        self._answers: OrderedDict[_Key, _Meant] = OrderedDict()
        self._asking: dict[str, asyncio.Task[None]] = {}

    def about(self, spot: Spot, documents: Mapping[str, Document]) -> list[Snippet]:
        """What was told of the names at the cursor. `documents` are those that are open and not hidden, by URI."""
        uri, shown = spot.document.uri, []
        for need in at_cursor(spot.document.text, spot.offset):
            key = uri, need.name, need.receiver
            answer = self._answers.get(key)
            if answer is not None and not _is_over(answer):
                self._answers.move_to_end(key)
                shown += self._shown(answer, spot, documents)
            elif uri not in self._asking and _is_unknown(need, spot):
                at = where(need, spot.document.text, spot.offset)
                if at is not None:
                    self._asking[uri] = asyncio.create_task(self._have_told(key, at, spot, documents))
                    self._asking[uri].add_done_callback(lambda task: self._asked(uri, task))
        return shown

    def closed(self, document: Document) -> None:
        if (task := self._asking.pop(document.uri, None)) is not None:
            task.cancel()
        for key in [key for key in self._answers if key[0] == document.uri]:
            del self._answers[key]

    def _asked(self, uri: str, task: asyncio.Task[None]) -> None:
        if self._asking.get(uri) is task:
            del self._asking[uri]

    async def _have_told(self, key: _Key, at: int, spot: Spot, documents: Mapping[str, Document]) -> None:
        meant, places = None, await self._ask(spot.document, at)
        for place in places[:MOST_PLACES]:
            meant = await self._meant(place, is_receiver=not key[1], spot=spot, documents=documents)
            if meant is not None:
                break
        self._answers[key] = meant or _Unknown(time.monotonic() + AGAIN_SECONDS)
        if meant is None:  # who types on in the same call looks at it again then
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._news, key[0])
        self._answers.move_to_end(key)
        if len(self._answers) > MOST_KEPT:
            self._answers.popitem(last=False)
        self._news(key[0])

    async def _meant(
        self, place: Place, *, is_receiver: bool, spot: Spot, documents: Mapping[str, Document]
    ) -> _Indexed | _Apart | None:
        located = self._workspace.locate(place.path) if place.path else None
        is_indexed = located is not None and located[1] in located[0].index
        document = documents.get(place.uri) or next(
            (each for each in documents.values() if place.path and each.path == place.path), None
        )
        found: Sequence[Defined] = ()
        if document is not None:
            # Its text is what the editor means by a position; the index may know an older one.
            text: Text | None = document.text
            found = await asyncio.to_thread(document.tree.definitions) if document.tree is not None else ()
        elif located is not None and is_indexed:
            text = await _read(spot.texts, *located)
            found = located[0].index.in_file(located[1])
        else:
            return None
        at = place.offset_in(text) if text is not None else 0
        if text is None or (is_receiver and not at):  # a module is where its file begins
            return None
        defined = defined_at(text, at, found)
        if defined is None:
            return None
        if is_indexed:
            return _Indexed(place.path, defined.name, defined.parent)
        if document is None or document.path == spot.document.path:  # another cell of the same notebook is shown anyway
            return None
        path = located[1] if located else document.path.replace("\\", "/").rpartition("/")[2]
        return _Apart(document.uri, Snippet(path, said(text, defined, found), "definition"))

    def _shown(self, meant: _Meant, spot: Spot, documents: Mapping[str, Document]) -> list[Snippet]:
        if isinstance(meant, _Apart):
            return [meant.shown] if meant.uri in documents else []
        if isinstance(meant, _Unknown) or (located := self._workspace.locate(meant.path)) is None:
            return []
        indexer, path = located
        for defined in indexer.index.named_in(path, meant.name):
            is_seen = meant.path == spot.document.path and spot.seen.start <= defined.header.start < spot.seen.end
            if defined.parent == meant.parent and not is_seen:
                text = spot.texts.at_hand(indexer, path)
                if text is not None:
                    return [Snippet(path, said(text, defined, indexer.index.in_file(path)), "definition")]
        return []


def where(need: Need, text: Text, offset: int) -> int | None:
    """Where the name that `need` is about stands: what is called, or the last part of what is before the dot."""
    before = text.source[max(0, offset - _REACH) : offset]
    if need.name:
        owner = f"{re.escape(need.receiver)}{_DOT}" if need.receiver else ""
        pattern = rf"(?<!\w){owner}({re.escape(need.name)})[!?]?(?:<[^<>()]*>)?\s*\("
    else:
        pattern = rf"(?<!\w)({re.escape(need.receiver.rpartition('.')[2])}){_DOT}\w*$"
    at = max((match.start(1) for match in re.finditer(pattern, before)), default=None)
    return None if at is None else offset - len(before) + at


def defined_at(text: Text, at: int, definitions: Iterable[Defined]) -> Defined | None:
    """The innermost of `definitions` in whose head `at` is, its decorators included.

    What is in a body belongs to something that has no definition of its own here: a local variable.
    """
    blanks = _BLANKS.match(text.source, at)  # some servers name the start of the line
    at = blanks.end() if blanks else at
    held = [each for each in definitions if each.span.start <= at < each.header.end]
    return max(held, key=lambda each: each.span.start, default=None)


def said(text: Text, defined: Defined, in_file: Iterable[Defined]) -> str:
    """What is told of a definition: its signature, and what it has or what has it. `in_file`: all of its file."""
    if defined.kind in OWNERS:
        return outline(text, defined, [each for each in in_file if each.parent == dotted(defined)])
    owners = (each for each in in_file if each.kind == "class" and dotted(each) == defined.parent)
    return within(text, next(owners, None), defined)


def _is_over(answer: _Meant) -> bool:
    return isinstance(answer, _Unknown) and time.monotonic() >= answer.until


def _is_unknown(need: Need, spot: Spot) -> bool:
    """Whether it is code that names something, and we know of no definition."""
    document, texts = spot.document, spot.texts
    if document.tree is None or not texts.is_whole or document.tree.place(spot.offset).kind != "code":
        return False
    return not finder_at(spot).find(need) and texts.is_whole


async def _read(texts: Texts, indexer: Indexer, path: str) -> Text | None:
    """The text of an indexed file, for which the index's offsets hold."""
    text = texts.at_hand(indexer, path)
    if text is None:
        await texts.wait(READ_SECONDS)
        text = texts.at_hand(indexer, path)
    return text
