"""The command line's entry: its groups of commands, how an error ends it, and what commands say and ask alike."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from aigc_lsp import __version__
from aigc_lsp.errors import AigcError

app = typer.Typer(
    help="Ghost-text code completion from a model on your own machine, for any LSP editor.\n\n"
    "Your editor starts `aigc-lsp serve`; that starts the model server, which fetches and loads the model. "
    "To try it without an editor: `aigc-lsp complete FILE:LINE:COL`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(help="The models on this machine: list, pull, verify, remove.", no_args_is_help=True)
app.add_typer(models_app, name="models")
bench_app = typer.Typer(help="Measure speed on this machine.", no_args_is_help=True)
app.add_typer(bench_app, name="bench")
eval_app = typer.Typer(help="Measure how good completions are.", no_args_is_help=True)
app.add_typer(eval_app, name="eval")
dataset_app = typer.Typer(help="Training data from source code: build, stats.", no_args_is_help=True)
app.add_typer(dataset_app, name="dataset")
editors_app = typer.Typer(help="Our part of your editor.", no_args_is_help=True)
app.add_typer(editors_app, name="editors")

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def main() -> None:
    """Run the command; every `AigcError` is one sentence on stderr, never a traceback."""
    try:
        app(standalone_mode=True)
    except AigcError as error:
        print(f"aigc-lsp: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("aigc-lsp: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `| head`
        sys.exit(1)
    except OSError as error:  # a disk that is full, a folder that cannot be written to
        where = f"{error.filename}: " if error.filename else ""
        print(f"aigc-lsp: {where}{error.strerror or type(error).__name__}.", file=sys.stderr)
        sys.exit(1)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"aigc-lsp {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def say(line: str) -> None:
    """How far a bench is, where somebody watches."""
    if sys.stderr.isatty():
        print(f"aigc-lsp: {line}", file=sys.stderr)


def show(report: Any, as_json: bool) -> None:
    from aigc_lsp.measure import figures

    if as_json:
        print(json.dumps(report.to_json()))
    else:
        figures.show(report)


def configuration() -> Any:
    from aigc_lsp import config as settings

    layer, messages = settings.file_layer()
    resolved = settings.resolve(layer, settings.environment_layer())
    for message in [*messages, *resolved.messages]:
        print(f"aigc-lsp: {message}", file=sys.stderr)
    return resolved.config
