"""`aigc-lsp doctor`: each check one by one, and that it ends with a line for each whatever happens."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import command_line
import pytest
from command_line import Run

from aigc_lsp import __version__, catalogue, doctor
from aigc_lsp.config import Config, EngineConfig
from aigc_lsp.doctor import Check
from aigc_lsp.engine.probe import Machine
from aigc_lsp.errors import EngineUnavailable, ModelDamaged, ModelMissing
from aigc_lsp.service import place
from aigc_lsp.service.wire import Health
from aigc_lsp.status import Status
from aigc_lsp.weights.store import Store

MODEL = catalogue.load(Config().model)
MACHINE = Machine("2.9", "cpu", False, cores=4, threads=4, quota=None, available=8_000_000_000)
READY = Health("ready", MODEL.name, loaded=(MODEL.name,), pid=7, version=__version__, resident_bytes=900_000_000)
NOW = datetime(2026, 3, 4, 12, 0, 0)


folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)


# Whatever a check does


def test_what_a_check_says_is_its_line() -> None:
    assert doctor.checked("disk", lambda: ("warning", "Make room.")) == Check("disk", "warning", "Make room.")


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (EngineUnavailable("The folder is another's."), "The folder is another's."),
        (PermissionError(13, "Permission denied", "/some/where"), "/some/where: Permission denied"),
        (ZeroDivisionError("secret"), "ZeroDivisionError"),
    ],
)
def test_a_check_that_fails_is_a_problem(error: Exception, part: str) -> None:
    def fail() -> Any:
        raise error

    found = doctor.checked("disk", fail)
    assert (found.name, found.level) == ("disk", "problem")
    assert part in found.message
    assert "secret" not in found.message


def test_a_check_that_hangs_is_a_problem() -> None:
    forever = threading.Event()
    found = doctor.checked("disk", lambda: ("ok", str(forever.wait())), seconds=0.05)
    forever.set()
    assert (found.level, found.name) == ("problem", "disk")
    assert "too long" in found.message


# The checks


def test_packages() -> None:
    assert doctor.packages(["pytest>=1", 'no-such-package; extra == "test"'])[0] == "ok"
    level, said = doctor.packages(["pytest>=1", "pytest<1", "no-such-package>=2"])
    assert level == "problem"
    assert "pytest<1 is needed and" in said
    assert "no-such-package>=2 is missing" in said
    assert "pytest>=1" not in said


def test_configuration(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "config" / "aigc-lsp" / "config.toml"
    assert doctor.configuration(*doctor.configured()[1:]) == ("ok", f"No file {file}: the defaults hold.")
    file.parent.mkdir(parents=True)
    file.write_text("enabled = true\n")
    assert doctor.configuration(*doctor.configured()[1:]) == ("ok", f"{file}, nothing wrong.")
    file.write_text("enabled = \n")
    monkeypatch.setenv("AIGC_LSP_LOG_LEVEL", "loud")
    level, said = doctor.configuration(*doctor.configured()[1:])
    assert level == "warning"
    assert f"{file}, line 1" in said
    assert "log_level must be" in said


def test_the_runtime_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.runtime_folder() == ("ok", f"{folder / 'run'} is yours alone.")
    assert (folder / "run").stat().st_mode & 0o777 == 0o700
    assert not list((folder / "run").iterdir())
    deep = folder / ("x" * 120)
    monkeypatch.setenv("AIGC_LSP_RUNTIME_DIR", str(deep))
    level, said = doctor.runtime_folder()
    assert (level, "port" in said) == ("ok", True)
    (folder / "file").write_text("")
    monkeypatch.setenv("AIGC_LSP_RUNTIME_DIR", str(folder / "file"))
    with pytest.raises((EngineUnavailable, OSError)):
        doctor.runtime_folder()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away")
def test_the_runtime_folder_of_another_user(folder: Path) -> None:
    (folder / "run").mkdir()
    os.chown(folder / "run", 12345, 12345)
    with pytest.raises(EngineUnavailable, match="another user"):
        doctor.runtime_folder()


def line(ago: timedelta, level: str, message: str) -> str:
    return f"{NOW - ago:%Y-%m-%d %H:%M:%S},123 4711 {level} aigc_lsp.modelserver.host: {message}\n"


def test_the_log(folder: Path) -> None:
    path, errors = folder / "engine.log", folder / "engine.err"
    assert doctor.log(path, errors, NOW)[0] == "ok"
    assert path.exists()
    hour, week = timedelta(hours=1), timedelta(days=7)
    path.write_text(line(week, "ERROR", "long ago") + line(hour, "INFO", "an ERROR in words") + "  not a line\n")
    assert doctor.log(path, errors, NOW)[0] == "ok"
    with path.open("a") as log:
        log.write(line(hour, "ERROR", "the first") + line(hour, "ERROR", "the last") + line(hour, "INFO", "stopped"))
    level, said = doctor.log(path, errors, NOW)
    assert level == "warning"
    assert said.endswith("the last")
    errors.write_text("Fatal Python error: Segmentation fault\n\n")
    os.utime(errors, (NOW.timestamp(), NOW.timestamp()))
    assert doctor.log(path, errors, NOW)[1].endswith("Segmentation fault")
    os.utime(errors, ((NOW - week).timestamp(), (NOW - week).timestamp()))
    assert doctor.log(path, errors, NOW)[1].endswith("the last")


def test_only_the_end_of_a_long_log_is_read(folder: Path) -> None:
    path = folder / "engine.log"
    hour = timedelta(hours=1)
    path.write_text(line(hour, "ERROR", "the first") + line(hour, "INFO", "x") * 3000)
    assert doctor.log(path, folder / "none", NOW)[0] == "ok"


def test_a_log_that_cannot_be_written(folder: Path) -> None:
    with pytest.raises(OSError, match=r"[Dd]irectory"):
        doctor.log(folder, folder / "none", NOW)


@pytest.mark.parametrize(
    ("status", "level", "part"),
    [
        (Status(), "ok", "None runs; an editor starts one."),
        (Status("", READY, "", True), "ok", f"Process 7 answers; {MODEL.name}: ready."),
        (Status("", replace(READY, phase="idle"), "", True), "ok", "asleep"),
        (Status(is_running=True), "problem", "`aigc-lsp stop`"),
        (Status("", replace(READY, stalled_s=60.0), "", True), "problem", "`aigc-lsp stop`"),
        (
            Status("", replace(READY, phase="error", message="The disk is full."), "", True),
            "problem",
            "The disk is full.",
        ),
        (Status("", replace(READY, version="0.0.1"), "", True), "warning", f"0.0.1 and this is {__version__}"),
        (Status("", READY, "", True, None, {"engine.threads": (1, 2)}), "warning", "engine.threads"),
        (Status("", replace(READY, note="Memory is short."), "", True), "warning", "Memory is short."),
    ],
)
def test_the_model_server(status: Status, level: str, part: str) -> None:
    found = doctor.model_server(status, True, False)
    assert found[0] == level
    assert part in found[1]


def test_no_model_server_where_none_may_be_started() -> None:
    level, said = doctor.model_server(Status(), False, False)
    assert (level, "engine.start" in said) == ("warning", True)


def test_a_socket_that_a_killed_one_left(folder: Path) -> None:
    assert not doctor.is_socket_left()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place.socket_path()))
    assert doctor.is_socket_left()
    assert "socket" in doctor.model_server(Status(), True, True)[1]


class SomeStore(Store):
    """Holds what the test says."""

    def __init__(self, root: Path, state: str, held: int = 0, problems: list[str] | None = None) -> None:
        super().__init__(root)
        self._state, self._held, self._problems = state, held, problems

    def state(self, model: catalogue.Model) -> Any:
        return self._state

    def disk_bytes(self, model: catalogue.Model) -> int:
        return self._held

    def verify(self, model: catalogue.Model) -> list[str]:
        if self._problems is None:
            raise ModelMissing("It is not here.")
        return self._problems


@pytest.mark.parametrize(
    ("state", "may_fetch", "level", "part"),
    [
        ("packed", False, "ok", f"licence {MODEL.license}"),
        ("fetched", False, "ok", "converts it"),
        ("absent", True, "warning", f"`aigc-lsp models pull {MODEL.name}`"),
        ("partial", True, "warning", f"`aigc-lsp models pull {MODEL.name}`"),
        ("absent", False, "problem", f"`aigc-lsp models pull {MODEL.name}`"),
    ],
)
def test_the_model(tmp_path: Path, state: str, may_fetch: bool, level: str, part: str) -> None:
    found = doctor.model(MODEL, SomeStore(tmp_path, state), may_fetch)
    assert found[0] == level
    assert part in found[1]


def test_every_byte_of_the_model(tmp_path: Path) -> None:
    assert doctor.every_byte(MODEL, SomeStore(tmp_path, "packed", problems=[]))[0] == "ok"
    with pytest.raises(ModelDamaged, match="a byte is wrong"):
        doctor.every_byte(MODEL, SomeStore(tmp_path, "packed", problems=["a byte is wrong."]))


@pytest.mark.parametrize(
    ("state", "held", "free", "level"),
    [
        ("packed", 0, 300_000_000, "ok"),
        ("packed", 0, 100_000_000, "warning"),
        ("fetched", MODEL.size, 5 * MODEL.size, "ok"),
        ("fetched", MODEL.size, 4 * MODEL.size, "problem"),
        ("absent", 0, 6 * MODEL.size, "ok"),
        ("absent", 0, 5 * MODEL.size, "problem"),
        ("partial", MODEL.size // 2, 5 * MODEL.size, "ok"),
    ],
)
def test_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, held: int, free: int, level: str
) -> None:
    asked = []

    def usage(path: Path) -> Any:
        asked.append(path)
        return shutil._ntuple_diskusage(10**12, 0, free)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    root = tmp_path / "not" / "there"
    found = doctor.disk(MODEL, SomeStore(root, state, held))
    assert found[0] == level
    assert asked == [tmp_path]
    assert (MODEL.name in found[1]) == (level == "problem")


def script(folder: Path, text: str) -> str:
    """An executable instead of Python's."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


