"""The model server's client, for the language server and the command line."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aigc_lsp.errors import EngineHung, EngineUnavailable
from aigc_lsp.service import openai, sse
from aigc_lsp.service.connection import FAILURES, Answer, Connections
from aigc_lsp.service.place import Address, find
from aigc_lsp.service.sse import NONSENSE
from aigc_lsp.service.wire import HUNG_SECONDS, ChatRequest, Health, InfillPiece, InfillRequest, PromptRequest

_MOST_BYTES = 1 << 20
"""Of an answer that is read whole."""

_GONE = "No model server answers. `aigc-lsp status` says more."
_HUNG = "The model server gives no sign of life. `aigc-lsp stop` ends it."
_HUNG_UP = "The model server hung up. The next request starts it again."
_NONSENSICAL = "The model server gave an answer that makes no sense; see `aigc-lsp status`."


class EngineClient:
    """Speaks to the user's model server, wherever it is by now, or to the one on `socket`. What it listens to must be
    of the same user. Every failure to reach it is `EngineUnavailable`."""

    def __init__(self, socket: Path | None = None) -> None:
        self._socket = socket
        self._address: Address | None = None
        self._connections: Connections | None = None
        self._user = secrets.token_hex(8)

    async def health(self, timeout: float = 2.0) -> Health:
        """Raises `EngineHung` where one is there and does not answer for `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout), self._connected().ask("GET", "/health") as answer:
                return Health.from_json(json.loads(await sse.whole(answer.body, _MOST_BYTES)))
        except TimeoutError as error:
            raise EngineHung(_HUNG) from error
        except (*FAILURES, *NONSENSE) as error:
            raise EngineUnavailable(_GONE) from error

    async def watch(self) -> AsyncIterator[Health]:
        """Its health: at once, at each change, and every few seconds, until it leaves by itself. Raises `EngineHung`
        where there was no sign of life for `HUNG_SECONDS`, and `EngineUnavailable` where it fell."""
        try:
            async with self._connected().ask("GET", "/events", seconds=HUNG_SECONDS) as answer:
                if answer.status != 200:
                    raise EngineUnavailable(await _reason(answer))
                events = _events(answer)
                while True:
                    async with asyncio.timeout(HUNG_SECONDS):
                        event = await anext(events, None)
                    if event is None:
                        return
                    health = Health.from_json(event)
                    if health.stalled_s > HUNG_SECONDS:
                        raise EngineHung(_HUNG)
                    yield health
        except TimeoutError as error:
            raise EngineHung(_HUNG) from error
        except (*FAILURES, *NONSENSE) as error:
            raise EngineUnavailable(_HUNG_UP) from error

    @asynccontextmanager
    async def infill(self, request: InfillRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        """The pieces of the answer as they come. Leaving the block hangs up, and the model server stops.

        Raises `EngineUnavailable`, here or between pieces, with the model server's own sentence where it gave one.
        Waits for ever for the first piece of one that hangs: whoever `watch`es it knows.
        """
        fields = request.to_json() | {"stream": True, "timings_per_token": True, "user": request.user or self._user}
        async with self._asked("/infill", fields) as answer:
            yield _pieces(answer)

    @asynccontextmanager
    async def write(self, request: PromptRequest | ChatRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        """The same for a prompt as it is, or for a conversation."""
        fields = openai.body(request, request.model) | {
            "user": request.user or self._user,
            "document": request.document,
            "stream_options": {"include_usage": True},
        }
        if request.t_max_predict_ms is not None:
            fields["t_max_predict_ms"] = request.t_max_predict_ms
        async with self._asked(f"/v1{openai.path(request)}", fields) as answer:
            yield _written(answer)

    async def close(self) -> None:
        if self._connections is not None:
            self._connections.close()
            self._connections = None

    @asynccontextmanager
    async def _asked(self, path: str, fields: dict[str, Any]) -> AsyncIterator[Answer]:
        body = json.dumps(fields).encode()  # ASCII: lone surrogates in a buffer travel as escapes
        try:
            async with self._connected().ask("POST", path, body) as answer:
                if answer.status != 200:
                    raise EngineUnavailable(await _reason(answer))
                yield answer
        except TimeoutError as error:
            raise EngineHung(_HUNG) from error
        except FAILURES as error:
            raise EngineUnavailable(_HUNG_UP) from error

    def _connected(self) -> Connections:
        """To where the model server is now: on a port, each start has another."""
        address = Address(self._socket) if self._socket is not None else find()
        if self._connections is None or address != self._address:
            if self._connections is not None:
                self._connections.close()
            self._connections, self._address = Connections(address), address
        return self._connections


async def _events(answer: Answer) -> AsyncIterator[Any]:
    """Raises `EngineUnavailable` with the sentence of an error, and any of `NONSENSE`."""
    async for data in sse.events(answer.body, sys.maxsize):
        if data == "[DONE]":  # read on to the very end: only then the connection can be used again
            continue
        event = json.loads(data)
        if event.get("error"):
            raise EngineUnavailable(str(event["error"]["message"]))
        yield event


async def _pieces(answer: Answer) -> AsyncIterator[InfillPiece]:
    try:
        async for event in _events(answer):
            yield InfillPiece.from_json(event)
    except NONSENSE as error:
        raise EngineUnavailable(_NONSENSICAL) from error


async def _written(answer: Answer) -> AsyncIterator[InfillPiece]:
    """The last has the usage, which comes behind it."""
    last: InfillPiece | None = None
    try:
        async for event in _events(answer):
            piece = openai.piece(event)
            if piece is None and last is not None:
                last = replace(last, usage=openai.usage(event))
            elif piece is not None and piece.stop_type:
                last = piece
            elif piece is not None:
                yield piece
    except NONSENSE as error:
        raise EngineUnavailable(_NONSENSICAL) from error
    if last is None:
        raise EngineUnavailable(_HUNG_UP)
    yield last


async def _reason(answer: Answer) -> str:
    """What the model server says is wrong."""
    try:
        said: Any = json.loads(await sse.whole(answer.body, _MOST_BYTES))
        return str(said["error"]["message"])
    except NONSENSE:
        return _NONSENSICAL
