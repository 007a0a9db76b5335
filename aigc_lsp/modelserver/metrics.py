"""What the model server has done and how it is, for Prometheus: `GET /metrics`.

Requests are counted as they are answered; how it is comes from the host's `Health` when it is asked for. Each app has
its own registry. No text, path or user's name is in a label.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from aigc_lsp.errors import AigcError, UnknownModel
from aigc_lsp.modelserver.answer import Ending
from aigc_lsp.service.fields import BadRequest
from aigc_lsp.service.wire import Health, Usage

if TYPE_CHECKING:
    from aigc_lsp.engine.generate import Piece
    from aigc_lsp.modelserver.host import Host

CONTENT_TYPE = CONTENT_TYPE_LATEST

ANSWERED = ("eos", "word", "limit", "deadline")

REQUEST_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
TOKEN_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0)


class Metrics:
    def __init__(self, host: Host) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_HealthCollector(host))

        def counter(name: str, doc: str, *labels: str) -> Counter:
            return Counter(name, doc, labels, registry=self._registry)

        def seconds(name: str, doc: str, buckets: tuple[float, ...] = REQUEST_SECONDS) -> Histogram:
            return Histogram(name, doc, registry=self._registry, buckets=buckets)

        self.requests = counter(
            "aigc_requests",
            "Requests for text, by endpoint and how they ended: eos, word, limit, deadline; read (a prompt, ahead of "
            "need); cancelled (the client hung up, or a newer request took its place); refused, unavailable or failed.",
            "endpoint",
            "outcome",
        )
        self.prefilled = counter("aigc_prefilled_tokens", "Tokens of prompts that were read.")
        self.reused = counter("aigc_reused_tokens", "Tokens of prompts that were in the KV cache.")
        self.generated = counter("aigc_generated_tokens", "Tokens that were written.")
        self.drafted = counter("aigc_drafted_tokens", "Tokens that were guessed and sent along.")
        self.accepted = counter("aigc_accepted_tokens", "Guessed tokens that were right.")
        self.first_piece = seconds("aigc_first_piece_seconds", "From a request to its first piece of text.")
        self.whole = seconds("aigc_request_seconds", "From a request to the end of its answer, where it has one.")
        self.prefill = seconds("aigc_prefill_seconds", "Of a request, reading the prompt.")
        self.token = seconds("aigc_token_seconds", "Of a request, writing one token, in the mean.", TOKEN_SECONDS)

    def count(self, endpoint: str, *, is_warming: bool = False) -> Count:
        return Count(self, endpoint, is_warming)

    def refuse(self, endpoint: str) -> None:
        """Count a request that could not be read."""
        self.requests.labels(endpoint, "refused").inc()

    def render(self) -> bytes:
        return generate_latest(self._registry)


class Count:
    """One request, from its arrival (`with`) to its last event. One that is left without an end was cancelled."""

    def __init__(self, metrics: Metrics, endpoint: str, is_warming: bool) -> None:
        self._metrics, self._endpoint, self._is_warming = metrics, endpoint, is_warming
        self._outcome = "cancelled"
        self._began = time.monotonic()
        self._first: float | None = None
        self._usage: Usage | None = None

    def __enter__(self) -> Count:
        return self

    def note(self, event: Piece | Ending | Exception) -> None:
        if isinstance(event, Ending):
            is_read = self._is_warming and event.stop_type == "limit"
            self._outcome, self._usage = "read" if is_read else event.stop_type, event.usage
        elif isinstance(event, Exception):
            self._outcome = _outcome_of(event)
        elif self._first is None and event.text:
            self._first = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        metrics = self._metrics
        metrics.requests.labels(self._endpoint, self._outcome).inc()
        if self._first is not None:
            metrics.first_piece.observe(self._first - self._began)
        if self._outcome in ANSWERED:
            metrics.whole.observe(time.monotonic() - self._began)
        if self._usage is not None:
            self._note_usage(self._usage)

    def _note_usage(self, usage: Usage) -> None:
        metrics = self._metrics
        metrics.prefilled.inc(usage.prompt_tokens - usage.reused_tokens)
        metrics.reused.inc(usage.reused_tokens)
        metrics.generated.inc(usage.generated_tokens)
        metrics.drafted.inc(usage.drafted)
        metrics.accepted.inc(usage.accepted)
        if usage.prompt_tokens:
            metrics.prefill.observe(usage.prefill_ms / 1e3)
        if usage.generated_tokens:
            metrics.token.observe(usage.decode_ms / usage.generated_tokens / 1e3)


def _outcome_of(reason: Exception) -> str:
    if isinstance(reason, BadRequest | UnknownModel):
        return "refused"
    return "unavailable" if isinstance(reason, AigcError) else "failed"


class _HealthCollector(Collector):
    def __init__(self, host: Host) -> None:
        self._host = host

    def collect(self) -> Iterator[Metric]:
        health = self._host.health
        yield InfoMetricFamily("aigc_server", "The program, and the model that was worked on last.", _about(health))
        for name, doc, value in (
            ("aigc_requests_running", "Requests that are being answered.", health.running),
            ("aigc_requests_waiting", "Requests in the queue.", health.waiting),
            ("aigc_clients", "Language servers that listen.", health.clients),
            ("aigc_models_loaded", "Models in memory.", len(health.loaded)),
            ("aigc_kv_cache_bytes", "Memory that the KV cache takes.", health.kv_bytes),
            ("aigc_kv_cache_budget_bytes", "Memory that it may take.", health.kv_budget_bytes),
            ("aigc_resident_memory_bytes", "Resident memory of the model server.", health.resident_bytes),
            ("aigc_stalled_seconds", "Since the engine's last sign of life, while it works.", health.stalled_s),
        ):
            yield GaugeMetricFamily(name, doc, value)


def _about(health: Health) -> dict[str, str]:
    names = ("version", "phase", "model", "device", "packing", "profile")
    return {name: str(getattr(health, name)) for name in names}
