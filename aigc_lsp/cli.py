"""The command line. Exit codes: 0 done, 1 could not be done, 2 the command was wrong. `--json` is for programs.

What a command needs is imported inside it: `serve` must be up before an editor has finished opening its window.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import re
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import typer

from aigc_lsp import __version__
from aigc_lsp.errors import AigcError, EngineUnavailable, UsageError

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

INDEX_SECONDS, READ_SECONDS = 10.0, 2.0
"""`complete` waits so long for the index of a repository, and for the files that it wants to read of it."""

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


@app.command()
def serve(
    stdio: Annotated[bool, typer.Option("--stdio", help="Speak on stdio, the only way there is.")] = True,
) -> None:
    """Be a language server on stdin and stdout. Your editor runs this."""
    from aigc_lsp.server.app import serve as serve_stdio

    if sys.stdin.isatty():
        print(
            "aigc-lsp serve speaks LSP on stdin and stdout; your editor runs it. Ctrl-D ends it.",
            file=sys.stderr,
        )
    raise typer.Exit(serve_stdio())


@app.command()
def engine(
    host: Annotated[
        str | None,
        typer.Option(help="Listen on this address, too; beyond this machine (such as 0.0.0.0) only with a token."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="And on this port: 8012 where only --host is given.")
    ] = None,
    token_env: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The environment variable with the token to ask for; else AIGC_LSP_ENGINE_TOKEN."
        ),
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="The token itself, which the machine's other users see in the list of processes.")
    ] = None,
) -> None:
    """Be the model server, one for each user. The language server starts it when it is needed.

    With --host or --port it serves other machines and other programs, too, and stays when nobody uses it. What they
    send is not encrypted: put it behind a TLS proxy or a tunnel where the network is not your own.
    """
    from aigc_lsp.modelserver import listen
    from aigc_lsp.modelserver.run import run_engine

    network = listen.network(host, port, token, token_env)
    if not run_engine(_config(), network):
        if network is not None:
            raise EngineUnavailable("A model server runs already, without that address. Run `aigc-lsp stop` first.")
        print("A model server runs already; `aigc-lsp status` shows it.")


@app.command()
def complete(
    target: Annotated[str, typer.Argument(metavar="PATH:LINE:COL", help="Lines and columns count from 1.")],
    as_json: Json = False,
) -> None:
    """Complete the code at a place in a file, as an editor would be answered.

    COL is the column of the cursor in characters: 1 is before the first character of the line.
    """
    from aigc_lsp.gather.gatherer import Gatherer
    from aigc_lsp.index.git import repository_of
    from aigc_lsp.index.workspace import Workspace
    from aigc_lsp.pipeline import complete as run

    config = _config()
    document, offset = _document_at(target, config.completion.max_file_bytes)

    async def work() -> Any:
        client = await _ready_client(config)
        workspace = Workspace()
        try:
            # As an editor would: the repository is the workspace. Without one there is the file alone.
            root = repository_of(str(Path(document.path).parent))
            await workspace.serve([root] if root else [], config.context.exclude)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INDEX_SECONDS):
                    while not workspace.is_complete:
                        await asyncio.sleep(0.02)
            gatherer = Gatherer(workspace, wait_seconds=READ_SECONDS)
            gatherer.opened(document)
            if document.tree is not None:
                gatherer.knows(document, document.tree.symbols())
            return await run(document, offset, client, config, gatherer=gatherer)
        finally:
            await workspace.close()
            await client.close()

    found = asyncio.run(work())
    if not as_json:
        print(found.text)
        return
    usage = dataclasses.asdict(found.usage)
    print(
        json.dumps(
            {
                "text": found.text,
                "stop_reason": found.stop_reason,
                **_rounded(usage | {"total_ms": found.total_ms}),
            }
        )
    )


@app.command()
def docstring(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH[:LINE]...", help="Files, folders, or what a line of a file (from 1) belongs to."),
    ],
    style: Annotated[
        str | None,
        typer.Option(
            help="google, numpy, sphinx, epytext, plain, jsdoc, tsdoc, …; else as configured: `auto` is the style of "
            "the file, or of the project."
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Only say which are missing or stale; exit code 1 if any is. Needs no model."),
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write them into the files.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print a unified diff, and write nothing.")] = False,
    private: Annotated[
        bool,
        typer.Option(
            "--private",
            help="Also of what is private, inside of functions, a constructor or a special method, and in tests.",
        ),
    ] = False,
    stale: Annotated[bool, typer.Option("--stale", help="Only those that are there and no longer right.")] = False,
) -> None:
    """Write the docstrings that are missing, mend those that are stale, and print them.

    Structure and names come from the code, words from the model. Of public definitions, as pydocstyle has it, unless
    --private is given; what a LINE belongs to is always written. What a human wrote stays.
    """
    from aigc_lsp.docstring_files import command, files

    if check + write + diff > 1:
        raise UsageError("--check, --write and --diff are three things: ask for one of them.")
    if stale and private:
        raise UsageError("--private adds what is missing and --stale leaves that out: ask for one of them.")
    config = _config()
    found = files.targets(paths, config.context.exclude)
    which: command.Which = "stale" if stale else "private" if private else "public"
    if style is not None:
        command.check_style(style, [target.language for target in found])
    bare = len(found) == len(found[0].lines) == 1 if found else False
    failures: list[str] = []

    def failed(said: str) -> None:
        failures.append(said)
        print(f"aigc-lsp: {said}", file=sys.stderr)

    def put(made: command.Written) -> None:
        try:
            if write:
                files.write(made.source, made.text)
            said = (
                "".join(f"{line}\n" for line in made.lines())
                if write
                else made.diff()
                if diff
                else made.shown(bare=bare)
            )
            print(said, end="", flush=True)
        except files.Unreadable as error:
            failed(str(error))

    if check:
        for checked in command.check(found, which, failed):
            failures += (lines := checked.lines())
            print("".join(f"{line}\n" for line in lines), end="")
    else:

        async def work() -> None:
            async with _docstring_writer(config) as writer:
                asked = command.Asked(tuple(found), style or config.docstring.style, which, config.context.exclude)
                async for each in command.written(asked, writer, failed, _say):
                    put(each)

        asyncio.run(work())
    if failures:
        raise typer.Exit(1)


@app.command()
def finetune(
    data: Annotated[Path, typer.Option(help="A folder that `aigc-lsp dataset build` made.")],
    out: Annotated[str, typer.Option(metavar="NAME", help="The new model's name, or the folder that it becomes.")],
    model: Annotated[str | None, typer.Option(help="The model to train; else the configured one.")] = None,
    run: Annotated[Path | None, typer.Option(help="Where the checkpoint lies; else among the user's state.")] = None,
    full: Annotated[
        bool,
        typer.Option("--full", help="Train whole matrices, no adapter: 15 GB of memory for a model of 0.5 B."),
    ] = False,
    rank: Annotated[int | None, typer.Option(min=1, max=256, help="The adapters' rank; else 16.")] = None,
    rate: Annotated[
        float | None, typer.Option(min=1e-7, max=1.0, help="The highest learning rate; else 2e-4, 2e-5 with --full.")
    ] = None,
    tokens_per_step: Annotated[int, typer.Option(min=64)] = 4096,
    max_tokens: Annotated[int, typer.Option(min=0, help="Stop behind so many; 0: as --epochs says.")] = 0,
    epochs: Annotated[int, typer.Option(min=1)] = 1,
    longest: Annotated[int, typer.Option(min=32, help="Leave out examples of more tokens.")] = 1024,
    evaluate_every: Annotated[int, typer.Option(min=1, metavar="STEPS")] = 100,
    evaluate_rows: Annotated[int, typer.Option(min=1, help="Held-out examples that are judged each time.")] = 200,
    patience: Annotated[
        int, typer.Option(min=0, help="Evaluations without a better one before it ends; 0: never.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    workers: Annotated[int | None, typer.Option(min=1, help="Processor cores; all unless given.")] = None,
    save_memory: Annotated[bool, typer.Option("--save-memory", help="Compute twice instead of keeping.")] = False,
    enough: Annotated[
        bool, typer.Option("--enough", help="Train no further: make the model of what the stopped run has learnt.")
    ] = False,
    teacher: Annotated[str | None, typer.Option(hidden=True)] = None,
    teacher_share: Annotated[float, typer.Option(hidden=True)] = 0.5,
    temperature: Annotated[float, typer.Option(hidden=True)] = 2.0,
) -> None:
    """Train an adapter for a model on your own code; the result is a model that can be used at once.

    Where the model is itself another's with an adapter, that adapter is trained further.

    Stopped with Ctrl-C, or killed, the same command goes on where it was; with --enough it ends there.
    """
    from aigc_lsp import catalogue
    from aigc_lsp.adapt import command
    from aigc_lsp.adapt.settings import FULL, Settings
    from aigc_lsp.modelserver.preparing import prepare
    from aigc_lsp.terminal import ProgressBar
    from aigc_lsp.weights.store import Store

    if full and rank is not None:
        raise UsageError(
            "--full trains whole matrices, and --rank is of adapters beside them: leave out one of the two."
        )
    usual = FULL if full else Settings()
    rank_given, rank = rank is not None, rank or usual.rank
    settings = dataclasses.replace(
        usual,
        rank=rank,
        alpha=2.0 * rank,
        learning_rate=rate or usual.learning_rate,
        tokens_per_step=tokens_per_step,
        max_tokens=max_tokens,
        epochs=epochs,
        longest=longest,
        evaluate_every=evaluate_every,
        evaluate_rows=evaluate_rows,
        patience=patience,
        seed=seed,
        saves_memory=save_memory,
        teacher_share=teacher_share if teacher else 0.0,
        temperature=temperature,
    )
    base, begin = catalogue.load(model or _config().model), None
    if base.adapter is not None:
        if full or rank_given:
            raise UsageError(
                f"{base.name} has an adapter, of a rank of its own, that would be trained further. Leave --full and "
                f"--rank out, or name {base.adapter.base}."
            )
        base, begin = catalogue.load(base.adapter.base), base
    taught_by = catalogue.load(teacher) if teacher else None
    with ProgressBar() as bar:
        folders = [prepare(each, Store(), download=True, report=bar.report) for each in (base, taught_by) if each]
    folder, state = command.place_of(out, run)
    asked = command.Asked(
        base, folders[0], data, folder, state, command.on_device(settings, device, workers), taught_by,
        folders[1] if taught_by else None, begin, enough,
    )  # fmt: skip
    descriptor = command.finetune(asked, lambda said: print(said, flush=True))
    if descriptor is None:
        raise typer.Exit(1)
    print(f"The model is in {descriptor.parent}.")
    if folder.name in catalogue.names():
        print(f'Use it: `aigc-lsp models pull {folder.name}`, and `model = "{folder.name}"` in your settings.')


@app.command()
def distill(
    teacher: Annotated[str, typer.Option(help="The model to learn from, of the same family.")],
    student: Annotated[str, typer.Option(help="The model to train.")],
    data: Annotated[Path, typer.Option(help="A folder that `aigc-lsp dataset build` made.")],
    out: Annotated[str, typer.Option(metavar="NAME", help="The new model's name, or the folder that it becomes.")],
    share: Annotated[float, typer.Option(min=0.0, max=1.0, help="Of the loss that is the teacher's part.")] = 0.5,
    temperature: Annotated[float, typer.Option(min=0.1, max=20.0)] = 2.0,
    run: Annotated[Path | None, typer.Option(help="Where the checkpoint lies; else among the user's state.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Train whole matrices, as `finetune` does.")] = False,
    rate: Annotated[
        float | None, typer.Option(min=1e-7, max=1.0, help="The highest learning rate; else 2e-4, 2e-5 with --full.")
    ] = None,
    max_tokens: Annotated[int, typer.Option(min=0, help="Stop behind so many; 0: one time through the data.")] = 0,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Train an adapter as `finetune` does, to say what a larger model finds likely as well as what is true."""
    finetune(
        data, out, student, run, full=full, rate=rate, max_tokens=max_tokens, seed=seed, device=device, teacher=teacher,
        teacher_share=share, temperature=temperature,
    )  # fmt: skip


