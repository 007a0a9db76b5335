"""What a user sees: the real screen. `AIGC_LSP_PICTURES=FOLDER` keeps pictures of it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from desk import REPOSITORY, Desk, wait_for
from nvim import install
from screen import Screen

SAMPLE = REPOSITORY / "tests" / "samples" / "shop.py"
LOOKS = """
vim.o.termguicolors, vim.o.number, vim.o.laststatus, vim.o.showmode, vim.o.ruler = true, true, 2, false, false
vim.o.statusline = " %f %m%=%{%v:lua.require'aigc'.statusline()%}  %l:%c "
"""


def test_the_screen(desk: Desk, binary: Path, version: str) -> None:
    install(desk, binary)
    settings = desk.home / "config" / "nvim" / "init.lua"
    settings.parent.mkdir(parents=True)
    settings.write_text("require('aigc').setup()\n" + LOOKS)
    path = desk.file("shop.py", SAMPLE.read_text())
    screen = Screen([str(binary), "shop.py"], desk.environment, desk.workspace, columns=92, rows=25)
    try:
        screen.wait_for("the status line", lambda text: "aigc" in text)
        desk.model_server()
        line = SAMPLE.read_text().split("\n").index("    def is_empty(self) -> bool:") + 1
        for keys in (f"{line}GzzO\x1b", "O\x1b"):  # a line that stays empty, and one above it
            screen.type(keys, pause=0.1)
        screen.type("0Di    def count(self) -> int:\rreturn sum(item.q")
        ghost = re.compile(r"return sum\(item\.quantity.*")
        shown = screen.wait_for("ghost text", lambda text: ghost.search(text) is not None)
        typed = ghost.findall(shown)[0]
        assert "aigc" in shown.split("\n")[-2]
        assert shown.split("\n")[-1].strip() == "", "Neovim, or we, complain of something"
        if folder := os.environ.get("AIGC_LSP_PICTURES"):
            screen.wait_for("rest", lambda text: "…" not in text.split("\n")[-2])
            screen.picture(Path(folder) / f"neovim-{version}.svg", f"Neovim {version}")
        screen.type("\t\x1b", pause=0.5)
        screen.type(":wqa\r")
        wait_for("it in the file", lambda: typed.rstrip() in path.read_text())
    finally:
        screen.close()
