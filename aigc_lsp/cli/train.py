"""Training data, and models trained on them."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from aigc_lsp.cli.app import app, configuration, dataset_app
from aigc_lsp.errors import UsageError

Data = Annotated[Path, typer.Option(help="A folder that `aigc-lsp dataset build` made.")]
Out = Annotated[str, typer.Option(metavar="NAME", help="The new model's name, or the folder that it becomes.")]
Run = Annotated[Path | None, typer.Option(help="Where the checkpoint lies; else among the user's state.")]
Full = Annotated[
    bool, typer.Option("--full", help="Train whole matrices, no adapter: 15 GB of memory for a model of 0.5 B.")
]
Rank = Annotated[int | None, typer.Option(min=1, max=256, help="The adapters' rank; else 16.")]
Rate = Annotated[
    float | None, typer.Option(min=1e-7, max=1.0, help="The highest learning rate; else 2e-4, 2e-5 with --full.")
]
TokensPerStep = Annotated[int, typer.Option(min=64)]
MaxTokens = Annotated[int, typer.Option(min=0, help="Stop behind so many; 0: as --epochs says.")]
Epochs = Annotated[int, typer.Option(min=1)]
Longest = Annotated[int, typer.Option(min=32, help="Leave out examples of more tokens.")]
EvaluateEvery = Annotated[int, typer.Option(min=1, metavar="STEPS")]
EvaluateRows = Annotated[int, typer.Option(min=1, help="Held-out examples that are judged each time.")]
Patience = Annotated[int, typer.Option(min=0, help="Evaluations without a better one before it ends; 0: never.")]
Seed = Annotated[int, typer.Option(min=0)]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processor cores; all unless given.")]
SaveMemory = Annotated[bool, typer.Option("--save-memory", help="Compute twice instead of keeping.")]
Enough = Annotated[
    bool, typer.Option("--enough", help="Train no further: make the model of what the stopped run has learnt.")
]
Last = Annotated[
    bool,
    typer.Option("--last", help="Keep the last step, as to train it further; else what did best on what is held out."),
]


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
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="More, one on a line, with `train` or `held` behind it where that is not drawn; # begins a comment.",
        ),
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
        bool | None,
        typer.Option(
            "--decontaminate/--no-decontaminate",
            help="Leave out what shares 13 words in a row with what `eval` and `replay` measure with, which is fetched "
            "for that; unless given, not with --any-licence.",
        ),
    ] = None,
) -> None:
    """Make training data for `finetune`: holes in source code, with what a model would be shown around them.

    Taken is code under a permissive licence, written by hand, without secrets, and nothing twice; whole projects are
    held out. `sources.json` in the folder says what was taken, `statistics.html` what came of it.
    """
    from aigc_lsp.dataset import command
    from aigc_lsp.dataset.build import Options

    wanted = dict.fromkeys(sources or ()) | (command.sources_in(source_list) if source_list else {})
    if not wanted:
        raise UsageError("Name the code to learn from: a folder, a package, or a list of them with --from.")
    shares = command.shares_of(share or ())
    options = Options(examples, held_examples, held, shares, seed, with_mpl, any_licence)
    clean = not any_licence if decontaminate is None else decontaminate
    command.run(wanted, out, options, lambda said: print(said, file=sys.stderr), clean)
    print(command.told(out))


@dataset_app.command("stats")
def dataset_stats(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `aigc-lsp dataset build` made.")],
) -> None:
    """Count what training data holds, and draw it as `statistics.html` beside it."""
    from aigc_lsp.dataset import command

    print(command.told(folder))


@app.command()
def finetune(
    data: Data,
    out: Out,
    model: Annotated[str | None, typer.Option(help="The model to train; else the configured one.")] = None,
    run: Run = None,
    full: Full = False,
    rank: Rank = None,
    rate: Rate = None,
    tokens_per_step: TokensPerStep = 4096,
    max_tokens: MaxTokens = 0,
    epochs: Epochs = 1,
    longest: Longest = 1024,
    evaluate_every: EvaluateEvery = 100,
    evaluate_rows: EvaluateRows = 200,
    patience: Patience = 0,
    seed: Seed = 1,
    device: Device = "auto",
    workers: Workers = None,
    save_memory: SaveMemory = False,
    enough: Enough = False,
    last: Last = False,
) -> None:
    """Train an adapter for a model on your own code; the result is a model that can be used at once.

    Where the model is itself another's with an adapter, that adapter is trained further.

    Stopped with Ctrl-C, or killed, the same command goes on where it was; with --enough it ends there.
    """
    _train(
        model or configuration().model, None, data, out, run, full, rank, rate, device, workers, enough, last,
        tokens_per_step=tokens_per_step, max_tokens=max_tokens, epochs=epochs, longest=longest,
        evaluate_every=evaluate_every, evaluate_rows=evaluate_rows, patience=patience, seed=seed,
        saves_memory=save_memory, teacher_share=0.0,
    )  # fmt: skip


@app.command()
def distill(
    teacher: Annotated[str, typer.Option(help="The model to learn from, of the same family.")],
    student: Annotated[str, typer.Option(help="The model to train.")],
    data: Data,
    out: Out,
    share: Annotated[float, typer.Option(min=0.0, max=1.0, help="Of the loss that is the teacher's part.")] = 0.5,
    temperature: Annotated[float, typer.Option(min=0.1, max=20.0)] = 2.0,
    run: Run = None,
    full: Full = False,
    rank: Rank = None,
    rate: Rate = None,
    tokens_per_step: TokensPerStep = 4096,
    max_tokens: MaxTokens = 0,
    epochs: Epochs = 1,
    longest: Longest = 1024,
    evaluate_every: EvaluateEvery = 100,
    evaluate_rows: EvaluateRows = 200,
    patience: Patience = 0,
    seed: Seed = 1,
    device: Device = "auto",
    workers: Workers = None,
    save_memory: SaveMemory = False,
    enough: Enough = False,
    last: Last = False,
) -> None:
    """Train an adapter as `finetune` does, to say what a larger model finds likely as well as what is true."""
    _train(
        student, teacher, data, out, run, full, rank, rate, device, workers, enough, last,
        tokens_per_step=tokens_per_step, max_tokens=max_tokens, epochs=epochs, longest=longest,
        evaluate_every=evaluate_every, evaluate_rows=evaluate_rows, patience=patience, seed=seed,
        saves_memory=save_memory, teacher_share=share, temperature=temperature,
    )  # fmt: skip


def _train(
    model: str,
    teacher: str | None,
    data: Path,
    out: str,
    run: Path | None,
    full: bool,
    rank: int | None,
    rate: float | None,
    device: str,
    workers: int | None,
    enough: bool,
    last: bool,
    **others: Any,
) -> None:
    """`others`: settings as they are given."""
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
    base, begin = catalogue.load(model), None
    if base.adapter is not None:
        if full or rank is not None:
            raise UsageError(
                f"{base.name} has an adapter, of a rank of its own, that would be trained further. Leave --full and "
                f"--rank out, or name {base.adapter.base}."
            )
        base, begin = catalogue.load(base.adapter.base), base
    folder, state = command.place_of(out, run)
    command.check_free(folder, base)
    usual = FULL if full else Settings()
    rank = rank or usual.rank
    settings = dataclasses.replace(
        usual, rank=rank, alpha=2.0 * rank, learning_rate=rate or usual.learning_rate, **others
    )
    taught_by = catalogue.load(teacher) if teacher else None
    with ProgressBar() as bar:
        folders = [prepare(each, Store(), download=True, report=bar.report) for each in (base, taught_by) if each]
    asked = command.Asked(
        base, folders[0], data, folder, state, command.on_device(settings, device, workers), taught_by,
        folders[1] if taught_by else None, begin, enough, last,
    )  # fmt: skip
    descriptor = command.finetune(asked, lambda said: print(said, flush=True))
    if descriptor is None:
        raise typer.Exit(1)
    print(f"The model is in {descriptor.parent}.")
    if command.is_own(folder):
        print(f'Use it: `aigc-lsp models pull {folder.name}`, and `model = "{folder.name}"` in your settings.')
