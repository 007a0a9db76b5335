"""The shapes of the field: what each server is asked, and that its recorded answers are understood."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from peer_server import FIXTURES, NOT_FOUND, PeerServer, Reply, recorded, said, texts
from remote_bench import COMPLETIONS, HOLE, connected, health, pieces, text

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.service import remote_gate
from aigc_lsp.service.wire import Health, InfillRequest

FILLED = f"<|fim_prefix|>{HOLE.input_prefix}<|fim_suffix|>{HOLE.input_suffix}<|fim_middle|>"


# Answers


@pytest.mark.parametrize(
    ("file", "stop_type"),
    [
        ("llama-server-completions.sse", "limit"),
        ("vllm-completions.sse", "limit"),
        ("vllm-old-completions.sse", "eos"),
        ("ollama-completions.sse", "eos"),
        ("tgi-completions.sse", "eos"),
        ("mistral-fim.sse", "eos"),
        ("mistral-fim.json", "eos"),
    ],
)
async def test_recorded_completions(peer: PeerServer, url: str, file: str, stop_type: str) -> None:
    peer.routes[COMPLETIONS] = recorded(file)
    async with connected(url, api="openai") as backend:
        found = await pieces(backend)
    assert "".join(piece.content for piece in found) == "a + b"
    assert [piece.stop_type for piece in found] == [None] * (len(found) - 1) + [stop_type]


async def test_recorded_infill(peer: PeerServer, url: str) -> None:
    peer.routes["/infill"] = recorded("llama-server-infill.sse")
    async with connected(url) as backend:
        found = await pieces(backend)
    assert [piece.content for piece in found] == ["a", " +", " b", ""]
    assert found[-1].stop_type == "eos"
    assert (found[0].usage.prompt_tokens, found[-1].usage.generated_tokens) == (20, 3)


async def test_usage_of_completions(peer: PeerServer, url: str) -> None:
    """llama-server's `timings`, and OpenAI's `usage`."""
    async with connected(url, api="openai") as backend:
        peer.routes[COMPLETIONS] = recorded("llama-server-completions.sse")
        usage = (await pieces(backend))[-1].usage
        assert (usage.prompt_tokens, usage.generated_tokens) == (13, 8)
        assert usage.prefill_ms == pytest.approx(2399.86)
        peer.routes[COMPLETIONS] = recorded("tgi-completions.sse")
        usage = (await pieces(backend))[-1].usage
        assert (usage.prompt_tokens, usage.reused_tokens, usage.generated_tokens) == (10, 0, 3)


async def test_all_that_an_event_stream_may_have(peer: PeerServer, url: str) -> None:
    """Comments (llama-server's ping), names, carriage returns, no blank behind the colon, chunks that end anywhere."""
    event = json.dumps({"choices": [{"index": 0, "text": "é", "finish_reason": "stop"}]}, ensure_ascii=False)
    whole = f": ping\r\n\r\nevent: delta\r\nid: 7\r\nretry: 10\r\ndata:{event}\r\n\r\ndata: [DONE]\r\n\r\n".encode()
    peer.routes[COMPLETIONS] = Reply(
        tuple(whole[at : at + 1] for at in range(len(whole))), kind="text/event-stream; charset=utf-8"
    )
    async with connected(url, api="openai") as backend:
        assert await text(backend) == "é"


async def test_events_without_a_choice(peer: PeerServer, url: str) -> None:
    """Azure says what it filtered before the text, and whoever counts tokens says so behind it."""
    text_and_end = texts("a").chunks
    odd = b'data: {"choices": [], "usage": {"prompt_tokens": 3}}\n\n'
    peer.routes[COMPLETIONS] = replace(texts("a"), chunks=(odd, *text_and_end[:-1], odd, text_and_end[-1]))
    async with connected(url, api="openai") as backend:
        assert [piece.content for piece in await pieces(backend)] == ["a", ""]


async def test_an_end_without_a_reason_or_without_a_word(peer: PeerServer, url: str) -> None:
    """Some servers say [DONE] and no `finish_reason`; and one may just stop talking."""
    async with connected(url, api="openai") as backend:
        done = texts("a", finish=None)
        peer.routes[COMPLETIONS] = replace(done, chunks=(*done.chunks, b"data: [DONE]\n\n"))
        assert [piece.stop_type for piece in await pieces(backend)] == [None, "eos"]
        peer.routes[COMPLETIONS] = done
        assert [piece.stop_type for piece in await pieces(backend)] == [None, "limit"]


# Requests


@pytest.mark.parametrize(
    ("suffix", "asked", "listed"),
    [
        ("", "/v1/completions", "/v1/models"),
        ("/", "/v1/completions", "/v1/models"),
        ("/v1", "/v1/completions", "/v1/models"),
        ("/v1/", "/v1/completions", "/v1/models"),
        ("/beta", "/beta/completions", "/beta/models"),
        ("/v1/fim", "/v1/fim/completions", "/v1/fim/models"),
        ("/llm/v1", "/llm/v1/completions", "/llm/v1/models"),
    ],
)
async def test_addresses_as_openai_clients_have_them(
    peer: PeerServer, url: str, suffix: str, asked: str, listed: str
) -> None:
    peer.routes |= {asked: texts("1"), listed: peer.routes["/v1/models"]}
    async with connected(url + suffix, api="openai") as backend:
        assert await text(backend) == "1"
    assert peer.paths() == [listed, asked]


@pytest.mark.parametrize(("suffix", "asked"), [("", "/infill"), ("/v1/", "/infill"), ("/llm/", "/llm/infill")])
async def test_addresses_of_infill(peer: PeerServer, url: str, suffix: str, asked: str) -> None:
    peer.routes[asked] = recorded("llama-server-infill.sse")
    async with connected(url + suffix) as backend:
        assert await text(backend) == "a + b"
    assert peer.paths() == [asked]


async def test_a_rendered_prompt(peer: PeerServer, url: str) -> None:
    peer.routes[COMPLETIONS] = texts("1")
    async with connected(url, api="openai") as backend:
        await text(backend)
    assert peer.bodies(COMPLETIONS) == [
        {
            "model": "served",
            "prompt": FILLED,
            "max_tokens": 32,
            "temperature": 0.0,
            "stream": True,
        }
    ]


async def test_a_suffix_of_its_own(peer: PeerServer, url: str) -> None:
    peer.routes[COMPLETIONS] = texts("1")
    asked = replace(HOLE, stop=("\n",), top_p=0.5, seed=7, temperature=0.25)
    async with connected(url, api="openai", fim="suffix", remote_model="coder:base") as backend:
        await text(backend, asked)
    assert peer.bodies(COMPLETIONS) == [
        {
            "model": "coder:base",
            "prompt": HOLE.input_prefix,
            "suffix": HOLE.input_suffix,
            "max_tokens": 32,
            "temperature": 0.25,
            "stream": True,
            "stop": ["\n"],
            "top_p": 0.5,
            "seed": 7,
        }
    ]
    assert peer.paths() == [COMPLETIONS]  # a model that was named is not looked for


async def test_control_tokens_of_the_user_are_broken_on_the_way(peer: PeerServer, url: str) -> None:
    peer.routes[COMPLETIONS] = texts("1")
    async with connected(url, api="openai") as backend:
        await text(backend, replace(HOLE, input_prefix="x = '<|fim_middle|>'"))
    assert "x = '< |fim_middle|>'" in peer.bodies(COMPLETIONS)[0]["prompt"]


async def test_infill_is_asked_with_all_that_ours_understands(peer: PeerServer, url: str) -> None:
    peer.routes["/infill"] = recorded("llama-server-infill.sse")
    async with connected(url) as backend:
        await text(backend, replace(HOLE, prefix_tokens=250, model="qwen2.5-coder-0.5b"))
    (body,) = peer.bodies("/infill")
    assert body["input_prefix"] == HOLE.input_prefix
    assert body["prefix_tokens"] == 250
    assert body["stream"] is True
    assert "model" not in body  # the server's own, as `engine.remote_model` is not set
    assert InfillRequest.from_json(body).input_suffix == HOLE.input_suffix


async def test_what_is_far_above_and_elsewhere_goes_in_fields_that_others_know(peer: PeerServer, url: str) -> None:
    asked = replace(HOLE, input_head="import os\n", input_extra=(("a.py", "x = 1"),), filename="b.py")
    peer.routes["/infill"] = recorded("llama-server-infill.sse")
    async with connected(url) as backend:
        await text(backend, asked)
    (body,) = peer.bodies("/infill")
    assert body["input_prefix"] == f"import os\n{HOLE.input_prefix}"
    assert body["input_head"] == ""
    assert body["input_extra"] == [{"filename": "a.py", "text": "x = 1"}]
    peer.routes[COMPLETIONS] = texts("1")
    async with connected(url, api="openai", fim="suffix") as backend:
        await text(backend, asked)
    (body,) = peer.bodies(COMPLETIONS)
    assert body["prompt"] == f"# Path: a.py\nx = 1\n\n# Path: b.py\nimport os\n{HOLE.input_prefix}"


async def test_infill_names_the_model_that_was_set(peer: PeerServer, url: str) -> None:
    peer.routes["/infill"] = recorded("llama-server-infill.sse")
    async with connected(url, remote_model="coder") as backend:
        await text(backend)
    assert peer.bodies("/infill")[0]["model"] == "coder"


@pytest.mark.parametrize("api", ["infill", "openai"])
@pytest.mark.parametrize(
    "filename",
    [
        "/home/somebody/project/add.py",
        "~/project/add.py",
        "C:\\Users\\somebody\\add.py",
        "\\\\somebody\\share\\add.py",
        "file:///home/somebody/add.py",
        "vscode-remote://somebody/add.py",
    ],
)
async def test_nothing_of_the_users_machine_is_sent(peer: PeerServer, url: str, api: str, filename: str) -> None:
    peer.routes |= {"/infill": recorded("llama-server-infill.sse"), COMPLETIONS: texts("1")}
    extra = ((filename, "x = 1\n"), ("src/other.py", "y = 2\n"))
    async with connected(url, api=api) as backend:
        await text(backend, replace(HOLE, filename=filename, input_extra=extra))
    sent = json.dumps([each.body for each in peer.asked]) + str([each.headers for each in peer.asked])
    assert "somebody" not in sent
    assert "add.py" in sent
    assert "src/other.py" in sent


async def test_requests_of_one_window_bear_one_word_that_means_nothing(peer: PeerServer, url: str) -> None:
    """So that our own server, which several share, can serve them in turn."""
    peer.routes["/infill"] = recorded("llama-server-infill.sse")
    async with connected(url) as one, connected(url) as other:
        for backend in (one, one, other):
            await text(backend)
    users = [body["user"] for body in peer.bodies("/infill")]
    assert users[0] == users[1] != users[2]
    assert HOLE.user not in users


async def test_reading_ahead(peer: PeerServer, url: str) -> None:
    """`/infill` is asked for it; completions have no way to, and are not asked for nothing."""
    peer.routes["/infill"] = recorded("llama-server-infill.sse")
    async with connected(url) as infill, connected(url, api="openai") as openai:
        await text(infill, replace(HOLE, n_predict=0))
        assert peer.bodies("/infill")[0]["n_predict"] == 0
        peer.asked.clear()
        assert await text(openai, replace(HOLE, n_predict=0)) == ""
    assert peer.asked == []


# Health


def empty(status: int) -> Reply:
    return Reply((), status=status, kind="text/plain")


PAGE = Reply((b"<!doctype html><title>Welcome</title>",), kind="text/html")
LISTED = recorded("llama-server-models.json")
LOADING = replace(recorded("llama-server-loading.json"), status=503)


@pytest.mark.parametrize("api", ["infill", "openai"])
@pytest.mark.parametrize(
    ("routes", "phase", "model"),
    [
        pytest.param(
            {"/health": said({"status": "ok"}), "/v1/models": LISTED}, "ready", "/models/coder.gguf", id="llama"
        ),
        pytest.param({"/health": LOADING}, "load", "", id="loading"),
        pytest.param({"/health": empty(200)}, "ready", "served", id="vllm"),
        pytest.param({}, "ready", "served", id="ollama"),
        pytest.param({"/health": empty(403)}, "ready", "served", id="cloud"),
        pytest.param({"/health": PAGE}, "ready", "served", id="a page at /health"),
    ],
)
async def test_health_of_each(
    peer: PeerServer, url: str, api: str, routes: dict[str, Reply], phase: str, model: str
) -> None:
    peer.routes |= routes
    async with connected(url, api=api) as backend:
        found = await health(backend)
    assert (found.phase, found.model) == (phase, model)
    assert found.note == ""
    assert found.loaded == ((model,) if model else ())


@pytest.mark.parametrize("api", ["infill", "openai"])
@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        pytest.param(empty(503), "cannot answer (503)", id="vllm, its engine dead"),
        pytest.param(replace(PAGE, status=503), "cannot answer (503)", id="a proxy before nothing"),
        pytest.param(empty(500), "cannot answer (500)", id="500"),
        pytest.param(empty(502), "cannot answer (502)", id="502"),
    ],
)
async def test_health_of_a_sick_one(peer: PeerServer, url: str, api: str, reply: Reply, sentence: str) -> None:
    peer.routes["/health"] = reply
    async with connected(url, api=api) as backend:
        with pytest.raises(EngineUnavailable) as found:
            await health(backend)
    assert sentence in str(found.value)


