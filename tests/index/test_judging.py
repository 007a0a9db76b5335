"""Which open documents may be context for others, and which are completed in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from workspaces import write

from aigc_lsp.index.judging import judge


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write(
        tmp_path,
        {
            "w/.git/HEAD": "",
            "w/.gitignore": "local.py\n",
            "w/.aigcignore": "private/\n",
            "w/broken/.gitignore": b"\xff",
            "w/shut/.aigcignore": b"\xff",
            "repository/.git/HEAD": "",
            "repository/.gitignore": "local.py\n",
            "repository/sub/a.py": "",
            "loose/.aigcignore": "p.py\n",
        },
    )
    (tmp_path / "w" / "link.py").symlink_to(tmp_path / "w" / "private" / "p.py")
    (tmp_path / "w" / "key.py").symlink_to(tmp_path / "elsewhere" / "id_rsa")
    (tmp_path / "also").symlink_to(tmp_path / "w")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "hidden", "barred"),
    [
        ("w/a.py", "", ""),
        ("w/deep/and/new.py", "", ""),
        ("w/local.py", ".gitignore (local.py)", ""),
        ("w/private/p.py", ".aigcignore (private/)", ".aigcignore (private/)"),
        ("w/vendor/v.py", "exclude (vendor/)", "exclude (vendor/)"),
        ("w/.env", "secrets (*.env)", "secrets (*.env)"),
        ("w/broken/a.py", "is not UTF-8", ""),
        ("w/shut/deep/a.py", "is not UTF-8", "is not UTF-8"),
        ("w/.git/COMMIT_EDITMSG", "version control", ""),
        ("w/link.py", "private/", "private/"),
        ("w/key.py", "secrets", "secrets"),
        ("w/sub/../.env", "secrets (*.env)", "secrets (*.env)"),
        ("also/private/p.py", "private/", "private/"),
        ("also/a.py", "", ""),
        ("repository/sub/a.py", "", ""),
        ("repository/local.py", "local.py", ""),
        ("repository/vendor/v.py", "exclude", "exclude"),
        ("loose/p.py", "p.py", "p.py"),
        ("loose/.netrc", "secrets", "secrets"),
        ("missing/a.py", "", ""),
        ("nul\0.py", "cannot be read", "cannot be read"),
    ],
)
def test_judgements(place: Path, path: str, hidden: str, barred: str) -> None:
    full = os.path.join(place, path)
    found = judge([full], [str(place / "w")], ["vendor/"])[full]
    assert (hidden in found.hidden, barred in found.barred) == (True, True), found
    assert (bool(found.hidden), bool(found.barred)) == (bool(hidden), bool(barred)), found


@pytest.mark.parametrize(("path", "is_secret"), [("Untitled-1", False), (".env", True), ("", False)])
def test_what_is_on_no_disk(path: str, is_secret: bool) -> None:
    found = judge([path], ["/w"])[path]
    assert (bool(found.hidden), bool(found.barred)) == (is_secret, is_secret)


@pytest.mark.parametrize("path", ["w/.env", "elsewhere/.netrc", "w/key.py"])
def test_files_for_secrets_may_be_completed_in_but_never_read_for_others(place: Path, path: str) -> None:
    full = os.path.join(place, path)
    found = judge([full, ".env"], [str(place / "w")], secret_files=True)
    assert found[full].hidden
    assert found[full].barred == found[".env"].barred == ""
    assert found[".env"].hidden


def test_the_innermost_folder_counts(place: Path) -> None:
    inner = write(place / "w" / "private" / "project", {".aigcignore": "mine.py\n"})
    outer, mine = str(place / "w" / "private" / "p.py"), str(inner / "mine.py")
    found = judge([outer, mine], [str(place / "w"), str(inner)])
    assert found[outer].barred
    assert found[mine].barred
