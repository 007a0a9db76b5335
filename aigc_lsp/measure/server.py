"""What one model server for every window costs: `aigc-lsp bench server`.

Real processes, as an editor starts them, with the model of the user's cache, in a private runtime folder. A figure is
one function below; what has to be reached stands beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import sysconfig
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from lsprotocol import types

from aigc_lsp import catalogue
from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.measure import machine
from aigc_lsp.measure.editor import Editor
from aigc_lsp.measure.figures import Bound, Figure, Report, figure, percentile
from aigc_lsp.measure.ours import OurServer
from aigc_lsp.service import life
from aigc_lsp.service.client import EngineClient
from aigc_lsp.service.wire import InfillRequest, Usage

WINDOWS = 20
KEYS = 4
"""Typed, and answered, in each document."""
HOPS = 40
"""For each repeat."""
PREFIX_CHARACTERS, SUFFIX_CHARACTERS = 3600, 1000
"""Of a request as an editor sends it: about 1,000 and 256 tokens."""
SMALLEST, LARGEST = 12_000, 80_000
"""Bytes of a document: what a person has open, with more in it than the model reads."""
PATIENCE_SECONDS = 60.0
"""For a window: a language server has started by then, and has reached the model server."""

Said = Callable[[str], None]


def run(model_name: str, repeats: int = 5, windows: int = WINDOWS, say: Said = lambda _: None) -> Report:
    """All figures. Raises `ModelMissing` where the model is not on this machine."""
    model = catalogue.load(model_name)
    say("starting the model server")
    server = OurServer(model, threads=0)
    try:
        with _environment(server.environment):
            found = asyncio.run(_figures(model_name, repeats, windows, say))
    finally:
        server.close()
    return Report(tuple(found), machine.describe(model_name, model.sha256) | {"windows": windows})


@contextlib.contextmanager
def _environment(chosen: Mapping[str, str]) -> Iterator[None]:
    """This process's, with `chosen`: our client looks for the model server as a language server's does."""
    before = dict(os.environ)
    os.environ.update(chosen)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


async def _figures(model: str, repeats: int, windows: int, say: Said) -> list[Figure]:
    client = life.connect()
    try:
        say("starting language servers")
        found = [await ready(repeats)]
        async with _opened(client, windows, say) as office:
            say("measuring the hop")
            return [*await hop(client, model, HOPS * repeats), *office.figures(), *found]
    finally:
        await client.close()


async def ready(repeats: int) -> Figure:
    """A language server from exec to its answer of initialize; it asks no model server meanwhile."""
    took = []
    for _ in range(repeats):
        editor = Editor()
        took.append(await editor.start())
        await editor.stop()
    return figure("language server, exec to initialize", "ms", took, Bound("≤", 400, "ours"))


@dataclass(frozen=True, slots=True)
class Hop:
    """One request: milliseconds until its first piece was here; of them, those from when the model server's engine was
    handed it to that piece; and of these, those that the model took."""

    first_ms: float
    engine_ms: float
    model_ms: float


async def hop(client: EngineClient, model: str, count: int) -> list[Figure]:
    """The way to the model server and back: from a request to its first piece of text, less what the engine took for
    it by its own account. What is left is JSON, HTTP, the socket and two event loops.

    Every request is the same and is for one token, so that the model has one pass to do. Turning text into tokens is
    the engine's work, and stands in a row of its own.
    """
    text = documents(1)[0].read_text(encoding="utf-8")
    request = InfillRequest(
        input_prefix=text[:PREFIX_CHARACTERS],
        input_suffix=text[PREFIX_CHARACTERS : PREFIX_CHARACTERS + SUFFIX_CHARACTERS],
        n_predict=1,
        model=model,
        document="bench",
    )
    await _one(client, request)  # reads the prompt
    hops = [await _one(client, request) for _ in range(count)]
    return [
        figure(
            "hop to the model server and back, p50", "ms", [each.first_ms - each.engine_ms for each in hops], MOST_HOP
        ),
        figure("rendering 1,250 tokens", "ms", [each.engine_ms - each.model_ms for each in hops]),
    ]


MOST_HOP = Bound("≤", 2, "ours")


async def _one(client: EngineClient, request: InfillRequest) -> Hop:
    usage, first = Usage(), 0.0
    began = time.perf_counter()
    async with client.infill(request) as pieces:
        async for piece in pieces:
            if not first:
                first, usage = time.perf_counter() - began, piece.usage
    health = await client.health()
    return Hop(first * 1e3, health.latencies_ms[-1][0], usage.prefill_ms + usage.decode_ms)


class _Office:
    """Windows, each with a document, on one model server."""

    def __init__(self) -> None:
        self.editors: list[Editor] = []
        self.server_bytes: list[int] = []
        """Resident in the model server after each document."""

    def figures(self) -> list[Figure]:
        grown = [
            (after - before) / 1e6 for before, after in zip(self.server_bytes, self.server_bytes[1:], strict=False)
        ]
        each = [psutil.Process(editor.pid).memory_info().rss / 1e6 for editor in self.editors]
        note = f"{self.server_bytes[0] / 1e6:,.0f} MB with one document, {self.server_bytes[-1] / 1e6:,.0f} with all"
        most = Bound("≤", 120, "ours")
        return [
            figure("model server, for each document more", "MB", grown, Bound("≤", 30, "ours"), statistics.mean, note),
            figure("language server, resident", "MB", each, most),
            figure("language server, resident, the largest", "MB", each, most, percentile(1)),
        ]


@contextlib.asynccontextmanager
async def _opened(client: EngineClient, windows: int, say: Said) -> AsyncIterator[_Office]:
    """So many windows, in each of which something was typed and completed."""
    office = _Office()
    try:
        for number, file in enumerate(documents(windows), start=1):
            say(f"window {number} of {windows}")
            editor = Editor()
            office.editors.append(editor)
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await editor.start()
                    await _type(editor, file, client)
            except TimeoutError:
                raise EngineUnavailable(
                    "A language server has nothing completed; `aigc-lsp doctor` may say why."
                ) from None
            office.server_bytes.append((await client.health()).resident_bytes)
        yield office
    finally:
        for editor in office.editors:
            await editor.stop()


async def _type(editor: Editor, file: Path, client: EngineClient) -> None:
    """Open `file` without the end of a line in its middle, and type that, asking after each key."""
    text, position, keys = _typed_in(file.read_text(encoding="utf-8"))
    editor.open(file.as_uri(), "python", text)
    before = (await client.health()).requests
    while (await client.health()).requests == before:  # until it has found the model server it answers empty, at once
        await editor.ask(position)
    for key in keys:
        editor.insert(position, key)
        position = types.Position(position.line, position.character + 1)
        await editor.ask(position)


def _typed_in(text: str) -> tuple[str, types.Position, str]:
    """The text without what is typed and what follows it in its line; where; and the keys."""
    lines = text.splitlines(keepends=True)
    number = next(n for n in range(len(lines) // 2, len(lines)) if len(lines[n].strip()) > 2 * KEYS)
    line = lines[number]
    indent = len(line) - len(line.lstrip())
    lines[number] = line[:indent] + "\n"
    return "".join(lines), types.Position(number, indent), line[indent : indent + KEYS]


def documents(count: int) -> list[Path]:
    """So many modules of Python's own library, always the same on one machine: ASCII, so that columns are plain."""
    found: list[Path] = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        if SMALLEST <= path.stat().st_size <= LARGEST and path.read_bytes().isascii():
            found.append(path)
            if len(found) == count:
                break
    return found
