"""What existing docstrings of Python say: as people write them, broken ones too."""

from __future__ import annotations

import pytest
from each_row import each_row
from style_samples import flowed, subject

from aigc_lsp.docstring.detect import detect
from aigc_lsp.docstring.doc import Doc, Section, Slot
from aigc_lsp.docstring.styles import STYLES
from aigc_lsp.docstring.subject import Parameter

ABOUT = subject("path", "mode", Parameter("args", kind="rest"), Parameter("options", kind="keywords"), returns="")


def body(text: str) -> str:
    """A docstring from a text in the middle of a test."""
    return f'"""{text.strip()}\n"""'


GOOGLE = [
    ("Open it.", Doc("Open it.")),
    ("Open it\nwherever it is.\n\nMore.\n\n- one\n- two", Doc("Open it wherever it is.", "More.\n\n- one - two")),
    ("S.\n\nArgs:\n    path: Where.\n    mode (str): How.\n    *args: What.\n    **options: Any.", Doc("S.",
     parameters=(
        Slot("path", "", "Where."), Slot("mode", "str", "How."), Slot("args", "", "What."), Slot("options", "", "Any."),
    ))),
    ("S.\n\nArguments:\n  path (Union[str, Tuple(int, int)], optional): Where\n    it is.\n\n"
     "  mode : How.", Doc("S.", parameters=(
        Slot("path", "Union[str, Tuple(int, int)], optional", "Where it is."), Slot("mode", "", "How."),
    ))),
    ("S.\n\nArgs:\n    \\*args: What.\n    path, mode: Both.\n", Doc("S.", parameters=(
        Slot("args", "", "What."), Slot("path, mode", "", "Both."),
    ))),
    ("S.\n\nArgs:\n    path:\n        Where.\n\n        Or not.\n    mode: How: so.", Doc("S.", parameters=(
        Slot("path", "", "Where.\n\nOr not."), Slot("mode", "", "How: so."),
    ))),
    ("S.\n\nReturns:\n    dict[str, int]: The counts,\n        by word.", Doc("S.", returns=(
        Slot("", "dict[str, int]", "The counts, by word."),))),
    ("S.\n\nReturns:\n    A file, which is\n    open.", Doc("S.", returns=(Slot("", "", "A file, which is open."),))),
    ("S.\n\nReturns: The file.", Doc("S.", returns=(Slot("", "", "The file."),))),
    ("S.\n\nYields:\n    int: Each.", Doc("S.", yields=(Slot("", "int", "Each."),))),
    ("S.\n\nRaises:\n    ValueError: If bad.\n    `os.error`: Never.\n    :class:`E`: Rarely.", Doc("S.", raises=(
        Slot("ValueError", "", "If bad."), Slot("`os.error`", "", "Never."), Slot(":class:`E`", "", "Rarely."),
    ))),
    ("S.\n\nAttributes:\n    size (int): How much.", Doc("S.", attributes=(Slot("size", "int", "How much."),))),
    ("S.\n\nExample:\n    >>> f()\n    1\n\nNote:\n    Beware.\n", Doc("S.", others=(
        Section("Example", ">>> f() 1"), Section("Note", "Beware."),
    ))),
    ("S.\n\nArgs:\n    path: Where.\n\nThat was all.", Doc("S.", parameters=(Slot("path", "", "Where."),), others=(
        Section("", "That was all."),
    ))),
    # broken: the colon is missing, of a heading and of a slot; words that are no slot
    ("S.\n\nArgs\n    path Where it is.\n    mode - How.", Doc("S.", parameters=(
        Slot("path", "", "Where it is."), Slot("mode", "", "How."),
    ))),
    ("S.\n\nArgs:\n    none of interest", Doc("S.", parameters=(Slot("", "", "none of interest"),))),
    ("S.\n\nArgs:\n    path (str: Where.", Doc("S.", parameters=(Slot("path", "str: Where.", ""),))),
    ("S.\n\nArgs:\n", Doc("S.", others=(Section("Args", ""),))),
    ("Args:\n    path: Где.", Doc("", parameters=(Slot("path", "", "Где."),))),
    ("", Doc()),
]  # fmt: skip