def test_torch_that_does_not_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text, part in (
        ("kill -ILL $$", "SIGILL"),
        ("echo 'OSError: libgomp.so.1 is missing' >&2; exit 1", "libgomp.so.1 is missing"),
        ("exit 1", "does not say why"),
    ):
        monkeypatch.setattr(sys, "executable", script(tmp_path, text))
        with pytest.raises(EngineUnavailable, match="Install it again") as error:
            doctor.probe(EngineConfig(), None)
        assert part in str(error.value)


def test_torch_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", script(tmp_path, "exec sleep 60"))
    monkeypatch.setattr(doctor, "LIMIT_SECONDS", 0.2)
    with pytest.raises(TimeoutError):
        doctor.probe(EngineConfig(), None)


@pytest.mark.process
def test_the_probe_itself(tmp_path: Path) -> None:
    found = doctor.probe(EngineConfig(device="cpu", memory_bytes=1 << 20), None)
    assert found.available == 1 << 20
    assert found.needed == 0
    (tmp_path / "packed.safetensors").write_bytes(bytes(1000))
    refused = doctor.probe(EngineConfig(device="cpu", memory_bytes=1 << 20), tmp_path).refused
    assert "free memory" in refused
    given_up = doctor.probe(EngineConfig(device="cpu", memory_bytes=300 << 20), tmp_path).given_up
    assert "KV cache" in given_up