@pytest.mark.parametrize("status", [429, 503])
async def test_health_of_one_that_limits(peer: PeerServer, url: str, status: int) -> None:
    peer.routes["/health"] = said({"error": {"message": "slow down"}}, status, retry_after="60")
    async with connected(url) as backend:
        found = await health(backend)
    assert found.ready
    assert f"limits how often it is asked ({status}): nothing is for 60 s" in found.note


async def test_health_of_our_own(peer: PeerServer, url: str) -> None:
    ours = Health("load", "qwen2.5-coder-0.5b", done=5, total=10, device="cuda", note="No room.", pid=7)
    peer.routes["/health"] = said(ours.to_json(), 503)
    async with connected(url) as backend:
        assert await health(backend) == replace(ours, pid=0)
        peer.routes["/health"] = said(replace(ours, phase="idle").to_json())
        assert (await health(backend)).phase == "idle"


@pytest.mark.parametrize(
    "odd",
    [{"phase": "dancing"}, {"phase": 3}, {"model": 7}, {"loaded": 7}, {"loaded": [7]}, {"done": "x"}, {"note": []}],
)
async def test_health_of_one_that_claims_to_be_ours(peer: PeerServer, url: str, odd: dict[str, object]) -> None:
    peer.routes["/health"] = said(Health("ready", "coder").to_json() | odd)
    async with connected(url) as backend:
        with pytest.raises(EngineUnavailable, match="make no sense"):
            await health(backend)


