"""What is true of every style: what is written is read again, and nothing that a human wrote is lost."""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from style_samples import LANGUAGE, flowed, subject

from aigc_lsp.docstring.detect import detect
from aigc_lsp.docstring.doc import SLOT_KINDS, Doc, Slot
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import STYLES, Style
from aigc_lsp.docstring.subject import Parameter, Subject

PYTHON = ("google", "numpy", "sphinx", "epytext", "plain")

names = st.from_regex(r"[a-z][a-z_]{1,7}[0-9]?", fullmatch=True)
SPECIAL = """the a value that is at - * 1. 2) >>> @param :param \\param # ## {x} (see) `code` x=1 # Returns -- naïve
日本 é e.g. don't "quoted" <b> & | === --- $x %s ~~~ [link] /** .. :class:`X`"""

words = st.one_of(st.sampled_from(SPECIAL.split()), names)


def _phrase(first: str, rest: list[str]) -> str:
    return " ".join([first.capitalize(), *rest]) + "."


phrases = st.builds(_phrase, names, st.lists(words, min_size=1, max_size=30))


@st.composite
def told(draw: st.DrawFn, style: Style) -> tuple[Doc, Subject]:
    """A subject, and a docstring with words for each of its slots that the style can tell."""
    taken = draw(st.lists(names, unique=True, max_size=6))
    split = draw(st.integers(0, len(taken)))
    generics = ("K", "V")[: draw(st.integers(0, 2))]
    errors = ("ValueError", "net.IOException")[: draw(st.integers(0, 1 if style.name == "rustdoc" else 2))]
    generator = draw(st.booleans())
    result = draw(st.sampled_from(["", "int", None]))
    kinds = st.sampled_from(["plain", "positional", "keyword", "rest", "keywords"])
    about = subject(
        *(Parameter(name, kind=draw(kinds)) for name in taken[:split]),
        language=LANGUAGE[style.name],
        indent=draw(st.sampled_from(["", "    ", "\t", " " * 12])),
        generics=generics,
        attributes=tuple(Parameter(name) for name in taken[split:]),
        raises=errors,
        returns=None if generator else result,
        yields=result if generator else None,
    )
    paragraphs = draw(st.lists(phrases, max_size=3))
    doc = Doc(draw(phrases), "\n\n".join(paragraphs))
    if style.name == "go":
        doc = replace(doc, summary=f"scale {doc.summary.lower()}")
    slots = {
        "generics": [Slot(name, "", draw(phrases)) for name in generics],
        "parameters": [Slot(name, "", draw(phrases)) for name in taken[:split]],
        "attributes": [Slot(name, "", draw(phrases)) for name in taken[split:]],
        "raises": [Slot(name, "", draw(phrases)) for name in errors],
        "returns": [_result(draw, style, about.returns)] if about.returns is not None else [],
        "yields": [_result(draw, style, about.yields)] if about.yields is not None else [],
    }
    for kind in style.tells:
        doc = doc.with_slots(kind, slots[kind])
    return doc, about


def _result(draw: st.DrawFn, style: Style, type: str | None) -> Slot:
    """What a style always gives the type of has it in the docstring too."""
    always = {"numpy": type or "", "phpdoc": type or "mixed"}
    return Slot("", always.get(style.name, ""), draw(phrases))


def unescaped(doc: Doc) -> Doc:
    """`doc` without the escapes that XML needs."""
    for kind in SLOT_KINDS:
        doc = doc.with_slots(kind, (replace(each, phrase=html.unescape(each.phrase)) for each in doc.slots(kind)))
    return replace(doc, summary=html.unescape(doc.summary), description=html.unescape(doc.description))


layouts = st.builds(
    Layout,
    width=st.sampled_from([40, 72, 88, 120]),
    unit=st.sampled_from(["  ", "    "]),
    quotes=st.sampled_from(['"""', "'''"]),
    form=st.sampled_from(["", "/**", "///", "//!", "/*!"]),
    below=st.booleans(),
    blank_end=st.booleans(),
    one_line=st.booleans(),
    gap=st.booleans(),
    mark=st.sampled_from(["@", "\\"]),
    dash=st.booleans(),
    brief=st.booleans(),
    bars=st.booleans(),
)


