"""The counts of this user, in one file that all language servers write.

    <state>/suggestions.json    the counts since ever, and those that the threshold is learnt from, which forget
    <state>/suggestions.lock    held while it is read, added to and replaced

`<state>` is AIGC_LSP_STATE_DIR, or the platform's folder for the state of programs. Each server adds what it has
counted since it last did, so nobody's counts are lost. The file is there whole or not at all; one that makes no sense
is set aside and begun anew.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aigc_lsp.feedback.counts import Counts, from_json, to_json, together
from aigc_lsp.feedback.threshold import forgetting

log = logging.getLogger(__name__)

VERSION = 1

LOCK_SECONDS = 5.0
"""Another server holds the lock for milliseconds; where it is longer, the disk hangs."""


@dataclass(frozen=True, slots=True)
class Ledger:
    total: Counts = field(default_factory=dict)
    recent: Counts = field(default_factory=dict)
    """What the threshold is learnt from: in each language as much as it remembers."""

    def plus(self, counts: Counts) -> Ledger:
        recent = together(self.recent, counts)
        return Ledger(
            together(self.total, counts), {language: forgetting(deciles) for language, deciles in recent.items()}
        )


def default_path() -> Path:
    if chosen := os.environ.get("AIGC_LSP_STATE_DIR"):
        return Path(chosen).expanduser() / "suggestions.json"
    import platformdirs

    return platformdirs.user_state_path("aigc-lsp") / "suggestions.json"


def read(path: Path) -> Ledger:
    """What has been counted. Raises OSError where the file cannot be read, ValueError where it makes no sense."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Ledger()
    try:
        return _from_json(json.loads(data))
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def add(path: Path, counts: Counts) -> Ledger:
    """Add `counts` to the file; what it says then. Raises OSError (a `filelock.Timeout` is one), with nothing added."""
    from filelock import FileLock

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS):
        ledger = _read_or_begin(path).plus(counts)
        _write(path, ledger)
    return ledger


def _read_or_begin(path: Path) -> Ledger:
    try:
        return read(path)
    except ValueError as error:
        aside = path.with_suffix(".broken")
        os.replace(path, aside)
        # The kind alone: what was in it is nobody's business.
        log.warning(
            "the counts of suggestions in %s make no sense (%s): set aside as %s", path, type(error).__name__, aside
        )
        return Ledger()


def _from_json(said: Any) -> Ledger:
    if not isinstance(said, dict) or said.get("version") != VERSION:
        raise ValueError("another version")
    return Ledger(from_json(said.get("total")), from_json(said.get("recent")))


def _write(path: Path, ledger: Ledger) -> None:
    said = {"version": VERSION, "total": to_json(ledger.total), "recent": to_json(ledger.recent)}
    import tempfile  # a few milliseconds that no editor waits for at its start

    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # 0600
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(said, file)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
