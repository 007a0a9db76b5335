"""What the other cells of a notebook say to one of them: whole texts, so that one can read what the model reads."""

from __future__ import annotations

import pytest

from aigc_lsp.context.cells import Cell, around, language_in

PLENTY = 10_000


def python(source: str) -> Cell:
    return Cell(source, "python")


def prose(source: str) -> Cell:
    return Cell(source, "markdown", is_markup=True)


def texts(*cells: Cell, at: int, most: int = PLENTY) -> tuple[str, str]:
    return around(cells[at], reversed(cells[:at]), cells[at + 1 :], most, most)


IMPORTS = python("import numpy as np\n")
LOAD = python("\ndef load(path):\n    return np.load(path)\n\n")
SHELL = python("%%bash\npip install numpy\n")
PLOT = python("plot(load('a'))")


def test_a_notebook_reads_as_one_file() -> None:
    title = prose("# Measurements\n\nOf the *second* run.\n\n![plot](a.png)\nmore prose")
    cells = (IMPORTS, title, SHELL, LOAD, python(""), python("x = "), prose("## Plots"), PLOT, python("save()\n"))
    above, below = texts(*cells, at=5)
    assert above == (
        "import numpy as np\n\n# # Measurements\n# Of the *second* run.\n\ndef load(path):\n    return np.load(path)\n"
    )
    assert below == "\nplot(load('a'))\n\nsave()"


@pytest.mark.parametrize(
    ("cell", "above", "below"),
    [
        # Cells of one language, one behind the other.
        (python("x"), "import numpy as np\n", "\nplot(load('a'))"),
        (Cell("const x", "javascript"), "", ""),
        # What IPython runs elsewhere knows nothing of Python.
        (python("%%bash\nls"), "", ""),
        (python("%%writefile a.py\nx"), "", ""),
        (python("%%timeit\nx"), "import numpy as np\n", "\nplot(load('a'))"),
        (prose("what follows"), "", ""),
    ],
)
def test_who_sees_python_cells(cell: Cell, above: str, below: str) -> None:
    assert texts(IMPORTS, cell, PLOT, at=1) == (above, below)


@pytest.mark.parametrize(
    ("source", "language"),
    [
        ("x = 1", "python"),
        ("%matplotlib inline\nx", "python"),
        ("!pip install x", "python"),
        ("x %%bash", "python"),
        ("%%time\nf()", "python"),
        ("%%capture out --no-stderr\nf()", "python"),
        ("\n  %%bash\nls", "shellscript"),
        ("%%sh --out x\nls", "shellscript"),
        ("%%html\n<p>", "html"),
        ("%%javascript\nx", "javascript"),
        ("%%R -i df\nsummary(df)", "r"),
        ("%%sql sqlite://\nselect 1", "sql"),
        ("%%writefile a.py\nx = 1", ""),
        ("%%script node\nx", ""),
        ("%%!\nls", ""),
        ("%%", ""),
    ],
)
def test_language_of_python_cells(source: str, language: str) -> None:
    assert language_in(python(source)) == language


def test_cell_magics_are_pythons_own() -> None:
    assert language_in(Cell("%%bash", "octave")) == "octave"


def test_cells_of_another_language_among_themselves() -> None:
    one, other = python("%%bash\nROOT=/srv\n"), Cell("ls $ROOT\n", "shellscript")
    assert texts(one, IMPORTS, other, at=2) == ("%%bash\nROOT=/srv\n", "")
    assert texts(one, IMPORTS, other, at=0) == ("", "\nls $ROOT")


def test_cells_of_no_known_language_see_nothing() -> None:
    assert texts(python("%%writefile a.py\nx = 1"), python("%%writefile b.py\ny = 2"), at=1) == ("", "")


def test_prose_sees_prose() -> None:
    assert texts(prose("# A\n\n```\nx\n```"), IMPORTS, prose("## B"), prose("C"), at=2) == (
        "# A\n\n```\nx\n```\n",
        "\nC",
    )


@pytest.mark.parametrize(
    ("source", "language", "comment"),
    [
        ("# Load\nthe data", "python", "# # Load\n# the data\n"),
        ("# Load\r\n\r\nthe data\r\n", "typescript", "// # Load\n// the data\n"),
        ("a\nb\nc\nd\ne", "lua", "-- a\n-- b\n-- c\n"),
        ("a" * 300, "r", "# " + "a" * 100 + "\n"),
        ("so:\n```python\nx = 1\n```\nthen", "python", "# so:\n"),
        ("| a | b |\n|---|---|", "python", ""),
        ("<img src='x'>", "python", ""),
        (" \n\n", "python", ""),
        ("# Load", "html", ""),  # a comment there does not end with its line
    ],
)
def test_prose_above_as_comment(source: str, language: str, comment: str) -> None:
    assert texts(prose(source), Cell("x", language), at=1) == (comment, "")


def test_budget_takes_the_nearest_cells_in_whole_lines() -> None:
    cells = [python(f"first_{n}()\nsecond_{n}()") for n in range(9)]
    size = len("first_0()\nsecond_0()\n\n")
    above, below = texts(*cells, at=4, most=size + 15)
    assert above == "second_2()\n\nfirst_3()\nsecond_3()\n"
    assert below == "\nfirst_5()\nsecond_5()\n\nfirst_6()"
    assert texts(*cells, at=4, most=0) == ("", "")


def test_budget_is_kept_whatever_the_cells() -> None:
    """The newline at the edge aside. More budget never shows less."""
    cells = [python("x = 1\n" * n + "y" * (7 * n)) for n in range(12)]
    before = (0, 0)
    for most in range(300):
        above, below = texts(*cells, at=6, most=most)
        assert before[0] <= len(above) <= most + 1
        assert before[1] <= len(below) <= most + 1
        before = len(above), len(below)
    assert min(before) > 200


def test_no_more_cells_are_read_than_needed() -> None:
    def endless():  # type: ignore[no-untyped-def]
        while True:
            yield python("x = 1")

    above, below = around(python("y"), endless(), endless(), 100, 50)
    assert above.count("x = 1") == 14
    assert below.count("x = 1") == 7


def test_binary_cells_say_nothing() -> None:
    assert texts(python("x\0"), python("y"), at=1) == ("", "")
