"""What is worked out about open documents while nobody waits: whether they may be seen, a tree that took too long to
make at once, and what they define.

Contract
    Everything here runs on the event loop and returns at once; the disk, parsing and queries are a thread's, one
    document at a time. What was found for a text that is another by now is dropped (invariant 3).

A document about which nothing is known yet is not completed in, and is no context for others.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from aigc_lsp.server.session import named_path, path_of
from aigc_lsp.server.tasks import Tasks

if TYPE_CHECKING:
    from aigc_lsp.context.document import Document
    from aigc_lsp.gather.gatherer import Bared
    from aigc_lsp.index.judging import Judgement
    from aigc_lsp.server.app import Server
    from aigc_lsp.syntax import Symbols, Tree
    from aigc_lsp.text import Edit, Text

REST_SECONDS = 1.5
"""Without a keystroke for so long, what a document defines is looked at."""
PARSE_REST_SECONDS = 1.5
"""And so long for one that has no tree."""
HARD_REST_SECONDS = 30.0
"""And so long for one that nobody could make a tree of in `PARSE_SECONDS`."""
PARSE_SECONDS = 3.0
"""Of a processor, in a thread."""
JUDGE_SECONDS = 3.0
"""The shortest time between two looks at ignore files of which nobody tells."""
WAIT_SECONDS = 2.0
"""A request that comes before its document is judged waits for that, on a disk that hangs no longer."""


class OpenDocuments:
    """Hears of documents from the session, and of ignore files from `Folders`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session = server.session
        self._seen: set[str] = set()  # URIs of documents that may be context for others
        self._unjudged: set[str] = set()
        self._judging: asyncio.Task[None] | None = None
        self._judged_at = 0.0  # on the monotonic clock
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._hard: dict[str, Text] = {}  # URI → the text that nobody could make a tree of
        self._turn = asyncio.Lock()
        self._tasks = Tasks("work on an open document")

    # What the session tells

    def opened(self, document: Document) -> None:
        self._judge([document.uri])
        self._rest(document, 0.0)

    def changed(self, before: Document, after: Document, edits: Sequence[Edit]) -> None:
        """Without `edits` it is a tree of the same text."""
        gatherer = self._server.gatherer
        if gatherer is not None and after.uri in self._seen:
            gatherer.changed(before, after, edits)
        if edits:
            self._server.events.changed(before, after, edits)
            self._rest(after, REST_SECONDS)

    def closed(self, document: Document) -> None:
        if timer := self._timers.pop(document.uri, None):
            timer.cancel()
        self._hard.pop(document.uri, None)
        self._seen.discard(document.uri)
        self._server.events.closed(document)
        self._server.hints.closed(document.uri)
        if self._server.gatherer is not None:
            self._server.gatherer.closed(document)

    # What others tell and ask

    async def judged(self, uri: str) -> None:
        """Return when it is known whether the document may be seen, or when that takes too long."""
        began = time.monotonic()
        while uri in self._session.documents and uri not in self._session.judgements and self._judging is not None:
            left = began + WAIT_SECONDS - time.monotonic()
            if left <= 0:
                return
            await asyncio.wait([self._judging], timeout=left)

    def judge_anew(self) -> None:
        """What decides on what may be seen has changed: no document is served until it is judged by that."""
        self._session.judgements.clear()
        if self._server.gatherer is not None:
            self._server.gatherer.forget()
        for memory in self._session.memories.values():
            memory.fade()  # what was said may be of what is hidden now
        self._judge(self._session.documents)

    def look(self) -> None:
        """Somebody is at work: look for changes of ignore files that nobody tells of, unless that was done just now."""
        if time.monotonic() - self._judged_at >= JUDGE_SECONDS:
            self._judge(self._session.documents)

    def tell_anew(self) -> None:
        """Other folders are indexed: those who keep what is open know nothing of it."""
        for uri in self._seen:
            self._rest(self._session.documents[uri], 0.0)

    async def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        await self._tasks.close()

    # Who may be seen

    def _judge(self, uris: Iterable[str]) -> None:
        self._unjudged.update(uris)
        if self._judging is None and self._unjudged:
            self._judging = self._tasks.spawn(self._judge_all())

    async def _judge_all(self) -> None:
        try:
            while self._unjudged:
                uris, self._unjudged = self._unjudged, set()
                self._judged_at = time.monotonic()
                paths = {uri: self._path(uri) for uri in uris}
                found = await self._server.folders.judged(set(paths.values()))
                for uri in uris - self._unjudged:  # one that is to be judged again: by what has changed meanwhile
                    if document := self._session.documents.get(uri):
                        self._take(document, found[paths[uri]])
        finally:
            self._judging = None

    def _path(self, uri: str) -> str:
        document = self._session.documents.get(uri)
        return document.path if document is not None and document.path else named_path(uri)

    def _take(self, document: Document, judgement: Judgement) -> None:
        uri = document.uri
        if judgement == self._session.judgements.get(uri):
            return
        self._session.judgements[uri] = judgement
        self._server.status.touch()
        if judgement.barred:
            self._session.supersede(uri)
        if judgement.hidden:
            self._hide(document)
        elif uri not in self._seen:
            self._seen.add(uri)
            if self._server.gatherer is not None:
                self._server.gatherer.opened(document)
            self._rest(document, 0.0)

    def _hide(self, document: Document) -> None:
        if document.uri in self._seen:
            self._seen.discard(document.uri)
            if self._server.gatherer is not None:
                self._server.gatherer.closed(document)

    # What they define

    def _rest(self, document: Document, seconds: float) -> None:
        """Look at it when it has not changed for so long."""
        uri = document.uri
        if timer := self._timers.get(uri):
            timer.cancel()
        if not self._session.has_tree(document):
            seconds = HARD_REST_SECONDS if uri in self._hard else PARSE_REST_SECONDS
        self._timers[uri] = asyncio.get_running_loop().call_later(seconds, self._look_at, uri)

    def _look_at(self, uri: str) -> None:
        self._timers.pop(uri, None)
        self._tasks.spawn(self._work_out(uri))

    async def _work_out(self, uri: str) -> None:
        async with self._turn:
            document = self._session.parsed(uri)
            if document is None or self._session.refusal(document):
                return
            if document.tree is None:
                document = await self._parsed(document)
            # What a broken tree defines may be anything; what it defined before it broke is nearer.
            if document is None or document.tree is None or document.tree.has_errors:
                return
            # A cell is not its notebook's file.
            if uri in self._seen and document.path and document.path == path_of(uri):
                symbols, found = await asyncio.to_thread(_look_at, document, document.tree)
                if uri in self._seen and self._server.gatherer is not None:
                    self._server.gatherer.knows(document, symbols, found)
            await self._server.hints.look(document)

    async def _parsed(self, document: Document) -> Document | None:
        """The document with a tree, where one can be made; None where it is another by now."""
        from aigc_lsp.syntax import has_grammar

        if not has_grammar(document.language) or self._hard.get(document.uri) is document.text:
            return document
        is_unwanted = threading.Event()
        try:
            tree = await asyncio.to_thread(_parse, document, is_unwanted)
        finally:
            is_unwanted.set()
        if tree is None:
            if self._session.documents.get(document.uri) is document:
                self._hard[document.uri] = document.text
            return document
        self._hard.pop(document.uri, None)
        parsed = self._session.take_tree(document, tree)
        if parsed is not None and self._server.gatherer is not None and document.uri in self._seen:
            self._server.gatherer.changed(document, parsed, ())
        return parsed


def _look_at(document: Document, tree: Tree) -> tuple[Symbols, Bared]:
    from aigc_lsp.gather.gatherer import without_secrets  # not needed to answer initialize

    return tree.symbols(), without_secrets(document)


def _parse(document: Document, is_unwanted: threading.Event) -> Tree | None:
    from aigc_lsp.syntax import parse

    began = time.thread_time()
    return parse(
        document.language,
        document.text,
        lambda: not is_unwanted.is_set() and time.thread_time() - began < PARSE_SECONDS,
    )
