"""The model server as a process: one for each user, found by its socket, gone without a trace.

It has no model here and may fetch none, so it comes up at once and says what is missing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import processes
import pytest
from processes import Started, health, settled, start
from tiny_server import wait_until

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.modelserver import serving
from aigc_lsp.modelserver.activity import Activity
from aigc_lsp.modelserver.listen import bind_socket
from aigc_lsp.service import life, place
from aigc_lsp.service.client import EngineClient
from aigc_lsp.service.wire import Health, InfillRequest

pytestmark = pytest.mark.process

MARKER = "marker_c0ffee_of_the_users_text"


home = pytest.fixture(processes.home)
started = pytest.fixture(processes.started)


@pytest.fixture
def mine() -> Iterator[int]:
    """A pipe of this process that children would inherit."""
    ours, other = os.pipe()
    os.set_inheritable(ours, True)
    yield ours
    os.close(ours)
    os.close(other)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """A model server for the tests that leave it as it was."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        homes = processes.home(monkeypatch)
        folder = next(homes)
        process = start([])
        settled()
        yield folder, process
        process.kill()
        process.communicate()
        assert next(homes, None) is None


Running = tuple[Path, subprocess.Popen[bytes]]


def test_only_the_user_can_reach_it(running: Running) -> None:
    folder, _ = running
    assert stat.S_IMODE((folder / "run").stat().st_mode) == 0o700
    mode = (folder / "run" / "engine.sock").stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_without_a_model_it_lives_and_says_what_to_do(running: Running) -> None:
    found = settled()
    assert found.phase == "error"
    assert "aigc-lsp models pull qwen2.5-coder-0.5b" in found.message
    assert found.pid == running[1].pid
    assert life.is_running()


def test_a_second_one_leaves_at_once(running: Running, started: Started) -> None:
    second = start(started)
    output, errors = second.communicate(timeout=20)
    assert second.returncode == 0
    assert b"already" in output
    assert errors == b""
    assert settled().pid == running[1].pid


def test_its_log_holds_nothing_of_the_users_text(running: Running) -> None:
    folder, _ = running
    bodies = [
        json.dumps(InfillRequest(MARKER, MARKER, ((MARKER, MARKER),), MARKER).to_json()),
        json.dumps(InfillRequest(MARKER, stream=True).to_json()),
        json.dumps({"input_prefix": MARKER, "n_predict": MARKER}),
        json.dumps({"input_prefix": MARKER + "\ud800"}),
        f'{{"input_prefix": "{MARKER}',
        MARKER,
    ]
    with httpx.Client(
        transport=httpx.HTTPTransport(uds=str(place.socket_path())), base_url="http://e", timeout=20
    ) as http:
        answers = [http.post("/infill", content=body) for body in bodies]
    assert [answer.status_code for answer in answers] == [503, 503, 400, 503, 400, 400]
    assert not [answer for answer in answers if MARKER in answer.text]
    (log,) = (folder / "state").rglob("engine.log")
    assert log == place.log_path()
    said = log.read_text()
    assert "serving qwen2.5-coder-0.5b" in said
    assert "aigc-lsp models pull" in said
    assert MARKER not in said
    # A stack of its own failures would be there, too.
    assert "Traceback" not in said


async def test_attach_takes_the_one_that_runs(running: Running) -> None:
    client = life.connect()
    found = await life.attach(client, {"AIGC_LSP_MODEL": "smollm2-135m"}, start=False)
    assert found.pid == running[1].pid
    with pytest.raises(EngineUnavailable, match="models pull"):
        async for _ in life.follow(client, None):
            pass
    await client.close()


def test_of_five_at_once_one_stays(home: Path, started: Started) -> None:
    five = [start(started) for _ in range(5)]
    stays = settled().pid
    wait_until(lambda: sum(process.poll() is None for process in five) == 1)
    assert [process.pid for process in five if process.poll() is None] == [stays]
    assert {process.returncode for process in five} == {None, 0}
    assert settled().pid == stays


def test_after_a_kill_the_next_one_takes_the_stale_socket(home: Path, started: Started) -> None:
    first = start(started)
    settled()
    first.kill()
    first.wait(20)
    assert place.socket_path().is_socket()
    assert health() is None
    assert not life.is_running()
    second = start(started)
    assert settled().pid == second.pid
    ends_without_trace(second, signal.SIGINT)


def test_a_signal_ends_it_and_nothing_is_left(home: Path, started: Started) -> None:
    process = start(started)
    settled()
    ends_without_trace(process, signal.SIGTERM)


