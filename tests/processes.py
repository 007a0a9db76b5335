"""Model servers as processes, in a home of their own. They have no model and may fetch none, so they come up at once
and say what is missing.

A test module takes what it needs: `home = pytest.fixture(processes.home)`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_server import wait_until

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.service import life
from aigc_lsp.service.wire import Health
from aigc_lsp.weights.store import default_root

COMMAND = [sys.executable, "-m", "aigc_lsp", "engine"]
Started = list[subprocess.Popen[bytes]]


def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own, and no model server left in it."""
    folder = Path(tempfile.mkdtemp(prefix="aigc-", dir="/tmp"))
    (folder / "models").mkdir()
    # Nothing is imported from where the user happens to keep his files.
    (folder / "queue.py").write_text("raise SystemExit('the home folder is on the path')")
    for name in [name for name in os.environ if name.startswith("AIGC_LSP_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "HOME": folder,
        "XDG_STATE_HOME": folder / "state",
        "XDG_CONFIG_HOME": folder / "config",
        "AIGC_LSP_RUNTIME_DIR": folder / "run",
        "AIGC_LSP_MODELS_DIR": folder / "models",
        "AIGC_LSP_DOWNLOAD": "false",
    }.items():
        monkeypatch.setenv(name, str(value))
    yield folder
    if pid := life.holder():
        os.kill(pid, signal.SIGCONT)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not life.is_running())
    shutil.rmtree(folder)


def home_with_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own, but for the models that are on this machine."""
    models = default_root()
    homes = home(monkeypatch)
    folder = next(homes)
    monkeypatch.setenv("AIGC_LSP_MODELS_DIR", str(models))
    yield folder
    assert next(homes, None) is None


def started() -> Iterator[Started]:
    """For `start`: these processes are gone in the end."""
    processes: Started = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start(started: Started, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | variables,
    )
    started.append(process)
    return process


def health() -> Health | None:
    async def ask() -> Health:
        client = life.connect()
        try:
            return await client.health()
        finally:
            await client.close()

    try:
        return asyncio.run(ask())
    except EngineUnavailable:
        return None


def settled() -> Health:
    """The health of the model server once it has found that it has no model."""

    def is_settled() -> bool:
        found = health()
        return found is not None and found.phase == "error"

    wait_until(is_settled, "no model server came up")
    found = health()
    assert found is not None
    return found
