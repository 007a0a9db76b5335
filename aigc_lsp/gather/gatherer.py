"""What is worth showing from elsewhere for one place, without keeping anybody waiting.

Contract
    `gather` answers from what is in memory, and waits for the disk no longer than `wait_seconds`, at another place five
    times as long: what it has not read by then is read behind its back and there at the next keystroke, for which the
    whole prompt is read again. Everything runs on the event loop but reading.

    Where the cursor has come to another place, all is looked for anew; the prompt is read anew there anyway, since it
    begins with what stands behind the cursor. While somebody types on, what is shown stays as it is, and only what is
    found about the call at the cursor is added, late.

Secrets are taken out of everything that is shown.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from aigc_lsp.context.document import Document
from aigc_lsp.context.edits import Region, followed, text_of
from aigc_lsp.context.late import late_line
from aigc_lsp.context.needs import Need, at_cursor
from aigc_lsp.context.secrets import find, prepare, redact, telling, telling_in, written_over
from aigc_lsp.context.similar import Piece, Ranking
from aigc_lsp.context.snippet import Gathered, Late, Snippet, Source, chosen
from aigc_lsp.context.window import Window
from aigc_lsp.gather.kin import Kin, importers_of
from aigc_lsp.gather.pieces import Pieces, Place
from aigc_lsp.gather.sources import Spot, called_at, definitions, similar, subject, usages
from aigc_lsp.gather.texts import Texts
from aigc_lsp.gather.told import Ask, Told
from aigc_lsp.index.workspace import Workspace
from aigc_lsp.syntax import Symbols, family_of, language_of
from aigc_lsp.text import Edit, Text

WAIT_SECONDS = 0.01
ELSEWHERE = 5
"""Times that: the prompt is read anew there, which takes ten times as long."""
MOST_KIN_CHARACTERS = 60_000
LATE_SHARE = 2
"""Of the budget, what comes late at one key takes one in so many characters at most."""
ALL: frozenset[Source] = frozenset(("usage", "definition", "edit", "open", "sibling"))


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is shown in a document, for what it was looked for, from what before (None: anew), and whether everything
    had been read by then."""

    suffix: str
    at_cursor: tuple[Need, ...]
    basis: Gathered | None
    gathered: Gathered
    is_whole: bool


