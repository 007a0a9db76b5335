"""The bench of context: the repository that it makes, what is typed in it, and all of it in a small one.

Nothing here measures speed: what is checked is what is typed, what is asked for, and how figures come of it.
"""

from __future__ import annotations

import json
import sysconfig
from dataclasses import replace
from pathlib import Path

import command_line
import pytest
from command_line import Run
from tiny_model import tiny_tokenizer
from workspaces import workers, write

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.errors import AigcError, UsageError
from aigc_lsp.gather.gatherer import Gatherer
from aigc_lsp.index.workspace import Workspace
from aigc_lsp.measure import context
from aigc_lsp.measure.context import Indexed, Typed, cause, functions, keys, prefix_figure, rewritten, type_again
from aigc_lsp.service.wire import InfillRequest
from aigc_lsp.syntax import parse
from aigc_lsp.text import Span, Text

MODEL = catalogue.load(Config().model)
VOCABULARY = Vocabulary(tiny_tokenizer())
LIBRARY = Path(sysconfig.get_path("stdlib"))

folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)


# The repository


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import re", "import lib0.re as re"),
        ("import re, sys, os", "import lib0.re as re, sys, lib0.os as os"),
        ("import re as regex", "import lib0.re as regex"),
        ("    import os.path", "    import lib0.os.path"),
        ("from os import path, sep", "from lib0.os import path, sep"),
        ("from os.path import (join,", "from lib0.os.path import (join,"),
        ("import re  # for names", "import lib0.re as re  # for names"),
        ("from . import re", "from . import re"),
        ("from .os import sep", "from .os import sep"),
        ("import sys", "import sys"),
        ("important = os", "important = os"),
    ],
)
def test_imports_are_rewritten(source: str, expected: str) -> None:
    assert rewritten(f"x = 1\n{source}\n", {"re", "os"}, "lib0") == f"x = 1\n{expected}\n"


def test_a_repository_of_so_many_files(tmp_path: Path) -> None:
    library = write(
        tmp_path / "library",
        {
            "argparse.py": "import re\nfrom json import loads\n" + "x = 1\n" * 2000,
            "tarfile.py": "y = 2\n" * 4000,
            "doctest.py": "z = 3\n",
            "re.py": "import json\n",
            "json/__init__.py": "from .decoder import loads\n",
            "json/decoder.py": "import re\n",
            "bad.py": b"\xff",
            **dict.fromkeys(("test/a.py", "site-packages/b.py", "config-3/c.py"), "import re\n"),
        },
    )
    large = context.lay_out(tmp_path / "repository", library, 6)
    said = {path.relative_to(tmp_path / "repository").as_posix() for path in tmp_path.glob("repository/**/*.py")}
    modules = ("re.py", "json/__init__.py", "json/decoder.py")
    assert said == {"lib0/large.py", *(f"lib0/{each}" for each in modules), "lib1/re.py", "lib1/json/__init__.py"}
    source = large.read_text(encoding="utf-8")
    assert source.startswith("import lib0.re as re\nfrom lib0.json import loads\n")
    assert context.LINES <= source.count("\n") + 1 <= 6002 + 2
    assert "z = 3" not in source  # the others are enough
    assert (large.parent / "re.py").read_text() == "import lib0.json as json\n"
    assert (large.parent.parent / "lib1/re.py").read_text() == "import lib1.json as json\n"


def test_the_running_python_gives_the_long_file_and_functions_in_it(tmp_path: Path) -> None:
    large = context.lay_out(tmp_path, LIBRARY, 30)
    assert len(list(tmp_path.rglob("*.py"))) == 30
    text = Text(large.read_text(encoding="utf-8"))
    assert text.line_count >= context.LINES
    tree = parse("python", text)
    assert tree is not None
    assert not tree.has_errors
    assert sum(each.module.startswith("lib0.") for each in tree.imports()) > 5
    spans = functions(_document(large, text), 3)
    assert len(set(spans)) == 3
    for span, place in zip(spans, (0.25, 0.5, 0.75), strict=True):
        assert text.slice(span).startswith(("def ", "async def "))
        assert context.LEAST_TYPED <= len(span) <= context.MOST_TYPED
        assert abs(span.start / len(text) - place) < 0.1


