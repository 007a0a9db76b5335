"""In which manner a file's docstrings are written: the style, how it is laid out, how its summaries begin."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aigc_lsp.docstring.detect import Habits, detect
from aigc_lsp.docstring.layout import width_of
from aigc_lsp.docstring.structure import subjects
from aigc_lsp.docstring.styles import OF_LANGUAGE
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.syntax import Tree

Manner = Habits
"""`style` (a name in `STYLES`), `layout`, `imperative`."""


@dataclass(frozen=True, slots=True)
class ProjectHabits:
    """What the files around one say: the texts of the project's settings (None where there is none), and docstrings of
    other files of the same language, with their quotes or marks."""

    pyproject: str | None = None
    editorconfig: str | None = None
    docstrings: tuple[str, ...] = ()


def manner_of(tree: Tree, style: str = "auto", project: ProjectHabits = ProjectHabits()) -> Manner:
    """The manner of the file that `tree` is of. `style`: the one that a setting asks for; "auto" or "" is that of the
    file, else of the project, else the language's. One that the language cannot have counts as "auto"."""
    language = tree.language_id
    wanted = style if style.lower() != "auto" else ""
    existing = docstrings_of(tree)
    if not wanted and not existing and not project.docstrings:
        wanted = convention(project.pyproject, language)
    width = width_of(project.pyproject, project.editorconfig, language)
    # Of a definition at the left edge.
    unit = min((each.indent for each in subjects(tree) if each.indent), key=len, default="    ")
    return detect(existing, language, project.docstrings, wanted, width, unit)


def manner_for(subject: Subject, manner: Manner) -> Manner:
    """The manner for a new docstring of `subject`: in Rust the marks of a file's own are others."""
    form = manner.layout.form
    if subject.language != "rust" or (subject.kind == "module") == form.endswith("!"):
        return manner
    form = "//!" if subject.kind == "module" else {"//!": "///", "/*!": "/**"}[form]
    return replace(manner, layout=replace(manner.layout, form=form))


def docstrings_of(tree: Tree) -> Sequence[tuple[str, Subject]]:
    """All docstrings of a file as written, with what they are about."""
    return [(tree.text.slice(each.existing), each) for each in subjects(tree) if each.existing is not None]


def convention(pyproject: str | None, language: str) -> str:
    """The style that ruff's or pydocstyle's settings name, or ""."""
    if not pyproject or language != "python":
        return ""
    try:
        tools: object = tomllib.loads(pyproject).get("tool", {})
    except tomllib.TOMLDecodeError:
        return ""
    for path in (("ruff", "lint", "pydocstyle"), ("ruff", "pydocstyle"), ("pydocstyle",)):
        value = tools
        for key in (*path, "convention"):
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str) and value in OF_LANGUAGE[language]:
            return value
    return ""
