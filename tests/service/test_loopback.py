"""The model server on ports: in place of the socket where there can be none, and for a network where it is told to."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
from pathlib import Path

import httpx
import processes
import psutil
import pytest
from processes import Started, settled, start
from tiny_server import HANG, wait_until

from aigc_lsp.errors import EngineUnavailable, UsageError
from aigc_lsp.modelserver import listen
from aigc_lsp.service import life, place
from aigc_lsp.service.client import EngineClient
from aigc_lsp.service.wire import InfillRequest

home = pytest.fixture(processes.home)
started = pytest.fixture(processes.started)

MARKER = "marker_c0ffee_of_the_users_text"


@pytest.fixture
def far(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder whose path is too long for a socket."""
    folder = home / ("x" * 100)
    monkeypatch.setenv("AIGC_LSP_RUNTIME_DIR", str(folder))
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def record() -> place.Record:
    found = place.read_record()
    assert found is not None
    return found


# In place of the socket


@pytest.mark.process
async def test_without_a_socket_it_is_found_by_its_private_file(far: Path) -> None:
    client = life.connect()
    found = await life.attach(client, {})
    assert sorted(path.name for path in far.iterdir()) == ["engine.json", "engine.lock", "start.lock"]
    assert stat.S_IMODE(place.record_path().stat().st_mode) == 0o600
    assert record().pid == found.pid == life.holder()
    # It can be reached from this machine only.
    (listening,) = [each for each in psutil.Process(found.pid).net_connections() if each.status == "LISTEN"]
    assert tuple(listening.laddr) == ("127.0.0.1", record().port)
    assert record().token not in place.log_path().read_text()
    assert await life.stop(client)
    assert not place.record_path().exists()
    with pytest.raises(EngineUnavailable):
        await client.health()
    await client.close()


@pytest.mark.process
async def test_without_the_token_a_port_is_of_no_use(far: Path) -> None:
    client = life.connect()
    await life.attach(client, {})
    where, body = f"http://127.0.0.1:{record().port}", InfillRequest(input_prefix=MARKER).to_json()
    async with httpx.AsyncClient(base_url=where, timeout=HANG, trust_env=False) as http:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": record().token}):
            assert (await http.post("/infill", json=body, headers=headers)).status_code == 401
            assert (await http.get("/events", headers=headers)).status_code == 401
            assert "pid" not in (await http.get("/health", headers=headers)).json()
    with pytest.raises(EngineUnavailable, match="models pull"):  # with it, it is heard
        async with client.infill(InfillRequest(input_prefix=MARKER)):
            pass
    assert await life.stop(client)
    await client.close()


@pytest.mark.process
async def test_after_a_kill_the_same_client_finds_the_next_one(far: Path, started: Started) -> None:
    client, first = life.connect(), start(started)
    await asyncio.to_thread(settled)
    assert (await client.health()).pid == first.pid
    former = record()
    first.kill()
    first.wait(HANG)
    assert record() == former  # it is stale

    # Somebody else has the port by now: he is told nothing.
    heard: list[bytes] = []

    async def listens(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1000))

    async with await asyncio.start_server(listens, "127.0.0.1", former.port):
        with pytest.raises(EngineUnavailable):
            await client.health()
        with pytest.raises(EngineUnavailable):
            async with client.infill(InfillRequest(input_prefix=MARKER)):
                pass
        second = start(started)
        assert (await asyncio.to_thread(settled)).pid == second.pid
        assert record().port != former.port
        assert record().token != former.token
        assert (await client.health()).pid == second.pid
    assert heard == []
    await client.close()


@pytest.mark.process
async def test_a_hung_one_on_a_port_is_killed(far: Path, started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start(started)
    await asyncio.to_thread(settled)
    process.send_signal(signal.SIGSTOP)
    answering = EngineClient.health
    monkeypatch.setattr(EngineClient, "health", lambda self: answering(self, timeout=0.2))
    client = life.connect()
    assert await life.kill(client)
    assert process.wait(HANG) == -signal.SIGKILL
    await client.close()


# For a network


def get(url: str, token: str = "") -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.get(url, headers=headers, timeout=HANG, trust_env=False)


@pytest.mark.process
def test_beyond_this_machine_it_asks_for_the_token_and_its_own_user_for_none(home: Path, started: Started) -> None:
    port = free_port()
    process = start(
        started, "--host", "0.0.0.0", "--port", str(port), AIGC_LSP_ENGINE_TOKEN="geheim", AIGC_LSP_ENGINE_IDLE_EXIT="1"
    )
    own = settled()
    assert own.pid == process.pid
    url = f"http://127.0.0.1:{port}/v1/models"
    assert get(url).status_code == 401
    assert get(url, "wrong").status_code == 401
    assert get(url, "geheim").status_code == 200
    assert own.settings["engine.idle_exit"] == 0  # nobody would start it again there
    assert record().network == f"0.0.0.0:{port}"
    said = place.log_path().read_text()
    assert f"0.0.0.0:{port}" in said
    assert "geheim" not in said
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=HANG) == (b"", b"")
    assert not place.record_path().exists()


@pytest.mark.process
def test_on_this_machine_it_needs_no_token(home: Path, started: Started) -> None:
    port = free_port()
    start(started, "--port", str(port))
    settled()
    assert get(f"http://127.0.0.1:{port}/v1/models").status_code == 200


