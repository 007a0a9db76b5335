"""Where the model server is to be found, and which places are refused."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.service import place
from aigc_lsp.service.place import Address, Record

RECORD = {"pid": 1, "port": 1, "token": "", "network": ""}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a" / "run"
    monkeypatch.setenv("AIGC_LSP_RUNTIME_DIR", str(folder))
    # pytest's own folders may be too deep for a socket.
    monkeypatch.setattr(place, "MAX_SOCKET_PATH", len(os.fsencode(folder)) + 20)
    return folder


@pytest.fixture
def without_sockets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As where a path is too long for one."""
    monkeypatch.setattr(place, "MAX_SOCKET_PATH", 10)
    return folder


@pytest.fixture
def held(folder: Path) -> Iterator[None]:
    """A model server lives."""
    with FileLock(place.lock_path()):
        yield


def test_the_runtime_folder_is_made_private_and_holds_all(folder: Path) -> None:
    assert place.runtime_dir() == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    paths = {place.socket_path(), place.lock_path(), place.record_path()}
    assert len(paths) == 3
    assert {path.parent for path in paths if path is not None} == {folder}
    assert place.find() == Address(folder / "engine.sock")


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
    for asked in (place.runtime_dir, place.socket_path, place.lock_path, place.find, place.is_running):
        with pytest.raises(EngineUnavailable, match=r"another user.*AIGC_LSP_RUNTIME_DIR"):
            asked()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_path_too_long_for_a_socket_has_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "MAX_SOCKET_PATH", len(os.fsencode(folder / "engine.sock")))
    assert place.socket_path() == folder / "engine.sock"
    monkeypatch.setenv("AIGC_LSP_RUNTIME_DIR", str(folder) + "é")  # bytes count, not characters
    assert place.socket_path() is None


def test_a_platform_without_such_sockets_has_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(place.socket, "AF_UNIX")
    assert place.socket_path() is None


def test_a_port_is_found_by_the_record_of_one_that_lives(without_sockets: Path) -> None:
    with pytest.raises(EngineUnavailable, match="No model server"):
        place.find()
    place.write_record(Record(os.getpid(), 4711, "secret"))
    assert stat.S_IMODE(place.record_path().stat().st_mode) == 0o600
    with pytest.raises(EngineUnavailable, match="No model server"):
        place.find()  # nobody holds the lock: who listens on that port now may be anybody
    with FileLock(place.lock_path()):
        assert place.find() == Address(port=4711, token="secret")
        place.write_record(Record(os.getpid(), 4712, "other"))
        assert place.find() == Address(port=4712, token="other")
        place.record_path().write_text(json.dumps(RECORD | {"what a newer program may say": 1}))
        assert place.find() == Address(port=1)
    assert [path.name for path in sorted(without_sockets.iterdir())] == ["engine.json", "engine.lock"]


@pytest.mark.parametrize(
    "said",
    [
        *("", "{", "[]", "7", '{"pid": 1, "port": 1}'),
        *(json.dumps(RECORD | {"port": 0}), json.dumps(RECORD | {"port": "x"}), "directory"),
    ],
)
def test_a_record_that_makes_no_sense_is_none(without_sockets: Path, held: None, said: str) -> None:
    if said == "directory":
        place.record_path().mkdir()
    else:
        place.record_path().write_text(said)
    with pytest.raises(EngineUnavailable, match="No model server"):
        place.find()


def test_a_token_is_in_no_representation() -> None:
    assert "secret" not in repr(Address(port=1, token="secret")) + repr(Record(1, 2, "secret"))


@pytest.mark.parametrize("asked", [place.is_running, lambda: place.write_record(Record(1))])
def test_what_is_in_the_way_is_named(folder: Path, asked: object) -> None:
    place.lock_path().mkdir()
    place.record_path().mkdir()
    assert callable(asked)
    with pytest.raises(EngineUnavailable, match=r"engine\.(lock|json) cannot be used.*Remove what is in its way"):
        asked()
    assert sorted(path.name for path in folder.iterdir()) == ["engine.json", "engine.lock"]


def test_whoever_holds_the_lock_is_running(folder: Path) -> None:
    assert not place.is_running()
    assert place.lock_path().exists()  # that it is there says nothing
    assert not place.is_running()
    with FileLock(place.lock_path()):
        assert place.is_running()


def test_a_folder_that_cannot_be_made_is_a_sentence(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(EngineUnavailable, match="AIGC_LSP_RUNTIME_DIR"):
        place.runtime_dir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "a"))
    assert place.log_path().name == "engine.log"  # without a log, it works all the same


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
