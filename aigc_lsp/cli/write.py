"""Code and docstrings without an editor."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import re
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import typer

from aigc_lsp.cli.app import Json, app, configuration, say
from aigc_lsp.cli.backend import ready_backend
from aigc_lsp.errors import UsageError

INDEX_SECONDS, READ_SECONDS = 10.0, 2.0
"""`complete` waits so long for the index of a repository, and for the files that it wants to read of it."""


@app.command()
def complete(
    target: Annotated[str, typer.Argument(metavar="PATH:LINE:COL", help="Lines and columns count from 1.")],
    as_json: Json = False,
) -> None:
    """Complete the code at a place in a file, as an editor would be answered.

    COL is the column of the cursor in characters: 1 is before the first character of the line.
    """
    from aigc_lsp.gather.gatherer import Gatherer
    from aigc_lsp.index.git import repository_of
    from aigc_lsp.index.workspace import Workspace
    from aigc_lsp.pipeline import complete as run

    config = configuration()
    document, offset = document_at(target, config.completion.max_file_bytes)

    async def work() -> Any:
        client = await ready_backend(config)
        workspace = Workspace()
        try:
            # As an editor would: the repository is the workspace. Without one there is the file alone.
            root = repository_of(str(Path(document.path).parent))
            await workspace.serve([root] if root else [], config.context.exclude)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INDEX_SECONDS):
                    while not workspace.is_complete:
                        await asyncio.sleep(0.02)
            gatherer = Gatherer(workspace, wait_seconds=READ_SECONDS)
            gatherer.opened(document)
            if document.tree is not None:
                gatherer.knows(document, document.tree.symbols())
            return await run(document, offset, client, config, gatherer=gatherer)
        finally:
            await workspace.close()
            await client.close()

    found = asyncio.run(work())
    if not as_json:
        print(found.text)
        return
    usage = dataclasses.asdict(found.usage)
    print(
        json.dumps(
            {
                "text": found.text,
                "stop_reason": found.stop_reason,
                **_rounded(usage | {"total_ms": found.total_ms}),
            }
        )
    )


@app.command()
def docstring(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH[:LINE]...", help="Files, folders, or what a line of a file (from 1) belongs to."),
    ],
    style: Annotated[
        str | None,
        typer.Option(
            help="google, numpy, sphinx, epytext, plain, jsdoc, tsdoc, …; else as configured: `auto` is the style of "
            "the file, or of the project."
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Only say which are missing or stale; exit code 1 if any is. Needs no model."),
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write them into the files.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print a unified diff, and write nothing.")] = False,
    private: Annotated[
        bool,
        typer.Option(
            "--private",
            help="Also of what is private, inside of functions, a constructor or a special method, and in tests.",
        ),
    ] = False,
    stale: Annotated[bool, typer.Option("--stale", help="Only those that are there and no longer right.")] = False,
) -> None:
    """Write the docstrings that are missing, mend those that are stale, and print them.

    Structure and names come from the code, words from the model. Of public definitions, as pydocstyle has it, unless
    --private is given; what a LINE belongs to is always written. What a human wrote stays.
    """
    from aigc_lsp.docstring_files import command, files

    if check + write + diff > 1:
        raise UsageError("--check, --write and --diff are three things: ask for one of them.")
    if stale and private:
        raise UsageError("--private adds what is missing and --stale leaves that out: ask for one of them.")
    config = configuration()
    found = files.targets(paths, config.context.exclude)
    which: command.Which = "stale" if stale else "private" if private else "public"
    if style is not None:
        command.check_style(style, [target.language for target in found])
    bare = len(found) == len(found[0].lines) == 1 if found else False
    failures: list[str] = []

    def failed(said: str) -> None:
        failures.append(said)
        print(f"aigc-lsp: {said}", file=sys.stderr)

    def put(made: command.Written) -> None:
        try:
            if write:
                files.write(made.source, made.text)
            said = (
                "".join(f"{line}\n" for line in made.lines())
                if write
                else made.diff()
                if diff
                else made.shown(bare=bare)
            )
            print(said, end="", flush=True)
        except files.Unreadable as error:
            failed(str(error))

    if check:
        for checked in command.check(found, which, failed):
            failures += (lines := checked.lines())
            print("".join(f"{line}\n" for line in lines), end="")
    else:

        async def work() -> None:
            async with _docstring_writer(config) as writer:
                asked = command.Asked(tuple(found), style or config.docstring.style, which, config.context.exclude)
                async for each in command.written(asked, writer, failed, say):
                    put(each)

        asyncio.run(work())
    if failures:
        raise typer.Exit(1)


def document_at(target: str, max_bytes: int) -> tuple[Any, int]:
    """The document and the offset that PATH:LINE:COL names."""
    from aigc_lsp.context.document import Document
    from aigc_lsp.syntax import language_of, parse
    from aigc_lsp.text import Text

    parts = re.fullmatch(r"(.+):([0-9]{1,9}):([0-9]{1,9})", target, re.DOTALL)
    if parts is None:
        raise UsageError(f"{target!r} is not PATH:LINE:COL, such as src/app.py:12:5.")
    path, line, column = Path(parts[1]), int(parts[2]), int(parts[3])
    text = Text(read_source(path, max_bytes))
    if not 1 <= line <= text.line_count:
        raise UsageError(f"{path} has {text.line_count} lines, so there is no line {line}. Lines count from 1.")
    length = text.line_end(line - 1) - text.line_start(line - 1)
    if not 1 <= column <= length + 1:
        raise UsageError(
            f"Line {line} of {path} has {length} characters, so COL must be from 1 to {length + 1}, not {column}."
        )
    language = language_of(path) or "plaintext"
    document = Document(path.resolve().as_uri(), str(path.resolve()), language, 0, text, parse(language, text))
    return document, text.line_start(line - 1) + column - 1


def read_source(path: Path, max_bytes: int) -> str:
    try:
        found = path.stat()
        size = found.st_size
        if not stat.S_ISREG(found.st_mode):
            kind = "a directory" if stat.S_ISDIR(found.st_mode) else "no regular file"
            raise UsageError(f"{path} is {kind}; completion needs a source file.")
        if size > max_bytes:
            raise UsageError(
                f"{path} has {size:,} bytes; files above {max_bytes:,} are not completed in "
                "(option completion.max_file_bytes)."
            )
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}. Check the path.") from error
    if b"\0" in data:
        raise UsageError(f"{path} is a binary file; completion needs source text.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error


@contextlib.asynccontextmanager
async def _docstring_writer(config: Any) -> AsyncIterator[Any]:
    """Who writes a docstring: with a backend that is not brought up before the first is wanted."""
    from aigc_lsp.writer import write_docstring

    backend: Any = None

    async def write(document: Any, subject: Any, manner: Any) -> Any:
        nonlocal backend
        backend = backend or await ready_backend(config)
        return await write_docstring(document, subject, manner, backend, config)

    try:
        yield write
    finally:
        if backend is not None:
            await backend.close()


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 1) if isinstance(value, float) else value for key, value in values.items()}
