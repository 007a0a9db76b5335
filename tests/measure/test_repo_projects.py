"""Projects to measure on: what of an archive is unpacked, and that no other archive is taken."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

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


def tarball(path: Path, extra: tarfile.TarInfo | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
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
    with pytest.raises(tarfile.FilterError):
        unpack(tarball(tmp_path / "bad.tgz", outside), tmp_path / "in" / "into")
    link = tarfile.TarInfo("package/link.ts")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
    unpack(tarball(tmp_path / "link.tgz", link), tmp_path / "linked")
    assert files(tmp_path / "linked") == ["package.json", "src/till.ts"]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project, and an index that has it."""
    archive = wheel(tmp_path / "shop-1.0-py3-none-any.whl")
    asked: list[str] = []

    def download(project: Project, into: Path) -> Path:
        assert not asked, "asked twice"
        asked.append(project.name)
        return archive

    monkeypatch.setattr(projects, "_download", download)
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
