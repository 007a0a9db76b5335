"""Keeps the model server at hand: starts it, follows its loading, notices its death, starts it again.

`ready` is what a request looks at: false means an empty answer at once. Nothing here ever fails an editor's request.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from aigc_lsp.config import Config, options
from aigc_lsp.errors import AigcError, EngineUnavailable, ModelUnavailable
from aigc_lsp.server.failure import described
from aigc_lsp.service.client import EngineClient
from aigc_lsp.service.wire import Health

log = logging.getLogger(__name__)

WATCH_SECONDS = 5.0
BACKOFF_SECONDS = (0.2, 1.0, 3.0, 10.0, 30.0)
RETRY_MODEL_SECONDS = 30.0
LOOK_SECONDS = 0.2
RESTING_SECONDS = 60.0
"""Without a request for so long, a model server that is gone (idle, most likely) is left alone until the next one."""

Report = Callable[[Health | None], Awaitable[None]]
"""Told of every step of loading; None when the model server is gone."""


class Keeper:
    def __init__(self, report: Report, tell: Callable[[str], None]) -> None:
        self._report = report
        self._tell = tell
        self._kick = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._config = Config()
        self._overrides: Mapping[str, str] = {}
        self._is_new = True  # the model has not been asked for yet
        self._asked_at = 0.0
        self._is_asleep = False
        self.client: EngineClient | None = None
        self.ready = False

    def start(self, config: Config, origins: Mapping[str, str]) -> None:
        """Begin, or go on under other settings."""
        self._is_new = self._is_new or self._config.model != config.model
        self._config, self._overrides = config, overrides(config, origins)
        self._asked_at = time.monotonic()
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        self._kick.set()

    def asked(self) -> None:
        """The editor asks for something: reason enough to have a model server back that left when it was idle."""
        self._asked_at = time.monotonic()
        if self._is_asleep:
            self._kick.set()

    def lost(self) -> None:
        """A request found the model server gone."""
        self.ready = False
        self._kick.set()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self.client is not None:
            await self.client.close()

    async def _run(self) -> None:
        failures = 0
        while True:
            self._kick.clear()
            try:
                if await self._may_rest():
                    await self._sleep()
                is_up = await self._follow()
                failures = 0
                await self._wait(WATCH_SECONDS if is_up else RETRY_MODEL_SECONDS)
            except Exception as error:  # whatever it is, the keeping goes on
                self.ready = False
                await self._report(None)
                sentence = _sentence(error)
                log.warning("%s", sentence)
                if failures == 1:  # the first failure mends itself, most of the time
                    self._tell(sentence)
                await self._wait(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)])
                failures += 1

    async def _follow(self) -> bool:
        """See the model server through to ready, starting it where it is missing; false where it has no model."""
        # Imported here: half of this package's import time, and not needed to answer initialize.
        life = await asyncio.to_thread(_life)
        if self.client is None:
            self.client = life.connect()
        await life.attach(self.client, self._overrides, self._config.engine.start)
        # Another window may want another model: ours is asked for when we begin and when our settings change, not
        # whenever it is not there, or two windows would take the model from each other for ever.
        wanted, self._is_new = (self._config.model if self._is_new else None), False
        was_ready = self.ready
        try:
            async for health in life.follow(self.client, wanted, LOOK_SECONDS):
                self.ready = life.is_ready(health, wanted)
                if not (self.ready and was_ready):
                    await self._report(health)
        except ModelUnavailable as error:
            self.ready, self._is_new = False, True
            await self._report(None)
            self._tell(str(error))
        return self.ready

    async def _may_rest(self) -> bool:
        """Whether nobody has asked for a while and the model server is gone, as it is meant to be then."""
        if self.client is None or time.monotonic() - self._asked_at < RESTING_SECONDS:
            return False
        try:
            await self.client.health()
        except EngineUnavailable:
            return True
        return False

    async def _sleep(self) -> None:
        """Until the editor asks again, or the settings change."""
        self.ready, self._is_asleep = False, True
        await self._report(None)
        await self._kick.wait()
        self._kick.clear()
        self._is_asleep = False

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._kick.wait(), seconds)
            self._kick.clear()
        except TimeoutError:
            pass


def _sentence(error: Exception) -> str:
    if isinstance(error, AigcError):
        return str(error)
    if not isinstance(error, OSError):
        log.error("the model server could not be followed: %s", described(error))
    reason = str(error) if isinstance(error, OSError) else type(error).__name__
    return f"The model server cannot be started or reached ({reason}). `aigc-lsp status` says more."


def overrides(config: Config, origins: Mapping[str, str]) -> dict[str, str]:
    """The settings that concern the model server and that its own files do not hold, as environment variables."""
    from operator import attrgetter

    chosen = {}
    for option in options():
        concerned = option.key in ("model", "download") or option.key.startswith(("engine.", "context."))
        if concerned and origins.get(option.key, "default") != "default":
            value = attrgetter(option.key)(config)
            chosen[option.variable] = str(value).lower() if isinstance(value, bool) else str(value)
    return chosen


def _life():  # type: ignore[no-untyped-def]
    import httpx  # noqa: F401  (a fifth of a second, off the loop)

    from aigc_lsp.service import life

    return life
