"""The owner of the engine inside the model server: one thread that brings the model up and runs one job at a time.

The HTTP side hands in jobs and gets their events through a callback; it never touches torch. Between two steps of a
job the thread looks at the job's `cancelled`. Whatever goes wrong in a job ends that job alone.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aigc_lsp import __version__, catalogue
from aigc_lsp.config import Config
from aigc_lsp.errors import AigcError, EngineUnavailable, ModelMissing, NotEnoughMemory, PackedElsewhere
from aigc_lsp.prompt.infill import ExtraFile, Hole, render
from aigc_lsp.service.limits import Limits, limits
from aigc_lsp.service.wire import BadRequest, Health, InfillRequest
from aigc_lsp.weights.store import Progress, Store

if TYPE_CHECKING:
    from aigc_lsp.engine.calibrate import Speed
    from aigc_lsp.engine.generate import Engine, Outcome, Piece, Request

log = logging.getLogger(__name__)

WARMING_NICENESS = 10

RETRY_SECONDS = 20.0
"""A model that could not be brought up is tried again at the first request for it after this long."""


@dataclass(slots=True)
class Job:
    """One request on its way. `emit` is called from the engine's thread; the last event is an Outcome or an error."""

    request: InfillRequest
    emit: Callable[[Piece | Outcome | Exception], None]
    cancelled: threading.Event = field(default_factory=threading.Event)
    truncated: bool = False
    """Whether the prompt had to be shortened; known once the job has begun."""