@pytest.mark.process
def test_both_kinds_of_port_have_one_token(far: Path, started: Started) -> None:
    port = free_port()
    start(started, "--port", str(port), "--token-env", "MY_TOKEN", MY_TOKEN="geheim")
    settled()
    assert record().token == "geheim"
    assert record().port != port
    assert get(f"http://127.0.0.1:{port}/v1/models").status_code == 401
    assert get(f"http://127.0.0.1:{port}/v1/models", "geheim").status_code == 200


def refused(process: subprocess.Popen[bytes], code: int) -> str:
    """What it said in its one sentence."""
    output, errors = process.communicate(timeout=HANG)
    assert process.returncode == code, errors
    assert output == b""
    assert errors.startswith(b"aigc-lsp: ")
    assert errors.count(b"\n") == 1
    return errors.decode()


@pytest.mark.process
def test_a_network_without_a_token_is_refused(home: Path, started: Started) -> None:
    said = refused(start(started, "--host", "0.0.0.0"), code=2)
    assert "a token is needed" in said
    assert "--token-env" in said
    assert not place.is_running()


@pytest.mark.process
def test_a_port_that_is_taken_is_one_sentence(home: Path, started: Started) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(start(started, "--port", str(port)), code=1)
    assert f"127.0.0.1:{port}" in said
    assert "Address already in use" in said
    assert not (home / "run" / "engine.sock").exists()


@pytest.mark.process
def test_a_port_for_one_that_runs_already_is_refused(home: Path, started: Started) -> None:
    first = start(started)
    settled()
    assert "aigc-lsp stop" in refused(start(started, "--port", str(free_port())), code=1)
    assert settled().pid == first.pid


TOKEN = {"AIGC_LSP_ENGINE_TOKEN": "geheim"}


@pytest.mark.parametrize(
    ("asked", "environ", "said"),
    [
        (("0.0.0.0", None, None, None), {}, "token is needed"),
        (("0.0.0.0", None, "", None), TOKEN, "token is needed"),
        (("", 80, None, None), {}, "token is needed"),
        (("::", None, None, None), {}, "token is needed"),
        (("192.0.2.1", None, None, "OTHER"), TOKEN, "OTHER is not set"),
        (("127.0.0.1", None, None, "OTHER"), {"OTHER": ""}, "OTHER is not set"),
        (("127.0.0.1", None, "a", "OTHER"), {"OTHER": "a"}, "not both"),
        ((None, None, "a", None), {}, "only with --host"),
        ((None, None, None, "OTHER"), {"OTHER": "a"}, "only with --host"),
        ((None, 80, "two words", None), {}, "without blanks"),
        ((None, 80, "grün", None), {}, "ASCII"),
        (("::zz", None, "a", None), {}, "no address"),
        (("a" * 70 + ".x", None, "a", None), {}, "no address"),
    ],
)
def test_what_is_refused(asked: tuple[str, int, str, str], environ: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        listen.network(*asked, environ)


@pytest.mark.parametrize(
    ("asked", "environ", "where", "token"),
    [
        ((None, 80, None, None), {}, "127.0.0.1:80", ""),
        (("localhost", None, None, None), {}, "127.0.0.1:8012", ""),
        (("127.0.0.2", None, None, None), {}, "127.0.0.2:8012", ""),
        (("::1", 80, None, None), {}, "[::1]:80", ""),
        ((None, 80, None, None), TOKEN, "127.0.0.1:80", "geheim"),
        (("0.0.0.0", None, None, None), TOKEN, "0.0.0.0:8012", "geheim"),
        (("0.0.0.0", None, None, "OTHER"), TOKEN | {"OTHER": "b"}, "0.0.0.0:8012", "b"),
        (("0.0.0.0", None, "c", None), TOKEN, "0.0.0.0:8012", "c"),
    ],
)
def test_what_is_allowed(asked: tuple[str, int, str, str], environ: dict[str, str], where: str, token: str) -> None:
    found = listen.network(*asked, environ)
    assert found is not None
    assert (str(found), found.token) == (where, token)
    assert token == "" or token not in repr(found)


async def test_small_answers_leave_at_once(home: Path) -> None:
    """They would wait for the other end's acknowledgement otherwise, 40 ms each."""
    found: asyncio.Future[socket.socket] = asyncio.get_running_loop().create_future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.set_result(writer.get_extra_info("socket"))
        await reader.read()

    port = free_port()
    with listen.opened(listen.network(None, port, None, None, {})) as doors:
        async with await asyncio.start_server(connected, sock=doors.sockets[0]):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            accepted = await asyncio.wait_for(found, HANG)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()


def test_nothing_is_asked_for_by_default() -> None:
    assert listen.network(None, None, None, None, TOKEN) is None


@pytest.mark.process
def test_the_token_of_the_environment_is_no_unknown_option(home: Path, started: Started) -> None:
    process = start(started, **TOKEN)
    settled()
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=HANG) == (b"", b"")
    wait_until(lambda: not place.is_running())


def test_a_record_is_replaced_at_once_or_not_at_all(far: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write_record(place.Record(1, 2, "a"))

    def fails(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(place.os, "replace", fails)
    with pytest.raises(EngineUnavailable, match="No space left"):
        place.write_record(place.Record(1, 3, "b"))
    assert json.loads(place.record_path().read_text())["port"] == 2
    assert [path.name for path in far.iterdir()] == ["engine.json"]
