"""Invariant 1 and 8 of ARCHITECTURE.md: who may import what, and that no model's name decides anything in code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from each_row import each_row

from aigc_lsp import catalogue

PACKAGE = Path(__file__).parent.parent / "aigc_lsp"

# A room, and the rooms of ours that it may import besides itself. What is not named is not allowed.
ROOMS = {
    "text": set(),
    "errors": set(),
    "niceness": set(),
    "editors_install": {"errors"},
    "own_actions": set(),
    "config": {"errors", "own_actions"},
    "catalogue": {"errors"},
    "syntax": {"text"},
    "context": {"syntax", "text"},
    "index": {"context", "niceness", "syntax", "text"},
    "docstring": {"errors", "syntax", "text"},
    "writer": {"docstring", "context", "prompt", "syntax", "service", "config", "text", "errors"},
    "docstring_project": {"docstring", "index", "syntax", "text"},
    "docstring_files": {"docstring_project", "docstring", "index", "context", "syntax", "text", "errors"},
    "actions": {
        "docstring", "polish", "prompt", "index", "context", "service", "catalogue", "syntax", "own_actions", "config",
        "errors", "text",
    },
    "prompt": {"context", "catalogue", "syntax"},
    "weights": {"catalogue", "errors"},
    "engine": {"errors", "config"},
    "polish": {"context", "syntax", "text"},
    "service": {"prompt", "catalogue", "config", "errors", "__init__"},
    "modelserver": {"niceness", "service", "prompt", "engine", "weights", "catalogue", "config", "errors", "__init__"},
    "gather": {"index", "context", "syntax", "text"},
    "reuse": {"context", "service", "syntax", "text"},
    "feedback": {"text"},
    "pipeline": {"polish", "reuse", "gather", "context", "syntax", "service", "config", "text", "errors"},
    "server": {
        "writer", "docstring_files", "docstring_project", "docstring", "actions", "pipeline", "polish", "feedback",
        "reuse", "gather", "index", "context", "service", "syntax", "config", "errors", "text", "__init__",
    },
    "measure": {
        "writer", "docstring", "server", "pipeline", "polish", "modelserver", "service", "engine", "gather", "index",
        "context", "prompt", "weights", "catalogue", "syntax", "config", "errors", "text", "__init__",
    },
    "dataset": {"measure", "gather", "prompt", "context", "syntax", "errors", "text"},
    "adapt": {"dataset", "prompt", "engine", "weights", "catalogue", "errors", "__init__"},
    "terminal": {"service", "weights"},
    "status": {"service", "config", "errors"},
    "doctor": {"status", "engine", "service", "weights", "catalogue", "config", "errors", "__init__"},
    "cli": {
        "dataset", "adapt", "docstring_files", "writer", "editors_install", "terminal", "status", "doctor", "server",
        "feedback", "pipeline", "gather", "index", "context", "modelserver", "service", "weights", "catalogue",
        "syntax", "config", "errors", "text", "measure", "__init__",
    },
    "__main__": {"cli", "server"},
    "__init__": set(),
}  # fmt: skip

# A library, and the only rooms that may import it.
LIBRARIES = {
    "torch": {"adapt", "engine"},
    "transformers": {"engine"},
    "safetensors": {"adapt", "engine"},
    "tokenizers": {"adapt", "engine"},
    "pygls": {"server"},
    "lsprotocol": {"server", "measure"},
    "tree_sitter": {"syntax"},
    "starlette": {"modelserver"},
    "uvicorn": {"modelserver"},
    "prometheus_client": {"modelserver"},
    "jinja2": {"prompt"},
    "pathspec": {"context"},
    "detect_secrets": {"context"},
    "typer": {"cli"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Every module that `path` names in an import, wherever it stands in the file."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
            base = ".".join(parts[: len(parts) - node.level]) + "." if node.level else ""
            name = (base + (node.module or "")).rstrip(".")
            yield from (f"{name}.{alias.name}" for alias in node.names)


@each_row("path", modules())
def test_rooms_import_downward_only(path: Path) -> None:
    room = room_of(path)
    for name in imports(path):
        if name.split(".")[0] != "aigc_lsp":
            continue
        other = [*name.split("."), "__init__"][1]
        if not (PACKAGE / other).exists() and not (PACKAGE / f"{other}.py").exists():
            other = "__init__"  # `from aigc_lsp import __version__`
        assert other == room or other in ROOMS[room], f"{room} imports {other}"


@each_row("path", modules())
def test_libraries_stay_in_their_rooms(path: Path) -> None:
    where = str(path.relative_to(PACKAGE))
    for name in imports(path):
        allowed = LIBRARIES.get(name.split(".")[0])
        if allowed is not None:
            assert room_of(path) in allowed or where in allowed, f"{where} imports {name}"


def test_every_room_has_its_rule() -> None:
    assert {room_of(path) for path in modules()} == set(ROOMS)


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_what_the_editor_waits_for_loads_no_torch() -> None:
    waited_for = "aigc_lsp.server.app, aigc_lsp.cli, aigc_lsp.pipeline, aigc_lsp.service.life"
    assert not {"torch", "transformers", "numpy"} & loaded_by(f"import {waited_for}")


def test_the_language_server_loads_nothing_before_initialize_that_can_wait() -> None:
    late = {"httpx", "uvicorn", "starlette", "typer", "rich", "detect_secrets", "requests", "tree_sitter", "pathspec"}
    ours = {f"aigc_lsp.{room}" for room in ("syntax", "context", "index", "gather", "polish", "feedback", "pipeline")}
    assert not (late | ours) & loaded_by("import aigc_lsp.__main__, aigc_lsp.server.app")


@each_row("path", modules())
def test_no_model_name_in_code(path: Path) -> None:
    """Invariant 8. A default or an example in a docstring may name one; a comparison may not."""
    names = {part for name in catalogue.names() for part in (name, name.split("-")[0], name.split(".")[0])}
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Compare):
            said = {
                leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
            }
            assert not said & names, f"line {node.lineno} compares with a model's name"


PURE = [
    "text.py", "syntax", "docstring", "context", "prompt", "polish",
    *(f"feedback/{name}.py" for name in ("change", "counts", "kept", "shown", "table", "threshold")),
]  # fmt: skip
IMPURE = {"time", "datetime", "os", "logging", "random", "pathlib.Path.open", "socket", "subprocess", "io", "tempfile"}


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_have_no_clock_disk_or_log(room: str) -> None:
    """Invariant 9. Grammar tables and queries shipped with the package may be read, once, by syntax/grammar.py."""
    place = PACKAGE / room
    for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
        names = {name.split(".")[0] for name in imports(path)}
        assert not names & IMPURE, f"{path.relative_to(PACKAGE)} imports {names & IMPURE}"
        if path.name != "grammar.py":
            assert not re.search(r"(?<![\w.])open\(", path.read_text(encoding="utf-8"))
