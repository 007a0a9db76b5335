"""What a docstring tells of, as plain data: roles, parts and their places."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from language_samples import SAMPLES

from aigc_lsp.syntax import Mark, Tree, marks, parse
from aigc_lsp.text import Span, Text

QUERIES = resources.files("aigc_lsp.syntax") / "queries" / "signatures"


def parsed(source: str, language: str = "python") -> Tree:
    tree = parse(language, Text(source))
    assert tree is not None
    return tree


def told(source: str, mark: Mark) -> str:
    """The role, and each part as it is written."""
    parts = [
        f"{name}={'|'.join(source[span.start : span.end] for span in spans)}"
        for name, spans in sorted(mark.parts.items())
        if name != "body"
    ]
    return " ".join([f"{mark.role}.{mark.sort}" if mark.sort else mark.role, *parts])


def test_nodes_and_their_parts_in_order_of_place() -> None:
    body = "    try:\n        raise A\n    except (B, C.D) as e:\n        raise\n    return 1\n"
    source = f"def größe(a, *b: int, c='ä'):\n{body}"
    found = marks(parsed(source), 0, len(source))
    assert [told(source, mark) for mark in found if mark.role != "module"] == [
        "function end=: name=größe",
        "parameter",
        "parameter.rest name=b type=int",
        "parameter name=c value='ä'",
        "try",
        "raise value=A",
        "catch as=e caught=B|C.D value=(B, C.D) as e",
        "raise",
        "return value=1",
    ]
    starts = [(mark.span.start, -mark.span.end) for mark in found]
    assert starts == sorted(starts)


def test_only_what_touches_the_range() -> None:
    source = "def f(a): return 1\n\ndef g(b): return 2\n"
    at = source.index("def g")
    names = [mark.part("name") for mark in marks(parsed(source), at, len(source)) if mark.role == "function"]
    assert names == [Span(at + 4, at + 5)]


@pytest.mark.parametrize("language", SAMPLES)
def test_every_language_has_definitions_within_its_text(language: str) -> None:
    source = SAMPLES[language].source
    found = marks(parsed(source, language), 0, len(source))
    assert {"class", "function"} & {mark.role for mark in found}
    for mark in found:
        assert mark.span.end <= len(source)
        for part, spans in mark.parts.items():
            assert all(span.end <= len(source) for span in spans), part


@pytest.mark.parametrize("file", [file.name for file in QUERIES.iterdir()])
def test_every_capture_is_explained(file: str) -> None:
    explained = set(re.findall(r"@(\w+)", (QUERIES / "python.scm").read_text("utf-8").split(";;; signatures")[0]))
    explained |= set(re.findall(r"@(\w+)", (QUERIES / file).read_text("utf-8").split(";;; signatures")[0]))
    used = set(re.findall(r"@(\w+)", (QUERIES / file).read_text("utf-8").split(";;; signatures")[1]))
    unexplained = {name for name in used - explained if not name.startswith("_")}
    assert unexplained == set()


def test_nothing_in_rubble() -> None:
    source = "(" * 30_000
    assert marks(parsed(source), 0, len(source)) == []
