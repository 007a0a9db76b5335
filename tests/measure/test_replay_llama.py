"""llama.cpp's server as llama.vim asks it: what a request says, what is kept, and what is shown."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from aigc_lsp import catalogue
from aigc_lsp.errors import EngineUnavailable, UsageError
from aigc_lsp.measure.replay_llama import LlamaVim, local_of, rendered
from aigc_lsp.measure.replay_scenes import Scene
from aigc_lsp.measure.replay_subjects import Suggestion
from aigc_lsp.measure.replay_typist import Change

MODEL = catalogue.load("qwen2.5-coder-0.5b")
TEXT = "def f():\n    return 1\n\nend\n"


class Server:
    """Answers `content` to each prompt that ends so; it notes what it was asked."""

    def __init__(self, content: dict[str, str], status: int = 200) -> None:
        self.content, self.status, self.asked = content, status, list[dict[str, Any]]()

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.asked.append(body)
        said = next((text for end, text in self.content.items() if body["prompt"].endswith(end)), "")
        timings = {"prompt_n": 7, "predicted_n": 2}
        return httpx.Response(self.status, json={"content": said, "timings": timings})


async def opened(server: Server, text: str) -> LlamaVim:
    client = httpx.AsyncClient(base_url="http://peer", transport=httpx.MockTransport(server.answer))
    subject = LlamaVim(client, {}, None)
    await subject.open(Scene("a.py", Path("/a.py"), Path("/"), "python", text, ()))
    return subject


async def ask(subject: LlamaVim, cursor: int) -> Suggestion:
    async with asyncio.timeout(5):
        return await subject.ask(cursor)


async def test_a_request_is_llama_vims() -> None:
    server = Server({})
    subject = await opened(server, TEXT)
    assert await ask(subject, 19) == Suggestion()
    await subject.close()
    body = server.asked[0]
    assert (body["input_prefix"], body["prompt"]) == ("def f():\n", "    return")
    assert body["input_suffix"] == " 1\n\nend\n\n"
    assert (body["n_indent"], body["n_predict"], body["t_max_predict_ms"]) == (4, 128, 250)
    assert body["samplers"] == ["top_k", "top_p", "infill"]


async def test_what_is_shown_is_followed_by_a_speculative_request() -> None:
    server = Server({"x = ": "abc\ndef", "def": " g"})
    subject = await opened(server, "x = ")
    assert await ask(subject, 4) == Suggestion("abc\ndef")
    cost = await subject.cost()
    assert (cost.source, cost.prefilled, cost.generated_tokens) == ("model", 7, 2)
    await subject.close()
    assert [(body["prompt"], body["t_max_predict_ms"]) for body in server.asked] == [("x = ", 250), ("def", 1000)]
    assert server.asked[1]["input_prefix"] == "x = abc\n"


async def test_typing_through_asks_for_nothing() -> None:
    server = Server({"x = ": "abc"})
    subject = await opened(server, "x = ")
    await ask(subject, 4)
    subject.change(Change(4, 0, "a"))
    assert await ask(subject, 5) == Suggestion("bc")
    assert (await subject.cost()).source == "kept"
    assert {body["prompt"] for body in server.asked} <= {"x = ", "x = abc", "x = a"}
    await subject.close()


async def test_nothing_is_asked_in_the_middle_of_a_line() -> None:
    server = Server({"x = ": "abc"})
    subject = await opened(server, "x = 1234567890")
    assert await ask(subject, 4) == Suggestion()
    assert (await subject.cost()).source == "none"
    assert server.asked == []
    await subject.close()


async def test_a_server_that_fails_is_said() -> None:
    subject = await opened(Server({}, status=500), "x = ")
    with pytest.raises(EngineUnavailable, match="500"):
        await ask(subject, 4)
    await subject.close()


def test_a_blank_line_is_asked_for_from_its_beginning() -> None:
    local = local_of("def f():\n    \nend\n", 13)
    assert (local.middle, local.suffix, local.indent) == ("", "\nend\n\n", 0)


@pytest.mark.parametrize(
    ("before", "behind", "said", "shown"),
    [
        ("x = ", "\n", "1\n\n", "1"),
        ("def f():\n    ", "\n", "    return 1", "return 1"),
        ("def f():\n  ", "\n", "    return 1", "  return 1"),
        ("f(a", ")\n", ")", ""),
        ("f(a", ")\n", ", b", ", b"),
        ("x", "\ny = 1\n", "\ny = 1", ""),
        ("x =", "\n\nx = 1\ny = 2\n", " 1", ""),
        ("x =", "\n\nx = 1\ny = 2\n", " 1\ny = 2", ""),
        ("x =", "\n\nx = 1\ny = 2\n", " 1\ny =", ""),
        ("x =", "\n\nx = 1\ny = 2\n", " 1\nz = 2", " 1\nz = 2"),
        ("x =", "\n", "", ""),
    ],
)
def test_what_is_shown(before: str, behind: str, said: str, shown: str) -> None:
    assert rendered(before + behind, len(before), said) == shown


@pytest.mark.parametrize("wanted", ["llama-server", "ollama=http://127.0.0.1:1", "llama-server=file:///etc"])
def test_another_peer_is_refused(wanted: str) -> None:
    with pytest.raises(UsageError, match="llama-server=URL"):
        LlamaVim.connect(wanted, MODEL)


def test_a_peer_with_other_weights_is_refused(tmp_path: Path) -> None:
    weights = tmp_path / "other.gguf"
    weights.write_bytes(b"others")
    props = json.dumps({"model_path": str(weights), "default_generation_settings": {"n_ctx": 4096}}).encode()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(props)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        with pytest.raises(UsageError, match="is not the file of qwen"):
            LlamaVim.connect(f"llama-server=http://127.0.0.1:{server.server_port}", MODEL)


def test_a_peer_that_is_not_there_is_said() -> None:
    with pytest.raises(UsageError, match="No llama-server answers"):
        LlamaVim.connect("llama-server=http://127.0.0.1:9", MODEL)
