"""What aigc in the status bar offers does what it says; the pages that it opens leave the keys to the editor."""

from __future__ import annotations

import json
import re

import pytest
from code_server import FIBONACCI, Code, Open, Window
from desk import MODEL_PATIENCE, wait_for

from aigc_lsp.config import Config
from aigc_lsp.feedback import store
from aigc_lsp.feedback.counts import Tally, counted

pytestmark = [pytest.mark.model, pytest.mark.timeout(200)]


def choose(window: Window, entry: str) -> None:
    """By a click on aigc in the status bar, and on the entry."""
    window.page.click(".statusbar-item[id*='aigc.status']")
    window.page.locator(".quick-input-list .monaco-list-row", has_text=entry).click()


def page_with(window: Window, text: str) -> str:
    """The text of the preview that holds `text`, once it is there."""

    def found() -> str:
        for frame in window.page.frames:
            shown: str = frame.evaluate("document.body ? document.body.innerText : ''")
            if text in shown and frame != window.page.main_frame:
                return shown
        return ""

    return wait_for(f"a page that says {text!r}", found, MODEL_PATIENCE)


def test_why(opened: Open) -> None:
    window = opened("menu.py", FIBONACCI)
    window.type("    return fib")
    ghost = window.wait_for_ghost(60)
    window.page.click(".statusbar-item[id*='aigc.status']")
    window.page.wait_for_selector(".quick-input-list .monaco-list-row")
    window.shot("menu")
    window.press("Escape")
    choose(window, "Why is there nothing")
    assert ghost in page_with(window, "came from")
    window.type("onac")  # where it was: the page has not taken the keys
    assert window.saved().endswith("return fibonac")


def test_statistics_and_the_log(vscode: Code, opened: Open) -> None:
    counts = vscode.desk.home / "state" / "aigc-lsp" / "suggestions.json"
    store.add(counts, counted("cobol", 0.5, Tally(shown=8000, accepted=2000, characters=40)))
    window = opened("counted.py", FIBONACCI)
    choose(window, "Statistics")
    assert re.search(r"shown\s+8,000\b.*accepted\s+25%", page_with(window, "cobol"), re.DOTALL)
    window.shot("statistics")
    choose(window, "Open the log")
    output = window.page.locator(".output-view, .panel .monaco-editor").first
    wait_for("the log", lambda: "The server:" in output.inner_text().replace("\xa0", " "))


def test_the_model_is_chosen(vscode: Code, opened: Open) -> None:
    """The same one: another would be fetched or loaded. No window loses its server for that."""
    window = opened("model.py", FIBONACCI)
    choose(window, "Choose the model")
    rows = window.page.locator(".quick-input-list .monaco-list-row")
    rows.first.wait_for()
    window.shot("models")
    window.page.locator(f'.monaco-list-row[aria-label^="{Config().model},"]').filter(has_text="on this machine").click()
    settings = vscode.desk.home / "code" / "User" / "settings.json"
    wait_for("the setting", lambda: json.loads(settings.read_text()).get("aigc.model") == Config().model)
    told = vscode.desk.transcripts()[-1]
    wait_for(
        "the server to know",
        lambda: (
            {"aigc": {"model": Config().model}}
            in [each["settings"] for each in told.of("workspace/didChangeConfiguration")]
        ),
    )
    assert not told.of("shutdown")
    window.to_the_end()
    window.type("    return fib")
    assert window.wait_for_ghost(60).startswith("onacci(")


def test_a_restart(vscode: Code, opened: Open) -> None:
    window = opened("restarted.py", FIBONACCI)
    before, servers = vscode.desk.model_server(), len(vscode.desk.transcripts())
    choose(window, "Restart")
    wait_for("another language server", lambda: len(vscode.desk.transcripts()) == servers + 1)
    window.wait_for_status("Normal", 120)
    assert vscode.desk.model_server() != before
    window.to_the_end()
    window.type("    return fib")
    assert window.wait_for_ghost(60).startswith("onacci(")


def test_an_explanation_is_shown_beside_the_code(opened: Open) -> None:
    window = opened("explained.py", FIBONACCI + "    return fibonacci(n - 1) + fibonacci(n - 2)\n")
    window.press("Control+End", "ArrowUp", "Home", "Shift+ArrowUp")
    window.command("aigc: Explain This")
    assert len(page_with(window, "Explanation")) > 40
    window.shot("explained")
    window.press("ArrowRight")  # out of the selection, if the page has not taken the key
    window.type("# ")
    assert "\n    # return fibonacci" in window.saved()
