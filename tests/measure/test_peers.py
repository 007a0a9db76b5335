"""llama.cpp as a peer: its HTTP against a scripted one, what `--peer` may say, what is said when it is not there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.errors import EngineUnavailable, UsageError
from aigc_lsp.measure import peers
from aigc_lsp.measure.peers import Keystroke, LlamaServer
from aigc_lsp.weights import packed

MODEL = catalogue.load(Config().model)
URL = "http://127.0.0.1:8080/"
PROPS = {
    "model_path": "/elsewhere/model.gguf",
    "build_info": "b1-abc",
    "total_slots": 1,
    "default_generation_settings": {"n_ctx": 4096, "params": {}},
}


class Scripted:
    """A llama-server that answers as it was told, and remembers what it was asked."""

    def __init__(self, props: Any = PROPS, answer: Any = None, status: int = 200) -> None:
        self.props, self.answer, self.status = props, answer, status
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/props":
            return httpx.Response(self.status, json=self.props)
        body = json.loads(request.content)
        self.asked.append((request.url.path, body))
        count = len(body["prompt"]) if request.url.path == "/completion" else 250
        told = {
            "content": "x",
            "timings": {"cache_n": 0, "prompt_n": count, "prompt_ms": 500.0, "predicted_n": 5, "predicted_ms": 80.0},
        }
        answer = told if self.answer is None else self.answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


def server(script: Callable[[httpx.Request], httpx.Response], model: catalogue.Model = MODEL) -> LlamaServer:
    return LlamaServer(URL, model, httpx.MockTransport(script))


def test_prefill_is_what_the_server_says_it_took() -> None:
    script = Scripted()
    assert server(script).prefill([5, 6, 7]) == 0.5
    ((path, body),) = script.asked
    assert path == "/completion"
    assert body["prompt"] == [5, 6, 7]
    assert body["cache_prompt"] is False
    assert body["n_predict"] == 1


def test_the_first_token_takes_no_pass() -> None:
    """llama.cpp counts it among the predicted and has it before its clock begins."""
    script = Scripted()
    assert server(script).decode([1, 2], 4) == pytest.approx(0.08 / 4)
    assert script.asked[0][1]["n_predict"] == 5
    assert script.asked[0][1]["ignore_eos"] is True
    assert script.asked[0][1]["temperature"] == 0.0


def test_a_keystroke_is_timed_here_and_asked_to_the_end_of_the_line() -> None:
    script = Scripted()
    found = server(script).keystroke("def a", "\n")
    assert isinstance(found, Keystroke)
    assert found.seconds > 0
    assert (found.read, found.written) == (250, 5)
    ((path, body),) = script.asked
    assert path == "/infill"
    assert (body["input_prefix"], body["input_suffix"]) == ("def a", "\n")
    assert (body["n_predict"], body["stop"], body["cache_prompt"]) == (24, ["\n"], True)


def test_a_prompt_that_was_not_read_whole_is_no_measurement() -> None:
    timings = {"prompt_n": 1, "prompt_ms": 5.0, "predicted_n": 1, "predicted_ms": 0.0}
    with pytest.raises(EngineUnavailable, match="1 tokens of 3"):
        server(Scripted(answer={"timings": timings})).prefill([1, 2, 3])


@pytest.mark.parametrize(
    "answer",
    [
        {"content": "x"},
        {"timings": {"prompt_n": 3}},
        {"timings": 5},
        [],
        httpx.Response(500, json={"error": {"message": "no slot"}}),
        httpx.Response(200, text="<html>"),
    ],
)
def test_answers_that_make_no_sense(answer: Any) -> None:
    with pytest.raises(EngineUnavailable, match="llama-server"):
        server(Scripted(answer=answer)).prefill([1, 2, 3])


def test_it_is_described() -> None:
    told = server(Scripted()).describe()
    assert told["peer"] == "llama-server"
    assert told["url"] == "http://127.0.0.1:8080"
    assert told["version"] == "b1-abc"
    assert told["context"] == 4096
    json.dumps(told)


def test_the_weights_must_be_the_same(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"weights")
    script = Scripted(PROPS | {"model_path": str(file)})
    with pytest.raises(UsageError, match=r"not the file of qwen2\.5-coder-0\.5b: start it with -m .*\.gguf"):
        server(script)
    same_size = replace(MODEL, size=7)
    with pytest.raises(UsageError):
        server(script, same_size)
    assert server(script, replace(same_size, sha256=packed.sha256_of(file))).name == "llama-server"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (Scripted({"error": {"code": 503}}, status=503), "still loading"),
        (Scripted({"error": {"code": 404}}, status=404), "is no llama-server"),
        (Scripted({"name": "ollama"}), "is no llama-server"),
        (Scripted([1]), "is no llama-server"),
        (Scripted(PROPS | {"default_generation_settings": {"n_ctx": 512}}), "-c 4096"),
    ],
)
def test_servers_that_are_not_what_they_should_be(script: Scripted, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        server(script)


def test_nobody_is_there() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused")

    with pytest.raises(
        UsageError, match=r"No llama-server answers at .*Start it with `llama-server -m MODEL\.gguf -t 2"
    ):
        server(refuse)


@pytest.mark.parametrize(
    "wanted", ["", "llama-server", "llama-server=", "llama-server=127.0.0.1:8080", "ollama", "llama-cpp-python=x"]
)
def test_a_peer_that_is_none(wanted: str) -> None:
    with pytest.raises(UsageError, match="llama-server=URL") as error:
        peers.connect(wanted, MODEL, 2)
    assert error.value.exit_code == 2


def test_the_library_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llama_cpp", None)
    with pytest.raises(UsageError, match=r"aigc-lsp\[peers\]"):
        peers.connect("llama-cpp-python", MODEL, 2)


class Library:
    """What of `llama_cpp` is used."""

    __version__ = "0.0.1"

    class Llama:
        def __init__(self, path: str, **settings: Any) -> None:
            self.path, self.settings = path, settings
            self.done: list[str] = []

        def reset(self) -> None:
            self.done.append("reset")

        def eval(self, tokens: list[int]) -> None:
            self.done.append(f"eval {tokens}")

        def generate(self, tokens: list[int], **settings: Any) -> Any:
            assert settings["temp"] == 0.0
            for count in range(1000):
                self.done.append(f"token {count}")
                yield count

        def close(self) -> None:
            self.done.append("close")


def test_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIGC_LSP_MODELS_DIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "llama_cpp", Library)
    with pytest.raises(UsageError, match="models pull"):
        peers.connect("llama-cpp-python", MODEL, 2)
    source = peers.Store().source_path(MODEL)
    source.parent.mkdir()
    source.write_bytes(b"")
    peer = peers.connect("llama-cpp-python", MODEL, 2)
    assert isinstance(peer, peers.LlamaCppPython)
    llama = peer._llama
    assert (llama.path, llama.settings["n_threads"], llama.settings["n_threads_batch"]) == (str(source), 2, 2)
    assert peer.prefill([4, 5]) >= 0
    assert llama.done == ["reset", "eval [4, 5]"]
    llama.done.clear()
    assert peer.decode([4, 5], 3) >= 0
    assert llama.done == ["reset", "token 0", "token 1", "token 2", "token 3"]
    assert peer.describe()["version"] == "0.0.1"
    peer.close()
