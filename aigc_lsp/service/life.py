"""Start, find and stop the model server from outside.

It is started as a process of its own: own session, no inherited descriptors, its output in its log, so that it survives
the editor. Whether another one is quicker is settled by its lock (see `run`), not here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from aigc_lsp.errors import EngineUnavailable, ModelUnavailable
from aigc_lsp.service.client import EngineClient
from aigc_lsp.service.place import lock_path, log_path, socket_path
from aigc_lsp.service.wire import Health, InfillRequest

BIND_SECONDS = 20.0
"""A model server that has not bound its socket by then did not start."""


def connect() -> EngineClient:
    return EngineClient(socket_path())


def spawn(overrides: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A new model server; `overrides` are environment variables `AIGC_LSP_…` with the caller's settings."""
    with open(log_path(), "ab") as output:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "aigc_lsp", "engine"],  # -P: nothing is imported from the home folder
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=Path.home() if Path.home().is_dir() else "/",
            env={**os.environ, **overrides},
        )


async def attach(client: EngineClient, overrides: Mapping[str, str], start: bool = True) -> Health:
    """The health of the running model server, started first where there is none and `start` allows it."""
    try:
        return await client.health()
    except EngineUnavailable:
        if not start:
            raise
    process = await asyncio.to_thread(spawn, overrides)
    deadline = time.monotonic() + BIND_SECONDS
    while time.monotonic() < deadline:
        try:
            return await client.health()
        except EngineUnavailable:
            code = process.poll()
            if code not in (None, 0):
                break
            if code == 0 and not is_running():  # it made way for one that was about to leave
                process = await asyncio.to_thread(spawn, overrides)
            await asyncio.sleep(0.05)
    raise EngineUnavailable(f"The model server did not start. Its log says why: {log_path()}")


async def follow(client: EngineClient, model: str | None, interval: float = 0.1) -> AsyncIterator[Health]:
    """The model server's health until `model` (or whichever, for None) is ready, the ready one last.

    Where another model is loaded or an earlier try failed, it is asked for `model` once. `ModelUnavailable`, with the
    model server's own sentence, where that cannot be had.
    """
    asked: asyncio.Task[str] | None = None
    try:
        while True:
            health = await client.health()
            is_settled = health.ready or health.phase == "error"
            if is_settled and asked is not None and asked.done() and not (health.ready and not asked.result()):
                raise ModelUnavailable(asked.result() or health.message)
            yield health
            if is_ready(health, model):
                return
            if is_settled and asked is None:
                asked = asyncio.create_task(_ask_for(client, model))
            await asyncio.sleep(interval)
    finally:
        if asked is not None:
            asked.cancel()


def is_ready(health: Health, model: str | None) -> bool:
    """Whether `model` (None: any) can be asked; a model server that does not name its model has the one it has."""
    return health.ready and (model is None or health.model in ("", model))


async def _ask_for(client: EngineClient, model: str | None) -> str:
    """Have the model server bring `model` up; why it cannot, or ""."""
    try:
        async with client.infill(InfillRequest("", n_predict=0, model=model)) as pieces:
            async for _ in pieces:
                pass
    except EngineUnavailable as error:
        return str(error)
    return ""


async def stop(client: EngineClient, patience: float = 5.0) -> bool:
    """Stop the running model server; false where none runs. Its lock says when it is gone."""
    try:
        pid = (await client.health()).pid
    except EngineUnavailable:
        pid = _listening_pid() if is_running() else 0
    if not pid:
        return False
    for sign in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        deadline = time.monotonic() + patience
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        while time.monotonic() < deadline:
            if not is_running():
                return True
            await asyncio.sleep(0.05)
    raise EngineUnavailable(f"The model server (process {pid}) does not stop.")


def is_running() -> bool:
    """Whether a model server lives, answering or not: whether somebody holds its lock."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(lock_path()).acquire(timeout=0):
            return False
    except Timeout:
        return True


def _listening_pid() -> int:
    """The process that listens on the socket, as the kernel knows it, even where it answers nothing; 0 if unknown."""
    if not hasattr(socket, "SO_PEERCRED"):
        return 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(socket_path()))
            credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except OSError:
            return 0
    pid: int = struct.unpack("3i", credentials)[0]
    return pid
