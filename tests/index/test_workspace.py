"""Several folders, one folder, none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from workspaces import until, write

from aigc_lsp.index.workspace import Workspace
from aigc_lsp.syntax import symbols_of
from aigc_lsp.text import Text


@asynccontextmanager
async def serving(*folders: Path) -> AsyncIterator[Workspace]:
    workspace = Workspace()
    try:
        await workspace.serve(map(str, folders))
        await until(lambda: workspace.is_complete, "the first scans")
        yield workspace
    finally:
        await workspace.close()


async def test_several_folders_one_within_another(tmp_path: Path) -> None:
    write(tmp_path, {"one/a.py": "def f(): pass\n", "two/b.py": "def f(): pass\n", "two/in/c.py": "def f(): pass\n"})
    one, two, inner = tmp_path / "one", tmp_path / "two", tmp_path / "two" / "in"
    async with serving(one, two, inner) as workspace:
        assert [(root, each.path) for root, each in workspace.definitions("f")] == [
            (str(one), "a.py"),
            (str(two), "b.py"),
            (str(inner), "c.py"),
        ]
        place = workspace.locate(str(inner / "deep" / "x.py"))
        assert place is not None
        assert (place[0].index.root, place[1]) == (str(inner), "deep/x.py")
        assert workspace.locate(str(tmp_path / "two.py")) is None
        assert len(workspace) == 3


async def test_folders_come_and_go(tmp_path: Path) -> None:
    write(tmp_path, {"one/a.py": "", "one/in/b.py": "", "two/c.py": ""})
    one, inner, two = tmp_path / "one", tmp_path / "one" / "in", tmp_path / "two"
    async with serving(one) as workspace:
        await workspace.serve([str(inner), str(two), f"{one}/"])
        kept = workspace.locate(str(one))
        assert kept is not None
        await until(lambda: len(workspace) == 3 and list(kept[0].index.files) == ["a.py"], "the inner folder's own")
        await workspace.serve([str(one)], ["a.py"])
        await until(
            lambda: list(kept[0].index.files) == ["in/b.py"], "the inner folder again, without what is excluded"
        )
        assert workspace.locate(str(two / "c.py")) is None


async def test_no_folder_no_index(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): pass\n"})
    async with serving() as workspace:
        workspace.opened(str(tmp_path / "a.py"), "python", symbols_of("python", Text("def f(): pass\n")))
        workspace.changed([str(tmp_path / "a.py")])
        workspace.closed(str(tmp_path / "a.py"))
        workspace.look()
        assert len(workspace) == 0
        assert workspace.definitions("f") == []
        assert workspace.note == ""


async def test_what_happens_reaches_its_folder(tmp_path: Path) -> None:
    write(tmp_path, {"one/a.py": "", "two/b.py": b""})
    async with serving(tmp_path / "one", tmp_path / "two") as workspace:
        write(tmp_path, {"two/b.py": "def changed(): pass\n"})
        workspace.changed([str(tmp_path / "two" / "b.py"), str(tmp_path / "elsewhere.py")])
        await until(lambda: bool(workspace.definitions("changed")), "the change")
        workspace.opened(str(tmp_path / "one" / "new.py"), "python", symbols_of("python", Text("def mine(): pass\n")))
        assert [each.path for _, each in workspace.definitions("mine")] == ["new.py"]
        workspace.closed(str(tmp_path / "one" / "new.py"))
        await until(lambda: not workspace.definitions("mine"), "a document that was never saved")


async def test_every_folder_says_what_it_leaves_out(tmp_path: Path) -> None:
    write(tmp_path, {"one/.gitignore": b"\xff", "one/a.py": "", "two/.gitignore": b"\xff", "three/a.py": ""})
    async with serving(tmp_path / "one", tmp_path / "two", tmp_path / "three") as workspace:
        assert len(workspace) == 1
        assert workspace.note.count(".gitignore") == 1
