"""What the same words look like in each style, and in each habit of layout."""

from __future__ import annotations

from dataclasses import replace

import pytest
from style_samples import LANGUAGE, SCALE, WORDS, flowed, subject

from aigc_lsp.docstring.doc import Doc, Section, Slot, skeleton
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import OF_LANGUAGE, STYLES
from aigc_lsp.docstring.subject import Parameter

RENDERED = {
    "google": '''"""Scale a number.

    The factor comes last.

    Nothing is rounded.

    Args:
        x: The number to scale, which may be as large as anybody likes,
            or nothing at all.
        by: The factor.
        *rest: More numbers.

    Returns:
        The scaled number.

    Raises:
        ValueError: If the factor is zero.
    """''',
    "numpy": '''"""Scale a number.

    The factor comes last.

    Nothing is rounded.

    Parameters
    ----------
    x : float
        The number to scale, which may be as large as anybody likes, or
        nothing at all.
    by : float, optional
        The factor.
    *rest : float
        More numbers.

    Returns
    -------
    float
        The scaled number.

    Raises
    ------
    ValueError
        If the factor is zero.
    """''',
    "sphinx": '''"""Scale a number.

    The factor comes last.

    Nothing is rounded.

    :param x: The number to scale, which may be as large as anybody
        likes, or nothing at all.
    :param by: The factor.
    :param rest: More numbers.
    :returns: The scaled number.
    :raises ValueError: If the factor is zero.
    """''',
    "epytext": '''"""Scale a number.

    The factor comes last.

    Nothing is rounded.

    @param x: The number to scale, which may be as large as anybody
        likes, or nothing at all.
    @param by: The factor.
    @param rest: More numbers.
    @return: The scaled number.
    @raise ValueError: If the factor is zero.
    """''',
    "plain": '''"""Scale a number.

    The factor comes last.

    Nothing is rounded.
    """''',
    "jsdoc": """/**
     * Scale a number.
     *
     * The factor comes last.
     *
     * Nothing is rounded.
     *
     * @template T - The kind of number.
     * @param {float} x - The number to scale, which may be as large as
     *   anybody likes, or nothing at all.
     * @param {float} [by] - The factor.
     * @param {float} rest - More numbers.
     * @returns {float} The scaled number.
     * @throws {ValueError} If the factor is zero.
     */""",
    "tsdoc": """/**
     * Scale a number.
     *
     * The factor comes last.
     *
     * Nothing is rounded.
     *
     * @typeParam T - The kind of number.
     * @param x - The number to scale, which may be as large as anybody
     *   likes, or nothing at all.
     * @param by - The factor.
     * @param rest - More numbers.
     * @returns The scaled number.
     * @throws {@link ValueError} If the factor is zero.
     */""",
    "javadoc": """/**
     * Scale a number.
     *
     * The factor comes last.
     *
     * Nothing is rounded.
     *
     * @param <T> The kind of number.
     * @param x The number to scale, which may be as large as anybody
     *     likes, or nothing at all.
     * @param by The factor.
     * @param rest More numbers.
     * @return The scaled number.
     * @throws ValueError If the factor is zero.
     */""",
    "kdoc": """/**
     * Scale a number.
     *
     * The factor comes last.
     *
     * Nothing is rounded.
     *
     * @param T The kind of number.
     * @param x The number to scale, which may be as large as anybody
     *   likes, or nothing at all.
     * @param by The factor.
     * @param rest More numbers.
     * @return The scaled number.
     * @throws ValueError If the factor is zero.
     */""",
    "phpdoc": """/**
     * Scale a number.
     *
     * The factor comes last.
     *
     * Nothing is rounded.
     *
     * @template T The kind of number.
     * @param float $x The number to scale, which may be as large as
     *   anybody likes, or nothing at all.
     * @param float $by The factor.
     * @param float ...$rest More numbers.
     * @return float The scaled number.
     * @throws ValueError If the factor is zero.
     */""",
    "doxygen": """/**
     * Scale a number.
     *
     * The factor comes last.
     *
     * Nothing is rounded.
     *
     * @tparam T The kind of number.
     * @param x The number to scale, which may be as large as anybody
     *   likes, or nothing at all.
     * @param by The factor.
     * @param rest More numbers.
     * @return The scaled number.
     * @throws ValueError If the factor is zero.
     */""",
    "yard": """# Scale a number.
    #
    # The factor comes last.
    #
    # Nothing is rounded.
    #
    # @param x [float] The number to scale, which may be as large as
    #   anybody likes, or nothing at all.
    # @param by [float] The factor.
    # @param rest [float] More numbers.
    # @return [float] The scaled number.
    # @raise [ValueError] If the factor is zero.""",
    "rustdoc": """/// Scale a number.
    ///
    /// The factor comes last.
    ///
    /// Nothing is rounded.
    ///
    /// # Type Parameters
    ///
    /// * `T` - The kind of number.
    ///
    /// # Arguments
    ///
    /// * `x` - The number to scale, which may be as large as anybody
    ///   likes, or nothing at all.
    /// * `by` - The factor.
    /// * `rest` - More numbers.
    ///
    /// # Returns
    ///
    /// The scaled number.
    ///
    /// # Errors
    ///
    /// If the factor is zero.""",
    "go": """// scale scales a number.
    //
    // The factor comes last.
    //
    // Nothing is rounded.""",
    "csharp": """/// <summary>
    /// Scale a number.
    /// </summary>
    /// <remarks>
    /// The factor comes last.
    ///
    /// Nothing is rounded.
    /// </remarks>
    /// <typeparam name="T">The kind of number.</typeparam>
    /// <param name="x">
    /// The number to scale, which may be as large as anybody likes, or
    /// nothing at all.
    /// </param>
    /// <param name="by">The factor.</param>
    /// <param name="rest">More numbers.</param>
    /// <returns>The scaled number.</returns>
    /// <exception cref="ValueError">If the factor is zero.</exception>""",
    "shell": """#######################################
    # Scale a number.
    #
    # The factor comes last.
    #
    # Nothing is rounded.
    #
    # Arguments:
    #   x: The number to scale, which may be as large as anybody likes,
    #     or nothing at all.
    #   by: The factor.
    #   rest: More numbers.
    # Returns:
    #   The scaled number.
    #######################################""",
}


