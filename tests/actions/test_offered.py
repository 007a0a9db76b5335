"""What is offered where: little, and only what can be done there."""

from __future__ import annotations

import pytest
from scripted_chat import document

from aigc_lsp.actions import Problem, can_chat, offered
from aigc_lsp.config import Config, EngineConfig
from aigc_lsp.own_actions import OwnAction
from aigc_lsp.text import Span

FUNCTION = "def total(prices):\n    return sum(prices)\n"
OWN = (
    OwnAction("Name it", "Name {selection}"),
    OwnAction("Type it", "Types for {function}", "refactor.rewrite", "replace", ("python",)),
    OwnAction("Why", "Why {diagnostics}?", "quickfix"),
    OwnAction("Poem", "A poem on {path}."),
    OwnAction("In Rust", "Say {path}", languages=("rust",)),
)


def names(source: str, name: str = "till.py", problems: int = 0, own: tuple[OwnAction, ...] = ()) -> list[str]:
    made, span = document(source, name)
    told = [Problem(span, f"wrong {number}\nmore") for number in range(problems)]
    found = offered(made, span, told, Config(actions=own))
    return [each.own or each.name for each in found]


@pytest.mark.parametrize(
    ("source", "name", "expected"),
    [
        ("x = ¦1\n", "till.py", []),
        ("¦x = 1¦\n", "till.py", ["explain"]),
        ("¦   ¦\nx = 1\n", "till.py", []),
        ("def ¦total(prices):\n    return sum(prices)\n", "till.py", ["writeTest"]),
        ("def total(prices):\n    return ¦sum(prices)\n", "till.py", []),  # not inside of its body
        (f"¦{FUNCTION}¦", "till.py", ["explain", "writeTest"]),
        (f"¦{FUNCTION}{FUNCTION.replace('total', 'other')}¦", "till.py", ["explain"]),  # of which?
        (f"def ¦{FUNCTION[4:]}", "test_till.py", []),  # it is a test
        ("fn ¦total() -> i32 { 1 }\n", "till.rs", ["writeTest"]),
        ("def ¦total\n  1\nend\n", "till.rb", []),  # no convention that we know
        ("class ¦Till:\n    pass\n", "till.py", []),
        ("# TODO: ¦count the coins\nx = 1\n", "till.py", ["completeTodo"]),
        ("# TODO¦\nx = 1\n", "till.py", []),  # what?
        ("x = 'TODO: ¦count'\n", "till.py", []),  # no comment
        ("TODO = 1 ¦\n", "till.py", []),
        ("// FIXME(ann) ¦no floats\nlet x = 1;\n", "till.js", ["completeTodo"]),
        ("- TODO: ¦milk\n", "list.md", []),
    ],
)
def test_what_is_offered(source: str, name: str, expected: list[str]) -> None:
    assert names(source, name) == expected


def test_fixes_are_few_and_say_what_they_fix() -> None:
    made, span = document("x = ¦y\n")
    told = [Problem(span, text) for text in ("`y` is not\ndefined", "  ", "long " * 30, "third")]
    found = offered(made, span, told, Config())
    assert [(each.name, each.kind, each.problem) for each in found] == [("fix", "quickfix", 0), ("fix", "quickfix", 2)]
    assert found[0].title == "Fix: `y` is not"
    assert found[1].title.endswith("…")
    assert len(found[1].title) < 70


@pytest.mark.parametrize(
    ("source", "name", "problems", "expected"),
    [
        ("x = ¦1\n", "till.py", 0, ["Poem"]),
        ("x = ¦1¦\n", "till.py", 0, ["explain", "Name it", "Poem"]),
        ("x = ¦1\n", "till.py", 1, ["fix", "Why", "Poem"]),
        ("def f():\n    ¦pass\n", "till.py", 0, ["Type it", "Poem"]),
        ("fn f() { ¦ }\n", "till.rs", 0, ["Poem", "In Rust"]),
    ],
)
def test_own_actions_are_offered_where_their_placeholders_mean_something(
    source: str, name: str, problems: int, expected: list[str]
) -> None:
    assert names(source, name, problems, OWN) == expected


def test_who_can_chat() -> None:
    assert can_chat(Config())
    assert not can_chat(Config(model="starcoder2-3b"))
    assert not can_chat(Config(model="no-such-model"))
    assert can_chat(Config(model="no-such-model", engine=EngineConfig(url="http://somewhere")))


def test_a_document_without_a_tree_is_no_trouble() -> None:
    made, span = document("¦whatever¦ (", "notes.unknown")
    assert made.tree is None
    assert [each.name for each in offered(made, span, [Problem(Span(0, 3), "no")], Config())] == ["fix", "explain"]