def ends_without_trace(process: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    process.send_signal(sign)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert errors == b""
    assert not place.socket_path().exists()
    assert not life.is_running()
    assert place.log_path().read_text().endswith("stopped\n")


def test_idle_it_ends_by_itself(home: Path, started: Started) -> None:
    process = start(started, AIGC_LSP_ENGINE_IDLE_EXIT="1")
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert not (home / "run" / "engine.sock").exists()
    assert not life.is_running()


class Watched:
    """What decides when the model server leaves, at a thousand times the pace."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
        monkeypatch.setattr(serving, "LOOK_SECONDS", 0.001)
        self.host = types.SimpleNamespace(state=Health(phase, "m"))  # type: ignore[arg-type]
        self.activity = Activity()
        self.intact = True
        self.server = types.SimpleNamespace(should_exit=False, serve=self._serve)
        doors: Any = types.SimpleNamespace(sockets=(), place="here", are_intact=lambda: self.intact)
        self.task = asyncio.create_task(serving._serve(self.server, doors, self.host, self.activity, 50))  # type: ignore[arg-type]

    async def _serve(self, sockets: object) -> None:
        while not self.server.should_exit:
            await asyncio.sleep(0)

    def pass_time(self) -> None:
        self.activity._last -= 100

    async def stays(self) -> bool:
        await asyncio.sleep(0.1)
        return not self.server.should_exit

    async def leaves(self) -> bool:
        await asyncio.wait_for(self.task, 20)
        return self.server.should_exit


@pytest.mark.parametrize("phase", ["ready", "error", "idle"])
async def test_without_requests_it_leaves(monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    watched = Watched(monkeypatch, phase)
    assert await watched.stays()
    watched.pass_time()
    assert await watched.leaves()


@pytest.mark.parametrize("phase", ["starting", "fetch", "convert", "load"])
async def test_it_is_not_idle_while_it_fetches_or_loads(monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    watched = Watched(monkeypatch, phase)
    watched.pass_time()
    assert await watched.stays()
    watched.host.state = Health("ready", "m")
    assert await watched.stays()  # what was idle before it was ready does not count
    with watched.activity.request():
        watched.pass_time()
        assert await watched.stays()
    watched.pass_time()
    assert await watched.leaves()


async def test_it_stays_while_somebody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, "idle")
    with watched.activity.client():
        watched.pass_time()
        assert await watched.stays()
    assert await watched.stays()  # its time begins when the last one has left
    watched.pass_time()
    assert await watched.leaves()


async def test_it_leaves_when_it_cannot_be_found_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, "ready")
    with watched.activity.client():
        assert await watched.stays()
        watched.intact = False
        assert await watched.leaves()


async def test_attach_starts_one_with_the_callers_settings_and_stop_ends_it(home: Path, mine: int) -> None:
    client = life.connect()
    with pytest.raises(EngineUnavailable):
        await life.attach(client, {}, start=False)
    assert not await life.stop(client)
    found = await life.attach(client, {"AIGC_LSP_MODEL": "smollm2-135m"})
    assert found.model == "smollm2-135m"
    assert found.pid != os.getpid()
    assert os.getsid(found.pid) == found.pid
    if sys.platform == "linux":
        files = {path.name: os.readlink(path) for path in Path(f"/proc/{found.pid}/fd").iterdir()}
        assert files["0"] == files["1"] == os.devnull
        assert files["2"] == str(place.errors_path())
        assert f"pipe:[{os.fstat(mine).st_ino}]" not in files.values()
    assert await life.stop(client)
    assert not life.is_running()
    assert not place.socket_path().exists()
    assert not await life.stop(client)
    with pytest.raises(EngineUnavailable):
        await client.health()
    await client.close()


def test_it_outlives_the_process_that_started_it(home: Path) -> None:
    script = (
        "import asyncio\nfrom aigc_lsp.service import life\nprint(asyncio.run(life.attach(life.connect(), {})).pid)\n"
    )
    # A session of its own, all of which is then told to go: what a closing terminal does.
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    output, _ = parent.communicate(timeout=30)
    assert parent.returncode == 0
    with contextlib.suppress(ProcessLookupError):
        os.killpg(parent.pid, signal.SIGHUP)
    found = settled()
    assert found.pid == int(output)
    os.kill(found.pid, signal.SIGTERM)
    wait_until(lambda: not life.is_running())


async def test_one_that_does_not_answer_can_be_stopped(
    home: Path, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start(started)
    await asyncio.to_thread(settled)
    process.send_signal(signal.SIGSTOP)
    answering = EngineClient.health
    monkeypatch.setattr(EngineClient, "health", lambda self: answering(self, timeout=0.2))
    client = life.connect()
    with pytest.raises(EngineUnavailable):
        await client.health()
    assert life.is_running()
    assert await life.stop(client, patience=0.3)
    assert process.wait(20) == -signal.SIGKILL
    assert not life.is_running()
    await client.close()


async def test_attach_starts_another_where_the_first_made_way_for_one_that_left(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawn, spawned = life.spawn, []

    def spawn_after_one(overrides: dict[str, str]) -> object:
        spawned.append(types.SimpleNamespace(poll=lambda: 0) if not spawned else spawn(overrides))
        return spawned[-1]

    monkeypatch.setattr(life, "spawn", spawn_after_one)
    client = life.connect()
    found = await life.attach(client, {})
    assert len(spawned) == 2
    assert found.pid == spawned[1].pid
    assert await life.stop(client)
    await client.close()


async def test_attach_says_where_to_look_when_it_does_not_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life.sys, "executable", shutil.which("false"))
    client = life.connect()
    with pytest.raises(EngineUnavailable, match=r"did not start.*engine\.log"):
        await life.attach(client, {})
    await client.close()


@pytest.mark.parametrize("name", ["engine.sock", "engine.lock"])
async def test_a_place_that_cannot_be_is_one_sentence(home: Path, started: Started, name: str) -> None:
    (home / "run" / name).mkdir(parents=True)
    process = start(started)
    output, errors = await asyncio.to_thread(process.communicate, timeout=20)
    assert process.returncode == 1
    assert output == b""
    assert errors.startswith(b"aigc-lsp: ")
    assert f"{name} cannot be used".encode() in errors
    assert errors.count(b"\n") == 1
    client = life.connect()
    with pytest.raises(EngineUnavailable, match=rf"{name} cannot be used.*Remove what is in its way"):
        await life.attach(client, {})
    await client.close()
    (home / "run" / name).rmdir()


def test_the_socket_is_never_open_to_others(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even between `bind` and `listen`, and where the user's umask is wide."""
    path = place.socket_path()
    assert path is not None
    path.write_text("a file in its place")
    previous = os.umask(0)
    try:
        with bind_socket(path) as listener:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert listener.family == socket.AF_UNIX
        assert os.umask(0) == 0
    finally:
        os.umask(previous)
