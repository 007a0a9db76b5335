"""Many windows at once, model servers that are stopped, killed or lose their folder: in the end there is one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import processes
import pytest
from filelock import FileLock
from processes import Started, health, settled, start
from tiny_server import wait_until

from aigc_lsp.errors import EngineHung, EngineUnavailable
from aigc_lsp.service import life, place
from aigc_lsp.service.client import EngineClient
from aigc_lsp.service.wire import HUNG_SECONDS, Health

pytestmark = pytest.mark.process

home = pytest.fixture(processes.home)
started = pytest.fixture(processes.started)

FIVE_WINDOWS = """
import asyncio, sys
from aigc_lsp.service import life

spawn, life.TURN_SECONDS = life.spawn, 60

def counted(overrides):
    with open(sys.argv[1], "a") as file:
        file.write("one\\n")
    return spawn(overrides)

async def window():
    client = life.connect()
    try:
        return (await life.attach(client, {})).pid
    finally:
        await client.close()

async def five():
    return await asyncio.gather(*(window() for _ in range(5)))

life.spawn = counted
print(*set(asyncio.run(five())))
"""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tenths of a second without an answer, and it is hung."""
    answering = EngineClient.health
    monkeypatch.setattr(EngineClient, "health", lambda self, timeout=0.2: answering(self, timeout=0.2))
    monkeypatch.setattr(life, "HUNG_SECONDS", 0.5)


def test_twenty_windows_at_once_start_one_model_server(home: Path) -> None:
    command = [sys.executable, "-c", FIVE_WINDOWS, str(home / "spawns")]
    windows = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    pids = {window.communicate(timeout=60)[0].decode().strip() for window in windows}
    assert [window.returncode for window in windows] == [0] * 4
    assert pids == {str(settled().pid)}
    assert (home / "spawns").read_text() == "one\n"


async def test_a_window_that_was_stopped_while_it_starts_one_keeps_no_other_waiting(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "TURN_SECONDS", 0.3)
    client = life.connect()
    with FileLock(place.runtime_dir() / "start.lock"):
        assert (await life.attach(client, {})).pid
    assert await life.stop(client)
    await client.close()


def test_whoever_comes_second_leaves_before_it_has_loaded_anything(home: Path) -> None:
    script = (
        "import sys\nfrom aigc_lsp.config import Config\nfrom aigc_lsp.modelserver.run import run_engine\n"
        "print(run_engine(Config()), *{'torch', 'numpy', 'uvicorn', 'starlette', 'httpx'} & set(sys.modules))\n"
    )
    with FileLock(place.lock_path()):
        said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"


def test_it_can_be_asked_before_it_has_loaded_torch() -> None:
    script = "import aigc_lsp.modelserver.serving, sys\nprint(*{'torch', 'transformers'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == "\n"


async def test_one_that_hangs_is_recognised_and_killed(home: Path, started: Started, impatient: None) -> None:
    process = start(started)
    pid = (await asyncio.to_thread(settled)).pid
    client = life.connect()
    process.send_signal(signal.SIGSTOP)
    with pytest.raises(EngineHung):
        await life.attach(client, {})
    assert await life.kill(client)
    assert process.wait(20) == -signal.SIGKILL
    found = await life.attach(client, {})
    assert found.pid != pid
    assert await life.stop(client)
    await client.close()


async def test_one_that_is_well_again_is_not_killed(home: Path, started: Started) -> None:
    client = life.connect()
    assert not await life.kill(client)  # there is none
    process = start(started)
    await asyncio.to_thread(settled)
    assert not await life.kill(client)
    assert process.poll() is None
    assert (await client.health()).pid == process.pid
    await client.close()


async def test_one_whose_engine_stalls_is_killed_though_it_answers(
    home: Path, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start(started)
    await asyncio.to_thread(settled)
    monkeypatch.setattr(life, "HUNG_SECONDS", -1.0)
    client = life.connect()
    assert await life.kill(client)
    assert process.wait(20) == -signal.SIGKILL
    await client.close()


async def test_only_the_model_server_itself_is_killed(home: Path, started: Started, impatient: None) -> None:
    """Somebody answers nothing on the socket, but nobody holds the lock."""
    path = place.socket_path()
    assert path is not None
    silent = await asyncio.start_unix_server(lambda reader, writer: asyncio.sleep(60), path)
    client = life.connect()
    assert not await life.kill(client)
    silent.close()
    await client.close()


def test_without_its_folder_it_leaves_and_takes_nothing_of_its_successor(home: Path, started: Started) -> None:
    first = start(started)
    settled()
    shutil.rmtree(home / "run")
    second = start(started)
    assert first.wait(20) == 0
    assert settled().pid == second.pid
    assert "removed or replaced" in place.log_path().read_text()
    assert place.is_running()


def test_without_its_socket_it_leaves_and_makes_way(home: Path, started: Started) -> None:
    first = start(started)
    settled()
    (home / "run" / "engine.sock").unlink()
    assert first.wait(20) == 0
    assert health() is None
    assert not place.is_running()


async def test_why_it_crashed_is_in_the_log(home: Path) -> None:
    client = life.connect()
    crashed = await life.attach(client, {})
    os.kill(crashed.pid, signal.SIGSEGV)
    await asyncio.to_thread(wait_until, lambda: not place.is_running())
    assert "Segmentation fault" in place.errors_path().read_text()
    with pytest.raises(EngineUnavailable):
        await client.health()
    second = await life.attach(client, {})
    assert second.pid != crashed.pid
    said = place.log_path().read_text()
    assert "on stderr until now" in said
    assert "Segmentation fault" in said
    assert place.errors_path().read_text() == ""  # or it would be told at each start
    assert await life.stop(client)
    await client.close()


async def test_a_killed_one_is_known_at_once(home: Path, started: Started) -> None:
    process = start(started)
    await asyncio.to_thread(settled)
    client = life.connect()
    async with contextlib.aclosing(client.watch()) as events:
        assert (await anext(events)).pid == process.pid
        process.kill()
        ended = await asyncio.wait_for(_end_of(events), HUNG_SECONDS / 2)
    assert not isinstance(ended, EngineHung)
    await client.close()


async def _end_of(events: AsyncIterator[Health]) -> EngineUnavailable:
    try:
        while True:
            await anext(events)
    except EngineUnavailable as error:
        return error
