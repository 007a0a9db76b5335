"""Source trees to learn from: folders on this machine, git repositories, packages of an index.

    PATH                        a folder
    URL.git, git@…              a repository, its newest commit alone
    NAME, pypi:NAME[==VERSION]  a source distribution
    npm:NAME[@VERSION]          what npm's package holds
    deb:NAME[=VERSION]          the publisher's source as apt-get has it, or what the package installs

All of it is read, none of it is built, installed or run: pip would run a source distribution's build backend to learn
its metadata, so `unearth` fetches those. The user's own mirrors and settings hold.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from aigc_lsp.errors import FetchFailed, UsageError
from aigc_lsp.measure.holes import source_files
from aigc_lsp.measure.projects import unpack

FETCH_SECONDS = 180.0
Index = Literal["folder", "git", "pypi", "npm", "deb"]

_SPEC = re.compile(r"(?:(?P<index>pypi|npm|deb):)?(?P<name>@?[\w][\w.+/-]*)(?:(?:==|=|@)(?P<version>[\w][\w.+:~-]*))?")
_FOLDER = re.compile(r"(?P<name>.+?)[-_]v?(?P<version>\d[\w.+~]*)")


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


@dataclass(frozen=True, slots=True)
class _Wanted:
    index: Index
    name: str
    version: str


def default_folder() -> Path:
    return platformdirs.user_cache_path("aigc-lsp") / "sources"


def fetch(spec: str, into: Path, say: Callable[[str], None] = lambda said: None) -> Tree:
    """The tree that `spec` names, fetched below `into` where it is not there. Raises `UsageError`, `FetchFailed`."""
    if spec and Path(spec).is_dir():
        return _folder(Path(spec).resolve())
    wanted = _wanted(spec)
    target = into / wanted.index / re.sub(r"[^\w.+-]", "-", f"{wanted.name}-{wanted.version or 'newest'}")
    note = target.with_name(f"{target.name}.sha256")
    if not (target.is_dir() and note.is_file()):
        say(f"fetching {spec}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as scratch:
            version, digest = _FETCH[wanted.index](wanted, Path(scratch))
            shutil.rmtree(target, ignore_errors=True)
            Path(scratch, "tree").rename(target)
            note.write_text(f"{version} {digest}\n")
    version, digest = note.read_text().split()
    return Tree(wanted.name, wanted.index, version, digest, target)


def _folder(root: Path) -> Tree:
    """A folder is named as it is; a version behind its name counts as one."""
    commit = ""
    if (root / ".git").exists():
        commit = _run(["git", "-C", str(root), "rev-parse", "HEAD"], root).strip()
    found = _FOLDER.fullmatch(root.name)
    name, version = (found["name"], found["version"]) if found else (root.name, "")
    return Tree(name, "git" if commit else "folder", commit or version, commit, root)


def _wanted(spec: str) -> _Wanted:
    if spec.endswith(".git") or spec.startswith(("git@", "git://", "https://", "ssh://", "file://")):
        return _Wanted("git", spec, "")
    found = _SPEC.fullmatch(spec)
    if found is None or spec.startswith((".", "/", "~")):
        raise UsageError(
            f"{spec} is neither a folder nor a package; write PATH, a repository's URL, NAME, pypi:NAME==VERSION, "
            "npm:NAME@VERSION or deb:NAME."
        )
    index: Index = found["index"] or "pypi"  # type: ignore[assignment]
    return _Wanted(index, found["name"], found["version"] or "")


def _from_pypi(wanted: _Wanted, scratch: Path) -> tuple[str, str]:
    from unearth import PackageFinder

    said = _run([sys.executable, "-P", "-m", "pip", "config", "get", "global.index-url"], scratch, may_fail=True)
    own = os.environ.get("PIP_INDEX_URL") or said.strip()
    finder = PackageFinder(index_urls=[own] if own else [], no_binary=[wanted.name], ignore_compatibility=True)
    try:
        wish = f"{wanted.name}=={wanted.version}" if wanted.version else wanted.name
        best = finder.find_best_match(wish, allow_prereleases=bool(wanted.version)).best
        if best is None or best.link.is_wheel:
            raise FetchFailed(f"The index has no source distribution of {wish}. Check the name, or leave it out.")
        archive = Path(finder.download(best.link, scratch, hashes=_hashes(best.link.hashes)))
        digest = _digest(archive)
        _unpacked(archive, scratch / "tree")
    except FetchFailed:
        raise
    except Exception as error:  # the library's own and its client's, which share no base
        raise FetchFailed(
            f"{wanted.name} could not be fetched ({error}). Check the network and pip's index."
        ) from error
    return best.version or "unknown", digest


def _hashes(found: dict[str, str] | None) -> dict[str, list[str]] | None:
    return {name: [value] for name, value in found.items()} if found else None


def _from_npm(wanted: _Wanted, scratch: Path) -> tuple[str, str]:
    if shutil.which("npm") is None:
        raise FetchFailed(f"{wanted.name} comes from npm, which is not on this machine. Install Node.js.")
    wish = f"{wanted.name}@{wanted.version}" if wanted.version else wanted.name
    _run(["npm", "pack", wish, "--ignore-scripts", "--silent", "--pack-destination", str(scratch)], scratch)
    archive = next(scratch.glob("*.tgz"))
    _unpacked(archive, scratch / "tree")
    plain = wanted.name.removeprefix("@").replace("/", "-")
    return archive.name.removesuffix(".tgz").removeprefix(f"{plain}-"), _digest(archive)


def _from_debian(wanted: _Wanted, scratch: Path) -> tuple[str, str]:
    """The publisher's archive, or else what the package of that name installs, with its word on licences."""
    if shutil.which("apt-get") is None:
        raise FetchFailed(f"{wanted.name} comes from apt-get, which is not on this machine.")
    wish = f"{wanted.name}={wanted.version}" if wanted.version else wanted.name
    _run(["apt-get", "-q", "source", "--download-only", "--only-source", wish], scratch, may_fail=True)
    archives = sorted(path for path in scratch.iterdir() if re.search(r"\.orig\.tar\.\w+$", path.name))
    notes = sorted(scratch.glob("*.debian.tar.*"))
    if not archives:
        return _from_package(wish, scratch)
    _unpacked(archives[0], scratch / "tree")
    for note in notes:
        _take_copyright(note, scratch / "tree" / "debian")
    version = re.sub(r"^[^_]*_|\.orig\.tar\.\w+$", "", archives[0].name)
    return version, _digest(archives[0])