def layout_of(style: str) -> Layout:
    return Layout(width=72, types=style in ("phpdoc", "jsdoc", "yard"), dash=style in ("jsdoc", "tsdoc"))


@pytest.mark.parametrize("name", STYLES)
def test_a_docstring_in_each_style(name: str) -> None:
    about = replace(SCALE, language=LANGUAGE[name])
    assert STYLES[name].render(WORDS, about, layout_of(name)) == RENDERED[name]


@pytest.mark.parametrize("name", STYLES)
def test_each_style_reads_what_it_tells(name: str) -> None:
    """All words are where they were; the types that a style writes are read, too."""
    style = STYLES[name]
    doc = flowed(style.parse(RENDERED[name], replace(SCALE, language=LANGUAGE[name])))
    summary = "scale scales a number." if name == "go" else WORDS.summary
    assert (doc.summary, doc.description) == (summary, WORDS.description)
    for kind in style.tells:
        assert [(each.name, each.phrase) for each in doc.slots(kind)] == [
            (each.name, each.phrase) for each in WORDS.slots(kind)
        ], kind
    assert not doc.others


def test_every_style_can_be_had_in_some_language() -> None:
    assert {style for styles in OF_LANGUAGE.values() for style in styles} | {"kdoc"} == set(STYLES)


@pytest.mark.parametrize(("layout", "expected"), [
    (Layout(), '"""Scale it."""'),
    (Layout(quotes="'''"), "'''Scale it.'''"),
    (Layout(one_line=False), '"""Scale it.\n    """'),
    (Layout(one_line=False, below=True), '"""\n    Scale it.\n    """'),
    (Layout(one_line=False, blank_end=True), '"""Scale it.\n\n    """'),
    (Layout(full_stop=False), '"""Scale it"""'),
    (Layout(width=18), '"""Scale it.\n    """'),
])  # fmt: skip
def test_a_summary_alone_in_python(layout: Layout, expected: str) -> None:
    for name in OF_LANGUAGE["python"]:
        assert STYLES[name].render(Doc("Scale it"), subject(), layout) == expected


@pytest.mark.parametrize(("summary", "expected"), [
    ("Split at `\\n`.", 'r"""Split at `\\n`."""'),
    ('Take """ as quotes.', "'''Take \"\"\" as quotes.'''"),
    ('Take """ or \'\'\'.', '"""Take \\"\\"\\" or \'\'\'."""'),
])  # fmt: skip
def test_what_quotes_and_backslashes_need(summary: str, expected: str) -> None:
    rendered = STYLES["google"].render(Doc(summary), subject(), Layout())
    assert rendered == expected
    compile(f"def f():\n    {rendered}", "rendered", "exec")


def test_a_summary_that_ends_in_a_quote_does_not_close_the_docstring() -> None:
    rendered = STYLES["plain"].render(Doc('Say "hi"'), subject(), Layout(full_stop=False))
    assert rendered == '"""Say "hi"\n    """'


