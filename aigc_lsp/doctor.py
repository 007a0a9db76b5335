"""What `aigc-lsp doctor` looks at: everything that completions need, a `Check` for each, with what to do about it.

A check below says one thing, for the user, in a sentence or two. It is given what it judges; those that must look for
themselves may raise `AigcError` or `OSError`. `examine` runs them: fail or hang, each ends as a line and in time.
"""

from __future__ import annotations

import contextlib
import json
import platform
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, TypeVar

from aigc_lsp import __version__, catalogue
from aigc_lsp import config as settings
from aigc_lsp.config import Config, EngineConfig
from aigc_lsp.engine.probe import Machine
from aigc_lsp.errors import AigcError, EngineUnavailable, ModelDamaged
from aigc_lsp.service import place
from aigc_lsp.status import Status, look
from aigc_lsp.weights.store import Store

LIMIT_SECONDS = 20.0
"""For a check; to import torch from a cold disk takes the most."""
VERIFY_SECONDS = 900.0
"""For every byte of a model, on a slow disk."""

CONVERTED = 4.2
"""A converted model takes at most so many times its download's bytes; the shipped ones 2.7 and 4.1."""
SCARCE_BYTES = 200_000_000
"""Of free disk: logs and what was measured want some, too."""

LOG_TAIL_BYTES = 1 << 16
RECENT = timedelta(days=1)
"""An error in the log that is older has been dealt with, or does not matter."""

