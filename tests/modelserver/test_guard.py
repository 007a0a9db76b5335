"""Who may speak to the model server, over TCP and over the Unix socket; and how much at once."""

from __future__ import annotations

import contextlib
import socket as sockets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from tiny_server import MODEL, TinyHost, raw_client, served, wait_until

from aigc_lsp.modelserver.activity import Activity
from aigc_lsp.modelserver.app import MOST_BODY_BYTES, build_app

TOKEN = "s3cret-é"
BODY = {"input_prefix": "x", "n_predict": 1}
PLACES = ["/v1/models", "/events", "/metrics", "/nothing"]


@pytest.fixture(scope="module")
def host() -> TinyHost:
    return TinyHost()


@pytest.fixture(scope="module")
def socket(host: TinyHost) -> Iterator[Path]:
    with served(host) as path:
        wait_until(lambda: host.health.ready)
        yield path


@contextlib.contextmanager
def on_tcp(host: TinyHost, token: str | None) -> Iterator[str]:
    listener = sockets.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(build_app(host, Activity(), token), log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


@pytest.fixture(scope="module")
def guarded(host: TinyHost, socket: Path) -> Iterator[str]:
    with on_tcp(host, TOKEN) as url:
        yield url


@pytest.fixture(scope="module")
def open_url(host: TinyHost, socket: Path) -> Iterator[str]:
    with on_tcp(host, None) as url:
        yield url


def client(url: str, **headers: str | bytes) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=20, trust_env=False)  # type: ignore[arg-type]


def bearer(token: str, kind: str = "Bearer") -> dict[str, bytes]:
    return {"authorization": f"{kind} {token}".encode()}


def said(response: httpx.Response, code: int) -> dict[str, Any]:
    assert response.status_code == code, response.text
    error = response.json()["error"]
    assert error["code"] == code
    return error


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("wrong"),
        {"authorization": b"Bearer"},
        bearer(TOKEN, "Basic"),
        bearer(TOKEN[:-1]),
        bearer(TOKEN + "x"),
    ],
    ids=["none", "wrong", "empty", "another kind", "too short", "too long"],
)
async def test_over_tcp_nobody_gets_in_without_the_token(guarded: str, headers: dict[str, Any]) -> None:
    async with client(guarded, **headers) as http:
        answers = [await http.post("/infill", json=BODY), *[await http.get(place) for place in PLACES]]
    for answer in answers:
        assert said(answer, 401)["type"] == "authentication_error"
        assert answer.headers["www-authenticate"] == "Bearer"
        assert MODEL not in answer.text


@pytest.mark.parametrize("kind", ["Bearer", "bearer"])
async def test_who_has_the_token_is_answered(guarded: str, kind: str) -> None:
    async with client(guarded, **bearer(TOKEN, kind)) as http:
        assert (await http.post("/infill", json=BODY)).json()["stop_type"] == "limit"
        assert (await http.get("/v1/models")).status_code == 200


async def test_health_says_to_strangers_only_that_it_is_up(guarded: str, host: TinyHost) -> None:
    async with client(guarded) as http:
        answer = await http.get("/health")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        known = await http.get("/health", headers=bearer(TOKEN))
        assert known.json()["model"] == MODEL


async def test_over_the_unix_socket_no_token_is_needed(host: TinyHost, http: httpx.AsyncClient) -> None:
    assert (await http.post("/infill", json=BODY)).status_code == 200
    assert (await http.get("/health")).json()["model"] == MODEL


async def test_without_a_token_a_loopback_name_is_enough(open_url: str) -> None:
    port = open_url.rpartition(":")[2]
    async with client(open_url) as http:
        for name in ("127.0.0.1", f"127.0.0.1:{port}", f"localhost:{port}", "localhost", f"[::1]:{port}", "127.9.9.9"):
            assert (await http.get("/health", headers={"host": name})).json()["model"] == MODEL, name
        for name in ("evil.example", f"evil.example:{port}", "192.168.1.2:80", "localhost.evil.example", ""):
            answer = await http.get("/health", headers={"host": name})
            assert said(answer, 403)["type"] == "permission_error"
            assert MODEL not in answer.text


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1"])
async def test_web_pages_are_refused_everywhere(
    open_url: str, guarded: str, http: httpx.AsyncClient, host: TinyHost, origin: str
) -> None:
    before = len(host.jobs)
    async with client(open_url) as tcp, client(guarded, **bearer(TOKEN)) as known:
        for each in (tcp, known, http):
            said(await each.post("/infill", json=BODY, headers={"origin": origin}), 403)
            said(await each.get("/health", headers={"origin": origin}), 403)
            said(await each.options("/infill", headers={"origin": origin}), 403)
    assert len(host.jobs) == before


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_large_is_refused(socket: Path, host: TinyHost, chunked: bool) -> None:
    before = len(host.jobs)
    part = b" " * 1_000_000

    async def parts() -> Any:
        for _ in range(MOST_BODY_BYTES // len(part) + 2):
            yield part

    content = parts() if chunked else part * (MOST_BODY_BYTES // len(part) + 2)
    async with raw_client(socket) as http:
        error = said(await http.post("/infill", content=content), 413)
        assert "bytes" in error["message"]
        assert (await http.post("/infill", json=BODY)).status_code == 200
    assert len(host.jobs) == before + 1


async def test_no_such_place_has_the_shape_of_an_error(http: httpx.AsyncClient) -> None:
    assert said(await http.get("/nothing"), 404)["type"] == "not_found_error"
    answer = await http.get("/infill")
    said(answer, 405)
    assert "POST" in answer.headers["allow"]
