"""One hole to learn from, and the files that hold them.

A row is text alone: whoever trains renders it through `prompt/infill` as a completion is rendered, in the row's order,
and lets the model answer with `middle` and, where `ends` says so, with the end of the text. The window was cut already.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args

from aigc_lsp.errors import UsageError
from aigc_lsp.measure.holes import Row
from aigc_lsp.prompt.infill import ExtraFile

Kind = Literal["rest_of_line", "lines", "block", "argument", "statement", "span", "empty", "closers"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""rest_of_line: from behind the indentation, or from within the line, to its end. lines: two to ten whole ones. block:
a body, begun on its own line or behind what opens it. argument: what stands in parentheses. statement: the rest of one
that may span lines. span: characters that begin anywhere. empty: nothing is missing. closers: behind the cursor are
brackets and quotes that an editor has inserted, and the model sees them."""

Split = Literal["train", "held"]
SPLITS: tuple[Split, ...] = ("train", "held")
"""held: of projects that none of train is of."""

Order = Literal["spm", "psm"]

FORMAT = 1
"""Of the folder: `train-00000.jsonl.gz` and so on, `held-00000.jsonl.gz`, `sources.json`, and what `ABOUT` says."""
ABOUT = "dataset.json"
PER_SHARD = 5000


@dataclass(frozen=True, slots=True)
class Example:
    """`prefix` and `suffix` are what a model is shown around the cursor; `middle` is what it should write.

    `head` is the window's: what stands further up and is shown all the same, apart from `prefix`. `snippets` are other
    files, the most wanted last; they are shown only with `path`, as `prompt.infill.Hole` has it. `ends`: behind
    `middle` the text is to end.
    """

    id: str
    project: str
    path: str
    language: str
    kind: Kind
    order: Order
    prefix: str
    suffix: str
    middle: str
    snippets: tuple[ExtraFile, ...] = ()
    ends: bool = True
    head: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> Example:
        """Raises ValueError, TypeError or KeyError for what is no row."""
        values: dict[str, Any] = json.loads(line)
        return cls(**{**values, "snippets": tuple(ExtraFile(**each) for each in values.get("snippets", ()))})


def write(folder: Path, split: Split, examples: Iterable[Example], per_shard: int = PER_SHARD) -> list[str]:
    """Shards of `split` in `folder`, in the order given, and the same bytes for the same rows; their names."""
    rows = iter(examples)
    names: list[str] = []
    while shard := list(islice(rows, per_shard)):
        names.append(f"{split}-{len(names):05}.jsonl.gz")
        data = "".join(f"{each.to_json()}\n" for each in shard).encode()
        folder.joinpath(names[-1]).write_bytes(gzip.compress(data, 6, mtime=0))
    return names


def read(folder: Path, split: Split) -> Iterator[Example]:
    """The rows of `split` in `folder`, in their order. Raises `UsageError` where there are none, or one is damaged."""
    for path in shards(folder, split):
        try:
            lines = gzip.decompress(path.read_bytes()).decode().split("\n")
            yield from (Example.from_json(line) for line in lines if line)
        except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
            raise UsageError(f"{path} cannot be read ({error}). Build the data again.") from error


def held_rows(folder: Path) -> list[Row]:
    """What is held out, as rows for `eval fim`: those that stand alone and whose text ends."""
    return [
        Row(each.head + each.prefix, each.suffix, each.middle, each.kind, f"{each.project}/{each.path}", each.id)
        for each in read(folder, "held")
        if each.ends and not each.snippets
    ]


def splits(folder: Path) -> Sequence[Split]:
    """Those that `folder` should have: it may have been built with nothing held out. Raises as `shards`."""
    counts = _about(folder).get("examples")
    none_held = isinstance(counts, dict) and counts.get("held") == 0 and not any(folder.glob("held-*.jsonl.gz"))
    return ("train",) if none_held else SPLITS


def shards(folder: Path, split: Split) -> Sequence[Path]:
    """Raises `UsageError` where there are none, or of another format."""
    found = sorted(folder.glob(f"{split}-*.jsonl.gz"))
    if not found:
        raise UsageError(f"{folder} holds no data ({split}-00000.jsonl.gz); `aigc-lsp dataset build` makes some.")
    if (made := _about(folder)["format"]) != FORMAT:
        raise UsageError(f"The data in {folder} are of format {made}, not {FORMAT}. Build them again.")
    return found


def _about(folder: Path) -> dict[str, Any]:
    """What the folder says of itself; its format alone where another program wrote the shards."""
    try:
        return {"format": None, **json.loads(folder.joinpath(ABOUT).read_text("utf-8"))}
    except FileNotFoundError:
        return {"format": FORMAT}
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{folder / ABOUT} cannot be read ({error}). Build the data again.") from error
