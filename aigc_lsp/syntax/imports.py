"""The imports of a tree, from what `queries/` capture."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import tree_sitter

from aigc_lsp.syntax.definitions import Captures
from aigc_lsp.syntax.encoded import Encoded
from aigc_lsp.syntax.symbols import Import
from aigc_lsp.text import Span

_SPACE = re.compile(r"\s+")
_ALIASED = re.compile(r"(.*)\sas\s+(\w+)$")
# A `use` of Rust may be nested; deeper than this it is none that a person wrote.
_MAX_DEPTH = 16


@dataclass(slots=True)
class _Statement:
    """What the captures of one statement say."""

    span: Span
    modules: dict[int, str] = field(default_factory=dict)
    aliases: dict[int, str] = field(default_factory=dict)
    items: dict[int, tuple[str, str]] = field(default_factory=dict)
    is_all: bool = False


def imports(matches: Iterable[tuple[int, Captures]], encoded: Encoded, language_id: str) -> tuple[Import, ...]:
    """The imports among `matches` of the query `imports`, in order of place."""
    statements: dict[int, _Statement] = {}
    for _, captures in matches:
        if "import" in captures:
            _add(statements, captures, encoded)
    plain = _PLAIN.get(language_id, _as_written)
    return tuple(made for _, statement in sorted(statements.items()) for made in plain(statement, encoded.source))


def _add(statements: dict[int, _Statement], captures: Captures, encoded: Encoded) -> None:
    node = captures["import"][0]
    statement = statements.get(node.start_byte)
    if statement is None:
        end = node.start_byte + len(encoded.data[node.start_byte : node.end_byte].rstrip())
        span = Span(encoded.offset_at(node.start_byte), encoded.offset_at(end))
        statement = statements[node.start_byte] = _Statement(span)

    def said(name: str) -> str:
        return _text(captures[name][0], encoded) if name in captures else ""

    if "module" in captures:
        statement.modules[captures["module"][0].start_byte] = said("module")
    if "as" in captures:
        statement.aliases[captures["module"][0].start_byte if "module" in captures else -1] = said("as")
    if "item" in captures:
        statement.items[captures["item"][0].start_byte] = (said("item").strip("\"'"), said("alias"))
    if "default" in captures:
        statement.items[captures["default"][0].start_byte] = ("default", said("default"))
    statement.is_all |= "all" in captures


def _text(node: tree_sitter.Node, encoded: Encoded) -> str:
    return _SPACE.sub(" ", encoded.data[node.start_byte : node.end_byte].decode("utf-8", "replace"))


def _as_written(statement: _Statement, source: str) -> Iterator[Import]:
    names = tuple(said for _, said in sorted(statement.items.items()))
    for at, module in sorted(statement.modules.items()):
        alias = statement.aliases.get(at, statement.aliases.get(-1, ""))
        yield Import(module, names, statement.span, "*" if statement.is_all else alias)


def _unquoted(statement: _Statement, source: str) -> Iterator[Import]:
    for found in _as_written(statement, source):
        yield Import(found.module.strip("\"'"), found.names, found.span, found.alias)


def _ruby(statement: _Statement, source: str) -> Iterator[Import]:
    is_relative = source.startswith("require_relative", statement.span.start)
    for found in _as_written(statement, source):
        module = f"./{found.module}" if is_relative and not found.module.startswith(".") else found.module
        yield Import(module, found.names, found.span, found.alias)


def _rust(statement: _Statement, source: str) -> Iterator[Import]:
    """`use a::{b, c::{d as e, self}}` as one import for each module; `mod a;` as "self::a"."""
    for found in _as_written(statement, source):
        first = found.module.strip(":").split("::")[0]  # a path may begin with `::`
        if "use" not in source[found.span.start : found.span.end].partition(first or ":")[0]:
            yield Import(f"self::{found.module}", (), found.span)
        else:
            for module, names, alias in _use_tree("", found.module, 0):
                yield Import(module, names, found.span, alias)


_Found = tuple[str, tuple[tuple[str, str], ...], str]
"""Module, names and alias, as in `Import`."""


def _use_tree(prefix: str, tree: str, depth: int) -> Iterator[_Found]:
    path, brace, group = tree.strip().partition("{")
    path = path.strip()
    if not brace:
        aliased = _ALIASED.match(path)
        path, alias = (aliased[1].strip(), aliased[2]) if aliased else (path, "")
        if path.endswith("*"):
            path, alias = path[:-1].removesuffix("::"), "*"
        yield prefix + path, (), alias
        return
    module = (prefix + path).removesuffix("::")
    names: list[tuple[str, str]] = []
    nested: list[_Found] = []
    for part in _split(group.rstrip().removesuffix("}")):
        aliased = _ALIASED.match(part)
        name, alias = (aliased[1].strip(), aliased[2]) if aliased else (part, "")
        if name == "self":
            nested.append((module, (), alias))
        elif name.isidentifier() and module:
            names.append((name, alias))
        elif depth < _MAX_DEPTH:
            nested += _use_tree(f"{module}::" if module else "", part, depth + 1)
    if names:
        yield module, tuple(names), ""
    yield from nested


def _split(group: str) -> Iterator[str]:
    """The parts of a list, at the commas outside its braces."""
    depth, part = 0, ""
    for character in group:
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            yield part.strip()
            part = ""
        else:
            part += character
    if part.strip():
        yield part.strip()


_PLAIN: dict[str, Callable[[_Statement, str], Iterator[Import]]] = {
    "ruby": _ruby,
    "rust": _rust,
    "shellscript": _unquoted,
}
