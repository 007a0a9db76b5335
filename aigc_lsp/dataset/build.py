"""Training data from source trees: `aigc-lsp dataset build`.

    trees → licence → files by hand, of this licence, not seen before → projects held out → how many of each language
    → holes → windows → nothing that models are measured with → shards

What comes out depends on the trees and the options alone.
"""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from aigc_lsp.dataset import example as rows
from aigc_lsp.dataset.cuts import cut, kind_by
from aigc_lsp.dataset.example import Example, Split
from aigc_lsp.dataset.fetch import Tree
from aigc_lsp.dataset.files import File, files, has_secrets, source
from aigc_lsp.dataset.licences import is_taken, licence_of
from aigc_lsp.dataset.near import Seen
from aigc_lsp.dataset.overlap import Measured
from aigc_lsp.dataset.snippets import Table
from aigc_lsp.dataset.windows import example
from aigc_lsp.errors import UsageError
from aigc_lsp.syntax.parts import parts

PER_FILE = 6
"""Holes of one file, at most."""
PER_TREE = 250
"""Files of one language of a tree, at most: the large should not be all there is."""
_MISSES = 2  # times as many holes are tried as are wanted of a file

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """`examples` and `held_examples` are how many rows are wanted; `shares` the percentages of languages that are
    named, the others share the rest equally. `held` is the share of projects that is held out; 1: all
    is to judge with."""

    examples: int = 25_000
    held_examples: int = 3_000
    held: float = 0.12
    shares: Mapping[str, float] = field(default_factory=dict)
    seed: int = 1
    with_mpl: bool = False
    any_licence: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Project:
    """A tree of which something is taken."""

    tree: Tree
    licence: str
    files: tuple[File, ...]
    split: Split = "train"

    @property
    def name(self) -> str:
        return self.tree.name


@dataclass(slots=True)
class Counts:
    """Why trees, files and holes were left out."""

    trees: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    holes: Counter[str] = field(default_factory=Counter)


def build(
    trees: Sequence[Tree],
    into: Path,
    options: Options,
    measured: Measured,
    say: Say,
    sides: Mapping[str, Split] = {},
) -> None:
    """Write the data into the folder `into`, which must not hold any; it is there whole or not at all. `sides` are
    those of trees, by name, that are not drawn. Raises `UsageError`."""
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise UsageError(f"{into} holds something already. Name a folder that is empty or not there.")
    counts = Counts()
    found = split(list(projects(trees, options, counts, say)), options, sides)
    needed: Split = "held" if options.held == 1 else "train"
    if not any(project.files and project.split == needed for project in found):
        raise UsageError("Nothing is left to learn from: no tree has files that may be taken. " + _told(counts))
    into = into.resolve()
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=f".{into.name}-") as scratch:
        folder = Path(scratch, "data")
        folder.mkdir()
        _write(folder, found, options, measured, counts, say)
        if into.is_dir():
            into.rmdir()  # empty; Windows does not rename over it
        folder.rename(into)


def _write(
    folder: Path, found: Sequence[Project], options: Options, measured: Measured, counts: Counts, say: Say
) -> None:
    wanted: dict[Split, int] = {"train": options.examples, "held": options.held_examples}
    written: dict[Split, int] = {}
    for name, count in wanted.items():
        own = [project for project in found if project.split == name]
        made = list(examples(own, count, options, measured, counts, say))
        random.Random(f"{options.seed} {name}").shuffle(made)
        rows.write(folder, name, made)
        written[name] = len(made)
        say(f"{name}: {len(made)} examples of {len(own)} projects")
    _write_json(folder / "sources.json", [_described(project) for project in found])
    (folder / "sources.txt").write_text("".join(_listed(found)), encoding="utf-8")
    _write_json(
        folder / rows.ABOUT,
        {
            "format": rows.FORMAT,
            "examples": written,
            "options": asdict(options),
            "left_out": {"trees": counts.trees, "files": counts.files, "holes": counts.holes},
            "measured_runs": len(measured),
        },
    )


def projects(trees: Iterable[Tree], options: Options, counts: Counts, say: Say) -> Iterator[Project]:
    """The trees of which something may be taken, with those of their files that were in none before."""
    seen = Seen()
    for tree in trees:
        licence = licence_of(tree.root)
        if not options.any_licence and not is_taken(licence, options.with_mpl):
            counts.trees[f"licence: {licence or 'unknown'}"] += 1
            say(f"left out: {tree.name} (licence: {licence or 'unknown'})")
            continue
        chance = random.Random(f"{options.seed} {tree.name}")
        found = files(tree.root, PER_TREE, chance, counts.files, options.with_mpl, options.any_licence)
        kept = [file for file in found if _is_new(file, seen, counts)]
        if kept:
            yield Project(tree, licence, tuple(kept))
        else:
            counts.trees["no files"] += 1


def _is_new(file: File, seen: Seen, counts: Counts) -> bool:
    is_new = seen.add(file.text)
    counts.files["seen before"] += not is_new
    return is_new


def split(found: Sequence[Project], options: Options, sides: Mapping[str, Split] = {}) -> list[Project]:
    """Each project to learn from or held out: as `sides` has it, and of the others whose files are mostly of one
    language `held` of them, at least one where there are three; packages of one scope stay together. Where there are
    too few for that, files are held out of them."""
    groups: dict[str, list[str]] = defaultdict(list)
    for project in found:
        if project.name not in sides:
            groups[main_language(project)].append(_family(project))
    held = set()
    for language, names in sorted(groups.items()):
        own = sorted(set(names))
        random.Random(f"{options.seed} {language}").shuffle(own)
        count = max(round(options.held * len(own)), int(len(own) > 2)) if options.held else 0
        held.update(own[:count])
    if not held and options.held and not sides:
        return [part for project in found for part in _by_file(project, options)]
    drawn: Mapping[bool, Split] = {True: "held", False: "train"}
    return [replace(project, split=sides.get(project.name, drawn[_family(project) in held])) for project in found]


