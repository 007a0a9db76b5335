"""Where settings come from, and that they take effect while the server runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from conftest import Bench, started
from harness import environment, initialize_params, until

from aigc_lsp.pipeline import AHEAD_TOKENS

pytestmark = pytest.mark.asyncio(loop_scope="session")


def push(bench: Bench, settings: Any) -> None:
    bench.client.notify("workspace/didChangeConfiguration", {"settings": settings})


@pytest.mark.process
async def test_bad_values_are_named_once_and_do_no_harm(folder: Path) -> None:
    (folder / "config" / "aigc-lsp").mkdir(parents=True)
    (folder / "config" / "aigc-lsp" / "config.toml").write_text("[completion]\nmax_linse = 3\n")
    environ = environment(folder, AIGC_LSP_COMPLETION_MAX_TOKENS="many", XDG_CONFIG_HOME=str(folder / "config"))
    params = initialize_params("neovim-0.12")
    params["initializationOptions"] = {"completion": {"maxLines": 0}, "languagesOff": ["lua"]}
    async with started(folder, params=params, settings={"enabled": "yes"}, environ=environ) as bench:
        await bench.ready()
        messages = bench.client.messages()
        for start in ("There is no option completion.max_linse,", "completion.max_tokens must", "enabled must"):
            assert len([message for message in messages if message.startswith(start)]) == 1, messages
        assert any(message.startswith("completion.max_lines must be") for message in messages)
        assert len(messages) == 4
        # The defaults are in force, and what was right in the same place.
        words = "red sun old map big sea far hut dry oak low fog new sky top end six men our dog"
        bench.engine.says(*[f"    {word}.{word[::-1]}()\n" for word in words.split()])
        (text,) = await bench.client.ghost(bench.fresh("def f():\n"), 1, 0)
        assert text.count("\n") == 15
        assert bench.engine.asked[-1].body["n_predict"] == 96
        assert await bench.client.ghost(bench.fresh("x = ", "lua"), 0, 4) == []
        asked = len(bench.client.asked)
        push(bench, None)  # pulled again, with the same mistake: not said again
        await until(lambda: len(bench.client.asked) > asked, "the second question")
        await bench.client.settled()
        assert bench.client.messages() == messages
        await bench.client.end()


async def test_pulled_at_the_start_and_when_told_of_a_change(bench: Bench) -> None:
    """VS Code pulls: the notification's own settings are null."""
    client = bench.client
    registered = [params for method, params in client.asked if method == "client/registerCapability"]
    (registration,) = registered[0]["registrations"]
    assert registration["method"] == "workspace/didChangeConfiguration"
    assert registration["registerOptions"] == {"section": "aigc"}
    assert ("workspace/configuration", {"items": [{"section": "aigc"}]}) in client.asked

    uri = bench.fresh("x = ")
    bench.engine.says("1")
    before = client.settings
    try:
        for client.settings, expected in (
            ({"enabled": False}, []),
            ({"languagesOff": ["python"]}, []),
            ({"languages_off": ["lua"]}, ["1"]),
            (None, ["1"]),
        ):
            asked = len(client.asked)
            push(bench, None)
            await until(lambda: len(client.asked) > asked, "the question")  # noqa: B023
            await client.settled()
            assert await client.ghost(uri, 0, 4) == expected
    finally:
        client.settings = before
        push(bench, None)
        await client.settled()
    assert client.messages() == []


async def test_pushed_settings(editors: Any) -> None:
    """Neovim and eglot push theirs, under our section or as the user wrote them."""
    bench = await editors("neovim-0.11")
    uri = bench.fresh("x = ")
    bench.engine.says("1")
    for settings, expected in (
        ({"aigc": {"enabled": False}}, []),
        ({"aigc": {"enabled": True, "completion": {"maxTokens": 7}}}, ["1"]),
        ({"aigc": {"languagesOff": ["python", "lua"]}}, []),
        ({"aigc": None}, ["1"]),
    ):
        push(bench, settings)
        assert await bench.client.ghost(uri, 0, 4) == expected
    assert [asked.body["n_predict"] for asked in bench.engine.asked] == [7 + AHEAD_TOKENS, 48 + AHEAD_TOKENS]
    push(bench, {"aigc": {"context": {"prefixTokens": 16_384, "suffixTokens": 8192}}})
    assert bench.client.messages() == []
    bench.client.check()


async def test_settings_while_a_request_is_under_way(bench: Bench) -> None:
    """Turned off in between: nothing breaks, and the request has its reply."""
    bench.engine.says("1", delay=0.2)
    request = bench.client.ask_inline(bench.fresh("x = "), 0, 4)
    await until(lambda: bench.engine.asked, "the request")
    push(bench, {"aigc": {"enabled": False}})
    assert len((await request.reply())["items"]) in (0, 1)
    push(bench, {"aigc": bench.client.settings})
    assert await bench.client.ghost(bench.fresh("x = "), 0, 4) == ["1"]


@pytest.mark.parametrize("settings", [None, 7, "text", [], {"aigc": 7}, {"aigc": []}, {"aigc": {"completion": 3}}])
async def test_settings_of_any_shape(bench: Bench, settings: Any) -> None:
    bench.engine.says("1")
    push(bench, settings)
    push(bench, {"aigc": bench.client.settings})
    found: list[str] = []
    for _ in range(50):  # what was asked for by the first may come after the second
        if found := await bench.client.ghost(bench.fresh("x = "), 0, 4):
            break
        await asyncio.sleep(0.1)
    assert found == ["1"]
    bench.client.notifications.clear()


async def test_budgets_reach_their_places(bench: Bench) -> None:
    push(bench, {"aigc": {"completion": {"timeBudgetMs": 321}, "context": {"prefixTokens": 65}}})
    uri = bench.fresh("x = ")
    bench.engine.says("1")
    assert await bench.client.ghost(uri, 0, 4) == ["1"]
    body = bench.engine.asked[-1].body
    assert (body["t_max_predict_ms"], body["prefix_tokens"]) == (321, 65)
    push(bench, {"aigc": bench.client.settings})
    await bench.client.settled()
