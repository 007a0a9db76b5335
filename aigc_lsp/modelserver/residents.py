"""The models in memory: brought up beside one another where they fit, instead of one another where they do not, and
dropped when nobody has asked for long.

Only the engine's thread uses it; `names` and `kv_bytes` may be asked from anywhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aigc_lsp.catalogue import FROM_WEIGHTS, Model
from aigc_lsp.config import EngineConfig
from aigc_lsp.errors import ModelDamaged, NotEnoughMemory
from aigc_lsp.weights.packed import MANIFEST
from aigc_lsp.weights.store import Store

if TYPE_CHECKING:
    from aigc_lsp.engine.calibrate import Speed
    from aigc_lsp.engine.generate import Engine
    from aigc_lsp.engine.memory import Plan
    from aigc_lsp.engine.threads import ThreadCount

log = logging.getLogger(__name__)

TEMPLATE_FILE = "chat_template.jinja"


@dataclass(slots=True)
class Resident:
    """A model in memory."""

    model: Model
    engine: Engine
    speed: Speed
    device: str
    plan: Plan
    chat_template: str | None
    note: str = ""
    """What was given up for want of memory, as a sentence."""
    stamp: tuple[int, int] | None = None
    """Of the packed folder, as it was loaded."""
    used_at: float = field(default_factory=time.monotonic)


class Residents:
    def __init__(self, settings: EngineConfig, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._by_name: dict[str, Resident] = {}  # the least recently used first
        self._threads: ThreadCount | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    @property
    def latest(self) -> Resident | None:
        return next(reversed(self._by_name.values()), None)

    @property
    def kv_bytes(self) -> int:
        return sum(resident.engine.store.nbytes for resident in list(self._by_name.values()))

    def get(self, name: str) -> Resident | None:
        """The model, which counts as used now; None where it is not in memory."""
        resident = self._by_name.pop(name, None)
        if resident is not None:
            resident.used_at = time.monotonic()
            self._by_name[name] = resident
        return resident

    def __getitem__(self, name: str) -> Resident:
        """As `get`, of a model that is in memory. Raises `KeyError`."""
        if (resident := self.get(name)) is None:
            raise KeyError(name)
        return resident

    def drop_replaced(self, name: str) -> None:
        """Drop `name` where another is packed in its place now: it was trained further, or its descriptor is another.
        One that was only removed runs on as long as it is in memory."""
        resident = self._by_name.get(name)
        if resident is not None and (now := _stamp(self._store.packed_path(resident.model))) and now != resident.stamp:
            log.info("%s was replaced on the disk", name)
            del resident
            self.drop(name)

    def load(self, model: Model, profile: str | None = None, kv_bytes: int | None = None) -> Resident:
        """Bring up `model`, which is packed, in place of an earlier one of its name and of what does not fit beside it.
        `profile` and `kv_bytes` are the configured ones unless given.

        Raises `NotEnoughMemory`, and `ModelDamaged` where it is to be packed again.
        """
        self.drop(model.name)
        folder = self._store.check_packed(model)
        with self._store.loading(model) as has_died:
            if has_died:
                self._check_every_byte(model)
            stamp = _stamp(folder)
            resident = self._loaded(model, folder, profile, kv_bytes)
        resident.stamp = stamp
        self._by_name[model.name] = resident
        return resident

    def drop(self, name: str) -> None:
        if self._by_name.pop(name, None) is not None:
            give_back_memory()

    def drop_others(self, name: str) -> bool:
        """Drop all but `name`; whether there were any."""
        others = set(self._by_name) - {name}
        for other in others:
            self.drop(other)
        return bool(others)

    def drop_idle(self) -> list[str]:
        """Drop what nobody has asked for in `engine.idle_unload` seconds; their names."""
        if not self._settings.idle_unload:
            return []
        latest = time.monotonic() - self._settings.idle_unload
        idle = [name for name, resident in self._by_name.items() if resident.used_at <= latest]
        for name in idle:
            log.info("%s is idle and leaves memory", name)
            self.drop(name)
        return idle

    @property
    def seconds_to_idle(self) -> float | None:
        """Until `drop_idle` has something to do; None where it never has."""
        if not self._by_name or not self._settings.idle_unload:
            return None
        oldest = min(resident.used_at for resident in self._by_name.values())
        return max(0.0, oldest + self._settings.idle_unload - time.monotonic())

    def _loaded(self, model: Model, folder: Path, profile: str | None, kv_bytes: int | None) -> Resident:
        from aigc_lsp.engine.bring_up import bring_up
        from aigc_lsp.engine.threads import ThreadCount
        from aigc_lsp.engine.weights import pick_device

        settings = self._settings
        if self._threads is None:
            self._threads = ThreadCount(settings.threads) if settings.threads else ThreadCount.free_cores()
        device = pick_device(settings.device)
        plan = self._plan(folder, device, profile or settings.profile, kv_bytes or settings.kv_bytes)
        if plan.given_up:
            log.warning("%s", plan.given_up)
        engine, speed = bring_up(
            folder, device, plan.profile, plan.kv_bytes, self._threads, self._store.speed_path, model.sha256
        )
        return Resident(model, engine, speed, device, plan, _chat_template(model, folder), plan.given_up)

    def _plan(self, folder: Path, device: str, profile: str, kv_bytes: int) -> Plan:
        """What the model may take: beside the others where it need give nothing up for them, else in place of those
        that were used least recently."""
        from aigc_lsp.engine.memory import plan

        if self._by_name and (free := self._available(device)) is not None:
            # Nobody makes room for what does not fit alone either.
            plan(folder, kv_bytes, free + sum(each.plan.needed for each in self._by_name.values()), profile)
        while True:
            try:
                found = plan(folder, kv_bytes, self._available(device), profile)
            except NotEnoughMemory:
                if not self._by_name:
                    raise
            else:
                if not found.given_up or not self._by_name:
                    return found
            name = next(iter(self._by_name))
            log.info("%s makes room", name)
            self.drop(name)

    def _available(self, device: str) -> int | None:
        from aigc_lsp.engine.memory import available_bytes

        free, budget = available_bytes(device), self._settings.memory_bytes
        if not budget:
            return free
        left = budget - sum(resident.plan.needed for resident in self._by_name.values())
        return left if free is None else min(free, left)

    def _check_every_byte(self, model: Model) -> None:
        log.warning("the last load of %s did not end; every byte of it is checked", model.name)
        if problems := self._store.verify(model):
            raise ModelDamaged(problems[0])


def _stamp(folder: Path) -> tuple[int, int] | None:
    """Another for each time that the folder was packed; None where it is not there."""
    with contextlib.suppress(OSError):
        found = (folder / MANIFEST).stat()
        return found.st_ino, found.st_mtime_ns
    return None


def give_back_memory() -> None:
    """What is no longer used goes back to the system: 415 MB stay of 1,580 once the default model is dropped, and 337
    after glibc's own heap is trimmed, most of them torch itself."""
    gc.collect()  # engines and branches refer to one another
    with contextlib.suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)


def _chat_template(model: Model, folder: Path) -> str | None:
    if model.chat_template != FROM_WEIGHTS:
        return model.chat_template
    file = folder / TEMPLATE_FILE
    return file.read_text(encoding="utf-8") if file.is_file() else None