@pytest.mark.parametrize("name", STYLES)
def test_what_is_written_is_read_again(name: str) -> None:
    style = STYLES[name]

    @given(told(style), layouts)
    def check(case: tuple[Doc, Subject], layout: Layout) -> None:
        doc, about = case
        text = style.render(doc, about, replace(layout, gap=layout.gap or bool(doc.description)))
        assert unescaped(flowed(style.parse(text, about))) == doc
        again = style.parse(text, about)
        assert unescaped(flowed(style.parse(style.render(again, about, layout), about))) == doc

    check()


lines = st.one_of(
    st.sampled_from(
        """Args:|    x: The first.|    x (int, optional): The|        second line.|    missing colon here|Returns:
Returns: a thing.|    dict: What there is.|Raises:|    ValueError: If it fails.|Examples:|    >>> f(1)|Parameters
----------|x : int|    The first.|x, y : {'a', 'b'}|*args|=======|Notes|:param x: The first.|:param int x: typed
:type x: int|:param:|:rtype: int|:raises:|.. note:: Beware.|@param x: epytext|@param {string} x - The first.
@param {string x broken|@param|@returns {Promise<{a: number}>} What.|@throws {Error} When.|@throws|@example
@deprecated since 2|{@link Foo}|@param int $x The first.|@param array<int, string> $x|@return|\\param[in,out] x The
\\brief Short.|\\retval 0 Fine.|# Errors|# Arguments|* `x` - The first.|```|# Panics|<summary>|</summary>
<param name="x">|<param name="x">The first.</param>|<returns>|</returns>|<see cref="X"/>|<b>|Arguments:
  $1 - The first.|  None|Globals:|  PATH|@option opts [String] :key (nil) A key|@yield [x] Gives|@raise [Error] When
Prose goes on.|- a bullet|  indented prose|\tTabbed.|1. one|naïve 日本語|x|:|@|<|\\|{|[x""".replace("\n", "|").split(
            "|"
        )
    ),
    st.just(""),
    st.text(alphabet="abx:@\\<>{}[]()*-=#`$ .,", max_size=20),
)


HEADINGS = {
    "Args", "Arguments", "Returns", "Return", "Raises", "Parameters", "Errors", "Panics", "Examples", "Globals",
}  # fmt: skip


def commented(form: str, body: list[str]) -> str:
    if form == "/**":
        return "\n".join(["/**", *(f" * {line}" for line in body), " */"])
    if form in ('"""', "'''"):
        return form + "\n".join(body) + "\n" + form
    return "\n".join(f"{form} {line}" for line in body)


def count(text: str) -> Counter[str]:
    """How often each word stands in a text, but for headings: two of the same become one."""
    return Counter(word for word in re.findall(r"\w+", text) if word not in HEADINGS)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("name", STYLES)
def test_no_word_of_a_human_is_lost(name: str, ending: str) -> None:
    style = STYLES[name]
    language = LANGUAGE[name]
    forms = ('"""', "'''") if name in PYTHON else ("#",) if name in ("yard", "shell") else ("/**", "///", "//")

    @given(st.lists(lines, min_size=1, max_size=14), st.sampled_from(forms), st.sampled_from([40, 100]))
    def check(body: list[str], form: str, width: int) -> None:
        about = subject("x", "y", language=language, returns="", raises=("ValueError",))
        text = commented(form, body).replace("\n", ending)
        habits = detect([(text, about)], language, width=width)
        rendered = style.render(style.parse(text, about), about, habits.layout)
        assert not count(text) - count(rendered), rendered
        assert set(re.findall(r"\w+", text)) <= set(re.findall(r"\w+", rendered)), rendered
        assert "\r" not in rendered

    check()