@app.command()
def status(as_json: Json = False) -> None:
    """Say how the model server is, or the server at engine.url. Exit code 1 where none answers."""
    from aigc_lsp import status as state

    found = state.look(_config())
    print(json.dumps(found.to_json()) if as_json else "\n".join(state.lines(found)))
    if found.health is None:
        raise typer.Exit(1)


@app.command()
def stats(as_json: Json = False) -> None:
    """Say what became of the suggestions that you were shown: accepted, typed, rejected, kept.

    Of what was shown and accepted in each language; counted on this machine, for you and for the option
    completion.learn, without any text.
    """
    from aigc_lsp.feedback import store, table
    from aigc_lsp.feedback.counts import to_json

    path = store.default_path()
    try:
        counts = store.read(path).total
    except ValueError as error:
        raise AigcError(f"{path} makes no sense; the next suggestion begins it anew.") from error
    if as_json:
        printed = [table.HEADINGS, *table.rows(counts)]
        print(json.dumps({"path": str(path), "languages": to_json(counts), "table": printed}))
        return
    if not counts:
        print("Nothing has been counted yet.")
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, header_style="bold")
    for heading in table.HEADINGS:
        shown.add_column(heading, justify="left" if heading == table.HEADINGS[0] else "right")
    for row in table.rows(counts):
        shown.add_row(*row)
    Console().print(shown)


