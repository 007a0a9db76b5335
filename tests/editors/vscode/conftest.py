"""One VS Code for all tests of this folder; each has a window of its own, and so a language server of its own."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import code_server
import desk as desks
import pytest
from code_server import Code, Open, Window
from desk import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with code_server.chromium() as started:
        yield started


@pytest.fixture(scope="session")
def vscode(runtime: Path, browser: Browser) -> Iterator[Code]:
    home = Path(tempfile.mkdtemp(prefix="aigc-", dir="/tmp"))
    with code_server.serving(desks.make(home, runtime)) as code:
        yield code
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def opened(vscode: Code, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Open]:
    """A window on a file of that name and text, the model at hand. What passed is checked at the end."""
    windows: list[Window] = []
    known = len(vscode.desk.transcripts())
    vscode.set({})

    def open_file(name: str, text: str) -> Window:
        window = vscode.window(browser, vscode.desk.file(name, text))
        windows.append(window)
        window.wait_for_status("Normal")
        window.to_the_end()
        return window

    yield open_file
    for window in windows:
        window.shot(request.node.name)
    try:
        # While the windows are open: what is asked as one closes gets no answer.
        for transcript in vscode.desk.transcripts()[known:]:
            with contextlib.suppress(AssertionError):
                wait_for("the last replies", lambda: not transcript.problems(), 10)  # noqa: B023
            assert transcript.problems() == []
    finally:
        for window in windows:
            window.close()
