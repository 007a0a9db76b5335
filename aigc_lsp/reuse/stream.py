"""What the model says from one place on, as it comes. It outlives the keystroke that asked for it: whoever types what
it says needs no other. Where the model ends its line by itself, it is asked for the next one, so that this is there
after Tab and Enter as it is with a model that runs on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from aigc_lsp.context.window import CHARACTERS_PER_TOKEN
from aigc_lsp.reuse.anchor import Anchor
from aigc_lsp.service.backend import Backend
from aigc_lsp.service.wire import WHOLE, InfillChoice, InfillPiece, InfillRequest, Usage
from aigc_lsp.syntax import Place
from aigc_lsp.text import Text, sanitise

ORPHAN_SECONDS = 0.3
"""So long a stream that nobody follows runs on: editors cancel a request before they send the next."""

MOST_TYPED = 1000
"""Characters of a stream that are looked for before the cursor."""


class Stream:
    """Runs on the event loop. `text` only grows; `marks` are the ends of its pieces with their log-probabilities."""

    def __init__(self, anchor: Anchor, place: Place) -> None:
        self.anchor = anchor
        self.place = place
        """Where it was asked."""
        self.text = ""
        self.marks: list[tuple[int, float]] = []
        self.stop_type: str | None = None
        """Set when the model server has said its last; None also where it was hung up on."""
        self.choices: tuple[InfillChoice, ...] = ()
        self.usage = Usage()
        self.sound_to = 0
        """So much of it was seen to parse."""
        self.faulty_at: int | None = None
        """From there on it does not; None where nothing is known against it."""
        self._owed: tuple[int, int] | None = None  # so many lines, from that character on
        self._followers = 0
        self._grown = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._asked: tuple[Backend, InfillRequest] | None = None
        self._next: InfillRequest | None = None  # once what is read now is at its end

    def begin(self, client: Backend, request: InfillRequest) -> None:
        self._asked = client, request
        self._start(client, request)

    def _start(self, client: Backend, request: InfillRequest) -> None:
        self._task = asyncio.create_task(self._read(client, request))
        self._task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # whoever follows is told; where nobody does, it is no news
        self._grown.set()

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    @property
    def has_ended(self) -> bool:
        """The model has said all that it wants to say here."""
        return self.stop_type in WHOLE

    def typed(self, text: Text, offset: int, left_out: int) -> str | None:
        """What of it was typed by `offset`; None where the document stands otherwise, or something else was typed."""
        typed = self.anchor.typed(text, offset, MOST_TYPED, left_out)
        return typed if typed is not None and self.agrees(typed) else None

    def agrees(self, typed: str) -> bool:
        """Whether it begins with `typed`, or may do so yet."""
        return self.text.startswith(typed) or (self.is_running and typed.startswith(self.text))

    async def follow(self) -> AsyncGenerator[None]:
        """Returns at each growth, the first time at once, and ends with it. Raises `EngineUnavailable` where that ends
        it while it is followed."""
        was_running = self.is_running
        self._followers += 1
        try:
            while True:
                self._grown.clear()
                yield
                if not self.is_running:
                    break
                await self._grown.wait()
            if was_running and self._task is not None and not self._task.cancelled():
                self._task.result()  # with what ended it
        finally:
            self._followers -= 1
            if self.is_running and not self._followers:
                asyncio.get_running_loop().call_later(ORPHAN_SECONDS, self._hang_up_orphan)

    def pieces(self, start: int) -> tuple[tuple[str, float], ...]:
        """Those of it from `start` on, each with its log-probability; half of one that begins before."""
        found, before = [], 0
        for end, logprob in self.marks:
            if end > start:
                found.append((self.text[max(before, start) : end], logprob))
            before = end
        return tuple(found)

    def run_on(self, start: int, lines: int) -> None:
        """Let it run, though nobody follows, until it has said so many lines from `start` on."""
        self._owed = start, lines
        if self._is_enough():
            self.hang_up()

    def read_on(self, tokens: int) -> None:
        """The model has ended its line, and says no more of itself: ask it what the next line is, in so many tokens."""
        assert self._asked is not None
        client, request = self._asked
        self.text += "\n"
        self.stop_type, self._owed = None, (len(self.text), 1)
        prefix = request.input_prefix + self.text
        # Nothing of what was read may leave the window, or all of it would be read again.
        room = request.prefix_tokens and request.prefix_tokens + len(self.text) // CHARACTERS_PER_TOKEN
        self._next = replace(request, input_prefix=prefix, prefix_tokens=room, n_predict=tokens, n=1, stop=())
        if not self.is_running:
            self._start(client, self._next)
        self._grown.set()

    def hang_up(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _hang_up_orphan(self) -> None:
        if not self._followers and self._owed is None:
            self.hang_up()

    def _is_enough(self) -> bool:
        if self._owed is None:
            return False
        start, lines = self._owed
        *whole, _ = self.text[start:].split("\n")
        return sum(bool(line.strip()) for line in whole) >= lines

    async def _read(self, client: Backend, request: InfillRequest) -> None:
        wanted: InfillRequest | None = request
        while wanted is not None:
            self._next = None
            async with client.infill(wanted) as pieces:
                async for piece in pieces:
                    self._take(piece)
                    await asyncio.sleep(0)  # who follows may hang up before the next is read
                    if piece.stop_type or (not self._followers and self._is_enough()):
                        break
            wanted = self._next

    def _take(self, piece: InfillPiece) -> None:
        self.text += sanitise(piece.content)
        self.usage, self.stop_type = piece.usage, piece.stop_type
        if piece.logprobs:
            self.marks.append((len(self.text), sum(piece.logprobs)))
        if piece.choices:
            self.choices = piece.choices
        self._grown.set()
