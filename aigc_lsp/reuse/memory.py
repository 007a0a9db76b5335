"""What is remembered of one document: the last suggestions, and the last that the model said there.

In memory only, and forgotten with the document. Nothing has to be thrown away when something changes: each is found
again by the text around it, or it is not.
"""

from __future__ import annotations

from collections import deque

from aigc_lsp.context.window import Window
from aigc_lsp.reuse.stream import Stream
from aigc_lsp.reuse.suggestion import Left, Suggestion
from aigc_lsp.text import Text

MOST_SUGGESTIONS, MOST_STREAMS = 32, 8
_REST = 40
"""Characters of the rest of a line that may be closers; see `context.closers.LONGEST`."""


class Memory:
    def __init__(self) -> None:
        # The latest first.
        self._suggestions: deque[Suggestion] = deque(maxlen=MOST_SUGGESTIONS)
        self._streams: deque[Stream] = deque(maxlen=MOST_STREAMS)
        self.read: Window | None = None
        """The last window that the model was asked about."""

    def suggestions(self, text: Text, offset: int) -> list[tuple[Suggestion, Left]]:
        """Those that lead on from `offset`, the latest first, with what is left of each."""
        return [(each, left) for each in self._suggestions if (left := each.left(text, offset)) is not None]

    def stream(self, text: Text, offset: int, left_out: int) -> tuple[Stream, str] | None:
        """What the model says, or has said, to what stands at `offset`, and what of it was typed. `left_out`: closers
        behind `offset` that it does not see."""
        for stream in self._streams:
            typed = stream.typed(text, offset, left_out)
            if typed is not None:
                return stream, typed
        return None

    def keep(self, suggestion: Suggestion) -> None:
        self._suggestions.appendleft(suggestion)

    def begin(self, stream: Stream) -> None:
        """The only one that runs from now on."""
        self.hang_up()
        self._streams.appendleft(stream)

    def typed(self, text: Text, cursor: int) -> None:
        """The document is `text` now, edited last before `cursor`: hang up on what cannot be right any more."""
        for stream in self._streams:
            if stream.is_running and not _may_go_on(stream, text, cursor):
                stream.hang_up()

    def hang_up(self) -> None:
        for stream in self._streams:
            stream.hang_up()

    def fade(self) -> None:
        """Forget what is not being said at this moment."""
        self._suggestions.clear()
        running = [stream for stream in self._streams if stream.is_running]
        self._streams = deque(running, MOST_STREAMS)

    def forget(self) -> None:
        self.hang_up()
        self._streams.clear()
        self._suggestions.clear()
        self.read = None


def _may_go_on(stream: Stream, text: Text, cursor: int) -> bool:
    """Whether what was typed up to `cursor` may be what `stream` says, whatever closers came with it."""
    rest = text.line_end(text.line_at(cursor)) - cursor
    return any(stream.typed(text, cursor, left_out) is not None for left_out in range(min(rest, _REST) + 1))
