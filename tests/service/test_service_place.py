"""Where the model server is to be found, and which places are refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.service import place


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a" / "run"
    monkeypatch.setenv("AIGC_LSP_RUNTIME_DIR", str(folder))
    # pytest's own folders may be too deep for a socket.
    monkeypatch.setattr(place, "MAX_SOCKET_PATH", len(os.fsencode(folder)) + 20)
    return folder


def test_the_runtime_folder_is_made_private_and_holds_socket_and_lock(folder: Path) -> None:
    assert place.runtime_dir() == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert place.socket_path().parent == place.lock_path().parent == folder
    assert place.socket_path() != place.lock_path()


@pytest.mark.parametrize("mode", [0o777, 0o755, 0o710, 0o701])
def test_loose_modes_are_tightened(folder: Path, mode: int) -> None:
    folder.mkdir(parents=True)
    folder.chmod(mode)
    place.socket_path()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_another_users_folder_is_refused_and_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    for asked in (place.runtime_dir, place.socket_path, place.lock_path):
        with pytest.raises(EngineUnavailable, match=r"another user.*AIGC_LSP_RUNTIME_DIR"):
            asked()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_path_too_long_for_a_socket_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "MAX_SOCKET_PATH", len(os.fsencode(folder / "engine.sock")))
    assert place.socket_path() == folder / "engine.sock"
    monkeypatch.setenv("AIGC_LSP_RUNTIME_DIR", str(folder) + "é")  # bytes count, not characters
    with pytest.raises(EngineUnavailable, match=r"too long.*AIGC_LSP_RUNTIME_DIR"):
        place.socket_path()


def test_a_folder_that_cannot_be_made_is_a_sentence(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(EngineUnavailable, match="AIGC_LSP_RUNTIME_DIR"):
        place.runtime_dir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "a"))
    with pytest.raises(EngineUnavailable, match="log"):
        place.log_path()


def test_without_being_told_it_is_the_users_runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIGC_LSP_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(place, "_default", lambda: tmp_path / "user")
    assert place.runtime_dir() == tmp_path / "user"
    assert stat.S_IMODE((tmp_path / "user").stat().st_mode) == 0o700


def test_the_default_folder_warns_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    assert place._default().name == "aigc-lsp"
    assert not recwarn.list
