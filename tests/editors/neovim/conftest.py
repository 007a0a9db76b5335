"""Windows of a real Neovim, 0.11 and 0.12, with the plugin as `aigc-lsp editors install neovim` puts it there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk import Desk, program, wait_for
from nvim import Neovim, install

VERSIONS = ("0.11", "0.12")


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def binary(version: str) -> Path:
    return program(f"neovim-{version}", "bin/nvim")


@pytest.fixture
def window(binary: Path, desk: Desk) -> Iterator[Callable[..., Neovim]]:
    """`window(*files, setup=…)` opens one. In the end each ended well, with nothing wrong in its transcript."""
    install(desk, binary)
    windows: list[Neovim] = []

    def open_window(*files: Path, setup: str = "", init: str = "") -> Neovim:
        windows.append(Neovim(binary, desk, *files, setup=setup, init=init))
        return windows[-1]

    yield open_window
    try:
        for each in windows:
            messages = each.messages()
            each.quit()
            assert "Error" not in messages, messages
            assert "E5108" not in each.output.read_text(errors="replace")
        wait_for("the language servers' end", lambda: not desk.left_behind())
        for transcript in desk.transcripts():
            transcript.check()
        for log in desk.home.rglob("lsp.log"):
            assert "[ERROR]" not in log.read_text()
    finally:
        for each in windows:
            each.process.kill()
