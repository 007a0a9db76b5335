"""Documents that are not to be seen: nothing is suggested in them, and it is said why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Bench, started
from folders import changed, indexed, opening
from harness import until
from workspaces import write

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="session")]

SECRET = "TOKEN = 'x'\nOTHER = "


def settings(**more: Any) -> dict[str, Any]:
    return {"context": {"prefixTokens": 16_384, "suffixTokens": 8192, **more.pop("context", {})}, **more}


async def suggested(bench: Bench, path: Path, text: str = SECRET, scheme: str = "file") -> list[str]:
    """What is suggested at the end of a document that is opened for it."""
    uri = path.as_uri().replace("file", scheme, 1)
    bench.client.open(uri, text)
    line = text.count("\n")
    found = await bench.client.ghost(uri, line, len(text) - text.rfind("\n") - 1)
    bench.client.close(uri)
    return found


async def refused(bench: Bench, path: Path, reason: str) -> None:
    """Nothing is suggested, the model server is not asked, and the status says why."""
    uri = path.as_uri()
    before = len(bench.engine.asked)
    bench.client.open(uri, SECRET)
    assert await bench.client.ghost(uri, 1, 8) == []
    assert len(bench.engine.asked) == before

    def is_said() -> bool:
        last = bench.client.statuses()[-1]
        return last["kind"] == "Inactive" and reason in last["message"]

    await until(is_said, f"{reason!r}, not {bench.client.statuses()[-1]}")
    bench.client.close(uri)


async def test_files_for_secrets(folder: Path) -> None:
    root = write(folder / "w", {"a.py": ""})
    async with started(folder, params=opening(root), settings=settings()) as bench:
        await bench.ready()
        bench.engine.says("x")
        for name in (".env", ".env.local", "id_rsa", "deploy/server.pem", ".aws/credentials", "kube/kubeconfig"):
            await refused(bench, root / name, "(option completion.in_secret_files).")
        await refused(bench, folder / "elsewhere" / ".netrc", "a file for secrets (.netrc)")
        assert await suggested(bench, root / ".env", scheme="git") == []  # an older version of it
        assert await suggested(bench, root / ".env", scheme="untitled") == []
        assert await suggested(bench, root / ".env.example") == ["x"]
        assert await suggested(bench, root / "a.py") == ["x"]
        bench.client.settings = settings(completion={"inSecretFiles": True})
        bench.client.notify("workspace/didChangeConfiguration", {"settings": None})

        async def is_allowed() -> bool:
            return await suggested(bench, root / ".env") == ["x"]

        await until(is_allowed, "the setting")
        assert await suggested(bench, folder / "elsewhere" / ".netrc") == ["x"]
        await bench.client.end()


async def test_a_link_to_a_file_for_secrets(folder: Path) -> None:
    root = write(folder / "w", {"a.py": "", "keys/.env": "", ".aigcignore": "private/\n", "private/p.py": ""})
    (root / "notes.py").symlink_to(root / "keys" / ".env")
    (root / "linked").symlink_to(root / "private")
    (root / ".secrets").symlink_to(root / "a.py")
    async with started(folder, params=opening(root), settings=settings()) as bench:
        await bench.ready()
        bench.engine.says("x")
        await refused(bench, root / "notes.py", "a file for secrets")
        await refused(bench, root / "linked" / "p.py", "ignored by .aigcignore")
        assert await suggested(bench, root / "a.py") == ["x"]
        await bench.client.end()


async def test_ignored_documents(folder: Path) -> None:
    """Of what git alone ignores one may think otherwise than git."""
    root = write(
        folder / "w",
        {
            ".git/HEAD": "",
            ".gitignore": "local.py\nbuild/\n",
            ".aigcignore": "private/\n*.gen.py\n!good.gen.py\n",
            "sub/.aigcignore": "inner.py\n",
        },
    )
    options = settings(context={"exclude": ["vendor/", "/top.py"]})
    async with started(folder, params=opening(root), settings=options) as bench:
        await bench.ready()
        bench.engine.says("x")
        for name in ("local.py", "build/b.py", "a.py", "good.gen.py", "inner.py", "sub/top.py", "deep/new/file.py"):
            assert await suggested(bench, root / name) == ["x"], name
        for name in ("private/p.py", "a.gen.py", "sub/inner.py", "sub/b.gen.py"):
            await refused(bench, root / name, ".aigcignore")
        for name in ("vendor/v.py", "sub/vendor/deep/v.py", "top.py"):
            await refused(bench, root / name, "exclude")
        assert await suggested(bench, root / "private" / "cells.ipynb", scheme="vscode-notebook-cell") == []
        assert await suggested(bench, root / "cells.ipynb", scheme="vscode-notebook-cell") == ["x"]
        await bench.client.end()


async def test_documents_of_no_folder_follow_their_own(folder: Path) -> None:
    """The rules of the repository, or else the folder, that they lie in."""
    write(
        folder,
        {
            "w/a.py": "",
            "repository/.git/HEAD": "",
            "repository/.aigcignore": "private/\n",
            "loose/.aigcignore": "p.py\n",
        },
    )
    for params in (opening(folder / "w"), opening()):
        async with started(folder, params=params, settings=settings()) as bench:
            await bench.ready()
            bench.engine.says("x")
            await refused(bench, folder / "repository" / "private" / "p.py", ".aigcignore")
            await refused(bench, folder / "loose" / "p.py", ".aigcignore")
            assert await suggested(bench, folder / "repository" / "a.py") == ["x"]
            assert await suggested(bench, folder / "missing" / "new.py") == ["x"]
            await bench.client.end()


async def test_broken_ignore_files(folder: Path) -> None:
    """A broken .aigcignore may have meant this very file; a broken .gitignore says nothing about completions."""
    root = write(folder / "w", {"one/.aigcignore": b"\xff", "two/.gitignore": b"\xff", "three/.aigcignore/x": ""})
    async with started(folder, params=opening(root), settings=settings()) as bench:
        await bench.ready()
        bench.engine.says("x")
        await refused(bench, root / "one" / "a.py", "one/.aigcignore is not UTF-8")
        await refused(bench, root / "one" / "deep" / "a.py", "one/.aigcignore is not UTF-8")
        await refused(bench, root / "three" / "a.py", "three/.aigcignore cannot be read")
        assert await suggested(bench, root / "two" / "a.py") == ["x"]
        assert await suggested(bench, root / "a.py") == ["x"]
        write(root, {"one/.aigcignore": "b.py\n"})
        changed(bench, root / "one" / ".aigcignore")
        assert await suggested(bench, root / "one" / "a.py") == ["x"]
        await bench.client.end()


async def test_a_broken_setting_blocks_everything(folder: Path) -> None:
    root = write(folder / "w", {"a.py": ""})
    async with started(folder, params=opening(root), settings=settings()) as bench:
        await bench.ready()
        await indexed(bench, 1)
        bench.client.settings = settings(context={"exclude": ["[[:alpha:]]"]})
        bench.client.notify("workspace/didChangeConfiguration", {"settings": None})
        assert "exclude" in (await indexed(bench, 0))["note"]
        await refused(bench, root / "a.py", "exclude")
        await bench.client.end()


@pytest.mark.parametrize("how", ["told", "saved", "seen"])
async def test_an_open_document_is_hidden_from_now_on(folder: Path, how: str) -> None:
    root = write(folder / "w", {"a.py": ""})
    async with started(folder, params=opening(root), settings=settings()) as bench:
        await bench.ready()
        bench.engine.says("x")
        uri, rules = (root / "a.py").as_uri(), root / ".aigcignore"
        bench.client.open(uri, SECRET)
        assert await bench.client.ghost(uri, 1, 8) == ["x"]

        def tell() -> None:
            if how == "told":
                changed(bench, rules)
            elif how == "saved":
                bench.client.notify("textDocument/didSave", {"textDocument": {"uri": rules.as_uri()}})

        write(root, {".aigcignore": "a.py\n"})
        tell()
        if how == "seen":

            async def is_refused() -> bool:
                return await bench.client.ghost(uri, 1, 8) == []

            await until(is_refused, "a look at the ignore file")
        assert await bench.client.ghost(uri, 1, 8) == []
        rules.unlink()
        tell()

        async def is_served() -> bool:
            return await bench.client.ghost(uri, 1, 8) == ["x"]

        await until(is_served, "the end of it")
        await bench.client.end()


async def test_what_is_under_way_ends_when_its_document_is_hidden(folder: Path) -> None:
    root = write(folder / "w", {"a.py": ""})
    async with started(folder, params=opening(root), settings=settings()) as bench:
        await bench.ready()
        bench.engine.says("x", hang=True)
        uri = (root / "a.py").as_uri()
        bench.client.open(uri, SECRET)
        request = bench.client.ask_inline(uri, 1, 8)
        await until(lambda: bench.engine.asked, "the request")
        write(root, {".aigcignore": "*\n"})
        changed(bench, root / ".aigcignore")
        assert (await request.reply())["items"] == []
        await bench.engine.asked[0].hung_up.wait()
        await bench.client.end()


async def test_what_was_said_before_something_was_hidden_is_forgotten(folder: Path) -> None:
    root = write(folder / "w", {"a.py": "", "b.py": ""})
    async with started(folder, params=opening(root), settings=settings()) as bench:
        await bench.ready()
        bench.engine.says("x")
        uri = (root / "a.py").as_uri()
        bench.client.open(uri, SECRET)
        for _ in range(2):
            assert await bench.client.ghost(uri, 1, 8) == ["x"]
        assert len(bench.engine.asked) == 1
        write(root, {".aigcignore": "b.py\n"})
        changed(bench, root / ".aigcignore")
        assert await bench.client.ghost(uri, 1, 8) == ["x"]
        assert len(bench.engine.asked) == 2
        await bench.client.end()


async def test_the_first_request_does_not_come_too_early(folder: Path) -> None:
    """It waits for the rules, which are read after `initialized`, and is not answered empty."""
    root = write(folder / "w", {".aigcignore": "b.py\n"})
    async with started(folder, initialize=False, settings=settings()) as bench:
        await bench.client.initialize(opening(root))
        for name in ("a.py", "b.py"):
            bench.client.open((root / name).as_uri(), SECRET)
        await bench.ready()
        bench.engine.says("x")
        assert await bench.client.ghost((root / "b.py").as_uri(), 1, 8) == []
        assert await bench.client.ghost((root / "a.py").as_uri(), 1, 8) == ["x"]
        await bench.client.end()