@app.command()
def doctor(
    verify: Annotated[bool, typer.Option("--verify", help="Read every byte of the model, too: some seconds.")] = False,
    as_json: Json = False,
) -> None:
    """Look through what completions need: a line for each, and what to do about it. Exit code 1 on a problem."""
    from aigc_lsp import doctor as checks

    found = []
    for check in checks.examine(verify):
        found.append(check)
        if not as_json:
            print(f"{check.level:<8} {check.name:<15} {check.message}", flush=True)
    has_problem = any(check.level == "problem" for check in found)
    if as_json:
        print(json.dumps({"ok": not has_problem, "checks": [dataclasses.asdict(check) for check in found]}))
    if has_problem:
        raise typer.Exit(1)


@app.command()
def stop() -> None:
    """Stop the model server. The next request of an editor starts it again."""
    from aigc_lsp.service import life

    async def work() -> bool:
        client = life.connect()
        try:
            return await life.stop(client)
        finally:
            await client.close()

    print("Stopped." if asyncio.run(work()) else "No model server is running.")


@app.command()
def config(as_json: Json = False) -> None:
    """Print every option: its value, where that comes from, what is allowed and what it does."""
    from dataclasses import asdict
    from operator import attrgetter

    from aigc_lsp import config as settings

    layer, messages = settings.file_layer()
    resolved = settings.resolve(layer, settings.environment_layer())
    rows = [
        {
            "option": option.key,
            "value": attrgetter(option.key)(resolved.config),
            "origin": resolved.origins[option.key],
            "allowed": option.allowed,
            "doc": option.doc,
            "variable": option.variable,
        }
        for option in settings.options()
    ]
    for message in [*messages, *resolved.messages]:
        print(f"aigc-lsp: {message}", file=sys.stderr)
    if as_json:
        print(json.dumps(rows, default=asdict))
        return
    print(f"# Settings live in {settings.config_path()}, in AIGC_LSP_… variables, and in your editor (section `aigc`).")
    for row in rows:
        value = json.dumps(row["value"], default=asdict)
        print(f"\n{row['option']} = {value}   ({row['origin']}; allowed: {row['allowed']})\n    {row['doc']}")


