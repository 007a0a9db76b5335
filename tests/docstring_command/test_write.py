"""What `aigc-lsp docstring` prints, writes into files, and leaves alone. The words are scripted."""

from __future__ import annotations

import codecs
import os
import stat
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import command_line
import pytest

from aigc_lsp import writer
from aigc_lsp.cli import write as commands
from aigc_lsp.docstring.doc import Slot, skeleton
from aigc_lsp.docstring.edit import Edit, edit_for
from aigc_lsp.docstring.styles import STYLES
from aigc_lsp.errors import DocstringRefused, EngineUnavailable
from aigc_lsp.text import Span

folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)

SOURCE = '''"""A module."""


def add(a, b):
    return a + b


class Box:
    """A box."""

    def put(self, what):
        raise KeyError(what)
'''

ADD = '''\
    """Add it.

    Args:
        a: The a.
        b: The b.

    Returns:
        The it.
    """
'''

PUT = '''\
        """Put it.

        Args:
            what: The what.

        Raises:
            KeyError: The KeyError.
        """
'''

WRITTEN = SOURCE.replace("    return a", f"{ADD}    return a").replace("        raise", f"{PUT}        raise")


class Words:
    """In the place of the model: the same words for every slot. `meanwhile` happens at the first question."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closed = False
        self.failing: dict[str, Exception] = {}
        self.meanwhile = lambda: None

    async def write(self, document: Any, subject: Any, manner: Any, backend: Any, config: Any) -> Edit:
        assert backend is self
        self.asked.append(subject.name)
        self.meanwhile()
        if subject.name in self.failing:
            raise self.failing[subject.name]
        if subject.existing is not None:
            return Edit(Span(subject.place, subject.place), "")
        style = STYLES[manner.style]
        doc = replace(skeleton(subject, style.asks), summary=f"{subject.name.capitalize()} it.")
        for kind in style.asks:
            doc = doc.with_slots(kind, (Slot(each.name, "", f"The {each.name or 'it'}.") for each in doc.slots(kind)))
        return edit_for(document.text, subject, style.render(doc, subject, manner.layout))

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> Words:
    found = Words()

    async def backend(config: Any) -> Words:
        return found

    monkeypatch.setattr(commands, "ready_backend", backend)
    monkeypatch.setattr(writer, "write_docstring", found.write)
    return found


@pytest.fixture
def source(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in the folder one is in."""
    (folder / "src").mkdir()
    monkeypatch.chdir(folder / "src")
    path = Path("a.py")
    path.write_text(SOURCE)
    return path


def test_one_docstring_is_printed_as_it_would_stand_there(run, source: Path, words: Words) -> None:
    for line in (4, 5):
        ran = run("docstring", f"a.py:{line}")
        assert (ran.code, ran.out, ran.err) == (0, ADD, "")
    assert words.closed
    assert source.read_text() == SOURCE


def test_several_are_told_apart(run, source: Path, words: Words) -> None:
    ran = run("docstring", source)
    assert (ran.code, ran.out) == (0, f"a.py:4: add\n{ADD}\na.py:11: Box.put\n{PUT}\n")
    assert words.asked == ["add", "put"]


def test_several_lines_of_one_file_are_of_the_file_as_it_is(run, source: Path, words: Words) -> None:
    ran = run("docstring", "--write", "a.py:11", "a.py:5", "a.py:4")
    assert (ran.code, ran.out.count("\n"), words.asked) == (0, 2, ["add", "put"])
    assert source.read_text() == WRITTEN


def test_write_puts_them_into_the_file(run, source: Path, words: Words) -> None:
    source.chmod(0o750)
    link = Path("link.py")
    link.symlink_to(source)
    ran = run("docstring", "--write", link)
    assert ran.code == 0
    assert ran.out == "link.py:4: `add` has a new docstring.\nlink.py:11: `Box.put` has a new docstring.\n"
    assert source.read_text() == WRITTEN
    assert stat.S_IMODE(source.stat().st_mode) == 0o750
    assert link.is_symlink()
    assert sorted(os.listdir()) == ["a.py", "link.py"], "nothing else is left behind"
    words.asked.clear()
    assert run("docstring", "--write", source).out == ""
    assert words.asked == [], "where nothing is missing nobody is asked"


