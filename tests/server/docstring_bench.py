"""What tests of docstrings in the editor share: a document with a cursor, its actions, and its text after an edit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from conftest import Bench
from harness import CODECS, Answer

REWRITE = "refactor.rewrite.docstring"
COMMAND = "aigc.writeDocstring"


def with_cursor(marked: str, encoding: str) -> tuple[str, dict[str, Any]]:
    """The text without its one `|` or two, and the range that they mark."""
    first, *others = marked.split("|")
    places = [first, *([first + others[0]] if len(others) > 1 else [])]
    text = "".join((first, *others))
    marks = [position(text, len(place), encoding) for place in places]
    return text, {"start": marks[0], "end": marks[-1]}


def position(text: str, offset: int, encoding: str) -> dict[str, int]:
    codec, size = CODECS[encoding]
    before = text[:offset]
    start = max(before.rfind("\n"), before.rfind("\r")) + 1
    return {
        "line": before.count("\n") + before.replace("\r\n", "").count("\r"),
        "character": len(before[start:].encode(codec)) // size,
    }


def offset_of(text: str, place: dict[str, int], encoding: str) -> int:
    """The last such: what begins a line is behind all of the line end."""
    return next(at for at in range(len(text), -1, -1) if position(text, at, encoding) == place)


async def actions(
    bench: Bench,
    uri: str,
    span: dict[str, Any],
    only: Sequence[str] | None = None,
    diagnostics: Iterable[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Those of docstrings."""
    context = {"diagnostics": list(diagnostics)} | ({"only": list(only)} if only is not None else {})
    params = {"textDocument": {"uri": uri}, "range": span, "context": context}
    found = await bench.client.request("textDocument/codeAction", params)
    return [each for each in found if "docstring" in each["title"].lower()]


def edited(text: str, edit: dict[str, Any], encoding: str) -> str:
    """`text` after the edits of a document, as an editor applies them."""
    for each in sorted(edits_in(edit), key=lambda each: -offset_of(text, each["range"]["start"], encoding)):
        start, end = (offset_of(text, each["range"][name], encoding) for name in ("start", "end"))
        text = text[:start] + each["newText"] + text[end:]
    return text


def edits_in(edit: dict[str, Any]) -> list[dict[str, Any]]:
    if "changes" in edit:
        (found,) = edit["changes"].values()
        return list(found)
    return [each for change in edit.get("documentChanges", ()) for each in change["edits"]]


class Buffer:
    """A document whose edits the editor applies, and tells of, as a real one does."""

    def __init__(self, bench: Bench, text: str, language: str = "python", suffix: str = "py") -> None:
        self.bench, self.text, self.version = bench, text, 1
        self.uri = bench.fresh(text, language, suffix)
        self.applied: list[dict[str, Any]] = []
        bench.client.applies = self._apply

    def range(self, marked: str) -> dict[str, Any]:
        """Of the first place that looks like `marked`, at its `|`."""
        before, _, after = marked.partition("|")
        at = self.text.index(before + after) + len(before)
        place = position(self.text, at, self.bench.encoding)
        return {"start": place, "end": place}

    def type(self, before: str, typed: str) -> None:
        """Insert `typed` where `before` stands."""
        place = position(self.text, self.text.index(before), self.bench.encoding)
        self._change([{"range": {"start": place, "end": place}, "text": typed}])
        self.text = self.text.replace(before, typed + before, 1)

    def _apply(self, edit: dict[str, Any]) -> dict[str, Any]:
        versions = [change["textDocument"]["version"] for change in edit.get("documentChanges", ())]
        if any(version != self.version for version in versions):
            return {"applied": False, "failureReason": "an old version"}
        self.applied.append(edit)
        encoding = self.bench.encoding
        made = sorted(edits_in(edit), key=lambda each: -offset_of(self.text, each["range"]["start"], encoding))
        self.text = edited(self.text, edit, encoding)
        self._change([{"range": each["range"], "text": each["newText"]} for each in made])
        return {"applied": True}

    def _change(self, changes: list[dict[str, Any]]) -> None:
        self.version += 1
        self.bench.client.change(self.uri, self.version, *changes)


def says(body: dict[str, Any]) -> Answer:
    """What a model says of any function."""
    is_summary = body["input_prefix"].rstrip(" *\n").endswith(('"""', "'''", "/", "/**", "///"))
    return Answer(("Add two numbers.",) if is_summary else ("The number.",))
