"""How good what it writes is."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from aigc_lsp.cli.app import Json, configuration, eval_app, say, show
from aigc_lsp.cli.backend import ready_backend
from aigc_lsp.errors import UsageError


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
        problems = humaneval.problems(projects.default_folder(), say)
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
    languages: Annotated[
        str | None, typer.Option(help="Only rows of these languages, such as javascript,typescript.")
    ] = None,
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
    from aigc_lsp.syntax import language_of
    from aigc_lsp.terminal import track

    if compare not in (None, "orders"):
        raise UsageError(f"--compare knows `orders`, not {compare!r}.")
    if compare and (order is not None or heal is not None):
        raise UsageError("--compare goes through the orders and healing itself: leave out --order and --heal.")
    if compare and polish:
        raise UsageError("--compare and --polish are two tables: ask for one of them.")
    if against and (compare or polish or run_tests):
        raise UsageError("--against is a table of its own: leave out --compare, --polish and --run-tests.")
    rows, config = held_rows(data) if data.is_dir() else read_rows(data), configuration()
    if kinds and not (rows := [row for row in rows if row.kind in kinds.split(",")]):
        raise UsageError(f"{data} has no rows of the kinds {kinds}.")
    if languages and not (rows := [row for row in rows if language_of(row.path) in languages.split(",")]):
        raise UsageError(f"{data} has no rows of the languages {languages}.")
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

    config = configuration()
    usual = repo.usual(config)
    variants = [repo.variant_named(said, usual) for said in variant or ("alone", "all")]
    chosen = catalogue.load(model or config.model)
    repo_prompts.check(variants, chosen)
    asked = repo.ask(sources.trees(projects or ["design"], into or sources.default_folder(), say), per_project, seed)
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

    config, folder = configuration(), into or sources.default_folder()
    asked = bench.gather(count, seed, folder, styles or (), say)
    if dry_run:
        for project in dict.fromkeys(case.project for case in asked):
            mine = [case for case in asked if case.project == project]
            five = sum(case.parameters == 5 for case in mine)
            print(f"{project}: {len(mine)} {mine[0].convention}, {five} of them with five parameters")
        return
    log = bench.Log(out, {"model": config.engine.url or config.model})
    eslint = bench.check_tools(asked, folder)

    async def work() -> Any:
        backend = await ready_backend(config)
        try:
            return await bench.run(asked, backend, config, log, eslint, track)
        finally:
            await backend.close()

    outcomes = asyncio.run(work())
    found = bench.report(outcomes, machine.describe(config.model, catalogue.load(config.model).sha256))
    if as_json:
        print(json.dumps(found.to_json() | {"rows": [dataclasses.asdict(each) for each in outcomes]}))
    else:
        show(found, False)
