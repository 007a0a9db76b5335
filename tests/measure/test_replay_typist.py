"""Somebody who types: whatever the editor puts in and whatever is accepted on the way, the text comes out true."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from aigc_lsp.measure.replay_typist import (
    PAUSES_MS,
    Key,
    Sheet,
    acceptable,
    at_cursor,
    first_line,
    pause_seconds,
)

TEXTS = sorted(Path(__file__).parent.parent.joinpath("samples").iterdir())


def sheet(truth: str, before: str = "", behind: str = "") -> Sheet:
    return Sheet(before + behind, len(before), truth)


def typed(one: Sheet, keys: int = 1000, slips: float = 0.0, closes: bool = True, seed: int = 1) -> list[Key]:
    """At most so many keys."""
    chance, pressed = random.Random(seed), list[Key]()
    while not one.is_done and len(pressed) < keys:
        pressed.append(one.press(chance, slips, closes))
    return pressed


def shown(one: Sheet) -> str:
    return one.text[: one.cursor] + "|" + one.text[one.cursor :]


@pytest.mark.parametrize(
    ("truth", "keys", "expected"),
    [
        ("f(x)", 2, "f(|)"),
        ("f(x)", 3, "f(x|)"),
        ("f(x)", 4, "f(x)|"),
        ("f(g(x))", 4, "f(g(|))"),
        ("f(')')", 3, "f('|')"),
        ("f(')')", 4, "f(')|')"),
        ("print(f'{x}')", 9, "print(f'{|}')"),
        ("don't", 5, "don't|"),
        ('"""Doc."""', 3, '"""|'),
        ('"""Doc."""', 10, '"""Doc."""|'),
        # A closer that the truth does not have is put in, and goes with the next key.
        ("x = (", 5, "x = (|)"),
        ("x = (", 6, "x = (|"),
        # Enter between two brackets moves the closing one a line down; an arrow goes over it.
        ("{\n    a\n}", 2, "{\n    |\n}"),
        ("{\n    a\n}", 4, "{\n    a\n}|"),
        ("f(\n    a)", 3, "f(\n    |)"),
    ],
)
def test_an_editor_that_closes(truth: str, keys: int, expected: str) -> None:
    one = sheet(truth, behind="\n")
    typed(one, keys)
    assert shown(one) == expected + "\n"


def test_no_closer_in_front_of_a_word_or_where_the_editor_puts_none_in() -> None:
    in_front, without = sheet("f(", behind="x)"), sheet("f(x)")
    typed(in_front)
    assert shown(in_front) == "f(|x)"
    keys = typed(without, closes=False)
    assert [key.change.text for key in keys if key.change] == list("f(x)")


def test_enter_brings_the_indentation_of_the_line_that_comes() -> None:
    keys = typed(sheet("if x:\n    y\n\nz"))
    assert [key.change.text for key in keys if key.change] == [*"if x:", "\n    ", "y", "\n", "\n", "z"]


def test_a_closer_is_typed_over_by_itself() -> None:
    keys = typed(sheet("()"))
    assert [key.kind for key in keys] == ["type", "over"]
    assert keys[1].change is not None
    assert (keys[1].change.removed, keys[1].change.text) == (1, ")")


def test_a_slip_is_noticed_after_a_key_or_two_and_all_of_it_goes() -> None:
    one = sheet("value" * 60)
    keys = typed(one, slips=0.2)
    kinds = "".join({"type": "t", "slip": "s", "backspace": "b"}[key.kind] for key in keys)
    assert re.fullmatch("(t|sb|ssbb)+", kinds)
    assert {"tsbt", "tssbbt"} <= set(re.findall("(?=(tsbt|tssbbt))", kinds))
    assert one.text == "value" * 60


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
@pytest.mark.parametrize("seed", range(6))
def test_the_text_becomes_the_true_one(path: Path, seed: int) -> None:
    """Also where right text is accepted here and there; each change, made to the text before, gives the text after."""
    said, chance = path.read_text(encoding="utf-8"), random.Random(seed)
    start, end = sorted((chance.randrange(len(said)), len(said) - chance.randrange(40)))
    one = sheet(said[start:end], said[:start], said[end:])
    while not one.is_done:
        before, offer = one.text, one.remaining[: chance.randint(1, 60)]
        if chance.random() < 0.1 and one.fits(offer):
            change = one.accept(offer)
        else:
            key = one.press(chance, slips=0.05)
            if key.change is None:
                continue
            change = key.change
        made = before[: change.start] + change.text + before[change.start + change.removed :]
        assert made == one.text
        assert one.cursor == change.start + len(change.text) - change.back
    assert one.text == said
    assert len(one.authors) == end - start


def test_pauses_follow_their_quantiles() -> None:
    chance = random.Random(1)
    pauses = sorted(1e3 * pause_seconds(chance) for _ in range(20_000))
    for share, ms in PAUSES_MS[1:-1]:
        assert pauses[int(share * len(pauses))] == pytest.approx(ms, rel=0.05)
    assert pauses[-1] <= PAUSES_MS[-1][1]


@pytest.mark.parametrize(
    ("keys", "said", "replaced", "taken"),
    [
        # f(ab, cd)\n    return, behind `f(`, with the editor's `)` behind the cursor
        (2, "ab, cd", 0, ("ab, cd", 0)),
        (2, "ab, cd)", 1, ("ab, cd)", 1)),
        (2, "ab, cd)", 0, None),  # the closer would be there twice
        (2, "ab,", 0, None),  # too short to reach for Tab
        (2, "ab, c", 1, ("ab, c", 1)),  # the closer is typed then
        (2, "ab, cX", 0, None),
        (2, "ab, cd)\n    raise", 1, ("ab, cd)", 1)),
        (2, "ab, cd)\n    return", 1, ("ab, cd)\n    return", 1)),
        (2, "ab, cd)\n", 5, None),  # what stood there before is no closer
        (0, "f(ab, cd)\n    return\n", 0, ("f(ab, cd)", 0)),  # the line end would be there twice: the first line
        (0, "f(ab, cd)\n    return\n", 1, ("f(ab, cd)\n    return\n", 1)),  # all of it, over the line end there is
        (0, "", 0, None),
    ],
)
def test_what_is_accepted(keys: int, said: str, replaced: int, taken: tuple[str, int] | None) -> None:
    one = sheet("f(ab, cd)\n    return", behind="\nend\n")
    typed(one, keys)
    assert acceptable(one, said, replaced) == taken
    if taken:
        one.accept(*taken)
        typed(one)
        assert one.text == "f(ab, cd)\n    return\nend\n"


def test_nothing_is_accepted_behind_a_slip() -> None:
    one = sheet("value = compute()")
    while not one.slipped:
        one.press(random.Random(3), slips=0.5)
    assert acceptable(one, one.remaining, 0) is None


def test_what_the_editor_has_put_in_is_not_the_machines() -> None:
    one = sheet("f(abcd)")
    typed(one, 2)
    one.accept("abcd)", 1)
    assert one.authors == ["human"] * 2 + ["machine"] * 4 + ["human"]


@pytest.mark.parametrize(
    ("said", "line"), [("one", ""), ("one\ntwo", "one"), ("\n  one\ntwo", "\n  one"), ("\n  one", ""), ("", "")]
)
def test_the_first_line_has_something_in_it(said: str, line: str) -> None:
    assert first_line(said) == line


def test_text_that_begins_before_the_cursor() -> None:
    assert at_cursor("    return x", "    ret") == "urn x"
    assert at_cursor("raise", "ret") == ""