def test_where_there_is_nothing_to_type(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to type"):
        functions(_document(tmp_path / "a.py", Text("x = 1\n")), 1)


def _document(path: Path, text: Text) -> Document:
    return Document(path.as_uri(), str(path), "python", 0, text, parse("python", text))


# Typing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", ["a", " ", "b"]),
        ("if a:\n    b\n\n    c", [*"if a:", "\n    ", "b", "\n", "\n    ", "c"]),
        ("", []),
    ],
)
def test_keys(text: str, expected: list[str]) -> None:
    assert keys(text) == expected
    assert "".join(expected) == text


class Watching(Gatherer):
    """Keeps what it was told and what was shown."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.texts: list[str] = []
        self.known: list[str] = []

    def changed(self, before, after, edits) -> None:
        assert before.text.apply(*edits).source == after.text.source
        assert after.tree is not None
        assert after.tree.text is after.text
        self.texts.append(after.text.source)
        super().changed(before, after, edits)

    def knows(self, document, symbols) -> None:
        self.known.append(document.text.source)
        super().knows(document, symbols)


async def test_a_function_is_taken_out_and_typed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "LOOK_KEYS", 10)
    helper = "def put_article(name: str, times: int) -> None:\n    pass\n"
    source = "from helper import put_article\n\n\ndef sell():\n    put_article('pear', 2)\n\n\nlast = 1\n"
    root = write(tmp_path, {"helper.py": helper, "shop.py": source})
    said = "def sell():\n    put_article('pear', 2)"
    start = source.index("def")
    workspace = Workspace()
    try:
        await workspace.serve([str(root)])
        await context._complete(workspace)
        gatherer = Watching(workspace)
        document = await context._open(gatherer, root / "shop.py")
        found = await type_again(document, Span(start, start + len(said)), gatherer, workspace, Config())
    finally:
        await workspace.close()
    rest = source[start + len(said) :]
    typed = [source[:start]]
    for key in keys(said):
        typed.append(typed[-1] + key)
    assert gatherer.texts == [f"{each}{rest}" for each in typed]
    assert gatherer.known[0] == source
    assert gatherer.known[1:]
    assert len(found.reparse_ms) == len(keys(said))
    assert len(found.gather_ms) == len(found.requests) == len(keys(said))
    assert found.requests[-1].input_prefix.endswith("put_article('pear', 2)")
    everything = "".join(str(request.input_extra) + request.input_prefix for request in found.requests)
    assert "def put_article(name: str, times: int)" in everything


# What comes of it

REQUEST = InfillRequest(
    input_prefix="a = 1\nb = ",
    input_suffix="\nc = 3\n",
    input_extra=(("x.py", "x = 1"),),
    input_head="import os\n",
    filename="a.py",
    prefix_tokens=200,
    suffix_tokens=100,
    extra_tokens=100,
)
AFTER = {
    "nothing": replace(REQUEST, input_prefix="a = 1\nb = 2"),
    "snippets in front": replace(REQUEST, input_extra=(("y.py", "y = 1"),), input_suffix="\nc = 4\n"),
    "suffix": replace(REQUEST, input_suffix="\nd = 4\n"),
    "head": replace(REQUEST, input_head="import sys\n"),
    "late snippets": replace(REQUEST, input_prefix="# Path: z.py\n# z = 1\na = 1\nb = 2"),
    "window edge": replace(REQUEST, input_prefix="b = 2"),
    "shortening": replace(REQUEST, input_prefix="a = 1\nb = 2", prefix_tokens=10),
}


@pytest.mark.parametrize("name", [name for name in AFTER if name != "nothing"])
def test_what_changed_a_prompt(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cause(REQUEST, AFTER[name]) == name
    monkeypatch.setattr(context, "_vocabulary", lambda model: VOCABULARY)
    monkeypatch.setattr(context, "HEALED", 1)
    typed = Typed(10, requests=[REQUEST, AFTER["nothing"], REQUEST, AFTER[name]])
    # Back to REQUEST nothing of the prompt's beginning changes either.
    found = prefix_figure([typed], MODEL)
    assert found.ours == pytest.approx(100 * 2 / 3)
    assert found.met is False
    assert f"of 3 keys others changed it by: {name} 1; then" in found.note


def test_a_prompt_that_only_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_vocabulary", lambda model: VOCABULARY)
    typed = Typed(10, requests=[replace(REQUEST, input_prefix="b = value"[:end]) for end in range(3, 9)])
    found = prefix_figure([typed, typed], MODEL)
    assert (found.ours, found.met, found.samples["ours"]) == (100, True, [100, 100])
    assert found.note == "of 10 keys others changed it by: nothing"


def test_a_model_that_is_not_there(folder: Path) -> None:
    found = prefix_figure([Typed(10, requests=[REQUEST, REQUEST])], MODEL)
    assert (found.ours, found.met, found.must) == (None, None, "≥ 95")
    assert "models pull" in found.note


def test_slow_keys_are_the_figure() -> None:
    slow, quick = context.keystrokes([Typed(10, [1.0] * 94, [1.0] * 94), Typed(10, [2.0] * 6, [20.0] * 6)])
    assert (slow.ours, slow.must, slow.met) == (20, "≤ 10", False)
    assert (quick.ours, quick.must, quick.met) == (2, "≤ 3", True)
    assert slow.note == "100 keys; median 1.0 ms, at most 20.0"


# The index


def test_an_index_of_what_was_not_installed(tmp_path: Path) -> None:
    """In this process; the workers are others."""
    files = {f"m{number}.py": f"def f{number}(): ...\n" for number in range(40)}
    write(tmp_path, {**files, "site-packages/other.py": "x = 1\n"})
    found = context.index(tmp_path)
    assert found.files == 40
    assert found.cpu_seconds > 0
    assert found.seconds > 0
    assert found.worker_bytes > 1_000_000
    assert not workers()


def test_index_figures() -> None:
    runs = [Indexed(9, seconds, seconds + 1, 10_000_000, 80_000_000) for seconds in (50.0, 70.0, 55.0)]
    seconds, memory = context.index_figures(runs)
    assert (seconds.ours, seconds.met) == (55, True)
    assert seconds.note == "9 files, 56.0 s on the clock"
    assert (memory.ours, memory.met) == (90, True)
    assert memory.note == "10 MB that stay, and 80 in the worker, which ends"


async def test_an_index_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    class Never:
        is_complete = False
        note = "Indexing failed."

    monkeypatch.setattr(context, "INDEX_SECONDS", 0.05)
    with pytest.raises(AigcError, match=r"Indexing failed\."):
        await context._complete(Never())  # type: ignore[arg-type]


# All of it


@pytest.mark.process
def test_every_figure_is_there(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    indexed = Indexed(9, 1.0, 2.0, 10_000_000, 80_000_000)
    monkeypatch.setattr(context, "_apart", lambda library, say: indexed)
    monkeypatch.setattr(context, "LINES", 1000)
    monkeypatch.setattr(context, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(context, "MOST_TYPED", context.LEAST_TYPED + 100)
    monkeypatch.setattr(context, "_vocabulary", lambda model: VOCABULARY)
    report = json.loads(run("bench", "context", "--files", 20, "--repeats", 1, "--json").out)
    assert [(one["unit"], one["must"]) for one in report["figures"]] == [
        ("ms", "≤ 10"),
        ("ms", "≤ 3"),
        ("s", "≤ 60"),
        ("MB", "≤ 200"),
        ("%", "≥ 95"),
    ]
    assert all(one["ours"] is not None for one in report["figures"])
    assert report["machine"]["files"] == 20
    assert report["machine"]["lines"] >= 1000
    assert not workers()
