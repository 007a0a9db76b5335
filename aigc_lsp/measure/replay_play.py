"""Type scenes to a subject, key by key, accept what is right, and note each answer.

Each key is a change of the buffer and then, at once, a request at the new cursor. The next key comes at its time
whether or not there was an answer: then the request is cancelled, and nobody has seen what it would have said. What is
seen and right is accepted (all of it, else its first line; see `replay_typist.acceptable`), which takes one key's time.
Whoever jumps looks where he is: the first key of a passage waits for its answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from aigc_lsp.measure.replay_scenes import Scene
from aigc_lsp.measure.replay_subjects import Cost, Subject, Suggestion
from aigc_lsp.measure.replay_typist import Author, Change, Sheet, acceptable, first_line, pause_seconds
from aigc_lsp.syntax.tree import Tree, parse
from aigc_lsp.text import Text

PATIENCE_SECONDS = 60.0
"""For an answer that is waited for: a peer may read 2,000 tokens first."""
TRUTH_CHARACTERS = 200
"""Of what remains to be typed, in each note."""

Outcome = Literal["whole", "line", ""]


@dataclass(frozen=True, slots=True)
class Typing:
    """`slips`: the share of letters that are wrong ones first; `closes`: the editor puts closers in; `waits`: each key
    waits for the answer to the one before, so that a run is the same on every machine; `looks_seconds`: before the
    first key of a passage."""

    slips: float = 0.03
    closes: bool = True
    waits: bool = False
    seed: int = 1
    looks_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Moment:
    """One key, or one acceptance, and what came of the request behind it.

    `ms` is from the key to the answer, or to the next key where there was none in time. `typed` is where in the passage
    the cursor is; `truth` what comes there. `fits`: all that is shown is right, or its first line is;
    `right_characters` of it, from its beginning on. `is_astray`: something wrong stands before the cursor. `accepted`:
    what was taken next.
    """

    passage: int
    typed: int
    line: int
    character: int
    by: str
    is_first: bool
    is_answered: bool
    ms: float
    shown: str
    replaced: int
    cost: Cost
    truth: str
    fits: Outcome
    right_characters: int
    is_astray: bool
    accepted: Outcome


@dataclass(slots=True)
class Shown:
    """One distinct suggestion: as long as the buffer would be the same with it, it is the same, however much of it has
    been typed. It was shown first with `typed` characters of the passage there, behind a typo if it `is_astray`;
    `is_prose`: what was to be typed there stands in a comment or docstring."""

    passage: int
    typed: int
    text: str
    is_astray: bool = False
    is_prose: bool = False
    accepted: Outcome = ""
    is_typed_through: bool = False

    @property
    def is_right(self) -> bool:
        return bool(self.accepted) or self.is_typed_through


@dataclass(slots=True)
class Played:
    """One scene: for each passage who wrote each of its characters, and all moments and suggestions of it."""

    subject: str
    scene: Scene
    authors: list[list[Author]] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    model_requests: int = 0
    """Of those for it, and those made ahead: all that the model had meanwhile."""


async def play(subject: Subject, scene: Scene, typing: Typing, say: Callable[[str], None] = lambda _: None) -> Played:
    """Type one scene. The keys are the same for each subject, as far as what is accepted is."""
    chance = random.Random(f"{typing.seed} {scene.name}")
    played, began = Played(subject.name, scene), time.perf_counter()
    await subject.open(scene)
    spent, had, text = subject.cpu_seconds(), await subject.requests(), scene.text
    for number, passage in enumerate(scene.passages):
        say(f"{subject.name}: {scene.name}, passage {number + 1} of {len(scene.passages)}")
        if passage.removed:
            subject.change(Change(passage.start, passage.removed, ""))
            text = text[: passage.start] + text[passage.start + passage.removed :]
        sheet = Sheet(text, passage.start, passage.typed)
        before = len(played.shown)
        with _without_collections():
            await asyncio.sleep(typing.looks_seconds)
            await _Passage(subject, typing, chance, sheet, played, number).type()
        played.authors.append(sheet.authors)
        text = sheet.text
        _mark_prose(played.shown[before:], scene.language, text, passage.start)
    played.seconds, played.cpu_seconds = time.perf_counter() - began, subject.cpu_seconds() - spent
    played.model_requests = await subject.requests() - had
    return played


class _Passage:
    """The typing of one passage."""

    def __init__(
        self, subject: Subject, typing: Typing, chance: random.Random, sheet: Sheet, played: Played, number: int
    ) -> None:
        self._subject, self._typing, self._chance = subject, typing, chance
        self._sheet, self._played, self._number = sheet, played, number
        self._seen: dict[bytes, Shown] = {}

    async def type(self) -> None:
        sheet, is_first = self._sheet, True
        wanted: tuple[Suggestion, tuple[str, int]] | None = None
        while not sheet.is_done:
            began = time.perf_counter()
            if wanted is not None:
                suggestion, (said, replaced) = wanted
                self._subject.change(sheet.accept(said, replaced))
                if said == suggestion.text:
                    await self._subject.accepted(suggestion)
                by = "accept"
            else:
                key = sheet.press(self._chance, self._typing.slips, self._typing.closes)
                if key.change is not None:
                    self._subject.change(key.change)
                by = key.kind
            pause = pause_seconds(self._chance)
            if sheet.is_done:
                return
            wanted = await self._look(
                began, PATIENCE_SECONDS if is_first or self._typing.waits else pause, by, is_first
            )
            if not self._typing.waits:
                await asyncio.sleep(max(0.0, began + pause - time.perf_counter()))
            is_first = False

    async def _look(
        self, began: float, patience: float, by: str, is_first: bool
    ) -> tuple[Suggestion, tuple[str, int]] | None:
        """Ask and wait, for so long from `began` on; what is to be accepted of the answer."""
        asked = asyncio.ensure_future(self._subject.ask(self._sheet.cursor))
        done, _ = await asyncio.wait([asked], timeout=max(0.0, began + patience - time.perf_counter()))
        ms = (time.perf_counter() - began) * 1e3
        if not done:
            asked.cancel()
            await asyncio.wait([asked])
            self._note(Suggestion(), Cost(), None, ms, by, is_first, is_answered=False)
            return None
        suggestion = asked.result()
        ms = ms if suggestion.ms is None else suggestion.ms
        cost = await self._subject.cost()
        part = acceptable(self._sheet, suggestion.text, suggestion.replaced)
        self._note(suggestion, cost, part, ms, by, is_first, is_answered=True)
        return (suggestion, part) if part is not None else None

    def _note(
        self,
        suggestion: Suggestion,
        cost: Cost,
        part: tuple[str, int] | None,
        ms: float,
        by: str,
        is_first: bool,
        *,
        is_answered: bool,
    ) -> None:
        sheet, said = self._sheet, suggestion.text
        fits = outcome(sheet, suggestion)
        accepted: Outcome = "" if part is None else "whole" if part[0] == said else "line"
        before = sheet.text[: sheet.cursor]
        self._played.moments.append(
            Moment(
                passage=self._number,
                typed=sheet.typed,
                line=before.count("\n"),
                character=len(before) - before.rfind("\n") - 1,
                by=by,
                is_first=is_first,
                is_answered=is_answered,
                ms=ms,
                shown=said,
                replaced=suggestion.replaced,
                cost=cost,
                truth=sheet.remaining[:TRUTH_CHARACTERS],
                fits=fits,
                right_characters=0 if sheet.slipped else common(said, sheet.remaining),
                is_astray=bool(sheet.slipped),
                accepted=accepted,
            )
        )
        if said:
            self._see(suggestion, accepted, fits)

    def _see(self, suggestion: Suggestion, accepted: Outcome, fits: Outcome) -> None:
        sheet = self._sheet
        behind = sheet.text[sheet.cursor + suggestion.replaced :]
        # With all of the buffer: what is typed of it moves from the suggestion into the text, and all stays the same.
        mark = hashlib.sha256((sheet.text[: sheet.cursor] + suggestion.text + behind).encode()).digest()
        shown = self._seen.get(mark)
        if shown is None:
            shown = self._seen[mark] = Shown(self._number, sheet.typed, suggestion.text, bool(sheet.slipped))
            self._played.shown.append(shown)
        shown.accepted = shown.accepted or accepted
        shown.is_typed_through = shown.is_typed_through or fits == "whole"


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """Nobody's answer waits for this process's garbage."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def _mark_prose(shown: Sequence[Shown], language: str, text: str, start: int) -> None:
    """`text` is the true one, in which the passage begins at `start`."""
    tree = parse(language, Text(text)) if shown else None
    for each in shown:
        each.is_prose = tree is not None and is_prose(tree, start + each.typed)


def is_prose(tree: Tree, offset: int) -> bool:
    """Whether the line at `offset` is a comment or of a docstring, or `offset` is in a comment behind code."""
    source = tree.text.source
    start, end = source.rfind("\n", 0, offset) + 1, source.find("\n", offset)
    line = source[start : end if end >= 0 else len(source)]
    first, last = start + len(line) - len(line.lstrip()), start + len(line.rstrip())
    if line.lstrip().startswith(('"""', "'''")) or tree.place(first).kind == "string":
        return True
    # A comment's own mark is not yet inside of it.
    return any(tree.place(at).kind == "comment" for at in (offset, min(first + 2, last)))


def outcome(sheet: Sheet, suggestion: Suggestion) -> Outcome:
    """Whether all of a suggestion is what will be typed, or its first line is, however short."""
    if sheet.fits(suggestion.text, suggestion.replaced):
        return "whole"
    line = first_line(suggestion.text)
    return "line" if sheet.fits(line, suggestion.replaced) or sheet.fits(line, 0) else ""


def common(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
