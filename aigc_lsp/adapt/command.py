"""`aigc-lsp finetune` and `aigc-lsp distill`: data and a model on this machine in, a model that can be used out."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs
import torch
from tokenizers import Tokenizer

from aigc_lsp import catalogue
from aigc_lsp.adapt import report
from aigc_lsp.adapt.examples import Tokens, rendered
from aigc_lsp.adapt.loop import Run, Say, Steps, train
from aigc_lsp.adapt.network import Network, load
from aigc_lsp.adapt.register import register
from aigc_lsp.adapt.settings import Settings
from aigc_lsp.catalogue import Model
from aigc_lsp.dataset import example as rows
from aigc_lsp.engine import adapter
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.errors import UsageError

PER_PART_ON_A_GPU = 16_384
"""Tokens: there one worker reads a whole step at once."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`packed`, and `teacher_packed`, are the folders of models as `models pull` leaves them; `folder` is to become the
    new model, `run` holds the checkpoint. `begin`: the model of the same base whose adapter is trained on; `enough`:
    train no further, make a model of what the run has; `last`: of its last step, not its best."""

    base: Model
    packed: Path
    data: Path
    folder: Path
    run: Path
    settings: Settings
    teacher: Model | None = None
    teacher_packed: Path | None = None
    begin: Model | None = None
    enough: bool = False
    last: bool = False


def place_of(name: str, run: Path | None) -> tuple[Path, Path]:
    """The new model's folder and the run's: a bare name goes where the user's own models are. Raises `UsageError` for
    what ends in no name."""
    given = Path(name)
    if not given.name or given.name.startswith("."):
        raise UsageError(f"{name!r} is no name for a model. Name one after --out, or the folder that it becomes.")
    folder = given.absolute() if given.name != name else _own_models() / name
    return folder, run or platformdirs.user_state_path("aigc-lsp") / "runs" / folder.name


def is_own(folder: Path) -> bool:
    """It lies where the catalogue finds the user's own models."""
    return folder.parent.resolve() == _own_models().resolve()


def check_free(folder: Path, base: Model) -> None:
    """Raises `UsageError` where `folder` cannot become a model that is `base` with an adapter: its name is that of
    another one, which would be lost or hidden."""
    name = folder.name
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder. Name another after --out.")
    if name == base.name:
        raise UsageError(f"{name} with an adapter needs a name of its own. Name another after --out.")
    if not is_own(folder):
        return
    if name in catalogue.names(shipped=True):
        raise UsageError(f"{name} is a model that is shipped. Name another after --out, or a folder elsewhere.")
    if name in catalogue.names():
        found = catalogue.load(name).adapter
        if found is None or found.base != base.name:
            raise UsageError(
                f"{name} is already a model, and not {base.name} with an adapter. Name another after --out."
            )


def _own_models() -> Path:
    return platformdirs.user_config_path("aigc-lsp") / "models"


