"""How hard the tests look, and which of them share a process.

`pytest --hypothesis-profile=thorough`, as `make test` runs them, looks twenty times as hard, at the same examples every
time. The quick ones look at others each time; what fails there is not made smaller, and remembered by `.hypothesis/`.
"""

from __future__ import annotations

import gc
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from xdist.scheduler import LoadFileScheduling

# A test never measures speed.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "quick",
    settings.get_profile("unhurried"),
    max_examples=10,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
# The same examples every time: a run of all tests fails for what was changed, or not at all.
settings.register_profile("thorough", settings.get_profile("unhurried"), max_examples=200, derandomize=True)
settings.load_profile("quick")

TOGETHER = {
    "transformers": ("tests/engine/", "tests/adapt/", "tests/measure/test_fim", "tests/measure/test_bench_engine.py"),
    "language servers": ("tests/server/",),
}
"""Tests that need what takes seconds to start, and what it is: they go to one worker, other files to any."""


class Scheduling(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return next((what for what, places in TOGETHER.items() if file.startswith(places)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


def pytest_collection_finish() -> None:
    """Hundreds of thousands of objects are there now that stay; whoever collects garbage need not look at them."""
    gc.collect()
    gc.freeze()
