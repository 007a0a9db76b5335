"""The bench's figures with everybody scripted, the engine's side with the tiny model, and the command's errors.

Nothing here measures speed: what is checked is who is asked for what, and what becomes of the answers.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import socketserver
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import command_line
import pytest
from command_line import Run
from tiny_model import tiny_decoder, tiny_tokenizer, tiny_weights

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.engine.generate import Engine
from aigc_lsp.engine.threads import ThreadCount
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.errors import EngineUnavailable, ModelMissing, UsageError
from aigc_lsp.measure import cold, machine, ours, peers
from aigc_lsp.measure import engine as bench
from aigc_lsp.measure.ours import OurEngine, OurServer
from aigc_lsp.measure.peers import Keystroke

MODEL = catalogue.load(Config().model)


class Letters:
    """One token for each four characters."""

    def encode(self, text: str) -> list[int]:
        return list(range(max(1, len(text) // 4)))


class FakeEngine(OurEngine):
    """Reads 1,000 tokens a second, writes one in 10 ms, twice as fast with speculation on texts below 500 tokens."""

    def __init__(self) -> None:
        self.engine = type("Anything", (), {"vocabulary": Letters(), "speculate": True})()  # type: ignore[assignment]
        self.decoded: list[tuple[int, bool]] = []

    def prefill(self, tokens: Sequence[int]) -> float:
        return len(tokens) / 1000

    def decode(self, tokens: Sequence[int], count: int) -> float:
        self.decoded.append((len(tokens), bool(self.speculates)))
        return 0.005 if self.speculates and len(tokens) < 500 else 0.01

    def generate(self, tokens: Sequence[int], count: int, choices: int = 1) -> Any:
        time.sleep(0.001 * choices)

    def forget(self) -> None:
        pass

    def bytes_per_token(self, context: int) -> int:
        return 100_000_000


class FakeServer(OurServer):
    """Reads 1,000 tokens at first, then one for each key but two for every tenth."""

    def __init__(self, *_: Any) -> None:
        self.first_token_s = 3.0
        self.keys = 0
        self.cancelled: list[float] = []

    def keystroke(self, prefix: str, suffix: str) -> Keystroke:
        self.keys += 1
        return Keystroke(0.1, 2 if self.keys % 10 == 0 else 1, 8)

    def tiny(self) -> float:
        return 0.02

    def cancel(self, prompt: str, after: float) -> float:
        self.cancelled.append(after)
        return 0.05

    def close(self) -> None:
        pass


class FakePeer(peers.LlamaServer):
    """Half as fast."""

    def __init__(self) -> None:
        self.name = "llama-server"
        self.is_closed = False

    def prefill(self, tokens: Sequence[int]) -> float:
        return len(tokens) / 500

    def decode(self, tokens: Sequence[int], count: int) -> float:
        return 0.02

    def keystroke(self, prefix: str, suffix: str) -> Keystroke:
        return Keystroke(0.6, 250, 7)

    def describe(self) -> dict[str, Any]:
        return {"peer": self.name, "version": "b1"}

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> FakePeer:
    """Everybody scripted, and a machine that reads 10 GB/s."""
    found = FakePeer()
    monkeypatch.setattr(bench, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(OurEngine, "load", classmethod(lambda *_: FakeEngine()))
    monkeypatch.setattr(bench, "OurServer", FakeServer)
    monkeypatch.setattr(peers, "connect", lambda wanted, model, threads: found)
    monkeypatch.setattr(cold, "seconds", lambda model, threads, repeats: [1.5] * repeats)
    monkeypatch.setattr(machine, "read_bandwidth", lambda threads, rounds: [9.0, 10.0, 8.0])

    @contextlib.contextmanager
    def neighbour() -> Iterator[None]:
        yield

    monkeypatch.setattr(machine, "busy_neighbour", neighbour)
    return found


def test_every_figure_beside_a_peer(peer: FakePeer) -> None:
    said: list[str] = []
    report = bench.run(MODEL.name, 2, ["llama-server=http://there"], say=said.append)
    found = {one.name: one for one in report.figures}
    assert {name: (one.must, one.met) for name, one in found.items()} == {
        "prefill, 1,000 tokens": ("≥ 1.9 ×", True),
        "decode at 500 tokens": ("≥ 1.25 ×", True),
        "read bandwidth, two threads": (None, None),
        "decode: share of that bandwidth": ("≥ 60", True),
        "keystroke in 1,000 tokens": ("≥ 5 ×", True),
        "tokens prefilled for a key": ("≤ 1", True),
        "tokens prefilled for a key, p95": ("≤ 3", True),
        "repeated code, speculation": ("≥ 1.6 ×", True),
        "other code, speculation, worst text": ("≥ 0.97 ×", True),
        "three choices": ("≤ 1.6 ×", found["three choices"].met),
        "packed cache to first token": ("≤ 2", True),
        "exec to first token": ("≤ 6", True),
        "cancel to idle": ("≤ 60", True),
        "prefill, 1,000 tokens, one core busy": ("≥ 2 ×", True),
        "decode at 500 tokens, one core busy": ("≥ 2 ×", True),
        "keystroke in 1,000 tokens, one core busy": ("≥ 2 ×", True),
    }
    assert found["prefill, 1,000 tokens"].ours == pytest.approx(1000)
    assert found["prefill, 1,000 tokens"].ratio == pytest.approx(2)
    assert found["decode: share of that bandwidth"].ours == pytest.approx(100)
    assert found["keystroke in 1,000 tokens"].ratio == pytest.approx(6)
    assert len(found["keystroke in 1,000 tokens"].samples["ours"]) == 40
    assert "aigc-lsp writes 8.0 tokens; llama-server writes 7.0" in found["keystroke in 1,000 tokens"].note
    assert found["repeated code, speculation"].ratio == pytest.approx(2)
    assert found["other code, speculation, worst text"].ratio == pytest.approx(1)
    assert found["cancel to idle"].ours == pytest.approx(30)
    assert {line.split()[-1] for line in said} >= set(bench.FIGURES)
    assert report.peers == ({"peer": "llama-server", "version": "b1"},)
    assert report.machine["model"] == MODEL.name
    json.dumps(report.to_json())
    assert peer.is_closed


def test_without_a_peer_nothing_is_met_that_asks_for_one(peer: FakePeer) -> None:
    report = bench.run(MODEL.name, 1, only=["prefill", "keystroke"])
    assert [one.met for one in report.figures] == [None, None, True, True]
    assert report.figures[0].ours == pytest.approx(1000)
    assert "no --peer" in report.figures[0].note


def test_decoding_is_measured_without_speculation(peer: FakePeer) -> None:
    one = bench.Bench(MODEL.name, 1, [], print)
    bench.decode(one)
    engine = one.engine
    assert isinstance(engine, FakeEngine)
    assert engine.decoded == [(500, False)]
    assert engine.speculates is True


def test_hang_ups_come_at_different_moments(peer: FakePeer) -> None:
    one = bench.Bench(MODEL.name, 3, [], print)
    bench.cancel(one)
    assert isinstance(one.server, FakeServer)
    assert len(set(one.server.cancelled)) == 6


def test_what_the_engine_cannot_is_missing_and_not_met(peer: FakePeer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeEngine, "speculates", None)
    monkeypatch.setattr(FakeEngine, "offers_choices", False)
    monkeypatch.setattr(FakeEngine, "bytes_per_token", lambda self, context: None)
    report = bench.run(MODEL.name, 1, only=["repeated", "choices", "decode"])
    absent = [one for one in report.figures if one.ours is None]
    assert [one.met for one in absent] == [None] * 4
    assert all(one.note for one in absent)


def test_a_figure_that_fails_takes_no_other_with_it(peer: FakePeer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> list[float]:
        raise EngineUnavailable("It did not start.")

    monkeypatch.setattr(cold, "seconds", refuse)
    failed, fine = bench.run(MODEL.name, 1, only=["load", "start"]).figures
    assert (failed.name, failed.ours, failed.met, failed.note) == ("load", None, None, "It did not start.")
    assert fine.met is True


def test_a_peer_that_fails_leaves_nobody_open(peer: FakePeer, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(wanted: str, model: catalogue.Model, threads: int) -> FakePeer:
        if wanted == "bad":
            raise UsageError("bad.")
        return peer

    monkeypatch.setattr(peers, "connect", connect)
    with pytest.raises(UsageError):
        bench.run(MODEL.name, 1, ["good", "bad"])
    assert peer.is_closed


# The engine in this process


@pytest.fixture(scope="module")
def tiny() -> OurEngine:
    vocabulary = Vocabulary(tiny_tokenizer())
    threads = ThreadCount(1, lambda: None)
    return OurEngine(Engine(tiny_decoder(tiny_weights(len(vocabulary))), vocabulary, threads=threads), threads)


def test_our_engine_forgets_before_it_is_measured(tiny: OurEngine) -> None:
    tokens = tiny.engine.vocabulary.encode("def add(a, b):\n    return a + b\n")
    for _ in range(2):
        assert tiny.prefill(tokens) > 0
        (branch,) = tiny.engine.store.branches
        assert branch.tokens == tokens
    assert tiny.decode(tokens, 5) > 0
    assert tiny.generate(tokens, 6).timings.generated_tokens == 6
    assert tiny.generate(tokens, 1).timings.reused_tokens == len(tokens) - 1


def test_our_engine_offers_what_it_has(tiny: OurEngine) -> None:
    assert tiny.speculates is True
    tiny.speculates = False
    assert tiny.engine.speculate is False
    tiny.speculates = True
    assert tiny.offers_choices
    assert tiny.generate([5, 6, 7], 4, choices=2).choices
    weights, more = tiny.bytes_per_token(0), tiny.bytes_per_token(10)
    assert weights is not None
    assert more is not None
    assert more > weights > 0


def test_the_model_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIGC_LSP_MODELS_DIR", str(tmp_path))
    with pytest.raises(ModelMissing):
        OurEngine.load(MODEL, 2)
    with pytest.raises(ModelMissing):
        OurServer(MODEL, 2)
    with pytest.raises(EngineUnavailable, match=r"of its own: The model .* models pull"):
        cold.seconds(MODEL.name, 1, 1)


# The model server as a process: a stand-in on its socket


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: list[dict[str, Any]] = []  # noqa: RUF012
    hung_up = threading.Event()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        if "hang" in body["input_prefix"]:
            self.connection.recv(1)
            self.hung_up.set()
            self.close_connection = True
            return
        answer = json.dumps({"content": "x", "timings": {"prompt_n": 1, "predicted_n": 3}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


class Listener(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def get_request(self) -> Any:
        return self.socket.accept()[0], ("", 0)

    def handle_error(self, *_: Any) -> None:
        """A client that hung up is what is tested."""


class StandIn:
    """A process on that socket, as far as `OurServer` sees."""

    def __init__(self, socket: Path, is_dead: bool = False) -> None:
        self._is_dead = is_dead
        if not is_dead:
            self._server = Listener(str(socket), Handler)
            threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def poll(self) -> int | None:
        return 1 if self._is_dead else None

    def kill(self) -> None:
        if not self._is_dead:
            self._server.shutdown()
            self._server.server_close()

    def wait(self) -> None:
        pass


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is said to be there."""
    monkeypatch.setattr(ours.Store, "check_packed", lambda self, model: None)