def on_device(settings: Settings, device: str, workers: int | None) -> Settings:
    """`device`: auto, cpu or cuda."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("This torch sees no GPU. Leave --device out to train on the processor.")
    if device == "cuda":
        return replace(settings, device=device, workers=1, tokens_per_part=PER_PART_ON_A_GPU)
    return replace(settings, device=device, workers=workers or torch.get_num_threads())


def finetune(asked: Asked, say: Say) -> Path | None:
    """Train, from the beginning or from where the run stopped. The new descriptor; None where it was told to stop
    (SIGTERM or SIGINT: the checkpoint is written first)."""
    settings = asked.settings
    if asked.teacher_packed is not None:
        check_same_tokenizer(asked.packed, asked.teacher_packed)
    vocabulary = Vocabulary.load(asked.packed)
    texts, held, counts = texts_of(asked, vocabulary)
    network, settings = beginning(asked)
    teacher = load(asked.teacher_packed, settings.device) if asked.teacher_packed else None
    identity, before = identity_of(asked), before_of(asked)
    run = Run(network, vocabulary, texts, held, settings, asked.run, identity, teacher, asked.enough, asked.last)
    say(_begins(run, counts))
    with _asked_to_stop() as stopped:
        state, ended = train(run, say, stopped)
    if not ended:
        say(f"stopped at step {state.step}; the same command goes on from there")
        return None
    if held and state.best_step == 0 and not asked.last:
        say("what is held out was said best before the first step: nothing was learnt; more data, or a lower --rate")
    found = report.as_json(state, settings, identity, counts, before)
    return register(asked.folder, asked.base, network, found, report.curve(state))


def beginning(asked: Asked) -> tuple[Network, Settings]:
    """The network before the first step, and the settings with the rank that it has."""
    settings = asked.settings
    network = load(asked.packed, settings.device, settings.rank, settings.alpha)
    network.saves_memory = settings.saves_memory
    if settings.full:
        network.add_differences()
    elif asked.begin is None or asked.begin.adapter is None:
        network.add_adapters(settings.seed)
    else:
        found = adapter.read(network.weights, asked.begin.adapter.file, asked.base.name, asked.base.sha256)
        network.take_adapters(*found)
        settings = replace(settings, rank=network.rank, alpha=network.scale * network.rank)
    return network, settings


def texts_of(asked: Asked, vocabulary: Vocabulary) -> tuple[list[Tokens], list[Tokens], dict[str, Any]]:
    """What is trained on, what is held out, and what the report says of them."""
    settings = asked.settings
    texts, skipped = rendered(rows.read(asked.data, "train"), asked.base, vocabulary, settings.longest)
    if not texts:
        raise UsageError(f"{asked.data} has no example of at most {settings.longest} tokens; raise --longest.")
    candidates = list(rows.read(asked.data, "held")) if "held" in rows.splits(asked.data) else []
    random.Random(settings.seed).shuffle(candidates)
    held, _ = rendered(candidates[: settings.evaluate_rows], asked.base, vocabulary, settings.longest)
    counts = {
        "examples": len(texts),
        "left_out_as_too_long": skipped,
        "tokens": sum(len(text.ids) for text in texts),
        "held_out_examples": len(held),
        "languages": dict(Counter(text.language for text in texts).most_common()),
        "kinds": dict(Counter(text.kind for text in texts).most_common()),
    }
    return texts, held, counts


def before_of(asked: Asked) -> dict[str, Any] | None:
    """The report of the run that made the adapter which is trained further. To be read before that run's folder may
    become this one's."""
    return report.read(asked.begin.adapter.file.parent) if asked.begin and asked.begin.adapter else None


def identity_of(asked: Asked) -> dict[str, Any]:
    """What a run is of: another model, or other data, is another run."""
    digest = hashlib.sha256()
    for split in rows.splits(asked.data):
        for path in rows.shards(asked.data, split):
            digest.update(path.read_bytes())
    found = {"base": asked.base.name, "base_sha256": asked.base.sha256, "data_sha256": digest.hexdigest()}
    if asked.begin is not None and asked.begin.adapter is not None:
        found |= {"begin": asked.begin.name, "begin_sha256": asked.begin.adapter.sha256}
    return found | ({"teacher": asked.teacher.name, "teacher_sha256": asked.teacher.sha256} if asked.teacher else {})


def check_same_tokenizer(student: Path, teacher: Path) -> None:
    """Raises `UsageError` unless the two read every text as the same tokens: their probabilities are compared token by
    token."""
    first, second = (_tokenizer(folder) for folder in (student, teacher))
    if first != second:
        raise UsageError(
            "The teacher and the student split text into different tokens, so the one cannot say how likely the "
            "other's are. Take two models of one family."
        )


def _tokenizer(folder: Path) -> Any:
    """All that decides how text becomes tokens. What fills a matrix up ("[PAD151665]") is no text's token."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    content = json.loads(tokenizer.to_str())
    words = {word: id for word, id in tokenizer.get_vocab().items() if word != f"[PAD{id}]"}
    return words, content["model"].get("merges"), content["pre_tokenizer"], content["normalizer"]


def _begins(run: Run, counts: dict[str, Any]) -> str:
    settings, trained = run.settings, sum(parameter.numel() for parameter in run.network.parameters())
    which = "in whole matrices" if settings.full else f"of rank {settings.rank}"
    return (
        f"{counts['examples']:,} examples, {counts['tokens']:,} tokens; {counts['held_out_examples']} held out; "
        f"{len(Steps(run.train, settings)):,} steps of {settings.tokens_per_step:,} tokens; {trained:,} parameters "
        f"{which} on {settings.device} with {settings.workers} workers"
    )


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """True from the moment on at which the process is asked to end; a second time ends it at once."""
    asked = threading.Event()

    def stop(number: int, frame: object) -> None:
        asked.set()
        signal.signal(number, signal.SIG_DFL)

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
