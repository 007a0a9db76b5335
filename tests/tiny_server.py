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
from pathlib import Path
from typing import Any

import httpx
import torch
import uvicorn
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from aigc_lsp import catalogue
from aigc_lsp.config import Config, EngineConfig
from aigc_lsp.engine.calibrate import Speed
from aigc_lsp.engine.decoder import Decoder, Shape, build
from aigc_lsp.engine.generate import Engine
from aigc_lsp.engine.store import Branch
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.modelserver.app import Activity, build_app
from aigc_lsp.modelserver.host import Host, Job
from aigc_lsp.modelserver.listen import bind_socket
from aigc_lsp.modelserver.residents import Resident, Residents
from aigc_lsp.service.wire import InfillRequest
from aigc_lsp.weights.store import Progress, Store

MODEL, OTHER = Config().model, "smollm2-135m"
HANG = 20.0
"""Seconds after which something that is waited for will not come."""

SPEED = Speed(prefill_per_second=1000.0, step_ms=(20.0, 24.0, 28.0, 32.0, 60.0, 70.0), crossover=4)

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


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
    generator = torch.Generator().manual_seed(1)
    shape = Shape(
        layers=2,
        hidden=32,
        heads=4,
        kv_heads=2,
        head_size=8,
        norm_eps=1e-6,
        rope_theta=10_000.0,
        positions=32_768,
        vocabulary=len(tiny_vocabulary()),
    )
    sizes = {"model.norm": (32,), "model.embed_tokens": (shape.vocabulary, 32), "lm_head": (shape.vocabulary, 32)}
    for block in ("model.layers.0", "model.layers.1"):
        sizes |= {f"{block}.{norm}": (32,) for norm in ("input_layernorm", "post_attention_layernorm")}
        sizes |= {
            f"{block}.self_attn.{name}_proj": (rows, 32) for name, rows in zip("qkvo", (32, 16, 16, 32), strict=True)
        }
        sizes |= {f"{block}.mlp.{name}_proj": (64, 32) for name in ("gate", "up")}
        sizes[f"{block}.mlp.down_proj"] = (32, 64)
    weights = {
        f"{name}.weight": torch.ones(size) if len(size) == 1 else torch.randn(size, generator=generator) * 0.2
        for name, size in sizes.items()
    }
    printable = [id for id in range(256) if tiny_vocabulary().bytes_of(id).decode("ascii", "replace").isprintable()]
    printable = [id for id in printable if tiny_vocabulary().bytes_of(id).isascii()]
    # It says printable ASCII only: one piece of text a step, and no end by itself.
    head = weights["lm_head.weight"]
    weights["lm_head.weight"] = torch.zeros_like(head)
    weights["lm_head.weight"][printable] = head[printable] * 3
    return build(shape, weights, {})


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


class TinyStore(Store):
    """Has every model but the `absent` ones. These can be had once the test lets them: `may_prepare`."""

    def __init__(self) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="aigc-store-", dir="/tmp")))
        self.absent: set[str] = set()
        self.failing: dict[str, Exception] = {}
        self.prepared: list[str] = []
        self.discarded: list[str] = []
        self.may_prepare = threading.Event()
        self.may_prepare.set()

    def state(self, model: catalogue.Model) -> Any:
        return "absent" if model.name in self.absent else "packed"

    def fetch(self, model: catalogue.Model, report: Any, *args: Any, **kwargs: Any) -> Path:
        report(Progress("fetch", 1, 2, ""))
        assert self.may_prepare.wait(HANG)
        if error := self.failing.get(model.name):
            raise error
        return self.source_path(model)

    def pack(self, model: catalogue.Model, convert: Any) -> Path:
        self.prepared.append(model.name)
        self.absent.discard(model.name)
        return self.packed_path(model)

    def discard_damaged(self, model: catalogue.Model) -> None:
        self.discarded.append(model.name)
        self.absent.add(model.name)

    def check_packed(self, model: catalogue.Model) -> Path:
        return self.packed_path(model)


class TinyResidents(Residents):
    """Loads a tiny engine whatever the model; how much memory it says to take is the test's."""

    def __init__(self, settings: EngineConfig, store: TinyStore) -> None:
        super().__init__(settings, store)
        self.loads: list[str] = []
        self.profiles: list[str | None] = []
        self.failing: dict[str, Exception] = {}
        self.may_load = threading.Event()
        self.may_load.set()

    def _loaded(self, model: catalogue.Model, folder: Path, profile: str | None, kv_bytes: int | None) -> Resident:
        self.loads.append(model.name)
        self.profiles.append(profile)
        assert self.may_load.wait(HANG)
        if error := self.failing.get(model.name):
            raise error
        plan = self._plan(folder, "cpu", profile or self._settings.profile, kv_bytes or self._settings.kv_bytes)
        return Resident(model, TinyEngine(), SPEED, "cpu", plan, CHAT_TEMPLATE, plan.given_up)


class TinyHost(Host):
    def __init__(self, config: Config | None = None) -> None:
        self.store = TinyStore()
        super().__init__(config or Config(), self.store)
        self.residents = self._residents = TinyResidents(self._config.engine, self.store)
        self.jobs: list[Job] = []

    @property
    def engine(self) -> TinyEngine:
        wait_until(lambda: self._residents.latest is not None)
        latest = self._residents.latest
        assert latest is not None
        assert isinstance(latest.engine, TinyEngine)
        return latest.engine

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def loads(self) -> list[str]:
        return self.residents.loads

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        super().submit(job)

    def start(self) -> None:
        """As the real one, but that the job that brings the model up is not counted."""
        super().start()
        self.jobs.clear()


@contextlib.contextmanager
def served(host: TinyHost) -> Iterator[Path]:
    """The socket on which `host` is served meanwhile."""
    folder = Path(tempfile.mkdtemp(prefix="aigc-", dir="/tmp"))
    listener = bind_socket(folder / "s")
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
        host.residents.may_load.set()
        host.store.may_prepare.set()
        for resident in list(host.residents._by_name.values()):
            resident.engine.release()
        answered = threading.Event()
        host.submit(Job(InfillRequest("", n_predict=0), lambda event: answered.set()))
        outlived = answered.wait(HANG)
        host.stop()
        host._thread.join(HANG)
        listener.close()
        shutil.rmtree(folder)
        shutil.rmtree(host.store.root)
    assert not thread.is_alive()
    assert outlived, "the engine's thread died"
    assert not host.is_alive


def raw_client(socket: Path) -> httpx.AsyncClient:
    # Without TLS: reading the certificates of the machine takes longer than most tests that use it.
    transport = httpx.AsyncHTTPTransport(uds=str(socket), verify=False)
    return httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=20)


def wait_until(condition: Callable[[], bool], what: str = "") -> None:
    deadline = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < deadline, what or "what the test waits for never came"
        time.sleep(0.005)