def test_the_device() -> None:
    assert doctor.torch(MACHINE, EngineConfig())[0] == "ok"
    assert doctor.torch(MACHINE, EngineConfig(device="cuda"))[0] == "problem"
    assert doctor.torch(replace(MACHINE, device="cuda", has_cuda=True), EngineConfig(device="cuda"))[0] == "ok"


@pytest.mark.parametrize(
    ("machine", "level"),
    [
        (MACHINE, "ok"),
        (replace(MACHINE, quota=2.0), "ok"),
        (replace(MACHINE, quota=0.5), "warning"),
        (replace(MACHINE, cores=1), "warning"),
        (replace(MACHINE, cores=1, device="cuda"), "ok"),
    ],
)
def test_the_processor(machine: Machine, level: str) -> None:
    assert doctor.processor(machine)[0] == level


def test_memory() -> None:
    assert doctor.memory(MACHINE, Status(), MODEL.name) == ("ok", "8,000 MB may be used.")
    needy = replace(MACHINE, needed=2_000_000_000)
    assert doctor.memory(needy, Status(), MODEL.name)[1].endswith(f"{MODEL.name} takes 2,000.")
    assert doctor.memory(replace(MACHINE, available=None), Status(), MODEL.name)[0] == "ok"
    assert doctor.memory(replace(MACHINE, given_up="Less."), Status(), MODEL.name) == ("warning", "Less.")
    refusing = replace(MACHINE, refused="Close other programs.")
    assert doctor.memory(refusing, Status(), MODEL.name) == ("problem", "Close other programs.")
    level, said = doctor.memory(refusing, Status("", READY, "", True), MODEL.name)
    assert (level, "900 MB" in said) == ("ok", True)


