"""The command line in the test's own process: `main` with some arguments, and what came of it.

A test module takes `folder = pytest.fixture(command_line.folder)`, and in the same way what else it needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import short_folder

from aigc_lsp import cli


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What it said on stderr, which must be one line from us."""
        (line,) = self.err.splitlines()
        assert line.startswith("aigc-lsp: ")
        assert line.rstrip().endswith((".", ")"))
        return line.removeprefix("aigc-lsp: ")


Run = Callable[..., Ran]


def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short folder, for sockets, and an environment that holds nothing of the user's and starts nothing."""
    for name in [name for name in os.environ if name.startswith(("AIGC_LSP_", "XDG_"))]:
        monkeypatch.delenv(name)
    with short_folder() as path:
        for kind in ("CONFIG", "CACHE", "STATE", "DATA"):
            monkeypatch.setenv(f"XDG_{kind}_HOME", str(path / kind.lower()))
        monkeypatch.setenv("AIGC_LSP_RUNTIME_DIR", str(path / "run"))
        monkeypatch.setenv("AIGC_LSP_ENGINE_START", "false")
        monkeypatch.setenv("COLUMNS", "300")
        yield path


def runtime(folder: Path) -> Path:
    """The runtime folder in it, made as the program makes it."""
    (folder / "run").mkdir(mode=0o700)
    return folder / "run"


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`main` with these arguments, in `folder`. An exception that would be a traceback fails the test by itself."""

    def call(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["aigc-lsp", *map(str, arguments)])
        code: object = 0
        try:
            cli.main()
        except SystemExit as error:
            code = error.code or 0
        assert isinstance(code, int), code
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Ran(code, out, err)

    return call
