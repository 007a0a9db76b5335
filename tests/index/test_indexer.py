"""The index follows the disk and the editor: each test changes something and waits until the index says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from workspaces import MORE_THAN_A_HANDFUL, git, indexing, numbered, until, write

from aigc_lsp.index import build, scan
from aigc_lsp.index.build import Indexer
from aigc_lsp.index.table import EDITED, Index, entry_of
from aigc_lsp.syntax import symbols_of
from aigc_lsp.text import Text


def is_true(index: Index, root: Path) -> bool:
    """Whether the index is what one would build anew from the Python files on disk."""
    anew = Index(str(root))
    for path in sorted(root.rglob("*.py")):
        source, name = path.read_text(), path.relative_to(root).as_posix()
        anew.put(entry_of(name, "python", EDITED, symbols_of("python", Text(source))))
    if set(index.files) != set(anew.files):
        return False
    names = {name for entry in anew.files.values() for name in entry.names}
    return all(index.definitions(name) == anew.definitions(name) for name in names) and all(
        index.in_file(path) == anew.in_file(path) and index.imports(path) == anew.imports(path) for path in index.files
    )


async def test_everything_is_indexed(tmp_path: Path) -> None:
    write(tmp_path, {"go.mod": "module m\n", **numbered(5)})
    async with indexing(tmp_path) as indexer:
        assert len(indexer.index) == 5
        assert is_true(indexer.index, tmp_path)
        assert indexer.index.projects["go.mod"].name == "m"
        assert indexer.note == ""


async def test_a_little_needs_no_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    async def found(task: scan.Task) -> AsyncIterator[scan.Finding]:
        started.append(tuple(task.scope))
        yield scan.Finding("done")

    monkeypatch.setattr(build, "found_by_worker", found)
    write(tmp_path, {"go.mod": "module m\n"})
    async with indexing(tmp_path) as indexer:
        assert started == []
        write(tmp_path, {"a.py": "", "b.go": "", "large.py": "x = 1\n" * scan.HANDFUL_BYTES, **numbered(20)})
        indexer.opened("open.py", "python", symbols_of("python", Text("")))
        for path in ("a.py", "b.go", "large.py", "pkg"):
            indexer.changed([path])
            await until(lambda path=path: (path,) in started or path in indexer.index, path)
        assert started == [("b.go",), ("large.py",), ("pkg",)]


async def test_an_empty_or_missing_root(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "missing"):
        async with indexing(root) as indexer:
            assert len(indexer.index) == 0


async def test_files_that_are_written_made_and_deleted(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def one(): pass\n", "b.py": "def two(): pass\n"})
    async with indexing(tmp_path) as indexer:
        write(tmp_path, {"a.py": "def three(): pass\n", "c/d.py": "def four(): pass\n", "go.mod": "module m\n"})
        (tmp_path / "b.py").unlink()
        indexer.changed(["a.py", "b.py", "c/d.py", "go.mod"])
        await until(lambda: is_true(indexer.index, tmp_path), "the changes")
        assert [each.path for each in indexer.index.definitions("four")] == ["c/d.py"]
        assert indexer.index.definitions("one") == indexer.index.definitions("two") == []
        await until(lambda: "go.mod" in indexer.index.projects, "the project")
        (tmp_path / "go.mod").write_text("nothing")
        indexer.changed(["go.mod"])
        await until(lambda: not indexer.index.projects, "the project's end")


async def test_a_file_and_a_folder_are_renamed(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def one(): pass\n", **numbered(5)})
    async with indexing(tmp_path) as indexer:
        (tmp_path / "a.py").rename(tmp_path / "b.py")
        (tmp_path / "pkg").rename(tmp_path / "lib")
        indexer.changed(["a.py", "b.py", "pkg", "lib"])
        await until(lambda: is_true(indexer.index, tmp_path), "the new names")
        assert [each.path for each in indexer.index.definitions("f_3")] == ["lib/f3.py"]
        assert not indexer.index.paths.has_folder("pkg")


async def test_a_file_that_is_of_no_use_any_more(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def one(): pass\n", "b.py": ""})
    async with indexing(tmp_path) as indexer:
        write(tmp_path, {"a.py": b"\0\1\2"})
        indexer.changed(["a.py"])
        await until(lambda: list(indexer.index.files) == ["b.py"], "its end")


@pytest.mark.parametrize("told", [["pkg"], [f"pkg/f{number}.py" for number in range(MORE_THAN_A_HANDFUL)]])
async def test_a_folder_is_deleted(tmp_path: Path, told: list[str]) -> None:
    write(tmp_path, {"a.py": "", **numbered(MORE_THAN_A_HANDFUL)})
    async with indexing(tmp_path) as indexer:
        for path in (tmp_path / "pkg").iterdir():
            path.unlink()
        (tmp_path / "pkg").rmdir()
        indexer.changed(told)
        await until(lambda: list(indexer.index.files) == ["a.py"], "the deletion")
        assert indexer.index.definitions("f_1") == []


async def test_a_branch_switch_that_the_client_tells_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "MANY", 10)
    write(tmp_path, {"same.py": "def same(): pass\n", **numbered(30, "old")})
    async with indexing(tmp_path) as indexer:
        kept = indexer.index.files["same.py"]
        for path in numbered(30, "old"):
            (tmp_path / path).unlink()
        write(tmp_path, numbered(25, "new"))
        indexer.changed([*numbered(30, "old"), *numbered(25, "new")])
        await until(lambda: is_true(indexer.index, tmp_path), "the other branch")
        assert indexer.index.files["same.py"] is kept  # by its stamp alone


async def test_a_branch_switch_that_nobody_tells_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "LOOK_SECONDS", 0.0)
    git(tmp_path, "init")
    write(tmp_path, {".gitignore": "build/\n", "build/b.py": "", "a.py": "def here(): pass\n", **numbered(30)})
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "one")
    git(tmp_path, "switch", "-c", "other")
    write(tmp_path, {"a.py": "def there(): pass\n", "new/n.py": "def new(): pass\n"})
    (tmp_path / "pkg" / "f0.py").rename(tmp_path / "pkg" / "moved.py")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "two")
    (tmp_path / "build" / "b.py").unlink()  # `is_true` knows nothing of ignore files
    async with indexing(tmp_path) as indexer:
        assert is_true(indexer.index, tmp_path)
        for branch in ("main", "other"):
            git(tmp_path, "switch", branch)

            def follows() -> bool:
                indexer.look()
                return is_true(indexer.index, tmp_path)

            await until(follows, f"the branch {branch}")
            assert bool(indexer.index.definitions("there")) == (branch == "other")


async def test_files_that_nobody_tells_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "LOOK_SECONDS", 0.0)
    write(tmp_path, {"a.py": "", "pkg/b.py": "", "gone/c.py": ""})
    async with indexing(tmp_path) as indexer:
        write(tmp_path, {"pkg/new.py": "def new(): pass\n", "deep/er/d.py": ""})
        (tmp_path / "pkg" / "b.py").rename(tmp_path / "pkg" / "c.py")
        (tmp_path / "gone" / "c.py").unlink()
        (tmp_path / "gone").rmdir()

        def follows() -> bool:
            indexer.look()
            return is_true(indexer.index, tmp_path)

        await until(follows, "what changed")
        write(tmp_path, {"gone/again.py": "def again(): pass\n"})
        await until(follows, "a folder that was gone")


@pytest.mark.parametrize("name", [".gitignore", ".aigcignore"])
async def test_ignore_files_that_nobody_tells_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Made, written in place, and deleted."""
    monkeypatch.setattr(build, "LOOK_SECONDS", 0.05)
    write(tmp_path, {"sub/a.py": "", "sub/b.py": "", "sub/c.py": ""})
    async with indexing(tmp_path) as indexer:

        async def becomes(*expected: str) -> None:
            def is_so() -> bool:
                indexer.look()
                return sorted(indexer.index.files) == [f"sub/{each}.py" for each in expected]

            await until(is_so, f"{expected}")

        rules = tmp_path / "sub" / name
        rules.write_text("a.py\n")
        await becomes("b", "c")
        with rules.open("a") as file:
            file.write("b.py\n")
        await becomes("c")
        rules.unlink()
        await becomes("a", "b", "c")


