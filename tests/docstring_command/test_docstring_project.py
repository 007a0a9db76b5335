"""What the files around one say of its docstrings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aigc_lsp.docstring.layout import width_of
from aigc_lsp.docstring.manner import convention
from aigc_lsp.docstring_project import habits_of

DOCUMENTED = 'def f(a):\n    """Do it.\n\n    :param a: The a.\n    """\n'


@pytest.mark.parametrize(("files", "style", "width"), [
    ({"pyproject.toml": '[tool.ruff]\nline-length = 77\n[tool.ruff.lint.pydocstyle]\nconvention = "numpy"\n'},
     "numpy", 77),
    ({"ruff.toml": 'line-length = 77\n[lint.pydocstyle]\nconvention = "google"\n',
      "pyproject.toml": "[tool.black]\nline-length = 99\n"}, "google", 77),
    ({"pyproject.toml": '[tool.pydocstyle]\nconvention = "numpy"\n'}, "numpy", 88),
    ({"setup.cfg": "[metadata]\nname = a\n[pydocstyle]\nadd-ignore = D1\nconvention = google\n"}, "google", 88),
    ({"../pyproject.toml": "[tool.black]\nline-length = 99\n", "pyproject.toml": "[project]\nname = 'a'\n"}, "", 99),
    ({"../../pyproject.toml": "[tool.black]\nline-length = 99\n"}, "", 88),  # above the repository
    ({"pyproject.toml": "[tool.ruff\n"}, "", 88),
    ({".editorconfig": "root = true\n[*.py]\nmax_line_length = 66\n",
      "../.editorconfig": "[*]\nmax_line_length = 55\n"}, "", 66),
    ({".editorconfig": "[*]\nindent_size = 2\n", "../.editorconfig": "[*.py]\nmax_line_length = 55\n"}, "", 55),
    ({}, "", 88),
])  # fmt: skip
def test_settings_are_read_from_the_nearest_that_has_any(
    tmp_path: Path, files: dict[str, str], style: str, width: int
) -> None:
    folder = tmp_path / "repository" / "src"
    folder.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    found = habits_of(str(folder), "python")
    assert convention(found.pyproject, "python") == style
    assert width_of(found.pyproject, found.editorconfig, "python") == width
    assert habits_of(str(folder), "go").pyproject is None


RUFF = "[tool.ruff]\nline-length = {}\n"


@pytest.mark.parametrize(("files", "within", "width"), [
    ({"a/b/pyproject.toml": RUFF.format(77)}, "", 77),
    ({"a/pyproject.toml": RUFF.format(77)}, "", 77),
    ({"pyproject.toml": RUFF.format(77), "a/setup.py": ""}, "", 88),  # above the project
    ({".editorconfig": "[*]\nmax_line_length = 66\n"}, "", 88),
    ({"pyproject.toml": RUFF.format(77)}, ".", 77),
    ({"pyproject.toml": RUFF.format(77)}, "a", 88),
    ({"pyproject.toml": RUFF.format(77), ".git/HEAD": ""}, "a/", 88),
    ({"pyproject.toml": RUFF.format(77), "a/.git/HEAD": ""}, ".", 88),
    ({"a/b/pyproject.toml": "-> pyproject.toml", "pyproject.toml": RUFF.format(77)}, "a", 88),
])  # fmt: skip
def test_nothing_is_read_outside(tmp_path: Path, files: dict[str, str], within: str, width: int) -> None:
    """Of the workspace's folder, or else of the project. What is far off, and its docstrings, count for nothing."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    for name, text in {"far/d.py": DOCUMENTED, **files}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        if text.startswith("-> "):
            (tmp_path / name).symlink_to(tmp_path / text[3:])
        else:
            (tmp_path / name).write_text(text)
    found = habits_of(str(folder), "python", (), str(tmp_path / within) if within else "")
    assert width_of(found.pyproject, found.editorconfig, "python") == width
    assert bool(found.docstrings) == (within == "." and "a/.git/HEAD" not in files)


def test_what_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    beside, settings = tmp_path / "b.py", tmp_path / "pyproject.toml"
    beside.write_text(DOCUMENTED)
    first = habits_of(str(tmp_path), "python")
    assert habits_of(str(tmp_path), "python") is first
    settings.write_text(RUFF.format(77))
    second = habits_of(str(tmp_path), "python")
    assert second.pyproject == RUFF.format(77)
    beside.write_text(DOCUMENTED.replace(":param a:", "@param a:"))
    os.utime(beside, ns=(1, 1))
    assert "@param" in habits_of(str(tmp_path), "python").docstrings[0]


def test_docstrings_of_neighbours_of_the_same_language_that_nothing_hides(tmp_path: Path) -> None:
    top = tmp_path / "repository"
    (top / "src" / "deep").mkdir(parents=True)
    (top / ".git").mkdir()
    (top / "other").mkdir()
    written = {
        "src/a.py": DOCUMENTED,
        "src/deep/b.py": DOCUMENTED.replace("Do it", "Do that"),
        "src/hidden.py": DOCUMENTED.replace("Do it", "Hidden"),
        "src/excluded.py": DOCUMENTED.replace("Do it", "Excluded"),
        "src/c.js": "/** Do what?\n * @param a The a.\n */\nfunction f(a) {}\n",
        "other/d.py": DOCUMENTED.replace("Do it", "Far off"),
    }
    for name, text in written.items():
        (top / name).write_text(text)
    (top / ".gitignore").write_text("hidden.py\n")
    near = habits_of(str(top / "src"), "python", ["excluded.py"]).docstrings
    assert [text.split(".")[0] for text in near] == ['"""Do it', '"""Do that']
    assert [text[:6] for text in habits_of(str(top / "src"), "javascript").docstrings] == ["/** Do"]
    (top / "src" / "e.tsx").write_text("/** Do it.\n * @param a - The a.\n */\nfunction f(a) {}\n")
    assert len(habits_of(str(top / "src"), "typescript").docstrings) == 1, "those that are written alike"
    (top / "empty").mkdir()
    assert len(habits_of(str(top / "empty"), "python", ["excluded.py"]).docstrings) == 3, "else the repository's"
    assert habits_of(str(top / "nowhere"), "python").pyproject is None
