"""The command line. Exit codes: 0 done, 1 could not be done, 2 the command was wrong. `--json` is for programs.

What a command needs is imported inside it: `serve` must be up before an editor has finished opening its window.
"""

from aigc_lsp.cli.app import app, main

# isort: off
# Each adds its commands to the app; `--help` has them in this order.
from aigc_lsp.cli import serve, write, look, models, train, bench, evaluate  # noqa: F401
# isort: on

__all__ = ["app", "main"]