def test_a_human_s_literal_keeps_its_prefix_and_its_escapes() -> None:
    for text in ('r"""Split at \\n."""', '"""Split at \\\\n."""', 'u"""Old."""'):
        assert STYLES["google"].render(STYLES["google"].parse(text, subject()), subject(), Layout()) == text


@pytest.mark.parametrize(("style", "layout", "expected"), [
    ("jsdoc", Layout(), "/** Scale it. */"),
    ("jsdoc", Layout(one_line=False), "/**\n     * Scale it.\n     */"),
    ("javadoc", Layout(width=19), "/**\n     * Scale it.\n     */"),
    ("doxygen", Layout(form="///"), "/// Scale it."),
    ("doxygen", Layout(form="//!", brief=True), "//! @brief Scale it."),
    ("doxygen", Layout(form="/*!", brief=True, mark="\\"), "/*!\n     * \\brief Scale it.\n     */"),
    ("csharp", Layout(form="///"), "/// <summary>\n    /// Scale it.\n    /// </summary>"),
    ("rustdoc", Layout(form="//!"), "//! Scale it."),
    ("go", Layout(form="/**"), "// scale scales it."),
    ("yard", Layout(), "# Scale it."),
    ("shell", Layout(bars=False), "# Scale it."),
])  # fmt: skip
def test_a_summary_alone_in_comments(style: str, layout: Layout, expected: str) -> None:
    assert STYLES[style].render(Doc("Scale it"), subject(language=LANGUAGE[style]), layout) == expected


@pytest.mark.parametrize(("style", "layout", "expected"), [
    ("google", Layout(types=True),
     '"""S.\n\nArgs:\n    x (int): The x.\n    *more: All.\n\nReturns:\n    str: It.\n"""'),
    ("google", Layout(unit="  "), '"""S.\n\nArgs:\n  x: The x.\n  *more: All.\n\nReturns:\n  It.\n"""'),
    ("sphinx", Layout(types=True),
     '"""S.\n\n:param x: The x.\n:type x: int\n:param more: All.\n:returns: It.\n:rtype: str\n"""'),
    ("jsdoc", Layout(gap=False), "/**\n * S.\n * @param [x] The x.\n * @param more All.\n * @returns It.\n */"),
    ("jsdoc", Layout(types=True),
     "/**\n * S.\n *\n * @param {int} [x] The x.\n * @param {...unknown} more All.\n * @returns {str} It.\n */"),
    ("doxygen", Layout(form="///", mark="\\", brief=True),
     "/// \\brief S.\n///\n/// \\param x The x.\n/// \\param more All.\n/// \\return It."),
    ("phpdoc", Layout(), "/**\n * S.\n *\n * @param $x The x.\n * @param ...$more All.\n * @return str It.\n */"),
    ("yard", Layout(types=True), "# S.\n#\n# @param x [int] The x.\n# @param more [Array] All.\n# @return [str] It."),
])  # fmt: skip
def test_habits_of_slots(style: str, layout: Layout, expected: str) -> None:
    about = subject(
        Parameter("x", "int", "1"), Parameter("more", kind="rest"), returns="str", indent="", language=LANGUAGE[style]
    )
    doc = Doc("S.", parameters=(Slot("x", "", "The x."), Slot("more", "", "All.")), returns=(Slot("", "", "It."),))
    assert STYLES[style].render(doc, about, layout) == expected


@pytest.mark.parametrize(("default", "type"), [
    ("5", "number"), ("-1.5", "number"), ('"a"', "string"), ("`a`", "string"), ("true", "boolean"), ("[]", "Array"),
    ("{ a: 1 }", "object"), ("() => 1", "(...args: unknown[]) => unknown"),
    ("other", "unknown"), ("", "unknown"),
])  # fmt: skip
def test_a_default_tells_the_type_where_jsdoc_needs_one(default: str, type: str) -> None:
    about = subject(Parameter("x", default=default), language="javascript", indent="")
    text = STYLES["jsdoc"].render(Doc("S.", parameters=(Slot("x"),)), about, Layout(types=True))
    assert f"@param {{{type}}} " in text
    assert STYLES["jsdoc"].parse(text, about).parameters == (Slot("x", type, ""),)


@pytest.mark.parametrize(("always", "type"), [(True, "unknown"), (False, "unknown | undefined")])
def test_jsdoc_says_where_there_may_be_nothing(always: bool, type: str) -> None:
    about = replace(subject(returns="", language="javascript", indent=""), always_returns=always)
    text = STYLES["jsdoc"].render(Doc("S.", returns=(Slot(),)), about, Layout(types=True))
    assert f"@returns {{{type}}}" in text


