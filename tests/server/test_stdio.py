"""Whatever stdin is: pipes are polled by the loop, anything else is read by a thread, as pygls does."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from harness import environment

from aigc_lsp.server.stdio import may_be_polled

pytestmark = pytest.mark.process


def message(method: str, number: int | None = None, params: object = None) -> bytes:
    body = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if number is None else {"id": number})
    data = json.dumps(body).encode()
    return b"Content-Length: %d\r\n\r\n" % len(data) + data


SESSION = (
    message("initialize", 1, {"capabilities": {}, "processId": None, "rootUri": None})
    + message("initialized", None, {})
    + message("shutdown", 2)
    + message("exit")
)
SERVE = [sys.executable, "-m", "aigc_lsp", "serve"]


def test_a_file(folder: Path, tmp_path: Path) -> None:
    said = tmp_path / "said"
    said.write_bytes(SESSION)
    with said.open("rb") as stdin:
        done = subprocess.run(SERVE, stdin=stdin, capture_output=True, env=environment(folder), timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b'"id": 1' in done.stdout or b'"id":1' in done.stdout


def test_one_socket_for_both_ways(folder: Path) -> None:
    """Polling it would let its writes fail where the client reads slowly."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(SERVE, stdin=theirs, stdout=theirs, env=environment(folder))
    ours.settimeout(60)
    ours.sendall(SESSION)
    answers = b""
    while data := ours.recv(1 << 16):
        answers += data
    assert process.wait(60) == 0
    assert answers.count(b"Content-Length") >= 2


def test_what_may_be_polled(tmp_path: Path) -> None:
    (one, _), (_, other) = (tuple(map(opened, os.pipe(), ("rb", "wb"))) for _ in range(2))
    with one, other, (tmp_path / "f").open("wb+") as file:
        assert may_be_polled(one, other)
        assert may_be_polled(one, file)
        assert not may_be_polled(file, other)
        assert not may_be_polled(one, one)


def opened(number: int, mode: str) -> IO[bytes]:
    return os.fdopen(number, mode)
