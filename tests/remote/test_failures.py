"""A server elsewhere that is down, slow, limits or redirects, and settings that cannot be: a sentence, then silence."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import logging
import time
from dataclasses import replace

import pytest
from peer_server import CERTIFICATE, PeerServer, Reply, events, recorded, said, texts
from remote_bench import (
    COMPLETIONS,
    HOLE,
    PATIENCE,
    PROXIES,
    TOKEN,
    connected,
    failure,
    health,
    pieces,
    settings,
    text,
    until,
)

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.service import remote, remote_gate
from aigc_lsp.service.backend import Backend

# Settings that cannot be


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "ftp://host",
        "http://",
        "http:///v1",
        "http://[::1",
        "http://host:99999",
        "http://my host/",
        "http://host/?key=" + TOKEN,
        "http://host/#" + TOKEN,
        f"http://user:{TOKEN}@host/",
        f"http://{TOKEN}@host/",
        "http://" + "a" * 70 + ".example",
    ],
)
def test_no_address(url: str) -> None:
    with pytest.raises(EngineUnavailable, match=r"^engine\.url is no address") as found:
        remote.connect(settings(url))
    assert TOKEN not in str(found.value)


@pytest.mark.parametrize("value", [None, "", "   "])
def test_no_token(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PEER_TOKEN")
    if value is not None:
        monkeypatch.setenv("PEER_TOKEN", value)
    with pytest.raises(EngineUnavailable, match=r"environment variable PEER_TOKEN, which is not set"):
        remote.connect(settings("http://127.0.0.1:1", token_env="PEER_TOKEN"))


@pytest.mark.parametrize("value", [f"{TOKEN}\r\nX-Evil: 1", f"{TOKEN} {TOKEN}", f"{TOKEN}é", f"{TOKEN}\x01"])
def test_a_token_that_is_none_is_not_shown(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEER_TOKEN", value)
    with pytest.raises(EngineUnavailable, match="holds no token") as found:
        remote.connect(settings("http://127.0.0.1:1", token_env="PEER_TOKEN"))
    assert TOKEN not in str(found.value)


def test_a_model_whose_format_is_not_known() -> None:
    config = replace(settings("http://127.0.0.1:1", api="openai"), model="nope")
    with pytest.raises(EngineUnavailable, match="no model called `nope`"):
        remote.connect(config)
    remote.connect(settings("http://127.0.0.1:1", api="openai", fim="suffix"))  # no format is needed
    remote.connect(replace(config, engine=replace(config.engine, api="infill")))


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "SSL_CERT_FILE"])
async def test_an_environment_that_cannot_be(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "gopher://nowhere" if variable == "HTTP_PROXY" else "/nowhere/at/all.pem")
    async with connected("https://peer.example", api="openai") as backend:
        assert "proxy and certificate variables" in await failure(backend)


# The token


async def test_the_token_is_sent_and_nowhere_shown(
    peer: PeerServer, url: str, caplog: pytest.LogCaptureFixture, no_backoff: None
) -> None:
    caplog.set_level(logging.DEBUG)
    peer.routes[COMPLETIONS] = texts("1")
    async with connected(url, api="openai", token_env="PEER_TOKEN") as backend:
        assert await text(backend) == "1"
        assert {each.headers["authorization"] for each in peer.asked} == {f"Bearer {TOKEN}"}
        echoing = {"error": {"message": f"Bad key {TOKEN} for {HOLE.input_prefix}", "type": TOKEN, "code": TOKEN}}
        for status in (400, 401, 403, 404, 429, 500):
            peer.routes[COMPLETIONS] = said(echoing, status)
            backend = remote.connect(settings(url, api="openai", token_env="PEER_TOKEN"))
            sentence = await failure(backend)
            assert TOKEN not in sentence + repr(backend.__dict__)
            assert "def add" not in sentence
            await backend.close()
        peer.routes[COMPLETIONS] = events(echoing)
        backend = remote.connect(settings(url, api="openai", token_env="PEER_TOKEN"))
        assert "broke off (error)" in await failure(backend)
        await backend.close()
    assert TOKEN not in caplog.text
    assert "def add" not in caplog.text


async def test_a_refused_token_names_its_variable(peer: PeerServer, url: str) -> None:
    peer.routes |= {"/health": said({"status": "ok"}), COMPLETIONS: said({}, 401)}
    async with connected(url, api="openai", token_env="PEER_TOKEN") as backend:
        assert (await health(backend)).ready
        assert "refuses the token in PEER_TOKEN (401). Look at engine.token_env" in await failure(backend)
        with pytest.raises(EngineUnavailable, match="PEER_TOKEN"):
            await health(backend)  # though /health would still say that all is well


async def test_a_token_on_an_open_way_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that is not this machine, by way of a proxy that is."""
    proxy = PeerServer()
    proxy.routes = {"http://peer.example/v1/models": proxy.routes["/v1/models"]}
    async with proxy.up() as address:
        monkeypatch.setenv("HTTP_PROXY", address)
        async with connected("http://peer.example", token_env="PEER_TOKEN") as backend:
            assert "travel unencrypted to peer.example" in (await health(backend)).note
        async with connected("http://peer.example") as backend:
            assert (await health(backend)).note == ""


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.8.8.8:1", "http://[::1]:1", "https://peer.example"])
def test_ways_that_need_no_warning(url: str) -> None:
    backend = remote.connect(settings(url, token_env="PEER_TOKEN"))
    assert backend._place.warning == ""  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_nobody_is_followed_elsewhere(peer: PeerServer, url: str, status: int) -> None:
    other = PeerServer()
    async with other.up() as there:
        peer.routes[COMPLETIONS] = said({}, status, location=f"{there}/v1/completions?{TOKEN}")
        async with connected(url, api="openai", token_env="PEER_TOKEN") as backend:
            sentence = await failure(backend)
    assert f"sends us on to 127.0.0.1:{other.port}, and we do not follow. Set engine.url" in sentence
    assert TOKEN not in sentence
    assert other.asked == []


