"""The models on this machine, one directory each below a root:

    <root>/<name>/<sha256[:16]>.gguf    the source file, whole and verified; it is never there otherwise
    <root>/<name>/partial/              what an unfinished fetch has; the next one goes on from it
    <root>/<name>/packed-v2/            the converted model, sealed by its manifest

A model with an adapter has a packed directory of its own, and its base's source file.

Files appear under their final names by one rename, after the bytes were verified and flushed; a process
killed at any step leaves nothing that loads. Who writes holds the model's lock. Importing this loads
neither torch nor a network library, and no method but `fetch` touches the network.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from ..catalogue import Model, Source
from ..errors import FetchFailed, ModelDamaged, ModelMissing, UsageError
from . import packed, sources
from .sources import SourceFailed, size_of

State = Literal["absent", "partial", "fetched", "packed"]

_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` bytes in `phase`; `detail` says what is under way, fit for a status line."""

    phase: Literal["fetch", "convert", "load"]
    done: int
    total: int
    detail: str = ""


Report = Callable[[Progress], None]
Convert = Callable[[Path, Path], None]
"""Reads the source file (first path) and writes the packed files into the empty directory (second path)."""


def default_root() -> Path:
    chosen = os.environ.get("AIGC_LSP_MODELS_DIR")
    return Path(chosen) if chosen else platformdirs.user_cache_path("aigc-lsp") / "models"


