"""Keeps a backend at hand: the model server on this machine, started where it is missing, or a server elsewhere.

Contract
    `at_hand` is what a request looks at; None means an empty answer at once. It follows what the backend says of
    itself, which is listened to without pause: a death is known when it happens, a hang after `HUNG_SECONDS`, and what
    is under way then is ended. What follows is `patience`'s to say. A server elsewhere is neither started nor killed.
    Nothing here fails an editor's request, and nothing blocks the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, cast

from aigc_lsp.config import Config, options
from aigc_lsp.errors import AigcError, EngineHung, EngineUnavailable
from aigc_lsp.server.failure import described
from aigc_lsp.server.patience import PAUSES, Patience, State
from aigc_lsp.server.wish import Wish

if TYPE_CHECKING:
    from aigc_lsp.service.backend import Backend
    from aigc_lsp.service.client import EngineClient
    from aigc_lsp.service.wire import Health, Phase

log = logging.getLogger(__name__)

TOLD_AT = 3
"""Of a model server that we may not start, the user is told after so many looks in vain: most often it mends itself."""

OPEN: tuple[Phase, ...] = ("ready", "idle")
"""A model in these may be asked. What was asked may wait while it is loaded, but not while it is fetched."""

_FELL = "The model server ended unexpectedly, and is started again."
_HUNG = "The model server gives no sign of life: it is ended and started again."


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand: the phase of our model where the backend says it, what `patience` says where it is gone, or
    `looking`. `message` is a sentence, or empty."""

    phase: Phase | State | Literal["looking"]
    message: str = ""
    health: Health | None = None


class Keeper:
    """`show` hears of every change, `tell` is to tell the user a sentence, `drop` is to end what is under way."""

    def __init__(self, show: Callable[[Standing], None], tell: Callable[[str], None], drop: Callable[[], None]) -> None:
        self._show = show
        self._tell = tell
        self._drop = drop
        self._config = Config()
        self._overrides: Mapping[str, str] = {}
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()  # other settings
        self._kick = asyncio.Event()
        self._patience = Patience(starts=False)
        self._wish: Wish | None = None
        self._is_up = False
        self.at_hand: Backend | None = None
        self.standing = Standing("looking")

    def start(self, config: Config, origins: Mapping[str, str]) -> None:
        """Begin, or go on under these settings; in any case a reason to try again what was given up."""
        before, self._config, self._overrides = self._config, config, overrides(config, origins)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        elif _concern(before) != _concern(config):
            self._changed.set()
        self._patience.begin_anew()
        self._kick.set()

    def asked(self, *, manual: bool) -> None:
        """The editor asks for something, or the user by hand: perhaps a reason to have the model server back."""
        if self._patience.asked(manual=manual):
            self._kick.set()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    # One backend for each set of settings

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            keeping = asyncio.create_task(self._keep(self._config))
            try:
                await self._changed.wait()
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)

    async def _keep(self, config: Config) -> None:
        self._patience = Patience(starts=config.engine.start and not config.engine.url)
        self._change(Standing("looking"))
        backend = await self._connected(config)
        try:
            while True:
                try:
                    await self._attend(backend, config)
                    self._change(Standing("resting"))
                    pause = PAUSES[-1]
                except Exception as error:  # whatever it is, the keeping goes on
                    pause = self._fell(error, config)
                await self._wait(pause)
        finally:
            await backend.close()

    async def _connected(self, config: Config) -> Backend:
        """The backend that `config` means. Where it means none that can be, other settings are waited for."""
        while True:
            try:
                return await asyncio.to_thread(_connect, config)
            except Exception as error:
                sentence = _sentence(error)
                self._tell(sentence)
                self._change(Standing("error", sentence))
                await self._wait(PAUSES[-1])

    async def _attend(self, backend: Backend, config: Config) -> None:
        """Follow the backend until it leaves by itself; raises what ended it otherwise. The model server on this
        machine is started, replaced or killed where that is due."""
        client = None if config.engine.url else cast("EngineClient", backend)
        try:
            if client is not None:
                await self._find(client)
                self._wish = Wish(client, config.model)
            async for health in backend.watch():
                self._take(backend, health)
        except EngineHung as error:
            self._withdraw()
            self._change(Standing("away", _HUNG if config.engine.start else str(error)))
            if client is not None and config.engine.start:
                await _life().kill(client)
            raise
        finally:
            self._withdraw()
        if not self._patience.left():
            raise EngineUnavailable("The model server has ended.")

    async def _find(self, client: EngineClient) -> None:
        may_start = self._patience.may_start
        health = await _life().attach(client, self._overrides, may_start)
        if may_start:
            _, sentence = await _life().renew(client, health, self._overrides)
            if sentence:
                self._tell(sentence)

    def _take(self, backend: Backend, health: Health) -> None:
        """What the backend says of itself. Only of a model server that others share do we wish something."""
        wish = self._wish
        phase = health.phase_of(wish.model if wish is not None else None)
        refusal = wish.consider(phase) if wish is not None else ""
        self._is_up = True
        self._patience.serves(is_settled=phase in (*OPEN, "error"))
        self.at_hand = backend if phase in OPEN and not refusal else None
        if phase not in (*OPEN, "load"):
            self._drop()
        if refusal:
            self._tell(refusal)
            self._change(Standing("error", refusal, health))
        elif phase == "error" and wish is None:
            self._change(Standing("away", health.message, health))  # it will be well again without us
        else:
            self._change(Standing(phase, health.message, health))

    def _withdraw(self) -> None:
        """There is no backend (any more): end what is under way."""
        self.at_hand = None
        if self._wish is not None:
            self._wish.close()
            self._wish = None
        self._drop()

    def _fell(self, error: Exception, config: Config) -> float:
        """Say what follows when the backend is gone; the pause in seconds."""
        was_up, self._is_up = self._is_up, False
        state, pause = self._patience.fell()
        sentence = _sentence(error)
        if state == "resting":
            self._change(Standing(state))
        elif state == "away":
            log.warning("%s", sentence)
            if self._patience.may_start:
                sentence = _FELL if was_up else sentence
            elif self._patience.falls == TOLD_AT and not config.engine.url:
                self._tell(sentence)
            self._change(Standing(state, sentence))
        elif self.standing.phase != state:
            sentence = _given_up(self._patience.falls, "" if was_up else sentence)
            log.error("%s", sentence)
            self._tell(sentence)
            self._change(Standing(state, sentence))
        return pause

    def _change(self, standing: Standing) -> None:
        self.standing = standing
        self._show(standing)

    async def _wait(self, seconds: float) -> None:
        """So long, or until there is a reason to look at once."""
        self._kick.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # `wait_for` may swallow a cancellation (Python 3.11)
                await self._kick.wait()