def _from_package(wish: str, scratch: Path) -> tuple[str, str]:
    """What a package installs: for Ruby, Go, Rust and others that is the source."""
    _run(["apt-get", "-q", "download", wish], scratch)
    archive = next(scratch.glob("*.deb"))
    _run(["dpkg-deb", "-x", str(archive), str(scratch / "all")], scratch)
    name, version = archive.name.split("_")[:2]
    written = [path for path in source_files(scratch / "all") if "/usr/share/doc/" not in path.as_posix()]
    if not written:
        raise FetchFailed(f"The package {name} holds no source. Leave it out.")
    notes = (scratch / "all" / "usr" / "share" / "doc" / name / "copyright").read_bytes()
    Path(os.path.commonpath([path.parent for path in written])).rename(scratch / "tree")
    (scratch / "tree" / "debian").mkdir(exist_ok=True)
    (scratch / "tree" / "debian" / "copyright").write_bytes(notes)
    return urllib.parse.unquote(version), _digest(archive)


def _take_copyright(archive: Path, into: Path) -> None:
    with tarfile.open(archive) as tarball:
        member = tarball.extractfile("debian/copyright")
        if member is not None:
            into.mkdir(exist_ok=True)
            (into / "copyright").write_bytes(member.read())


def _from_git(wanted: _Wanted, scratch: Path) -> tuple[str, str]:
    _run(["git", "clone", "--quiet", "--depth", "1", "--", wanted.name, str(scratch / "tree")], scratch)
    commit = _run(["git", "-C", str(scratch / "tree"), "rev-parse", "HEAD"], scratch).strip()
    return commit, commit


_FETCH: dict[Index, Callable[[_Wanted, Path], tuple[str, str]]] = {
    "pypi": _from_pypi,
    "npm": _from_npm,
    "deb": _from_debian,
    "git": _from_git,
}
"""Each puts a tree into `tree` below the folder it is given, and says which version it is and its digest."""


def _unpacked(archive: Path, into: Path) -> None:
    try:
        unpack(archive, into)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise FetchFailed(f"{archive.name} cannot be unpacked ({error}). Leave it out.") from error


def _digest(archive: Path) -> str:
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run(command: Sequence[str], folder: Path, may_fail: bool = False) -> str:
    """What the command prints. It is run in `folder`, whose settings are nobody's. Raises `FetchFailed`."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=FETCH_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise FetchFailed(f"{command[0]} did not answer in {FETCH_SECONDS:.0f} seconds.") from error
    if done.returncode and not may_fail:
        errors = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise FetchFailed(f"`{' '.join(command[:3])} …` failed ({errors[-1] if errors else done.returncode}).")
    return done.stdout
