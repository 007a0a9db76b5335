"""What was shown is known: typing it, going back in it, and what editors put behind the cursor meanwhile."""

from __future__ import annotations

import pytest
from buffer import Buffer, Model


async def test_each_key_of_it_is_known() -> None:
    model = Model("join(names)", "\n")
    buffer = Buffer("x = ', '.$0\ny = 1\n", model)
    await buffer.shows("join(names)", "model")
    for at, key in enumerate("join(name"):
        buffer.type(key)
        await buffer.shows("join(names)"[at + 1 :], "kept")
    assert model.asked == 1


async def test_back_into_it_and_on_again() -> None:
    buffer = Buffer("x = $0\n", Model("foo.bar", "\n"))
    await buffer.shows("foo.bar", "model")
    buffer.type("foo")
    await buffer.shows(".bar", "kept")
    buffer.back(2)
    await buffer.shows("oo.bar", "kept")
    buffer.type("oo.")
    await buffer.shows("bar", "kept")


async def test_another_key_and_back() -> None:
    """An undo finds what was there."""
    model = Model("foo", "\n")
    buffer = Buffer("x = $0\n", model)
    await buffer.shows("foo", "model")
    buffer.type("g")
    model.pieces = ("hi", "\n")
    await buffer.shows("hi", "model")
    buffer.back()
    await buffer.shows("foo", "kept")
    assert model.asked == 2


async def test_further_back_than_it_began_is_another_place() -> None:
    model = Model("foo", "\n")
    buffer = Buffer("x = a$0\n", model)
    await buffer.shows("foo", "model")
    buffer.back()
    await buffer.shows("foo", "model")


async def test_case_is_as_typed() -> None:
    model = Model("Foo", "\n")
    buffer = Buffer("x = $0\n", model)
    await buffer.shows("Foo", "model")
    buffer.type("f")
    model.pieces = ("oo", "\n")
    await buffer.shows("oo", "model")


CLOSERS = {
    "one that it has": ("print$0\n", ("(x)", "\n"), [("(", ")")], "x", 0),
    "one that it goes on behind": ("print$0\n", ("(x).y", "\n"), [("(", ")")], "x).y", 1),
    "two": ("f$0\n", ("([1, 2])", "\n"), [("(", ")"), ("[", "]")], "1, 2", 0),
    "a quote": ("x = $0\n", ('"a b"', "\n"), [('"', '"')], "a b", 0),
    "a quote in brackets": ("f$0\n", ('("a")', "\n"), [("(", ")"), ('"', '"')], "a", 0),
}


@pytest.mark.parametrize(("source", "pieces", "keys", "text", "replaces"), CLOSERS.values(), ids=CLOSERS)
async def test_closers_that_the_editor_puts_behind_the_cursor(
    source: str, pieces: tuple[str, ...], keys: list[tuple[str, str]], text: str, replaces: int
) -> None:
    buffer = Buffer(source, Model(*pieces))
    await buffer.ask()
    for key, closer in keys:
        buffer.type(key, closer)
    found = await buffer.ask()
    assert (found.text, found.replaces, found.source) == (text, replaces, "kept")


async def test_a_closer_that_it_has_not_is_no_way_to_it() -> None:
    """`foo(a, ` is left open by the model: with the editor's bracket it is another text."""
    model = Model("(a, b", "\n")
    buffer = Buffer("print$0\n", model)
    first = (await buffer.ask()).text
    buffer.type("(", ")")
    found = await buffer.ask()
    assert first.startswith("(a")
    assert found.source != "kept" or ")" not in found.text
    assert found.replaces == 0


async def test_over_the_closer_behind_the_cursor() -> None:
    model = Model("x", ")", "\n")
    buffer = Buffer("print($0)\n", model)
    await buffer.shows("x", "model")
    buffer.type("x")
    await buffer.shows("", "kept")
    buffer.over()
    await buffer.shows("", "kept")
    assert model.asked == 1


CHANGES = {
    "right above": "a = 2\nx = $0\n\nb = 1\n",
    "right below": "a = 1\nx = $0\n\nb = 2\n",
    "on the line": "a = 1\nxy = $0\n\nb = 1\n",
    "a line more at the end": "a = 1\nx = $0\n\nb = 1\n\nc = 3\n",
    "a line more at the beginning": "import os\na = 1\nx = $0\n\nb = 1\n",
}


@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES)
async def test_another_text_around_it_is_another_place(changed: str) -> None:
    model = Model("foo", "\n")
    buffer = Buffer("a = 1\nx = $0\n\nb = 1\n", model)
    await buffer.shows("foo", "model")
    buffer.set(changed)
    await buffer.shows("foo", "model")
    assert model.asked == 2


async def test_far_away_it_matters_not() -> None:
    model = Model("foo", "\n")
    far = "# a line of a long file\n" * 400
    buffer = Buffer(f"a = 1\n{far}x = $0\n{far}b = 1\n", model)
    await buffer.shows("foo", "model")
    buffer.set(f"import os\na = 2\n{far}x = f$0\n{far}b = 2\n")
    await buffer.shows("oo", "kept")


async def test_windows_line_ends() -> None:
    """A block is typed through with `\\r\\n` in a file that has these."""
    buffer = Buffer("def f():\r\n    $0\r\n", Model("a = 1\n", "    return a\n", "x = 1\n"))
    await buffer.shows("a = 1\n    return a", "model")
    buffer.type("a = 1\r\n    re")
    await buffer.shows("turn a", "kept")


async def test_a_block_stays_a_block_while_its_first_line_is_typed() -> None:
    model = Model("total = 0\n", "    return total\n", "\n", "x = 1\n")
    buffer = Buffer("def f():\n    $0\n", model)
    await buffer.shows("total = 0\n    return total", "model")
    buffer.type("tot")
    await buffer.shows("al = 0\n    return total", "kept")
    buffer.type("al = 0\n    ")
    await buffer.shows("return total", "kept")
    assert model.asked == 1
