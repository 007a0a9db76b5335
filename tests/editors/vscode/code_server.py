"""VS Code in a browser: code-server with the packed extension, driven by keys, judged by what is on the screen."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desk import MODEL_PATIENCE, REPOSITORY, Desk, at_rest, program, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCREENSHOTS = Path(os.environ.get("AIGC_LSP_SCREENSHOTS") or REPOSITORY / "build" / "screenshots")
SETTINGS = {
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "telemetry.telemetryLevel": "off",
    "chat.commandCenter.enabled": False,
    "window.commandCenter": False,
    "editor.accessibilitySupport": "off",
    "editor.minimap.enabled": False,
    "editor.wordBasedSuggestions": "off",
    "editor.quickSuggestions": {"other": "off"},  # the popup is the language's, and hides ghost text from a test
    "files.hotExit": "off",
    "workbench.editor.restoreViewState": False,
}

FIBONACCI = '''def fibonacci(n: int) -> int:
    """The n-th number of Fibonacci."""
    if n < 2:
        return n
'''


@dataclass(frozen=True)
class Code:
    """A code-server that runs. `desk` is where it works."""

    desk: Desk
    port: int

    def set(self, settings: dict[str, Any]) -> None:
        """The user's settings, beside those that a test needs."""
        path = self.desk.home / "code" / "User" / "settings.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(SETTINGS | settings))

    def window(self, browser: Browser, path: Path) -> Window:
        """A window on the workspace, with the file open and the cursor at its end."""
        page = browser.new_context(viewport={"width": 1000, "height": 480}, device_scale_factor=1.5).new_page()
        host = f"127.0.0.1:{self.port}"
        payload = json.dumps([["openFile", f"vscode-remote://{host}{path}"]])
        page.goto(f"http://{host}/?folder={self.desk.workspace}&payload={payload}")
        page.wait_for_selector(".monaco-editor .view-lines", timeout=60_000)
        return Window(page, path)


@dataclass(frozen=True)
class Window:
    page: Page
    path: Path

    def to_the_end(self) -> None:
        self.page.click(".monaco-editor .view-lines")
        self.page.keyboard.press("Control+End")

    def type(self, text: str) -> None:
        """Key by key, with a little time for each, as people do."""
        self.page.keyboard.type(text, delay=60)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def command(self, title: str) -> None:
        self.press("F1")
        self.page.wait_for_selector(".quick-input-widget:visible input")
        self.page.keyboard.type(title)
        # Its label is all of the title: others begin alike.
        row = f'.quick-input-list .monaco-list-row:is([aria-label="{title}"], [aria-label^="{title},"])'
        self.page.locator(row).first.click()

    def ghost(self) -> str:
        """The suggestion on the screen, "" where there is none; blanks are plain ones."""
        lines = self.page.locator(".view-lines .view-line").evaluate_all(
            "lines => lines.flatMap(line => [...line.querySelectorAll('[class*=ghost-text]')].map(e => e.textContent))"
        )
        below = self.page.locator(".suggest-preview-text").evaluate_all("all => all.map(e => e.innerText)")
        return "\n".join(["".join(lines), *below]).replace("\xa0", " ").rstrip()

    def wait_for_ghost(self, seconds: float = MODEL_PATIENCE) -> str:
        """The suggestion, once it stays as it is."""
        return at_rest("ghost text", self.ghost, seconds)

    def saved(self) -> str:
        """The text of the editor, by way of the disk; its line ends are the file's."""
        for _ in range(2):
            time.sleep(0.5)  # a tab shows only a moment after a key that there is something to save
            self.page.keyboard.press("Control+s")
            wait_for("the file to be saved", lambda: not self.page.locator(".tab.active.dirty").count())
        # Once it is written to its end: VS Code empties it first.
        return at_rest("the file", lambda: self.path.read_bytes().decode())

    def status(self) -> str:
        """What the item in the status bar says to a screen reader: its kind and its sentence."""
        item = self.page.locator(".statusbar-item[id*='aigc.status'] a")
        return item.first.get_attribute("aria-label") or "" if item.count() else ""

    def wait_for_status(self, pattern: str, seconds: float = 60) -> str:
        try:
            return wait_for(
                f"the status {pattern!r}", lambda: self.status() if re.search(pattern, self.status()) else "", seconds
            )
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.status()!r}") from None

    def notifications(self) -> list[str]:
        return self.page.locator(".notification-list-item-message").all_inner_texts()

    def shot(self, name: str) -> None:
        """To be looked at by people: `build/screenshots/vscode-NAME.png`."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"vscode-{name.removeprefix('test_')}.png")

    def close(self) -> None:
        """As a user would: else the language server waits for hours that the window comes back."""
        self.page.once("dialog", lambda dialog: dialog.accept())  # what is unsaved is lost
        self.page.goto("about:blank")
        self.page.context.close()


Open = Callable[[str, str], Window]
"""A window on a file of that name and text."""


@contextlib.contextmanager
def serving(desk: Desk, *, trusted: bool = True, settings: dict[str, Any] | None = None) -> Iterator[Code]:
    """code-server at `desk`, with the extension from the .vsix and the user's `settings`."""
    # VSCODE_CLI: else a login shell's PATH takes the place of the desk's.
    node, entry = program("vscode", "node20"), program("vscode", "code-server/out/node/entry.js")
    environment = desk.environment | {"VSCODE_CLI": "1"}
    vsix, data = program("vscode", "aigc.vsix"), desk.home / "code"
    folders = [f"--user-data-dir={data}", f"--extensions-dir={desk.home / 'extensions'}"]
    install = [str(node), str(entry), *folders, "--install-extension", str(vsix)]
    done = subprocess.run(install, env=environment, capture_output=True, text=True, timeout=120)
    assert "successfully installed" in done.stdout, done.stdout + done.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = Code(desk, port)
    code.set(settings or {})
    command = [str(node), str(entry), *folders, "--auth=none", f"--bind-addr=127.0.0.1:{port}", "--disable-telemetry"]
    command += ["--disable-update-check", *(["--disable-workspace-trust"] if trusted else [])]
    # In a group of its own, so that its extension hosts end with it.
    with (desk.home / "code-server.log").open("wb") as log:
        running = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for("code-server", lambda: _answers(port), 60)
        yield code
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, 15)
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, 9)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    import pytest

    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: `make test-editors`")
    path = program("vscode", "chromium")
    with playwright.sync_playwright() as started:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = started.chromium.launch(executable_path=str(path), args=flags)
        try:
            yield browser
        finally:
            browser.close()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
