"""What a command that takes long shows on stderr meanwhile; nothing where that is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich import progress as bars
from rich.console import Console

from aigc_lsp.service.wire import Health
from aigc_lsp.weights.store import Progress

T = TypeVar("T")


class ProgressBar:
    """How far a model is that is fetched, converted or loaded."""

    def __init__(self) -> None:
        self._bar = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.DownloadColumn(),
            bars.TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task: bars.TaskID | None = None

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def report(self, progress: Progress) -> None:
        self._show(progress.detail or progress.phase, progress.done, progress.total)

    def report_health(self, health: Health) -> None:
        if health.phase in ("ready", "error"):
            return
        doing = {"fetch": "fetching", "convert": "converting", "load": "loading"}.get(health.phase, "starting")
        self._show(health.message or f"{doing} {health.model}", health.done, health.total)

    def _show(self, description: str, done: int, total: int) -> None:
        if self._task is None:
            self._task = self._bar.add_task(description)
        self._bar.update(self._task, description=description, completed=done, total=total or None)


def track(rows: Sequence[T], said: str) -> Iterable[T]:
    """`rows`, with a bar that says how far it is."""
    return bars.track(rows, said, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
