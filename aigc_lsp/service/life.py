"""Start, find, replace and stop the model server from outside.

It is started as a process of its own: own session, no inherited descriptors, its stderr in a file beside its log, so
that it survives the editor. Which of several is the model server is settled by its lock (see `run`), not here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from aigc_lsp import __version__
from aigc_lsp.config import options
from aigc_lsp.errors import AigcError, EngineHung, EngineUnavailable, ModelUnavailable, UsageError
from aigc_lsp.service import peer
from aigc_lsp.service.backend import ask_for
from aigc_lsp.service.client import EngineClient
from aigc_lsp.service.place import errors_path, is_running, log_path, read_record, runtime_dir, socket_path
from aigc_lsp.service.wire import HUNG_SECONDS, Health

if TYPE_CHECKING:
    from filelock import BaseFileLock

log = logging.getLogger(__name__)

BIND_SECONDS = 20.0
"""A model server that has not bound its address by then did not start."""

TURN_SECONDS = 5.0
"""After so long, nobody waits any more for another who said that he would start it."""

LOOK_SECONDS = 0.05


def connect() -> EngineClient:
    return EngineClient()


# Start


def spawn(overrides: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A new model server; `overrides` are environment variables `AIGC_LSP_…` with the caller's settings."""
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":  # never run there
        apart = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    try:
        with _errors_file() as errors:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "aigc_lsp", "engine"],  # -P: nothing is imported from the home folder
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd=Path.home() if Path.home().is_dir() else os.path.abspath(os.sep),
                env={**os.environ, **overrides},
                **apart,
            )
    except OSError as error:
        raise EngineUnavailable(f"The model server cannot be started ({error.strerror or error}).") from error


def _errors_file() -> IO[bytes]:
    try:
        return open(errors_path(), "ab")
    except OSError:  # a full disk, for one: no reason not to start
        return open(os.devnull, "ab")


async def attach(client: EngineClient, overrides: Mapping[str, str], start: bool = True) -> Health:
    """The health of the running model server, started first where there is none and `start` allows it.

    Raises `EngineHung` where one is there that has not answered for `HUNG_SECONDS`, else `EngineUnavailable` with the
    reason why there is none.
    """
    began = time.monotonic()
    with _Starter(overrides) as starter:
        while True:
            waited = time.monotonic() - began
            try:
                return await client.health()
            except EngineHung:  # or slow, on a machine that has much to do
                if waited > HUNG_SECONDS:
                    raise
            except EngineUnavailable:
                if not start:
                    raise
                if waited > BIND_SECONDS:
                    raise EngineUnavailable(_why_not_started()) from None
                await starter.see_to_it(waited)
            await asyncio.sleep(LOOK_SECONDS)


class _Starter:
    """Starts the model server for one caller. Of several callers at once only one does, so that twenty windows that
    are restored together do not start twenty processes, nineteen of which leave again."""

    def __init__(self, overrides: Mapping[str, str]) -> None:
        self._overrides = overrides
        self._turn: BaseFileLock | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _Starter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        if self._turn is not None:
            self._turn.release(force=True)

    async def see_to_it(self, waited: float) -> None:
        """Start one, unless one is on its way. Raises `EngineUnavailable` where the one that we started failed."""
        code = None
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
        if code:
            raise EngineUnavailable(_why_not_started(code))
        # After code 0 it made way for another, which may itself have been about to leave.
        if (self._is_our_turn() or waited > TURN_SECONDS) and not is_running():
            self._process = await asyncio.to_thread(spawn, self._overrides)

    def _is_our_turn(self) -> bool:
        from filelock import FileLock, Timeout

        self._turn = self._turn or FileLock(runtime_dir() / "start.lock")
        try:
            self._turn.acquire(timeout=0)
        except (Timeout, OSError):
            return False
        return True


def _why_not_started(code: int | None = None) -> str:
    """With the sentence that one left for us which ended with the exit `code` of an `AigcError`."""
    said = None
    if code in (AigcError.exit_code, UsageError.exit_code):
        with contextlib.suppress(OSError):
            *_, last = errors_path().read_text(encoding="utf-8", errors="replace").splitlines() or [""]
            said = re.fullmatch(r"aigc-lsp: (.+)", last)
    if said:
        return f"The model server did not start: {said[1]}"
    return f"The model server did not start. Its log says why: {log_path()}"


