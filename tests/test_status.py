"""`aigc-lsp status`: who is asked, whether it answers, how it is; by a scripted server on a real socket or port."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import socketserver
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import command_line
import pytest
from command_line import Run
from filelock import FileLock

from aigc_lsp import __version__, status
from aigc_lsp.config import Config, EngineConfig
from aigc_lsp.service import remote
from aigc_lsp.service.wire import HUNG_SECONDS, Health
from aigc_lsp.status import Status

READY = Health(
    "ready",
    "big",
    loaded=("small", "big"),
    pid=os.getpid(),
    version=__version__,
    settings={"engine.threads": 0, "engine.kv_bytes": 1 << 20, "option.of_a_later_version": 1},
    clients=3,
    running=1,
    waiting=2,
    requests=124,
    resident_bytes=812_000_000,
    latencies_ms=((100.0, 200.0), (300.0, 600.0), (200.0, 250.0)),
    device="cpu",
    packing="int4",
    profile="fast",
    prefill_per_second=900.0,
    step_ms=24.0,
    kv_bytes=50_000_000,
    kv_budget_bytes=500_000_000,
)


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    answers: Mapping[str, Any]


class UnixServer(Server):
    address_family = getattr(__import__("socket"), "AF_UNIX", 0)


class Handler(http.server.BaseHTTPRequestHandler):
    def address_string(self) -> str:
        return ""

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        body = json.dumps(self.server.answers[self.path]).encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def served(server: Server, **answers: Any) -> Iterator[Server]:
    """`answers`: what /health and /v1/models say."""
    server.answers = {"/health": answers["health"], "/v1/models": answers.get("models")}
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)
runtime = pytest.fixture(command_line.runtime)


def test_a_model_server_that_answers(runtime: Path, run: Run) -> None:
    with served(UnixServer(str(runtime / "engine.sock"), Handler), health=READY.to_json()):
        ran = run("status")
        as_json = json.loads(run("status", "--json").out)
    assert ran.code == 0
    for part in (
        f"process {os.getpid()}, version {__version__}, up ",
        "big: ready",
        "small",
        "cpu, int4, profile fast",
        "812 MB resident; KV cache 50 of 500 MB (10%)",
        "3; 1 request(s) under way, 2 waiting",
        "124; of the last 3 the median took 200 ms to the first text and 250 to the end, the latest 200 and 250",
        "900 tokens/s read, 24 ms a token written",
        f"engine.kv_bytes is {1 << 20} there and {512 << 20} here",
    ):
        assert part in ran.out
    assert "engine.threads is" not in ran.out
    assert as_json["running"] is True
    assert as_json["health"] == json.loads(json.dumps(READY.to_json()))
    assert as_json["up_seconds"] >= 0
    assert as_json["differing"] == {"engine.kv_bytes": {"there": 1 << 20, "here": 512 << 20}}


def test_one_that_holds_its_lock_and_does_not_answer(runtime: Path, run: Run) -> None:
    with FileLock(runtime / "engine.lock"):
        ran = run("status")
        as_json = json.loads(run("status", "--json").out)
    assert (ran.code, ran.out) == (1, "The model server does not answer; `aigc-lsp stop` ends it.\n")
    assert (as_json["running"], as_json["health"]) == (True, None)


def test_a_server_elsewhere(runtime: Path, run: Run, monkeypatch) -> None:
    models = {"object": "list", "data": [{"id": "some-model"}]}
    with served(Server(("127.0.0.1", 0), Handler), health={"status": "ok"}, models=models) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("AIGC_LSP_ENGINE_URL", url)
        ran = run("status")
    assert ran.code == 0
    assert f"{url}, which answers" in ran.out
    assert "some-model: ready" in ran.out
    ran = run("status")
    assert ran.code == 1
    assert url in ran.out
    assert json.loads(run("status", "--json").out)["url"] == url


def test_a_server_elsewhere_that_says_nothing(runtime: Path, monkeypatch) -> None:
    """It takes the connection and leaves it at that."""
    monkeypatch.setattr(remote, "LOOKING_SECONDS", 0.2)
    silent = Server(("127.0.0.1", 0), Handler, bind_and_activate=False)
    silent.server_bind()
    silent.server_activate()
    try:
        url = f"http://127.0.0.1:{silent.server_address[1]}"
        found = status.look(Config(engine=EngineConfig(url=url)))
    finally:
        silent.server_close()
    assert found.health is None
    assert url in found.message


def test_settings_of_a_server_elsewhere_that_cannot_be(runtime: Path) -> None:
    found = status.look(Config(engine=EngineConfig(url="http://127.0.0.1:9", token_env="AIGC_NO_SUCH_TOKEN")))
    assert found.health is None
    assert "AIGC_NO_SUCH_TOKEN" in found.message


@pytest.mark.parametrize(
    ("health", "part"),
    [
        (Health("idle", "big"), "big: asleep"),
        (Health("fetch", "big", done=1, total=4), "big: fetch 25 %"),
        (Health("error", "big", message="The disk is full."), "The disk is full."),
        (replace(READY, stalled_s=HUNG_SECONDS + 5), "no sign of life for 13 s"),
        (replace(READY, note="Memory ran out."), "Memory ran out."),
        (replace(READY, kv_budget_bytes=0), "812 MB resident\n"),
        (replace(READY, latencies_ms=()), "124\n"),
    ],
)
def test_what_else_is_said(health: Health, part: str) -> None:
    assert part in "\n".join(status.lines(Status("", health, "", True))) + "\n"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0, "0 s"), (59.9, "59 s"), (60.0, "1 min 0 s"), (7300.0, "2 h 1 min")]
)
def test_how_long_it_is_up(seconds: float, said: str) -> None:
    assert f"up {said}\n" in status.lines(Status("", READY, "", True, seconds))[0] + "\n"


def test_a_process_that_is_gone_has_no_uptime() -> None:
    assert status.up_seconds(0) is None
    assert status.up_seconds(2**22 + 1) is None


def test_hung_is_who_is_there_and_silent() -> None:
    assert Status(is_running=True).is_hung
    assert Status("", replace(READY, stalled_s=HUNG_SECONDS + 1), "", True).is_hung
    assert not Status("", READY, "", True).is_hung
    assert not Status().is_hung
