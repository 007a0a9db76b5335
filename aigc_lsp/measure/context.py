"""What context costs while somebody types: `aigc-lsp bench context`.

In this process, as the language server does it, functions of a long file in an indexed repository are taken out and
typed again, key by key; a backend that answers nothing notes when it is asked, and what. The repository is made of
copies of Python's own library, so that it is real code and always the same on one machine.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import statistics
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count, islice, pairwise
from pathlib import Path
from typing import Any

import psutil

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.errors import AigcError, ModelMissing, UsageError
from aigc_lsp.gather.gatherer import Gatherer
from aigc_lsp.index.workspace import Workspace
from aigc_lsp.measure import machine
from aigc_lsp.measure.figures import Bound, Figure, Report, figure, missing, percentile
from aigc_lsp.measure.repo import TWO_CORES
from aigc_lsp.pipeline import complete
from aigc_lsp.prompt.infill import Encoding, ExtraFile, Hole, render
from aigc_lsp.server.session import EDIT_SECONDS, parse, within
from aigc_lsp.service.wire import ChatRequest, Health, InfillPiece, InfillRequest, PromptRequest
from aigc_lsp.text import Edit, Span, Text
from aigc_lsp.weights.store import Store

LINES = 5000
"""At least so many has the file that is typed in."""
JOINED = ("argparse", "tarfile", "doctest", "subprocess", "inspect", "pickle")
"""Modules that it is made of, as many as it takes. They are nowhere else: each would be its own answer."""
BESIDE = 3
"""Documents that are open, too."""
LEAST_TYPED, MOST_TYPED = 600, 1600
"""Characters of a function that is typed."""
LOOK_KEYS = 100
"""After so many keys somebody stops for a moment: what the document defines is looked at, and the disk."""
PAUSE_SECONDS = 0.005
"""Between two keys: short beside a person's, long enough for what is read behind his back to get its turns."""
HEALED = 8
"""Tokens at the end of a prompt that may be others at the next key: those of the word that is being typed."""
INDEX_SECONDS = 600.0
SAMPLE_SECONDS = 0.02

_NOT_COPIED = {"test", "tests", "idlelib", "lib2to3", "site-packages", "dist-packages", "turtledemo", "__pycache__"}

Said = Callable[[str], None]


def run(config: Config, files: int = 2000, repeats: int = 3, say: Said = lambda _: None) -> Report:
    """All figures. `repeats`: functions that are typed, and times that Python's library is indexed."""
    library = Path(sysconfig.get_path("stdlib"))
    indexed = [_apart(library, say) for _ in range(repeats)]
    with tempfile.TemporaryDirectory(prefix="aigc-bench-") as folder:
        say(f"making a repository of {files:,} files")
        large = lay_out(Path(folder).resolve(), library, files)
        runs = asyncio.run(_typed(large, config, repeats, say))
    say("turning requests into tokens")
    model = catalogue.load(config.model)
    found = [*keystrokes(runs), *index_figures(indexed), prefix_figure(runs, model)]
    facts = {"files": files, "lines": runs[0].lines}
    return Report(tuple(found), machine.describe(model.name, model.sha256) | facts)


# The repository


def lay_out(root: Path, library: Path, files: int) -> Path:
    """So many files below `root`: the modules of `library` as those of a package `lib0`, once more as those of `lib1`,
    and so on; and the long file, which is returned."""
    sources = {path: said for path in _modules(library) if (said := _read(library / path)) is not None}
    joined = {f"{name}.py" for name in JOINED}
    names = {path.split("/")[0].removesuffix(".py") for path in sources}
    large, lines = root / "lib0" / "large.py", list[str]()
    for name in JOINED:
        if len(lines) < LINES:
            lines += rewritten(sources.get(f"{name}.py", ""), names, "lib0").split("\n")
    copied = {path: said for path, said in sources.items() if path not in joined}
    wanted = islice(((f"lib{at}", path) for at in count() for path in copied), files - 1)
    for package, path in wanted:
        _write(root / package / path, rewritten(copied[path], names, package))
    _write(large, "\n".join(lines))
    return large


