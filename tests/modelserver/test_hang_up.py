"""Many clients, clients that leave, jobs that fail: each is answered or dropped alone, and the engine goes on."""

from __future__ import annotations

import asyncio
import json
import logging
import socket as sockets
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from tiny_server import MODEL, TinyEngine, TinyHost, served, tiny_vocabulary, wait_until

import aigc_lsp.modelserver.host as host_module
from aigc_lsp.config import Config
from aigc_lsp.engine.generate import CHUNK, Outcome
from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.modelserver.host import Job
from aigc_lsp.modelserver.rendering import render_request
from aigc_lsp.service.client import EngineClient
from aigc_lsp.service.wire import InfillRequest

MARKER = "the_users_own_text"


def request(prefix: str, n_predict: int = 12, **more: object) -> InfillRequest:
    return InfillRequest(prefix, "\n", n_predict=n_predict, heal=False, **more)  # type: ignore[arg-type]


async def answer(client: EngineClient, wanted: InfillRequest) -> str:
    async with client.infill(wanted) as pieces:
        found = [piece async for piece in pieces]
    assert [piece.stop_type for piece in found[:-1]] == [None] * (len(found) - 1)
    assert found[-1].stop_type == "limit"
    return "".join(piece.content for piece in found)


def expected(wanted: InfillRequest) -> str:
    """What an engine that has never read anything answers."""
    host = TinyHost()
    host.start()
    engine = host.engine
    resident = host.residents.get(MODEL)
    assert resident is not None
    rendered, _ = render_request(wanted, resident, Config().context)
    fresh = "".join(getattr(event, "text", "") for event in engine.generate(rendered))
    host.stop()
    return fresh


async def seen(condition: threading.Event) -> None:
    assert await asyncio.to_thread(condition.wait, 20), "the server did not see the hang-up"


async def until(condition) -> None:  # type: ignore[no-untyped-def]
    await asyncio.to_thread(wait_until, condition)


async def test_leaving_the_stream_stops_the_engine_within_a_step(client: EngineClient, host: TinyHost) -> None:
    host.engine.hold()
    host.engine.allow(3)
    async with client.infill(request("def f(", 2000)) as pieces:
        first = await anext(pieces)
        assert first.content
        await until(lambda: host.engine.passes == 3)
    await seen(host.jobs[0].cancelled)
    host.engine.release()
    wanted = request("class A")
    assert await answer(client, wanted) == expected(wanted)
    # One pass was under way; the other ones are the second request's.
    assert host.engine.passes <= 3 + 1 + 12


async def test_a_client_that_only_closes_its_connection_is_noticed(http: httpx.AsyncClient, host: TinyHost) -> None:
    host.engine.hold()
    host.engine.allow(2)
    body = request("x", 2000).to_json() | {"stream": True}
    async with http.stream("POST", "/infill", json=body) as response:
        async for line in response.aiter_lines():
            assert line.startswith("data: ")
            break
    await seen(host.jobs[0].cancelled)
    host.engine.release()
    assert (await http.post("/infill", json=request("y").to_json())).json()["stop_type"] == "limit"
    assert host.engine.passes <= 2 + 1 + 12


@pytest.mark.parametrize("stream", [False, True])
async def test_leaving_during_the_prompt_stops_it_between_two_chunks(
    http: httpx.AsyncClient, host: TinyHost, stream: bool
) -> None:
    text = "t" * (4 * CHUNK)
    host.engine.hold()
    host.engine.allow(1)
    body = request(text, prefix_tokens=len(text)).to_json() | {"stream": stream}
    task = asyncio.create_task(http.post("/infill", json=body))
    await until(lambda: host.engine.passes == 1 and host.engine.waiting)
    task.cancel()
    await seen(host.jobs[0].cancelled)
    host.engine.release()
    again = await http.post("/infill", json=request(text, prefix_tokens=len(text)).to_json())
    answered = again.json()
    # What was read stays of use, and is what it claims to be. The chunk that was about to be read is given up.
    assert answered["tokens_cached"] == CHUNK
    assert answered["content"] == expected(request(text, prefix_tokens=len(text)))


