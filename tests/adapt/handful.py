"""Examples that a tiny model learns by heart."""

import json
from collections.abc import Sequence
from pathlib import Path

from aigc_lsp.dataset import example as rows
from aigc_lsp.dataset.example import Example, Split

EXAMPLES = [
    Example("1", "p", "a.py", "python", "rest_of_line", "spm", "def add(a, b):\n    return a", "\nimport os\n", " + b"),
    Example("2", "p", "a.py", "python", "span", "spm", "import os\nfor item in ra", "(10):\n    pass\n", "nge"),
    Example("3", "p", "b.py", "python", "block", "psm", "class Tree:\n    def f(a):\n", "\n", "        a.x = 1\n"),
    Example("4", "p", "b.py", "python", "empty", "spm", "print('日本')\n", "\nx = 2\n", ""),
]  # fmt: skip


def write_data(folder: Path, train: Sequence[Example] = EXAMPLES, held: Sequence[Example] = EXAMPLES) -> Path:
    """`folder` as `aigc-lsp dataset build` leaves it, as far as training looks."""
    splits: dict[Split, Sequence[Example]] = {"train": train, "held": held}
    folder.mkdir(exist_ok=True)
    for split, examples in splits.items():
        rows.write(folder, split, examples)
    about = {"format": rows.FORMAT, "examples": {split: len(examples) for split, examples in splits.items()}}
    (folder / rows.ABOUT).write_text(json.dumps(about))
    return folder