async def test_folders_take_turns_in_being_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(build, "LOOKED_AT", 2)
    write(tmp_path, {f"{name}/a.py": "" for name in "abcde"})
    async with indexing(tmp_path) as indexer:
        for name in "eca":
            write(tmp_path, {f"{name}/new.py": ""})

            def follows() -> bool:
                indexer.look()
                return is_true(indexer.index, tmp_path)

            await until(follows, f"the folder {name}")


async def test_looks_are_seldom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    monkeypatch.setattr(build, "look", lambda root, stamps: looks.append(root) or [])
    async with indexing(tmp_path) as indexer:
        for _ in range(20):
            indexer.look()
        await until(lambda: bool(looks), "a look")
        await asyncio.sleep(0)
        assert len(looks) == 1


async def test_an_open_document_comes_before_the_disk(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def disk(): pass\n"})
    async with indexing(tmp_path) as indexer:
        index = indexer.index
        indexer.opened("a.py", "python", symbols_of("python", Text("def buffer(): pass\n")))
        assert [each.name for each in index.in_file("a.py")] == ["buffer"]
        assert await indexer.text("a.py") is None  # who has it open has its text
        write(tmp_path, {"a.py": "def saved(): pass\n", "b.py": ""})
        indexer.changed(["a.py", "b.py"])
        await until(lambda: "b.py" in index, "the other file")
        (tmp_path / "a.py").unlink()
        (tmp_path / "b.py").unlink()
        indexer.changed(["a.py", "b.py"])
        await until(lambda: "b.py" not in index, "the deletion")
        assert [each.name for each in index.in_file("a.py")] == ["buffer"]
        write(tmp_path, {"a.py": "def closed(): pass\n"})
        indexer.closed("a.py")
        await until(lambda: [each.name for each in index.in_file("a.py")] == ["closed"], "the disk again")


async def test_what_changes_during_a_scan_is_not_overtaken_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scan has read the old text when the editor tells of a new one, and hands it over afterwards."""
    write(tmp_path, {"a.py": "def old(): pass\n"})
    released, has_read = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(task: scan.Task) -> list[scan.Finding] | None:
        found = list(scan.scan(task, task.ignoring()))
        if task.scope == ("",):
            loop.call_soon_threadsafe(has_read.set)
            asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
        return found

    monkeypatch.setattr(build, "scan_handful", slow)
    indexer = Indexer(str(tmp_path))
    indexer.start()
    try:
        await asyncio.wait_for(has_read.wait(), 15)
        write(tmp_path, {"a.py": "def new(): pass\n"})
        indexer.changed(["a.py"])
        await until(lambda: bool(indexer.index.definitions("new")), "the change")
        released.set()
        await until(lambda: indexer.is_complete, "the end of the scan")
        assert [each.name for each in indexer.index.in_file("a.py")] == ["new"]
    finally:
        released.set()
        await indexer.close()


async def test_what_is_hidden_during_a_scan_does_not_come_in_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"a.py": "", "b.py": ""})
    released, has_read, put = asyncio.Event(), asyncio.Event(), list[str]()
    loop = asyncio.get_running_loop()

    def slow(task: scan.Task) -> list[scan.Finding] | None:
        found = list(scan.scan(task, task.ignoring()))
        loop.call_soon_threadsafe(has_read.set)
        asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
        return found

    monkeypatch.setattr(build, "scan_handful", slow)
    monkeypatch.setattr(Index, "put", lambda index, entry: put.append(entry.path))
    indexer = Indexer(str(tmp_path))
    indexer.start()
    try:
        await asyncio.wait_for(has_read.wait(), 15)
        write(tmp_path, {".aigcignore": "b.py\n"})
        indexer.changed([".aigcignore"])
        released.set()
        await until(lambda: indexer.is_complete, "the end of the second scan")
        assert put == ["a.py"]
    finally:
        released.set()
        await indexer.close()


async def test_an_ignore_file_that_changes(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "", "sub/b.py": "", "sub/c.py": ""})
    async with indexing(tmp_path) as indexer:
        files = indexer.index.files
        write(tmp_path, {"sub/.aigcignore": "b.py\n"})
        indexer.changed(["sub/.aigcignore"])
        await until(lambda: sorted(files) == ["a.py", "sub/c.py"], "what is hidden")
        write(tmp_path, {"sub/.aigcignore": b"\xff"})
        indexer.changed(["sub/.aigcignore"])
        await until(lambda: list(files) == ["a.py"], "the broken file")
        assert "sub/.aigcignore" in indexer.note
        (tmp_path / "sub" / ".aigcignore").unlink()
        indexer.changed(["sub/.aigcignore"])
        await until(lambda: sorted(files) == ["a.py", "sub/b.py", "sub/c.py"] and not indexer.note, "all of it")


async def test_other_things_to_exclude(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "", "sub/b.py": "", "own/c.py": ""})
    async with indexing(tmp_path) as indexer:
        indexer.arrange(["sub/"], [str(tmp_path / "own")])
        await until(lambda: list(indexer.index.files) == ["a.py"], "what is excluded")
        indexer.arrange([], [])
        await until(lambda: len(indexer.index) == 3, "all of it")


@pytest.fixture
def scans_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the worker does is done by the test's own process, where budgets may be set."""

    async def found(task: scan.Task) -> AsyncIterator[scan.Finding]:
        for each in scan.scan(task, task.ignoring()):
            yield each

    monkeypatch.setattr(build, "found_by_worker", found)


@pytest.mark.usefixtures("scans_here")
async def test_no_more_files_than_the_budget_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "MOST_FILES", 3)
    write(tmp_path, {"z.py": "", **numbered(5)})
    async with indexing(tmp_path) as indexer:
        assert sorted(indexer.index.files) == ["pkg/f0.py", "pkg/f1.py", "z.py"]
        assert "first 3 files" in indexer.note
        (tmp_path / "pkg" / "f0.py").unlink()
        indexer.rescan()
        await until(lambda: sorted(indexer.index.files) == ["pkg/f1.py", "pkg/f2.py", "z.py"], "another in its place")
        write(tmp_path, {"a.py": ""})
        indexer.rescan()
        await until(lambda: sorted(indexer.index.files) == ["a.py", "pkg/f1.py", "z.py"], "one that comes first")


@pytest.mark.usefixtures("scans_here")
async def test_no_more_time_than_the_budget_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "MOST_SECONDS", -1.0)
    write(tmp_path, numbered(5))
    async with indexing(tmp_path) as indexer:
        assert len(indexer.index) == 0
        assert "stopped" in indexer.note


async def test_the_text_that_offsets_are_of(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def one(): pass\n"})
    async with indexing(tmp_path) as indexer:
        assert await indexer.text("a.py") == "def one(): pass\n"
        assert await indexer.text("unknown.py") is None
        write(tmp_path, {"a.py": "# more\ndef two(): pass\n"})
        assert await indexer.text("a.py") is None
        await until(lambda: bool(indexer.index.definitions("two")), "the file is read again")
        assert await indexer.text("a.py") == "# more\ndef two(): pass\n"