NUMPY = [
    ("S.\n\nMore.\n\nParameters\n----------\npath : str\n    Where.\nmode : {'r', 'w'}, optional\n    How.\n\n    So.",
     Doc("S.", "More.", parameters=(Slot("path", "str", "Where."), Slot("mode", "{'r', 'w'}, optional",
      "How.\n\nSo.")))),
    ("S.\n\nParameters\n----------\npath, mode : str\n    Both.\n*args\n    What.\n**options\n", Doc("S.", parameters=(
        Slot("path, mode", "str", "Both."), Slot("args", "", "What."), Slot("options"),
    ))),
    ("S.\n\nParameters\n----------\npath: str\n    Where.", Doc("S.", parameters=(Slot("path", "str", "Where."),))),
    ("S.\n\nReturns\n-------\nint\n    How many.", Doc("S.", returns=(Slot("", "int", "How many."),))),
    ("S.\n\nReturns\n-------\nn : int\n    How many.\nrest : list of str\n    What.", Doc("S.", returns=(
        Slot("n", "int", "How many."), Slot("rest", "list of str", "What."),
    ))),
    ("S.\n\nReturns\n-------\nThe file, which\nis open.", Doc("S.", returns=(Slot("", "",
     "The file, which is open."),))),
    ("S.\n\nReturns\n-------\nbool", Doc("S.", returns=(Slot("", "bool", ""),))),
    ("S.\n\nYields\n------\nint\n    Each.\n\nRaises\n------\nValueError\n    If bad.\nOSError", Doc("S.",
        yields=(Slot("", "int", "Each."),), raises=(Slot("ValueError", "", "If bad."), Slot("OSError")))),
    ("S.\n\nSee Also\n--------\nopen : The builtin.\n\nExamples\n========\n>>> f()", Doc("S.", others=(
        Section("See Also", "open : The builtin."), Section("Examples", ">>> f()"),
    ))),
    # broken: a heading without anything, a slot that is prose, an underline that is none
    ("S.\n\nParameters\n----------\n", Doc("S.", others=(Section("Parameters", ""),))),
    ("S.\n\nParameters\n----------\nIt takes none.\n", Doc("S.", parameters=(Slot("", "", "It takes none."),))),
    ("S.\n\nParameters\n--\npath", Doc("S.", "Parameters -- path")),
]  # fmt: skip

SPHINX = [
    ("S.\n\n:param path: Where\n    it is.\n:param str mode: How.\n:returns: A file.\n:rtype: io.IOBase\n"
     ":raises OSError: Bad.",
     Doc("S.", parameters=(Slot("path", "", "Where it is."), Slot("mode", "str", "How.")),
         returns=(Slot("", "io.IOBase", "A file."),), raises=(Slot("OSError", "", "Bad."),))),
    ("S.\n\n:type path: str\n:param path: Where.\n:param mode: How.\n:type mode: str or None", Doc("S.", parameters=(
        Slot("path", "str", "Where."), Slot("mode", "str or None", "How."),
    ))),
    ("S.\n\n:param path:\n    Where.\n\n    Or not.\n:param \\*args: What.\n:keyword x: Key.", Doc("S.", parameters=(
        Slot("path", "", "Where.\n\nOr not."), Slot("args", "", "What."), Slot("x", "", "Key."),
    ))),
    ("S.\n\n:rtype: int\n:return: How many.", Doc("S.", returns=(Slot("", "int", "How many."),))),
    ("S.\n:param path: Where.\nwrapped without indentation", Doc("S.", parameters=(
        Slot("path", "", "Where. wrapped without indentation"),))),
    ("S.\n\n.. note:: Beware.\n\n:param path: Where.\n\nThat was all.\n\n:raises: Often.", Doc("S.",
     ".. note:: Beware.",
        parameters=(Slot("path", "", "Where."),), raises=(Slot("", "", "Often."),),
        others=(Section("", "That was all."),))),
    ("S.\n\n:deprecated: since 2.\n:meta private:\n:ivar size: How much.\n:vartype size: int", Doc("S.",
        attributes=(Slot("size", "int", "How much."),),
        others=(Section(":deprecated", "since 2."), Section(":meta private", "")))),
    # broken: no name, no colon
    ("S.\n\n:param: Where.\n:param path Where.", Doc("S.", others=(Section(":param", "Where. :param path Where."),))),
    ("Use :func:`open` and :class:`X`: both.", Doc("Use :func:`open` and :class:`X`: both.")),
]  # fmt: skip

