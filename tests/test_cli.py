"""The command line: what is wrong is one sentence on stderr and an exit code, never a traceback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import command_line
import pytest
from command_line import Ran

from aigc_lsp import __version__, catalogue
from aigc_lsp import config as settings

folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)


def process(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """The console command itself, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "aigc_lsp", *map(str, arguments)],
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


# complete


def test_complete_bad_targets(run, folder: Path) -> None:
    source = folder / "a.py"
    source.write_text("x = 1\nüber = 2\n")
    for target in (
        "",
        ":",
        "::",
        ":1:1",
        "a.py",
        "a.py:1",
        "a.py:1:",
        "a.py:one:1",
        "a.py:1:1.5",
        "a.py:-1:1",
        "a.py:1: 1",
        "a.py:٣:1",
        f"a.py:{'9' * 5000}:1",
        f"{source}:1:{'9' * 5000}",
    ):
        ran = run("complete", target) if not target.startswith("-") else run("complete", "--", target)
        assert ran.code == 2, target
        assert ran.out == ""
        assert ran.sentence


@pytest.mark.parametrize(
    ("place", "part"),
    [
        ("0:1", "no line 0"),
        ("4:1", "3 lines"),
        ("1:0", "COL must be from 1 to 6"),
        ("1:7", "COL must be from 1 to 6"),
        ("2:10", "COL must be from 1 to 9"),
        ("3:2", "COL must be from 1 to 1"),
    ],
)
def test_complete_places_outside(run, folder: Path, place: str, part: str) -> None:
    source = folder / "a.py"
    source.write_text("x = 1\nüber = 2\n")
    ran = run("complete", f"{source}:{place}")
    assert ran.code == 2
    assert part in ran.sentence


def test_complete_files_that_are_none(run, folder: Path) -> None:
    (folder / "binary.py").write_bytes(b"x = 1\n\0\1\2")
    (folder / "latin.py").write_bytes("x = 'é'\n".encode("latin-1"))
    (folder / "utf16.py").write_bytes("x = 1\n".encode("utf-16"))
    with open(folder / "large.py", "wb") as large:
        large.truncate(20_000_000)
    os.mkfifo(folder / "pipe.py")
    for name, part in (
        ("missing.py", "No such file"),
        ("missing/a.py", "No such file"),
        ("latin.py/a.py", "Not a directory"),
        (".", "directory"),
        ("binary.py", "binary"),
        ("latin.py", "UTF-8"),
        ("utf16.py", ""),
        ("large.py", "20,000,000"),
        ("pipe.py", "no regular file"),
        ("x" * 300, "too long"),
    ):
        ran = run("complete", f"{folder / name}:1:1")
        assert ran.code == 2, name
        assert part in ran.sentence, name
    for device in ("/dev/zero", "/dev/null"):
        assert run("complete", f"{device}:1:1").code == 2


