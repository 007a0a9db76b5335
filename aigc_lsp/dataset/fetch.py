"""Source trees to learn from: folders on this machine, git repositories, packages of an index.

    PATH                        a folder
    URL.git, git@…              a repository, its newest commit alone
    NAME, pypi:NAME[==VERSION]  a source distribution
    npm:NAME[@VERSION]          what npm's package holds
    deb:NAME[=VERSION]          the publisher's source as apt-get has it, or what the package installs

All of it is read, none of it is built, installed or run: pip would run a source distribution's build backend to learn
its metadata, so `unearth` fetches those. The user's own mirrors and settings hold.

A version is fetched once. The newest is fetched each time, and where that fails the one of the last time is taken.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from aigc_lsp.dataset.indices import FETCH, Index, Wanted
from aigc_lsp.errors import FetchFailed, UsageError
from aigc_lsp.measure.projects import run

Say = Callable[[str], None]

_SPEC = re.compile(
    r"(?:(?P<index>pypi|npm|deb):)?(?P<name>(?:@[\w.-]+/)?\w[\w.+-]*)(?:(?:==|=|@)(?P<version>\w[\w.+:~!-]*))?"
)
_FOLDER = re.compile(r"(?P<name>.+?)[-_]v?(?P<version>\d[\w.+~]*)")
_LOCKS: dict[Path, threading.Lock] = {}


@dataclass(frozen=True, slots=True)
class Tree:
    """A source tree on this machine. `sha256` is the archive's, a commit's digest, or "" for a plain folder."""

    name: str
    index: Index
    version: str
    sha256: str
    root: Path

    @property
    def spec(self) -> str:
        """What fetches it again, in this version where its index has the old ones."""
        pinned = {"pypi": f"pypi:{self.name}=={self.version}", "npm": f"npm:{self.name}@{self.version}"}
        plain = {"folder": str(self.root), "git": self.name, "deb": f"deb:{self.name}"}
        return {**pinned, **plain}[self.index]


def default_folder() -> Path:
    return platformdirs.user_cache_path("aigc-lsp") / "sources"


def check(spec: str) -> None:
    """Raises `UsageError` where `spec` names no source; nothing is fetched."""
    if not os.path.isdir(spec):
        _wanted(spec)


def fetch(spec: str, into: Path, say: Say = lambda said: None) -> Tree:
    """The tree that `spec` names, fetched below `into`. Threads may ask for the same.

    Raises `UsageError` as `check` does, and `FetchFailed` for whatever else is wrong with a source.
    """
    if os.path.isdir(spec):
        return _folder(Path(spec).resolve())
    wanted = _wanted(spec)
    target = into / wanted.index / _name(wanted)
    with _LOCKS.setdefault(target, threading.Lock()):
        found = _kept(target)
        if found is None or not wanted.version:
            say(f"fetching {spec}")
            try:
                found = _fetched(wanted, target, found)
            except FetchFailed as error:
                if found is None:
                    raise
                say(f"{spec} is taken as of the last time: {error}")
    version, digest = found
    return Tree(wanted.name, wanted.index, version, digest, target / "tree")


def tracked(root: Path) -> frozenset[str] | None:
    """The files below `root` that its repository does not ignore, as paths with `/`; those of submodules are no part.

    None where `root` is no repository's, or git is not on this machine.
    """
    said = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return None if said is None else frozenset(said.split("\0")) - {""}


def _folder(root: Path) -> Tree:
    """A folder is named as it is; a version behind its name counts as one, a repository's is its commit."""
    commit = (_git(root, "rev-parse", "HEAD") or "").strip()
    found = _FOLDER.fullmatch(root.name)
    name, version = (found["name"], found["version"]) if found else (root.name, "")
    return Tree(name, "folder", commit or version, commit, root)


def _git(root: Path, *arguments: str) -> str | None:
    """What git says of the repository at `root`, None where it cannot; no program that its settings name is run."""
    if not (root / ".git").exists():
        return None
    try:
        return run("git", ["-c", "core.fsmonitor=false", *arguments], root, str(root))
    except FetchFailed:
        return None


def _wanted(spec: str) -> Wanted:
    if spec.endswith(".git") or spec.startswith(("git@", "git://", "https://", "ssh://", "file://")):
        return Wanted("git", spec, "")
    found = _SPEC.fullmatch(spec)
    if found is None:
        raise UsageError(
            f"{spec} is neither a folder nor a package; write PATH, a repository's URL, NAME, pypi:NAME==VERSION, "
            "npm:NAME@VERSION or deb:NAME."
        )
    index: Index = found["index"] or "pypi"  # type: ignore[assignment]
    return Wanted(index, found["name"], found["version"] or "")


def _name(wanted: Wanted) -> str:
    """A folder's, which no other has: in the words of two URLs the same may be left."""
    digest = hashlib.sha256(f"{wanted.name}\0{wanted.version}".encode()).hexdigest()
    return re.sub(r"[^\w.+-]", "-", f"{wanted.name[:80]}-{wanted.version or 'newest'}-{digest[:12]}")


def _kept(target: Path) -> tuple[str, str] | None:
    """Version and digest of the tree that was put there, None where none was."""
    try:
        version, digest = (target / "note").read_text("utf-8").split()
    except (OSError, ValueError):
        return None
    return (version, digest) if (target / "tree").is_dir() else None


def _fetched(wanted: Wanted, target: Path, kept: tuple[str, str] | None) -> tuple[str, str]:
    """Version and digest of what is at `target` now; if it is as before, it is left in place, for it may be in use."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as scratch:
            found = FETCH[wanted.index](wanted, Path(scratch))
            if found != kept:
                _put(Path(scratch), found, target)
    except (OSError, ValueError) as error:
        raise FetchFailed(f"{wanted.name} could not be fetched ({error}). Check the disk, or leave it out.") from error
    return found


def _put(scratch: Path, found: tuple[str, str], target: Path) -> None:
    """The tree and its note appear together, so that there is never half of them."""
    fresh = scratch / "fresh"
    fresh.mkdir()
    (scratch / "tree").rename(fresh / "tree")
    (fresh / "note").write_text(" ".join(found), encoding="utf-8")
    if target.exists():
        target.rename(scratch / "old")
    fresh.rename(target)
