"""The extension in VS Code itself, with the real server and the real model: what one sees, and what one's keys do."""

from __future__ import annotations

import dataclasses
import json
import random
from typing import Any

import pytest
from code_server import FIBONACCI, Code, Open
from desk import wait_for

pytestmark = [pytest.mark.model, pytest.mark.timeout(200)]

CART = """interface Item {
  name: string;
  price: number;
  quantity: number;
}

export function total(items: Item[]): number {
  return items.reduce((sum, item) => sum + item.price * item.quantity, 0);
}

export function averagePrice(items: Item[]): number {
"""
SHAPES = """class Rectangle:
    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height

    def area(self) -> float:
        return self.width * self.height

    def perimeter(self) -> float:
"""


def test_python_is_completed_and_tab_takes_it(vscode: Code, opened: Open) -> None:
    window = opened("fibonacci.py", FIBONACCI)
    window.type("    return fib")
    ghost = window.wait_for_ghost(60)
    assert ghost.startswith("onacci(")
    window.press("Control+b")
    window.shot("ghost")
    window.press("Tab")
    assert window.saved() == FIBONACCI + "    return fib" + ghost
    transcript = vscode.desk.transcripts()[-1]
    accepted = [each for each in transcript.of("workspace/executeCommand") if each["command"] == "aigc.accepted"]
    assert len(accepted) == 1
    assert accepted[0]["arguments"][0]


def test_typescript_is_completed_and_taken_word_by_word_and_line_by_line(opened: Open) -> None:
    window = opened("cart.ts", CART)
    before = CART + "  return total("
    window.type("  return total(")
    ghost = window.wait_for_ghost(60)
    window.press("Control+ArrowRight")
    word = window.saved().removeprefix(before).rstrip(")")  # VS Code has closed the bracket itself
    assert word
    assert ghost.startswith(word)
    assert len(word) < len(ghost)
    rest = window.wait_for_ghost(10)
    assert ghost == word + rest
    window.press("Control+Alt+ArrowRight")
    first_line = rest.split("\n")[0]
    wait_for("the line", lambda: _is_in_order(word + first_line, window.saved().removeprefix(before)))


def cell(source: str) -> dict[str, object]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": [source]}


