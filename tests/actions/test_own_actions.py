"""Actions in the settings: what is wrong with one is said in a sentence, and the others stay."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aigc_lsp.config import Layer, environment_layer, resolve
from aigc_lsp.own_actions import PLACEHOLDERS, OwnAction, filled, read

GOOD = {"title": "Name it", "prompt": "Name {selection}."}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (GOOD, OwnAction("Name it", "Name {selection}.")),
        (
            GOOD | {"kind": "refactor.rewrite.types", "where": "replace", "languages": ["python"]},
            OwnAction("Name it", "Name {selection}.", "refactor.rewrite.types", "replace", ("python",)),
        ),
        ({"title": " A ", "prompt": "{{json}} {1}"}, OwnAction("A", "{{json}} {1}")),
        ("Name it", "must be a table"),
        ({}, "needs a title"),
        ({"title": "A"}, "needs a prompt"),
        (GOOD | {"title": " "}, "needs a title"),
        (GOOD | {"title": "A\nB"}, "one line"),
        (GOOD | {"title": "A" * 81}, "at most 80"),
        (
            GOOD | {"promt": "B"},
            "has no promt; it may have title, prompt, kind, where, languages. Did you mean prompt?",
        ),
        (GOOD | {"prompt": "Name {selecton}"}, "has {selecton} in its prompt"),
        (GOOD | {"prompt": "Name {Selection}"}, "Did you mean {selection}?"),
        (GOOD | {"prompt": 3}, "needs a prompt"),
        (GOOD | {"kind": "rewrite"}, "must have a kind"),
        (GOOD | {"kind": None, "languages": None}, OwnAction("Name it", "Name {selection}.")),
        (GOOD | {"where": "beside"}, "must have a where of show or replace or above or below"),
        (GOOD | {"where": ["show"]}, "must have a where"),
        (GOOD | {"languages": "python"}, "must have languages"),
        (GOOD | {"languages": [""]}, "must have languages"),
    ],
)
def test_what_is_read(given: Any, expected: OwnAction | str) -> None:
    found = read(given)
    if isinstance(expected, str):
        assert isinstance(found, str)
        assert expected in found
    else:
        assert found == expected


def test_one_wrong_action_is_named_and_the_others_stay() -> None:
    resolved = resolve(Layer("here", {"actions": [GOOD, GOOD | {"title": "Two", "where": "up"}, 3, GOOD]}))
    assert [each.title for each in resolved.config.actions] == ["Name it", "Name it"]
    two, three = resolved.messages
    assert two.startswith('Number 2 of actions ("Two") must have a where of')
    assert two.endswith("so it is ignored. It is from here.")
    assert three.startswith("Number 3 of actions must be a table")


def test_where_all_are_wrong_those_below_stay() -> None:
    below = Layer("below", {"actions": [GOOD]})
    resolved = resolve(below, Layer("above", {"actions": [{"title": "X"}]}))
    assert [each.title for each in resolved.config.actions] == ["Name it"]
    assert resolved.origins["actions"] == "below"
    assert len(resolved.messages) == 1


def test_from_the_environment_they_are_json() -> None:
    layer = environment_layer({"AIGC_LSP_ACTIONS": json.dumps([GOOD])})
    assert resolve(layer).config.actions == (OwnAction("Name it", "Name {selection}."),)
    (message,) = resolve(environment_layer({"AIGC_LSP_ACTIONS": "[{"})).messages
    assert "AIGC_LSP_ACTIONS" in message


def test_what_is_filled_in_is_taken_as_it_is() -> None:
    values = dict.fromkeys(PLACEHOLDERS, "") | {"selection": "{file} {{x}} \\1", "file": "no"}
    assert filled("a {selection} {{b}} {1} {", values) == "a {file} {{x}} \\1 {b} {1} {"