# Replace


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model server is to be replaced by one of ours; `sentence` says what the user has to put up with."""

    is_replaced: bool
    sentence: str = ""


def verdict(health: Health, overrides: Mapping[str, str], network: str = "") -> Verdict:
    """What to do about a running model server, given what it says of itself.

    An older program's is replaced when it is idle. One under other settings than `overrides` is, too, where nobody
    listens to it; the caller does not yet. One that serves the `network` is left to whoever started it there.
    """
    differing = differing_settings(health.settings, _values(overrides))
    is_idle = not health.running and not health.waiting and health.phase in ("ready", "idle", "error")
    if network:
        return Verdict(False, _put_up_with(differing, f"it was started by hand for {network}"))
    if is_older(health.version):
        return Verdict(is_idle)
    if differing and is_idle and not health.clients:
        return Verdict(True)
    return Verdict(False, _put_up_with(differing, "other windows use it") if health.clients else "")


def is_older(version: str) -> bool:
    """Whether `version` is of an older program than this one; one that does not say is not."""
    theirs, ours = _release(version), _release(__version__)
    return bool(theirs) and theirs < ours


def _release(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def differing_settings(settings: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """By dotted key, what a running model server has and what it should have, of the options that both know."""
    return {key: (settings[key], value) for key, value in wanted.items() if key in settings and settings[key] != value}


def _values(overrides: Mapping[str, str]) -> dict[str, Any]:
    """The options that environment variables set, by dotted key; without those that are not allowed."""
    given = {
        option.key: option.check(option.parse(overrides[option.variable]))
        for option in options()
        if option.variable in overrides
    }
    return {key: value for key, value in given.items() if value is not None}


def _put_up_with(differing: Mapping[str, tuple[Any, Any]], reason: str) -> str:
    if not differing:
        return ""
    said = ", ".join(
        f"{key} = {json.dumps(has)} instead of {json.dumps(wanted)}" for key, (has, wanted) in differing.items()
    )
    return f"The model server runs with {said}, since {reason}. `aigc-lsp stop` makes way for your settings."


async def renew(client: EngineClient, health: Health, overrides: Mapping[str, str]) -> tuple[Health, str]:
    """The health of a model server that fits this program and `overrides`, which replaces the one of `health` where
    that is due (see `verdict`); and the sentence about one that is put up with, or ""."""
    record = read_record()
    network = record.network if record is not None and record.pid == health.pid else ""
    found = verdict(health, overrides, network)
    if not found.is_replaced:
        return health, found.sentence
    log.info("the model server %d, version %s, is replaced", health.pid, health.version)
    await _end(health.pid)
    return await attach(client, overrides), ""


# Stop


async def stop(client: EngineClient, patience: float = 5.0) -> bool:
    """Stop the running model server, by force after `patience` seconds; false where none runs."""
    try:
        pid = (await client.health()).pid
    except EngineUnavailable:
        pid = await asyncio.to_thread(holder)
    if not pid:
        return False
    await _end(pid, patience)
    return True


async def kill(client: EngineClient) -> bool:
    """Kill the model server that gave no sign of life; false where it is gone, or has come back to life."""
    try:
        if (await client.health()).stalled_s <= HUNG_SECONDS:
            return False
    except EngineHung:
        pass
    except EngineUnavailable:
        return False
    pid = await asyncio.to_thread(holder)
    if not pid:
        return False
    log.warning("the model server %d gives no sign of life: killed", pid)
    await _end(pid, by_force=True)
    return True


async def _end(pid: int, patience: float = 5.0, by_force: bool = False) -> None:
    """End the model server that is the process `pid`. Raises `EngineUnavailable` where it does not go."""
    force = getattr(signal, "SIGKILL", signal.SIGTERM)  # on Windows SIGTERM is just that
    for sign in (force,) if by_force else (signal.SIGTERM, force):
        if await _is_gone(pid):  # another window was quicker, and the number may be a stranger's by now
            return
        deadline = time.monotonic() + patience
        with contextlib.suppress(OSError):  # it has just gone; on Windows that has no name of its own
            os.kill(pid, sign)
        while time.monotonic() < deadline:
            if await _is_gone(pid):
                return
            await asyncio.sleep(LOOK_SECONDS)
    raise EngineUnavailable(f"The model server (process {pid}) does not stop.")


async def _is_gone(pid: int) -> bool:
    return not is_running() or await asyncio.to_thread(holder) not in (0, pid)


def holder() -> int:
    """The process that is the model server, even where it answers nothing; 0 where there is none, or none is known."""
    if not is_running():
        return 0
    path = socket_path()
    if path is None:
        record = read_record()
        return record.pid if record is not None else 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
            found = peer.peer_of(probe)
        except OSError:
            return 0
    return found.pid if found is not None else 0


# Follow


async def follow(client: EngineClient, model: str | None, interval: float = 0.1) -> AsyncIterator[Health]:
    """The model server's health until `model` (or whichever, for None) is ready, the ready one last.

    Where it is not in memory or an earlier try failed, it is asked for `model` once. `ModelUnavailable`, with the
    model server's own sentence, where that cannot be had.
    """
    asked: asyncio.Task[str] | None = None
    try:
        while True:
            refusal = asked.result() if asked is not None and asked.done() else None
            health = await client.health()
            is_settled = health.phase in ("ready", "idle", "error")
            if is_settled and refusal is not None and not is_ready(health, model):
                raise ModelUnavailable(refusal or health.message or "The model server could not keep the model.")
            yield health
            if is_ready(health, model):
                return
            if is_settled and asked is None:
                asked = asyncio.create_task(ask_for(client, model))
            await asyncio.sleep(interval)
    finally:
        if asked is not None:
            asked.cancel()


def is_ready(health: Health, model: str | None) -> bool:
    """Whether `model` (None: any) is in memory; a model server that does not name its model has the one it has."""
    return health.phase_of(model) == "ready"
