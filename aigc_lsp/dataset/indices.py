"""Where source trees come from: indexes of packages, and git. Each puts one into a folder, and says which it is."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aigc_lsp.errors import FetchFailed
from aigc_lsp.measure.holes import source_files
from aigc_lsp.measure.projects import download, run, unpack

if TYPE_CHECKING:
    from unearth import PackageFinder

Index = Literal["folder", "git", "pypi", "npm", "deb"]

MAX_COPYRIGHT = 10_000_000
"""Bytes of Debian's file on licences, which is read as a whole: the longest have a few millions."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`version` is "" for the newest."""

    index: Index
    name: str
    version: str


def _from_pypi(wanted: Wanted, scratch: Path) -> tuple[str, str]:
    wish = f"{wanted.name}=={wanted.version}" if wanted.version else wanted.name
    finder = _finder(wanted.name, scratch)
    try:
        best = finder.find_best_match(wish, allow_prereleases=bool(wanted.version)).best
        if best is None or best.link.is_wheel:
            raise FetchFailed(f"The index has no source distribution of {wish}. Check the name, or leave it out.")
        archive = Path(finder.download(best.link, scratch, hashes=_hashes(best.link.hashes)))
    except FetchFailed:
        raise
    except Exception as error:  # the library's own and its client's, which share no base
        raise FetchFailed(
            f"{wanted.name} could not be fetched ({error}). Check the network and pip's index."
        ) from error
    unpack(archive, scratch / "tree")
    return best.version or "unknown", _digest(archive)


def _finder(name: str, scratch: Path) -> PackageFinder:
    """What finds source distributions in the index that pip is set to."""
    try:
        from unearth import PackageFinder
    except ImportError as error:
        raise FetchFailed(
            f"{name} is a source distribution, and {error.name}, which fetches those, is missing: "
            "pip install 'aigc-lsp[adapt]'."
        ) from error
    said = run("pip", ["config", "get", "global.index-url"], scratch, name, may_fail=True)
    own = os.environ.get("PIP_INDEX_URL") or said.strip()
    return PackageFinder(index_urls=[own] if own else [], no_binary=[name], ignore_compatibility=True)


def _hashes(found: dict[str, str] | None) -> dict[str, list[str]] | None:
    return {name: [value] for name, value in found.items()} if found else None


def _from_npm(wanted: Wanted, scratch: Path) -> tuple[str, str]:
    archive = download("npm", wanted.name, wanted.version, scratch / "archive")
    unpack(archive, scratch / "tree")
    plain = wanted.name.removeprefix("@").replace("/", "-")
    return archive.name.removesuffix(".tgz").removeprefix(f"{plain}-"), _digest(archive)


def _from_debian(wanted: Wanted, scratch: Path) -> tuple[str, str]:
    """The publisher's archive, or else what the package of that name installs, with its word on licences."""
    wish = f"{wanted.name}={wanted.version}" if wanted.version else wanted.name
    run("apt-get", ["-q", "source", "--download-only", "--only-source", wish], scratch, wish, may_fail=True)
    archives = sorted(path for path in scratch.iterdir() if re.search(r"\.orig\.tar\.\w+$", path.name))
    if not archives:
        return _from_package(wish, scratch)
    unpack(archives[0], scratch / "tree")
    for notes in sorted(scratch.glob("*.debian.tar.*")):
        unpack(notes, scratch / "notes", is_wanted=lambda parts: parts == ["copyright"])
        if (scratch / "notes" / "copyright").is_file():  # or else the publisher's own word holds
            _take_copyright(scratch / "notes" / "copyright", scratch / "tree")
    version = re.sub(r"^[^_]*_|\.orig\.tar\.\w+$", "", archives[0].name)
    return version, _digest(archives[0])


def _from_package(wish: str, scratch: Path) -> tuple[str, str]:
    """What a package installs: for Ruby, Go, Rust and others that is the source."""
    run("apt-get", ["-q", "download", wish], scratch, wish)
    archive = next(iter(sorted(scratch.glob("*.deb"))), None)
    if archive is None:
        raise FetchFailed(f"apt-get brought no package {wish}. Leave it out.")
    command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        unpack(archive, scratch / "all", process.stdout)
    name, version = archive.name.split("_")[:2]
    written = [path for path in source_files(scratch / "all") if "/usr/share/doc/" not in path.as_posix()]
    if not written:
        raise FetchFailed(f"The package {name} holds no source. Leave it out.")
    notes = scratch / "all" / "usr" / "share" / "doc" / name / "copyright"
    if not notes.is_file():
        raise FetchFailed(f"The package {name} has no copyright file of its own. Leave it out.")
    notes = notes.rename(scratch / "copyright")
    Path(os.path.commonpath([path.parent for path in written])).rename(scratch / "tree")
    _take_copyright(notes, scratch / "tree")
    return urllib.parse.unquote(version), _digest(archive)


def _take_copyright(notes: Path, tree: Path) -> None:
    if notes.stat().st_size > MAX_COPYRIGHT:
        raise FetchFailed(f"The copyright file has more than {MAX_COPYRIGHT} bytes. Leave the package out.")
    (tree / "debian").mkdir(exist_ok=True)
    notes.replace(tree / "debian" / "copyright")


def _from_git(wanted: Wanted, scratch: Path) -> tuple[str, str]:
    run("git", ["clone", "--quiet", "--depth", "1", "--", wanted.name, str(scratch / "tree")], scratch, wanted.name)
    commit = run("git", ["-C", str(scratch / "tree"), "rev-parse", "HEAD"], scratch, wanted.name).strip()
    return commit, commit


def _digest(archive: Path) -> str:
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


FETCH: Mapping[Index, Callable[[Wanted, Path], tuple[str, str]]] = {
    "pypi": _from_pypi,
    "npm": _from_npm,
    "deb": _from_debian,
    "git": _from_git,
}
"""Each puts a tree into `tree` below the folder it is given, and says which version it is and its digest."""