NOTEBOOK: dict[str, Any] = {
    "cells": [cell("def surface_of_pond(length, width):\n    return length * width * 0.78"), cell("")],
    "metadata": {"language_info": {"name": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def _is_in_order(wanted: str, text: str) -> bool:
    """Whether `text` has every character of `wanted`, in order: a suggestion leaves out what stands there."""
    left = iter(text)
    return all(each in left for each in wanted)


def test_what_is_typed_through_stays_and_escape_ends_it(opened: Open) -> None:
    window = opened("typed.py", FIBONACCI)
    window.type("    return fib")
    ghost = window.wait_for_ghost(60)
    window.type(ghost[:4])
    wait_for("the rest of it", lambda: window.ghost() == ghost[4:])
    window.press("Escape")
    wait_for("it to be gone", lambda: not window.ghost())


def test_choices_are_cycled_through(opened: Open) -> None:
    window = opened("shapes.py", SHAPES)
    window.type("        ")
    window.press("Alt+Backslash")
    first = window.wait_for_ghost(60)
    window.press("Alt+BracketRight")
    wait_for("another choice", lambda: window.ghost() not in ("", first), 60)
    window.press("Alt+BracketLeft")
    wait_for("the first again", lambda: window.ghost() == first)


def test_tab_indents_where_a_line_begins(opened: Open) -> None:
    """Whatever is suggested there: a Tab in the indentation is an indentation."""
    window = opened("indented.py", "def f(a):\n    if a:\n")
    window.press("Home", "Tab")
    text = window.saved()
    assert text.removesuffix("\n").rstrip(" ") == "def f(a):\n    if a:\n"
    assert text.endswith("    ")


def test_it_is_turned_off_and_on(opened: Open) -> None:
    window = opened("toggled.py", FIBONACCI)
    window.command("aigc: Turn Suggestions On or Off")
    window.wait_for_status("Inactive")
    window.to_the_end()
    window.type("    return fib")
    window.page.wait_for_timeout(2000)
    assert window.ghost() == ""
    window.command("aigc: Turn Suggestions On or Off for This Language")
    window.command("aigc: Turn Suggestions On or Off")
    window.wait_for_status("Inactive.*python")
    window.shot("off-for-python")
    window.command("aigc: Turn Suggestions On or Off for This Language")
    window.wait_for_status("Normal")
    window.to_the_end()
    window.type("o")
    assert window.wait_for_ghost(60).startswith("nacci(")


def test_the_model_server_is_killed_and_comes_back(vscode: Code, opened: Open) -> None:
    window = opened("killed.py", FIBONACCI)
    window.type("    return fib")
    window.wait_for_ghost(60)
    killed = vscode.desk.kill_model_server()
    window.wait_for_status("Warning|Error|Inactive", 30)
    window.shot("killed")
    window.type("o")
    window.wait_for_status("Normal")
    window.press("Backspace", "Backspace")
    window.type("b")
    assert window.wait_for_ghost(60).startswith("onacci(")
    assert vscode.desk.model_server() != killed


def test_a_docstring_is_written(opened: Open) -> None:
    window = opened("documented.py", "def ratio(total: int, count: int = 1) -> float:\n    return total / count\n")
    window.press("Control+Home", "Control+Alt+d")
    text = wait_for("the docstring", lambda: text if '"""' in (text := window.saved()) else "", 120)
    assert text.startswith('def ratio(total: int, count: int = 1) -> float:\n    """')
    assert text.endswith("\n    return total / count\n")
    assert "total" in text.split('"""')[1]
    assert "count" in text.split('"""')[1]


def test_the_light_bulb_offers_a_docstring(opened: Open) -> None:
    window = opened("acted.py", "def ratio(total: int, count: int = 1) -> float:\n    return total / count\n")
    window.press("Control+Home", "ArrowRight", "Control+.")
    window.page.locator(".action-widget .monaco-list-row.focused", has_text="Write docstring").wait_for()
    window.shot("light-bulb")
    window.press("Enter")
    wait_for("the docstring", lambda: '"""' in window.saved(), 120)


def test_the_server_has_the_text_of_the_editor_after_a_storm_of_edits(vscode: Code, opened: Open) -> None:
    window = opened("storm.py", 'a = "ä"\r\nb = [a, "😀"]\r\n\r\n\r\ndef f(x):\r\n    return x  # 🧑‍🚀\r\n')
    chance, keyboard = random.Random(8), window.page.keyboard
    moves = ("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "Control+ArrowLeft")
    edits = ("Enter", "Backspace", "Delete", "Tab", "Control+Shift+K", "Alt+ArrowDown", "Control+Enter", "Control+z")
    texts = ("😀", "é", "x = (", "\n# 🧑‍🚀 zwei\n", "𝔸", "def g():\r\n    pass\r\n", "'", "   ", "\t")
    for _ in range(150):
        match chance.random():
            case r if r < 0.35:
                keyboard.press(chance.choice(moves))
            case r if r < 0.65:
                keyboard.press(chance.choice(edits))
            case r if r < 0.9:
                keyboard.insert_text(chance.choice(texts))
            case _:
                keyboard.press("Control+Shift+Alt+ArrowDown")  # a second cursor
                keyboard.insert_text("ß😀")
                keyboard.press("Escape")
    text = window.saved()
    assert "\r\n" in text
    assert "😀" in text
    wait_for("the server to have it", lambda: vscode.desk.server_text(window.path) == text)


def test_a_cell_of_a_notebook_is_completed_with_the_others_in_view(vscode: Code, opened: Open) -> None:
    book = vscode.desk.file("book.ipynb", json.dumps(NOTEBOOK))
    window = dataclasses.replace(opened("beside.py", ""), path=book)
    window.page.dblclick(".explorer-folders-view .monaco-list-row[aria-label^='book.ipynb']")
    window.page.click(".cell-list-container .monaco-editor .view-lines >> nth=1")
    window.press("Control+End")
    window.type("areas = [surface_of")
    window.press("Alt+Backslash")  # by hand: it need not be sure
    ghost = window.wait_for_ghost(60)
    assert ghost.startswith("_pond(")  # as the first cell has it
    window.shot("notebook")
    window.press("Tab")
    first, second = ("".join(cell["source"]) for cell in json.loads(window.saved())["cells"])
    assert first == "".join(NOTEBOOK["cells"][0]["source"])
    assert _is_in_order("areas = [surface_of" + ghost, second)
    told = vscode.desk.transcripts()[-1]
    assert len(told.of("notebookDocument/didOpen")) == 1
    assert 1 in [asked["context"]["triggerKind"] for asked in told.of("textDocument/inlineCompletion")]
