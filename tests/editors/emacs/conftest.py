"""An Emacs for a test; it is ended behind it, however the test ends."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, program

Open = Callable[..., Any]


@pytest.fixture
def open_emacs(desk: Desk) -> Iterator[Open]:
    """`open_emacs(file, init)` is an Emacs that shows the file."""
    program("emacs", "bin/emacs")
    from emacs import Emacs

    # Eglot asks git which files there are, and refuses to watch any where that fails.
    subprocess.run(["git", "init", "--quiet", desk.workspace], check=True, env=desk.environment)

    opened: list[Emacs] = []

    def open_(file: Path, init: str, *, package: bool = True) -> Emacs:
        opened.append(Emacs(desk, file, init, package=package))
        return opened[-1]

    yield open_
    for emacs in opened:
        emacs.quit()
