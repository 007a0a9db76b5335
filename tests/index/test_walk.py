"""What of a root is found on disk, and what is left out: hidden, links, too large, unreadable, not for ever."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from workspaces import write

from aigc_lsp.index import read, walk
from aigc_lsp.index.ignoring import Ignoring
from aigc_lsp.index.read import MAX_BYTES, read_source

SOURCE = "def f(): pass\n"


def found(
    root: Path, scope: Sequence[str] = ("",), exclude: Sequence[str] = (), others: Sequence[str] = ()
) -> list[str]:
    seen = walk.walk(str(root), scope, Ignoring(str(root), exclude), others)
    return [each.path for each in seen if not each.is_folder]


def test_the_nearest_come_first(tmp_path: Path) -> None:
    write(
        tmp_path, {"z.py": "", "a/b/c.py": "", "a/x.ts": "", "go.mod": "module m\n", "notes.txt": "", "data.json": "{}"}
    )
    assert found(tmp_path) == ["go.mod", "z.py", "a/x.ts", "a/b/c.py"]
    assert found(tmp_path, ["a", "z.py", "gone.py", "notes.txt"]) == ["z.py", "a/x.ts", "a/b/c.py"]


def test_ignore_files_at_every_depth(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".git/HEAD": "",
            ".git/info/exclude": "/mine.py\n",
            ".gitignore": "build/\n*.gen.py\n",
            ".aigcignore": "private/\n",
            **dict.fromkeys(("a.py", "mine.py", "x.gen.py", "build/b.py", "private/p.py", ".env.py"), SOURCE),
            "sub/.gitignore": "!x.gen.py\nlocal.py\n",
            **dict.fromkeys(("sub/x.gen.py", "sub/local.py", "sub/c.py", "sub/build/d.py", "skip/s.py"), SOURCE),
        },
    )
    assert found(tmp_path, exclude=["skip/"]) == ["a.py", "sub/c.py", "sub/x.gen.py"]
    assert found(tmp_path, ["sub/local.py", "sub/c.py", "build/b.py", "private", ".git"]) == ["sub/c.py"]


@pytest.mark.parametrize("name", [".gitignore", ".aigcignore"])
def test_a_broken_ignore_file_blocks_all_below_it(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"a.py": "", f"sub/{name}": b"\xff\xfe[", "sub/b.py": "", "sub/deep/c.py": ""})
    assert found(tmp_path) == ["a.py"]
    (tmp_path / "sub" / name).unlink()
    (tmp_path / "sub" / name).mkdir()  # there, and not to be read
    assert found(tmp_path) == ["a.py"]


def test_a_broken_setting_blocks_everything(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": ""})
    assert found(tmp_path, exclude=["[[:alpha:]]"]) == []
    assert "exclude" in Ignoring(str(tmp_path), ["[[:alpha:]]"]).broken


def test_there_is_an_end_to_depth(tmp_path: Path) -> None:
    deep = "/".join("d" * walk.MOST_DEPTH)
    write(tmp_path, {f"{deep}/a.py": "", f"{deep}/e/b.py": ""})
    assert found(tmp_path) == found(tmp_path, [f"{deep}/a.py", f"{deep}/e/b.py"]) == [f"{deep}/a.py"]


def test_a_broken_ignore_file_is_told_of_where_it_counts(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "node_modules/\n", "node_modules/.gitignore": b"\xff", "a.js": ""})
    ignoring = Ignoring(str(tmp_path))
    assert ignoring.hidden("node_modules/b.js")
    assert not ignoring.broken
    write(tmp_path, {"sub/.gitignore": b"\xff"})
    assert ignoring.hidden("sub/b.js")
    assert "sub/.gitignore" in ignoring.broken


def test_the_repository_above_has_a_say(tmp_path: Path) -> None:
    write(tmp_path, {".git/HEAD": "", ".gitignore": "/inner/build/\n", "inner/a.py": "", "inner/build/b.py": ""})
    assert found(tmp_path / "inner") == ["a.py"]


def test_an_ignored_folder_that_is_opened_is_indexed(tmp_path: Path) -> None:
    write(
        tmp_path,
        {".git/HEAD": "", ".gitignore": "/inner/\n", "inner/a.py": "", "inner/.gitignore": "b.py\n", "inner/b.py": ""},
    )
    assert found(tmp_path / "inner") == ["a.py"]


@pytest.mark.parametrize(
    "files",
    [{".aigcignore": "/inner/\n"}, {".gitignore": b"\xff"}, {".gitignore": "/inner/\n", ".aigcignore": b"\xff"}],
)
def test_what_is_not_git_s_to_say_stays_closed(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    write(tmp_path, {".git/HEAD": "", "inner/a.py": "", **files})
    assert found(tmp_path / "inner") == []


def test_a_working_tree_beside_its_repository(tmp_path: Path) -> None:
    main = write(tmp_path / "main", {".git/info/exclude": "mine.py\n", ".git/worktrees/w/commondir": "../..\n"})
    tree = write(tmp_path / "tree", {".git": f"gitdir: {main}/.git/worktrees/w\n", "mine.py": "", "a.py": ""})
    assert found(tree) == ["a.py"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"secret.py": SOURCE})
    root = write(tmp_path / "root", {"a.py": SOURCE, "sub/b.py": SOURCE})
    (root / "round").symlink_to(root)
    (root / "sub" / "up").symlink_to("..")
    (root / "out").symlink_to(outside)
    (root / "link.py").symlink_to(outside / "secret.py")
    assert found(root) == ["a.py", "sub/b.py"]
    assert found(root, ["link.py", "out/secret.py", "sub/up/a.py", "out"]) == []
    assert read_source(str(root), "link.py") is None
    assert read_source(str(root), "out/secret.py") is None
    assert read_source(str(root), "../outside/secret.py") is None


def test_a_root_that_is_a_link(tmp_path: Path) -> None:
    write(tmp_path / "real", {"a.py": SOURCE})
    (tmp_path / "link").symlink_to("real")
    assert found(tmp_path / "link") == ["a.py"]
    source = read_source(str(tmp_path / "link"), "a.py")
    assert source is not None
    assert source.text == SOURCE


def test_roots_within_the_root_are_others(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "", "inner/b.py": "", "inner_two/c.py": ""})
    assert found(tmp_path, others=[str(tmp_path / "inner")]) == ["a.py", "inner_two/c.py"]


def test_what_cannot_be_read_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a.py": "", "locked/b.py": "", "open/c.py": ""})
    scandir = os.scandir

    def refusing(path: str) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert found(tmp_path) == ["a.py", "open/c.py"]
    assert found(tmp_path / "missing") == []


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.py")
    write(tmp_path, {name: SOURCE, "new\nline.py": SOURCE})
    assert found(tmp_path) == [name, "new\nline.py"]
    source = read_source(str(tmp_path), name)
    assert source is not None
    assert source.text == SOURCE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    os.mkfifo(tmp_path / ".gitignore")
    assert found(tmp_path, ["pipe.py"]) == []
    assert read_source(str(tmp_path), "pipe.py") is None


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.py", SOURCE.encode(), SOURCE),
        ("a.py", b"# \xff\r\nx = 1\r\n", "# \ufffd\r\nx = 1\r\n"),
        ("a.py", b"", ""),
        ("a.py", b"x = '\0'\n", None),
        ("a.py", b"# @generated by a tool\nx = 1\n", None),
        ("a_pb2.py", SOURCE.encode(), None),
        ("a.min.js", b"var a=1", None),
        ("a.js", b"var a=1;" * 2000, None),
        ("a.py", b"x = 1\n" * (MAX_BYTES // 6 + 1), None),
        ("missing.txt", None, None),
        ("nul\0.py", None, None),
    ],
)
def test_what_is_of_use(tmp_path: Path, name: str, content: bytes | None, expected: str | None) -> None:
    if content is not None:
        write(tmp_path, {name: content})
    source = read_source(str(tmp_path), name)
    assert (source.text if source else None) == expected


def test_a_file_too_large_is_not_even_opened(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": b"x = 1\n" * (MAX_BYTES // 6 + 1), "b.py": b"x = 1\n" * (MAX_BYTES // 6)})
    assert found(tmp_path) == ["b.py"]


def test_a_file_that_grows_while_it_is_read_has_another_stamp_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"a.py": SOURCE})
    fstat = os.fstat

    def growing(handle: int) -> os.stat_result:
        seen = fstat(handle)
        with (tmp_path / "a.py").open("a") as file:
            file.write("more = 1\n")
        return seen

    monkeypatch.setattr(read.os, "fstat", growing)
    first = read_source(str(tmp_path), "a.py")
    monkeypatch.undo()
    again = read_source(str(tmp_path), "a.py")
    assert first is not None
    assert again is not None
    assert first.text == again.text
    assert first.stamp != again.stamp