@models_app.command("list")
def models_list(as_json: Json = False) -> None:
    """List the models that can be had, and which are on this machine; the configured one has a star."""
    from aigc_lsp import catalogue
    from aigc_lsp.weights.store import Store

    store, configured = Store(), _config().model
    rows: list[dict[str, Any]] = []
    for name in catalogue.names():
        model = catalogue.load(name)
        rows.append(
            {
                "name": name,
                "configured": name == configured,
                "state": store.state(model),
                "download_bytes": model.size,
                "disk_bytes": store.disk_bytes(model),
                "license": model.license,
                "description": model.description,
            }
        )
    if as_json:
        print(json.dumps(rows))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for heading in ("name", "state", "download", "on disk", "licence", ""):
        table.add_column(heading)
    for row in rows:
        sizes = [f"{row[key] / 1e6:,.0f} MB" for key in ("download_bytes", "disk_bytes")]
        table.add_row(
            f"{row['name']} *" if row["configured"] else row["name"],
            row["state"],
            *sizes,
            row["license"],
            row["description"],
        )
    Console().print(table)


Name = Annotated[str, typer.Argument(help="A name from `aigc-lsp models list`.")]


@models_app.command("pull")
def models_pull(
    name: Name,
    from_path: Annotated[
        Path | None,
        typer.Option("--from", help="Take this file, carried here by hand; its digest is checked."),
    ] = None,
) -> None:
    """Fetch a model, check its digest and convert it. Goes on where an earlier pull was cut off."""
    from aigc_lsp import catalogue
    from aigc_lsp.modelserver.preparing import prepare
    from aigc_lsp.terminal import ProgressBar
    from aigc_lsp.weights.store import Store

    model, store = catalogue.load(name), Store()
    with ProgressBar() as bar:
        if store.state(model) != "packed":
            store.fetch(model, bar.report, from_path)
        folder = prepare(model, store, download=True, report=bar.report)
    print(f"{name} is ready in {folder}")


@models_app.command("verify")
def models_verify(name: Name) -> None:
    """Read every byte of a model and compare it with its digest. Exit code 1 where one differs."""
    from aigc_lsp import catalogue
    from aigc_lsp.weights.store import Store

    problems = Store().verify(catalogue.load(name))
    for problem in problems:
        print(f"aigc-lsp: {problem}", file=sys.stderr)
    if problems:
        raise typer.Exit(1)
    print(f"{name} is sound.")


@models_app.command("remove")
def models_remove(name: Name) -> None:
    """Delete a model from this machine, with what was converted from it and what was fetched in part."""
    from aigc_lsp import catalogue
    from aigc_lsp.weights.store import Store

    freed = Store().remove(catalogue.load(name))
    print(f"{name} is removed: {freed / 1e6:,.0f} MB freed.")