_IMPORT = re.compile(
    r"^(?P<verb>[ \t]*(?:from|import)[ \t]+)(?P<modules>\w[\w.]*(?:[ \t]*,[ \t]*\w[\w.]*)*)(?P<rest>[^\n]*)$",
    re.MULTILINE,
)


def rewritten(source: str, names: set[str], package: str) -> str:
    """`source` where the modules in `names` are imported from `package`, under the names that they had."""

    def moved(module: str, is_renamed: bool) -> str:
        if module.split(".")[0] not in names:
            return module
        return f"{package}.{module}" + ("" if is_renamed or "." in module else f" as {module}")

    def line(match: re.Match[str]) -> str:
        is_renamed = "from" in match["verb"] or match["rest"].lstrip().startswith("as ")
        modules = [moved(each.strip(), is_renamed) for each in match["modules"].split(",")]
        return match["verb"] + ", ".join(modules) + match["rest"]

    return _IMPORT.sub(line, source)


def _modules(library: Path) -> list[str]:
    """Paths relative to `library`, those of whole modules first, then those of packages."""
    found = [path.relative_to(library) for path in library.rglob("*.py")]
    kept = [path for path in found if not _NOT_COPIED.intersection(path.parts) and "-" not in path.parts[0]]
    return sorted((path.as_posix() for path in kept), key=lambda path: ("/" in path, path))


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def _write(path: Path, said: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(said, encoding="utf-8", newline="\n")


# Typing


@dataclass(slots=True)
class Typed:
    """What typing one function took, in milliseconds for each key, and the requests that it led to."""

    lines: int
    reparse_ms: list[float] = field(default_factory=list)
    gather_ms: list[float] = field(default_factory=list)
    requests: list[InfillRequest] = field(default_factory=list)


class Noting:
    """A backend that answers nothing: `asked` has each request, with the time at which it came."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, InfillRequest]] = []

    @asynccontextmanager
    async def infill(self, request: InfillRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        self.asked.append((time.perf_counter(), request))
        yield _nothing()

    @asynccontextmanager
    async def write(self, request: PromptRequest | ChatRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        yield _nothing()

    def watch(self) -> AsyncIterator[Health]:
        return _nothing()

    async def close(self) -> None:
        self.asked.clear()


async def _nothing() -> AsyncIterator[Any]:
    pieces: tuple[Any, ...] = ()
    for piece in pieces:
        yield piece


async def _typed(large: Path, config: Config, repeats: int, say: Said) -> list[Typed]:
    """Functions of the long file, one after the other."""
    workspace = Workspace()
    try:
        say("indexing it")
        await workspace.serve([str(large.parent.parent)])
        await _complete(workspace)
        gatherer = Gatherer(workspace)
        for path in sorted(large.parent.glob("*.py"))[:BESIDE]:
            await _open(gatherer, path)
        document = await _open(gatherer, large)
        runs = []
        for number, span in enumerate(functions(document, repeats), start=1):
            say(f"typing function {number} of {repeats}")
            runs.append(await type_again(document, span, gatherer, workspace, config))
        return runs
    finally:
        await workspace.close()


async def _open(gatherer: Gatherer, path: Path) -> Document:
    text = Text(path.read_text(encoding="utf-8"))
    document = Document(path.as_uri(), str(path), "python", 0, text, parse("python", text))
    gatherer.opened(document)
    await _know(gatherer, document)
    return document


async def _know(gatherer: Gatherer, document: Document) -> None:
    """As the language server does when nothing was typed for a moment."""
    if document.tree is not None and not document.tree.has_errors:
        gatherer.knows(document, await asyncio.to_thread(document.tree.symbols))


def functions(document: Document, wanted: int) -> list[Span]:
    """Of so many functions of the document, evenly apart, where they stand. Raises `UsageError` where it has none."""
    tree, length = document.tree, len(document.text)
    found = [
        each.span
        for each in (tree.definitions() if tree is not None else ())
        if each.kind in ("function", "method") and LEAST_TYPED <= len(each.span) <= MOST_TYPED
    ]
    if not found:
        raise UsageError("Python's own library is not on this machine as source, so there is nothing to type.")
    places = (length * (number + 1) // (wanted + 1) for number in range(wanted))
    return [min(found, key=lambda span: abs(span.start - place)) for place in places]


def keys(text: str) -> list[str]:
    """`text` as it is typed: Enter brings the indentation along."""
    return re.findall(r"\n[ \t]*|[^\n]", text)


async def type_again(document: Document, span: Span, gatherer: Gatherer, workspace: Workspace, config: Config) -> Typed:
    """Take `span` out of the document and type it, asking for a completion after each key."""
    said, offset = document.text.slice(span), span.start
    found, backend = Typed(document.text.line_count), Noting()
    document = _changed(document, Edit(span, ""), gatherer, Typed(0))
    await _know(gatherer, document)
    for number, key in enumerate(keys(said), start=1):
        await asyncio.sleep(PAUSE_SECONDS)
        document = _changed(document, Edit(Span(offset, offset), key), gatherer, found)
        offset += len(key)
        began, before = time.perf_counter(), len(backend.asked)
        await complete(document, offset, backend, config, gatherer=gatherer, health=TWO_CORES)
        found.gather_ms += [(at - began) * 1e3 for at, _ in backend.asked[before:]]
        if number % LOOK_KEYS == 0:
            await _know(gatherer, document)
            workspace.look()
    found.requests = [request for _, request in backend.asked]
    return found


def _changed(before: Document, edit: Edit, gatherer: Gatherer, took: Typed) -> Document:
    """The document after `edit`, as `session.change` brings it up to date."""
    text, tree = before.text.apply(edit), None
    if before.tree is not None:
        began = time.perf_counter()
        tree = before.tree.edit([edit], text, within(EDIT_SECONDS))
        took.reparse_ms.append((time.perf_counter() - began) * 1e3)
    # One for which there was no time is made anew while nobody waits.
    after = replace(before, version=before.version + 1, text=text, tree=tree or parse(before.language, text))
    gatherer.changed(before, after, [edit])
    return after


def keystrokes(runs: Sequence[Typed]) -> list[Figure]:
    def of(name: str, samples: list[float], most: float) -> Figure:
        middle, largest = statistics.median(samples), max(samples)
        note = f"{len(samples):,} keys; median {middle:.1f} ms, at most {largest:.1f}"
        return figure(name, "ms", samples, Bound("≤", most, "ours"), percentile(0.95), note)

    return [
        of("key to request, p95", [ms for run in runs for ms in run.gather_ms], 10),
        of("reparse for a key, p95", [ms for run in runs for ms in run.reparse_ms], 3),
    ]


# The prompt's prefix


def prefix_figure(runs: Sequence[Typed], model: catalogue.Model) -> Figure:
    """At how many keys the prompt begins with the one before, but for the word that is being typed."""
    name, must = "prompt goes on from the one before", Bound("≥", 95, "ours")
    try:
        vocabulary = _vocabulary(model)
    except ModelMissing:
        return missing(name, must, f"{model.name} is not on this machine; `aigc-lsp models pull {model.name}`")
    shares, causes, again = [], Counter[str](), list[int]()
    for run in runs:
        prompts = [_tokens(request, model, vocabulary) for request in run.requests]
        kept = [_common(old, new) for old, new in pairwise(prompts)]
        broken = [at for at, (old, same) in enumerate(zip(prompts, kept, strict=False)) if same < len(old) - HEALED]
        shares.append(100 * (1 - len(broken) / max(1, len(kept))))
        causes.update(cause(*run.requests[at : at + 2]) for at in broken)
        again += [len(prompts[at + 1]) - kept[at] for at in broken]
    said = ", ".join(f"{each} {times}" for each, times in causes.most_common()) or "nothing"
    note = f"of {sum(len(run.requests) - 1 for run in runs):,} keys others changed it by: {said}"
    if again:
        note += f"; then {statistics.median(again):.0f} tokens are read anew in the median"
    return figure(name, "%", shares, must, statistics.mean, note)


_PATH = re.compile(r"^[ \t]*# Path: .*$", re.MULTILINE)


def cause(old: InfillRequest, new: InfillRequest) -> str:
    """What of a request changed the prompt in front of what was typed."""
    if old.input_extra != new.input_extra:
        return "snippets in front"
    if old.input_suffix != new.input_suffix:
        return "suffix"
    if old.input_head != new.input_head:
        return "head"
    if _PATH.findall(old.input_prefix) != _PATH.findall(new.input_prefix):
        return "late snippets"
    return "shortening" if new.input_prefix.startswith(old.input_prefix) else "window edge"


def _vocabulary(model: catalogue.Model) -> Encoding:
    folder = Store().check_packed(model)

    from aigc_lsp.engine.vocabulary import Vocabulary

    return Vocabulary.load(folder)


def _tokens(request: InfillRequest, model: catalogue.Model, vocabulary: Encoding) -> tuple[int, ...]:
    """As the model server renders it."""
    extra = tuple(ExtraFile(path, text) for path, text in request.input_extra)
    return render(
        Hole(request.input_prefix, request.input_suffix, extra, request.filename, request.input_head),
        model.fim,
        model.files,
        vocabulary,
        prefix_budget=request.prefix_tokens or 0,
        suffix_budget=request.suffix_tokens or 0,
        extra_budget=request.extra_tokens or 0,
    ).tokens


def _common(old: Sequence[int], new: Sequence[int]) -> int:
    """How many tokens both begin with."""
    return next(
        (at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new))
    )


# The index


@dataclass(frozen=True, slots=True)
class Indexed:
    """Seconds of a processor, here and in the worker, and of the clock; bytes that this process has grown by, and the
    most that the worker had."""

    files: int
    cpu_seconds: float
    seconds: float
    grown_bytes: int
    worker_bytes: int


def _apart(library: Path, say: Said) -> Indexed:
    """In a process of its own, whose memory nothing was freed in before."""
    say(f"indexing {library}")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(index, library).result()


def index(library: Path) -> Indexed:
    """Index `library`, but for what was installed into it."""
    return asyncio.run(_index(library))


async def _index(library: Path) -> Indexed:
    own, workspace = psutil.Process(), Workspace()
    worker_bytes, worker_cpu = 0, 0.0
    began, before, cpu = time.perf_counter(), own.memory_info().rss, time.process_time()
    await workspace.serve([str(library)], ["site-packages", "dist-packages"])
    try:
        ready = asyncio.create_task(_complete(workspace))
        while not ready.done():
            for child in own.children():
                try:
                    worker_bytes = max(worker_bytes, child.memory_info().rss)
                    worker_cpu = max(worker_cpu, sum(child.cpu_times()[:2]))
                except psutil.Error:
                    pass  # it ended just now
            await asyncio.wait([ready], timeout=SAMPLE_SECONDS)
        await ready
        seconds, grown = time.perf_counter() - began, own.memory_info().rss - before
        return Indexed(len(workspace), time.process_time() - cpu + worker_cpu, seconds, grown, worker_bytes)
    finally:
        await workspace.close()


async def _complete(workspace: Workspace) -> None:
    try:
        async with asyncio.timeout(INDEX_SECONDS):
            while not workspace.is_complete:
                await asyncio.sleep(SAMPLE_SECONDS)
    except TimeoutError:
        raise AigcError(f"It cannot be indexed. {workspace.note or 'That takes too long.'}") from None


def index_figures(runs: Sequence[Indexed]) -> list[Figure]:
    clock = statistics.median(run.seconds for run in runs)
    own, worker = (
        statistics.median(values) / 1e6 for values in zip(*((r.grown_bytes, r.worker_bytes) for r in runs), strict=True)
    )
    name = "index of Python's library"
    return [
        figure(
            f"{name}, processor time",
            "s",
            [run.cpu_seconds for run in runs],
            Bound("≤", 60, "ours"),
            note=f"{runs[0].files:,} files, {clock:.1f} s on the clock",
        ),
        figure(
            f"{name}, memory",
            "MB",
            [(run.grown_bytes + run.worker_bytes) / 1e6 for run in runs],
            Bound("≤", 200, "ours"),
            note=f"{own:.0f} MB that stay, and {worker:.0f} in the worker, which ends",
        ),
    ]
