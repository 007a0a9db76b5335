"""The model server's client, for the language server and the command line. Light: httpx is imported at first use."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.service.wire import Health, InfillPiece, InfillRequest

if TYPE_CHECKING:
    import httpx


_NONSENSE = (ValueError, TypeError, AttributeError, LookupError)
"""What comes of reading an answer that is not of the shape it should have."""


class EngineClient:
    """Speaks to one model server over its Unix socket. Every failure to reach it is `EngineUnavailable`."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._http: httpx.AsyncClient | None = None

    async def health(self, timeout: float = 2.0) -> Health:
        import httpx

        try:
            response = await self._client().get("/health", timeout=timeout)
            return Health.from_json(response.json())
        except (httpx.HTTPError, OSError, *_NONSENSE) as error:
            raise EngineUnavailable("No model server answers. `aigc-lsp status` says more.") from error

    @asynccontextmanager
    async def infill(self, request: InfillRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        """The pieces of the answer as they come. Leaving the block hangs up, and the model server stops.

        Raises `EngineUnavailable`, here or between pieces, with the model server's own sentence where it gave one.
        """
        import httpx

        # ASCII JSON: lone surrogates in a buffer travel as escapes.
        body = json.dumps(request.to_json() | {"stream": True, "timings_per_token": True})
        headers = {"content-type": "application/json"}
        try:
            async with self._client().stream("POST", "/infill", content=body, headers=headers) as response:
                if response.status_code != 200:
                    raise EngineUnavailable(_reason(await response.aread()))
                yield _pieces(response)
        except (httpx.HTTPError, OSError) as error:
            raise EngineUnavailable("The model server hung up. The next request starts it again.") from error

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            import httpx

            self._http = httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(uds=str(self._socket)),
                base_url="http://engine",
                timeout=httpx.Timeout(None, connect=2.0),
                trust_env=False,  # a proxy has no business between two processes of one user
            )
        return self._http


async def _pieces(response: httpx.Response) -> AsyncIterator[InfillPiece]:
    async for line in response.aiter_lines():
        if not line.startswith("data: "):
            continue
        try:
            event = json.loads(line[6:])
            failure = event["error"]["message"] if event.get("error") else ""
            piece = InfillPiece.from_json(event)
        except _NONSENSE as error:
            raise EngineUnavailable(_reason(b"")) from error
        if failure:
            raise EngineUnavailable(str(failure))
        yield piece


def _reason(body: bytes) -> str:
    try:
        answer: Any = json.loads(body)
        return str(answer["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return "The model server gave an answer that makes no sense; see `aigc-lsp status`."