@pytest.fixture
def model_server(there: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[OurServer]:
    monkeypatch.setattr(OurServer, "_spawn", lambda self: StandIn(self._socket))
    Handler.asked.clear()
    Handler.hung_up.clear()
    server = OurServer(MODEL, 2)
    yield server
    server.close()
    assert not server._folder.exists()


def test_our_server_is_asked_as_llama_cpp_is(model_server: OurServer) -> None:
    assert model_server.first_token_s > 0
    found = model_server.keystroke("def a", "\n")
    assert (found.read, found.written) == (1, 3)
    body = Handler.asked[-1]
    assert {name: body[name] for name in peers.INFILL} == peers.INFILL
    assert (body["input_prefix"], body["input_suffix"]) == ("def a", "\n")


def test_our_server_is_hung_up_on(model_server: OurServer) -> None:
    assert model_server.cancel("hang", after=0.05) > 0
    assert Handler.hung_up.wait(5)
    assert Handler.asked[-1] == ours.TINY


def test_a_prompt_too_short_to_hang_up_on(model_server: OurServer) -> None:
    with pytest.raises(EngineUnavailable, match="answered before"):
        model_server.cancel("x", after=5.0)


def test_a_model_server_that_does_not_start(there: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OurServer, "_spawn", lambda self: StandIn(self._socket, is_dead=True))
    with pytest.raises(EngineUnavailable, match="did not start"):
        OurServer(MODEL, 2)


# The command


folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)


