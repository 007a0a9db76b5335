"""Where the model server is to be found: one address, one lock and one log for each user of the machine.

The address is a Unix socket in the user's private runtime folder. Where there are no such sockets (Windows), or the
path would be too long for one, it is a port of this machine that the kernel chose, with a random token; both stand in
`engine.json` in that folder. Whoever holds the lock is the model server; nothing else here proves that one lives.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import sys
import tempfile
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aigc_lsp.errors import EngineUnavailable

MAX_SOCKET_PATH = 100
"""Bytes; the kernel's limit is 108 on Linux and 104 on macOS."""

ELSEWHERE = "Set AIGC_LSP_RUNTIME_DIR to a folder of your own."


@dataclass(frozen=True, slots=True)
class Address:
    """A Unix socket; or, without one, a port of this machine and the token that it asks for."""

    socket: Path | None = None
    port: int = 0
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """What a model server that listens on ports says in `engine.json`."""

    pid: int
    port: int = 0
    """The one instead of the Unix socket; 0 where there is that socket."""
    token: str = field(default="", repr=False)
    network: str = ""
    """HOST:PORT where it was told to listen, too."""


def runtime_dir() -> Path:
    """The user's private folder for sockets (0700), made where missing; AIGC_LSP_RUNTIME_DIR overrides it."""
    named = os.environ.get("AIGC_LSP_RUNTIME_DIR")
    try:
        folder = Path(named) if named else _default()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise EngineUnavailable(f"The runtime folder cannot be made ({error}). {ELSEWHERE}") from error
    if sys.platform == "win32":  # never run there; a user's profile is closed to others by its access list
        return folder
    if found.st_uid != os.getuid():
        raise EngineUnavailable(f"The runtime folder {folder} belongs to another user. {ELSEWHERE}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
    return folder


def _default() -> Path:
    from platformdirs import user_runtime_path

    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR it names a folder in /tmp and warns; the checks above make that folder private.
        warnings.simplefilter("ignore")
        return user_runtime_path("aigc-lsp")


def socket_path() -> Path | None:
    """Where the Unix socket is; None where there can be none."""
    path = runtime_dir() / "engine.sock"
    return path if hasattr(socket, "AF_UNIX") and len(os.fsencode(path)) <= MAX_SOCKET_PATH else None


def lock_path() -> Path:
    return runtime_dir() / "engine.lock"


def record_path() -> Path:
    return runtime_dir() / "engine.json"


def log_path() -> Path:
    """The model server's log. Its folder is made where that is possible; whoever opens it sees whether it was."""
    from platformdirs import user_log_path

    folder = user_log_path("aigc-lsp")
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return folder / "engine.log"


def errors_path() -> Path:
    """What a model server that was started in the background wrote to stderr: why it could not start, or its crash."""
    return log_path().with_name("engine.err")


def find() -> Address:
    """Where the model server is, if one runs. Raises `EngineUnavailable` where it has left no address."""
    path = socket_path()
    if path is not None:
        return Address(path)
    # A record without its server is not believed: somebody else may listen on that port by now.
    record = read_record()
    if record is None or not record.port or not is_running() or not _lives(record.pid):
        raise EngineUnavailable("No model server is running.")
    return Address(port=record.port, token=record.token)


def _lives(pid: int) -> bool:
    """The lock alone does not tell: whoever looks holds it for a moment, and the next model server has it before it has
    taken the former's record away."""
    import psutil  # only where there is no Unix socket

    return psutil.pid_exists(pid)


def is_running() -> bool:
    """Whether a model server lives, answering or not: whether somebody holds its lock."""
    from filelock import FileLock, Timeout

    path = lock_path()
    try:
        with FileLock(path).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError as error:
        raise unusable(path, error) from error


def read_record() -> Record | None:
    """None where there is none, or one that makes no sense."""
    try:
        said = json.loads(record_path().read_bytes())
        return Record(int(said["pid"]), int(said["port"]), str(said["token"]), str(said["network"]))
    except (OSError, ValueError, TypeError, LookupError):
        return None


def write_record(record: Record) -> None:
    """At once or not at all, for the user's eyes only. Raises `EngineUnavailable`."""
    path = record_path()
    try:
        # Made 0600; on Windows it inherits the access list of the user's profile.
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(asdict(record), file)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise unusable(path, error) from error


def unusable(path: Path, error: OSError) -> EngineUnavailable:
    """Of a file in the runtime folder that cannot be made, opened or replaced."""
    return EngineUnavailable(
        f"{path} cannot be used ({error.strerror or error}). Remove what is in its way, or set AIGC_LSP_RUNTIME_DIR to "
        "another folder."
    )
