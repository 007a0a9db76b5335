"""Python loads this by itself where this folder is on PYTHONPATH: there, `aigc-lsp engine` has models that are nothing
but a counter, up at once. All else of it is real: the process, its lock and log, HTTP, turns, health."""

from __future__ import annotations

import sys

if sys.orig_argv[-1] == "engine":
    from light_host import LightHost

    from aigc_lsp.modelserver import serving

    serving.Host = LightHost  # type: ignore[misc]
