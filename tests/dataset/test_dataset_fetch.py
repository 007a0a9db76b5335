"""Source trees: folders, repositories, source distributions of an index that is a folder here; nothing is run."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from each_row import each_row

from aigc_lsp.dataset.fetch import fetch
from aigc_lsp.errors import FetchFailed, UsageError


@each_row("spec", ["./missing", "/missing", "a b", "", "gem:rack", "~x"])
def test_what_names_no_source_is_said(spec: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a folder nor a package"):
        fetch(spec, tmp_path)


@each_row(
    ("folder", "name", "version"),
    [("rack-2.2.4", "rack", "2.2.4"), ("own", "own", ""), ("a_b-v1.0rc1", "a_b", "1.0rc1")],
)
def test_a_folder_is_named_as_it_is(folder: str, name: str, version: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir()
    found = fetch(str(tmp_path / folder), tmp_path)
    assert (found.name, found.version, found.index, found.root) == (name, version, "folder", tmp_path / folder)


def sdist(index: Path, name: str, version: str) -> str:
    """Put a source distribution into an index; its digest."""
    (index / name).mkdir(parents=True, exist_ok=True)
    archive = index / name / f"{name}-{version}.tar.gz"
    files = {
        "setup.py": f"open({str(index / 'was-run')!r}, 'w')",
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: MIT\n",
        f"{name}/code.py": "x = 1\n",
        "build/lib/copy.py": "x = 1\n",
    }
    with tarfile.open(archive, "w:gz") as tarball:
        for path, said in files.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(said)
            tarball.addfile(member, io.BytesIO(said.encode()))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    page = (index / name / "index.html").open("a")
    with page:
        page.write(f'<a href="{archive.name}#sha256={digest}">{archive.name}</a>\n')
    return digest


def test_a_source_distribution_is_read_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "index"
    digests = {version: sdist(index, "demo", version) for version in ("1.0", "1.1", "2.0.dev1")}
    monkeypatch.setenv("PIP_INDEX_URL", f"{index.as_uri()}/")
    said: list[str] = []
    found = fetch("demo", tmp_path / "into", said.append)
    assert (found.name, found.index, found.version, found.sha256) == ("demo", "pypi", "1.1", digests["1.1"])
    assert found.root.joinpath("demo/code.py").read_text() == "x = 1\n"
    assert not found.root.joinpath("build").exists(), "a folder of what is made"
    assert found.spec == "pypi:demo==1.1"
    assert fetch("pypi:demo==1.0", tmp_path / "into").version == "1.0"
    assert fetch("demo", tmp_path / "into", said.append) == found
    assert len(said) == 1, "it was there"
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


@pytest.mark.process
def test_a_repository_is_cloned_and_known_by_its_commit(tmp_path: Path) -> None:
    origin = tmp_path / "origin.git"
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "init", "-q", str(origin)], check=True)
    (origin / "a.py").write_text("x = 1\n")
    subprocess.run(["git", "-C", str(origin), "add", "."], check=True)
    subprocess.run(["git", "-C", str(origin), *identity, "commit", "-q", "-m", "one"], check=True)
    local = fetch(str(origin), tmp_path / "into")
    found = fetch(origin.as_uri(), tmp_path / "into")
    assert found.root.joinpath("a.py").read_text() == "x = 1\n"
    assert (local.index, found.index) == ("git", "git")
    assert found.version == found.sha256 == local.version
    assert len(found.version) == 40
    with pytest.raises(FetchFailed):
        fetch((tmp_path / "missing.git").as_uri(), tmp_path / "into")
