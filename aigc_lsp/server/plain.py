"""What a client sends that is ours alone, as dictionaries and lists."""

from __future__ import annotations

from typing import Any

from lsprotocol import types


def plain(given: Any) -> Any:
    """pygls makes tuples with names of the objects in what it does not know."""
    if isinstance(given, tuple) and hasattr(given, "_asdict"):
        return {name: plain(value) for name, value in given._asdict().items()}
    if isinstance(given, dict):
        return {name: plain(value) for name, value in given.items()}
    return [plain(each) for each in given] if isinstance(given, list | tuple) else given


def range_in(given: Any) -> types.Range:
    """Raises `ValueError` where it is none."""
    match given:
        case {
            "start": {"line": int(line), "character": int(character)},
            "end": {"line": int(last), "character": int(behind)},
        }:
            return types.Range(types.Position(line, character), types.Position(last, behind))
    raise ValueError("no range")


def plain_range(span: types.Range) -> dict[str, Any]:
    start, end = ({"line": each.line, "character": each.character} for each in (span.start, span.end))
    return {"start": start, "end": end}


def is_version(given: Any) -> bool:
    """Of a document, or none."""
    return given is None or type(given) is int