def _concern(config: Config) -> Any:
    """Of the settings, those that another backend, or another look at it, follows from."""
    return config.model, config.download, config.engine, config.context if config.engine.url else None


def overrides(config: Config, origins: Mapping[str, str]) -> dict[str, str]:
    """The settings that concern the model server and that its own files do not hold, as environment variables."""
    chosen = {}
    for option in options():
        is_budget = option.key.startswith("context.") and option.type == "int"
        concerned = option.key in ("model", "download") or option.key.startswith("engine.") or is_budget
        if concerned and origins.get(option.key, "default") != "default":
            value = attrgetter(option.key)(config)
            chosen[option.variable] = str(value).lower() if isinstance(value, bool) else str(value)
    return chosen


def _sentence(error: Exception) -> str:
    if isinstance(error, AigcError):
        return str(error)
    if not isinstance(error, OSError):
        log.error("the model server could not be followed: %s", described(error))
    reason = str(error) if isinstance(error, OSError) else type(error).__name__
    return f"The model server cannot be started or reached ({reason}). `aigc-lsp status` says more."


def _given_up(falls: int, reason: str) -> str:
    """`reason`: why it could not be started; empty where it was there."""
    from aigc_lsp.service.place import log_path

    reason = reason or f"The model server ended {falls} times in a row, so it is left alone for now."
    log_file = str(log_path())
    where = "" if log_file in reason else f" Its log is {log_file}."
    return f"{reason}{where} `aigc-lsp doctor` looks for the cause."


def _connect(config: Config) -> Backend:
    """Runs in a thread: what it imports takes a while, and is not needed to answer initialize."""
    if config.engine.url:
        import httpx  # noqa: F401

        from aigc_lsp.service import remote

        return remote.connect(config)
    return _life().connect()


def _life() -> Any:
    from aigc_lsp.service import life

    return life
