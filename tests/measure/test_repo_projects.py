"""Projects to measure on: what of an archive is unpacked, and that no other archive is taken."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from each_row import each_row

from aigc_lsp.errors import FetchFailed, UsageError
from aigc_lsp.measure import projects
from aigc_lsp.measure.projects import PROJECTS, ROLES, Project, Tree, fetch, trees, unpack


def wheel(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("shop/till.py", "shop/dist/till.py", "shop-1.0.data/scripts/shop"):
            archive.writestr(name, f"# {name}\n")
        archive.writestr("shop-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
        archive.writestr("shop-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    return path


def tarball(path: Path, extra: tarfile.TarInfo | None = None, compression: str = "gz") -> Path:
    with tarfile.open(path, f"w:{compression}") as archive:
        for name in ("package/package.json", "package/src/till.ts", "package/dist/till.js"):
            info = tarfile.TarInfo(name)
            info.size = len(name)
            archive.addfile(info, io.BytesIO(name.encode()))
        if extra is not None:
            archive.addfile(extra, io.BytesIO(b"x" * extra.size))
    return path


def files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_what_is_unpacked(tmp_path: Path) -> None:
    unpack(wheel(tmp_path / "shop-1.0-py3-none-any.whl"), tmp_path / "wheel")
    assert files(tmp_path / "wheel") == ["shop/till.py"]
    unpack(tarball(tmp_path / "shop-1.0.tgz"), tmp_path / "tarball")
    assert files(tmp_path / "tarball") == ["package.json", "src/till.ts"]
    assert (tmp_path / "tarball/src/till.ts").read_text() == "package/src/till.ts"


def test_an_archive_writes_nowhere_else(tmp_path: Path) -> None:
    outside = tarfile.TarInfo("package/../../outside.ts")
    outside.size = 3
    with pytest.raises(FetchFailed, match="outside the destination"):
        unpack(tarball(tmp_path / "bad.tgz", outside), tmp_path / "in" / "into")
    assert not (tmp_path / "in" / "outside.ts").exists()


def member(name: str, size: int = 0, **fields: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(f"package/{name}")
    info.size = size
    for field, value in fields.items():
        setattr(info, field, value)
    return info


SPARSE = {"GNU.sparse.size": "1000000", "GNU.sparse.numblocks": "1", "GNU.sparse.map": "0,3"}


@each_row(
    "left",
    {
        "a link": member("link.ts", type=tarfile.SYMTYPE, linkname="/etc/hostname"),
        "a hard link": member("link.ts", type=tarfile.LNKTYPE, linkname="package/src/till.ts"),
        "a device": member("device.ts", type=tarfile.CHRTYPE),
        "a sparse file": member("sparse.ts", 3, pax_headers=SPARSE),
        "a repository's settings": member("sub/.git/config", 3),
        "a repository elsewhere": member(".GIT", 3),
    },
)
def test_what_is_no_plain_file_is_left(left: tarfile.TarInfo, tmp_path: Path) -> None:
    place = tmp_path / left.name.replace("/", "-") / left.type.hex()
    place.mkdir(parents=True)
    unpack(tarball(place / "archive.tgz", left), place / "into")
    assert files(place / "into") == ["package.json", "src/till.ts"]


@each_row(
    ("ending", "compression"), [("tgz", "gz"), ("tar.gz", "gz"), ("tar.bz2", "bz2"), ("tar.xz", "xz"), ("tar", "")]
)
def test_compressions(ending: str, compression: str, tmp_path: Path) -> None:
    archive = tarball(tmp_path / f"shop.{ending}", compression=compression)
    unpack(archive, tmp_path / f"{ending}-in")
    assert files(tmp_path / f"{ending}-in") == ["package.json", "src/till.ts"]


def large_wheel(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("shop/till.py", " " * 50_000)
    return path


@each_row(
    ("ending", "pack"),
    {
        "a file": ("tgz", lambda path: tarball(path, member("large.ts", 50_000))),
        "a file that is not wanted": ("tgz", lambda path: tarball(path, member("dist/large.ts", 50_000))),
        "a header": ("tgz", lambda path: tarball(path, member("a.ts", pax_headers={"comment": "x" * 50_000}))),
        "a wheel's file": ("whl", large_wheel),
    },
)
def test_no_more_bytes_are_unpacked_than_sources_have(
    ending: str, pack: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = pack(tmp_path / f"archive.{ending}")
    with monkeypatch.context() as patch:
        patch.setattr(projects, "MAX_UNPACKED", 40_000)
        with pytest.raises(FetchFailed, match=f"archive.{ending} cannot be unpacked .*more than sources do.* out"):
            unpack(archive, tmp_path / "bomb")
    assert sum(path.stat().st_size for path in (tmp_path / "bomb").rglob("*") if path.is_file()) < 45_000
    shutil.rmtree(tmp_path / "bomb")
    unpack(archive, tmp_path / "bomb")
    shutil.rmtree(tmp_path / "bomb")


@each_row(("name", "pack", "count"), [("shop.tgz", tarball, 3), ("shop.whl", wheel, 1)])
def test_no_more_files_are_unpacked_than_sources_have(
    name: str, pack: Callable[[Path], Path], count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projects, "MAX_MEMBERS", count)
    unpack(pack(tmp_path / name), tmp_path / f"{name}-all")
    monkeypatch.setattr(projects, "MAX_MEMBERS", count - 1)
    with pytest.raises(FetchFailed, match="more than sources do"):
        unpack(tmp_path / name, tmp_path / f"{name}-fewer")


@each_row("name", ["torn.tgz", "torn.tar.xz", "torn.tar.bz2", "torn.whl", "torn.zip"])
def test_an_archive_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(tarball(tmp_path / "whole.tgz").read_bytes()[:100])
    with pytest.raises(FetchFailed, match=f"{name} cannot be unpacked .* Leave it out"):
        unpack(tmp_path / name, tmp_path / f"{name}-in")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project, and an index that has it."""
    archive = wheel(tmp_path / "shop-1.0-py3-none-any.whl")
    asked: list[str] = []

    def download(index: str, name: str, version: str, into: Path) -> Path:
        assert not asked, "asked twice"
        asked.append(name)
        return archive

    monkeypatch.setattr(projects, "download", download)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    found = Project("@a/shop", "npm", "1.0", digest, "MIT", "design", ("py",))
    monkeypatch.setattr(projects, "PROJECTS", (found,))
    return found


