"""Who may speak to the model server, before any route is looked up.

- No web page: a request that names an `Origin` comes from a browser, and is refused.
- Over the Unix socket whoever may open it. Over TCP whoever has the token; where there is none (which `aigc-lsp engine`
  allows on loopback only), whoever names a loopback host, so that no page reaches us under a name of its own.
- `/health` tells anybody whether we are up, and nothing else: its scope is marked `anonymous`.
"""

from __future__ import annotations

import hmac
import ipaddress
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from aigc_lsp.modelserver.answer import Json, error

ANONYMOUS = "aigc.anonymous"


class Guard:
    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := self._refusal(scope, Headers(scope=scope))) is not None:
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        if "origin" in headers:
            return _refuse(403, "Web pages may not use this server; ask it from a program.", "permission_error")
        if not _is_tcp(scope) or self._is_known(headers):
            return None
        if self._token is None:
            return _refuse(403, "Without a token this server answers to loopback names only.", "permission_error")
        if scope["path"] == "/health":
            scope[ANONYMOUS] = True
            return None
        answer = _refuse(401, "Give the model server's token: `Authorization: Bearer …`.", "authentication_error")
        answer.headers["www-authenticate"] = "Bearer"
        return answer

    def _is_known(self, headers: Headers) -> bool:
        if self._token is None:
            return _is_loopback(headers.get("host", ""))
        kind, _, given = headers.get("authorization", "").encode("latin-1").partition(b" ")
        return kind.lower() == b"bearer" and hmac.compare_digest(given.strip(), self._token.encode())


def _is_tcp(scope: Scope) -> bool:
    """A Unix socket's `server` is (path, None)."""
    server: Any = scope.get("server")
    return server is None or server[1] is not None


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    try:
        return name == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _refuse(status: int, message: str, kind: str) -> Response:
    return Json(error(status, message, kind), status_code=status)
