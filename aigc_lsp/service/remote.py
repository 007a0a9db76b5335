"""A model server elsewhere (`engine.url`): llama-server, vLLM, TGI, Ollama, a cloud API, or our own across the network.

Nothing here blocks and nothing is asked in vain: after a failure, or when the server limits how often it is asked, a
gate is shut for a while, and requests fail at once. Whatever a server does is one sentence (`EngineUnavailable`); what
it says of a request is never repeated, since it may quote the user's text. The token is in no message and no log.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

from aigc_lsp import __version__, catalogue
from aigc_lsp.config import Config, EngineConfig
from aigc_lsp.errors import EngineUnavailable, ModelError
from aigc_lsp.service import openai, sse
from aigc_lsp.service.backend import Backend
from aigc_lsp.service.remote_api import (
    Api,
    Infill,
    OpenAI,
    health_of,
    json_object,
    kind_of,
    model_names,
    read,
    until_stop,
)
from aigc_lsp.service.remote_gate import Declined, Gate, Refusal, declined, trouble
from aigc_lsp.service.remote_place import Place
from aigc_lsp.service.sse import NONSENSE
from aigc_lsp.service.wire import ChatRequest, Generation, Health, InfillPiece, InfillRequest, PromptRequest

if TYPE_CHECKING:
    import httpx

LOOK_SECONDS = 30.0
"""Between two looks at a server that is well; a failed request has it looked at again at once."""
LOADING_LOOK_SECONDS = 2.0
LOOKING_SECONDS = 5.0
CONNECT_SECONDS = 2.0
DRAIN_SECONDS = 0.1
"""For the end of an answer that has said its last word: read to its end, a connection can be used again."""
KEPT_SECONDS = 4.0
"""A connection is used again for so long: llama-server and vLLM end one that was idle for 5 seconds."""

MOST_BYTES = 1 << 20
"""Of one answer; the longest that can be asked for takes about half of it."""

_MISSING = (404, 405, 501)
"""The server has no such path."""

_DEADLINE = InfillPiece("", stop_type="deadline")


def connect(config: Config) -> Backend:
    """The server that `engine.url` names; it is not asked yet. Raises `EngineUnavailable` where the settings cannot be:
    no address, no such variable, no such model."""
    return Remote(Place.of(config.engine), _api(config), config.engine)


def _api(config: Config) -> Api:
    if config.engine.api == "infill":
        return Infill(secrets.token_hex(8))
    model = None
    if config.engine.fim == "render":
        try:
            model = catalogue.load(config.model)
        except ModelError as error:
            raise EngineUnavailable(f"{error} Prompts for engine.url are written in its format.") from error
    return OpenAI(model, config.context.prefix_tokens, config.context.suffix_tokens)


class Remote:
    """A `Backend` on one server. Every failure to get an answer is `EngineUnavailable`."""

    def __init__(self, place: Place, api: Api, engine: EngineConfig) -> None:
        self._place, self._api, self._engine = place, api, engine
        self._gate = Gate()
        self._model = engine.remote_model
        self._http: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()
        self._told = asyncio.Event()  # a request failed: whoever watches should know

    @contextlib.asynccontextmanager
    async def infill(self, request: InfillRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        """The pieces of the answer as they come. Leaving the block hangs up. Raises at once while the gate is shut."""
        self._gate.check()
        if request.n_predict == 0 and not self._api.is_infill:
            yield _nothing()  # it has no way to read ahead
            return
        async with self._answered(_Asked.hole(request, self._api, self._place.path), request) as pieces:
            yield pieces

    @contextlib.asynccontextmanager
    async def write(self, request: PromptRequest | ChatRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        """The same for a prompt as it is, or for a conversation, for which every such server has OpenAI's interface."""
        self._gate.check()
        async with self._answered(_Asked.written(request, self._api, self._place.path), request) as pieces:
            yield pieces

    @contextlib.asynccontextmanager
    async def _answered(self, asked: _Asked, request: Generation) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        times = _Times.of(request, self._engine.timeout_ms)
        with self._failing():
            async with asyncio.timeout_at(times.first):
                response = await self._ask(asked)
        try:
            yield self._pieces(response, asked, times)
        finally:
            await response.aclose()

    async def watch(self) -> AsyncIterator[Health]:
        """How it is: at once, when a request failed, and every half minute. While the server limits how often it is
        asked, `Health.note` says so, and nothing is asked for this either."""
        while True:
            self._told.clear()
            health = await self._look()
            yield health
            is_well = health.phase in ("ready", "idle")
            seconds = self._gate.seconds or (LOOK_SECONDS if is_well else LOADING_LOOK_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._told.wait()

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    # Asking for text

    async def _ask(self, asked: _Asked) -> httpx.Response:
        """The answer, of which only the head was read."""
        model = self._engine.remote_model if self._api.is_infill else await self._known_model()
        response = await self._send("POST", asked.path, asked.body(model))
        if response.status_code != 200:
            if response.status_code == 404:
                self._model = self._engine.remote_model  # it may have another by now
            await self._decline(response)
        return response

    async def _pieces(self, response: httpx.Response, asked: _Asked, times: _Times) -> AsyncIterator[InfillPiece]:
        every = self._read(response, asked)
        pieces = until_stop(every, asked.stops)
        with self._failing():
            async with asyncio.timeout_at(times.first):
                piece = await anext(pieces)
        self._gate.open()
        while not piece.stop_type:
            yield piece
            with self._failing():
                try:
                    async with asyncio.timeout_at(times.next()):
                        piece = await anext(pieces)
                except TimeoutError:
                    piece = _DEADLINE
        yield piece
        with contextlib.suppress(*_troubles()):
            async with asyncio.timeout(DRAIN_SECONDS):
                async for _ in every:
                    pass

    async def _read(self, response: httpx.Response, asked: _Asked) -> AsyncIterator[InfillPiece]:
        """Every piece; one has a `stop_type`, and what comes behind it is of no interest."""
        last: InfillPiece | None = None
        async for data in _data(response):
            piece = InfillPiece("", stop_type="eos") if data == "[DONE]" else read(data, asked.piece)
            if piece is not None:
                last = piece
                yield piece
        if last is None:
            raise ValueError("an answer without an event")
        if not last.stop_type:
            yield InfillPiece("", stop_type="limit")  # it broke off without a word

    # Looking how it is

    async def _look(self) -> Health:
        found = self._gate.shut_by
        if found is None:
            try:
                with self._failing():
                    async with asyncio.timeout(LOOKING_SECONDS):
                        return self._noted(await self._health())
            except EngineUnavailable:
                found = self._gate.shut_by
                if found is None or not found.is_limit:
                    raise
        if not found.is_limit:
            raise EngineUnavailable(found.reason)
        return self._noted(_ready(self._model), found.reason)

    def _noted(self, health: Health, note: str = "") -> Health:
        return replace(health, note=" ".join(filter(None, (note, health.note, self._place.warning))))

    async def _health(self) -> Health:
        """From `/health`; where there is none, a list of models is sign enough."""
        health = await self._said_health()
        if health is None:
            if self._model:
                await self._models()
            health = _ready("")
        if health.phase == "ready" and not health.model:
            health = _ready(await self._known_model())
        return health

    async def _said_health(self) -> Health | None:
        """None where the server has no `/health`: it has not, or forbids it, or a page of something else is there."""
        response = await self._send("GET", f"{self._place.root}/health")
        status, said = response.status_code, json_object(await _whole(response))
        if status == 200 and said is not None:
            return health_of(said, "ready")
        if status == 503 and said and "retry-after" not in response.headers:
            return health_of(said, "load", f"{self._place.origin} loads its model.")
        if status == 429 or (status >= 500 and status not in _MISSING):
            raise Declined(declined(status, response.headers, "", self._place))
        return None

    async def _known_model(self) -> str:
        """The one that was set, or the first that the server lists; "" where it lists none and needs none named."""
        if not self._model:
            names = await self._models()
            if not names and not self._api.is_infill:
                raise Declined(Refusal(f"{self._place.origin} lists no model. Name one in engine.remote_model."))
            self._model = next(iter(names), "")
        return self._model

    async def _models(self) -> list[str]:
        response = await self._send("GET", self._api.models_path(self._place.path))
        if response.status_code in _MISSING:
            await response.aclose()
            return []
        if response.status_code != 200:
            await self._decline(response)
        return model_names(await _whole(response))

    # The connection

    async def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """The answer, of which only the head was read; whoever gets it closes it."""
        async with self._opening:
            if self._http is None:
                self._http = await asyncio.to_thread(self._open)
        # ASCII JSON: whatever is in a buffer travels.
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"content-type": "application/json"}
        request = self._http.build_request(method, self._place.origin + path, content=content, headers=headers)
        return await self._http.send(request, stream=True)

    def _open(self) -> httpx.AsyncClient:
        """A client that honours proxies and certificates of the environment and follows nobody elsewhere. It takes a
        tenth of a second where there are certificates to load. Raises `Declined`."""
        import httpx

        place = self._place
        # To this machine by plain HTTP nothing is verified: so nothing is loaded to verify with, and nothing passes.
        is_plain = place.is_loopback and place.origin.startswith("http:")
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_plain else True
        headers = {"user-agent": f"aigc-lsp/{__version__}", "accept-encoding": "identity"}
        if place.token:
            headers["authorization"] = f"Bearer {place.token}"
        try:
            return httpx.AsyncClient(
                verify=verify,
                headers=headers,
                timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),  # the rest is under deadlines of our own
                limits=httpx.Limits(keepalive_expiry=KEPT_SECONDS),
                mounts={f"all://{place.netloc}": None} if place.is_loopback else None,  # no proxy to this machine
            )
        except (ValueError, OSError, ImportError) as error:
            reason = (
                f"No connection to {place.origin} can be made: look at the proxy and certificate variables of your "
            )
            raise Declined(Refusal(f"{reason}environment (HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE).")) from error

    async def _decline(self, response: httpx.Response) -> NoReturn:
        kind = kind_of(json_object(await _whole(response)))
        raise Declined(declined(response.status_code, response.headers, kind, self._place))

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        """Whatever goes wrong with the server within is `EngineUnavailable`, and shuts the gate."""
        try:
            yield
        except _troubles() as error:
            found = error.refusal if isinstance(error, Declined) else trouble(error, self._place.origin)
            self._gate.shut(found)
            self._told.set()
            raise EngineUnavailable(found.reason) from error


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request as it goes to the server, and how an event of the answer is read."""

    path: str
    body: Callable[[str], dict[str, Any]]
    """For a model's name."""
    piece: Callable[[Mapping[str, Any]], InfillPiece | None]
    stops: tuple[str, ...] = ()

    @classmethod
    def hole(cls, request: InfillRequest, api: Api, base: str) -> _Asked:
        return cls(api.path(base), lambda model: api.body(request, model), api.piece, api.stops)

    @classmethod
    def written(cls, request: PromptRequest | ChatRequest, api: Api, base: str) -> _Asked:
        path = api.models_path(base).removesuffix("/models") + openai.path(request)
        return cls(path, lambda model: openai.body(request, model or None), openai.piece)