@editors_app.command("install")
def editors_install(
    editor: Annotated[str, typer.Argument(metavar="vscode|neovim|emacs")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Put the plugin where your editor finds it, and say what is left to do. Your settings are not touched."""
    from aigc_lsp import editors_install as plugins

    if editor not in plugins.EDITORS:
        raise UsageError(f"There is no plugin for {editor}; there are {', '.join(plugins.EDITORS)}.")
    print("\n".join(plugins.steps(editor) if dry_run else plugins.install(editor)))


@bench_app.command("engine")
def bench_engine(
    peer: Annotated[
        list[str] | None,
        typer.Option(
            help="Measure this beside, on the same weights: llama-server=URL (started by you, `-t 2 -c 4096 -np 1`) or "
            "llama-cpp-python. May be given twice."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Of prefill, decode, keystroke, repeated, choices, load, start, cancel, busy. May be given again.",
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds; the median is shown.")] = 5,
    as_json: Json = False,
) -> None:
    """How fast the configured model is on two threads, beside what it has to reach, and beside llama.cpp.

    Leave the machine alone meanwhile: some minutes.
    """
    from aigc_lsp.measure import engine as bench

    _show(bench.run(_config().model, repeats, peer or (), only or (), _say), as_json)


@bench_app.command("server")
def bench_server(
    repeats: Annotated[int, typer.Option(min=1, help="Language servers started; 40 requests are sent for each.")] = 5,
    windows: Annotated[int, typer.Option(min=2, help="Open at once, with a document each.")] = 20,
    as_json: Json = False,
) -> None:
    """What one model server for every window costs in time and memory, beside what it has to reach.

    Leave the machine alone meanwhile: a minute or two.
    """
    from aigc_lsp.measure import server as bench

    _show(bench.run(_config().model, repeats, windows, _say), as_json)


@bench_app.command("context")
def bench_context(
    files: Annotated[int, typer.Option(min=10, help="Of the repository in which is typed.")] = 2000,
    repeats: Annotated[int, typer.Option(min=1, help="Functions typed; times that Python's library is indexed.")] = 3,
    as_json: Json = False,
) -> None:
    """What context from the file and from others costs a keystroke, and its index, beside what it has to reach.

    The model is not asked; its tokenizer is, where it is on this machine. Leave the machine alone meanwhile: some
    minutes.
    """
    from aigc_lsp.measure import context as bench

    _show(bench.run(_config(), files, repeats, _say), as_json)


@app.command()
def replay(
    what: Annotated[
        list[str],
        typer.Argument(metavar="WHAT...", help="Source files, folders, git repositories, `design` or `held-out`."),
    ],
    commits: Annotated[int, typer.Option(min=0, help="Of each repository, type what its last so many changed.")] = 0,
    per_project: Annotated[
        int | None, typer.Option(min=1, help="Files of each folder or project; else all that fit.")
    ] = None,
    characters: Annotated[
        int, typer.Option(min=1, help="Typed in each file, of whole functions; about so many.")
    ] = 1500,
    from_line: Annotated[
        int | None, typer.Option(min=1, help="Begin at a function there or below; else at a quarter of the file.")
    ] = None,
    bare: Annotated[bool, typer.Option("--bare", help="Nothing stands below what is typed.")] = False,
    typos: Annotated[
        float, typer.Option(min=0, max=0.5, help="The share of letters that are wrong ones first.")
    ] = 0.03,
    closers: Annotated[bool, typer.Option(help="The editor puts closing brackets and quotes in.")] = True,
    pace: Annotated[
        str, typer.Option(help="real: keys come at a person's intervals; fast: each waits for the answer before it.")
    ] = "real",
    seed: Annotated[int, typer.Option(help="Another seed has other pauses and typos; the same has the same.")] = 1,
    peer: Annotated[
        str, typer.Option(help="Type the same to llama-server=URL, as llama.vim asks it; started by you, `-t 2 -np 1`.")
    ] = "",
    log: Annotated[Path | None, typer.Option(help="Write each answer and the truth to this JSONL file.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report to this JSON file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with curves, and each text by who typed it.")] = None,
    into: Annotated[Path | None, typer.Option(help="Unpack projects here; else in the user's cache folder.")] = None,
    model: Annotated[str | None, typer.Option(help="A name from `aigc-lsp models list`; else the configured.")] = None,
) -> None:
    """Type real code key by key through the real language server, and count what it was good for.

    A suggestion that comes before the next key is seen; it is accepted where it, or its first line, is what would have
    been typed. Leave the machine alone meanwhile: about three minutes for 1,000 characters, twice that with a peer.
    """
    from aigc_lsp.measure import figures
    from aigc_lsp.measure import projects as sources
    from aigc_lsp.measure import replay as bench
    from aigc_lsp.measure.replay_page import page
    from aigc_lsp.measure.replay_play import Typing
    from aigc_lsp.measure.replay_scenes import Wanted

    if pace not in ("real", "fast"):
        raise UsageError(f"--pace is real or fast, not {pace!r}.")
    wanted = Wanted(characters, from_line, bare, per_project, commits)
    # Nobody types in the moment in which a file is opened or jumped to.
    typing = Typing(typos, closers, waits=pace == "fast", seed=seed, looks_seconds=2.0)
    found = bench.run(what, wanted, typing, model or _config().model, into or sources.default_folder(), peer, log, _say)
    if json_file is not None:
        json_file.write_text(json.dumps(found.to_json()), encoding="utf-8")
    if html is not None:
        html.write_text(page(found), encoding="utf-8")
    figures.show(found.report)


@dataset_app.command("build")
def dataset_build(
    out: Annotated[Path, typer.Option("--out", "-o", help="A folder that is empty or not there.")],
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH|PACKAGE]...",
            help="Folders, repositories' URLs, or packages: NAME[==VERSION] (a source distribution), "
            "npm:NAME[@VERSION], deb:NAME. They are read, never installed.",
        ),
    ] = None,
    source_list: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="More of them, one on a line; # begins a comment.")
    ] = None,
    examples: Annotated[
        int, typer.Option(min=1, help="Rows to learn from, as far as there is code for them.")
    ] = 25_000,
    held_examples: Annotated[int, typer.Option(min=0, help="Rows that are held out.")] = 3_000,
    held: Annotated[
        float, typer.Option(min=0, max=1, help="The share of projects that is held out; 1: all, to judge with.")
    ] = 0.12,
    share: Annotated[
        list[str] | None,
        typer.Option(metavar="LANGUAGE=PERCENT", help="Of all rows; the languages not named share the rest equally."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed cuts other holes; the same cuts the same.")] = 1,
    with_mpl: Annotated[bool, typer.Option("--with-mpl", help="Take code under the MPL-2.0, too.")] = False,
    any_licence: Annotated[
        bool, typer.Option("--any-licence", help="Take code under whatever licence: it is your own.")
    ] = False,
    decontaminate: Annotated[
        bool,
        typer.Option(help="Leave out what shares 13 words in a row with what `eval` and `replay` measure with."),
    ] = True,
) -> None:
    """Make training data for `finetune`: holes in source code, with what a model would be shown around them.

    Taken is code under a permissive licence, written by hand, without secrets, and nothing twice; whole projects are
    held out. `sources.json` in the folder says what was taken, `statistics.html` what came of it.
    """
    from aigc_lsp.dataset import command
    from aigc_lsp.dataset.build import Options

    wanted = [*(sources or ()), *(command.sources_in(source_list) if source_list else ())]
    if not wanted:
        raise UsageError("Name the code to learn from: a folder, a package, or a list of them with --from.")
    shares = command.shares_of(share or ())
    options = Options(examples, held_examples, held, shares, seed, with_mpl, any_licence)
    command.run(wanted, out, options, lambda said: print(said, file=sys.stderr), decontaminate)
    print(command.told(out))


@dataset_app.command("stats")
def dataset_stats(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `aigc-lsp dataset build` made.")],
) -> None:
    """Count what training data holds, and draw it as `statistics.html` beside it."""
    from aigc_lsp.dataset import command

    print(command.told(folder))


@eval_app.command("fim")
def eval_fim(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="JSONL with prompt, suffix, canonical_solution; or a dataset, of which what is held out.",
        ),
    ],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many rows.")] = None,
    order: Annotated[str | None, typer.Option(help="spm, psm or prefix; else the model's own.")] = None,
    heal: Annotated[bool | None, typer.Option("--heal/--no-heal", help="Else as the model has it.")] = None,
    compare: Annotated[str | None, typer.Option(help="`orders`: PSM and SPM, each healed and not, in a table.")] = None,
    model: Annotated[str | None, typer.Option(help="A name from `aigc-lsp models list`; else the configured.")] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="The most tokens written for a hole.")] = 128,
    prefix_tokens: Annotated[int | None, typer.Option(min=1, help="Read before the hole; else as configured.")] = None,
    suffix_tokens: Annotated[int | None, typer.Option(min=0, help="Read behind the hole; else as configured.")] = None,
    run_tests: Annotated[
        bool,
        typer.Option(
            "--run-tests",
            help="RUNS CODE THAT THE MODEL WROTE, with the `test` and `entry_point` of the row: limited in time and "
            "memory, in an empty folder, but in no sandbox. Use a machine or container that you can lose.",
        ),
    ] = False,
    polish: Annotated[
        bool, typer.Option("--polish", help="Before and after polish, and what each of its steps fixed and broke.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Another model on the same rows; both write until they end by themselves."),
    ] = None,
    kinds: Annotated[str | None, typer.Option(help="Only rows of these kinds, such as block,span.")] = None,
    each: Annotated[int | None, typer.Option(min=1, help="At most so many rows of each kind.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="With --against: write results to this file as they come, and go on from it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fill the holes of a file greedily, in this process, and count what is exactly, or nearly, what stood there.

    exact: the first line is; whole: of holes with several lines, all are; similarity: 0 to 100.
    """
    from aigc_lsp import catalogue
    from aigc_lsp.dataset.example import held_rows
    from aigc_lsp.measure import fim, fim_against, fim_polish
    from aigc_lsp.measure.holes import read_rows
    from aigc_lsp.terminal import track

    if compare not in (None, "orders"):
        raise UsageError(f"--compare knows `orders`, not {compare!r}.")
    if compare and (order is not None or heal is not None):
        raise UsageError("--compare goes through the orders and healing itself: leave out --order and --heal.")
    if compare and polish:
        raise UsageError("--compare and --polish are two tables: ask for one of them.")
    if against and (compare or polish or run_tests):
        raise UsageError("--against is a table of its own: leave out --compare, --polish and --run-tests.")
    rows, config = held_rows(data) if data.is_dir() else read_rows(data), _config()
    if kinds and not (rows := [row for row in rows if row.kind in kinds.split(",")]):
        raise UsageError(f"{data} has no rows of the kinds {kinds}.")
    rows = (fim_against.first_of_each(rows, each) if each else rows)[:limit]
    settings = fim.Settings(
        order,
        heal,
        max_tokens,
        config.context.prefix_tokens if prefix_tokens is None else prefix_tokens,
        config.context.suffix_tokens if suffix_tokens is None else suffix_tokens,
        whole=run_tests,
    )
    name = model or config.model
    said = {"data": str(data), "model": name, "run_tests": run_tests}
    if polish:
        asked, outcome = fim_polish.run(rows, catalogue.load(name), config, settings, run_tests, track)
        if as_json:
            print(json.dumps(said | {"settings": dataclasses.asdict(asked), **outcome.to_json()}))
        else:
            fim_polish.show(outcome)
        return
    if against:
        models = catalogue.load(name), catalogue.load(against)
        pairs = fim_against.run(rows, models, config, settings, out, track)
        if as_json:
            print(json.dumps(said | {"against": against, **fim_against.to_json(pairs)}))
        else:
            fim_against.show(pairs, name, against)
        return
    variants = fim.compared(settings) if compare else [settings]
    found = fim.run(rows, catalogue.load(name), config, variants, run_tests, track)
    if as_json:
        runs = [{"settings": dataclasses.asdict(asked), **report.to_json()} for asked, report in found]
        print(json.dumps(said | {"runs": runs}))
    else:
        fim.show(found)


@eval_app.command("repo")
def eval_repo(
    projects: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROJECT]...", help="Names, `design`, `held-out`, or folders; else `design`."),
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[LABEL=]SOURCES[,KEY=VALUE]",
            help="What stands in the prompt: `alone`, `all`, or sources joined by + (definition, usage, edit, open, "
            "sibling); keys are format (tokens, comments), prefix, suffix, extra. May be given again: each is set "
            "beside the first. Else `alone` and `all`.",
        ),
    ] = None,
    per_project: Annotated[int, typer.Option(min=1, help="Holes in each project, as many of each kind.")] = 120,
    seed: Annotated[int, typer.Option(help="Another seed picks others; the same picks the same.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Write results to this JSONL file as they come, and go on from what it has.")
    ] = None,
    into: Annotated[Path | None, typer.Option(help="Unpack projects here; else in the user's cache folder.")] = None,
    model: Annotated[str | None, typer.Option(help="A name from `aigc-lsp models list`; else the configured.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Fetch and mask, and only count the holes.")] = False,
    as_json: Json = False,
) -> None:
    """Fill holes in whole projects, with and without context from other files.

    cross: lines that use a name defined in another file, with the cursor behind `name(` (call) or anywhere (rest).
    Projects are fetched from the package index and unpacked; nothing of them is run.
    """
    from aigc_lsp import catalogue
    from aigc_lsp.measure import projects as sources
    from aigc_lsp.measure import repo, repo_prompts
    from aigc_lsp.terminal import track

    config = _config()
    usual = repo.usual(config)
    variants = [repo.variant_named(said, usual) for said in variant or ("alone", "all")]
    chosen = catalogue.load(model or config.model)
    repo_prompts.check(variants, chosen)
    asked = repo.ask(sources.trees(projects or ["design"], into or sources.default_folder(), _say), per_project, seed)
    if dry_run:
        found = repo.counts(asked)
        lines = [f"{name}: {', '.join(f'{n} {kind}' for kind, n in kinds.items())}" for name, kinds in found.items()]
        print(json.dumps(found) if as_json else "\n".join(lines))
        return
    outcomes = repo.measure(asked, variants, chosen, config, out, track, repo_prompts.prompts)
    if as_json:
        print(json.dumps({"model": chosen.name, "seed": seed, **repo.to_json(outcomes)}))
    else:
        repo.show(repo.compare(outcomes))


