"""Where a docstring no longer says what its function has, and what becomes of it."""

from __future__ import annotations

import pytest
from each_row import each_row
from hypothesis import given
from hypothesis import strategies as st
from style_samples import subject

from aigc_lsp.docstring.doc import Doc, Section, Slot
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.stale import Finding, calls_out, findings, mended
from aigc_lsp.docstring.styles import STYLES
from aigc_lsp.docstring.subject import Parameter, Subject
from aigc_lsp.text import Span


def told(*names: str, **rest: object) -> Doc:
    return Doc("S.", parameters=tuple(Slot(name, "", f"The {name}.") for name in names), **rest)


REST = Parameter("args", kind="rest")
OPTIONS = Parameter("options", kind="keywords")
IT = (Slot("", "", "It."),)


@each_row(("about", "doc", "expected"), [
    (subject("a"), told("a", "b"), [Finding("unknown", "b")]),
    (subject("a", "b"), told("a"), [Finding("missing", "b")]),
    (subject("a", "c"), told("a", "b"), [Finding("renamed", "b", "c")]),
    (subject("a", "x", "y", "d"), told("a", "b", "c", "d"),
     [Finding("renamed", "b", "x"), Finding("renamed", "c", "y")]),
    (subject("a", "b"), told("c", "a", "b"), [Finding("unknown", "c")]),
    (subject("new", "b"), told("b", "old"), [Finding("unknown", "old"), Finding("missing", "new")]),
    (subject(), told("a"), [Finding("unknown", "a")]),
    (subject("last", "names"), told("name"), [Finding("renamed", "name", "names"), Finding("missing", "last")]),
    (subject("x", "z"), told("x, y"), [Finding("renamed", "y", "z")]),
    (subject(), told(returns=IT), [Finding("return")]),
    (subject(), told(yields=IT), [Finding("yield")]),
    (subject(), told(raises=(Slot("ValueError"),)), [Finding("raise", "ValueError")]),
    (subject(raises=("net.Timeout",)), told(raises=(Slot("Timeout"), Slot("KeyError"))),
     [Finding("raise", "KeyError")]),
    (subject(language="javascript"), told(raises=(Slot("", "", "Sometimes."),)), [Finding("raise")]),
    (subject("options", "options.a", language="javascript"), told("options", "options.a", "options.b"),
     [Finding("unknown", "options.b")]),
    (subject("options", "options.a", "options.b", language="javascript"), told("options", "options.a"),
     [Finding("missing", "options.b")]),
    (subject("root", "root.a", language="javascript"), told("config", "config.b"),
     [Finding("renamed", "config.b", "config.a")]),
    (subject("a", REST), told("a", "arg"), [Finding("unknown", "arg")]),
    (subject("$1", "$2", language="shellscript"), told("$1", "$3"), [Finding("renamed", "3", "$2")]),
    (subject("$1", "$2", language="shellscript"), told("$1"), [Finding("missing", "$2")]),
])  # fmt: skip
def test_what_is_stale(about: Subject, doc: Doc, expected: list[Finding]) -> None:
    assert list(findings(about, doc)) == expected
    assert all(each.message.endswith(".") and each.name in each.message for each in expected)


@each_row(("about", "doc"), [
    (subject("a", "b"), told()),
    (subject("a", "b"), told("b", "a")),
    (subject("a", REST, OPTIONS), told("a")),
    (subject("a", REST, OPTIONS), told("a", "args", "options")),
    (subject("a", REST, OPTIONS), told("a", "*args", "**options")),
    (subject("a", OPTIONS), told("a", "timeout", "retries")),
    (subject("a", "_unused"), told("a")),
    (subject("a", "b"), told("self", "a", "b")),
    (subject("x", "y", "z"), told("x, y", "z")),
    (subject("a"), told("")),
    (subject("a", is_overload=True, body=None), told("b", returns=IT)),
    (subject(kind="property"), told(returns=IT)),
    (subject(is_abstract=True), told(returns=IT, raises=(Slot("E"),), yields=IT)),
    (subject(body=None), told(returns=IT, raises=(Slot("E"),))),
    (subject(raises=("NotImplementedError",)), told(returns=IT, raises=(Slot("ValueError"),))),
    (subject(raises=("error",)), told(raises=(Slot("ValueError"),))),
    (subject(raises=("FileNotFoundError",)), told(raises=(Slot("OSError"),))),
    (subject(raises=("ValueError",)), told(raises=(Slot(":exc:`ValueError`"),))),
    (subject(language="rust"), told(raises=(Slot("panic!", "", "If full."),))),
    (subject(), told(returns=(Slot("", "None", ""),))),
    (subject(), told(returns=(Slot("", "", "None."),))),
    (subject(language="typescript"), told(returns=(Slot("", "Promise<void>", "When it is done."),))),
    (subject(language="javascript", is_async=True), told(returns=IT)),
    (subject(language="shellscript"), told(returns=(Slot("", "", "0 if it works."),))),
    (subject("$1", language="shellscript"), told("path")),
    (subject(Parameter("$1", alias="path"), language="shellscript"), told("path")),
    (subject(returns=""), told(yields=IT)),
    (subject(yields=""), told(returns=IT)),
    (subject(kind="class"), told("a", raises=(Slot("E"),))),
    (subject("a", "b"), told("c", others=(Section("", "{@inheritDoc}"),))),
    (subject("a", "b"), Doc("{@inheritDoc}", parameters=(Slot("c"),))),
    (subject("a", language="csharp"), told("b", others=(Section("", "<inheritdoc/>"),))),
    (subject("options", language="javascript"), told("options", "options.a", "options.b")),
    (subject("people", language="javascript"), told("people", "people[].name")),
    (subject("root", "root.a", language="javascript"), told("config", "config.a")),
    (subject("options", "options.a", Parameter("options.more", kind="rest"), language="javascript"),
     told("options", "options.a", "options.z")),
    (subject("a", language="java", generics=("T",)), told("T", "a")),
    (subject("a", Parameter("block", kind="block"), language="ruby"), told("a")),
])  # fmt: skip
def test_what_is_no_false_alarm(about: Subject, doc: Doc) -> None:
    assert findings(about, doc) == ()
    assert mended(about, doc) == doc


