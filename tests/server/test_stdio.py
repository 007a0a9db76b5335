"""Whatever stdin is, it is read to its end, and no further."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from harness import environment

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


@pytest.mark.parametrize("said", [b"", b"Content-Length: 100\r\n\r\n{", b"Content-Length: 10", b"x" * 200_000], ids=len)
def test_an_end_in_the_middle_of_a_message(folder: Path, said: bytes) -> None:
    begun = SESSION.removesuffix(message("shutdown", 2) + message("exit"))
    done = subprocess.run(SERVE, input=begun + said, capture_output=True, env=environment(folder), timeout=60)
    assert done.returncode == 1
    assert b'"id"' in done.stdout
    assert done.stderr == b""


def test_a_client_that_reads_no_answer(folder: Path) -> None:
    """It is no error of ours: nothing is logged as one, and the end of what it says ends the server."""
    process = subprocess.Popen(
        SERVE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(folder)
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(message("initialize", 1, {"capabilities": {}, "processId": None, "rootUri": None}))
    process.stdin.flush()
    process.stdout.close()
    process.stdin.write(message("initialized", None, {}) + message("shutdown", 2))
    process.stdin.close()
    assert process.wait(60) in (0, 1)
    assert process.stderr.read() == b""


def test_one_socket_for_both_ways(folder: Path) -> None:
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
