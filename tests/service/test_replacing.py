"""When a running model server makes way for another: an older program's, or one under other settings."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import processes
import pytest
from processes import Started, settled, start

from aigc_lsp import __version__
from aigc_lsp.service import life
from aigc_lsp.service.life import Verdict, verdict
from aigc_lsp.service.wire import Health

home = pytest.fixture(processes.home)
started = pytest.fixture(processes.started)

OURS = Health("ready", "m", version=__version__, settings={"engine.threads": 2, "download": True})
OLDER = replace(OURS, version="0.0.9")
SAME, OTHER = {"AIGC_LSP_ENGINE_THREADS": "2"}, {"AIGC_LSP_ENGINE_THREADS": "4"}
KEEP, REPLACE = Verdict(False), Verdict(True)


@pytest.mark.parametrize(
    ("version", "is_older"),
    [
        ("0.0.9", True),
        ("0.0.99rc1", True),
        ("0", True),
        (__version__, False),
        (__version__ + ".dev1", False),
        ("99.0", False),
        ("0.100.0", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_versions_are_compared_as_numbers(version: str, is_older: bool) -> None:
    assert life.is_older(version) == is_older


@pytest.mark.parametrize(
    ("health", "overrides", "found"),
    [
        (OURS, {}, KEEP),
        (OURS, SAME, KEEP),
        (OURS, {"AIGC_LSP_MODEL": "another"}, KEEP),  # a request names its model
        (OURS, {"AIGC_LSP_ENGINE_URL": "http://elsewhere"}, KEEP),  # the server does not say that it has such a one
        (OURS, {"AIGC_LSP_ENGINE_THREADS": "many"}, KEEP),  # no value
        (OURS, OTHER, REPLACE),
        (OURS, {"AIGC_LSP_DOWNLOAD": "false"}, REPLACE),
        (replace(OURS, phase="idle"), OTHER, REPLACE),
        (replace(OURS, phase="error"), OTHER, REPLACE),
        (replace(OURS, running=1), OTHER, KEEP),
        (replace(OURS, waiting=1), OTHER, KEEP),
        (replace(OURS, phase="load"), OTHER, KEEP),
        (OLDER, {}, REPLACE),
        (OLDER, SAME, REPLACE),
        (replace(OLDER, clients=5), {}, REPLACE),  # they find the new one
        (replace(OLDER, running=1), {}, KEEP),
        (replace(OLDER, waiting=1), OTHER, KEEP),
        (replace(OLDER, phase="fetch"), {}, KEEP),
        (replace(OURS, version="99.0"), {}, KEEP),
    ],
)
def test_what_is_replaced(health: Health, overrides: dict[str, str], found: Verdict) -> None:
    assert verdict(health, overrides) == found


def test_where_others_use_it_the_user_is_told() -> None:
    shared = replace(OURS, clients=2)
    found = verdict(shared, OTHER | {"AIGC_LSP_DOWNLOAD": "false"})
    assert not found.is_replaced
    assert "engine.threads = 2 instead of 4" in found.sentence
    assert "download = true instead of false" in found.sentence
    assert "aigc-lsp stop" in found.sentence
    assert verdict(shared, SAME) == KEEP


def test_one_that_serves_a_network_is_left_to_whoever_started_it() -> None:
    assert verdict(OLDER, {}, network="0.0.0.0:8012") == KEEP
    found = verdict(OURS, OTHER, network="0.0.0.0:8012")
    assert not found.is_replaced
    assert "0.0.0.0:8012" in found.sentence


def start_older(started: Started) -> None:
    script = "import aigc_lsp\naigc_lsp.__version__ = '0.0.1'\nfrom aigc_lsp.__main__ import main\nmain()\n"
    command = [sys.executable, "-c", script, "engine"]
    started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE))


def start_stranger(started: Started) -> None:
    started.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))


@pytest.mark.process
async def test_two_newer_programs_replace_an_older_server_by_one(home: Path, started: Started) -> None:
    start_older(started)
    older = await asyncio.to_thread(settled)
    assert older.version == "0.0.1"
    clients = [life.connect(), life.connect()]
    found = await asyncio.gather(*(life.renew(client, older, {}) for client in clients))
    assert started[0].wait(20) == 0
    pids = {health.pid for health, _ in found}
    assert len(pids) == 1
    assert pids != {older.pid}
    assert {sentence for _, sentence in found} == {""}
    assert {health.version for health, _ in found} == {__version__}
    assert (await asyncio.to_thread(settled)).pid in pids
    assert await life.stop(clients[0])
    for client in clients:
        await client.close()


@pytest.mark.process
async def test_other_settings_wait_until_nobody_else_listens(home: Path, started: Started) -> None:
    start(started, AIGC_LSP_ENGINE_THREADS="2")
    former = await asyncio.to_thread(settled)
    client, other = life.connect(), life.connect()
    async with contextlib.aclosing(other.watch()) as events:
        shared = await anext(events)
        assert shared.clients == 1
        health, sentence = await life.renew(client, shared, OTHER)
        assert health.pid == former.pid
        assert "engine.threads = 2 instead of 4" in sentence
    while (alone := await client.health()).clients:
        await asyncio.sleep(0.01)
    health, sentence = await life.renew(client, alone, OTHER)
    assert sentence == ""
    assert health.pid != former.pid
    assert health.settings["engine.threads"] == 4
    assert started[0].wait(20) == 0
    assert await life.stop(client)
    await client.close()
    await other.close()


@pytest.mark.process
async def test_a_server_that_was_replaced_meanwhile_is_left_alone(home: Path, started: Started) -> None:
    """And so is whoever has its number by now."""
    start_stranger(started)
    process = start(started)
    found = await asyncio.to_thread(settled)
    client = life.connect()
    health, sentence = await life.renew(client, replace(found, pid=started[0].pid, version="0.0.1"), {})
    assert (health.pid, sentence) == (found.pid, "") == (process.pid, "")
    assert [each.poll() for each in started] == [None, None]
    await client.close()
