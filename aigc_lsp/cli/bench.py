"""How fast it is, and what it is like to type with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from aigc_lsp.cli.app import Json, app, bench_app, configuration, say, show
from aigc_lsp.errors import UsageError


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

    show(bench.run(configuration().model, repeats, peer or (), only or (), say), as_json)


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

    show(bench.run(configuration().model, repeats, windows, say), as_json)


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

    show(bench.run(configuration(), files, repeats, say), as_json)


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
    found = bench.run(
        what, wanted, typing, model or configuration().model, into or sources.default_folder(), peer, log, say
    )
    if json_file is not None:
        json_file.write_text(json.dumps(found.to_json()), encoding="utf-8")
    if html is not None:
        html.write_text(page(found), encoding="utf-8")
    figures.show(found.report)
