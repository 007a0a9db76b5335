"""The pieces of texts: those at hand, and those that a thread is making."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from aigc_lsp.context.similar import Piece, pieces_of
from aigc_lsp.text import Text

MOST_TEXTS = 64
MOST_CHARACTERS = 300_000
"""Of one text: a longer one is data, or takes a tenth of a second."""

Place = tuple[str, str]
"""Where a text lies on the disk, and the path that is shown, which two folders may both have."""


class Pieces:
    """Belongs to the event loop."""

    def __init__(self) -> None:
        self._held: OrderedDict[Place, tuple[Text, list[Piece]]] = OrderedDict()
        self._making: dict[Place, asyncio.Task[None]] = {}

    @property
    def is_whole(self) -> bool:
        """Whether all that was asked for is at hand."""
        return not self._making

    def at_hand(self, place: Place, text: Text) -> list[Piece]:
        """The pieces of `text`; where they have to be made first, which is begun, those of the text that was there
        before. One that is too long has none."""
        held, pieces = self._held.get(place, (None, []))
        if held is not None:
            self._held.move_to_end(place)
        if held is not text and place not in self._making and len(text) <= MOST_CHARACTERS:
            self._making[place] = asyncio.create_task(self._make(place, text))
            self._making[place].add_done_callback(lambda _: self._making.pop(place))
        return pieces

    async def wait(self, seconds: float | None = None) -> None:
        """Return when all that was asked for is at hand, or after `seconds`."""
        if self._making:
            await asyncio.wait(list(self._making.values()), timeout=seconds)

    async def _make(self, place: Place, text: Text) -> None:
        pieces = await asyncio.to_thread(pieces_of, place[1], text)
        self._held.pop(place, None)
        self._held[place] = text, pieces
        if len(self._held) > MOST_TEXTS:
            self._held.popitem(last=False)