Level = Literal["ok", "warning", "problem"]
Found = tuple[Level, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    level: Level
    message: str


def examine(verify: bool = False) -> Iterator[Check]:
    """Every check that matters under the user's configuration, each as soon as it is done."""
    yield checked("packages", lambda: packages(metadata.requires("aigc-lsp") or ()))
    yield checked("configuration", lambda: configuration(*configured()[1:]))
    config = Config()
    with contextlib.suppress(Exception):  # the line above says it
        config = within(LIMIT_SECONDS, configured)[0]
    yield checked("runtime folder", runtime_folder)
    yield checked("log", lambda: log(place.log_path(), place.errors_path(), datetime.now()))
    if config.engine.url:
        yield checked("remote", lambda: remote(look(config)))
    else:
        yield from _of_this_machine(config, Store(), verify)


def _of_this_machine(config: Config, store: Store, verify: bool) -> Iterator[Check]:
    facts = _Facts(config, store)
    yield checked("model server", lambda: model_server(facts.status, config.engine.start, is_socket_left()))
    yield checked("model", lambda: model(facts.model, store, config.download))
    if verify:
        yield checked("model, every byte", lambda: every_byte(facts.model, store), VERIFY_SECONDS)
    yield checked("disk", lambda: disk(facts.model, store))
    loads = checked("torch", lambda: torch(facts.probed, config.engine))
    yield loads
    if loads.level != "problem":
        yield checked("processor", lambda: processor(facts.probed))
        yield checked("memory", lambda: memory(facts.probed, facts.status, config.model))


class _Facts:
    """What several checks look at, looked at once."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store = config, store

    @cached_property
    def model(self) -> catalogue.Model:
        return catalogue.load(self._config.model)

    @cached_property
    def status(self) -> Status:
        return look(self._config)

    @cached_property
    def probed(self) -> Machine:
        folder = None
        with contextlib.suppress(AigcError):
            folder = self._store.check_packed(self.model)
        return probe(self._config.engine, folder)


def checked(name: str, look_at: Callable[[], Found], seconds: float | None = None) -> Check:
    """The check, whatever becomes of it."""
    try:
        return Check(name, *within(seconds or LIMIT_SECONDS, look_at))
    except AigcError as error:
        return Check(name, "problem", str(error))
    except TimeoutError:
        return Check(name, "problem", "This took too long to look at: a disk, a network or the machine hangs.")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return Check(name, "problem", f"{where}{error.strerror or type(error).__name__}. Correct that.")
    except Exception as error:
        return Check(name, "problem", f"This could not be looked at ({type(error).__name__}). Please report it.")


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns or raises, or `TimeoutError`; it then goes on in a thread that nobody waits for."""
    outcome: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put((work(), None))
        except BaseException as error:
            outcome.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        value, error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return value


def packages(needed: Iterable[str]) -> Found:
    """`needed`: requirements as a package's metadata has them."""
    from packaging.requirements import Requirement

    wrong, right = [], 0
    for requirement in map(Requirement, needed):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{requirement} is missing")
            continue
        if requirement.specifier.contains(version, prereleases=True):
            right += 1
        else:
            wrong.append(f"{requirement} is needed and {version} is installed")
    if wrong:
        return "problem", f"{'; '.join(wrong)}. Install again: `{sys.executable} -m pip install --upgrade aigc-lsp`."
    return "ok", f"aigc-lsp {__version__} on Python {platform.python_version()}, with the {right} packages it needs."


def configured() -> tuple[Config, Path, tuple[str, ...]]:
    """The configuration, where its file is, and what is wrong with it."""
    layer, messages = settings.file_layer()
    resolved = settings.resolve(layer, settings.environment_layer())
    return resolved.config, settings.config_path(), (*messages, *resolved.messages)


def configuration(path: Path, messages: tuple[str, ...]) -> Found:
    if messages:
        return "warning", " ".join(messages)
    return "ok", f"{path}, nothing wrong." if path.exists() else f"No file {path}: the defaults hold."


def runtime_folder() -> Found:
    folder = place.runtime_dir()  # raises where it is another's
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0")
    if place.socket_path() is None:
        return (
            "ok",
            f"{folder} is yours alone. No socket can be there, so a port of this machine is used, with a token.",
        )
    return "ok", f"{folder} is yours alone."


def log(path: Path, errors: Path, now: datetime) -> Found:
    """Whether it can be written, and the last errors in it; they hold no source text."""
    with path.open("ab"):
        pass
    recent = now - RECENT
    said = [line[24:] for line in _tail(path) if " ERROR " in line[:60] and _time_of(line, now) >= recent]
    if errors.exists() and datetime.fromtimestamp(errors.stat().st_mtime) >= recent:
        said += [line for line in _tail(errors) if line.strip()][-1:]
    if said:
        return "warning", f"{path} has errors of today, the last: {said[-1].strip()[:300]}"
    return "ok", f"{path}, no error in the last day."


def _tail(path: Path) -> list[str]:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
        return file.read().decode("utf-8", "replace").splitlines()


def _time_of(line: str, now: datetime) -> datetime:
    """Of a line of the log; `now` where it does not say."""
    try:
        return datetime.fromisoformat(line[:19])
    except ValueError:
        return now


def model_server(status: Status, may_start: bool, is_socket_left: bool) -> Found:
    health = status.health
    if status.is_hung:
        return "problem", "One is there and gives no sign of life. `aigc-lsp stop` ends it; the next request starts it."
    if health is None:
        if may_start:
            left = " It replaces the socket that a killed one has left." if is_socket_left else ""
            return "ok", f"None runs; an editor starts one.{left}"
        return "warning", "None runs, and engine.start is false: start it with `aigc-lsp engine`."
    if health.phase == "error":
        return "problem", health.message
    if health.version != __version__:
        return "warning", (
            f"Process {health.pid} has version {health.version} and this is {__version__}. `aigc-lsp stop` ends it; "
            "the next request starts this one."
        )
    if status.differing:
        return "warning", (
            f"Process {health.pid} runs with other settings than are configured here ({', '.join(status.differing)}). "
            "`aigc-lsp stop` ends it; the next request starts it with these."
        )
    if health.note:
        return "warning", health.note
    return (
        "ok",
        f"Process {health.pid} answers; {health.model}: {'asleep' if health.phase == 'idle' else health.phase}.",
    )


def is_socket_left() -> bool:
    path = place.socket_path()
    return path is not None and path.exists()


def model(wanted: catalogue.Model, store: Store, may_fetch: bool) -> Found:
    state, megabytes = store.state(wanted), wanted.size / 1e6
    pull = f"`aigc-lsp models pull {wanted.name}`"
    if state == "packed":
        return "ok", f"{wanted.name} is here, {store.disk_bytes(wanted) / 1e6:,.0f} MB; licence {wanted.license}."
    if state == "fetched":
        return "ok", f"{wanted.name} is fetched. The first request converts it, in a minute or two; or {pull} does."
    if may_fetch:
        return "warning", f"{wanted.name} is not here yet. The model server fetches its {megabytes:,.0f} MB, or {pull}."
    return "problem", f"{wanted.name} is not here, and `download` is false. Run {pull}."


def every_byte(wanted: catalogue.Model, store: Store) -> Found:
    if problems := store.verify(wanted):
        raise ModelDamaged(problems[0])
    return "ok", f"{wanted.name} is as it was published and converted."


def disk(wanted: catalogue.Model, store: Store) -> Found:
    """Whether what is still to be fetched and converted has room."""
    there = next(folder for folder in (store.root, *store.root.absolute().parents) if folder.exists())
    free, needed = shutil.disk_usage(there).free, 0.0
    if (state := store.state(wanted)) != "packed":
        needed = CONVERTED * wanted.size + (0 if state == "fetched" else wanted.size - store.disk_bytes(wanted))
    sizes = f"{free / 1e6:,.0f} MB are free at {there}"
    if free < needed:
        return "problem", (
            f"{sizes}, and {wanted.name} needs about {needed / 1e6:,.0f} more. Make room, or name another folder in "
            "AIGC_LSP_MODELS_DIR."
        )
    if free < SCARCE_BYTES:
        return "warning", f"{sizes}. Make room."
    return "ok", f"{sizes}."


def probe(engine: EngineConfig, folder: Path | None) -> Machine:
    """What a process of its own finds out with torch. Raises `EngineUnavailable` where torch does not load."""
    asked: list[Any] = [
        engine.device,
        engine.profile,
        engine.kv_bytes,
        engine.memory_bytes,
        *([folder] if folder else []),
    ]
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "aigc_lsp.engine.probe", *map(str, asked)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=0.9 * LIMIT_SECONDS,  # so that it is ended before nobody waits for it any more
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error
    if done.returncode == 0:
        return Machine(**json.loads(done.stdout.splitlines()[-1]))
    if done.returncode < 0:
        reason = f"the process died of {signal.Signals(-done.returncode).name}"
    else:
        reason = (done.stderr.strip().splitlines() or ["it does not say why"])[-1]
    raise EngineUnavailable(
        f"torch does not load: {reason}. Install it again: `{sys.executable} -m pip install --force-reinstall torch`."
    )


def torch(probed: Machine, engine: EngineConfig) -> Found:
    if engine.device == "cuda" and not probed.has_cuda:
        return "problem", f"engine.device is cuda, and torch {probed.torch} finds no CUDA device. Set it to auto."
    return "ok", f"torch {probed.torch} loads; the model runs on {probed.device}."


def processor(probed: Machine) -> Found:
    quota = "" if probed.quota is None else f", of which a container's limit pays for {probed.quota:g}"
    said = f"{probed.cores} core(s){quota}; {probed.threads} thread(s) are used."
    if probed.device == "cpu" and min(probed.cores, probed.quota or probed.cores) < 2:
        return "warning", f"{said} Completions are slow on less than two: choose a small model or a server elsewhere."
    return "ok", said


def memory(probed: Machine, status: Status, name: str) -> Found:
    if status.health is not None and name in status.health.loaded:
        return "ok", f"{name} is in memory; the model server takes {status.health.resident_bytes / 1e6:,.0f} MB."
    if probed.refused:
        return "problem", probed.refused
    if probed.given_up:
        return "warning", probed.given_up
    free = (
        "nobody says how much is free" if probed.available is None else f"{probed.available / 1e6:,.0f} MB may be used"
    )
    return "ok", f"{free}; {name} takes {probed.needed / 1e6:,.0f}." if probed.needed else f"{free}."


def remote(status: Status) -> Found:
    health = status.health
    if health is None or health.phase == "error":
        return "problem", health.message if health is not None else status.message
    if health.note:
        return "warning", health.note
    return "ok", f"{status.url} answers{f', with the model {health.model}' if health.model else ''}."