def test_complete_an_unreadable_file(run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions do not stop root, who runs tests in containers, so the refusal is put in place."""
    source = folder / "a.py"
    source.write_text("x")

    def refuse(self: Path) -> bytes:
        if self == source:
            raise PermissionError(13, "Permission denied", str(self))
        return read(self)

    read = Path.read_bytes

    monkeypatch.setattr(Path, "read_bytes", refuse)
    ran = run("complete", f"{source}:1:1")
    assert ran.code == 2
    assert "Permission denied" in ran.sentence


def test_complete_without_a_model_server(run, folder: Path) -> None:
    source = folder / "a.py"
    source.write_text("x = ")
    ran = run("complete", f"{source}:1:5")
    assert ran.code == 1
    assert ran.out == ""
    assert "No model server" in ran.sentence


@pytest.mark.process
def test_complete_with_a_model_that_nobody_knows(folder: Path) -> None:
    """The whole way: a model server is started, and its word about the model reaches the user."""
    source = folder / "a.py"
    source.write_text("x = ")
    engine = {"AIGC_LSP_MODEL": "nope", "AIGC_LSP_ENGINE_START": "true"}
    try:
        done = process("complete", f"{source}:1:5", **engine)
        assert done.returncode == 1
        assert done.stdout == ""
        assert "nope" in done.stderr
        assert "The known models are" in done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == 1
    finally:
        stopped = process("stop")
    assert (stopped.returncode, stopped.stdout) == (0, "Stopped.\n")


# status, stop


def test_nothing_runs(run) -> None:
    assert run("status") == Ran(1, "No model server is running.\n", "")
    assert run("stop") == Ran(0, "No model server is running.\n", "")
    ran = run("status", "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["running"] is False


def test_a_stale_socket(run, folder: Path) -> None:
    """A model server was killed: its socket file is there, and nobody listens."""
    (folder / "run").mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "run" / "engine.sock"))
    assert run("status").out == "No model server is running.\n"
    assert run("stop").out == "No model server is running.\n"
    (folder / "run" / "engine.sock").unlink()
    (folder / "run" / "engine.sock").write_text("no socket at all")
    assert run("status").code == 1


def test_a_runtime_folder_that_cannot_be(run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").write_text("")
    source = folder / "a.py"
    source.write_text("x = ")
    for path in (folder / "file", folder / "file" / "run", Path("/proc/nope")):
        monkeypatch.setenv("AIGC_LSP_RUNTIME_DIR", str(path))
        for command in (("status",), ("stop",), ("complete", f"{source}:1:5")):
            ran = run(*command)
            assert ran.code == 1, (path, command)
            assert str(path) in ran.sentence


# models


def test_models_list(run) -> None:
    ran = run("models", "list", "--json")
    assert (ran.code, ran.err) == (0, "")
    rows = {row["name"]: row for row in json.loads(ran.out)}
    assert set(rows) == set(catalogue.names())
    default = rows[settings.Config().model]
    assert default["state"] == "absent"
    assert default["download_bytes"] > 100_000_000
    assert default["disk_bytes"] == 0
    assert [name for name, row in rows.items() if row["configured"]] == [default["name"]]
    table = run("models", "list").out
    assert all(name in table for name in rows)


@pytest.mark.parametrize("command", ["pull", "verify", "remove"])
@pytest.mark.parametrize("name", ["nope", "", "../x", "qwen2.5-coder-0.5b.toml", "*"])
def test_models_that_nobody_knows(run, command: str, name: str) -> None:
    ran = run("models", command, name)
    assert ran.code == 2
    assert "The known models are" in ran.sentence


def test_models_that_are_not_here(run) -> None:
    name = settings.Config().model
    assert run("models", "verify", name).code == 1
    ran = run("models", "remove", name)
    assert ran.code in (0, 1)


def test_pull_from_a_file_that_is_not_it(run, folder: Path) -> None:
    (folder / "model.gguf").write_bytes(b"not a model")
    for path in (folder / "model.gguf", folder / "missing.gguf", folder):
        ran = run("models", "pull", settings.Config().model, "--from", path)
        assert ran.code in (1, 2), path
        assert ran.err, path
        assert "Traceback" not in ran.err


# config, version, help


def test_config(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIGC_LSP_COMPLETION_MAX_LINES", "3")
    monkeypatch.setenv("AIGC_LSP_LOG_LEVEL", "loud")
    ran = run("config", "--json")
    assert ran.code == 0
    rows = {row["option"]: row for row in json.loads(ran.out)}
    assert set(rows) == {option.key for option in settings.options()}
    assert rows["completion.max_lines"]["value"] == 3
    assert rows["completion.max_lines"]["origin"] == "environment variable AIGC_LSP_COMPLETION_MAX_LINES"
    assert rows["log_level"]["value"] == "warning"
    plain = run("config")
    assert "completion.max_lines = 3" in plain.out
    assert "log_level must be" in plain.sentence


def test_a_broken_config_file_is_said_and_ignored(run, folder: Path) -> None:
    path = folder / "config" / "aigc-lsp" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("enabled = \n")
    ran = run("config")
    assert ran.code == 0
    assert f"{path}, line 1" in ran.sentence


def test_version() -> None:
    done = process("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"aigc-lsp {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [("nope",), ("complete",), ("complete", "a", "b"), ("--nope",), ("models", "nope"), ("status", "--nope")],
)
def test_wrong_commands(run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err


@pytest.mark.parametrize("arguments", [("-h",), ("--help",), ("complete", "-h"), ("models", "--help")])
def test_help(run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert ran.code == 0
    assert "Usage" in ran.out
