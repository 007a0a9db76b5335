"""What every editor's tests work at: a home folder of its own, the real server under observation, the real model.

An editor is installed by `install/NAME.sh` into the editors' folder (`AIGC_LSP_EDITORS_DIR`, else `aigc-lsp-editors` in
the user's cache); a test of one that is not there is skipped, with the reason.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from aigc_lsp.config import Config

T = TypeVar("T")

REPOSITORY = Path(__file__).parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
EDITORS = Path(os.environ.get("AIGC_LSP_EDITORS_DIR") or CACHE / "aigc-lsp-editors")
PATIENCE = 30.0
"""Seconds: something is broken, not slow."""
MODEL_PATIENCE = 120.0
"""The model server starts, and loads its model."""

HARMLESS = {-32800, -32801, -32802}
"""RequestCancelled, ContentModified, ServerCancelled: replies that are no failure."""


def program(name: str, path: str) -> Path:
    """`path` in the folder of the editor `name`; where it is not there, the test is skipped."""
    found = EDITORS / name / path
    if not found.exists():
        pytest.skip(f"{name} is not installed: `make test-editors`, or tests/editors/install/")
    return found


def wait_for(what: str, condition: Callable[[], T], seconds: float = PATIENCE, step: float = 0.05) -> T:
    """Wait until `condition()` is true; give that back."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(step)
    return value


def at_rest(what: str, look: Callable[[], str], seconds: float = PATIENCE) -> str:
    """What `look` sees, once that is something and stays as it is."""
    seen = ""

    def rests() -> str:
        nonlocal seen
        before, seen = seen, look()
        return seen if seen == before else ""

    return wait_for(what, rests, seconds, step=0.5)


@dataclass(frozen=True)
class Desk:
    """`environment` is for the editor: an empty home, and `aigc-lsp` on its PATH is the real one, observed."""

    home: Path
    environment: dict[str, str]

    def left_behind(self) -> list[int]:
        """The language servers that still run."""
        return [pid for pid in (int(each.path.stem) for each in self.transcripts()) if _lives(pid)]

    @property
    def workspace(self) -> Path:
        return self.home / "work"

    def file(self, name: str, text: str) -> Path:
        path = self.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())  # CRLF stays CRLF
        return path

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`aigc-lsp …` in this environment."""
        command = [sys.executable, "-m", "aigc_lsp", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)

    def health(self) -> dict[str, Any]:
        """Of the model server; empty where none answers."""
        return json.loads(self.command("status", "--json").stdout)["health"] or {}

    def model_server(self) -> int:
        """Its process, once it has the model in memory that the editors ask for."""

        def ready() -> int:
            health = self.health()
            return int(health["pid"]) if Config().model in health.get("loaded", ()) else 0

        return wait_for("the model", ready, MODEL_PATIENCE, 0.5)

    def kill_model_server(self) -> int:
        """As the kernel would, when memory is short."""
        pid = self.model_server()
        os.kill(pid, signal.SIGKILL)
        return pid

    def transcripts(self) -> list[Transcript]:
        """Of each language server that the editor has started, the oldest first."""
        records = sorted((self.home / "record").glob("*.jsonl"), key=lambda path: path.stat().st_ctime_ns)
        return [Transcript(path) for path in records]

    def transcript(self) -> Transcript:
        """Of the only language server."""
        [found] = self.transcripts()
        return found

    def server_text(self, path: Path) -> str | None:
        """What the server has of a file that is open, in whichever window."""
        for transcript in self.transcripts():
            for uri, text in transcript.texts().items():
                if uri.rpartition("/")[2] == path.name:
                    return text
        return None


@dataclass(frozen=True)
class Transcript:
    """What passed between an editor and a server."""

    path: Path

    def messages(self, who: str) -> list[dict[str, Any]]:
        """What `who` ("editor" or "server") has said so far."""
        lines = [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
        return [line["message"] for line in lines if line["from"] == who]

    def of(self, method: str, who: str = "editor") -> list[Any]:
        """The parameters of each request or notification of that name."""
        return [message.get("params") for message in self.messages(who) if message.get("method") == method]

    def texts(self) -> dict[str, str]:
        """The text of each open document, as the server has it."""
        with contextlib.suppress(FileNotFoundError):
            found: dict[str, str] = json.loads(self.path.with_suffix(".texts.json").read_text())
            return found
        return {}

    def status(self) -> dict[str, Any]:
        """The last `aigc/status`."""
        return (self.of("aigc/status", "server") or [{}])[-1]

    def problems(self) -> list[str]:
        """What must not be: requests of either side without one reply, errors, anything logged as an error."""
        found = []
        for asking, answering in (("editor", "server"), ("server", "editor")):
            asked = {m["id"]: m["method"] for m in self.messages(asking) if "method" in m and "id" in m}
            replies = [m for m in self.messages(answering) if "method" not in m and "id" in m]
            counts = Counter(m["id"] for m in replies)
            found += [f"{asked[i]}: {counts[i]} replies of the {answering}" for i in asked if counts[i] != 1]
            errors = [m for m in replies if m.get("error") and m["error"]["code"] not in HARMLESS]
            found += [f"{asked.get(m['id'])}: {m['error']['message']}" for m in errors]
        logged = self.path.with_suffix(".stderr").read_text(errors="replace").splitlines()
        found += [line for line in logged if "ERROR" in line or "CRITICAL" in line or "Traceback" in line]
        found += [said["message"] for said in self.of("window/logMessage", "server") if said["type"] == 1]
        return found

    def check(self) -> None:
        """Once the last requests have been answered, there is nothing to complain of."""
        with contextlib.suppress(AssertionError):
            wait_for("the replies", lambda: not self.problems())
        assert not (found := self.problems()), found


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def make(home: Path, runtime: Path) -> Desk:
    """A desk in the empty folder `home`, with the model server of `runtime`."""
    for name in ("bin", "record", "work"):
        (home / name).mkdir(parents=True)
    (home / "work" / ".git").mkdir()  # a workspace, for editors that look for one
    observed = REPOSITORY / "tests" / "editors" / "observed.py"
    script = home / "bin" / "aigc-lsp"
    script.write_text(
        f'#!/bin/sh\n[ "$1" = serve ] && exec "{sys.executable}" "{observed}" "{home}/record"\n'
        f'exec "{sys.executable}" -m aigc_lsp "$@"\n'
    )
    script.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIGC_LSP_", "XDG_", "NVIM"))}
    return Desk(
        home,
        kept
        | {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "STATE", "DATA", "CACHE")}
        | {
            "HOME": str(home),
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "TMPDIR": str(home),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(REPOSITORY),
            "AIGC_LSP_RUNTIME_DIR": str(runtime),
            "AIGC_LSP_MODELS_DIR": os.environ.get("AIGC_LSP_MODELS_DIR") or str(CACHE / "aigc-lsp" / "models"),
        },
    )


def clear(desk: Desk) -> None:
    """End the model server, whatever state it is in, and its runtime folder."""
    desk.command("stop")
    shutil.rmtree(desk.environment["AIGC_LSP_RUNTIME_DIR"], ignore_errors=True)
