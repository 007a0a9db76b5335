"""`aigc-lsp editors install`: into the user's folders, whole, and never through a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aigc_lsp import editors_install as plugins
from aigc_lsp.errors import AigcError


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data; no editor is on the PATH."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "data"


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("editor", "main"), [("neovim", "lua/aigc/init.lua"), ("emacs", "aigc.el")])
def test_the_whole_plugin_and_nothing_of_an_older_one(data: Path, editor: str, main: str) -> None:
    assert plugins.steps(editor)
    assert not data.exists()
    for _ in range(2):
        said = plugins.install(editor)
        target = plugins.place(editor)
        assert target.is_relative_to(data)
        assert str(target) in said[0]
        assert main in files(target)
        assert "old.lua" not in files(target)
        assert list(target.parent.iterdir()) == [target]
        (target / "old.lua").touch()
    assert (target / main).read_text() == (plugins.shipped(editor) / main).read_text()


def test_a_link_is_somebody_elses(data: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    target = plugins.place("neovim")
    target.parent.mkdir(parents=True)
    target.symlink_to(mine)
    with pytest.raises(AigcError, match="is a link"):
        plugins.install("neovim")
    assert not list(mine.iterdir())


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_an_extension_goes_through_the_editor(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "shipped", lambda editor: tmp_path)
    said = "\n".join(plugins.install("vscode"))
    assert "npm run package" in said  # nothing is built yet
    (tmp_path / plugins.VSIX).touch()
    assert plugins.install("vscode") == [f"code --install-extension {tmp_path / plugins.VSIX}"]  # no editor is here
    program(tmp_path / "bin", "code", f'echo "$@" > {tmp_path}/asked')
    assert "installed" in plugins.install("vscode")[0]
    assert (tmp_path / "asked").read_text() == f"--install-extension {tmp_path / plugins.VSIX}{os.linesep}"
    program(tmp_path / "bin", "code", "echo too old >&2; exit 1")
    with pytest.raises(AigcError, match="too old"):
        plugins.install("vscode")
