"""The model server's HTTP surface, in the field's own shapes.

    POST /infill      llama.cpp's fields; whole, or as server-sent events with `"stream": true`
    GET  /health      200 when ready, 503 while loading or after a failure; the body says which, and how far
    GET  /v1/models   OpenAI's list

A client that hangs up frees the engine between two steps.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from aigc_lsp import catalogue
from aigc_lsp.errors import AigcError, UnknownModel
from aigc_lsp.service.host import Host, Job
from aigc_lsp.service.wire import BadRequest, InfillRequest, Usage

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from aigc_lsp.engine.generate import Choice, Outcome, Piece


class Activity:
    """When the server was last of use to anybody: what idle exit goes by."""

    def __init__(self) -> None:
        self._busy = 0
        self._last = time.monotonic()

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            self.touch()

    def touch(self) -> None:
        self._last = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        return 0.0 if self._busy else time.monotonic() - self._last


def build_app(host: Host, activity: Activity) -> Starlette:
    async def infill(http: HttpRequest) -> Response:
        try:
            request = InfillRequest.from_json(json.loads(await http.body()))
        except ClientDisconnect:
            return Response(status_code=499)  # nobody is there to read it
        except RecursionError:
            return _error(400, "The request's body is nested too deeply.", "invalid_request_error")
        except ValueError as error:
            return _error(400, str(error), "invalid_request_error")
        return _Infill(host, activity, request)

    async def health(http: HttpRequest) -> Response:
        state = host.health
        return _Json(state.to_json(), status_code=200 if state.ready else 503)

    async def models(http: HttpRequest) -> Response:
        names = await asyncio.to_thread(catalogue.names)
        data = [{"id": name, "object": "model", "owned_by": "aigc-lsp"} for name in names]
        # The one in use comes first: clients take the first they find.
        data.sort(key=lambda entry: entry["id"] != host.health.model)
        return _Json({"object": "list", "data": data})

    return Starlette(
        routes=[
            Route("/infill", infill, methods=["POST"]),
            Route("/health", health, methods=["GET"]),
            Route("/v1/models", models, methods=["GET"]),
        ]
    )


class _Json(Response):
    """JSON in ASCII, so that a lone surrogate that a client sent may stand in a sentence."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content).encode()


class _Infill(Response):
    """The answer to one /infill: runs the job while it watches for the client's hang-up."""

    def __init__(self, host: Host, activity: Activity, request: InfillRequest) -> None:
        super().__init__()
        self._host = host
        self._activity = activity
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[Piece | Outcome | Exception] = asyncio.Queue()

        def emit(event: Piece | Outcome | Exception) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server is about to leave
                loop.call_soon_threadsafe(events.put_nowait, event)

        job = Job(self._request, emit)
        watcher = asyncio.create_task(_watch_hang_up(receive, job))
        try:
            with self._activity.request():
                self._host.submit(job)
                answer = _Streamed(job, events) if self._request.stream else _Whole(job, events)
                await answer(scope, receive, send)
        finally:
            job.cancelled.set()
            watcher.cancel()


class _Streamed:
    """Server-sent events: one for each piece, the last with `stop: true` and the timings."""

    def __init__(self, job: Job, events: asyncio.Queue) -> None:
        self._job, self._events = job, events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first = await self._events.get()
        if isinstance(first, Exception):
            await _failure(first)(scope, receive, send)
            return
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for event in _until_end(first, self._events):
            body = f"data: {json.dumps(_event(event, self._job))}\n\n".encode()
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Whole:
    """One JSON object when all is done."""

    def __init__(self, job: Job, events: asyncio.Queue) -> None:
        self._job, self._events = job, events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        content, probabilities = "", []
        last: dict[str, Any] = {}
        async for event in _until_end(await self._events.get(), self._events):
            if isinstance(event, Exception):
                await _failure(event)(scope, receive, send)
                return
            last = _event(event, self._job)
            content += last["content"]
            probabilities += last.get("completion_probabilities", [])
        last |= {"content": content, "completion_probabilities": probabilities}
        await _Json(_select(last, self._job.request.response_fields))(scope, receive, send)


async def _until_end(first: Any, events: asyncio.Queue) -> AsyncIterator[Any]:
    """Events up to and with the last one: an outcome, or an error."""
    event = first
    while True:
        yield event
        if isinstance(event, Exception) or _is_outcome(event):
            return
        event = await events.get()


def _is_outcome(event: Piece | Outcome) -> TypeIs[Outcome]:
    """By its shape: the type itself would bring torch in, and with it a second of import."""
    return hasattr(event, "stop_reason")


async def _watch_hang_up(receive: Receive, job: Job) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    job.cancelled.set()


def _event(event: Piece | Outcome | Exception, job: Job) -> dict[str, Any]:
    """One event in llama.cpp's shape."""
    if isinstance(event, Exception):
        return {"content": "", "stop": True, "stop_type": "error", "error": {"message": _sentence(event)}}
    usage = Usage(*(getattr(event.timings, name) for name in Usage.__slots__))
    body: dict[str, Any] = {"index": 0, "content": "", "stop": False, "timings": usage.to_json()}
    if not _is_outcome(event):
        pairs = zip(event.tokens, event.logprobs, strict=True)
        return body | {
            "content": event.text,
            "tokens": list(event.tokens),
            "completion_probabilities": [{"id": id, "logprob": round(logprob, 4)} for id, logprob in pairs],
        }
    return body | {
        "stop": True,
        "stop_type": event.stop_reason,
        "stopping_word": event.stopping_word,
        "tokens_evaluated": usage.prompt_tokens,
        "tokens_predicted": usage.generated_tokens,
        "tokens_cached": usage.reused_tokens,
        "truncated": job.truncated,
        **(
            {"choices": [_choice(index, choice) for index, choice in enumerate(event.choices)]} if event.choices else {}
        ),
    }


def _choice(index: int, choice: Choice) -> dict[str, Any]:
    return {
        "index": index,
        "content": choice.text,
        "tokens": list(choice.tokens),
        "mean_logprob": round(choice.mean_logprob, 4),
        "stop_type": choice.stop_reason,
    }


def _select(body: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """llama.cpp's `response_fields`: names, or paths with slashes; each comes back under the path as it was asked."""
    if not fields:
        return body
    selected: dict[str, Any] = {}
    for path in fields:
        value: Any = body
        for name in path.split("/"):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            selected[path] = value
    return selected


def _failure(error: Exception) -> Response:
    if isinstance(error, BadRequest):
        return _error(400, str(error), "invalid_request_error")
    if isinstance(error, UnknownModel):
        return _error(404, str(error), "not_found_error")
    return _error(503 if isinstance(error, AigcError) else 500, _sentence(error), "unavailable_error")


def _sentence(error: Exception) -> str:
    if isinstance(error, (AigcError, BadRequest)):
        return str(error)
    return f"The model server failed ({type(error).__name__}); see its log."


def _error(code: int, message: str, kind: str) -> Response:
    return _Json({"error": {"code": code, "message": message, "type": kind}}, status_code=code)