def test_the_command_prints_json(peer: FakePeer, run: Run) -> None:
    arguments = ("--only", "prefill", "--peer", "llama-server=http://there", "--repeats", "3", "--json")
    ran = run("bench", "engine", *arguments)
    assert ran.code == 0
    told = json.loads(ran.out)
    (one,) = told["figures"]
    assert one["name"] == "prefill, 1,000 tokens"
    assert one["against"] == "llama-server"
    assert len(one["samples"]["ours"]) == len(one["samples"]["llama-server"]) == 3
    assert told["peers"][0]["version"] == "b1"
    assert {"cpu", "cores", "torch", "model", "sha256", "threads"} <= set(told["machine"])


def test_the_command_prints_a_table(peer: FakePeer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ran = run("bench", "engine", "--only", "load", "--only", "start")
    assert ran.code == 0
    assert "≤ 2" in ran.out
    assert "3.00 s" in ran.out


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--only", "speed"), "There is no figure 'speed'; there are prefill, decode"),
        (("--peer", "ollama"), "it is llama-server=URL"),
        (("--peer", "llama-server=http://127.0.0.1:9"), "Start it with `llama-server -m"),
    ],
)
def test_wrong_arguments(arguments: tuple[str, ...], part: str, run: Run) -> None:
    ran = run("bench", "engine", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert part in ran.sentence
