"""Source trees: folders, repositories, packages of indexes that are folders here; nothing is run."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from each_row import each_row

from aigc_lsp.dataset import indices
from aigc_lsp.dataset.fetch import Tree, check, fetch, tracked
from aigc_lsp.dataset.indices import FETCH, Wanted
from aigc_lsp.errors import FetchFailed, UsageError
from aigc_lsp.measure import projects


@each_row("spec", ["./missing", "/missing", "src/missing", "a b", "", "gem:rack", "~x", "npm:user/repository"])
def test_what_names_no_source_is_said(spec: str, tmp_path: Path) -> None:
    for ask in (check, lambda spec: fetch(spec, tmp_path)):
        with pytest.raises(UsageError, match="neither a folder nor a package"):
            ask(spec)


@each_row("spec", ["a", "pypi:a==1!2.0", "npm:@a/b@1.0.0-beta.1", "deb:g++=2:1.0~a-1", "git@h:a/b.git", "https://h/a"])
def test_what_names_a_source_is_checked_without_it(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aigc_lsp.dataset.fetch.FETCH", {})
    check(spec)
    check(os.curdir)


@each_row(
    ("folder", "name", "version"),
    [("rack-2.2.4", "rack", "2.2.4"), ("own", "own", ""), ("a_b-v1.0rc1", "a_b", "1.0rc1")],
)
def test_a_folder_is_named_as_it_is(folder: str, name: str, version: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir()
    found = fetch(str(tmp_path / folder), tmp_path)
    assert (found.name, found.version, found.index, found.root) == (name, version, "folder", tmp_path / folder)
    assert fetch(found.spec, tmp_path) == found


def tarball(archive: Path, files: Mapping[str, str]) -> Path:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz" if archive.suffix == ".gz" else "w") as tarball:
        for path, said in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(said)
            tarball.addfile(member, io.BytesIO(said.encode()))
    return archive


def sdist(index: Path, name: str, version: str) -> str:
    """Put a source distribution into an index; its digest."""
    files = {
        "setup.py": f"open({str(index / 'was-run')!r}, 'w')",
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: MIT\n",
        f"{name}/code.py": "x = 1\n",
        "build/lib/copy.py": "x = 1\n",
    }
    within = {f"{name}-{version}/{path}": said for path, said in files.items()}
    archive = tarball(index / name / f"{name}-{version}.tar.gz", within)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    with (index / name / "index.html").open("a") as page:
        page.write(f'<a href="{archive.name}#sha256={digest}">{archive.name}</a>\n')
    return digest


def test_a_source_distribution_is_read_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "index"
    digests = {version: sdist(index, "demo", version) for version in ("1.0", "1.1", "2.0.dev1")}
    monkeypatch.setenv("PIP_INDEX_URL", f"{index.as_uri()}/")
    found = fetch("demo", tmp_path / "into")
    assert (found.name, found.index, found.version, found.sha256) == ("demo", "pypi", "1.1", digests["1.1"])
    assert found.root.joinpath("demo/code.py").read_text() == "x = 1\n"
    assert not found.root.joinpath("build").exists(), "a folder of what is made"
    assert found.spec == "pypi:demo==1.1"
    assert fetch("pypi:demo==1.0", tmp_path / "into").version == "1.0"
    assert not (index / "was-run").exists()
    with pytest.raises(FetchFailed, match="no source distribution"):
        fetch("demo==3.0", tmp_path / "into")


def test_an_archive_that_is_not_what_the_index_says_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index"
    digest = sdist(index, "demo", "1.0")
    page = index / "demo" / "index.html"
    page.write_text(page.read_text().replace(digest, "0" * 64))
    monkeypatch.setenv("PIP_INDEX_URL", f"{index.as_uri()}/")
    with pytest.raises(FetchFailed):
        fetch("demo", tmp_path / "into")
    assert not any((tmp_path / "into" / "pypi").iterdir())


def test_a_bomb_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sdist(tmp_path / "index", "demo", "1.0")
    monkeypatch.setenv("PIP_INDEX_URL", f"{(tmp_path / 'index').as_uri()}/")
    monkeypatch.setattr(projects, "MAX_MEMBERS", 2)
    with pytest.raises(FetchFailed, match=r"demo-1.0.tar.gz .*more than sources do"):
        fetch("demo", tmp_path / "into")
    assert not any((tmp_path / "into" / "pypi").iterdir())


class Index:
    """Gives `version` of all that is asked for, and fails where there is none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, version: str = "1.0") -> None:
        self.version, self.asked = version, list[str]()
        self._busy = False
        for index in FETCH:
            monkeypatch.setitem(FETCH, index, self.fetch)

    def fetch(self, wanted: Wanted, scratch: Path) -> tuple[str, str]:
        assert not self._busy, "at once"
        self._busy = True
        self.asked.append(wanted.name)
        time.sleep(0.01)
        self._busy = False
        (scratch / "tree").mkdir()
        (scratch / "tree" / "a.py").write_text(f"name = {wanted.name!r}\n")
        if not self.version:
            raise FetchFailed("No network.")
        return self.version, hashlib.sha256(self.version.encode()).hexdigest()