@pytest.mark.parametrize(
    ("status", "level", "part"),
    [
        (Status("http://there", Health("ready", "m")), "ok", "http://there answers, with the model m."),
        (Status("http://there", Health("ready", "m", note="Unencrypted.")), "warning", "Unencrypted."),
        (Status("http://there", Health("error", "m", message="It has no model.")), "problem", "It has no model."),
        (Status("http://there", None, "It refuses the token."), "problem", "It refuses the token."),
    ],
)
def test_a_server_elsewhere(status: Status, level: str, part: str) -> None:
    assert doctor.remote(status) == (level, part)


# The command


NAMES = ["packages", "configuration", "runtime folder", "log", "model server", "model", "disk", "torch"]


@pytest.mark.process
def test_on_a_fresh_machine(folder: Path, run: Run, monkeypatch) -> None:
    """Nothing is there yet, and nothing is wrong with that: an editor will see to it."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**12, 0, 10**11))
    ran = run("doctor")
    assert ran.code == 0, ran.out
    assert [line[9:24].strip() for line in ran.out.splitlines()] == [*NAMES, "processor", "memory"]
    assert "warning  model " in ran.out
    assert not (folder / "cache").exists()
    assert not (folder / "run" / "engine.sock").exists()


def test_where_everything_fails(folder: Path, run: Run, monkeypatch) -> None:
    """Also then a line for each, and no process is waited for."""
    (folder / "file").write_text("")
    monkeypatch.setenv("AIGC_LSP_RUNTIME_DIR", str(folder / "file"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "file"))
    monkeypatch.setenv("AIGC_LSP_MODEL", "nope")
    monkeypatch.setattr(sys, "executable", script(folder, "kill -SEGV $$"))
    ran = run("doctor", "--json")
    assert ran.code == 1
    found = json.loads(ran.out)
    assert found["ok"] is False
    assert [check["name"] for check in found["checks"]] == NAMES
    levels = {check["name"]: check["level"] for check in found["checks"]}
    assert {name for name, level in levels.items() if level == "problem"} == {
        "runtime folder", "log", "model server", "model", "disk", "torch",
    }  # fmt: skip
    assert all(check["message"].endswith((".", ")")) for check in found["checks"]), found


def test_with_a_server_elsewhere_the_model_here_does_not_matter(folder: Path, run: Run, monkeypatch) -> None:
    monkeypatch.setenv("AIGC_LSP_ENGINE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AIGC_LSP_ENGINE_TOKEN_ENV", "AIGC_NO_SUCH_TOKEN")
    ran = run("doctor")
    assert ran.code == 1
    assert [line[9:24].strip() for line in ran.out.splitlines()] == [*NAMES[:4], "remote"]
    assert "AIGC_NO_SUCH_TOKEN" in ran.out


def test_verify_reads_every_byte(folder: Path, run: Run, monkeypatch) -> None:
    monkeypatch.setattr(sys, "executable", script(folder, "exit 1"))
    monkeypatch.setattr(doctor, "every_byte", lambda model, store: ("problem", f"{model.name} is damaged."))
    ran = run("doctor", "--verify")
    assert ran.code == 1
    assert f"problem  model, every byte {MODEL.name} is damaged." in ran.out
