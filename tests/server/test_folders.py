"""The index of the folders follows the disk, the editor and the settings, and nothing outlives the server."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import started
from folders import changed, in_process, index, indexed, open_in, opening
from harness import environment, initialize_params, until
from lsprotocol import types
from workspaces import git, write

from aigc_lsp.server.app import Server

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="session")]

ONE, TWO = "def one(): pass\n", "def two(): pass\n"


def where(server: Server, name: str) -> list[str]:
    assert server.folders.workspace is not None
    return [found.path for _, found in server.folders.workspace.definitions(name)]


# Files


async def test_the_client_is_asked_to_tell_of_files(folder: Path) -> None:
    async with started(folder, params=opening(write(folder / "w", {"a.py": ONE}))) as bench:

        def registered() -> list[dict[str, Any]]:
            said = [params for method, params in bench.client.asked if method == "client/registerCapability"]
            return [each for params in said for each in params["registrations"]]

        await until(lambda: len(registered()) == 2, "the registrations")
        watched = registered()[1]
        assert watched["method"] == "workspace/didChangeWatchedFiles"
        assert watched["registerOptions"] == {"watchers": [{"globPattern": "**/*"}]}
        assert bench.client.capabilities["textDocumentSync"]["save"] == {"includeText": False}
        folders = bench.client.capabilities["workspace"]["workspaceFolders"]
        assert folders == {"supported": True, "changeNotifications": True}
        await bench.client.end()


async def test_a_client_that_cannot_watch_is_not_asked_to(folder: Path) -> None:
    async with started(folder, params=opening(write(folder / "w", {"a.py": ONE}), client="neovim-0.12")) as bench:
        await indexed(bench, 1)
        assert "client/registerCapability" not in [method for method, _ in bench.client.asked]
        await bench.client.end()


async def test_files_of_other_programs(folder: Path) -> None:
    root = write(folder / "w", {"a.py": ONE, "notes.txt": "x"})
    async with started(folder, params=opening(root)) as bench:
        assert await indexed(bench, 1) == {"files": 1, "complete": True, "note": ""}
        write(root, {"b.py": TWO, "c/d.py": TWO})
        changed(bench, root / "b.py", root / "c")
        await indexed(bench, 3)
        (root / "a.py").unlink()
        changed(bench, root / "a.py", folder / "elsewhere.py")
        bench.client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": "untitled:x", "type": 1}]})
        await indexed(bench, 2)
        await bench.client.end()


async def test_files_that_nobody_tells_of_are_seen_by_who_types(folder: Path) -> None:
    root = write(folder / "w", {"a.py": ONE})
    async with started(folder, params=opening(root)) as bench:
        await indexed(bench, 1)
        write(root, {"b.py": TWO})
        bench.client.open((root / "a.py").as_uri(), ONE)

        async def is_seen() -> bool:
            await bench.client.inline((root / "a.py").as_uri(), 0, 0)
            return index(bench)["files"] == 2

        await until(is_seen, "a look at the disk")
        await bench.client.end()


async def test_a_saved_file_is_read_again(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.py": ONE})
    async with in_process(root) as server:
        write(root, {"a.py": TWO})
        save = server.protocol.fm.features[types.TEXT_DOCUMENT_DID_SAVE]
        save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier((root / "a.py").as_uri())))
        await until(lambda: where(server, "two") == ["a.py"] and not where(server, "one"), "what was saved")


async def test_a_branch_switch_with_a_rename(tmp_path: Path) -> None:
    """Nobody tells of it: it is seen when somebody types."""
    root = write(tmp_path, {"pkg/old.py": ONE, "pkg/kept.py": TWO, "deep/in/x.py": "def three(): pass\n"})
    git(root, "init")
    git(root, "add", ".")
    git(root, "commit", "-m", "one")
    git(root, "checkout", "-b", "other")
    git(root, "mv", "pkg/old.py", "pkg/new.py")
    git(root, "mv", "deep/in", "deep/out")
    write(root, {"pkg/kept.py": "def second(): pass\n"})
    git(root, "commit", "-am", "two")
    async with in_process(root) as server:

        def is_other() -> bool:
            server.folders.look()
            found = {name: where(server, name) for name in ("one", "two", "second", "three")}
            return found == {"one": ["pkg/new.py"], "two": [], "second": ["pkg/kept.py"], "three": ["deep/out/x.py"]}

        def is_main() -> bool:
            server.folders.look()
            found = {name: where(server, name) for name in ("one", "two", "second", "three")}
            return found == {"one": ["pkg/old.py"], "two": ["pkg/kept.py"], "second": [], "three": ["deep/in/x.py"]}

        await until(is_other, "the branch `other`")
        git(root, "checkout", "main")
        await until(is_main, "the branch `main`")
        git(root, "checkout", "other")
        await until(is_other, "the branch `other`, again")


async def test_a_branch_switch_with_other_ignore_files(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.py": ONE, "b.py": TWO})
    git(root, "init")
    git(root, "add", ".")
    git(root, "commit", "-m", "one")
    git(root, "checkout", "-b", "other")
    write(root, {".aigcignore": "b.py\n"})
    git(root, "add", ".")
    git(root, "commit", "-m", "two")
    git(root, "checkout", "main")
    async with in_process(root) as server:
        assert where(server, "two") == ["b.py"]
        for branch, expected in (("other", []), ("main", ["b.py"])):
            git(root, "checkout", branch)

            def is_so(expected: list[str] = expected) -> bool:
                server.folders.look()
                return where(server, "two") == expected

            await until(is_so, f"the ignore files of {branch}")


# Open documents


async def test_an_open_document_comes_before_its_file(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.py": ONE})
    async with in_process(root) as server:
        uri = open_in(server, root / "a.py", TWO)
        await until(lambda: where(server, "two") == ["a.py"] and not where(server, "one"), "the editor's text")
        change = types.TextDocumentContentChangeWholeDocument
        server.session.change(uri, 2, [change("def three(): pass\n")])
        await until(lambda: where(server, "three") == ["a.py"] and not where(server, "two"), "what was typed")
        server.session.change(uri, 3, [change("def four(): pass\ndef broken(:\n")])
        await asyncio.sleep(1.0)  # longer than a document rests before it is looked at
        assert where(server, "three") == ["a.py"]
        assert where(server, "four") == []
        server.session.change(uri, 4, [change("def four(): pass\n")])
        await until(lambda: where(server, "four") == ["a.py"], "the mended text")
        server.session.close(uri)
        await until(lambda: where(server, "one") == ["a.py"] and not where(server, "four"), "the file's text")


async def test_a_new_document_is_gone_when_it_is_closed_without_being_saved(tmp_path: Path) -> None:
    async with in_process(tmp_path) as server:
        uri = open_in(server, tmp_path / "new.py", ONE)
        await until(lambda: where(server, "one") == ["new.py"], "a document without a file")
        server.session.close(uri)
        await until(lambda: not where(server, "one"), "its end")


async def test_an_open_document_of_a_folder_that_is_added_later(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one", {"a.py": ONE}), write(tmp_path / "two", {"b.py": ""})
    async with in_process(one) as server:
        open_in(server, two / "b.py", TWO)
        event = types.WorkspaceFoldersChangeEvent([types.WorkspaceFolder(two.as_uri(), "two")], [])
        server.folders.change(event)
        await until(lambda: where(server, "two") == ["b.py"], "the open document")


@pytest.mark.parametrize(("name", "ignores"), [("a.py", "a.py\n"), (".env.py", ""), ("id_rsa.py", "")])
async def test_a_hidden_document_is_not_indexed(tmp_path: Path, name: str, ignores: str) -> None:
    root = write(tmp_path, {name: ONE, ".gitignore": ignores, "b.py": TWO})
    hides = ignores or "*.py\n"
    async with in_process(root) as server:
        hidden, shown = open_in(server, root / name), open_in(server, root / "b.py", "def mine(): pass\n")
        await until(lambda: where(server, "mine") == ["b.py"], "the other document")
        assert server.session.judgements[hidden].hidden
        assert not server.session.judgements[shown].hidden
        assert where(server, "one") == []
        write(root, {".gitignore": hides})
        server.folders.told([str(root / ".gitignore")])
        if not ignores:
            await until(lambda: not where(server, "mine"), "that it is hidden from now on")
            assert server.session.judgements[shown].barred == ""


# Folders


async def test_folders_come_and_go(folder: Path) -> None:
    one, two = write(folder / "one", {"a.py": ONE}), write(folder / "two", {"b.py": TWO, "c.py": ""})
    async with started(folder, params=opening(one)) as bench:
        await indexed(bench, 1)

        def change(added: list[Path], removed: list[Path]) -> None:
            event = {
                "added": [{"uri": each.as_uri(), "name": each.name} for each in added],
                "removed": [{"uri": each.as_uri(), "name": each.name} for each in removed],
            }
            bench.client.notify("workspace/didChangeWorkspaceFolders", {"event": event})

        change([two], [])
        await indexed(bench, 3)
        change([], [one])
        await indexed(bench, 2)
        change([], [two, folder / "never there"])
        await until(lambda: index(bench) == {}, "nothing is indexed")
        await bench.client.end()


@pytest.mark.parametrize("named", ["workspaceFolders", "rootUri", "rootPath", "nothing"])
async def test_however_the_folder_is_named(folder: Path, named: str) -> None:
    root = write(folder / "with space é", {"a.py": ONE})
    names = {"workspaceFolders": [{"uri": root.as_uri(), "name": "w"}], "rootUri": root.as_uri(), "rootPath": str(root)}
    params = initialize_params("vscode") | {name: None if name != named else names[name] for name in names}
    async with started(folder, params=params) as bench:
        if named == "nothing":
            await bench.ready()
            assert index(bench) == {}
        else:
            await indexed(bench, 1)
        await bench.client.end()


@pytest.mark.parametrize("opened", ["home", "/"])
async def test_the_home_folder_is_not_indexed(folder: Path, opened: str) -> None:
    home = write(folder / "home", {"a.py": ONE, "project/b.py": TWO})
    environ = environment(folder, HOME=str(home))
    root = home if opened == "home" else Path("/")
    async with started(folder, params=opening(root, home / "project"), environ=environ) as bench:
        found = await indexed(bench, 1)
        assert found["note"] == (
            f"{root} is not indexed, since your home folder is in it. Open a project's folder instead."
        )
        await bench.ready()
        await until(lambda: bench.client.statuses()[-1]["kind"] == "Normal", "a status that is well")
        await bench.client.end()


async def test_a_folder_that_is_not_there(folder: Path) -> None:
    async with started(folder, params=opening(folder / "missing")) as bench:
        await bench.ready()
        assert index(bench) == {}
        await bench.client.end()


async def test_exclude_takes_effect_at_once(folder: Path) -> None:
    root = write(folder / "w", {"a.py": ONE, "gen/b.py": TWO})
    async with started(folder, params=opening(root)) as bench:
        await indexed(bench, 2)
        for exclude, files in (["gen/"], 1), ([], 2):
            bench.client.settings = {"context": {"exclude": exclude}}
            bench.client.notify("workspace/didChangeConfiguration", {"settings": None})
            await indexed(bench, files)
        await bench.client.end()


async def test_a_broken_ignore_file_is_told_of(folder: Path) -> None:
    root = write(folder / "w", {"a.py": ONE, "sub/b.py": TWO, "sub/.gitignore": b"\xff"})
    async with started(folder, params=opening(root)) as bench:
        found = await indexed(bench, 1)
        assert found["note"].startswith("sub/.gitignore is not UTF-8")
        await bench.ready()
        await until(lambda: bench.client.statuses()[-1]["message"] == found["note"], "the warning")
        assert bench.client.statuses()[-1]["kind"] == "Warning"
        write(root, {"sub/.gitignore": "x\n"})
        changed(bench, root / "sub" / ".gitignore")
        await indexed(bench, 2)
        await until(lambda: index(bench)["note"] == "", "the end of the look")
        await until(lambda: bench.client.statuses()[-1]["kind"] == "Normal", "that all is well")
        await bench.client.end()


# The end

HANG = """
import sys, time
if "aigc_lsp.index.worker" in " ".join(sys.orig_argv):
    from aigc_lsp.index import scan
    scan.symbols_of = lambda *_: time.sleep(600)
"""


@pytest.mark.parametrize("end", ["shutdown", "exit", "hang up", "kill"])
async def test_no_worker_outlives_the_server(folder: Path, end: str) -> None:
    write(folder, {"site/sitecustomize.py": HANG})
    root = write(folder / "w", {f"f{number}.py": ONE for number in range(40)})
    environ = environment(folder, PYTHONPATH=os.pathsep.join([str(folder / "site"), os.environ.get("PYTHONPATH", "")]))
    async with started(folder, params=opening(root), environ=environ) as bench:
        process = psutil.Process(bench.client.process.pid)

        def worker() -> psutil.Process | None:
            return next((each for each in process.children() if "aigc_lsp.index.worker" in each.cmdline()), None)

        found = await until(worker, "the worker")
        if end == "hang up":
            await bench.client.hang_up(code=1)
        elif end == "kill":
            process.kill()
        else:
            await bench.client.end(shutdown=end == "shutdown")
        await until(lambda: not found.is_running(), "the end of the worker")