def test_a_version_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index, said = Index(monkeypatch), list[str]()
    found = fetch("demo==1.0", tmp_path, said.append)
    index.version = ""
    assert fetch("pypi:demo==1.0", tmp_path, said.append) == found
    assert (index.asked, said) == (["demo"], ["fetching demo==1.0"])
    assert [path.name for path in found.root.iterdir()] == ["a.py"], "the note lies beside the tree"


@each_row("spec", ["demo", "npm:demo", "deb:demo", "https://h/demo"])
def test_the_newest_is_fetched_each_time(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index, said = Index(monkeypatch), list[str]()
    before = fetch(spec, tmp_path, said.append)
    place = before.root.stat().st_ino
    assert fetch(spec, tmp_path, said.append) == before
    assert before.root.stat().st_ino == place, "it is the same, and may be in use"
    index.version = "1.1"
    after = fetch(spec, tmp_path, said.append)
    assert (before.version, after.version) == ("1.0", "1.1")
    assert after.root.stat().st_ino != place
    index.version = ""
    assert fetch(spec, tmp_path, said.append) == after
    assert said == [f"fetching {spec}"] * 4 + [f"{spec} is taken as of the last time: No network."]
    with pytest.raises(FetchFailed, match="No network"):
        fetch(f"{spec}-2", tmp_path)


@each_row("note", [b"", b"1.0", b"1.0 abc def", b"\xff \xff"])
def test_what_is_not_there_whole_is_fetched_again(note: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Index(monkeypatch)
    found = fetch("demo==1.0", tmp_path)
    (found.root.parent / "note").write_bytes(note)
    (found.root / "a.py").unlink()
    assert fetch("demo==1.0", tmp_path) == found
    assert (found.root / "a.py").is_file()


@each_row(
    ("one", "other"),
    [
        ("https://h/a/b.git", "https://h/a-b.git"),
        ("npm:@a/b", "npm:a-b"),
        ("npm:a", "deb:a"),
        ("a==1", "a==1.0"),
        (f"https://h/{'a' * 300}.git", f"https://h/{'a' * 300}/b.git"),
    ],
)
def test_each_source_has_a_folder_of_its_own(
    one: str, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Index(monkeypatch)
    first, second = fetch(one, tmp_path), fetch(other, tmp_path)
    assert first.root != second.root
    assert repr(first.name) in (first.root / "a.py").read_text()


def test_threads_may_ask_for_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Index(monkeypatch)
    specs = ["demo", "pypi:demo"] * 4
    with ThreadPoolExecutor(len(specs)) as pool:
        found = set(pool.map(lambda spec: fetch(spec, tmp_path), specs))
    (tree,) = found
    assert (tree.root / "a.py").is_file()


def tool(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@each_row(
    ("spec", "said"),
    [
        ("demo", r"demo .* unearth.* missing: pip install 'aigc-lsp\[adapt\]'"),
        ("https://h/a.git", r"https://h/a.git comes from git, .*Install it, or leave .* out"),
        ("npm:a", r"a comes from npm, which is not on this machine .*Install it"),
        ("deb:a", r"a comes from apt-get, which is not on this machine .*Install it"),
    ],
)
def test_what_is_not_on_this_machine_is_said(
    spec: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "unearth", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchFailed, match=said):
        fetch(spec, tmp_path / "into")


def test_a_disk_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "into").touch()
    with pytest.raises(FetchFailed, match=r"demo could not be fetched .*into.*Check the disk"):
        fetch("demo", tmp_path / "into")


class Debian:
    """An apt-get that has what `have` holds, and a dpkg-deb whose packages are tarballs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.have = folder / "have"
        (self.have / "source").mkdir(parents=True)
        (self.have / "download").mkdir()
        tool(folder / "bin", "apt-get", f'cp "{self.have}/$2/"* . 2>/dev/null; true')
        tool(folder / "bin", "dpkg-deb", 'cat "$2"')
        monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")

    def source(self, *notes: str) -> None:
        tarball(self.have / "source/demo_1.0.orig.tar.gz", {"demo-1.0/a.py": "x = 1\n", "demo-1.0/LICENSE": "MIT"})
        files = {f"debian/{name}": f"the word of {name}" for name in notes}
        tarball(self.have / "source/demo_1.0-1.debian.tar.gz", files)

    def package(self, *files: str) -> None:
        tarball(self.have / "download/demo_1%3a1.0-1_all.deb", {f"./{path}": f"in {path}" for path in files})


NOTES = "usr/share/doc/demo/copyright"


@pytest.mark.process
def test_the_publisher_s_source_has_debian_s_word_on_licences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    debian = Debian(tmp_path, monkeypatch)
    debian.source("copyright", "rules", "patches/a.py")
    found = fetch("deb:demo", tmp_path / "into")
    assert (found.version, found.spec) == ("1.0", "deb:demo")
    assert files(found) == ["LICENSE", "a.py", "debian/copyright"]
    assert (found.root / "debian/copyright").read_text() == "the word of copyright"
    debian.source("rules")
    assert files(fetch("deb:demo=1.0-1", tmp_path / "into")) == ["LICENSE", "a.py"]


@pytest.mark.process
def test_a_package_has_what_it_installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Debian(tmp_path, monkeypatch).package("usr/lib/demo/a.py", "usr/lib/demo/b/c.py", NOTES, "usr/share/doc/demo/d.py")
    found = fetch("deb:demo", tmp_path / "into")
    assert found.version == "1:1.0-1"
    assert files(found) == ["a.py", "b/c.py", "debian/copyright"]
    assert (found.root / "debian/copyright").read_text() == f"in {NOTES}"


def files(tree: Tree) -> list[str]:
    return sorted(path.relative_to(tree.root).as_posix() for path in tree.root.rglob("*") if path.is_file())


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


@pytest.mark.process
@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        pytest.param(lambda debian: None, "brought no package demo", id="nothing"),
        pytest.param(lambda debian: debian.package("a.py"), "no copyright file of its own", id="no copyright"),
        pytest.param(lambda debian: debian.package(NOTES), "holds no source", id="no source"),
        pytest.param(lambda debian: debian.package(*"abcdefgh"), "more than sources do", id="a bomb"),
        pytest.param(lambda debian: debian.package("a.py", NOTES), "more than 10 bytes", id="a long copyright"),
        pytest.param(lambda debian: debian.source("copyright"), "more than 10 bytes", id="a long word"),
        pytest.param(
            lambda debian: (debian.package("a.py"), torn(next(debian.have.rglob("*.deb")))),
            "demo_1%3a1.0-1_all.deb cannot be unpacked",
            id="a torn package",
        ),
        pytest.param(
            lambda debian: (debian.source("copyright"), torn(next(debian.have.rglob("*.debian.*")))),
            "demo_1.0-1.debian.tar.gz cannot be unpacked",
            id="a torn word",
        ),
        pytest.param(
            lambda debian: (debian.source("copyright"), torn(next(debian.have.rglob("*.orig.*")))),
            "demo_1.0.orig.tar.gz cannot be unpacked",
            id="a torn source",
        ),
    ],
)
def test_what_debian_has_not_whole_is_said(
    prepare: Callable[[Debian], object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    debian = Debian(tmp_path, monkeypatch)
    monkeypatch.setattr(indices, "MAX_COPYRIGHT", 10)
    monkeypatch.setattr(projects, "MAX_MEMBERS", 5)
    prepare(debian)
    with pytest.raises(FetchFailed, match=said):
        fetch("deb:demo", tmp_path / "into")
    assert not any((tmp_path / "into/deb").iterdir())


def repository(root: Path, files: Mapping[str, str]) -> Path:
    """One commit that holds `files`."""
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for name, said in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(said)
    subprocess.run(["git", "-C", str(root), "add", "."], check=True)
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "-C", str(root), *identity, "commit", "-q", "-m", "one"], check=True)
    return root


@pytest.mark.process
def test_a_repository_is_cloned_and_known_by_its_commit(tmp_path: Path) -> None:
    origin = repository(tmp_path / "origin.git", {"a.py": "x = 1\n"})
    local = fetch(str(origin), tmp_path / "into")
    found = fetch(origin.as_uri(), tmp_path / "into")
    assert found.root.joinpath("a.py").read_text() == "x = 1\n"
    assert (local.index, found.index) == ("folder", "git")
    assert found.version == found.sha256 == local.version == local.sha256
    assert len(found.version) == 40
    assert (local.spec, found.spec) == (str(origin), origin.as_uri())
    for tree in (local, found):
        assert fetch(tree.spec, tmp_path / "into") == tree
    with pytest.raises(FetchFailed):
        fetch((tmp_path / "missing.git").as_uri(), tmp_path / "into")


@pytest.mark.process
def test_a_repository_without_a_commit_or_git_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "own-1.0")], check=True)
    assert fetch(str(tmp_path / "own-1.0"), tmp_path).version == "1.0"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fetch(str(tmp_path / "own-1.0"), tmp_path).version == "1.0"


@pytest.mark.process
def test_what_a_repository_ignores_is_not_tracked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "own", {".gitignore": "local.py\n", "a.py": "", "b/ü c.py": ""})
    for name in ("local.py", "b/local.py", "b/new.py"):
        (root / name).touch()
    assert tracked(root) == {".gitignore", "a.py", "b/ü c.py", "b/new.py"}
    assert tracked(root / "b") is None, "its own root has no repository"
    assert tracked(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tracked(root) is None


@pytest.mark.process
def test_what_a_repository_s_settings_name_is_not_run(tmp_path: Path) -> None:
    root = repository(tmp_path / "own", {"a.py": ""})
    with (root / ".git/config").open("a") as settings:
        settings.write(f'[core]\n\tfsmonitor = "touch {tmp_path / "was-run"}; false"\n')
    assert tracked(root) == {"a.py"}
    assert not (tmp_path / "was-run").exists()
    subprocess.run(["git", "-C", str(root), "ls-files"], check=True, capture_output=True)
    assert (tmp_path / "was-run").exists(), "git would have"
