"""A model server around a tiny random model: real HTTP on a real Unix socket, a real engine, no weights to fetch.

The engine can be held before each forward pass, so that tests decide at which step something happens.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import uvicorn
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import Qwen2Config, Qwen2ForCausalLM

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.engine.decoder import Decoder, Shape, build
from aigc_lsp.engine.generate import Engine
from aigc_lsp.engine.store import Branch
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.service.app import Activity, build_app
from aigc_lsp.service.host import Host, Job
from aigc_lsp.service.run import _bind
from aigc_lsp.service.wire import InfillRequest
from aigc_lsp.weights.store import Store

MODEL, OTHER = Config().model, "smollm2-135m"
HANG = 20.0
"""Seconds after which something that is waited for will not come."""


@functools.cache
def tiny_vocabulary() -> Vocabulary:
    """One token for each byte, and the control tokens of the default model."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({character: id for id, character in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True) for token in sorted(catalogue.load(MODEL).control_tokens)]
    )
    return Vocabulary(tokenizer)


@functools.cache
def tiny_model() -> Decoder:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tiny_vocabulary()),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            initializer_range=0.2,
        )
    ).eval()
    printable = [id for id in range(256) if tiny_vocabulary().bytes_of(id).decode("ascii", "replace").isprintable()]
    printable = [id for id in printable if tiny_vocabulary().bytes_of(id).isascii()]
    with torch.no_grad():  # it says printable ASCII only: one piece of text a step, and no end by itself
        weight = model.lm_head.weight
        kept = weight[printable].clone()
        weight.zero_()
        weight[printable] = kept * 3
    shape = Shape.of(model.config.to_dict())
    assert shape is not None
    return build(shape, {name: tensor.detach() for name, tensor in model.state_dict().items()}, {})


class TinyEngine(Engine):
    """Counts its forward passes, one a token. Held, it waits before each for the test's `allow`; `waiting` says so."""

    def __init__(self) -> None:
        super().__init__(tiny_model(), tiny_vocabulary())
        self.speculate = False
        self.passes = 0
        self.waiting = False
        self.error: Exception | None = None
        self.fail_at = 0
        self._held: threading.Semaphore | None = None

    def hold(self) -> None:
        self._held = threading.Semaphore(0)

    def allow(self, passes: int) -> None:
        assert self._held is not None
        self._held.release(passes)

    def release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.release(1_000_000)

    def forward(self, branch: Branch, tokens: Sequence[int], rows: int = 1, **kwargs: Any) -> torch.Tensor:
        held = self._held
        if held is not None:
            self.waiting = True
            assert held.acquire(timeout=HANG), "the test never let the engine go on"
            self.waiting = False
        self.passes += 1
        if self.error is not None and self.passes >= self.fail_at:
            error, self.error = self.error, None
            raise error
        return super().forward(branch, tokens, rows, **kwargs)


class TinyHost(Host):
    def __init__(self, config: Config | None = None, store: Store | None = None) -> None:
        super().__init__(config or Config(), store or Store(Path("/nonexistent")))
        self.jobs: list[Job] = []
        self.loads: list[str] = []
        self.profiles: list[str | None] = []
        self.failing: dict[str, Exception] = {}
        self.may_load = threading.Event()
        self.may_load.set()

    @property
    def engine(self) -> TinyEngine:
        wait_until(lambda: self._engine is not None)
        assert isinstance(self._engine, TinyEngine)
        return self._engine

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        super().submit(job)

    def _load(self, model: catalogue.Model, profile: str | None = None, kv_bytes: int | None = None) -> None:
        self.loads.append(model.name)
        self.profiles.append(profile)
        assert self.may_load.wait(HANG)
        if error := self.failing.get(model.name):
            raise error
        self._model, self._engine = model, TinyEngine()
        self._health = replace(self._health, phase="ready", message="", device="cpu")


@contextlib.contextmanager
def served(host: TinyHost) -> Iterator[Path]:
    """The socket on which `host` is served meanwhile."""
    folder = Path(tempfile.mkdtemp(prefix="aigc-", dir="/tmp"))
    listener = _bind(folder / "s")
    server = uvicorn.Server(
        uvicorn.Config(
            build_app(host, Activity()),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    host.start()
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield folder / "s"
    finally:
        server.should_exit = True
        thread.join(HANG)
        host.may_load.set()
        if isinstance(host._engine, TinyEngine):
            host._engine.release()
        answered = threading.Event()
        host.submit(Job(InfillRequest("", n_predict=0), lambda event: answered.set()))
        outlived = answered.wait(HANG)
        host.stop()
        host._thread.join(HANG)
        listener.close()
        shutil.rmtree(folder)
    assert not thread.is_alive()
    assert outlived, "the engine's thread died"
    assert not host.is_alive


def wait_until(condition: Callable[[], bool], what: str = "") -> None:
    deadline = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < deadline, what or "what the test waits for never came"
        time.sleep(0.005)
