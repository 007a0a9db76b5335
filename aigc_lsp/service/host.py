"""The owner of the engine inside the model server: one thread that brings the model up and runs one job at a time.

The HTTP side hands in jobs and gets their events through a callback; it never touches torch. Between two steps of a
job the thread looks at the job's `cancelled`. Whatever goes wrong in a job ends that job alone.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aigc_lsp import __version__, catalogue
from aigc_lsp.config import Config
from aigc_lsp.errors import AigcError, EngineUnavailable, ModelMissing
from aigc_lsp.prompt.infill import ExtraFile, Hole, render
from aigc_lsp.service.wire import BadRequest, Health, InfillRequest
from aigc_lsp.weights.store import Progress, Store

if TYPE_CHECKING:
    from aigc_lsp.engine.generate import Engine, Outcome, Piece, Request

log = logging.getLogger(__name__)

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
        for event in self._engine.generate(self._request(job), job.cancelled.is_set):
            job.emit(event)
        self._health = replace(self._health, kv_bytes=self._engine.store.nbytes, requests=self._health.requests + 1)

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

    def _bring_up(self, name: str) -> None:
        """Fetch, convert and load the model `name`; how far it is, and why it failed, is in `health`."""
        self._engine = None
        self._health = replace(self._health, phase="load", model=name, message="", done=0, total=0)
        try:
            self._load(catalogue.load(name))
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

    def _load(self, model: catalogue.Model) -> None:
        folder = prepare(model, self._store, self._config.download, self._report)
        self._health = replace(self._health, phase="load", message="", done=0, total=0)

        from aigc_lsp.engine.generate import Engine
        from aigc_lsp.engine.threads import ThreadCount
        from aigc_lsp.engine.vocabulary import Vocabulary
        from aigc_lsp.engine.weights import load_model, pick_device

        device = pick_device(self._config.engine.device)
        limit = self._config.engine.threads
        threads = ThreadCount(limit) if limit else ThreadCount.free_cores()
        vocabulary = Vocabulary.load(folder)
        engine = Engine(load_model(folder, device), vocabulary, self._config.engine.kv_bytes, threads)
        self._warm(engine)
        self._model, self._engine = model, engine
        self._health = replace(self._health, phase="ready", message="", device=device)

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
        room = model.context_length - n_predict - 64  # 64: the template's own tokens and the healing
        suffix_budget = min(wire.suffix_tokens if wire.suffix_tokens is not None else context.suffix_tokens, room // 2)
        prefix_tokens = wire.prefix_tokens if wire.prefix_tokens is not None else context.prefix_tokens
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
        )


def prepare(model: catalogue.Model, store: Store, download: bool, report: Callable[[Progress], None]) -> Path:
    """The packed folder of `model`, fetched and converted first where that is still to do."""
    check_there(model, store, download)
    if store.state(model) != "packed":
        store.fetch(model, report)
        report(Progress("convert", 0, 0, f"converting {model.name}, once"))

    def convert(source: Path, target: Path) -> None:
        from aigc_lsp.engine.convert import convert_gguf

        convert_gguf(source, target, model.control_tokens)

    return store.pack(model, convert)


def check_there(model: catalogue.Model, store: Store, download: bool) -> None:
    """Raises `ModelMissing` where `model` is not on this machine and may not be fetched."""
    if not download and store.state(model) not in ("packed", "fetched"):
        raise ModelMissing(
            f"The model {model.name} is not on this machine. Run `aigc-lsp models pull {model.name}`, or set "
            "`download = true`."
        )
