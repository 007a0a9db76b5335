"""The whole way: an editor, the language server's process, and a server elsewhere that works, limits, dies, rambles."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from harness import Client, environment, initialize_params, short_folder, until
from peer_server import PeerServer, Reply, recorded, said, texts
from remote_bench import COMPLETIONS, TOKEN

pytestmark = pytest.mark.process

TEXT = "def add(a, b):\n    return \n"


@pytest.fixture
def peer() -> PeerServer:
    peer = PeerServer()
    peer.routes |= {COMPLETIONS: texts("a ", "+ b"), "/infill": recorded("llama-server-infill.sse")}
    return peer


@contextlib.asynccontextmanager
async def editor(url: str, **engine: Any) -> AsyncIterator[Client]:
    """VS Code on a language server for `url`. In the end neither the token nor the text was logged."""
    with short_folder() as folder:
        client = await Client.start(environment(folder, PEER_TOKEN=TOKEN, AIGC_LSP_LOG_LEVEL="debug"))
        try:
            await client.initialize(
                initialize_params("vscode"), initializationOptions={"engine": {"url": url, **engine}}
            )
            anew(client)
            yield client
            await client.end()
        finally:
            await client._kill()
        log = client.stderr.decode()
        assert TOKEN not in log
        assert "def add" not in log
        assert list(folder.glob("**/engine.*")) == []  # no model server was started


def anew(client: Client) -> None:
    """The document is opened again: what was said in it is forgotten."""
    client.open("file:///workspace/add.py", TEXT)


async def ghost(client: Client) -> list[str]:
    anew(client)
    return await client.ghost("file:///workspace/add.py", 1, 11)


async def completes(client: Client) -> None:
    async def found() -> bool:
        return await ghost(client) == ["a + b"]

    await until(found, "a completion")


@pytest.mark.parametrize(("api", "path"), [("infill", "/infill"), ("openai", COMPLETIONS)])
async def test_it_works_the_same(peer: PeerServer, api: str, path: str) -> None:
    async with peer.up() as url, editor(url, api=api, tokenEnv="PEER_TOKEN") as client:
        await completes(client)
        asked = next(each for each in peer.asked if each.path == path)
        assert asked.headers["authorization"] == f"Bearer {TOKEN}"
        assert "file:///" not in str(asked.body)
        assert client.messages() == []
        await until(lambda: client.statuses()[-1] == {"busy": False, "kind": "Normal", "message": ""}, "the status")


async def test_a_newer_request_hangs_up_on_the_older(peer: PeerServer) -> None:
    async with peer.up() as url, editor(url, api="openai") as client:
        await completes(client)
        peer.routes[COMPLETIONS] = Reply(hang=True, kind="text/event-stream")
        peer.asked.clear()
        anew(client)
        older = client.ask_inline("file:///workspace/add.py", 1, 11)
        await until(lambda: peer.asked, "the request")
        peer.routes[COMPLETIONS] = texts("1")
        assert await ghost(client) == ["1"]
        assert await older.reply() == {"items": []}
        await until(peer.asked[0].hung_up.is_set, "the hang-up")


async def test_a_limit_is_silence_with_a_status(peer: PeerServer) -> None:
    async with peer.up() as url, editor(url, api="openai") as client:
        await completes(client)
        peer.routes[COMPLETIONS] = said({}, 429, retry_after="3600")
        assert await ghost(client) == []
        await until(lambda: "limits how often it is asked" in client.statuses()[-1]["message"], "the status")
        assert client.statuses()[-1]["kind"] == "Warning"
        asked = len(peer.asked)
        for _ in range(3):
            assert await ghost(client) == []
        assert len(peer.asked) == asked
        assert client.messages() == []


async def test_death_and_return(peer: PeerServer) -> None:
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(contextlib.AsyncExitStack())
        url = await first.enter_async_context(peer.up())
        client = await stack.enter_async_context(editor(url, api="openai"))
        await completes(client)
        await first.aclose()
        assert await ghost(client) == []
        await until(lambda: "No server answers" in client.statuses()[-1]["message"], "the status")
        await stack.enter_async_context(peer.up(peer.port))
        await completes(client)
        assert client.messages() == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply((b"<!doctype html>",), kind="text/html"),
        Reply((b"data: {",), kind="text/event-stream", cut=True),
        Reply((b"data: ", b"a" * 65536), kind="text/event-stream", endless=True),
        Reply(raw=b"SSH-2.0-OpenSSH_9.2\r\n"),
        said({"error": {"message": TEXT + TOKEN, "type": "invalid_request_error"}}, 400),
    ],
    ids=["a page", "cut", "without end", "no HTTP", "an error that quotes"],
)
async def test_nonsense_is_silence(peer: PeerServer, reply: Reply) -> None:
    async with peer.up() as url, editor(url, api="openai", tokenEnv="PEER_TOKEN") as client:
        await completes(client)
        good = peer.routes[COMPLETIONS]
        peer.routes[COMPLETIONS] = reply
        assert await ghost(client) == []
        await until(lambda: client.statuses()[-1]["kind"] == "Warning", "the status")
        peer.routes[COMPLETIONS] = good
        await completes(client)
        assert client.messages() == []


async def test_a_server_that_hangs_blocks_no_typing(peer: PeerServer) -> None:
    """While one request waits in vain, the editor's others are answered; and so is it, in the end."""
    async with peer.up() as url, editor(url, api="openai", timeoutMs=1500) as client:
        await completes(client)
        peer.routes[COMPLETIONS] = Reply(raw=b"", hang=True)
        peer.asked.clear()
        anew(client)
        waiting = client.ask_inline("file:///workspace/add.py", 1, 11)
        await until(lambda: peer.asked, "the request")
        client.open("file:///workspace/other.md", "words", "markdown")
        await client.settled()
        assert not waiting.future.done()
        assert await waiting.reply() == {"items": []}
        await until(lambda: "does not answer in time" in client.statuses()[-1]["message"], "the status")