@eval_app.command("docstring")
def eval_docstring(
    styles: Annotated[
        list[str] | None,
        typer.Argument(metavar="[STYLE]...", help="Of google, numpy, sphinx, jsdoc; else all."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many functions, as many of each style.")] = 320,
    seed: Annotated[int, typer.Option(help="Another seed picks others; the same picks the same.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Write results to this JSONL file as they come, and go on from what it has.")
    ] = None,
    into: Annotated[Path | None, typer.Option(help="Unpack projects here; else in the user's cache folder.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Fetch and cut, and only count the functions.")] = False,
    as_json: Json = False,
) -> None:
    """Write docstrings of functions whose own were taken away, beside a plain prompt, and judge both.

    By Python's ast, docstring_parser, ruff, eslint-plugin-jsdoc and chrF. Packages are fetched from the package indexes
    and unpacked; nothing of them is run. Leave the machine alone meanwhile: some six seconds a function.
    """
    from aigc_lsp import catalogue
    from aigc_lsp.measure import docstring as bench
    from aigc_lsp.measure import machine
    from aigc_lsp.measure import projects as sources
    from aigc_lsp.terminal import track

    config, folder = _config(), into or sources.default_folder()
    asked = bench.gather(count, seed, folder, styles or (), _say)
    if dry_run:
        for project in dict.fromkeys(case.project for case in asked):
            mine = [case for case in asked if case.project == project]
            five = sum(case.parameters == 5 for case in mine)
            print(f"{project}: {len(mine)} {mine[0].convention}, {five} of them with five parameters")
        return
    log = bench.Log(out, {"model": config.engine.url or config.model})
    eslint = bench.check_tools(asked, folder)

    async def work() -> Any:
        backend = await _ready_backend(config)
        try:
            return await bench.run(asked, backend, config, log, eslint, track)
        finally:
            await backend.close()

    outcomes = asyncio.run(work())
    found = bench.report(outcomes, machine.describe(config.model, catalogue.load(config.model).sha256))
    if as_json:
        print(json.dumps(found.to_json() | {"rows": [dataclasses.asdict(each) for each in outcomes]}))
    else:
        _show(found, False)


@eval_app.command("build")
def eval_build(
    root: Annotated[
        Path,
        typer.Argument(
            metavar="PATH|humaneval",
            help="The root of a source tree; or HumanEval's problems with their tests, from the package index.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Where to write; - is stdout.")] = Path("-"),
    count: Annotated[int, typer.Option(min=1, help="How many holes.")] = 100,
    seed: Annotated[int, typer.Option(help="Another seed picks others; the same picks the same.")] = 1,
    kinds: Annotated[
        str | None,
        typer.Option(
            help="Of line, rest, span, lines, block; else line,rest,span,block, and line,line,lines,span of HumanEval. "
            "One that is named twice comes twice as often."
        ),
    ] = None,
    suffix: Annotated[str, typer.Option(help="Endings of files, such as py,js; else all that have a grammar.")] = "",
    exclude: Annotated[str, typer.Option(help="Names of folders to leave out, such as test,docs.")] = "",
) -> None:
    """Mask lines, spans and blocks in a source tree, and write them as rows for `aigc-lsp eval fim`."""
    from aigc_lsp.measure import holes, humaneval, projects

    endings, left_out = ([word.strip() for word in said.split(",") if word.strip()] for said in (suffix, exclude))
    wanted = holes.kinds_named(kinds) if kinds else None
    if str(root) == humaneval.NAME:
        if endings or left_out:
            raise UsageError("HumanEval has no files to choose from: leave out --suffix and --exclude.")
        problems = humaneval.problems(projects.default_folder(), _say)
        rows = humaneval.build(problems, count, seed, wanted or humaneval.KINDS)
    else:
        rows = holes.build(root, count, seed, wanted or holes.DEFAULT_KINDS, endings, left_out)
    if not rows:
        raise UsageError(f"No hole can be masked below {root}: it has no file of code that fits.")
    if len(rows) < count:
        print(f"aigc-lsp: {root} gives {len(rows)} holes, not {count}.", file=sys.stderr)
    if str(out) == "-":
        sys.stdout.write(holes.to_json(rows))
    else:
        out.write_text(holes.to_json(rows), encoding="utf-8")


def _say(line: str) -> None:
    """How far a bench is, where somebody watches."""
    if sys.stderr.isatty():
        print(f"aigc-lsp: {line}", file=sys.stderr)


def _show(report: Any, as_json: bool) -> None:
    from aigc_lsp.measure import figures

    if as_json:
        print(json.dumps(report.to_json()))
    else:
        figures.show(report)


def _config() -> Any:
    from aigc_lsp import config as settings

    layer, messages = settings.file_layer()
    resolved = settings.resolve(layer, settings.environment_layer())
    for message in [*messages, *resolved.messages]:
        print(f"aigc-lsp: {message}", file=sys.stderr)
    return resolved.config


def _document_at(target: str, max_bytes: int) -> tuple[Any, int]:
    """The document and the offset that PATH:LINE:COL names."""
    from aigc_lsp.context.document import Document
    from aigc_lsp.syntax import language_of, parse
    from aigc_lsp.text import Text

    parts = re.fullmatch(r"(.+):([0-9]{1,9}):([0-9]{1,9})", target, re.DOTALL)
    if parts is None:
        raise UsageError(f"{target!r} is not PATH:LINE:COL, such as src/app.py:12:5.")
    path, line, column = Path(parts[1]), int(parts[2]), int(parts[3])
    text = Text(_read_source(path, max_bytes))
    if not 1 <= line <= text.line_count:
        raise UsageError(f"{path} has {text.line_count} lines, so there is no line {line}. Lines count from 1.")
    length = text.line_end(line - 1) - text.line_start(line - 1)
    if not 1 <= column <= length + 1:
        raise UsageError(
            f"Line {line} of {path} has {length} characters, so COL must be from 1 to {length + 1}, not {column}."
        )
    language = language_of(path) or "plaintext"
    document = Document(path.resolve().as_uri(), str(path.resolve()), language, 0, text, parse(language, text))
    return document, text.line_start(line - 1) + column - 1


def _read_source(path: Path, max_bytes: int) -> str:
    try:
        found = path.stat()
        size = found.st_size
        if not stat.S_ISREG(found.st_mode):
            kind = "a directory" if stat.S_ISDIR(found.st_mode) else "no regular file"
            raise UsageError(f"{path} is {kind}; completion needs a source file.")
        if size > max_bytes:
            raise UsageError(
                f"{path} has {size:,} bytes; files above {max_bytes:,} are not completed in "
                "(option completion.max_file_bytes)."
            )
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}. Check the path.") from error
    if b"\0" in data:
        raise UsageError(f"{path} is a binary file; completion needs source text.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error


@contextlib.asynccontextmanager
async def _docstring_writer(config: Any) -> AsyncIterator[Any]:
    """Who writes a docstring: with a backend that is not brought up before the first is wanted."""
    from aigc_lsp.writer import write_docstring

    backend: Any = None

    async def write(document: Any, subject: Any, manner: Any) -> Any:
        nonlocal backend
        backend = backend or await _ready_backend(config)
        return await write_docstring(document, subject, manner, backend, config)

    try:
        yield write
    finally:
        if backend is not None:
            await backend.close()


async def _ready_backend(config: Any) -> Any:
    """The server at engine.url, or our own, ready."""
    if not config.engine.url:
        return await _ready_client(config)
    from aigc_lsp.service import remote

    return remote.connect(config)


async def _ready_client(config: Any) -> Any:
    """A client of a model server that is loaded, started and waited for where that is needed."""
    from aigc_lsp.service import life
    from aigc_lsp.terminal import ProgressBar

    client = life.connect()
    try:
        with ProgressBar() as bar:
            await life.attach(client, {}, config.engine.start)
            async for health in life.follow(client, config.model):
                bar.report_health(health)
    except BaseException:
        await client.close()
        raise
    return client


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 1) if isinstance(value, float) else value for key, value in values.items()}