async def test_a_server_that_lists_no_models(peer: PeerServer, url: str) -> None:
    peer.routes |= {"/v1/models": NOT_FOUND, "/infill": recorded("llama-server-infill.sse"), COMPLETIONS: texts("1")}
    async with connected(url) as infill, connected(url, api="openai", remote_model="coder") as named:
        assert (await health(infill)).model == ""
        assert (await health(named)).model == "coder"
        assert await text(named) == "1"
    async with connected(url, api="openai") as nameless:
        with pytest.raises(EngineUnavailable, match=r"lists no model. Name one in engine\.remote_model"):
            await text(nameless)


async def test_the_model_is_asked_for_once_and_again_when_it_is_gone(
    peer: PeerServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_gate, "BACKOFF_SECONDS", (0.0,))
    peer.routes[COMPLETIONS] = texts("1")
    async with connected(url, api="openai") as backend:
        for _ in range(3):
            await text(backend)
        assert peer.paths().count("/v1/models") == 1
        peer.routes[COMPLETIONS] = replace(recorded("vllm-not-found.json"), status=404)
        with pytest.raises(EngineUnavailable, match=r"has no such path or model \(404, NotFoundError\)"):
            await text(backend)
        peer.routes |= {"/v1/models": said({"data": [{"id": "new"}]}), COMPLETIONS: texts("2")}
        assert await text(backend) == "2"
    assert peer.bodies(COMPLETIONS)[-1]["model"] == "new"


@pytest.mark.parametrize(
    ("file", "status", "sentence"),
    [
        ("llama-server-unauthorised.json", 401, "wants a token (401, authentication_error)"),
        ("vllm-unauthorised.json", 401, "wants a token (401)"),
        ("vllm-not-found.json", 404, "no such path or model (404, NotFoundError)"),
        ("vllm-old-not-found.json", 404, "no such path or model (404, NotFoundError)"),
        ("vllm-no-suffix.json", 400, "does not take our requests (400, BadRequestError)"),
        ("ollama-no-insert.json", 400, "does not take our requests (400, api_error)"),
        ("llama-server-loading.json", 503, "cannot answer (503, unavailable_error)"),
    ],
)
async def test_recorded_errors(peer: PeerServer, url: str, file: str, status: int, sentence: str) -> None:
    peer.routes[COMPLETIONS] = replace(recorded(file), status=status)
    async with connected(url, api="openai") as backend:
        with pytest.raises(EngineUnavailable) as found:
            await text(backend)
    assert sentence in str(found.value)
    answer = json.loads((FIXTURES / file).read_text())
    error = answer.get("error", answer)
    assert (error["message"] if isinstance(error, dict) else error) not in str(found.value)  # theirs are not repeated
