"""What is shipped: a wheel, unpacked far from the checkout, has all that the program reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    done = subprocess.run([*build, str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [wheel] = folder.glob("aigc_lsp-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In an isolated interpreter in which only the unpacked wheel is `aigc_lsp`; the libraries are this one's."""
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); import aigc_lsp; print(aigc_lsp.__file__, file=sys.stderr)\n"
    )
    code += "from aigc_lsp.cli import main; sys.argv[0] = 'aigc-lsp'; main()"
    environ = os.environ | {"XDG_CONFIG_HOME": str(site / "config")}
    command = [sys.executable, "-P", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=site, env=environ, timeout=60)


def test_the_models_are_in_it(unpacked: Path) -> None:
    done = run(unpacked, "models", "list", "--json")
    assert done.returncode == 0, done.stderr
    assert str(unpacked) in done.stderr
    shipped = {path.stem for path in (unpacked / "aigc_lsp" / "models").rglob("*.toml")}
    assert shipped == {path.stem for path in (ROOT / "models").rglob("*.toml")}
    assert {row["name"] for row in json.loads(done.stdout)} == shipped


def test_the_queries_are_in_it(unpacked: Path) -> None:
    code = "from aigc_lsp.syntax import parse; from aigc_lsp.text import Text\n"
    code += "print(parse('python', Text('def f():\\n    ')).place(13).opens_block)"
    environ = os.environ | {"PYTHONPATH": str(unpacked)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=unpacked, env=environ)
    assert done.stdout.strip() == "True", done.stderr


def test_the_editors_plugins_are_in_it(unpacked: Path) -> None:
    done = run(unpacked, "editors", "install", "neovim", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert str(unpacked / "aigc_lsp" / "editors" / "neovim") in done.stdout
    for name in ("neovim/lua/aigc/init.lua", "neovim/plugin/aigc.lua", "neovim/doc/aigc.txt", "emacs/aigc.el"):
        assert (unpacked / "aigc_lsp" / "editors" / name).is_file()


def test_nothing_else_is_in_it(unpacked: Path) -> None:
    assert {path.name for path in unpacked.iterdir() if path.name != "config"} == {
        "aigc_lsp",
        next(path.name for path in unpacked.glob("*.dist-info")),
    }
