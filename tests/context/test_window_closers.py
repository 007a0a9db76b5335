"""The closers behind the cursor, which the model is not shown, and the cells around a document. `$0` is the cursor."""

from __future__ import annotations

import pytest
from each_row import each_row

from aigc_lsp.context.window import CHARACTERS_PER_TOKEN, Window, gather
from aigc_lsp.text import Text


def window(source: str, *, suffix_tokens: int = 40, above: str = "", below: str = "") -> Window:
    before, after = source.split("$0")
    text = Text(before + after)
    return gather(
        text,
        len(before),
        language="python",
        prefix_tokens=100,
        suffix_tokens=suffix_tokens,
        above=above,
        below=below,
    )


WITHHELD = {
    "nothing behind the cursor": ("x = $0", ""),
    "a bracket": ("foo($0)", ")"),
    "brackets": ("foo(bar[{$0}])", "}])"),
    "blanks alone": ("x = $0   ", "   "),
    "blanks around": ("foo( $0 ) ", " ) "),
    "a statement's end": ("foo($0);", ");"),
    "an item's end": ("    foo($0),", "),"),
    "a header's end": ("def f($0):", "):"),
    "a block": ("func f() {$0}", "}"),
    "a call with a block": ("on('x', () => {$0});", "});"),
    "the quote that is open": ("x = '$0'", "'"),
    "quote and bracket": ('print("$0")', '")'),
    "a docstring": ('def f(): """$0"""', '"""'),
    "a quote in a docstring": ('def f(): """A "$0""""', '""""'),
    "brackets and a quote in a docstring": ('"""A "(b$0)""""', ')""""'),
    "a quote in a docstring that goes on below": ('"""A "$0"', '"'),
    "a word in a docstring": ('"""A $0 b"""', ""),
    "a substitution": ("f'{$0}'", "}'"),
    "a template": ("`${$0}`;", "}`;"),
    "behind an apostrophe that quotes nothing": ("fn f<'a>($0)", ")"),
    "a quote that would begin a string": ("foo($0'')", ""),
    "another quote than the open one": ("x = '$0\"", ""),
    "a quote twice": ("x = '$0''", ""),
    "a closed string": ("foo('a'$0)", ")"),
    "a word": ("foo($0, a)", ""),
    "a block that begins": ("if ($0) {", ""),
    "a comment": ("foo($0)  # why", ""),
    "a semicolon alone": ("x = $0;", ""),
    "a comma alone": ("x = $0,", ""),
    "an operator": ("x = ($0) + 1", ""),
    "more brackets than an editor inserts": ("x$0" + ")" * 50, ""),
}


@pytest.mark.parametrize("end", ["", "\n", "\nmore(1)\n", "\r\nmore(1)\r\n"])
@each_row(("source", "withheld"), WITHHELD)
def test_withheld(source: str, withheld: str, end: str) -> None:
    found = window(f"above()\n{source}{end}\n")
    before, after = source.split("$0")
    assert found.withheld == withheld
    assert (found.line_before, found.line_after) == (before, after)
    assert found.suffix == after.removeprefix(withheld) + end.replace("\r", "") + "\n"


def test_what_is_withheld_counts_in_no_budget() -> None:
    found = window("foo($0)\nbar()\n", suffix_tokens=0)
    assert (found.suffix, found.withheld, found.line_after) == ("", ")", ")")


CELLS = {
    "both": ("import a", "x = $0", "print(x)", "import a\nx = ", "\nprint(x)"),
    "above": ("import a", "x = $0\n", "", "import a\nx = ", "\n"),
    "below": ("", "x = $0", "print(x)", "x = ", "\nprint(x)"),
    "an empty cell": ("import a", "$0", "print()", "import a\n", "\nprint()"),
    "closers are withheld": ("import a", "f($0)", "print()", "import a\nf(", "\nprint()"),
    "line ends": ("import a\r\nimport b", "x = $0", "y\r\nz", "import a\nimport b\nx = ", "\ny\nz"),
}


@pytest.mark.parametrize(("above", "source", "below", "prefix", "suffix"), CELLS.values(), ids=CELLS)
def test_cells_around(above: str, source: str, below: str, prefix: str, suffix: str) -> None:
    found = window(source, above=above, below=below)
    assert (found.prefix, found.suffix, found.offset) == (prefix, suffix, source.index("$0"))


def test_cells_share_the_budget() -> None:
    cell = "".join(f"line_{number} = {number}\n" for number in range(400))
    found = window("x = $0", above=cell, below=cell)
    assert cell.endswith(found.prefix.removesuffix("\nx = "))
    assert cell.startswith(found.suffix.removeprefix("\n"))
    assert 60 * CHARACTERS_PER_TOKEN < len(found.prefix) <= 100 * CHARACTERS_PER_TOKEN
    assert 20 * CHARACTERS_PER_TOKEN < len(found.suffix) <= 40 * CHARACTERS_PER_TOKEN + 1