def test_diff_is_what_git_applies_and_writes_nothing(run, source: Path, words: Words) -> None:
    Path("b.py").write_text("def f(a):\n    pass")  # no line end
    Path("c.py").write_bytes(b"def f(a):\r\n    pass\r\n")
    ran = run("docstring", "--diff", ".")
    assert ran.code == 0
    assert source.read_text() == SOURCE
    subprocess.run(["git", "apply", "-"], input=ran.out.encode(), check=True)
    assert source.read_text() == WRITTEN
    assert Path("b.py").read_text().endswith("    pass")
    assert '"""F it.' in Path("b.py").read_text()
    assert Path("c.py").read_bytes().count(b"\r\n") == Path("c.py").read_bytes().count(b"\n") > 2


@pytest.mark.parametrize(("bom", "encoding", "head"), [
    (b"", "utf-8", ""),
    (codecs.BOM_UTF8, "utf-8", ""),
    (codecs.BOM_UTF16_LE, "utf-16-le", ""),
    (b"", "latin-1", "# -*- coding: latin-1 -*-\n"),
])  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encoding_and_line_ends_stay(
    run, source: Path, words: Words, bom: bytes, encoding: str, head: str, end: str
) -> None:
    text = head + SOURCE + "NAME = 'é'\n"
    source.write_bytes(bom + text.replace("\n", end).encode(encoding))
    assert run("docstring", "--write", source).code == 0
    expected = head + WRITTEN + "NAME = 'é'\n"
    assert source.read_bytes() == bom + expected.replace("\n", end).encode(encoding)


def test_what_its_encoding_cannot_say_is_not_written(
    run, source: Path, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = "# coding: latin-1\n" + SOURCE
    source.write_text(data)

    async def unsayable(*asked: Any) -> Edit:
        edit = await words.write(*asked)
        return replace(edit, new_text=edit.new_text.replace("it.", "→."))

    monkeypatch.setattr(writer, "write_docstring", unsayable)
    ran = run("docstring", "--write", source)
    assert ran.code == 1
    assert "which has no '→'" in ran.sentence
    assert source.read_text() == data


def test_a_file_changed_meanwhile_is_left_alone(run, source: Path, words: Words) -> None:
    Path("b.py").write_text(SOURCE)
    words.meanwhile = lambda: source.write_text("changed = 1\n")
    ran = run("docstring", "--write", "a.py", "b.py")
    assert ran.code == 1
    assert "has been changed meanwhile" in ran.sentence
    assert source.read_text() == "changed = 1\n"
    assert Path("b.py").read_text() == WRITTEN, "the next file is written all the same"


def test_one_that_is_refused_does_not_stop_the_others(run, source: Path, words: Words) -> None:
    words.failing["add"] = DocstringRefused("No docstring can be written here.")
    ran = run("docstring", "--write", source)
    assert ran.code == 1
    assert ran.sentence == "a.py:4: No docstring can be written here."
    assert source.read_text() == WRITTEN.replace(ADD, "")


def test_without_a_model_server_it_ends_with_a_sentence(run, source: Path, words: Words) -> None:
    words.failing["put"] = EngineUnavailable("No model server is running.")
    ran = run("docstring", "--write", source)
    assert (ran.code, ran.out, ran.sentence) == (1, "", "No model server is running.")
    assert source.read_text() == SOURCE
    assert words.closed


def test_an_edit_that_touches_code_is_not_applied(
    run, source: Path, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def vandal(document: Any, subject: Any, *rest: Any) -> Edit:
        return Edit(Span(subject.place, subject.place), "    import os\n")

    monkeypatch.setattr(writer, "write_docstring", vandal)
    ran = run("docstring", "--write", source)
    assert ran.code == 1
    assert ran.sentence.startswith("a.py: ")
    assert source.read_text() == SOURCE


@pytest.mark.parametrize(("option", "settings", "neighbour", "sign"), [
    (["--style", "numpy"], "", "", "----"),
    (["--style", "sphinx"], "", "", ":param a:"),
    ([], '[tool.ruff.lint.pydocstyle]\nconvention = "numpy"\n', "", "----"),
    ([], "", '"""M."""\n\n\ndef g(a):\n    """Do it.\n\n    :param a: The a.\n    """\n', ":param a:"),
    ([], "", "", "Args:"),
])  # fmt: skip
def test_the_style_is_asked_for_or_the_projects(
    run, source: Path, words: Words, option: list[str], settings: str, neighbour: str, sign: str
) -> None:
    source.write_text("def add(a):\n    return a\n")
    if settings:
        Path("pyproject.toml").write_text(settings)
    if neighbour:
        Path("b.py").write_text(neighbour)
    ran = run("docstring", *option, "a.py:1")
    assert ran.code == 0
    assert sign in ran.out