@dataclass(frozen=True, slots=True)
class _Times:
    """On the event loop's clock: when the text must have begun, and when it ends as far as it has got. What is no
    completion may take as long as it goes on: `last` is None, and each further piece has `seconds`."""

    first: float
    last: float | None
    seconds: float

    @classmethod
    def of(cls, request: Generation, timeout_ms: int) -> _Times:
        now = asyncio.get_running_loop().time()
        first = now + timeout_ms / 1e3
        most = request.t_max_predict_ms or (timeout_ms if isinstance(request, InfillRequest) else None)
        return cls(first, None if most is None else min(first, now + most / 1e3), timeout_ms / 1e3)

    def next(self) -> float:
        """When the next piece must have come."""
        return asyncio.get_running_loop().time() + self.seconds if self.last is None else self.last


def _troubles() -> tuple[type[Exception], ...]:
    import httpx

    return (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, Declined, *NONSENSE)


def _ready(model: str) -> Health:
    return Health("ready", model, loaded=(model,) if model else ())


async def _nothing() -> AsyncIterator[InfillPiece]:
    yield InfillPiece("", stop_type="limit")


async def _data(response: httpx.Response) -> AsyncIterator[str]:
    """The data of each event; of a server that does not stream, the whole answer as one."""
    if response.headers.get("content-type", "").startswith("application/json"):
        yield (await _whole(response)).decode("utf-8", "replace")
    else:
        async for data in sse.events(_raw(response), MOST_BYTES):
            yield data


async def _whole(response: httpx.Response) -> bytes:
    """The body, and the end of the response. Raises `TooLong`."""
    try:
        return await sse.whole(_raw(response), MOST_BYTES)
    finally:
        await response.aclose()


def _raw(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it comes. It is never unpacked: a little of it could be made to fill the memory."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ValueError("packed, which was not asked for")
    return response.aiter_raw()