def test_a_project_is_fetched_once(shop: Project, tmp_path: Path) -> None:
    said: list[str] = []
    root = fetch(shop, tmp_path / "cache", said.append)
    assert said == ["fetching @a/shop 1.0"]
    assert root.name == f"a-shop-1.0-{shop.sha256[:8]}"
    assert files(tmp_path / "cache") == [f"{root.name}/shop/till.py"]
    assert fetch(shop, tmp_path / "cache", said.append) == root
    assert len(said) == 1


def test_half_a_project_is_none(shop: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects, "MAX_MEMBERS", 0)
    with pytest.raises(FetchFailed, match="more than sources do"):
        fetch(shop, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_another_archive_is_not_taken(shop: Project, tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match="SHA-256"):
        fetch(replace(shop, sha256="0" * 64), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_names_stand_for(shop: Project, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    fetched = Tree("@a/shop", tmp_path / "cache" / shop.folder, ("py",))
    assert trees(["@a/shop", "design", str(mine)], tmp_path / "cache") == [fetched, Tree("mine", mine)]
    for names, part in (
        (["nothing"], "design, held-out, replay, @a/shop"),
        ([str(mine), str(tmp_path / "b/mine")], "same"),
    ):
        (tmp_path / "b/mine").mkdir(parents=True, exist_ok=True)
        with pytest.raises(UsageError, match=part):
            trees(names, tmp_path / "cache")


def test_the_index_says_why_it_has_nothing(shop: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "none"))
    with pytest.raises(FetchFailed, match=r"pip could not fetch shop 1.0 .*No matching distribution"):
        fetch(replace(shop, name="shop", index="pip"), tmp_path / "cache")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchFailed, match="npm, which is not on this machine"):
        fetch(shop, tmp_path / "cache")
    (tmp_path / "npm").write_text("#!/bin/sh\n")
    (tmp_path / "npm").chmod(0o755)
    with pytest.raises(FetchFailed, match=r"brought 0 archives of @a/shop@1\.0 "):
        fetch(shop, tmp_path / "cache")


def test_pip_brings_wheels(shop: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip itself, with a folder for an index."""
    monkeypatch.undo()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    root = fetch(replace(shop, name="shop", index="pip"), tmp_path / "cache")
    assert files(root) == ["shop/till.py"]


def test_projects_are_pinned() -> None:
    assert {project.role for project in PROJECTS} == set(ROLES)
    assert len({project.folder for project in PROJECTS}) == len(PROJECTS)
    for project in PROJECTS:
        assert len(bytes.fromhex(project.sha256)) == 32
        assert not {"/", "@"} & set(project.folder)