async def test_it_waits_until_the_server_has_loaded(peer: PeerServer) -> None:
    peer.routes["/health"] = replace(recorded("llama-server-loading.json"), status=503)
    async with peer.up() as url, editor(url) as client:
        await until(lambda: peer.paths(), "a look")
        assert await ghost(client) == []
        assert "/infill" not in peer.paths()
        peer.routes["/health"] = said({"status": "ok"})
        await completes(client)


@pytest.mark.parametrize(
    ("engine", "sentence"),
    [
        ({"tokenEnv": "NO_SUCH_VARIABLE"}, "environment variable NO_SUCH_VARIABLE, which is not set"),
        ({"url": f"http://user:{TOKEN}@127.0.0.1"}, "engine.url is no address"),
    ],
)
async def test_settings_that_cannot_be_are_said_once(peer: PeerServer, engine: dict[str, Any], sentence: str) -> None:
    async with editor(**({"url": "http://127.0.0.1:9"} | engine)) as client:
        await until(client.messages, "the message")
        assert await ghost(client) == []
        (message,) = client.messages()
        assert sentence in message
        assert TOKEN not in message
        await until(lambda: client.statuses()[-1]["kind"] == "Error", "the status")


async def test_other_settings_are_another_server(peer: PeerServer) -> None:
    other = PeerServer()
    other.routes[COMPLETIONS] = texts("elsewhere")
    async with peer.up() as url, other.up() as there, editor(url, api="openai") as client:
        await completes(client)
        client.settings = {"engine": {"url": there, "api": "openai"}}
        client.notify("workspace/didChangeConfiguration", {"settings": {"aigc": client.settings}})

        async def found() -> bool:
            return await ghost(client) == ["elsewhere"]

        await until(found, "the other server")
