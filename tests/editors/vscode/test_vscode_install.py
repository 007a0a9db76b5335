"""The first minute: no server on the machine, and a workspace that is not to be trusted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import code_server
import desk as desks
import pytest
from desk import Desk, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.model, pytest.mark.timeout(400)]


@pytest.fixture
def fresh(runtime: Path) -> Iterator[Desk]:
    """A home without an aigc-lsp on its PATH."""
    home = Path(tempfile.mkdtemp(prefix="aigc-", dir="/tmp"))
    desk = desks.make(home, runtime)
    (home / "bin" / "aigc-lsp").rename(home / "aigc-lsp")
    (home / "bin" / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (home / "bin" / "python3").chmod(0o755)
    path = [str(home / "bin"), *os.environ["PATH"].split(os.pathsep)]
    without = [folder for folder in path if not (Path(folder) / "aigc-lsp").exists()]
    yield replace(desk, environment=desk.environment | {"PATH": os.pathsep.join(without)})
    shutil.rmtree(home, ignore_errors=True)


def test_a_missing_server_is_set_up(fresh: Desk, browser: Browser) -> None:
    """The libraries are those of the tests: only what we ship is installed."""
    desk = replace(fresh, environment=fresh.environment | {"PYTHONPATH": sysconfig.get_path("purelib")})
    settings = {"aigc.server.pipArguments": ["--no-deps"]}
    with code_server.serving(desk, settings=settings) as code:
        window = code.window(browser, desk.file("first.py", "def add(a, b):\n    return a"))
        window.wait_for_status("not installed")
        window.page.locator(".notification-list-item", has_text="aigc-lsp is not on this machine").wait_for()
        window.shot("not-installed")
        window.page.locator(".notification-list-item .monaco-button", has_text="Set Up").click()
        window.wait_for_status("Normal", 150)
        window.to_the_end()
        window.type(" +")
        assert window.wait_for_ghost().strip().startswith("b")
        [installed] = (desk.home / "code").glob("User/globalStorage/aigc.aigc-lsp/server-*/bin/aigc-lsp")
        done = subprocess.run([str(installed), "--version"], capture_output=True, text=True, env=desk.environment)
        assert done.stdout.startswith("aigc-lsp ")
        window.close()


def test_an_untrusted_workspace_runs_nothing_of_its_own(fresh: Desk, browser: Browser) -> None:
    (fresh.home / "aigc-lsp").rename(fresh.home / "bin" / "aigc-lsp")
    evil = fresh.file("evil.sh", '#!/bin/sh\ntouch "$(dirname "$0")/ran"\n')
    evil.chmod(0o755)
    said = {
        "aigc.server.command": [str(evil)],
        "aigc.engine.url": "http://127.0.0.1:9",
        "aigc.model": "smollm2-135m",
        "aigc.completion.maxLines": 3,
    }
    fresh.file(".vscode/settings.json", json.dumps(said))
    with code_server.serving(fresh, trusted=False) as code:
        window = code.window(browser, fresh.file("here.py", "a = 1\n"))
        window.page.locator(".monaco-dialog-box .monaco-button", has_text="No").click(timeout=20_000)
        window.wait_for_status("Normal")
        window.shot("untrusted")
        [started] = fresh.transcript().of("initialize")
        assert not started.get("initializationOptions")  # they would hold on when a setting is taken back

        def answers() -> list[object]:
            return [message.get("result") for message in fresh.transcript().messages("editor")]

        wait_for("the settings", lambda: [{"completion.maxLines": 3}] in answers())
        assert not (fresh.workspace / "ran").exists()
        window.close()
        fresh.transcript().check()  # before code-server ends, which takes the language server with it
