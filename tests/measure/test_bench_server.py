"""The bench of the model server: its arithmetic, and all of it on real language servers with a tiny model.

Nothing here measures speed or size: what is checked is who is asked for what, and what becomes of the answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import command_line
import psutil
import pytest
from command_line import Run
from tiny_server import TinyHost, served

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.measure import editor, server
from aigc_lsp.measure.editor import Editor
from aigc_lsp.measure.ours import OurServer
from aigc_lsp.service.wire import Health, InfillPiece, Usage

MODEL = catalogue.load(Config().model)


folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)
runtime = pytest.fixture(command_line.runtime)


# The editor


@pytest.mark.process
async def test_an_editor_starts_asks_and_leaves_nothing_behind(runtime: Path) -> None:
    window = Editor()
    assert await window.start() > 0
    process = psutil.Process(window.pid)
    assert "serve" in process.cmdline()
    window.open("file:///a.py", "python", "x = 1\n")
    assert (await window.ask(server.types.Position(0, 3))).text == ""
    await window.stop()
    assert not process.is_running()


@pytest.mark.process
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="nothing can be stopped here")
async def test_a_language_server_that_hangs_is_ended_all_the_same(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = Editor()
    await window.start()
    process = psutil.Process(window.pid)
    process.send_signal(signal.SIGSTOP)
    monkeypatch.setattr(editor, "PATIENCE_SECONDS", 0.2)
    await window.stop()
    assert not process.is_running()


async def test_one_that_never_started_is_stopped() -> None:
    await Editor().stop()


# What is typed


def test_the_documents_are_many_and_differ() -> None:
    found = server.documents(server.WINDOWS)
    assert len(set(found)) == server.WINDOWS
    assert found == server.documents(server.WINDOWS)
    for path in found:
        assert path.read_bytes().isascii()


def test_what_is_typed_stands_in_the_middle_of_the_document() -> None:
    whole = "".join(f"    name_{number} = value\n" for number in range(101))
    text, position, keys = server._typed_in(whole)
    assert (position.line, position.character) == (50, 4)
    assert keys == "name_50"[: server.KEYS]
    lines = whole.splitlines()
    assert text.splitlines() == [*lines[:50], "    ", *lines[51:]]


# The hop


class Client:
    """Answers after 10 ms, of which the engine says that it took 8, and the model 5."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.state = Health("ready", "m", latencies_ms=((1.0, 1.0),))

    async def health(self) -> Health:
        return self.state

    @contextlib.asynccontextmanager
    async def infill(self, request: Any) -> AsyncIterator[Any]:
        self.asked.append(request)

        async def pieces() -> AsyncIterator[InfillPiece]:
            await asyncio.sleep(0.01)
            yield InfillPiece("a", Usage(prefill_ms=4.0, decode_ms=1.0))
            await asyncio.sleep(0.05)
            yield InfillPiece("", Usage(prefill_ms=4.0, decode_ms=41.0), stop_type="limit")

        yield pieces()
        count = len(self.asked)
        latest = (8.0 + count / 1000, 9.0)
        self.state = replace(self.state, requests=count, latencies_ms=(*self.state.latencies_ms, latest))


async def test_the_hop_is_what_the_engine_does_not_account_for(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    hop, rendering = await server.hop(client, MODEL.name, 5)  # type: ignore[arg-type]
    assert len(client.asked) == 6
    assert len({request.input_prefix for request in client.asked}) == 1
    assert {request.n_predict for request in client.asked} == {1}
    assert hop.must == "≤ 2"
    assert len(hop.samples["ours"]) == 5  # the first one reads the prompt
    assert all(1.9 < sample < 40 for sample in hop.samples["ours"])  # not the 50 ms to the end
    assert rendering.ours == pytest.approx(3.0, abs=0.01)


def test_memory_is_counted_from_the_first_document_on() -> None:
    office = server._Office()
    office.server_bytes = [1_000_000_000, 1_010_000_000, 1_050_000_000]
    process = Editor()
    process._process = type("Process", (), {"pid": os.getpid()})()  # type: ignore[assignment]
    office.editors = [process]
    grown, usual, largest = office.figures()
    assert grown.ours == pytest.approx(25.0)
    assert grown.met is True
    assert grown.samples["ours"] == [10.0, 40.0]
    assert usual.ours == largest.ours == pytest.approx(psutil.Process().memory_info().rss / 1e6, rel=0.2)


# All of it


class TinyServer(OurServer):
    """A tiny model where the bench's own model server would be."""

    def __init__(self, folder: Path) -> None:
        self.environment = {"AIGC_LSP_RUNTIME_DIR": str(folder), "AIGC_LSP_MODEL": MODEL.name}
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def tiny(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TinyServer]:
    with served(TinyHost()) as socket:
        (runtime / "engine.sock").symlink_to(socket)
        found = TinyServer(runtime)
        monkeypatch.setattr(server, "OurServer", lambda model, threads: found)
        yield found


def language_servers() -> set[int]:
    """Those that this process has started; other tests may have some."""
    return {child.pid for child in psutil.Process().children() if "serve" in child.cmdline()}


@pytest.mark.process
def test_every_figure_is_there(tiny: TinyServer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    others = language_servers()
    monkeypatch.setattr(server, "HOPS", 3)
    before = {**os.environ}
    report = json.loads(run("bench", "server", "--repeats", 1, "--windows", 2, "--json").out)
    assert [(one["unit"], one["must"]) for one in report["figures"]] == [
        ("ms", "≤ 2"),
        ("ms", None),
        ("MB", "≤ 30"),
        ("MB", "≤ 120"),
        ("MB", "≤ 120"),
        ("ms", "≤ 400"),
    ]
    assert all(one["ours"] is not None for one in report["figures"])
    assert [len(one["samples"]["ours"]) for one in report["figures"][2:]] == [1, 2, 2, 1]
    assert report["machine"]["windows"] == 2
    assert tiny.is_closed
    assert dict(os.environ) == before
    assert language_servers() == others


@pytest.mark.process
def test_a_window_in_which_nothing_is_completed(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model server answers for its health and has no model."""
    others = language_servers()
    host = TinyHost()
    host.residents.may_load.clear()
    with served(host) as socket:
        (runtime / "engine.sock").symlink_to(socket)
        found = TinyServer(runtime)
        monkeypatch.setattr(server, "OurServer", lambda model, threads: found)
        monkeypatch.setattr(server, "PATIENCE_SECONDS", 3.0)
        with pytest.raises(EngineUnavailable, match="aigc-lsp doctor"):
            server.run(MODEL.name, repeats=1, windows=2)
    assert found.is_closed
    assert language_servers() == others