def _family(project: Project) -> str:
    """Packages of one scope of npm are mostly of one repository."""
    return project.name.partition("/")[0] if project.name.startswith("@") else project.name


def _by_file(project: Project, options: Options) -> list[Project]:
    """One's own repository alone: files are held out of it."""
    chance = random.Random(f"{options.seed} {project.name}")
    held = set(chance.sample(project.files, max(1, round(options.held * len(project.files)))))
    kept = tuple(file for file in project.files if file not in held)
    out = tuple(file for file in project.files if file in held)
    return [replace(project, files=kept), replace(project, files=out, split="held")]


def main_language(project: Project) -> str:
    return Counter(file.language for file in project.files).most_common(1)[0][0]


def examples(
    found: Sequence[Project], count: int, options: Options, measured: Measured, counts: Counts, say: Say
) -> Iterator[Example]:
    """About `count` examples, by language as `options` has it; within a language every project in turn."""
    places: dict[str, dict[Project, list[File]]] = defaultdict(lambda: defaultdict(list))
    tables: dict[Project, Table] = {}
    for project in found:
        for file in project.files:
            places[file.language][project].append(file)
    for language, wanted in quotas(sorted(places), count, options.shares).items():
        made = 0
        for project, file, number in allotted(places[language], wanted, options.seed):
            if project not in tables:
                tables[project] = Table(project.files, options.seed)
            for each in of_file(project, file, number, options.seed, tables[project], measured, counts):
                made += 1
                yield each
        say(f"{language}: {made} of {wanted}")


def quotas(languages: Sequence[str], count: int, shares: Mapping[str, float]) -> dict[str, int]:
    """How many rows of each language; those that `shares` does not name have equal parts of what is left of 100 %."""
    named = {language: shares[language] for language in languages if language in shares}
    others = [language for language in languages if language not in shares]
    rest = max(0.0, 100 - sum(named.values())) / len(others) if others else 0.0
    return {language: round(count * named.get(language, rest) / 100) for language in languages}


def allotted(places: Mapping[Project, Sequence[File]], wanted: int, seed: int) -> Iterator[tuple[Project, File, int]]:
    """How many holes each file should give, so that projects come in turn and within them files, up to `PER_FILE`."""
    left = {project: len(own) * PER_FILE for project, own in places.items()}
    share = dict.fromkeys(places, 0)
    while wanted > 0 and (open_ones := [project for project in places if left[project]]):
        each = max(1, wanted // len(open_ones))
        for project in open_ones[: max(1, wanted)]:
            more = min(each, left[project], wanted)
            share[project] += more
            left[project] -= more
            wanted -= more
    for project, own in places.items():
        shuffled = list(own)
        random.Random(f"{seed} {project.name}").shuffle(shuffled)
        numbers = [share[project] // len(own) + (at < share[project] % len(own)) for at in range(len(own))]
        yield from ((project, file, number) for file, number in zip(shuffled, numbers, strict=True) if number)


def of_file(
    project: Project, file: File, number: int, seed: int, table: Table, measured: Measured, counts: Counts
) -> Iterator[Example]:
    """At most `number` examples of one file; holes may overlap, none is there twice."""
    read = source(file)
    if read is None:
        counts.files["syntax"] += 1
        return
    if has_secrets(file):
        counts.files["secrets"] += 1
        return
    found, faults = read
    chance = random.Random(f"{seed} {project.name} {file.path}")
    pieces, ids = parts(found.tree), set[str]()
    for _ in range(number * _MISSES):
        place = cut(found, pieces, kind_by(chance), chance)
        if place is None or any(place.span.start < each.end and each.start < place.span.end + 1 for each in faults):
            continue
        made = example(project.name, file.path, found, place, chance, lambda *at: table.find(file.path, *at))
        if made is None or made.id in ids:
            continue
        shown = (f"{made.head}{made.prefix}{made.middle}{made.suffix}", *(each.text for each in made.snippets))
        if any(map(measured.overlaps, shown)):
            counts.holes["measured with"] += 1
            continue
        ids.add(made.id)
        yield made
        if len(ids) == number:
            return


def _listed(found: Sequence[Project]) -> Iterator[str]:
    """To be built from again, each on the side where it was; not those of which files are held out."""
    sides: dict[Tree, list[Split]] = defaultdict(list)
    for project in found:
        sides[project.tree].append(project.split)
    licences = {project.tree: project.licence for project in found}
    for tree, (side, *others) in sides.items():
        yield f"{tree.spec}{'' if others else f' {side}'}  # {licences[tree] or 'unknown'}\n"


def _described(project: Project) -> dict[str, object]:
    digest = hashlib.sha256()
    for file in project.files:
        digest.update(f"{file.path}\0{file.text}\0".encode())
    languages = Counter(file.language for file in project.files)
    return {
        "name": project.name,
        "index": project.tree.index,
        "version": project.tree.version,
        "licence": project.licence,
        "split": project.split,
        "sha256": project.tree.sha256 or digest.hexdigest(),
        "files": len(project.files),
        "languages": dict(sorted(languages.items())),
    }


def _told(counts: Counts) -> str:
    return "; ".join(f"{count} {reason}" for reason, count in (counts.trees + counts.files).most_common(4))


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