EPYTEXT = [
    ("S.\n\n@param path: Where\n  it is.\n@type path: C{str}\n@return: A file.\n@rtype: file\n@raise OSError: Bad.",
     Doc("S.", parameters=(Slot("path", "C{str}", "Where it is."),), returns=(Slot("", "file", "A file."),),
         raises=(Slot("OSError", "", "Bad."),))),
    ("S.\n\n@note: Beware.\n@keyword x: Key.", Doc("S.", parameters=(Slot("x", "", "Key."),), others=(
        Section("@note", "Beware."),))),
    ("S.\n\n@param path Where.", Doc("S.", "@param path Where.")),
]  # fmt: skip

CASES = [
    *(("google", *case) for case in GOOGLE),
    *(("numpy", *case) for case in NUMPY),
    *(("sphinx", *case) for case in SPHINX),
    *(("epytext", *case) for case in EPYTEXT),
    ("plain", "S.\n\nArgs:\n    path: Where.", Doc("S.", "Args:\n    path: Where.")),
]


@each_row(("style", "text", "expected"), CASES)
def test_what_a_docstring_says(style: str, text: str, expected: Doc) -> None:
    assert flowed(STYLES[style].parse(body(text), ABOUT)) == expected


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
@each_row(("style", "text", "expected"), CASES)
def test_line_ends_and_indentation_do_not_matter(style: str, text: str, expected: Doc, ending: str) -> None:
    indented = body(text).replace("\n", f"{ending}\t\t")
    assert flowed(STYLES[style].parse(indented, ABOUT)) == expected


@pytest.mark.parametrize("text", [
    '"""Open it.\n\n    Args:\n        path: Where\n            it is.\n\n        mode (str):  How.\n    """',
    '"""\n    Open it.\n\n    :param path:   Where\n      it is.\n    :type path:    str\n\n'
     '    :returns:  A file.\n    """',
    "'''Open it.\n\n    Parameters\n    ----------\n    path, mode: str\n      Both.\n    '''",
    '"""Open it.\n\n    @type path: str\n    @param path: Where.\n\n    """',
    '"""Open it.\n\n    Returns:\n      The file\n      that was opened.\n    """',
    'r"""\n    Öffne \\es.\n    """',
    '"""Open it.\n\n    Args:\n        path: Where.\n\n    Keyword Args:\n        mode: How.\n\n    Raises:\n'
     '        E: Bad.\n    """',
])  # fmt: skip
def test_what_nobody_changed_stays_as_it_is(text: str) -> None:
    """With the habits of the file, which has no other docstring, each comes back to the letter."""
    about = subject("path", "mode", returns="", raises=("E",))
    habits = detect([(text, about)], "python")
    style = STYLES[habits.style]
    assert style.render(style.parse(text, about), about, habits.layout) == text


@pytest.mark.parametrize(
    "text", ['"one line"', "'one line'", "one line", '"""one line', '""" one line """', 'R"one line"']
)
def test_any_quotes(text: str) -> None:
    assert STYLES["google"].parse(text, ABOUT).summary == "one line"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("style", ["google", "numpy"])
def test_a_line_with_many_brackets_is_read_in_one_way(style: str) -> None:
    """It looks like a list of types until its end."""
    line = ", ".join(f"a[b[{number}]]" for number in range(60)) + " !"
    heading = "Returns:\n    " if style == "google" else "Returns\n-------\n"
    read = STYLES[style].parse(f'"""Do it.\n\n{heading}{line}\n"""', ABOUT)
    assert [slot.phrase or slot.type for slot in read.returns] == [line]
    typed = STYLES[style].parse(
        f'"""Do it.\n\n{heading}dict[str, list[tuple[int, ...]]]{": It." * (style == "google")}\n"""', ABOUT
    )
    assert [slot.type for slot in typed.returns] == ["dict[str, list[tuple[int, ...]]]"]
