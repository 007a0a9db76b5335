"""A real llama-server, on the weights that we use ourselves.

It is the binary that `PEER_LLAMA_SERVER` names, or llama.cpp's own server as `xllamacpp` ships it (`make test-peers`
installs that).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

TOKEN = "a-token-for-tests"
START_SECONDS = 180.0


@dataclass(frozen=True)
class Peer:
    url: str
    folder: Path
    """Where its log is."""

    def tokens(self, text: str) -> list[str]:
        """How it reads a prompt: control tokens in it as such."""
        asked = {"content": text, "parse_special": True, "with_pieces": True}
        headers = {"authorization": f"Bearer {TOKEN}"}
        answer = httpx.post(f"{self.url}/tokenize", json=asked, headers=headers, timeout=60, trust_env=False)
        return [str(token["piece"]) for token in answer.json()["tokens"]]


def command(model: Path, port: int) -> list[str]:
    if binary := os.environ.get("PEER_LLAMA_SERVER"):
        options = ["--host", "127.0.0.1", "-t", "2", "-c", "4096", "-np", "1", "--api-key", TOKEN]
        return [binary, "-m", str(model), "--port", str(port), *options]
    if find_spec("xllamacpp") is None:
        pytest.skip("no llama-server: `make test-peers` installs one, or PEER_LLAMA_SERVER names one")
    return [sys.executable, str(Path(__file__).with_name("llama_server.py")), str(model), str(port), TOKEN]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def wait(peer: Peer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{peer.url}/health", trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    log = (peer.folder / "log").read_text(errors="replace")
    pytest.fail(f"llama-server did not start (exit code {process.poll()}): {log[-2000:]}")