async def test_who_leaves_the_queue_is_never_run(
    client: EngineClient, host: TinyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def rendered(wanted: InfillRequest, *rest: Any) -> Any:
        ran.append(wanted.input_prefix)
        return render_request(wanted, *rest)

    monkeypatch.setattr(host_module, "render_request", rendered)
    host.engine.hold()
    first = asyncio.create_task(answer(client, request("first")))
    await until(lambda: len(host.jobs) == 1)
    queued = asyncio.create_task(answer(client, request("queued")))
    await until(lambda: len(host.jobs) == 2)
    last = asyncio.create_task(answer(client, request("last")))
    await until(lambda: len(host.jobs) == 3)
    queued.cancel()
    await seen(host.jobs[1].cancelled)
    host.engine.release()
    assert await first == expected(request("first"))
    assert await last == expected(request("last"))
    assert ran == ["first", "last"]


async def test_who_leaves_while_the_model_loads_is_never_run(host: TinyHost) -> None:
    host.residents.may_load.clear()
    with served(host) as socket:
        client = EngineClient(socket)
        task = asyncio.create_task(answer(client, request("early")))
        await until(lambda: len(host.jobs) == 1)
        task.cancel()
        await seen(host.jobs[0].cancelled)
        host.residents.may_load.set()
        await answer(client, request("later", 2))
        assert host.engine.passes == 2
        await client.close()


async def test_thirty_at_once_get_one_answer_each(client: EngineClient, host: TinyHost) -> None:
    wanted = [request(f"def number_{n}(", 4) for n in range(30)]
    found = await asyncio.gather(*(answer(client, each) for each in wanted))
    assert len(host.jobs) == 30
    assert len(set(found)) > 1
    sample = [0, 7, 29]
    assert [found[n] for n in sample] == [expected(wanted[n]) for n in sample]
    await until(lambda: host.health.requests == 30)


async def test_some_of_thirty_leave_and_the_others_are_answered(client: EngineClient, host: TinyHost) -> None:
    async def leave(wanted: InfillRequest) -> None:
        async with client.infill(wanted) as pieces:
            await anext(pieces)

    leavers = [leave(request(f"leaver {n}", 300)) for n in range(15)]
    stayers = [answer(client, request(f"stayer {n}", 4)) for n in range(15)]
    mixed = [task for pair in zip(leavers, stayers, strict=True) for task in pair]
    found = [each for each in await asyncio.gather(*mixed) if each is not None]
    assert len(found) == 15
    assert found[14] == expected(request("stayer 14", 4))


async def test_an_error_in_the_engine_ends_that_job_alone(
    client: EngineClient, http: httpx.AsyncClient, host: TinyHost, caplog: pytest.LogCaptureFixture
) -> None:
    host.engine.error = RuntimeError(f"no room for {MARKER}")
    response = await http.post("/infill", json=request(MARKER).to_json())
    assert response.status_code == 500
    message = response.json()["error"]["message"]
    assert "RuntimeError" in message
    assert message.endswith(".")
    assert "Traceback" not in response.text
    assert MARKER not in response.text
    # The log says where, but holds nothing of the user's.
    assert "RuntimeError" in caplog.text
    assert "forward" in caplog.text
    assert MARKER not in caplog.text
    assert await answer(client, request(MARKER)) == expected(request(MARKER))
    assert host.health.ready


async def test_an_error_between_two_pieces_ends_the_stream_with_a_sentence(
    client: EngineClient, http: httpx.AsyncClient, host: TinyHost
) -> None:
    host.engine.error, host.engine.fail_at = ValueError(MARKER), 4
    got: list[str] = []

    async def read() -> None:
        async with client.infill(request("abc")) as pieces:
            async for piece in pieces:
                got.append(piece.content)

    with pytest.raises(EngineUnavailable, match="ValueError"):
        await read()
    whole = expected(request("abc"))
    assert 0 < len("".join(got)) < len(whole)
    assert whole.startswith("".join(got))
    host.engine.error, host.engine.fail_at = ValueError(MARKER), 0
    response = await http.post("/infill", json=request("abd").to_json() | {"stream": True})
    assert response.status_code == 500
    assert MARKER not in response.text
    # The failed job's branch is true: it is reused, and gives the same.
    assert await answer(client, request("abc")) == whole


async def test_an_error_after_pieces_is_an_error_of_the_whole_answer(http: httpx.AsyncClient, host: TinyHost) -> None:
    host.engine.error, host.engine.fail_at = ValueError(MARKER), 4
    response = await http.post("/infill", json=request("abc").to_json())
    assert response.status_code == 500
    assert "content" not in response.json()


async def test_a_client_that_leaves_while_it_sends_is_no_error(
    http: httpx.AsyncClient, socket: Path, host: TinyHost, caplog: pytest.LogCaptureFixture
) -> None:
    assert host.engine is not None
    with sockets.socket(sockets.AF_UNIX) as raw:
        raw.connect(str(socket))
        raw.sendall(b"POST /infill HTTP/1.1\r\nhost: e\r\ncontent-length: 5000\r\n\r\n{")
        assert (await http.get("/health")).status_code == 200
    for _ in range(3):  # the server's loop has looked at the closed connection by then
        assert (await http.get("/health")).status_code == 200
    assert (await http.post("/infill", json=request("x").to_json())).status_code == 200
    assert len(host.jobs) == 1
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_hang_up_is_not_logged_as_an_error(
    client: EngineClient, host: TinyHost, caplog: pytest.LogCaptureFixture
) -> None:
    # Three steps and no more: so tiny a model says its 500 before the loop sees that nobody listens, and asyncio warns.
    host.engine.hold()
    host.engine.allow(3)
    async with client.infill(request("x", 500)) as pieces:
        await anext(pieces)
    await seen(host.jobs[0].cancelled)
    host.engine.release()
    await answer(client, request("y"))
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_server_that_leaves_in_the_middle_is_an_engine_unavailable() -> None:
    host = TinyHost()
    ended: list[object] = []

    def use(socket: Path) -> None:
        async def work() -> None:
            client = EngineClient(socket)
            try:
                async with client.infill(request("x", 500)) as pieces:
                    async for _ in pieces:
                        began.set()
            except EngineUnavailable as error:
                ended.append(error)
            finally:
                await client.close()

        asyncio.run(work())

    began = threading.Event()
    with served(host) as socket:
        host.engine.hold()
        host.engine.allow(2)
        user = threading.Thread(target=use, args=(socket,))
        user.start()
        assert await asyncio.to_thread(began.wait, 20)
    user.join(20)
    assert len(ended) == 1
    # `served` has seen the engine's thread outlive the loop that it reported to.
    assert host.jobs[0].cancelled.is_set()


async def test_the_host_emits_one_outcome_last(host: TinyHost) -> None:
    with served(host):
        events: list[object] = []
        host.submit(Job(request("x", 3), events.append))
        await until(lambda: any(isinstance(event, Outcome) for event in events))
        assert [isinstance(event, Outcome) for event in events] == [False] * (len(events) - 1) + [True]
        assert isinstance(host.engine, TinyEngine)


def test_requests_of_these_tests_are_as_long_as_they_look() -> None:
    assert len(tiny_vocabulary().encode("t" * (4 * CHUNK))) == 4 * CHUNK
    assert json.dumps(request("x").to_json())
