"""Real projects to measure on, from the package indexes: pinned by version and digest, unpacked, never built or run.

pip and npm fetch them, so that the user's own mirrors, proxies and credentials hold. From pip only wheels: of a source
distribution it would run the build backend to read its metadata. What is unpacked is what was written by hand: folders
of `holes.NOT_WRITTEN` (`dist`, where a copy of every answer would lie) and metadata stay in the archive.

Those of role "design" are there to look at and to tune on. Those that are "held-out" are there to report on: nobody
who designs reads them; nor the one for "replay", which is typed beside them. All but @capacitor/android are about as
young as the default model, or younger. Those of "docstring" are in `docstring_cases`.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import platformdirs

from aigc_lsp.errors import FetchFailed, UsageError
from aigc_lsp.measure.holes import NOT_WRITTEN

Role = Literal["design", "held-out", "replay", "docstring"]
ROLES: tuple[Role, ...] = ("design", "held-out", "replay")
FETCH_SECONDS = 180.0
MAX_UNPACKED, MAX_MEMBERS = 2 * 10**9, 200_000
"""Bytes and members of an archive: the largest sources, such as Linux, have fewer. A bomb has more."""

_TOO_MUCH = "it holds more than sources do"
_OPEN: Mapping[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".tgz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".lzma": lzma.open,
}
_PIP = (sys.executable, "-P", "-m", "pip")


@dataclass(frozen=True, slots=True)
class Project:
    """`sha256` is the archive's. Holes are masked in files that end in one of `suffixes`."""

    name: str
    index: Literal["pip", "npm"]
    version: str
    sha256: str
    licence: str
    role: Role
    suffixes: tuple[str, ...]

    @property
    def folder(self) -> str:
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}-{self.sha256[:8]}"


# fmt: off
PROJECTS = (
    Project("aiosendspin", "pip", "10.2.1",
            "22aeeaa53bd383a9cd026a5b505fc3913a021bbc9d10011684e256e0691a44e1", "Apache-2.0", "design", ("py",)),
    Project("pydocket", "pip", "0.27.0",
            "49504936f568bc09861afe2c880e2ca1c0bc191898efc56eaf56e3f7e1ab6a85", "MIT", "design", ("py",)),
    Project("dature", "pip", "1.6.4",
            "743d189fbf6ba53a97a2fd7ef43275aca9bb36cb56354d23b9f7fe0d58b578a5", "Apache-2.0", "held-out", ("py",)),
    Project("dbos", "pip", "3.4.0",
            "78f6015dbcfffb1a981a371a37a46b1991949b3bf9b5f03d1588f53475081912", "MIT", "held-out", ("py",)),
    Project("@tanstack/db", "npm", "0.15.2",
            "18682e004ce628f78fd144409e8780c9cca774eaac141f953d1a146a573738b9", "MIT", "held-out", ("ts",)),
    Project("@capacitor/android", "npm", "8.5.2",
            "ebb2113aa97526ce66b11653b26f7f763d976788ee69b1725aa88c0bc5347efe", "MIT", "held-out", ("java",)),
    Project("pydantic-ai-slim", "pip", "2.68.0",
            "bb2fe81f198b77da7686f7b78c78c8a8ce966807c77d9ae277950fc20b77b165", "MIT", "replay", ("py",)),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Tree:
    """A project on this machine: the folder that an editor would open."""

    name: str
    root: Path
    suffixes: tuple[str, ...] = ()


def default_folder() -> Path:
    return platformdirs.user_cache_path("aigc-lsp") / "projects"


def trees(names: Sequence[str], into: Path, say: Callable[[str], None] = lambda said: None) -> list[Tree]:
    """What `names` ask for, fetched where it is missing: names of projects, a role, or folders on this machine.

    Raises `UsageError` for what is none of them, and `FetchFailed`.
    """
    found: list[Tree] = []
    for name in names:
        projects = [project for project in PROJECTS if name in (project.name, project.role)]
        if projects:
            found += [Tree(project.name, fetch(project, into, say), project.suffixes) for project in projects]
        elif Path(name).is_dir():
            found.append(Tree(Path(name).resolve().name, Path(name).resolve()))
        else:
            known = ", ".join([*ROLES, *(project.name for project in PROJECTS)])
            raise UsageError(f"{name} is neither a folder nor a project; the projects are {known}.")
    unique = list(dict.fromkeys(found))
    if len({tree.name for tree in unique}) < len(unique):
        raise UsageError("Two of the folders have the same name, by which their holes are told apart.")
    return unique


def fetch(project: Project, into: Path, say: Callable[[str], None] = lambda said: None) -> Path:
    """The folder of `project` below `into`; it is there whole or not at all. Raises `FetchFailed`."""
    target = into / project.folder
    if target.is_dir():
        return target
    say(f"fetching {project.name} {project.version}")
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into, prefix=".fetching-") as scratch:
        archive = download(project.index, project.name, project.version, Path(scratch, "archive"))
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != project.sha256:
            raise FetchFailed(
                f"The archive of {project.name} {project.version} has the SHA-256 {digest} instead of "
                f"{project.sha256}, so it is not used. Try another index."
            )
        fresh = Path(scratch, "tree")
        unpack(archive, fresh)
        fresh.rename(target)
    return target