# The way there


async def test_a_proxy_is_honoured(peer: PeerServer, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", url)
    peer.routes = {"http://peer.example:8000/infill": recorded("llama-server-infill.sse")}
    async with connected("http://peer.example:8000") as backend:
        assert await text(backend) == "a + b"


async def test_no_proxy_to_this_machine(peer: PeerServer, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES[:3]:
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    peer.routes["/infill"] = recorded("llama-server-infill.sse")
    async with connected(url) as backend:
        assert await text(backend) == "a + b"


async def test_a_proxy_that_lets_nothing_through(peer: PeerServer, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    peer.routes = {"peer.example:443": said({}, 403)}
    async with connected("https://peer.example") as backend:
        assert "proxy on the way to https://peer.example lets nothing through" in await failure(backend)
    assert [each.method for each in peer.asked] == ["CONNECT"]


async def test_certificates_are_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = PeerServer()
    peer.routes["/infill"] = recorded("llama-server-infill.sse")
    async with peer.up(tls=True) as url:
        async with connected(url) as backend:
            assert "certificate of https://127.0.0.1" in await failure(backend)
        assert peer.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        async with connected(url) as backend:
            assert await text(backend) == "a + b"


async def test_a_connection_is_used_again(peer: PeerServer, url: str, backend: Backend) -> None:
    peer.routes[COMPLETIONS] = texts("1")
    for _ in range(5):
        await text(backend)
    assert peer.connections == 1


# Down, slow, limited


async def test_down_and_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_gate, "BACKOFF_SECONDS", (0.3,))
    peer = PeerServer()
    async with peer.up() as url:
        pass
    async with connected(url, api="openai") as backend:
        assert await failure(backend) == f"No server answers at {url}. Start it, or look at engine.url."
        peer.routes[COMPLETIONS] = texts("1")
        async with peer.up(peer.port):
            assert "No server answers" in await failure(backend)  # not asked: the gate is shut
            assert peer.asked == []
            with pytest.raises(EngineUnavailable, match="No server answers"):
                await health(backend)
            assert peer.asked == []
            await until(lambda: backend._gate.shut_by is None, "the gate")  # type: ignore[attr-defined]
            assert await text(backend) == "1"


def test_pauses_grow_until_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    gate, pauses = remote_gate.Gate(), []
    for _ in range(7):
        gate.shut(remote_gate.Refusal("No."))
        pauses.append(gate.seconds)
        with pytest.raises(EngineUnavailable, match="No"):
            gate.check()
        now += gate.seconds
        gate.check()
    assert pauses == [1, 2, 5, 10, 30, 30, 30]
    gate.shut(remote_gate.Refusal("Not so often.", 3.0, is_limit=True))
    assert gate.seconds == 3  # it knows best
    gate.open()
    gate.shut(remote_gate.Refusal("No."))
    assert gate.seconds == 1


async def test_an_answer_makes_pauses_short_again(
    peer: PeerServer, url: str, backend: Backend, no_backoff: None
) -> None:
    for good in (False, False, False, True, False):
        peer.routes[COMPLETIONS] = texts("1") if good else said({}, 500)
        assert await text(backend) == "1" if good else await failure(backend)
    assert backend._gate._refusals == 1  # type: ignore[attr-defined]


@pytest.mark.process
async def test_slow(peer: PeerServer, url: str) -> None:
    """In its first word: given up, with a sentence. In its text: shown as far as it has got."""
    async with connected(url, api="openai", remote_model="coder", timeout_ms=300) as backend:
        peer.routes[COMPLETIONS] = Reply(hang=True, kind="text/event-stream")
        assert "does not answer in time" in await failure(backend)
        await until(peer.asked[0].hung_up.is_set, "the hang-up")
    peer.routes[COMPLETIONS] = texts("1", "2", finish=None, hang=True)
    async with connected(url, api="openai", remote_model="coder", timeout_ms=1500) as backend:
        for _ in range(2):  # which is no reason to shut the gate
            found = await pieces(backend)
            assert [(piece.content, piece.stop_type) for piece in found] == [
                ("1", None),
                ("2", None),
                ("", "deadline"),
            ]
        await until(peer.asked[-1].hung_up.is_set, "the hang-up")


@pytest.mark.process
async def test_the_time_budget_ends_the_text(peer: PeerServer, url: str) -> None:
    peer.routes |= {"/infill": events({"content": "1"}, {"content": "2"}, hang=True)}
    async with connected(url, timeout_ms=600_000) as backend:
        found = await pieces(backend, replace(HOLE, t_max_predict_ms=1500.0))
    assert [(piece.content, piece.stop_type) for piece in found] == [("1", None), ("2", None), ("", "deadline")]


async def test_hanging_before_the_head_of_an_answer(peer: PeerServer, url: str) -> None:
    peer.routes["/infill"] = Reply(raw=b"", hang=True)
    async with connected(url, timeout_ms=300) as backend:
        assert "does not answer in time" in await failure(backend)


async def test_a_health_that_hangs(peer: PeerServer, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "LOOKING_SECONDS", 0.3)
    peer.routes["/health"] = Reply(raw=b"", hang=True)
    async with connected(url) as backend:
        with pytest.raises(EngineUnavailable, match="does not answer in time"):
            await health(backend)


def retry_date() -> str:
    return email.utils.formatdate(time.time() + 300, usegmt=True)


@pytest.mark.parametrize(
    ("status", "retry_after", "least", "most"),
    [
        (429, "300", 280, 300),
        (503, "300", 280, 300),
        (429, "date", 270, 300),
        (429, "", 1, remote_gate.LIMIT_SECONDS),
        (429, "soon", 1, remote_gate.LIMIT_SECONDS),
        (429, "-5", 0, 1),
        (429, "1e99", 3500, 3600),
        (429, "nan", 1, remote_gate.LIMIT_SECONDS),
    ],
)
async def test_a_limit_is_kept(
    peer: PeerServer, url: str, backend: Backend, status: int, retry_after: str, least: float, most: float
) -> None:
    given = retry_date() if retry_after == "date" else retry_after
    peer.routes[COMPLETIONS] = said({}, status, retry_after=given)
    sentence = await failure(backend)
    assert f"limits how often it is asked ({status})" in sentence
    seconds = backend._gate.seconds  # type: ignore[attr-defined]
    assert least <= seconds <= most
    if least > 0:
        asked = len(peer.asked)
        assert await failure(backend) == sentence
        found = await health(backend)
        assert (found.phase, found.note, found.model) == ("ready", sentence, "served")
        assert len(peer.asked) == asked


async def test_a_limit_that_ends(peer: PeerServer, url: str, backend: Backend) -> None:
    peer.routes[COMPLETIONS] = said({}, 429, retry_after="1")
    await failure(backend)
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(backend.watch()) as watching:
        assert "limits how often" in (await anext(watching)).note
        peer.routes[COMPLETIONS] = texts("1")
        assert (await anext(watching)).note == ""  # told when it is over, not half a minute later
    assert await text(backend) == "1"


async def test_a_limit_on_the_list_of_models(peer: PeerServer, url: str, backend: Backend) -> None:
    peer.routes["/v1/models"] = said({}, 429, retry_after="60")
    found = await health(backend)
    assert found.phase == "ready"
    assert "limits how often it is asked (429): nothing is for 60 s" in found.note


async def test_whoever_watches_hears_of_a_failed_request_at_once(peer: PeerServer, url: str, backend: Backend) -> None:
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(backend.watch()) as watching:
        assert (await anext(watching)).ready
        waiting = asyncio.create_task(anext(watching))
        peer.routes[COMPLETIONS] = said({}, 500)
        await failure(backend)
        with pytest.raises(EngineUnavailable, match=r"cannot answer \(500\)"):
            await waiting


async def test_whoever_watches_looks_again_while_it_loads(
    peer: PeerServer, url: str, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "LOADING_LOOK_SECONDS", 0.05)
    peer.routes["/health"] = replace(recorded("llama-server-loading.json"), status=503)
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(backend.watch()) as watching:
        first = await anext(watching)
        assert (first.phase, first.message) == ("load", f"{url} loads its model.")
        assert (await anext(watching)).phase == "load"
        peer.routes["/health"] = said({"status": "ok"})
        while (found := await anext(watching)).phase == "load":
            pass
        assert (found.phase, found.model) == ("ready", "served")


# Leaving


async def test_leaving_hangs_up(peer: PeerServer, url: str, backend: Backend) -> None:
    peer.routes[COMPLETIONS] = texts("1", hang=True, finish=None)
    async with backend.infill(HOLE) as answer:
        assert (await anext(answer)).content == "1"
    await until(peer.asked[-1].hung_up.is_set, "the hang-up")
    assert backend._gate.shut_by is None  # type: ignore[attr-defined]


@pytest.mark.parametrize("reply", [Reply(raw=b"", hang=True), texts("1", hang=True, finish=None)])
async def test_cancelling_hangs_up(peer: PeerServer, url: str, backend: Backend, reply: Reply) -> None:
    peer.routes[COMPLETIONS] = reply
    task = asyncio.create_task(text(backend))
    asked = await until(lambda: peer.asked and peer.asked[-1].path == COMPLETIONS and peer.asked[-1], "the request")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(asked.hung_up.is_set, "the hang-up")
    assert backend._gate.shut_by is None  # type: ignore[attr-defined]


async def test_an_error_of_the_callers_own_is_left_alone(peer: PeerServer, url: str, backend: Backend) -> None:
    peer.routes[COMPLETIONS] = texts("1")

    async def stumble() -> None:
        async with backend.infill(HOLE) as answer:
            async for _ in answer:
                raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await stumble()
    assert backend._gate.shut_by is None  # type: ignore[attr-defined]