@pytest.mark.parametrize(("style", "language", "before", "after"), [
    ("google", "python",
     '"""S.\n\nArgs:\n    gone: No.\n    a (int): Kept,\n      as it is.\n    old: Its words.\n    z: Z.\n\n'
      'Note:\n    Kept.\n\n'
     'Raises:\n    KeyError: No.\n"""',
     '"""S.\n\nArgs:\n    a (int): Kept,\n      as it is.\n    new: Its words.\n    z: Z.\n    late:\n\nNote:\n'
      '    Kept.\n"""'),
    ("numpy", "python",
     '"""S.\n\nParameters\n----------\na : int\n  Kept.\nold : str\n    Its words.\nz\n\nReturns\n-------\n'
      'No such thing.\n"""',
     '"""S.\n\nParameters\n----------\na : int\n  Kept.\nnew : str\n    Its words.\nz\nlate\n"""'),
    ("sphinx", "python", '"""S.\n\n:param  a: Kept.\n:param str old: Its words.\n:param z:\n:meta private:\n"""',
     '"""S.\n\n:param  a: Kept.\n:param new: Its words.\n:type new: str\n:param z:\n:param late:\n:meta private:\n"""'),
    ("jsdoc", "javascript",
     "/**\n * S.\n *\n * @param {int}  a  Kept.\n * @param {string} old Its words.\n * @param z Z.\n"
      " * @todo Kept.\n */",
     "/**\n * S.\n *\n * @param {int}  a  Kept.\n * @param {string} new Its words.\n * @param z Z.\n * @param late\n"
     " * @todo Kept.\n */"),
    ("google", "python", '"""S.\n\nArgs:\n    z: Z.\n    a: A.\n    late: L.\n"""',
     '"""S.\n\nArgs:\n    z: Z.\n    a: A.\n    new:\n    late: L.\n"""'),
    ("csharp", "csharp",
     '/// <summary>S.</summary>\n/// <param name="a">Kept.</param>\n/// <param name="old">Its words.</param>\n'
     '/// <param name="z">Z.</param>',
     '/// <summary>\n/// S.\n/// </summary>\n/// <param name="a">Kept.</param>\n'
      '/// <param name="new">Its words.</param>\n'
     '/// <param name="z">Z.</param>\n/// <param name="late"></param>'),
])  # fmt: skip
def test_mended_keeps_what_a_human_wrote(style: str, language: str, before: str, after: str) -> None:
    about = subject("a", "new", "z", "late", language=language, indent="")
    doc = STYLES[style].parse(before, about)
    assert STYLES[style].render(mended(about, doc), about, Layout()) == after


names = st.lists(st.sampled_from("abcdefg"), unique=True, max_size=6)
errors = st.lists(st.sampled_from(["ValueError", "KeyError", "OSError"]), unique=True)


@given(names, names, errors, errors, st.sampled_from([None, ""]), st.booleans())
def test_mended_is_not_stale_and_keeps_the_words_of_what_is_left(
    has: list[str], says: list[str], raises: list[str], told_raises: list[str], returns: str | None, tells: bool
) -> None:
    about = subject(*has, raises=tuple(raises), returns=returns)
    doc = told(*says, raises=tuple(Slot(each, "", "If so.") for each in told_raises), returns=IT if tells else ())
    after = mended(about, doc)
    assert findings(about, after) == ()
    if says:
        assert sorted(each.name for each in after.parameters) == sorted(has)
    if [name for name in has if name in says] == [name for name in says if name in has]:
        assert [each.name for each in after.parameters] == (has if says else [])
    for slot in doc.parameters:
        assert slot in after.parameters or slot.name not in has


@pytest.mark.parametrize(("body", "expected"), [
    ("", True), ("return a + 1", True), ("if (a): raise KeyError(a)", True), ("return len(a)", True),
    ("return int(a)", False), ("self.check(a)\nreturn a", False), ("throw new TypeError(format(a))", False),
])  # fmt: skip
def test_what_is_called_may_raise(body: str, expected: bool) -> None:
    doc = told(raises=(Slot("ValueError", "", "If so."),))
    assert findings(subject(raises=("KeyError",)), doc, body) == ((Finding("raise", "ValueError"),) if expected else ())
    assert mended(subject(raises=("KeyError",)), doc, body).raises == (() if expected else doc.raises)


def test_a_body_that_is_elsewhere_is_not_judged() -> None:
    about = subject("a", returns=None, body=None)
    assert findings(about, told("a", returns=IT)) == ()
    assert findings(subject("a", body=Span(0, 1)), told("a", returns=IT)) == (Finding("return"),)


@pytest.mark.timeout(20)
def test_a_long_word_is_looked_through_once() -> None:
    """In the square of its length it would take minutes."""
    word = "a1" * 200_000
    assert not calls_out(f'data = "{word}"')
    assert calls_out(f'data = f("{word}")')
    assert [calls_out(code) for code in ("a.b !c(d)", "raise ValueError(a)", "x = (y.z!(1))")] == [True, False, True]
