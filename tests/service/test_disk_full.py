"""A disk that is full: whoever can do without it does; whoever cannot says so in a sentence."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import processes
import pytest
from processes import Started, settled, start
from tiny_server import HANG

from aigc_lsp.errors import AigcError, EngineUnavailable
from aigc_lsp.service import life, place

home = pytest.fixture(processes.home)
started = pytest.fixture(processes.started)

pytestmark = [pytest.mark.process, pytest.mark.skipif(sys.platform != "linux", reason="limits and mounts of Linux")]


@pytest.fixture
def full(home: Path) -> Iterator[Path]:
    """A file system of its own without room for a byte or a file."""
    folder = home / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=2", "full", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("file systems may not be mounted here")
    try:
        (folder / "file").write_bytes(b"x" * 4096)
        with pytest.raises(OSError, match="No space left"):
            (folder / "another").touch()
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def start_without_writing(started: Started) -> subprocess.Popen[bytes]:
    """One that may write to no file: not a byte."""
    script = "import resource, runpy\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    script += "runpy.run_module('aigc_lsp', run_name='__main__')\n"
    command = [sys.executable, "-B", "-c", script, "engine"]
    started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    return started[-1]


def test_without_a_byte_for_its_log_it_serves(home: Path, started: Started) -> None:
    process = start_without_writing(started)
    assert settled().pid == process.pid
    assert place.log_path().read_bytes() == b""
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=HANG) == (b"", b"")
    assert process.returncode == 0


def test_without_a_byte_for_its_port_it_says_so(home: Path, started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIGC_LSP_RUNTIME_DIR", str(home / ("x" * 100)))
    output, errors = start_without_writing(started).communicate(timeout=HANG)
    assert started[0].returncode == 1
    assert output == b""
    assert errors.startswith(b"aigc-lsp: ")
    assert b"engine.json cannot be used (File too large)" in errors
    assert errors.count(b"\n") == 1
    assert not place.record_path().exists()


async def test_without_room_for_its_log_it_is_started(home: Path, full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(full))
    client = life.connect()
    found = await life.attach(client, {})
    assert os.readlink(f"/proc/{found.pid}/fd/2") == os.devnull
    assert await life.stop(client)
    await client.close()


async def test_without_room_for_its_lock_the_reason_is_said(
    home: Path, full: Path, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIGC_LSP_RUNTIME_DIR", str(full))
    output, errors = await asyncio.to_thread(start(started).communicate, timeout=HANG)
    assert (started[0].returncode, output) == (1, b"")
    assert b"engine.lock cannot be used (No space left on device)" in errors
    client = life.connect()
    with pytest.raises(EngineUnavailable, match="No space left"):
        await life.attach(client, {})
    await client.close()
    monkeypatch.setenv("AIGC_LSP_RUNTIME_DIR", str(home / "run"))


@pytest.mark.parametrize("number", [11, 12, 28])  # no process, no memory, no disk
async def test_a_process_that_cannot_be_made_is_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(life.subprocess, "Popen", fails)
    client = life.connect()
    with pytest.raises(AigcError, match=os.strerror(number)):
        await life.attach(client, {})
    await client.close()