class Store:
    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root()

    def source_path(self, model: Model) -> Path:
        return self.root / model.source_name / f"{model.sha256[:16]}.gguf"

    def packed_path(self, model: Model) -> Path:
        return self._directory(model) / f"packed-v{packed.FORMAT_VERSION}"

    @property
    def speed_path(self) -> Path:
        """Where the speed of this machine is kept (`engine.calibrate`)."""
        return self.root.parent / "speed.json"

    def state(self, model: Model) -> State:
        if self._damage(model) is None:
            return "packed"
        if self._has_source(model):
            return "fetched"
        return "partial" if size_of(self._partial_path(model)) else "absent"

    def disk_bytes(self, model: Model) -> int:
        return sum(path.lstat().st_size for path in self._directory(model).rglob("*") if path.is_file())

    def fetch(self, model: Model, report: Report, from_path: Path | None = None, offline: bool | None = None) -> Path:
        """The verified source file, fetched if it is not there, or copied from `from_path`.

        `offline` is what HF_HUB_OFFLINE says unless given. Raises `FetchFailed` where no source delivers or
        the disk is full, `ModelDamaged` where `from_path` is another file. What was fetched is kept.
        """
        if self._has_source(model):
            return self.source_path(model)
        with self._writing(model), self._locked(model, report):
            if self._has_source(model):
                return self.source_path(model)
            if from_path is not None:
                return self._copy(model, from_path, report)
            if _is_offline() if offline is None else offline:
                raise FetchFailed(
                    f"The model {model.name} is not on this machine, and the network is not to be used "
                    f"(HF_HUB_OFFLINE or an offline option is set). {_by_hand(model)}"
                )
            return self._download(model, report)

    def pack(self, model: Model, convert: Convert) -> Path:
        """The packed directory, converted from the source file if no sound one is there."""
        final = self.packed_path(model)
        if self._damage(model) is None:
            return final
        if not self._has_source(model):
            raise ModelMissing(_missing(model))
        with self._writing(model), self._locked(model, _ignore):
            if self._damage(model) is not None:
                self._convert(model, convert)
        return final

    def discard_damaged(self, model: Model) -> None:
        """Remove the packed directory, so that `pack` makes it anew, and the source file where it is not what it should
        be, so that `fetch` does."""
        with self._writing(model), self._locked(model, _ignore):
            shutil.rmtree(self.packed_path(model), ignore_errors=True)
            source = self.source_path(model)
            if source.is_file() and packed.sha256_of(source) != model.sha256:
                source.unlink()

    @contextlib.contextmanager
    def loading(self, model: Model) -> Iterator[bool]:
        """Around the loading of a model; true where the process that loaded it last died over it."""
        mark = self.root / ".locks" / f"{model.name}.loading"
        has_died = mark.exists()
        with contextlib.suppress(OSError):  # a folder that cannot be written to
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
        try:
            yield has_died
        finally:
            with contextlib.suppress(OSError):
                mark.unlink(missing_ok=True)

    def check_packed(self, model: Model) -> Path:
        """The packed directory if manifest and sizes are right, else `ModelMissing` or `ModelDamaged`."""
        final = self.packed_path(model)
        if not final.is_dir():
            raise ModelMissing(_missing(model))
        if found := self._damage(model):
            raise ModelDamaged(f"The model {model.name} is damaged: {found}. {_again(model)}")
        return final

    def verify(self, model: Model) -> list[str]:
        """Read every byte; one sentence for each problem, none where all is sound. Raises `ModelMissing`."""
        final, source = self.packed_path(model), self.source_path(model)
        found = []
        if source.is_file() and (digest := packed.sha256_of(source)) != model.sha256:
            found.append(f"{source} has the SHA-256 {digest} instead of {model.sha256}")
        if final.is_dir():
            found += packed.problems(final, model.packed_from, model.recipe)
        elif not source.is_file():
            raise ModelMissing(_missing(model))
        return [f"{problem}. {_again(model)}" for problem in found]

    def remove(self, model: Model) -> int:
        """Delete everything of the model, an unfinished fetch too; the number of bytes freed."""
        with self._locked(model, _ignore):
            freed = self.disk_bytes(model)
            shutil.rmtree(self._directory(model), ignore_errors=True)
            return freed - self.disk_bytes(model)

    def _download(self, model: Model, report: Report) -> Path:
        failures = []
        for source in model.sources:
            try:
                return self._download_from(source, model, report)
            except SourceFailed as error:
                failures.append(f"{sources.describe(source)} {error}.")
        raise FetchFailed(
            f"The model {model.name} could not be fetched. {' '.join(failures)} Check the network and the "
            f"proxy settings and run `aigc-lsp models pull {model.name}` again; it goes on where it stopped. "
            f"{_by_hand(model)}"
        )

    def _download_from(self, source: Source, model: Model, report: Report) -> Path:
        partial = self._partial_path(model)
        partial.parent.mkdir(parents=True, exist_ok=True)
        name = sources.describe(source)
        resumed = size_of(partial) > 0
        self._need(model, model.size - size_of(partial) + sources.spare_bytes(source))
        report(Progress("fetch", size_of(partial), model.size, name))
        sources.append(source, partial, model.size, lambda done: report(Progress("fetch", done, model.size, name)))
        digest = packed.sha256_of(partial)
        if digest == model.sha256:
            return self._install(model, partial)
        partial.unlink()
        if resumed:  # what was resumed may be at fault and not this source
            return self._download_from(source, model, report)
        raise SourceFailed(f"delivered a file with the SHA-256 {digest} instead of {model.sha256}")

    def _copy(self, model: Model, given: Path, report: Report) -> Path:
        if not given.is_file():
            raise UsageError(f"There is no file {given}; give the path of the model's GGUF file after --from.")
        self._need(model, given.stat().st_size)
        copy = self._partial_path(model).with_name("given")
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            with given.open("rb") as source, copy.open("wb") as target:
                while chunk := source.read(sources.CHUNK):
                    target.write(chunk)
                    report(Progress("fetch", target.tell(), given.stat().st_size, f"Copying {given}"))
            if (digest := packed.sha256_of(copy)) == model.sha256:
                return self._install(model, copy)
        finally:
            copy.unlink(missing_ok=True)
        raise ModelDamaged(
            f"{given} is not the file of the model {model.name}: its SHA-256 is {digest} and must be "
            f"{model.sha256}. Get the right file, or run `aigc-lsp models pull {model.name}` without --from."
        )

    def _install(self, model: Model, verified: Path) -> Path:
        final = self.source_path(model)
        packed.flush(verified)
        os.replace(verified, final)
        packed.flush(final.parent)
        shutil.rmtree(self._partial_path(model).parent, ignore_errors=True)
        return final

    def _convert(self, model: Model, convert: Convert) -> None:
        final = self.packed_path(model)
        fresh, old = final.with_name(f"{final.name}.new"), final.with_name(f"{final.name}.old")
        for left_behind in (fresh, old):
            shutil.rmtree(left_behind, ignore_errors=True)
        self._need(model, model.size * 5 // 4)  # the least that any file becomes
        fresh.mkdir(parents=True)
        try:
            convert(self.source_path(model), fresh)
            packed.seal(fresh, model.packed_from, model.recipe)
            if final.exists():
                final.rename(old)
            fresh.rename(final)
            packed.flush(final.parent)
            for outdated in final.parent.glob("packed-v*"):  # of an earlier version of this program
                if outdated not in (final, fresh, old):
                    shutil.rmtree(outdated, ignore_errors=True)
        finally:
            for left_behind in (fresh, old):
                shutil.rmtree(left_behind, ignore_errors=True)

    @contextlib.contextmanager
    def _locked(self, model: Model, report: Report) -> Iterator[None]:
        """One writer for each model. The lock lies outside the directory that `remove` deletes."""
        import filelock

        path = self.root / ".locks" / f"{model.source_name}.lock"  # with an adapter they share the source file
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            report(Progress("fetch", 0, model.size, "Waiting for another process that writes this model"))
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def _writing(self, model: Model) -> Iterator[None]:
        """Turns what the disk refuses into a message that says what to do."""
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                missing = max(0, model.size - size_of(self._partial_path(model)))
                raise FetchFailed(self._no_room(model, missing)) from error
            raise FetchFailed(
                f"The model {model.name} could not be written below {self.root}: {error}. Correct that, or "
                "name another directory in AIGC_LSP_MODELS_DIR."
            ) from error

    def _need(self, model: Model, needed: int) -> None:
        if self._free() < needed:
            raise FetchFailed(self._no_room(model, needed))

    def _no_room(self, model: Model, needed: int) -> str:
        free = self._free()
        return (
            f"The disk with {self.root} is full: the model {model.name} needs {needed:,} bytes more and "
            f"{free:,} are free. Make room, or name another directory in AIGC_LSP_MODELS_DIR, and run "
            f"`aigc-lsp models pull {model.name}` again; it goes on where it stopped."
        )

    def _free(self) -> int:
        there = next(path for path in (self.root, *self.root.absolute().parents) if path.exists())
        return shutil.disk_usage(there).free

    def _damage(self, model: Model) -> str | None:
        return packed.damage(self.packed_path(model), model.packed_from, model.recipe)

    def _has_source(self, model: Model) -> bool:
        return size_of(self.source_path(model)) == model.size

    def _directory(self, model: Model) -> Path:
        return self.root / model.name

    def _partial_path(self, model: Model) -> Path:
        return self.root / model.source_name / "partial" / f"{model.sha256[:16]}.gguf"


def _is_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").strip().lower() in ("1", "true", "yes", "on")


def _ignore(progress: Progress) -> None:
    pass


def _missing(model: Model) -> str:
    return f"The model {model.name} is not on this machine. Run `aigc-lsp models pull {model.name}`."


def _again(model: Model) -> str:
    return (
        f"Run `aigc-lsp models remove {model.name}` and then `aigc-lsp models pull {model.name}`; "
        f"the file that it fetches has the SHA-256 {model.sha256}."
    )


def _by_hand(model: Model) -> str:
    return (
        f"Or get the file in another way and run `aigc-lsp models pull {model.name} --from FILE`; "
        f"its SHA-256 must be {model.sha256}."
    )
