"""One request's way: a job for the host, its events in the shape that the client reads, each counted.

A client that hangs up frees the engine between two steps. An error before the first word is an HTTP error; after it, an
event of the stream that has an `error`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from aigc_lsp.errors import AigcError, EngineUnavailable, Superseded, UnknownModel
from aigc_lsp.modelserver.turns import Job
from aigc_lsp.service.fields import BadRequest
from aigc_lsp.service.wire import Usage

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from aigc_lsp.engine.generate import Choice, Outcome, Piece, Scored
    from aigc_lsp.modelserver.activity import Activity
    from aigc_lsp.modelserver.host import Host
    from aigc_lsp.modelserver.metrics import Count
    from aigc_lsp.service.wire import Generation


@dataclass(frozen=True, slots=True)
class Ending:
    """How a generation ended. `stop_type`: eos, word, limit, cancelled or deadline."""

    stop_type: str
    stopping_word: str = ""
    usage: Usage = field(default_factory=Usage)
    choices: tuple[Choice, ...] = ()
    truncated: bool = False


class Shape(Protocol):
    """What a client wants to read."""

    last: bytes
    """What ends a stream."""

    def during(self, piece: Piece) -> Iterator[Any]:
        """The events of a stream that tell `piece`."""
        ...

    def after(self, ending: Ending) -> Iterator[Any]:
        """The last events of a stream."""
        ...

    def whole(self, pieces: list[Piece], ending: Ending) -> Any: ...


class Cut(Protocol):
    """Ends a text where the client's own rule says."""

    is_over: bool

    def pieces(self, event: Piece | Ending) -> Iterator[Piece | Ending]: ...


class Answer(Response):
    """Runs the job and watches for the client's hang-up meanwhile."""

    def __init__(
        self,
        host: Host,
        activity: Activity,
        count: Count,
        request: Generation,
        shape: Shape,
        cut: Cut | None = None,
    ) -> None:
        super().__init__()
        self._host, self._activity, self._count = host, activity, count
        self._request, self._shape, self._cut = request, shape, cut
        self._is_streaming = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Piece | Outcome | Exception] = asyncio.Queue()

        def emit(event: Piece | Outcome | Exception) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server is about to leave
                loop.call_soon_threadsafe(queue.put_nowait, event)

        job = Job(self._request, emit)
        watcher = asyncio.create_task(hung_up(receive))
        watcher.add_done_callback(lambda _: job.cancelled.set())
        try:
            with self._activity.request(), self._count:
                self._host.submit(job)
                write = self._streamed if self._request.stream else self._whole
                await write(self._events(job, queue), scope, receive, send)
        except asyncio.CancelledError:  # the server leaves
            await self._tell_error(LEAVING, scope, receive, send)
        finally:
            job.cancelled.set()
            watcher.cancel()

    async def _events(self, job: Job, queue: asyncio.Queue) -> AsyncIterator[Piece | Ending | Exception]:
        """Pieces, and at last an ending or an error."""
        while True:
            event = _plain(await queue.get(), job)
            for each in self._trimmed(event):
                self._count.note(each)
                yield each
            if isinstance(event, Ending | Exception):
                return
            if self._cut is not None and self._cut.is_over:
                job.cancelled.set()

    def _trimmed(self, event: Piece | Ending | Exception) -> Iterator[Piece | Ending | Exception]:
        if self._cut is None or isinstance(event, Exception):
            return iter([event])
        return self._cut.pieces(event)

    async def _streamed(
        self, events: AsyncIterator[Piece | Ending | Exception], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Server-sent events."""
        async for event in events:
            if isinstance(event, Exception):
                await self._tell_error(event, scope, receive, send)
                return
            if not self._is_streaming:
                self._is_streaming = True
                await send(STREAM_START)
            for body in self._shape.after(event) if isinstance(event, Ending) else self._shape.during(event):
                await send({"type": "http.response.body", "body": server_sent(body), "more_body": True})
        await send({"type": "http.response.body", "body": self._shape.last, "more_body": False})

    async def _whole(
        self, events: AsyncIterator[Piece | Ending | Exception], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """One JSON value when all is done."""
        pieces: list[Piece] = []
        async for event in events:
            if isinstance(event, Exception):
                await self._tell_error(event, scope, receive, send)
            elif isinstance(event, Ending):
                await Json(self._shape.whole(pieces, event))(scope, receive, send)
            else:
                pieces.append(event)

    async def _tell_error(self, reason: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_streaming:
            body = server_sent(error_body(reason)) + self._shape.last
            await send({"type": "http.response.body", "body": body, "more_body": False})
        else:
            await failure(reason)(scope, receive, send)


class Json(Response):
    """JSON in ASCII, so that a lone surrogate that a client sent may stand in a sentence. Without blanks: llama.vim
    looks for `"content":"` in an answer before it reads it."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return compact(content)


LEAST_LOGPROB = -9999.0
"""Stands for minus infinity, which JSON has no word for, as in OpenAI's API."""

LEAVING = EngineUnavailable("The model server is leaving. The next request starts it again.")

STREAM_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")],
}


def compact(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def server_sent(content: Any) -> bytes:
    return b"data: " + compact(content) + b"\n\n"


async def hung_up(receive: Receive) -> None:
    """Ends when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def usage_of(piece: Piece | Outcome) -> Usage:
    return Usage(*(getattr(piece.timings, name) for name in Usage.__slots__))


def told(scored: Scored) -> dict[str, Any]:
    """A token as both APIs tell it; a control token has no text."""
    text = scored.data.decode("utf-8", "replace")
    return {"token": text, "logprob": logprob_of(scored.logprob), "bytes": list(scored.data)}


def logprob_of(logprob: float) -> float:
    return round(max(logprob, LEAST_LOGPROB), 4)


def error(code: int, message: str, kind: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "type": kind, "param": None}}


def error_body(reason: Exception) -> dict[str, Any]:
    """OpenAI's shape, with llama.cpp's code and kinds. The message of an unforeseen error may hold the user's text."""
    match reason:
        case BadRequest():
            return error(400, str(reason), "invalid_request_error")
        case UnknownModel():
            return error(404, str(reason), "not_found_error")
        case AigcError():
            return error(503, str(reason), "unavailable_error")
    return error(500, f"The model server failed ({type(reason).__name__}); see its log.", "server_error")


def failure(reason: Exception) -> Response:
    body = error_body(reason)
    return Json(body, status_code=body["error"]["code"])


def _plain(event: Piece | Outcome | Exception, job: Job) -> Piece | Ending | Exception:
    if isinstance(event, Superseded):
        return Ending("cancelled")
    if isinstance(event, Exception) or not _is_outcome(event):
        return event
    return Ending(event.stop_reason, event.stopping_word, usage_of(event), event.choices, job.truncated)


def _is_outcome(event: Piece | Outcome) -> TypeIs[Outcome]:
    """By its shape: the type itself would bring torch in, and with it a second of import."""
    return hasattr(event, "stop_reason")
