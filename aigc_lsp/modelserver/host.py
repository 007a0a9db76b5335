"""The owner of the engine inside the model server: one thread that runs one job at a time.

The HTTP side hands in jobs and gets their events through a callback; it never touches torch. Between two steps of a
job the thread looks at the job's `cancelled`. Whatever goes wrong in a job ends that job alone. A job whose model is
not on this machine yet waits until another thread has fetched and converted it, and others are served meanwhile.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import psutil

from aigc_lsp import __version__, catalogue
from aigc_lsp.config import Config, options
from aigc_lsp.errors import AigcError, EngineUnavailable, ModelDamaged, NotEnoughMemory, Superseded
from aigc_lsp.modelserver.preparing import Preparing, check_there, lower_priority
from aigc_lsp.modelserver.rendering import render_request
from aigc_lsp.modelserver.residents import Resident, Residents, give_back_memory
from aigc_lsp.modelserver.turns import Job, Turns
from aigc_lsp.service.wire import BadRequest, Health, InfillRequest
from aigc_lsp.weights.store import Progress, Store

if TYPE_CHECKING:
    from aigc_lsp.engine.generate import Outcome

log = logging.getLogger(__name__)

RETRY_SECONDS = 20.0
"""A model that could not be brought up is tried again at the first request for it after this long."""

REMEMBERED = 20
"""Latencies."""


class Host:
    def __init__(self, config: Config, store: Store | None = None) -> None:
        self._config = config
        self._store = store or Store()
        self._turns = Turns()
        self._residents = Residents(config.engine, self._store)
        self._preparing = Preparing(self._store, config.download, self._report)
        self._parked: dict[str, list[Job]] = {}  # by the model that they wait for
        self._parking = threading.Lock()
        self._failures: dict[str, tuple[float, str]] = {}  # by model: when it failed last, and why
        self._mended: set[str] = set()
        # The engine's thread waits while this one computes, so that there is never more than one.
        self._warming = ThreadPoolExecutor(1, "warming", lower_priority)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._listeners: set[Callable[[], None]] = set()
        self._latencies: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        self._served = 0
        self._beat: float | None = None  # the last sign of life of the job that runs
        self._state = Health("starting", config.model, version=__version__, settings=fixed_settings(config))
        self.clients = 0
        """Who listens to `/events`; the app says."""

    def start(self) -> None:
        self._thread.start()
        self.submit(
            Job(InfillRequest(n_predict=0), lambda event: None)
        )  # somebody started us: they will want the model

    def stop(self) -> None:
        self._turns.close()

    def submit(self, job: Job) -> None:
        for ended in self._turns.put(job):
            ended.emit(Superseded("A newer request of the same document took its place."))

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have `callback` called, from any thread, whenever `health` is worth another look; the end of that."""
        self._listeners.add(callback)
        return lambda: self._listeners.discard(callback)

    @property
    def state(self) -> Health:
        """As `health`, without the figures of this moment: costs nothing."""
        return self._state

    @property
    def health(self) -> Health:
        beat = self._beat
        return replace(
            self._state,
            pid=os.getpid(),
            loaded=self._residents.names,
            clients=self.clients,
            running=int(beat is not None),
            waiting=len(self._turns) + sum(map(len, list(self._parked.values()))),
            stalled_s=0.0 if beat is None else round(time.monotonic() - beat, 1),
            requests=self._served,
            resident_bytes=psutil.Process().memory_info().rss,
            latencies_ms=tuple(self._latencies),
            kv_bytes=self._residents.kv_bytes,
        )

    def _run(self) -> None:
        while not self._turns.is_closed:
            job = self._turns.take(self._residents.seconds_to_idle)
            if job is None:
                self._drop_idle()
                continue
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
            raise Superseded("The request was cancelled before it began.")
        name = job.request.model or next(reversed(self._residents.names), self._config.model)
        self._residents.drop_replaced(name)
        resident = self._residents.get(name) or self._bring_up(name, job)
        if resident is None:
            return  # it is parked
        if self._state.model not in self._parked and (self._state.model, self._state.phase) != (name, "ready"):
            self._tell_ready(resident)  # after another model that failed, or was there in between
        del resident  # so that nothing holds what has to go for want of memory
        self._generate(job, name)

    # Models

    def _bring_up(self, name: str, job: Job) -> Resident | None:
        """The model `name`, loaded; None where `job` was parked until it is fetched and converted."""
        try:
            model = catalogue.load(name)
        except AigcError as error:
            if name == self._config.model:
                self._change(phase="error", model=name, message=str(error))
            raise
        with self._parking:
            if name in self._parked:
                self._parked[name].append(job)
                return None
        failed_at, message = self._failures.get(name, (0.0, ""))
        is_packed = self._store.state(model) == "packed"
        if message and time.monotonic() - failed_at < RETRY_SECONDS and not is_packed:
            raise EngineUnavailable(message)
        if not is_packed:
            if self._residents.names:
                check_there(model, self._store, self._config.download)  # without a word in the status about it
            self._park(model, job)
            return None
        try:
            return self._load(model)
        except ModelDamaged as error:
            if name in self._mended:
                raise
            log.warning("%s It is made anew.", error)
            self._mended.add(name)
            self._park(model, job, damaged=True)
            return None

    def _load(self, model: catalogue.Model, profile: str | None = None, kv_bytes: int | None = None) -> Resident:
        """Raises `AigcError`; the status says it, too."""
        self._change(phase="load", model=model.name, message="", done=0, total=0)
        try:
            resident = self._residents.load(model, profile, kv_bytes)
        except Exception as error:
            if not isinstance(error, ModelDamaged) or model.name in self._mended:
                self._fail(model, error)
            if isinstance(error, AigcError):
                raise
            raise EngineUnavailable(self._failures[model.name][1]) from None
        self._failures.pop(model.name, None)
        self._tell_ready(resident)
        return resident

    def _park(self, model: catalogue.Model, job: Job, *, damaged: bool = False) -> None:
        """Have `model` prepared, and `job` wait for it."""
        self._parked[model.name] = [job]

        def done(error: Exception | None) -> None:
            if error is not None:
                self._fail(model, error)
            else:  # who has asked may be gone: it is at hand now, and no longer being prepared
                self._change(phase="idle", model=model.name, message="", done=0, total=0)
            with self._parking:
                waited = self._parked.pop(model.name)
            for parked in reversed(waited):
                if error is None:
                    self._turns.put_back(parked)
                else:
                    parked.emit(EngineUnavailable(self._failures[model.name][1]))

        self._change(phase="starting", model=model.name, message="", done=0, total=0)
        self._preparing.start(model, done, damaged=damaged)

    def _fail(self, model: catalogue.Model, error: Exception) -> None:
        if isinstance(error, AigcError):
            message = str(error)
        else:
            log.error("the model %s cannot be used", model.name, exc_info=error)
            message = (
                f"The model {model.name} could not be loaded ({type(error).__name__}); see the model server's log."
            )
        self._failures[model.name] = time.monotonic(), message
        log.error("%s", message)
        self._change(phase="error", model=model.name, message=message, done=0, total=0)

    def _drop_idle(self) -> None:
        dropped, latest = self._residents.drop_idle(), self._residents.latest
        if latest is None and dropped:
            self._change(phase="idle", message="")
        elif latest is not None and self._state.model in dropped:
            self._tell_ready(latest)

    def _report(self, model: catalogue.Model, progress: Progress) -> None:
        self._change(
            phase=progress.phase,
            model=model.name,
            done=progress.done,
            total=progress.total,
            message=progress.detail,
        )

    def _tell_ready(self, resident: Resident) -> None:
        self._change(
            phase="ready",
            model=resident.model.name,
            message="",
            done=0,
            total=0,
            device=resident.device,
            packing=resident.model.packing,
            profile=resident.plan.profile,
            note=resident.note,
            prefill_per_second=resident.speed.prefill_per_second,
            step_ms=resident.speed.step_ms[0],
            kv_budget_bytes=resident.engine.store.budget_bytes,
        )

    def _change(self, **changes: Any) -> None:
        self._state = replace(self._state, **changes)
        for callback in list(self._listeners):
            callback()

    # Text

    def _generate(self, job: Job, name: str) -> None:
        """One job on the engine. Where memory runs out before anything was said, the other models are given up, then
        the KV cache, and then the bfloat16 weights; the job is done again after each."""
        ladder = iter((self._residents.drop_others, self._shrink_store, self._reload_small))
        while not self._is_answered(job, name):
            log.warning("memory ran out")
            if not any(rung(name) for rung in ladder):
                raise NotEnoughMemory("There is not enough memory to run the model. Close other programs.")

    def _is_answered(self, job: Job, name: str) -> bool:
        """False where memory ran out before the first word; then nothing refers to what was tried any longer."""
        from aigc_lsp.engine.memory import is_out_of_memory

        resident = self._residents[name]
        try:
            self._answer(job, resident)
        except _Unsaid as unsaid:
            if is_out_of_memory(unsaid.error):
                return False
            raise unsaid.error from None
        return True

    def _answer(self, job: Job, resident: Resident) -> None:
        """Raises `_Unsaid` around an error before the first word, and other errors as they are."""
        from aigc_lsp.engine.generate import Outcome

        if _asks_for_the_model_only(job):
            job.emit(_nothing_read())
            return
        begun = False
        self._beat = time.monotonic()
        try:
            if job.is_warming:
                self._warming.submit(self._warm, job, resident).result()
                return
            request, job.truncated = render_request(job.request, resident, self._config.context)
            first_at = None
            for event in resident.engine.generate(request, lambda: self._is_over(job)):
                begun, first_at = True, first_at or time.monotonic()
                if isinstance(event, Outcome):
                    self._count(job, event, first_at)  # first: who has the last word may ask for the figures at once
                job.emit(event)
        except Exception as error:
            if begun:
                raise
            raise _Unsaid(error) from error
        finally:
            self._beat = None

    def _warm(self, job: Job, resident: Resident) -> None:
        """Read a prompt ahead of need, on a thread of lower priority. Whoever waits for text comes first: it is then
        put back, and what was read stays of use."""
        request, job.truncated = render_request(job.request, resident, self._config.context)
        interrupted = False

        def is_over() -> bool:
            nonlocal interrupted
            interrupted = interrupted or self._turns.has_asking
            return self._is_over(job) or interrupted

        events = list(resident.engine.generate(request, is_over))
        if interrupted and not job.cancelled.is_set():
            self._turns.put_back(job)
            return
        for event in events:
            job.emit(event)

    def _is_over(self, job: Job) -> bool:
        self._beat = time.monotonic()
        return job.cancelled.is_set() or self._turns.is_closed

    def _count(self, job: Job, outcome: Outcome, first_at: float) -> None:
        self._served += 1
        if outcome.stop_reason != "cancelled":
            first, whole = ((at - job.submitted_at) * 1e3 for at in (first_at, time.monotonic()))
            self._latencies.append((round(first, 1), round(whole, 1)))

    def _shrink_store(self, name: str) -> bool:
        """Empty the KV cache and keep it small."""
        from aigc_lsp.engine.memory import LEAST_KV_BYTES

        resident = self._residents[name]
        resident.engine.store.branches.clear()
        resident.engine.store.budget_bytes = LEAST_KV_BYTES
        resident.note = f"Memory ran out: the KV cache has {LEAST_KV_BYTES >> 20} MB now."
        self._tell_ready(resident)
        give_back_memory()
        return True

    def _reload_small(self, name: str) -> bool:
        """Load the model again with packed weights only."""
        from aigc_lsp.engine.memory import LEAST_KV_BYTES

        resident = self._residents[name]
        model = resident.model
        del resident  # it goes before the smaller one comes
        try:
            smaller = self._load(model, "small", LEAST_KV_BYTES)
        except ModelDamaged as error:
            self._fail(model, error)
            raise
        smaller.note = "Memory ran out: prompts are read with packed weights, which is slower."
        self._tell_ready(smaller)
        return True


class _Unsaid(Exception):
    """An error before anything was answered, so that the job can be done again."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def _asks_for_the_model_only(job: Job) -> bool:
    """Reading nothing ahead: how a model is had in memory (also by ourselves, see `Host.start`)."""
    request = job.request
    if not (job.is_warming and isinstance(request, InfillRequest)):
        return False
    return not (request.input_prefix or request.input_suffix or request.input_extra)


def _nothing_read() -> Outcome:
    from aigc_lsp.engine.generate import Outcome, Timings

    return Outcome("limit", "", Timings(0, 0, 0, 0.0, 0.0))


def fixed_settings(config: Config) -> dict[str, Any]:
    """The options that a running model server cannot change, by their dotted keys."""
    concern = ("engine.", "download")
    return {
        option.key: attrgetter(option.key)(config)
        for option in options()
        if option.key.startswith(concern) and not option.live
    }
