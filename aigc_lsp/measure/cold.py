"""From a packed cache to the first token, in a process that has imported everything before the clock starts.

    python -m aigc_lsp.measure.cold MODEL THREADS < MODULES     MODULES: JSON, the names to import first

A first process finds out which modules a bring-up imports (it is handed none), a second imports them and is timed: so
that imports are left out and nothing else is. Both print {"seconds": …, "modules": […]}.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import subprocess
import sys
import time
from typing import Any

from aigc_lsp.errors import AigcError, EngineUnavailable


def seconds(model: str, threads: int, repeats: int) -> list[float]:
    """`repeats` measurements, each in a process of its own."""
    modules = _child(model, threads, [])["modules"]
    return [_child(model, threads, modules)["seconds"] for _ in range(repeats)]


def _child(model: str, threads: int, modules: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "aigc_lsp.measure.cold", model, str(threads)],
        input=json.dumps(modules),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}."]
        raise EngineUnavailable(f"The model could not be loaded in a process of its own: {said[-1]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(model: str, threads: int) -> None:
    for name in json.load(sys.stdin):
        with contextlib.suppress(Exception):  # some are made while others are imported
            importlib.import_module(name)
    began = time.perf_counter()
    try:
        _first_token(model, threads)
    except AigcError as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(1)
    print(json.dumps({"seconds": time.perf_counter() - began, "modules": sorted(sys.modules)}), flush=True)
    os._exit(0)  # the engine's thread waits for jobs; nothing of it needs an orderly end


def _first_token(model: str, threads: int) -> None:
    """Bring the model up as the model server does, and have one token from it."""
    import dataclasses

    from aigc_lsp.config import Config
    from aigc_lsp.modelserver.host import Host, Job
    from aigc_lsp.service.wire import InfillRequest

    config = Config()
    engine = dataclasses.replace(config.engine, threads=threads, device="cpu")
    host = Host(dataclasses.replace(config, model=model, engine=engine, download=False))
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()
    host.start()
    host.submit(Job(InfillRequest("import os\n", n_predict=1), events.put))
    first = events.get()
    if isinstance(first, Exception):
        raise first


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
