"""The model server's HTTP surface, in the field's own shapes.

    POST /infill                llama.cpp's: `infill`
    POST /v1/completions        OpenAI's: `openai`
    POST /v1/chat/completions
    GET  /v1/models             OpenAI's list, the one in use first
    GET  /health                200 when ready, or idle; 503 while loading or after a failure; the body says which
    GET  /events                the same as a stream: `events`
    GET  /metrics               Prometheus: `metrics`

Who may ask: `guard`. Errors have OpenAI's shape. A client that hangs up frees the engine between two steps.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from aigc_lsp import catalogue
from aigc_lsp.modelserver import infill, openai
from aigc_lsp.modelserver.activity import Activity
from aigc_lsp.modelserver.answer import Answer, Cut, Json, Shape, error, failure
from aigc_lsp.modelserver.events import Events
from aigc_lsp.modelserver.guard import ANONYMOUS, Guard
from aigc_lsp.modelserver.host import Host
from aigc_lsp.modelserver.metrics import CONTENT_TYPE, Metrics
from aigc_lsp.service.fields import BadRequest
from aigc_lsp.service.wire import Generation

MOST_BODY_BYTES = 16_000_000
"""Of a request: far more than any model's context."""


def build_app(host: Host, activity: Activity, token: str | None = None) -> Starlette:
    """`token`: what requests over TCP must carry; None where none is needed."""
    metrics = Metrics(host)
    began = int(time.time())

    def model_of(request: Generation) -> str:
        return request.model or host.state.model

    def reply(endpoint: str, request: Generation, shape: Shape, cut: Cut | None = None) -> Response:
        count = metrics.count(endpoint, is_warming=request.n_predict == 0)
        return Answer(host, activity, count, request, shape, cut)

    def answer_infill(endpoint: str, body: Any) -> Response:
        request, as_list = infill.parse(body)
        cut = infill.Outdent(request.n_indent) if request.n_indent else None
        return reply(endpoint, request, infill.Infill(request, model_of(request), as_list=as_list), cut)

    def answer_completion(endpoint: str, body: Any) -> Response:
        request, wanted = openai.parse_completion(body)
        return reply(endpoint, request, openai.Completion(request, wanted, model_of(request)))

    def answer_chat(endpoint: str, body: Any) -> Response:
        request, wanted = openai.parse_chat(body)
        return reply(endpoint, request, openai.Chat(request, wanted, model_of(request)))

    def text(path: str, answer: Callable[[str, Any], Response]) -> Route:
        """A route that reads JSON and answers with text from a model."""

        async def endpoint(http: HttpRequest) -> Response:
            try:
                return answer(path, await _json(http))
            except ClientDisconnect:
                return Response(status_code=499)  # nobody is there to read it
            except BadRequest as reason:
                metrics.refuse(path)
                return failure(reason)

        return Route(path, endpoint, methods=["POST"])

    async def health(http: HttpRequest) -> Response:
        state = host.health
        body = state.to_json()
        shown = {"status": body["status"]} if http.scope.get(ANONYMOUS) else body
        return Json(shown, status_code=200 if body["status"] == "ok" else 503)

    async def events(http: HttpRequest) -> Response:
        return Events(host, activity)

    async def models(http: HttpRequest) -> Response:
        names = await asyncio.to_thread(catalogue.names)
        data = [{"id": name, "object": "model", "created": began, "owned_by": "aigc-lsp"} for name in names]
        # Clients take the first they find.
        data.sort(key=lambda entry: entry["id"] != host.state.model)
        return Json({"object": "list", "data": data})

    async def measured(http: HttpRequest) -> Response:
        return Response(metrics.render(), headers={"content-type": CONTENT_TYPE})

    return Starlette(
        routes=[
            text("/infill", answer_infill),
            text("/v1/completions", answer_completion),
            text("/v1/chat/completions", answer_chat),
            Route("/v1/models", models, methods=["GET"]),
            Route("/health", health, methods=["GET"]),
            Route("/events", events, methods=["GET"]),
            Route("/metrics", measured, methods=["GET"]),
        ],
        middleware=[Middleware(Guard, token=token)],
        exception_handlers={HTTPException: _refuse},
    )


async def _json(http: HttpRequest) -> Any:
    """The request's body. Raises `BadRequest`, `HTTPException` (413) where it is too large, `ClientDisconnect`."""
    body = bytearray()
    async for part in http.stream():
        body += part
        if len(body) > MOST_BODY_BYTES:
            raise HTTPException(413, f"The request has more than {MOST_BODY_BYTES} bytes; send less context.")
    try:
        return json.loads(bytes(body))
    except RecursionError:
        raise BadRequest("The request's body is nested too deeply.") from None
    except ValueError as reason:
        raise BadRequest(f"The request's body is not valid JSON: {reason}.") from None


async def _refuse(http: HttpRequest, reason: Exception) -> Response:
    assert isinstance(reason, HTTPException)
    kind = "not_found_error" if reason.status_code == 404 else "invalid_request_error"
    message = "There is no such place here." if reason.status_code == 404 else reason.detail
    return Json(error(reason.status_code, message, kind), status_code=reason.status_code, headers=reason.headers)
