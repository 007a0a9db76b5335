"""The model server's client, for the language server and the command line. Light: httpx is imported at first use."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_lsp.errors import EngineHung, EngineUnavailable
from aigc_lsp.service import peer, sse
from aigc_lsp.service.place import Address, find
from aigc_lsp.service.wire import HUNG_SECONDS, Health, InfillPiece, InfillRequest

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 2.0
KEEP_SECONDS = 30.0
"""Of a connection that nothing is sent over: less than the model server keeps it, or a request might meet its end."""

_NONSENSE = (ValueError, TypeError, AttributeError, LookupError)
"""What comes of reading an answer that is not of the shape it should have."""

_GONE = "No model server answers. `aigc-lsp status` says more."
_HUNG = "The model server gives no sign of life. `aigc-lsp stop` ends it."
_HUNG_UP = "The model server hung up. The next request starts it again."


class EngineClient:
    """Speaks to the user's model server, wherever it is by now, or to the one on `socket`. What it listens to must be
    of the same user. Every failure to reach it is `EngineUnavailable`."""

    def __init__(self, socket: Path | None = None) -> None:
        self._socket = socket
        self._address: Address | None = None
        self._http: httpx.AsyncClient | None = None
        self._user = secrets.token_hex(8)

    async def health(self, timeout: float = 2.0) -> Health:
        """Raises `EngineHung` where one is there and does not answer for `timeout` seconds."""
        import httpx

        try:
            http = await self._connected()
            response = await http.get("/health", timeout=timeout)
            return Health.from_json(response.json())
        except httpx.TimeoutException as error:
            raise EngineHung(_HUNG) from error
        except (httpx.HTTPError, OSError, *_NONSENSE) as error:
            raise EngineUnavailable(_GONE) from error

    async def watch(self) -> AsyncIterator[Health]:
        """Its health: at once, at each change, and every few seconds, until it leaves by itself. Raises `EngineHung`
        where there was no sign of life for `HUNG_SECONDS`, and `EngineUnavailable` where it fell."""
        import httpx

        patience = httpx.Timeout(HUNG_SECONDS, connect=CONNECT_SECONDS)
        try:
            http = await self._connected()
            async with http.stream("GET", "/events", timeout=patience) as response:
                if response.status_code != 200:
                    raise EngineUnavailable(_reason(await response.aread()))
                events = _events(response)
                while True:
                    async with asyncio.timeout(HUNG_SECONDS):
                        event = await anext(events, None)
                    if event is None:
                        return
                    health = Health.from_json(event)
                    if health.stalled_s > HUNG_SECONDS:
                        raise EngineHung(_HUNG)
                    yield health
        except (httpx.TimeoutException, TimeoutError) as error:
            raise EngineHung(_HUNG) from error
        except (httpx.HTTPError, OSError, *_NONSENSE) as error:
            raise EngineUnavailable(_HUNG_UP) from error

    @asynccontextmanager
    async def infill(self, request: InfillRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        """The pieces of the answer as they come. Leaving the block hangs up, and the model server stops.

        Raises `EngineUnavailable`, here or between pieces, with the model server's own sentence where it gave one.
        Waits for ever for the first piece of one that hangs: whoever `watch`es it knows.
        """
        import httpx

        fields = request.to_json() | {"stream": True, "timings_per_token": True, "user": request.user or self._user}
        body = json.dumps(fields)  # ASCII: lone surrogates in a buffer travel as escapes
        headers = {"content-type": "application/json"}
        try:
            http = await self._connected()
            async with http.stream("POST", "/infill", content=body, headers=headers) as response:
                if response.status_code != 200:
                    raise EngineUnavailable(_reason(await response.aread()))
                yield _pieces(response)
        except httpx.TimeoutException as error:
            raise EngineHung(_HUNG) from error
        except (httpx.HTTPError, OSError) as error:
            raise EngineUnavailable(_HUNG_UP) from error

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def _connected(self) -> httpx.AsyncClient:
        """The HTTP client for where the model server is now: on a port, each start has another."""
        address = Address(self._socket) if self._socket is not None else find()
        if self._http is None or address != self._address:
            former, self._http, self._address = self._http, _http(address), address
            if former is not None:
                await former.aclose()
        return self._http


def _http(address: Address) -> httpx.AsyncClient:
    import httpx

    # Without TLS there is no use in reading the certificates, which takes 50 ms; nor in waiting for a free connection.
    transport = httpx.AsyncHTTPTransport(
        uds=str(address.socket) if address.socket is not None else None,
        verify=False,
        trust_env=False,  # a proxy has no business between two processes of one user
        limits=httpx.Limits(max_connections=None, keepalive_expiry=KEEP_SECONDS),
    )
    return httpx.AsyncClient(
        transport=transport,
        base_url=f"http://127.0.0.1:{address.port}" if address.port else "http://engine",
        headers={"authorization": f"Bearer {address.token}"} if address.token else None,
        timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
        trust_env=False,
        event_hooks={"request": [_check_peer]},
    )


async def _check_peer(request: httpx.Request) -> None:
    """Have each new connection looked at before anything is written to it."""

    async def trace(event: str, info: dict[str, Any]) -> None:
        if event == "connection.connect_unix_socket.complete":
            stream = info["return_value"]
            if not peer.is_own(stream.get_extra_info("socket")):
                await stream.aclose()
                raise EngineUnavailable("The model server's socket is another user's. Remove it.")

    request.extensions["trace"] = trace


async def _events(response: httpx.Response) -> AsyncIterator[Any]:
    async for data in sse.events(response.aiter_bytes(), sys.maxsize):
        yield json.loads(data)


async def _pieces(response: httpx.Response) -> AsyncIterator[InfillPiece]:
    try:
        async for event in _events(response):
            failure = event["error"]["message"] if event.get("error") else ""
            if failure:
                raise EngineUnavailable(str(failure))
            yield InfillPiece.from_json(event)
    except _NONSENSE as error:
        raise EngineUnavailable(_reason(b"")) from error


def _reason(body: bytes) -> str:
    try:
        answer: Any = json.loads(body)
        return str(answer["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return "The model server gave an answer that makes no sense; see `aigc-lsp status`."
