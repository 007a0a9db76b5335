"""A host whose models count to three in each line, a step for a piece."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aigc_lsp.catalogue import Model
from aigc_lsp.config import Config
from aigc_lsp.modelserver.host import Host
from aigc_lsp.modelserver.residents import Resident, Residents
from aigc_lsp.modelserver.turns import Job
from aigc_lsp.weights.store import Store

LOAD_SECONDS = 0.05
STEP_SECONDS = 0.005


class LightStore(Store):
    """Has every model."""

    def state(self, model: Model) -> Any:
        return "packed"

    def check_packed(self, model: Model) -> Path:
        return self.packed_path(model)

    def verify(self, model: Model) -> list[str]:
        return []


class LightResidents(Residents):
    def _loaded(self, model: Model, folder: Path, profile: str | None, kv_bytes: int | None) -> Resident:
        time.sleep(LOAD_SECONDS)
        engine: Any = SimpleNamespace(store=SimpleNamespace(nbytes=0, budget_bytes=1))
        speed: Any = SimpleNamespace(prefill_per_second=1000.0, step_ms=(STEP_SECONDS * 1e3,))
        plan: Any = SimpleNamespace(profile="fast", needed=0)
        return Resident(model, engine, speed, "cpu", plan, None)


class LightHost(Host):
    def __init__(self, config: Config) -> None:
        store = LightStore()
        super().__init__(config, store)
        self._residents = LightResidents(config.engine, store)

    def _generate(self, job: Job, name: str) -> None:
        """In the shapes of `engine.generate`, whose import would bring torch."""
        timings: Any = SimpleNamespace(
            prompt_tokens=1, reused_tokens=0, generated_tokens=1, prefill_ms=1.0, decode_ms=1.0, drafted=0, accepted=0
        )
        reason = "limit"
        try:
            for number in range(1, job.request.n_predict + 1):
                if self._is_over(job):
                    reason = "cancelled"
                    break
                time.sleep(STEP_SECONDS)
                text = str(number % 4) if number % 4 else "\n"
                piece: Any = SimpleNamespace(text=text, tokens=(), logprobs=(), timings=timings, scored=())
                job.emit(piece)
        finally:
            self._beat = None
        end: Any = SimpleNamespace(stop_reason=reason, stopping_word="", timings=timings, choices=())
        job.emit(end)