class Host:
    def __init__(self, config: Config, store: Store | None = None) -> None:
        self._config = config
        self._store = store or Store()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._health = Health("starting", config.model, pid=os.getpid(), version=__version__)
        self._engine: Engine | None = None
        self._model: catalogue.Model | None = None
        self._failures: dict[str, tuple[float, str]] = {}  # by model: when it failed last, and why
        self._speed: Speed | None = None
        # The engine's thread waits while this one computes, so that there is never more than one.
        self._warming = ThreadPoolExecutor(1, "warming", _lower_priority)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._jobs.put(None)

    def submit(self, job: Job) -> None:
        self._jobs.put(job)

    @property
    def health(self) -> Health:
        return self._health

    def _run(self) -> None:
        self._bring_up(self._config.model)
        while (job := self._jobs.get()) is not None:
            try:
                self._serve(job)
            except Exception as error:  # one job's failure is its own
                if not isinstance(error, (AigcError, BadRequest)):
                    # Without the error's own message, which may hold the user's text.
                    frames = "".join(traceback.format_tb(error.__traceback__))
                    log.error("a job failed: %s\n%s", type(error).__name__, frames)
                job.emit(error)

    def _serve(self, job: Job) -> None:
        if job.cancelled.is_set():
            raise EngineUnavailable("The request was cancelled before it began.")
        loaded = self._model.name if self._engine is not None and self._model is not None else None
        name = job.request.model or loaded or self._config.model
        if name != loaded:
            self._switch(name)
        if self._engine is None:
            raise EngineUnavailable(self._health.message)
        self._generate(job)
        self._health = replace(self._health, kv_bytes=self._engine.store.nbytes, requests=self._health.requests + 1)

    def _generate(self, job: Job) -> None:
        """One job on the engine. Where memory runs out before anything was said, the KV cache is given up, and then
        the bfloat16 weights; the job is done again after each."""
        from aigc_lsp.engine.memory import LEAST_KV_BYTES, is_out_of_memory

        for give_up in (self._shrink_store, self._reload_small, None):
            assert self._engine is not None
            begun = False
            try:
                if job.request.n_predict == 0:
                    self._warming.submit(self._warm_store, job).result()
                    return
                for event in self._engine.generate(self._request(job), job.cancelled.is_set):
                    begun = True
                    job.emit(event)
                return
            except Exception as error:
                if not is_out_of_memory(error) or begun:
                    raise
                if give_up is None:
                    raise NotEnoughMemory(
                        "There is not enough memory to run the model. Close other programs."
                    ) from None
                log.warning("memory ran out: %s", give_up.__name__)
            give_up(LEAST_KV_BYTES)

    def _warm_store(self, job: Job) -> None:
        """Read a prompt ahead of need, on a thread of lower priority; whoever waits for text comes first."""
        assert self._engine is not None
        for event in self._engine.generate(
            self._request(job), lambda: job.cancelled.is_set() or not self._jobs.empty()
        ):
            job.emit(event)

    def _shrink_store(self, kv_bytes: int) -> None:
        """Empty the KV cache and keep it small."""
        assert self._engine is not None
        self._engine.store.branches.clear()
        self._engine.store.budget_bytes = kv_bytes
        self._health = replace(self._health, note=f"Memory ran out: the KV cache has {kv_bytes >> 20} MB now.")

    def _reload_small(self, kv_bytes: int) -> None:
        """Load the model again with packed weights only."""
        self._bring_up(self._health.model, "small", kv_bytes)
        if self._engine is None:
            raise EngineUnavailable(self._health.message)
        note = "Memory ran out: prompts are read with packed weights, which is slower."
        self._health = replace(self._health, note=note)

    def _switch(self, name: str) -> None:
        """Bring up `name` in place of the model in use, which stays where it is known beforehand that `name` fails."""
        model = catalogue.load(name)
        failed_at, message = self._failures.get(name, (0.0, ""))
        is_recent = time.monotonic() - failed_at < RETRY_SECONDS
        if message and is_recent and self._store.state(model) != "packed":
            raise EngineUnavailable(message)
        if self._engine is not None:
            check_there(model, self._store, self._config.download)
        self._bring_up(name)

    def _bring_up(self, name: str, profile: str | None = None, kv_bytes: int | None = None) -> None:
        """Fetch, convert and load the model `name`; how far it is, and why it failed, is in `health`."""
        self._engine = None
        self._health = replace(self._health, phase="load", model=name, message="", done=0, total=0)
        try:
            self._load(catalogue.load(name), profile, kv_bytes)
            self._failures.pop(name, None)
        except Exception as error:
            if isinstance(error, AigcError):
                message = str(error)
            else:
                log.exception("the model %s could not be loaded", name)
                message = f"The model {name} could not be loaded ({type(error).__name__}); see the model server's log."
            self._failures[name] = time.monotonic(), message
            self._health = replace(self._health, phase="error", message=message)
            log.error("%s", message)

    def _load(self, model: catalogue.Model, profile: str | None = None, kv_bytes: int | None = None) -> None:
        """Bring up `model`; `profile` and `kv_bytes` are the configured ones unless given."""
        folder = prepare(model, self._store, self._config.download, self._report)
        self._health = replace(self._health, phase="load", message="", note="", done=0, total=0)

        from aigc_lsp.engine import memory
        from aigc_lsp.engine.calibrate import calibrate
        from aigc_lsp.engine.generate import Engine
        from aigc_lsp.engine.threads import ThreadCount
        from aigc_lsp.engine.vocabulary import Vocabulary
        from aigc_lsp.engine.weights import load_model, pick_device

        settings = self._config.engine
        device = pick_device(settings.device)
        plan = memory.plan(
            folder, kv_bytes or settings.kv_bytes, memory.available_bytes(device), profile or settings.profile
        )
        if plan.given_up:
            log.warning("%s", plan.given_up)
        threads = ThreadCount(settings.threads) if settings.threads else ThreadCount.free_cores()
        vocabulary = Vocabulary.load(folder)
        try:
            weights = load_model(folder, device, plan.profile)
        except PackedElsewhere as error:
            log.warning("%s", error)
            self._store.discard_packed(model)
            folder = prepare(model, self._store, self._config.download, self._report)
            weights = load_model(folder, device, plan.profile)
        engine = Engine(weights, vocabulary, plan.kv_bytes, threads)
        self._warm(engine)
        self._speed = calibrate(
            engine, self._store.speed_path, model.sha256, is_quiet=lambda: threads.count == threads.limit
        )
        self._model, self._engine = model, engine
        self._health = replace(
            self._health,
            phase="ready",
            message="",
            device=device,
            profile=plan.profile,
            note=plan.given_up,
            prefill_per_second=self._speed.prefill_per_second,
            step_ms=self._speed.step_ms[0],
        )

    def _warm(self, engine: Engine) -> None:
        """Touch every weight and set up torch's kernels, so that the first request does not pay for it."""
        from aigc_lsp.engine.generate import Request

        tokens = engine.vocabulary.encode("import os\n")
        engine.vocabulary.consistent(b"i")
        for _ in engine.generate(Request(tokens, max_tokens=2)):
            pass

    def _report(self, progress: Progress) -> None:
        self._health = replace(
            self._health,
            phase=progress.phase,
            done=progress.done,
            total=progress.total,
            message=progress.detail,
        )

    def _request(self, job: Job) -> Request:
        from aigc_lsp.engine.generate import Request
        from aigc_lsp.engine.sampling import Sampling

        wire = job.request
        assert self._engine is not None
        assert self._model is not None
        model, vocabulary = self._model, self._engine.vocabulary
        if wire.order is not None and wire.order not in model.fim.templates:
            raise BadRequest(f"The model {model.name} knows the orders {', '.join(model.fim.templates)}.")
        context = self._config.context
        n_predict = min(wire.n_predict, model.context_length // 2)
        most = self._limits(wire)
        if most is not None:
            n_predict = min(n_predict, most.length)
        room = model.context_length - n_predict - 64  # 64: the template's own tokens and the healing
        suffix_budget = min(wire.suffix_tokens if wire.suffix_tokens is not None else context.suffix_tokens, room // 2)
        prefix_tokens = wire.prefix_tokens if wire.prefix_tokens is not None else context.prefix_tokens
        if most is not None:
            prefix_tokens, suffix_budget = min(prefix_tokens, most.prefix), min(suffix_budget, most.suffix)
        prefix_budget = min(prefix_tokens, room - suffix_budget)
        prompt = render(
            Hole(
                wire.input_prefix,
                wire.input_suffix,
                tuple(ExtraFile(name, text) for name, text in wire.input_extra),
                wire.filename,
            ),
            model.fim,
            model.files,
            vocabulary,
            prefix_budget=prefix_budget,
            suffix_budget=suffix_budget,
            extra_budget=min(context.prefix_tokens, room - suffix_budget - prefix_budget),
            order=wire.order,
            heal=wire.heal,
        )
        job.truncated = prompt.truncated
        return Request(
            tokens=prompt.tokens,
            heal=prompt.heal,
            draft=prompt.healed,
            max_tokens=n_predict,
            stop_tokens=frozenset(map(vocabulary.control, filter(vocabulary.has_control, model.stop))),
            stop=wire.stop,
            sampling=Sampling(wire.temperature, wire.top_p, wire.seed),
            deadline_ms=wire.t_max_predict_ms,
            choices=wire.n,
        )

    def _limits(self, wire: InfillRequest) -> Limits | None:
        """What the request's latency targets allow on this machine; None where it has none."""
        if self._speed is None or wire.latency_target_ms is None or wire.cold_latency_target_ms is None:
            return None
        speed = self._speed
        return limits(speed.prefill_per_second, speed.step_ms[0], wire.latency_target_ms, wire.cold_latency_target_ms)


def _lower_priority() -> None:
    """For the calling thread and those that torch starts from it: the editor and the compiler go first. Not elsewhere
    than on Linux, where it would hold for the whole process, for ever."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), WARMING_NICENESS)


def prepare(model: catalogue.Model, store: Store, download: bool, report: Callable[[Progress], None]) -> Path:
    """The packed folder of `model`, fetched and converted first where that is still to do."""
    check_there(model, store, download)
    if store.state(model) != "packed":
        store.fetch(model, report)
        report(Progress("convert", 0, 0, f"converting {model.name}, once"))

    def convert(source: Path, target: Path) -> None:
        from aigc_lsp.engine.convert import convert_gguf

        convert_gguf(source, target, model.control_tokens, model.packing)

    return store.pack(model, convert)


def check_there(model: catalogue.Model, store: Store, download: bool) -> None:
    """Raises `ModelMissing` where `model` is not on this machine and may not be fetched."""
    if not download and store.state(model) not in ("packed", "fetched"):
        raise ModelMissing(
            f"The model {model.name} is not on this machine. Run `aigc-lsp models pull {model.name}`, or set "
            "`download = true`."
        )
