"""The console script, and `python -m aigc_lsp`.

An editor waits for `serve`, so that alone goes past the command line's own library, which takes a tenth of a second
to load, and has no garbage collected until the editor has its answer; everything else is `cli`.
"""

import gc
import sys


def main() -> None:
    if sys.argv[1:] in (["serve"], ["serve", "--stdio"]) and not sys.stdin.isatty():
        # A tenth of the time until `initialize` is answered: the protocol's thousand classes are looked through again
        # and again while they are made. `server.lifecycle` switches it on.
        gc.disable()
        from aigc_lsp.server.app import serve

        sys.exit(serve())
    from aigc_lsp.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
