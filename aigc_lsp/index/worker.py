"""The process that walks, reads and parses for the index: `python -m aigc_lsp.index.worker`.

It reads a task as JSON lines, and writes a line for each finding. Lines are short: whoever reads them reads many, and
is waited for by an editor.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from itertools import islice
from typing import IO

from aigc_lsp.index.scan import Task, scan
from aigc_lsp.niceness import give_way

NICENESS = 15
PIECE = 1000
"""How many known files are told of in one line."""


def task_lines(task: Task) -> Iterator[bytes]:
    """A task as `read_task` takes it."""
    yield _line({**{name: getattr(task, name) for name in task.__slots__}, "known": None})
    known = iter(task.known.items())
    while piece := dict(islice(known, PIECE)):
        yield _line(piece)
    yield b"\n"


def read_task(lines: IO[bytes]) -> Task:
    said = json.loads(lines.readline())
    known: dict[str, int] = {}
    while len(line := lines.readline()) > 1:
        known.update(json.loads(line))
    return Task(**{**said, "known": known})


def main() -> None:
    # In the session of the language server it would come before the model server, which is in one of its own.
    with contextlib.suppress(AttributeError, OSError):
        os.setsid()
    give_way(NICENESS)
    task, out = read_task(sys.stdin.buffer), sys.stdout.buffer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        for found in scan(task, task.ignoring()):
            out.write(_line(found.packed()))
            if found.kind == "reading":
                out.flush()
        out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())  # nobody listens: end, with no second error at exit


def _end_with_parent() -> None:
    """Whoever gave the task keeps our stdin open for as long as he lives."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


if __name__ == "__main__":
    main()
