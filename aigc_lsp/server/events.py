"""What becomes of what was shown: told by the client where it tells (in Copilot's shapes), else read off its changes.

Contract
    Everything here runs on the event loop and returns at once; the file of the counts is a thread's. Nothing is said to
    the log or to a file of what was shown but numbers. Without the option `completion.learn` nothing is followed, read
    or written, and the threshold stays where it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

    from aigc_lsp.context.document import Document
    from aigc_lsp.server.app import Server
    from aigc_lsp.server.suggestions import Suggestions
    from aigc_lsp.text import Edit

ACCEPTED = "aigc.accepted"
"""The command of each item, with the suggestion's id."""
DID_SHOW = "textDocument/didShowCompletion"
DID_PARTIALLY_ACCEPT = "textDocument/didPartiallyAcceptCompletion"


class Events:
    """Hears of suggestions from who shows them, of changes from the session, and of the rest from the client."""

    def __init__(self, server: Server, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = server.session
        self._clock = clock
        self._suggestions: Suggestions | None = None  # from the first that is shown

    def shown(
        self,
        document: Document,
        offset: int,
        text: str,
        replaces: int,
        probability: float | None,
        *,
        alternative: bool = False,
    ) -> types.Command:
        """`text` goes to the client, to be inserted at `offset` of `document`, its text as it is now; the command for
        its item. An `alternative` is one of several choices, beside the one that was registered before it.

        What goes on with a suggestion that is shown already is still that one, and has its id.
        """
        followed = self._followed(begin=True)
        name = followed.shown(document, offset, text, replaces, probability, alternative) if followed else ""
        return types.Command("Accepted", ACCEPTED, arguments=[name])

    def threshold(self, language: str, base: float, target: float | None = None) -> float:
        """The least confidence to show unasked to this user (`feedback.threshold`); `base` where nothing is known."""
        followed = self._followed(begin=True)
        return followed.threshold(language, base, target) if followed else base

    def changed(self, before: Document, after: Document, edits: Sequence[Edit]) -> None:
        if followed := self._followed():
            followed.changed(before, after, edits)

    def closed(self, document: Document) -> None:
        if followed := self._followed():
            followed.closed(document.uri)

    async def close(self) -> None:
        """Write what has been counted, and stop."""
        if self._suggestions is not None:
            await self._suggestions.close()

    def register(self, server: LanguageServer) -> None:
        """Nothing that a client says here fails."""

        @server.command(ACCEPTED)
        def accepted(*arguments: Any) -> None:
            if followed := self._followed():
                followed.accepted(_name_in(arguments))

        @server.feature(DID_SHOW)
        def did_show(params: Any) -> None:
            if followed := self._followed():
                followed.did_show(_name_of(params))

        @server.feature(DID_PARTIALLY_ACCEPT)
        def did_partially_accept(params: Any) -> None:
            length = getattr(params, "acceptedLength", None)
            followed = self._followed()
            if followed and type(length) is int and length > 0:
                followed.did_partially_accept(_name_of(params), _text_of(params), length)

    def _followed(self, *, begin: bool = False) -> Suggestions | None:
        """None where nothing is, as the user wishes it, or since nothing has been shown yet: then `begin`."""
        if not self._session.config.completion.learn:
            if self._suggestions is not None:
                self._suggestions.forget()
            return None
        if self._suggestions is None and begin:
            from aigc_lsp.server.suggestions import Suggestions  # not needed to answer initialize

            self._suggestions = Suggestions(self._session, self._clock)
        return self._suggestions


def _name_of(params: Any) -> str:
    """The id in the command of the item that a notification holds."""
    return _name_in(getattr(getattr(getattr(params, "item", None), "command", None), "arguments", None))


def _name_in(arguments: Any) -> str:
    if isinstance(arguments, list | tuple) and arguments and isinstance(arguments[0], str):
        return arguments[0]
    return ""


def _text_of(params: Any) -> str:
    """What the item of a notification inserts; a snippet counts as its source."""
    text = getattr(getattr(params, "item", None), "insertText", "")
    text = getattr(text, "value", text)
    return text if isinstance(text, str) else ""
