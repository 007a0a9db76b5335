"""Server processes that tests share, since each takes most of a second to start.

Tests that use them run in one event loop: `pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from harness import CLIENTS, Answer, Client, ScriptedEngine, environment, initialize_params, short_folder, until

_numbers = count()
_HELLO = Answer(("o()",))

# Budgets that hold every document of the tests: the model server sees all of it.
SETTINGS = {"context": {"prefixTokens": 16_384, "suffixTokens": 8192}}


@dataclass
class Bench:
    """An editor on a language server, with a model server at hand."""

    client: Client
    engine: ScriptedEngine
    folder: Path
    name: str = ""

    @property
    def encoding(self) -> str:
        return self.client.encoding

    def fresh(self, text: str, language: str = "python", suffix: str = "py") -> str:
        """Open a document that no other test knows."""
        uri = f"file:///workspace/f{next(_numbers)}.{suffix}"
        self.client.open(uri, text, language)
        return uri

    async def ready(self) -> None:
        """The language server has found the model server."""
        before, self.engine.script = self.engine.script, lambda body: _HELLO
        uri = self.fresh("hell")
        if "completionProvider" in self.client.capabilities:

            async def found() -> bool:
                return bool((await self.client.menu(uri, 0, 4))["items"])
        else:

            async def found() -> bool:
                return bool(await self.client.inline(uri, 0, 4))

        await until(found, "the first completion")
        self.engine.script = before
        self.engine.asked.clear()

    async def completes(self) -> None:
        """Sooner or later there are completions again."""
        uri = self.fresh("x = ")
        self.engine.says("1")

        async def found() -> bool:
            return await self.client.ghost(uri, 0, 4) == ["1"]

        await until(found, "a completion")


@contextlib.asynccontextmanager
async def started(
    folder: Path,
    *,
    params: dict[str, Any] | None = None,
    initialize: bool = True,
    settings: Any = None,
    environ: dict[str, str] | None = None,
    engine: bool = True,
) -> AsyncIterator[Bench]:
    """A process of a test's own. The test ends the client; where it fails before that, the process is killed."""
    scripted = ScriptedEngine(folder)
    if engine:
        await scripted.up()
    client = await Client.start(environ or environment(folder))
    client.settings = settings
    try:
        if initialize:
            await client.initialize(params)
        yield Bench(client, scripted, folder)
    finally:
        await client._kill()
        await scripted.down()


@pytest.fixture
def folder() -> Any:
    with short_folder() as path:
        yield path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_engine() -> AsyncIterator[ScriptedEngine]:
    with short_folder() as path:
        engine = ScriptedEngine(path)
        await engine.up()
        yield engine
        await engine.down()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def editors(shared_engine: ScriptedEngine) -> AsyncIterator[Callable[[str], Any]]:
    """Editors by name, started at first use."""
    benches: dict[str, Bench] = {}
    folder = shared_engine.path.parent

    async def editor(name: str) -> Bench:
        if name not in benches:
            client = await Client.start(environment(folder))
            benches[name] = Bench(client, shared_engine, folder, name)
            client.settings = SETTINGS
            await client.initialize(initialize_params(name))
            await benches[name].ready()
        return benches[name]

    yield editor
    for bench in benches.values():
        await bench.client.end()


@pytest_asyncio.fixture(loop_scope="session")
async def bench(editors: Callable[[str], Any]) -> AsyncIterator[Bench]:
    """VS Code, shared by many tests."""
    found = await editors("vscode")
    found.engine.says()
    yield found
    await found.client.settled()
    found.client.forget_messages()
    found.client.check()


@pytest_asyncio.fixture(loop_scope="session", params=list(CLIENTS))
async def any_editor(request: pytest.FixtureRequest, editors: Callable[[str], Any]) -> AsyncIterator[Bench]:
    """Each of the four clients whose initialize was recorded, shared by many tests."""
    found = await editors(request.param)
    found.engine.says()
    yield found
    await found.client.settled()
    found.client.forget_messages()
    found.client.check()
