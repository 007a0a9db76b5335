"""Real projects to measure on, from the package indexes: pinned by version and digest, unpacked, never built or run.

pip and npm fetch them, so that the user's own mirrors, proxies and credentials hold. From pip only wheels: of a source
distribution it would run the build backend to read its metadata. What is unpacked is what was written by hand: folders
of `holes.NOT_WRITTEN` (`dist`, where a copy of every answer would lie) and metadata stay in the archive.

Those of role "design" are there to look at and to tune on. Those that are "held-out" are there to report on: nobody
who designs reads them; nor the one for "replay", which is typed beside them. All but @capacitor/android are about as
young as the default model, or younger. Those of "docstring" are in `docstring_cases`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from aigc_lsp.errors import FetchFailed, UsageError
from aigc_lsp.measure.holes import NOT_WRITTEN

Role = Literal["design", "held-out", "replay", "docstring"]
ROLES: tuple[Role, ...] = ("design", "held-out", "replay")
FETCH_SECONDS = 180.0


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
        archive = _download(project, Path(scratch, "archive"))
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


def unpack(archive: Path, into: Path) -> None:
    """A wheel, or npm's tarball without its folder `package`. Nothing is written outside `into`."""
    into.mkdir(parents=True)
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(into, [name for name in wheel.namelist() if _is_wanted(name.split("/"))])
        return
    with tarfile.open(archive) as tarball:
        for member in tarball:
            _, *parts = member.name.split("/")
            if member.isfile() and parts and _is_wanted(parts):
                tarball.extract(member.replace(name="/".join(parts), deep=False), into, filter="data")


def _is_wanted(parts: Sequence[str]) -> bool:
    return not any(part in NOT_WRITTEN or part.endswith((".dist-info", ".data")) for part in parts[:-1])


def _download(project: Project, into: Path) -> Path:
    """The archive, below `into`."""
    into.mkdir()
    if project.index == "npm" and shutil.which("npm") is None:
        raise FetchFailed(f"{project.name} comes from npm, which is not on this machine. Install Node.js.")
    # fmt: off
    command = {
        "pip": [
            sys.executable, "-P", "-m", "pip", "download", f"{project.name}=={project.version}", "--no-deps",
            "--only-binary", ":all:", "--ignore-requires-python", "--dest", str(into), "--no-input", "--quiet",
            "--disable-pip-version-check",
        ],
        "npm": ["npm", "pack", f"{project.name}@{project.version}", "--ignore-scripts", "--silent",
                "--pack-destination", str(into)],
    }[project.index]
    # fmt: on
    environment = {**os.environ, "PIP_REQUIRE_VIRTUALENV": "0", "PIP_REQUIRE_HASHES": "0"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            cwd=into,  # npm and pip read the settings of the folder that they are run in
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=FETCH_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise FetchFailed(f"{project.index} did not bring {project.name} in {FETCH_SECONDS:.0f} seconds.") from error
    found = sorted(into.iterdir())
    if done.returncode or len(found) != 1:
        errors = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = errors[-1] if errors else f"it ended with code {done.returncode}"
        raise FetchFailed(
            f"{project.index} could not fetch {project.name} {project.version} ({reason}). Check the network and "
            f"the settings of {project.index}."
        )
    return found[0]
