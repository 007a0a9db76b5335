"""What ruff's pydocstyle rules say of docstrings that are written here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from style_samples import SCALE, WORDS, subject

from aigc_lsp.docstring.detect import detect
from aigc_lsp.docstring.doc import Doc, Slot, skeleton
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import STYLES
from aigc_lsp.docstring.subject import Parameter, Subject

RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")

LONG = "What it is, said at a length that no line of this width has room for, so that it goes on below."


def filled(about: Subject, style: str) -> Doc:
    """A docstring with the same words in every slot."""
    doc = replace(skeleton(about, STYLES[style].asks), summary="Do what is asked.", description=f"{LONG}\n\nMore.")
    for kind in STYLES[style].asks:
        doc = doc.with_slots(kind, (Slot(each.name, "", LONG) for each in doc.slots(kind)))
    return doc


CASES = {
    "def scale(x: float, by: float = 2.0, *rest: float) -> float:": (SCALE, "raise ValueError"),
    "def alone() -> None:": (subject(), "pass"),
    "async def each(self, *, limit: int = 1, **options):": (
        subject("self", Parameter("limit", "int", "1", "keyword"), Parameter("options", kind="keywords"), yields=""),
        "yield 1",
    ),
    "def paths(a, b):": (subject("a", "b", returns="", raises=("OSError", "ValueError")), "raise OSError; return 1"),
}


def source(style: str, layout: Layout) -> str:
    """A module with functions, a class and their docstrings."""
    render = STYLES[style].render
    functions = []
    for header, (about, body) in CASES.items():
        doc = filled(about, style) if about is not SCALE else WORDS
        functions.append(f"{header}\n    {render(doc, about, layout)}\n    {body}\n")
    about = subject(kind="class", attributes=(Parameter("size", "int"),))
    functions.append(f"class Box:\n    {render(filled(about, style), about, layout)}\n\n    size: int = 1\n")
    about = subject(kind="module", indent="")
    return "\n\n".join([render(Doc("Hold it."), about, layout), *functions])


@pytest.mark.process
@pytest.mark.skipif(RUFF is None, reason="ruff is not installed")
@pytest.mark.parametrize("width", [72, 88, 120])
@pytest.mark.parametrize(("style", "convention"), [
    ("google", "google"), ("numpy", "numpy"), ("sphinx", "pep257"), ("epytext", "pep257"), ("plain", "pep257"),
])  # fmt: skip
def test_pydocstyle_has_nothing_to_say(style: str, convention: str, width: int, tmp_path: Path) -> None:
    text = source(style, detect([], "python", setting=style, width=width).layout)
    compile(text, "written", "exec")
    path = tmp_path / "written.py"
    path.write_text(text)
    options = ["--isolated", "--no-cache", "--select", "D,W291,W293,E501", "--line-length", str(width)]
    setting = f'lint.pydocstyle.convention="{convention}"'
    found = subprocess.run(
        [str(RUFF), "check", *options, "--config", setting, str(path)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.process
@pytest.mark.skipif(RUFF is None, reason="ruff is not installed")
def test_ruff_would_say_something_if_a_parameter_were_missing(tmp_path: Path) -> None:
    path = tmp_path / "written.py"
    path.write_text('"""Hold it."""\n\n\ndef f(a, b):\n    """Do it.\n\n    Args:\n        a: The a.\n    """\n')
    command = [str(RUFF), "check", "--isolated", "--no-cache", "--select", "D417", str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "D417" in found.stdout