class Gatherer:
    """`ask` asks the language's own server for a definition, where there is a way to."""

    def __init__(
        self,
        workspace: Workspace,
        sources: frozenset[Source] = ALL,
        ask: Ask | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._wait_seconds = wait_seconds
        self._workspace = workspace
        self._sources = sources
        self._texts = Texts()
        self._secrets: dict[str, frozenset[str]] = {}
        """Of open documents, by absolute path."""
        self._preparing: asyncio.Future[None] | None = None
        self._documents: dict[str, Document] = {}
        self._edits: tuple[Region, ...] = ()
        self._shown: dict[str, _Shown] = {}
        self._pieces = Pieces()
        self._rankings: dict[Source, tuple[list[list[Piece]], Ranking]] = {}
        self._told = Told(workspace, ask, self._look_anew) if ask is not None else None
        self._kin = Kin()

    # What the editor tells: only of documents that may be seen

    def opened(self, document: Document) -> None:
        self._documents[document.uri] = document
        if self._preparing is None:
            self._preparing = asyncio.get_running_loop().run_in_executor(None, prepare)

    def changed(self, before: Document, after: Document, edits: Sequence[Edit]) -> None:
        self._documents[after.uri] = after
        self._edits = followed(self._edits, after.uri, edits)

    def knows(self, document: Document, symbols: Symbols, found: Bared | None = None) -> None:
        """The symbols of an open document's text; `found` is `without_secrets` of it, where that was made already."""
        self._texts.open[document.path], self._secrets[document.path] = found or without_secrets(document)
        self._workspace.opened(document.path, document.language, symbols)

    def forget(self) -> None:
        """What may be seen has changed: show nothing that was chosen before."""
        self._shown.clear()
        self._rankings.clear()

    def closed(self, document: Document) -> None:
        self._documents.pop(document.uri, None)
        self._texts.open.pop(document.path, None)
        self._secrets.pop(document.path, None)
        if self._told is not None:
            self._told.closed(document)
        self._edits = tuple(each for each in self._edits if each.uri != document.uri)
        self._workspace.closed(document.path)
        self.forget()

    # What is shown

    def defines(self, name: str) -> bool:
        """Whether `name` is defined anywhere in the workspace."""
        return self._workspace.defines(name)

    def path_of(self, document: Document) -> str:
        """Its path in the workspace; where it lies outside, its name."""
        place = self._workspace.locate(document.path) if document.path else None
        return place[1] if place else document.path.replace("\\", "/").rpartition("/")[2]

    async def gather(self, document: Document, offset: int, window: Window, budget: int) -> Gathered:
        """At most `budget` characters. Empty where the document is in no folder that is indexed."""
        located = self._workspace.locate(document.path) if document.path else None
        if located is None or budget <= 0:
            return Gathered()
        spot = Spot(document, offset, window, *located, self._texts)
        wanted, basis, wait = at_cursor(document.text, offset), None, ELSEWHERE * self._wait_seconds
        shown, suffix = self._shown.get(document.uri), window.suffix if window.below is None else window.below
        if shown is not None and shown.suffix == suffix:  # somebody types on
            if shown.is_whole and shown.at_cursor == wanted:
                return shown.gathered
            basis, wait = shown.gathered if shown.is_whole else shown.basis, self._wait_seconds
        found = self._look(spot, budget, basis)
        end = time.monotonic() + wait
        while not self._is_whole and (left := end - time.monotonic()) > 0:
            await self.read(left)
            found = self._look(spot, budget, basis)
        self._shown[document.uri] = _Shown(suffix, wanted, basis, found, self._is_whole)
        return found

    async def settle(self, document: Document, offset: int, window: Window, budget: int) -> Gathered:
        """As `gather`, for a document not seen before, once everything that it wants is read."""
        while True:
            self._shown.pop(document.uri, None)
            found = await self.gather(document, offset, window, budget)
            if self._is_whole:
                return found
            await self.read()

    async def read(self, seconds: float | None = None) -> None:
        """Return when everything that was asked for so far has been read, or after `seconds`."""
        await asyncio.gather(self._texts.wait(seconds), self._pieces.wait(seconds), self._kin.wait(seconds))

    @property
    def _is_whole(self) -> bool:
        return self._texts.is_whole and self._pieces.is_whole and self._kin.is_whole

    def _look(self, spot: Spot, budget: int, basis: Gathered | None) -> Gathered:
        window = spot.window
        said = window.head + window.prefix + window.suffix
        if basis is None:
            return Gathered(chosen(self._clean(self._all(spot), budget), budget, said))
        said += "".join(f"\n{each.text}" for each in (*basis.front, *(late.snippet for late in basis.late)))
        new = chosen(self._clean(self._at_cursor(spot), budget), budget // LATE_SHARE, said)
        line = late_line(window, spot.document) if new else None
        if line is None:  # all of the prefix would be read again for it
            return basis
        late = [*basis.late, *(Late(each, line) for each in new)]
        while sum(each.snippet.cost for each in late) > budget:
            late.pop(0)
        return replace(basis, late=tuple(late))

    def _all(self, spot: Spot) -> Iterable[Snippet]:
        yield from self._at_cursor(spot)
        if "definition" in self._sources:
            yield from subject(spot)
        if "edit" in self._sources:
            yield from self._edited()
        yield from self._similar(spot)

    def _at_cursor(self, spot: Spot) -> Iterable[Snippet]:
        yield from self._usages(spot)
        if "definition" in self._sources:
            yield from self._told_of(spot)
            yield from definitions(spot)

    def _told_of(self, spot: Spot) -> list[Snippet]:
        return self._told.about(spot, self._documents) if self._told is not None else []

    def _look_anew(self, uri: str) -> None:
        """At the next keystroke there, what is at the cursor; what is shown already stays."""
        if (shown := self._shown.get(uri)) is not None:
            self._shown[uri] = replace(shown, at_cursor=())

    def _usages(self, spot: Spot) -> list[Snippet]:
        called = called_at(spot.document, spot.offset)
        if not called or "usage" not in self._sources:
            return []
        open_here = [(self.path_of(each), self._texts.open.get(each.path)) for each in self._beside(spot)]
        beside = [(path, text) for path, text in open_here if text is not None]
        return usages(spot, called, beside, (*importers_of(spot.indexer.index, spot.path, called), *self._kin_of(spot)))

    def _edited(self) -> list[Snippet]:
        found = []
        for region in self._edits:
            document = self._documents.get(region.uri)
            if document is None:
                continue
            secret = self._secrets.get(document.path)
            if secret is None:  # not parsed yet, or in a language without a grammar
                if len(document.text) > MOST_KIN_CHARACTERS:
                    continue
                secret = telling_in(document.text.source, document.language)
            text = redact(text_of(region, document.text), document.language, secret).text
            found.append(Snippet(self.path_of(document), text, "edit"))
        return found

    def _similar(self, spot: Spot) -> Iterable[Snippet]:
        if "open" in self._sources:
            there = [spot.document, *self._beside(spot)]  # in this one, too, there is what is far from the cursor
            texts = {(each.path, self.path_of(each)): self._texts.open.get(each.path) for each in there}
            yield from similar(spot, self._ranked("open", texts), "open")
        if "sibling" in self._sources:
            kin = {path: self._texts.at_hand(spot.indexer, path) for path in self._kin_of(spot)}
            root = spot.indexer.index.root
            near = {
                (os.path.join(root, path), path): text
                for path, text in kin.items()
                if text is None or len(text) <= MOST_KIN_CHARACTERS
            }
            yield from similar(spot, self._ranked("sibling", near), "sibling")

    def _ranked(self, source: Source, texts: Mapping[Place, Text | None]) -> Ranking:
        """The pieces of `texts`, ranked anew only where they are others than before."""
        pieces = [
            made for place, text in texts.items() if text is not None and (made := self._pieces.at_hand(place, text))
        ]
        held = self._rankings.get(source)
        if held is None or list(map(id, held[0])) != list(map(id, pieces)):
            held = self._rankings[source] = pieces, Ranking(piece for each in pieces for piece in each)
        return held[1]

    def _kin_of(self, spot: Spot) -> list[str]:
        return self._kin.at_hand(spot.indexer.index, spot.path, spot.document.language)

    def _clean(self, snippets: Iterable[Snippet], budget: int) -> Iterable[Snippet]:
        """Those that can fit, without secrets, also those that only the rest of an open document shows to be one."""
        also = frozenset().union(*self._secrets.values())
        fitting = (each for each in snippets if each.cost <= budget)
        return (replace(each, text=redact(each.text, language_of(each.path) or "", also).text) for each in fitting)

    def _beside(self, spot: Spot) -> list[Document]:
        """Other open documents of this language; another cell of the same notebook is none."""
        own = spot.document
        family = family_of(own.language)
        return [
            each for each in self._documents.values() if family_of(each.language) == family and each.path != own.path
        ]


Bared = tuple[Text, frozenset[str]]
"""A text with its secrets written over, every offset in its place; and those that are secret wherever they stand."""


def without_secrets(document: Document) -> Bared:
    """For a thread: some milliseconds for thousands of lines."""
    source, spans = document.text.source, find(document.text.source, document.language)
    return Text(written_over(source, spans)) if spans else document.text, telling(source, spans)