def test_slots_come_in_the_order_of_the_signature() -> None:
    about = subject("a", "b", "c")
    doc = Doc("S.", parameters=(Slot("c", "", "Third."), Slot("a", "", "First."), Slot("b", "", "Second.")))
    for name, style in STYLES.items():
        if "parameters" in style.tells:
            slots = style.parse(style.render(doc, about, Layout()), about).parameters
            assert [each.name for each in slots] == ["a", "b", "c"], name


@pytest.mark.parametrize(("kind", "expected"), [
    ("function", {"parameters": ["x"], "returns": [""], "raises": ["E"]}),
    ("property", {"raises": ["E"]}),
])  # fmt: skip
def test_a_skeleton_has_a_slot_for_all_that_the_style_asks(kind: str, expected: dict[str, list[str]]) -> None:
    about = subject("x", kind=kind, returns="int", raises=("E",), generics=("T",))
    doc = skeleton(about, STYLES["google"].asks)
    assert {
        each: [slot.name for slot in doc.slots(each)] for each in STYLES["google"].tells if doc.slots(each)
    } == expected


def test_a_generator_yields_and_does_not_return() -> None:
    doc = skeleton(subject(yields="int", returns=""), STYLES["google"].asks)
    assert (doc.returns, doc.yields) == ((), (Slot(),))


def test_a_tab_counts_as_four_columns() -> None:
    about = subject("x", indent="\t\t")
    doc = Doc("S.", parameters=(Slot("x", "", "one two three four five six seven"),))
    text = STYLES["google"].render(doc, about, Layout(width=40, unit="\t"))
    assert text == '"""S.\n\n\t\tArgs:\n\t\t\tx: one two three four five\n\t\t\t\tsix seven\n\t\t"""'


def test_a_line_never_begins_by_wrapping_with_what_means_something() -> None:
    doc = Doc("S.", parameters=(Slot("x", "", "aaa bbb @param ccc - ddd 1. eee Returns: fff # ggg >>> hhh"),))
    for name, style in STYLES.items():
        if "parameters" in style.tells:
            about = subject("x", language=LANGUAGE[name])
            for width in range(20, 60):
                text = style.render(doc, about, Layout(width=width))
                assert flowed(style.parse(text, about)).parameters[0].phrase == doc.parameters[0].phrase, (name, width)


def test_a_comment_cannot_be_closed_from_inside() -> None:
    text = STYLES["jsdoc"].render(Doc("Match /* and */ here."), subject(language="javascript"), Layout())
    assert text == "/** Match /* and *\\/ here. */"


def test_a_human_s_brief_stays() -> None:
    style, about = STYLES["doxygen"], subject(language="c", indent="")
    for text in ("/// \\brief Open it.", "/// Open it.", "/// @short Open it."):
        for brief in (True, False):
            assert style.render(style.parse(text, about), about, Layout(form="///", brief=brief)) == text


def test_xml_is_escaped_where_it_is_ours() -> None:
    doc = Doc('Make a List<int> & more, see <see cref="X"/>.', parameters=(Slot("x", "", "a < b &amp; c"),))
    text = STYLES["csharp"].render(doc, subject("x", language="csharp", indent=""), Layout())
    assert '/// Make a List&lt;int> &amp; more, see <see cref="X"/>.' in text
    assert '<param name="x">a &lt; b &amp; c</param>' in text


@pytest.mark.parametrize(("summary", "expected"), [
    ("Return the key.", "scale returns the key."), ("Try it.", "scale tries it."), ("Push it.", "scale pushes it."),
    ("Returns the key.", "scale returns the key."), ("Pass it.", "scale passes it."), ("Play.", "scale play."),
    ("scale is fine.", "scale is fine."), ("A scale is fine.", "A scale is fine."),
    ("HTTP is used.", "scale HTTP is used."),
])  # fmt: skip
def test_go_begins_with_the_name(summary: str, expected: str) -> None:
    text = STYLES["go"].render(Doc(summary), subject(language="go", indent=""), Layout())
    assert text == f"// {expected}"


def test_sections_of_a_human_stay_at_their_places() -> None:
    about = subject("x", returns="")
    text = (
        '"""S.\n\n    Note:\n        First.\n\n    Args:\n        x: The x.\n\n    Example:\n        >>> f(1)\n    """'
    )
    doc = STYLES["google"].parse(text, about)
    assert doc.others == (Section("Note", "First."), Section("Example", ">>> f(1)"))
    assert STYLES["google"].render(doc, about, Layout()) == text
    more = STYLES["google"].render(replace(doc, returns=(Slot("", "", "It."),)), about, Layout())
    assert more == text.replace("x: The x.\n", "x: The x.\n\n    Returns:\n        It.\n")
