"""Brings models onto this machine, fetched and converted, on a thread of its own, while others are served."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from aigc_lsp.catalogue import Model
from aigc_lsp.errors import ModelDamaged, ModelMissing
from aigc_lsp.weights.packed import sha256_of
from aigc_lsp.weights.store import Progress, Store

NICENESS = 10


class Preparing:
    def __init__(self, store: Store, download: bool, report: Callable[[Model, Progress], None]) -> None:
        self._store, self._download, self._report = store, download, report
        self._thread = ThreadPoolExecutor(1, "preparing", lower_priority)

    def start(self, model: Model, done: Callable[[Exception | None], None], *, damaged: bool = False) -> None:
        """Have `model` packed, made anew where it is `damaged`; `done` is called on the other thread, with what went
        wrong or None."""

        def work() -> None:
            try:
                if damaged:
                    self._store.discard_damaged(model)
                prepare(model, self._store, self._download, lambda progress: self._report(model, progress))
            except Exception as error:
                done(error)
            else:
                done(None)

        self._thread.submit(work)


def lower_priority() -> None:
    """For the calling thread and those that torch starts from it: the editor and the compiler go first. Not elsewhere
    than on Linux, where it would hold for the whole process, for ever."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def prepare(model: Model, store: Store, download: bool, report: Callable[[Progress], None]) -> Path:
    """The packed folder of `model`, fetched and converted first where that is still to do."""
    check_there(model, store, download)
    if store.state(model) != "packed":
        store.fetch(model, report)
        report(Progress("convert", 0, 0, f"converting {model.name}, once"))

    def convert(source: Path, target: Path) -> None:
        from aigc_lsp.engine.adapter import merge
        from aigc_lsp.engine.convert import convert_gguf

        adapter = model.adapter
        if adapter and sha256_of(adapter.file) != adapter.sha256:
            raise ModelDamaged(f"{adapter.file} has not the SHA-256 that the descriptor of {model.name} names.")
        merged = partial(merge, file=adapter.file, base=adapter.base, base_sha256=model.sha256) if adapter else None
        convert_gguf(source, target, model.control_tokens, model.packing, merged)

    return store.pack(model, convert)


def check_there(model: Model, store: Store, download: bool) -> None:
    """Raises `ModelMissing` where `model` is not on this machine and may not be fetched."""
    if not download and store.state(model) not in ("packed", "fetched"):
        raise ModelMissing(
            f"The model {model.name} is not on this machine. Run `aigc-lsp models pull {model.name}`, or set "
            "`download = true`."
        )
