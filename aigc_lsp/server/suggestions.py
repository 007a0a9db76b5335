"""The suggestions that are shown and that were accepted, followed through the changes of the text.

A suggestion has one outcome at most. A later and better sign replaces it: the command that clients run when they accept
may come before the change, behind it, or never.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aigc_lsp.feedback.change import Change, change_of, moved, narrowed
from aigc_lsp.feedback.counts import Tally, counted
from aigc_lsp.feedback.kept import KEPT_SECONDS, LONGEST, kept_share
from aigc_lsp.feedback.shown import Outcome, Shown, Standing, Step, continued, follow
from aigc_lsp.feedback.threshold import threshold
from aigc_lsp.server.counting import Counting
from aigc_lsp.text import Span

if TYPE_CHECKING:
    from aigc_lsp.context.document import Document
    from aigc_lsp.server.session import Session
    from aigc_lsp.text import Edit

GLANCE_SECONDS = 0.5
"""What was there for less was not seen, so nobody has rejected it (Continue's rule)."""
REMEMBERED = 64
"""Suggestions of which a client may still say something."""
LARGE = 2000
"""Characters: what is longer was not put there as a suggestion."""


class Suggestions:
    """Runs on the event loop; each call returns at once. `clock` is in seconds."""

    def __init__(self, session: Session, clock: Callable[[], float]) -> None:
        self._session = session
        self._clock = clock
        self._live: dict[str, list[_Live]] = {}  # URI → what is shown in it, the first choice first
        self._records: dict[str, _Live] = {}  # by id, the oldest first
        self._kept: dict[str, list[_Kept]] = {}  # URI → what was accepted in it lately
        self._client_tells = False  # what it shows
        self._counting = Counting(lambda: session.config.completion.learn)
        self._counting.open()

    # Who shows

    def shown(
        self,
        document: Document,
        offset: int,
        text: str,
        replaces: int,
        probability: float | None,
        alternative: bool,
    ) -> str:
        """The id of a suggestion that goes to the client, see `Events.shown`."""
        lives = self._live.setdefault(document.uri, [])
        for live in lives:
            standing = continued(live.standing, document.text, offset, text, replaces)
            if standing is not None and (not alternative or standing.text == live.standing.text):
                live.standing = standing
                if not alternative:
                    self._live[document.uri] = [live]
                    self._appeared(live)
                return live.shown.id
        sure = probability if probability is not None and 0 <= probability <= 1 else None
        name, now = os.urandom(6).hex(), self._clock()
        shown = Shown(name, document.uri, document.language, offset, text, replaces, sure, now)
        found = _Live(shown, Standing(text, offset, 0, replaces))
        if alternative:
            lives.append(found)
        else:
            for live in lives:
                if live.standing.start <= offset <= live.standing.at:
                    self._rejected(live)
            self._live[document.uri] = [found]
            self._appeared(found)
        self._records[shown.id] = found
        if len(self._records) > REMEMBERED:
            del self._records[next(iter(self._records))]
        return shown.id

    def threshold(self, language: str, base: float, target: float | None) -> float:
        return threshold(self._counting.recent(language), base, target)

    # What the session tells

    def changed(self, before: Document, after: Document, edits: Sequence[Edit]) -> None:
        if not edits or not (self._live.get(after.uri) or self._kept.get(after.uri)):
            return
        change = change_of(edits, after.text)
        least = narrowed(change, before.text)
        self._move_kept(after.uri, least)
        if len(change.new_text) > LARGE:  # a whole text, not what an editor does at a cursor
            change = least
        steps = [
            (live, follow(live.standing, before.text, after.text, change)) for live in self._live.get(after.uri, ())
        ]
        accepted = [pair for pair in steps if pair[1].inserted][:1]  # of several choices the others are gone then
        self._live[after.uri] = [live for live, step in accepted or steps if self._take(live, step)]

    def closed(self, uri: str) -> None:
        self._live.pop(uri, None)
        for kept in self._kept.pop(uri, ()):
            kept.stop()

    def forget(self) -> None:
        """Nothing is followed any longer."""
        for uri in [*self._live, *self._kept]:
            self.closed(uri)
        self._records.clear()

    async def close(self) -> None:
        self.forget()
        await self._counting.close()

    # What the client tells, of a suggestion that it calls by its id. What is unknown is ignored.

    def accepted(self, name: str) -> None:
        if live := self._records.get(name):
            self._characters(live, Outcome.ACCEPTED, live.standing.done, len(live.standing.text))

    def did_show(self, name: str) -> None:
        if live := self._records.get(name):
            self._client_tells = True
            live.shown_at = self._clock() if live.shown_at is None else live.shown_at
            self._count_shown(live)

    def did_partially_accept(self, name: str, item: str, units: int) -> None:
        """Of the item's text so many units of UTF-16, from its beginning."""
        if live := self._records.get(name):
            text = live.standing.text
            item = item or live.shown.text
            began = max(len(text) - len(item), 0)  # what is shown may be the rest of what was
            end = min(began + _code_points(item, units), len(text))
            self._characters(live, Outcome.ACCEPTED if end == len(text) else Outcome.PARTIALLY, began, end)

    # Outcomes

    def _appeared(self, live: _Live) -> None:
        """It was sent to be shown, which is all there is to know where clients do not say more."""
        if not self._client_tells:
            self._count_shown(live)

    def _take(self, live: _Live, step: Step) -> bool:
        """What a change did to a suggestion; whether it is still shown."""
        before = live.standing
        if step.standing is not None:
            live.standing = step.standing
        match step.outcome:
            case Outcome.ACCEPTED | Outcome.PARTIALLY as outcome:
                self._characters(live, outcome, before.done, live.standing.done)
                self._keep(live)
            case Outcome.TYPED if live.outcome is None:
                self._decide(live, Outcome.TYPED)
            case Outcome.REJECTED:
                self._rejected(live)
        return step.standing is not None and step.outcome not in (Outcome.ACCEPTED, Outcome.TYPED)

    def _rejected(self, live: _Live) -> None:
        began = live.shown.when if live.shown_at is None else live.shown_at
        if live.is_seen and live.outcome is None and self._clock() - began >= GLANCE_SECONDS:
            self._decide(live, Outcome.REJECTED)

    def _characters(self, live: _Live, outcome: Outcome, begin: int, end: int) -> None:
        """`begin..end` of its text was accepted. Whoever says so, and however often, it counts once."""
        characters = max(0, end - max(begin, live.counted))
        live.counted = max(live.counted, end)
        if live.outcome is Outcome.ACCEPTED:
            outcome = Outcome.ACCEPTED
        self._decide(live, outcome, characters)

    def _decide(self, live: _Live, outcome: Outcome, characters: int = 0) -> None:
        self._count_shown(live)
        tally = Tally(characters=characters)
        if live.outcome is not outcome:
            tally = Tally.of(outcome, characters)
            if live.outcome is not None:
                tally = tally.plus(Tally.of(live.outcome).scaled(-1))
            live.outcome = outcome
        self._count(live.shown, tally)

    def _count_shown(self, live: _Live) -> None:
        if not live.is_seen:
            live.is_seen = True
            self._count(live.shown, Tally(shown=1))

    def _count(self, shown: Shown, tally: Tally) -> None:
        self._counting.count(counted(shown.language, shown.probability, tally))

    # Kept share

    def _keep(self, live: _Live) -> None:
        """What was accepted of it stands in the document: look at it from time to time."""
        standing = live.standing
        if live.kept is None:
            live.kept = kept = _Kept(live.shown)
            loop = asyncio.get_running_loop()
            kept.timers = [loop.call_later(seconds, self._look, kept, seconds) for seconds in KEPT_SECONDS]
            self._kept.setdefault(live.shown.uri, []).append(kept)
        live.kept.text, live.kept.start, live.kept.end = standing.text[: standing.done], standing.start, standing.at

    def _move_kept(self, uri: str, change: Change) -> None:
        for kept in self._kept.get(uri, ()):
            kept.start, kept.end = moved(kept.start, kept.end, change)

    def _look(self, kept: _Kept, seconds: int) -> None:
        document = self._session.documents.get(kept.shown.uri)
        if document is not None and kept.end - kept.start <= LONGEST:
            share = kept_share(kept.text, document.text.slice(Span(kept.start, kept.end)))
            self._count(kept.shown, Tally.kept(seconds, share))
        if seconds == KEPT_SECONDS[-1] and kept in (all_kept := self._kept.get(kept.shown.uri, [])):
            all_kept.remove(kept)


@dataclass(slots=True, eq=False)
class _Kept:
    """`text` was accepted, and is `start..end` of the document now, or what has become of it."""

    shown: Shown
    text: str = ""
    start: int = 0
    end: int = 0
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    def stop(self) -> None:
        for timer in self.timers:
            timer.cancel()


@dataclass(slots=True, eq=False)
class _Live:
    shown: Shown
    standing: Standing
    is_seen: bool = False
    shown_at: float | None = None  # where the client has told
    outcome: Outcome | None = None
    counted: int = 0
    """So much of the text has been counted as accepted, or was there before that."""
    kept: _Kept | None = None


def _code_points(text: str, units: int) -> int:
    """How many characters of `text` the first `units` of UTF-16 are."""
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore"))
