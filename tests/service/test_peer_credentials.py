"""Two users of one machine: neither end of the Unix socket speaks with the other user, even where the folder that keeps
them apart has been opened up. Root may speak with everybody."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from tiny_server import HANG, wait_until

from aigc_lsp.errors import EngineHung, EngineUnavailable
from aigc_lsp.modelserver.listen import bind_socket
from aigc_lsp.modelserver.serving import OwnUserOnly
from aigc_lsp.service import peer
from aigc_lsp.service.client import EngineClient
from aigc_lsp.service.wire import InfillRequest

NOBODY = 65534
MARKER = "marker_c0ffee_of_the_users_text"

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="the credentials of Linux"),
]
as_two_users = pytest.mark.skipif(os.getuid() != 0, reason="only root can run a process as another user")

ASK = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect(sys.argv[1])
try:
    s.sendall(b"GET / HTTP/1.1\\r\\nhost: e\\r\\nconnection: close\\r\\n\\r\\n")
    while data := s.recv(1000):
        sys.stdout.write(data.decode())
except OSError:
    pass
"""

LISTEN = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
print("bound", flush=True)
c, _ = s.accept()
c.settimeout(20)
said = b""
while data := c.recv(100_000):
    said += data
    if said.endswith(b"}"):
        break
print(said)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="aigc-", dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def run_as(uid: int, script: str, path: Path) -> subprocess.Popen[str]:
    # The system's own Python: another user may not be let into the folder of ours.
    python = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin") or sys.executable
    return subprocess.Popen(
        [python, "-I", "-S", "-c", script, str(path)], stdout=subprocess.PIPE, text=True, user=uid, cwd="/"
    )


@contextlib.contextmanager
def served(path: Path) -> Iterator[list[str]]:
    """An HTTP server behind our check; the paths it was asked for."""
    asked: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

    server = uvicorn.Server(uvicorn.Config(app, http=OwnUserOnly, ws="none", log_config=None, lifespan="off"))
    with bind_socket(path) as listener:
        path.chmod(0o666)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield asked
        finally:
            server.should_exit = True
            thread.join(HANG)


@as_two_users
def test_the_server_hangs_up_on_another_user(folder: Path) -> None:
    with served(folder / "s") as asked:
        assert run_as(NOBODY, ASK, folder / "s").communicate(timeout=HANG)[0] == ""
        assert asked == []
        # The same question of our own is answered, so it was not for another reason.
        assert "hello" in run_as(os.getuid(), ASK, folder / "s").communicate(timeout=HANG)[0]
        assert asked == ["/"]


@as_two_users
async def test_the_client_tells_another_users_server_nothing(folder: Path) -> None:
    listening = run_as(NOBODY, LISTEN, folder / "s")
    assert listening.stdout is not None
    assert listening.stdout.readline() == "bound\n"
    client = EngineClient(folder / "s")
    with pytest.raises(EngineUnavailable, match="another user's"):
        async with client.infill(InfillRequest(input_prefix=MARKER)):
            pass
    await client.close()
    assert listening.communicate(timeout=HANG)[0] == "b''\n"


async def test_to_ones_own_the_client_speaks(folder: Path) -> None:
    """The test above must not pass because the client speaks to nobody."""
    listening = run_as(os.getuid(), LISTEN, folder / "s")
    assert listening.stdout is not None
    assert listening.stdout.readline() == "bound\n"
    client = EngineClient(folder / "s")
    with pytest.raises(EngineUnavailable) as raised:
        async with client.infill(InfillRequest(input_prefix=MARKER)):
            pass
    await client.close()
    assert not isinstance(raised.value, EngineHung)
    assert MARKER in listening.communicate(timeout=HANG)[0]


def test_it_is_the_kernel_who_says(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = socket.socketpair(socket.AF_UNIX)
    with left, right:
        found = peer.peer_of(left)
        assert found == peer.Peer(os.getpid(), os.getuid())
        assert peer.is_own(left)
        monkeypatch.setattr(os, "getuid", lambda: 4711)
        assert peer.is_own(left) == (found.uid == 0)  # root may
        monkeypatch.setattr(peer, "peer_of", lambda connection: peer.Peer(1, 4712))
        assert not peer.is_own(left)
        monkeypatch.setattr(peer, "peer_of", lambda connection: None)
        assert peer.is_own(left)  # the folder is private, where the platform does not tell
