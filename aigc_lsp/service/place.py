"""Where the model server is to be found: one socket, one lock and one log for each user of the machine."""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path

from aigc_lsp.errors import EngineUnavailable

MAX_SOCKET_PATH = 100
"""Bytes; the kernel's limit is 108 on Linux and 104 on macOS."""


def runtime_dir() -> Path:
    """The user's private folder for sockets (0700), made where missing; AIGC_LSP_RUNTIME_DIR overrides it."""
    named = os.environ.get("AIGC_LSP_RUNTIME_DIR")
    try:
        folder = Path(named) if named else _default()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise EngineUnavailable(
            f"The runtime folder cannot be made ({error}). Set AIGC_LSP_RUNTIME_DIR to a folder of your own."
        ) from error
    if hasattr(os, "getuid") and found.st_uid != os.getuid():
        raise EngineUnavailable(
            f"The runtime folder {folder} belongs to another user. Set AIGC_LSP_RUNTIME_DIR to a folder of your own."
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
    return folder


def _default() -> Path:
    from platformdirs import user_runtime_path

    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR it names a folder in /tmp and warns; the checks below make that folder private.
        warnings.simplefilter("ignore")
        return user_runtime_path("aigc-lsp")


def socket_path() -> Path:
    path = runtime_dir() / "engine.sock"
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        raise EngineUnavailable(
            f"The path {path} is too long for a socket. Set AIGC_LSP_RUNTIME_DIR to a shorter folder."
        )
    return path


def lock_path() -> Path:
    return runtime_dir() / "engine.lock"


def log_path() -> Path:
    from platformdirs import user_log_path

    folder = user_log_path("aigc-lsp")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EngineUnavailable(
            f"The folder of the model server's log cannot be made ({error}). Correct that."
        ) from error
    return folder / "engine.log"
