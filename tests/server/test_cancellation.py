"""Requests that are cancelled, overtaken or out of date: each gets one reply, and the model server is freed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from conftest import Bench
from harness import CANCELLED, PATIENCE, Answer, ReplyError, replacement, until

from aigc_lsp.reuse.stream import ORPHAN_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def asked(bench: Bench, count: int) -> None:
    await until(lambda: len(bench.engine.asked) >= count, f"{count} requests at the model server")


async def hung_up(bench: Bench, number: int) -> None:
    await asyncio.wait_for(bench.engine.asked[number].hung_up.wait(), PATIENCE)


async def test_cancelled_once_and_hung_up(bench: Bench) -> None:
    uri = bench.fresh("x = ")
    bench.engine.says("a", hang=True)
    request = bench.client.ask_inline(uri, 0, 4)
    await asked(bench, 1)
    request.cancel()
    assert await request.error_code() == CANCELLED
    await hung_up(bench, 0)
    request.cancel()  # too late: nothing
    await bench.client.settled()


async def test_cancelled_before_it_began(bench: Bench) -> None:
    uri = bench.fresh("x = ")
    bench.engine.says("1", hang=True)
    request = bench.client.ask_inline(uri, 0, 4)
    request.cancel()
    assert await request.error_code() == CANCELLED
    await asyncio.sleep(2 * ORPHAN_SECONDS)  # until then another request would wait for what this one has asked
    bench.engine.says("1")
    assert await bench.client.ghost(uri, 0, 4) == ["1"]


async def test_cancelled_while_the_model_server_thinks(bench: Bench) -> None:
    """No piece has come yet: the hang-up is seen all the same."""
    uri = bench.fresh("x = ")
    bench.engine.says("1", delay=60)
    request = bench.client.ask_inline(uri, 0, 4)
    await asked(bench, 1)
    request.cancel()
    assert await request.error_code() == CANCELLED
    await hung_up(bench, 0)


async def test_cancel_of_what_was_never_asked(bench: Bench) -> None:
    bench.client.notify("$/cancelRequest", {"id": 123456})
    bench.client.notify("$/cancelRequest", {"id": "no number"})
    await bench.client.settled()


async def test_menu_is_cancelled_too(editors: Any) -> None:
    bench = await editors("eglot")
    uri = bench.fresh("x = ")
    bench.engine.says("a", hang=True)
    params = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 4}}
    request = bench.client.post("textDocument/completion", params)
    await asked(bench, 1)
    request.cancel()
    assert await request.error_code() == CANCELLED
    await hung_up(bench, 0)
    bench.client.check()


async def test_the_last_of_overlapping_requests_wins(bench: Bench) -> None:
    """Neovim sends these without a cancel. One question is enough for all of them."""
    uri = bench.fresh("x = ")
    bench.engine.says("last", delay=0.5)
    requests = []
    for _ in range(4):
        requests.append(bench.client.ask_inline(uri, 0, 4))
        await asked(bench, 1)
    replies = [[item["insertText"] for item in (await request.reply())["items"]] for request in requests]
    assert replies == [[], [], [], ["last"]]
    assert len(bench.engine.asked) == 1


async def test_a_burst_of_requests(bench: Bench) -> None:
    """All in one write: whatever reaches the model server, the last one is answered, and only that."""
    uri = bench.fresh("(" * 20)
    bench.engine.says()
    bench.engine.script = lambda body: Answer(("1",), hang=len(body["input_prefix"]) < 20)
    requests = [bench.client.ask_inline(uri, 0, column) for column in range(1, 21)]
    replies = [len((await request.reply())["items"]) for request in requests]
    assert replies == [0] * 19 + [1]
    for asked in bench.engine.asked[:-1]:
        await asyncio.wait_for(asked.hung_up.wait(), PATIENCE)


async def test_two_documents_do_not_disturb_each_other(bench: Bench) -> None:
    first, second = bench.fresh("first = "), bench.fresh("second = ")
    bench.engine.says("1", delay=0.3)
    one, two = bench.client.ask_inline(first, 0, 8), bench.client.ask_inline(second, 0, 9)
    assert [len((await request.reply())["items"]) for request in (one, two)] == [1, 1]
    assert not any(asked.hung_up.is_set() for asked in bench.engine.asked)


async def test_cancelling_one_leaves_the_other(bench: Bench) -> None:
    first, second = bench.fresh("first = "), bench.fresh("second = ")
    bench.engine.says()
    bench.engine.script = lambda body: Answer(("1",), delay=60 if "first" in body["input_prefix"] else 0.3)
    one, two = bench.client.ask_inline(first, 0, 8), bench.client.ask_inline(second, 0, 9)
    await asked(bench, 2)
    one.cancel()
    assert await one.error_code() == CANCELLED
    assert len((await two.reply())["items"]) == 1


async def test_an_edit_makes_the_answer_void(bench: Bench) -> None:
    uri = bench.fresh("x = ")
    bench.engine.says("1", hang=True)
    request = bench.client.ask_inline(uri, 0, 4)
    await asked(bench, 1)
    bench.client.change(uri, 2, replacement((0, 4), (0, 4), "y"))
    assert await request.reply() == {"items": []}
    await hung_up(bench, 0)


@pytest.mark.parametrize("again", [False, True])
async def test_closing_makes_the_answer_void(bench: Bench, again: bool) -> None:
    uri = bench.fresh("x = ")
    bench.engine.says("1", hang=True)
    request = bench.client.ask_inline(uri, 0, 4)
    await asked(bench, 1)
    if not again:
        bench.client.close(uri)
    bench.client.open(uri, "y = ")
    assert await request.reply() == {"items": []}
    await hung_up(bench, 0)


async def test_an_edit_elsewhere_voids_nothing(bench: Bench) -> None:
    uri, other = bench.fresh("x = "), bench.fresh("y = ")
    bench.engine.says("1", delay=0.3)
    request = bench.client.ask_inline(uri, 0, 4)
    await asked(bench, 1)
    bench.client.change(other, 2, {"text": "z"})
    assert len((await request.reply())["items"]) == 1


async def test_request_and_edit_in_one_write(bench: Bench) -> None:
    """Whether the request has begun when the edit comes or not: no old answer at a new text."""
    uri = bench.fresh("old = ")
    bench.engine.says()
    bench.engine.script = lambda body: Answer(("1",), hang=body["input_prefix"].startswith("old"))
    request = bench.client.ask_inline(uri, 0, 6)
    bench.client.change(uri, 2, {"text": "new = "})
    items = (await request.reply())["items"]
    assert [item["insertText"] for item in items] in ([], ["1"])
    for asked in bench.engine.asked:
        await asyncio.wait_for(asked.ended.wait(), PATIENCE)


async def test_typing_storm(bench: Bench) -> None:
    """A key and a request each, as fast as they can be written, some cancelled: one reply each, and none is stale."""
    uri = bench.fresh("")
    bench.engine.says()
    bench.engine.script = lambda body: Answer((f"{len(body['input_prefix'])}",), delay=0.02)
    requests = []
    for number in range(60):
        bench.client.change(uri, number + 2, replacement((0, number), (0, number), "("))
        requests.append(bench.client.ask_inline(uri, 0, number + 1))
        if number % 7 == 0:
            requests[-1].cancel()
        if number % 5 == 0:
            await asyncio.sleep(0.03)
    outcomes = []
    for number, request in enumerate(requests):
        try:
            outcomes.append([item["insertText"] for item in (await request.reply())["items"]])
        except ReplyError as error:
            if error.code != CANCELLED:
                raise
            continue
        assert outcomes[-1] in ([], [f"{number + 1}"])
    assert outcomes[-1] == ["60"]


async def test_the_answer_is_no_longer_read_once_the_line_is_done(bench: Bench) -> None:
    """Stopping is hanging up: the model server is freed as soon as the syntax has said enough."""
    uri = bench.fresh("x = ")
    bench.engine.says("1\n", "y = 2\n", hang=True)
    assert await bench.client.ghost(uri, 0, 4) == ["1"]
    await hung_up(bench, 0)