def is_written(parts: Sequence[str]) -> bool:
    """Whether a path in an archive is taken; a repository's own never, since git runs what its settings name."""
    left_out = any(part in NOT_WRITTEN or part.endswith((".dist-info", ".data")) for part in parts[:-1])
    return not left_out and not any(part.lower() == ".git" for part in parts)


def unpack(
    archive: Path,
    into: Path,
    stream: IO[bytes] | None = None,
    is_wanted: Callable[[Sequence[str]], bool] = is_written,
) -> None:
    """A wheel, or a tarball without its first folder, which `stream` may give; of it the files that are wanted.

    Nothing is written outside `into`, no links are. Raises `FetchFailed`, and leaves what was unpacked until then.
    """
    into.mkdir(parents=True)
    with _reading(archive):
        if archive.suffix == ".whl":
            _unpack_wheel(archive, into, is_wanted)
        elif stream is not None:
            _unpack_tarball(stream, into, is_wanted)
        else:
            with _OPEN.get(archive.suffix, open)(archive, "rb") as plain:
                _unpack_tarball(plain, into, is_wanted)


@contextmanager
def _reading(archive: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # of zip, tar and their decompressors, which share no base
        raise FetchFailed(f"{archive.name} cannot be unpacked ({error}). Leave it out.") from error


def _unpack_wheel(archive: Path, into: Path, is_wanted: Callable[[Sequence[str]], bool]) -> None:
    with zipfile.ZipFile(archive) as wheel:
        members = [member for member in wheel.infolist() if is_wanted(member.filename.split("/"))]
        if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED:
            raise ValueError(_TOO_MUCH)
        wheel.extractall(into, members)


def _unpack_tarball(plain: IO[bytes], into: Path, is_wanted: Callable[[Sequence[str]], bool]) -> None:
    with tarfile.open(fileobj=_Bounded(plain), mode="r|") as tarball:
        for number, member in enumerate(tarball):
            if number >= MAX_MEMBERS:
                raise ValueError(_TOO_MUCH)
            _, *parts = member.name.split("/")
            # A sparse file's holes are in no stream, so nothing bounds them.
            if member.isfile() and not member.issparse() and parts and is_wanted(parts):
                tarball.extract(member.replace(name="/".join(parts), deep=False), into, filter="data")


class _Bounded(io.BufferedIOBase):
    """A stream of at most `MAX_UNPACKED` bytes. Headers count too: tarfile has read them before one sees a member."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._left = stream, MAX_UNPACKED

    def read(self, size: int | None = -1, /) -> bytes:
        said = self._stream.read(-1 if size is None else size)
        self._left -= len(said)
        if self._left < 0:
            raise ValueError(_TOO_MUCH)
        return said


def download(index: Literal["pip", "npm"], name: str, version: str, into: Path) -> Path:
    """The archive that pip or npm brings into the folder `into`, which is made; the newest without a version."""
    into.mkdir()
    wish = f"{name}{'==' if index == 'pip' else '@'}{version}" if version else name
    # fmt: off
    arguments = {
        "pip": ["download", wish, "--no-deps", "--only-binary", ":all:", "--ignore-requires-python",
                "--dest", str(into), "--no-input", "--quiet", "--disable-pip-version-check"],
        "npm": ["pack", wish, "--ignore-scripts", "--silent", "--pack-destination", str(into)],
    }[index]
    # fmt: on
    run(index, arguments, into, f"{name} {version}".strip())
    found = sorted(into.iterdir())
    if len(found) != 1:
        raise FetchFailed(f"{index} brought {len(found)} archives of {wish} instead of one. Leave it out.")
    return found[0]


def run(tool: str, arguments: Sequence[str], folder: Path, wish: str, may_fail: bool = False) -> str:
    """What a tool prints that is asked for `wish`. Raises `FetchFailed`.

    npm, pip and git read the settings of the folder that they are run in.
    """
    try:
        done = subprocess.run(
            [*(_PIP if tool == "pip" else (tool,)), *arguments],
            env={**os.environ, "PIP_REQUIRE_VIRTUALENV": "0", "PIP_REQUIRE_HASHES": "0", "GIT_TERMINAL_PROMPT": "0"},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=FETCH_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise FetchFailed(f"{tool} did not bring {wish} in {FETCH_SECONDS:.0f} seconds. Check the network.") from error
    except OSError as error:
        raise FetchFailed(
            f"{wish} comes from {tool}, which is not on this machine ({error.strerror}). Install it, or leave {wish} "
            "out."
        ) from error
    if done.returncode and not may_fail:
        errors = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = errors[-1] if errors else f"it ended with code {done.returncode}"
        raise FetchFailed(f"{tool} could not fetch {wish} ({reason}). Check the network and the settings of {tool}.")
    return done.stdout
