"""What existing doc comments say: as people write them in each language, broken ones too."""

from __future__ import annotations

from dataclasses import replace

import pytest
from each_row import each_row
from style_samples import LANGUAGE, flowed, subject

from aigc_lsp.docstring.detect import detect
from aigc_lsp.docstring.doc import Doc, Section, Slot
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import STYLES


def block(text: str) -> str:
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in text.split("\n")), " */"])


def lines(mark: str, text: str) -> str:
    return "\n".join(f"{mark} {line}".rstrip() for line in text.split("\n"))


JSDOC = [
    ("/** Open it. */", Doc("Open it.")),
    (block("Open it.\n\nMore.\n\n@param {string} path - Where\n  it is.\n@param {number} [mode=1] How.\n"
     "@returns {File} It."),
     Doc("Open it.", "More.", parameters=(Slot("path", "string", "Where it is."), Slot("mode", "number", "How.")),
         returns=(Slot("", "File", "It."),))),
    (block("@param {{a: number, b: string}} options\n@param {string} options.a The a.\n"
     "@param {...*} rest"), Doc(parameters=(
        Slot("options", "{a: number, b: string}", ""), Slot("options.a", "string", "The a."), Slot("rest", "...*", ""),
    ))),
    (block("S.\n@throws {TypeError} If bad.\n@throws Sometimes, too.\n@exception Error Or so."), Doc("S.", raises=(
        Slot("TypeError", "", "If bad."), Slot("", "", "Sometimes, too."), Slot("Error", "", "Or so."),
    ))),
    (block("S.\n@async\n@example\n```js\n@Decorated()\n```\n@see {@link open}"), Doc("S.", others=(
        Section("@async", ""), Section("@example", "\n```js @Decorated() ```"), Section("@see", "{@link open}"),
    ))),
    (block("S, see {@link x}.\n{@link y} is more.\n@template T, U The kinds.\n@yields {number} Each."), Doc(
        "S, see {@link x}. {@link y} is more.", generics=(Slot("T", "", "U The kinds."),),
        yields=(Slot("", "number", "Each."),))),
    # broken: a brace that is never closed, no name, no end, lines without stars
    (block("S.\n@param {string path The path.\n@param"), Doc("S.", parameters=(Slot("{string", "", "path The path."),),
                                                             others=(Section("@param", ""),))),
    ("/** S.\n * @param path Where.", Doc("S.", parameters=(Slot("path", "", "Where."),))),
    ("/**\n   S.\n\n   @param path Where.\n*/", Doc("S.", parameters=(Slot("path", "", "Where."),))),
    ("/***/", Doc()),
]  # fmt: skip

TSDOC = [
    (block("S.\n\n@remarks\nMore.\n\n@typeParam T - The kind.\n@param path - Where.\n@returns It.\n"
     "@throws {@link E} If bad."),
     Doc("S.", generics=(Slot("T", "", "The kind."),), parameters=(Slot("path", "", "Where."),),
         returns=(Slot("", "", "It."),), raises=(Slot("E", "", "If bad."),), others=(Section("@remarks",
          "\nMore.\n"),))),
    (block("S.\n@deprecated since 2\n@public"), Doc("S.", others=(
        Section("@deprecated", "since 2"), Section("@public", "")))),
]  # fmt: skip

JAVADOC = [
    (block("Opens it.\n<p>\nMore.\n@param <T> the kind\n@param path where\n     it is\n@return it\n"
     "@throws IOException if bad\n"
           "@since 2"),
     Doc("Opens it. <p> More.", generics=(Slot("T", "", "the kind"),), parameters=(Slot("path", "", "where it is"),),
         returns=(Slot("", "", "it"),), raises=(Slot("IOException", "", "if bad"),), others=(Section("@since", "2"),))),
    (block("S.\n@exception java.io.IOException"), Doc("S.", raises=(Slot("java.io.IOException"),))),
]  # fmt: skip

PHPDOC = [
    (block("S.\n\n@param array<int, string>|null $path Where.\n@param int ...$rest More\n@param $mode How.\n"
           "@return static It.\n@throws \\Foo\\BarException If bad."),
     Doc("S.", parameters=(Slot("path", "array<int, string>|null", "Where."), Slot("rest", "int", "More"),
                           Slot("mode", "", "How.")),
         returns=(Slot("", "static", "It."),), raises=(Slot("\\Foo\\BarException", "", "If bad."),))),
    (block("S.\n@return $this"), Doc("S.", returns=(Slot("", "$this", ""),))),
]  # fmt: skip

DOXYGEN = [
    (block("\\brief Open it.\n\nMore.\n\n\\param[in] path Where.\n\\param[in,out] mode How.\n\\tparam T The kind.\n"
           "\\return It.\n\\retval 0 Fine."),
     Doc("Open it.", "More.", generics=(Slot("T", "", "The kind."),), parameters=(
         Slot("path", "in", "Where."), Slot("mode", "in,out", "How.")), returns=(Slot("", "", "It."),),
         others=(Section("\\retval", "0 Fine."),))),
    (lines("///", "Open \\c it.\n\\p path is where.\n@param path Where.\n\nThat was all."), Doc(
        "Open \\c it. \\p path is where.", parameters=(Slot("path", "", "Where."),), others=(
            Section("", "That was all."),))),
    (lines("//!", "@brief Open it."), Doc("Open it.")),
    ("/*!\n  \\brief Open it.\n\n  \\throws std::bad_alloc If full.\n*/", Doc("Open it.", raises=(
        Slot("std::bad_alloc", "", "If full."),))),
]  # fmt: skip

YARD = [
    (lines("#", "Opens it.\n\nMore.\n\n@param path [String, nil] where\n@param [Integer] mode how\n"
           "@option options [String] :key (nil) The key.\n@yield [file] Gives it.\n@return [File] it\n"
            "@raise [IOError] if bad"),
     Doc("Opens it.", "More.", parameters=(Slot("path", "String, nil", "where"), Slot("mode", "Integer", "how")),
         yields=(Slot("", "file", "Gives it."),), returns=(Slot("", "File", "it"),),
         raises=(Slot("IOError", "", "if bad"),), others=(Section("@option", "options [String] :key (nil) The "
          "key."),))),
    ("# frozen_string_literal: true\n# S.\n# rubocop:disable all", Doc("S.", directives=(
        "# frozen_string_literal: true", "# rubocop:disable all"))),
]  # fmt: skip

RUSTDOC = [
    (lines("///", "Opens it.\n\nMore.\n\n# Arguments\n\n* `path` - Where\n  it is.\n- `mode`: How.\n\n# Errors\n"
     "\nIf bad.\n\n"
           "# Panics\n\nNever.\n\n# Examples\n\n```\n# use x;\nopen();\n```"),
     Doc("Opens it.", "More.", parameters=(Slot("path", "", "Where it is."), Slot("mode", "", "How.")),
         raises=(Slot("io::Error", "", "If bad."), Slot("panic!", "", "Never.")),
         others=(Section("# Examples", "``` # use x; open(); ```"),))),
    (lines("//!", "The crate.\n\n## Parts\n\n- one"), Doc("The crate.", others=(Section("## Parts", "- one"),))),
    (lines("///", "S.\n\n# Errors"), Doc("S.", others=(Section("# Errors", ""),))),
]  # fmt: skip

GO = [
    (lines("//", "Open opens it\nwherever it is.\n\nMore:\n\n\tcode()"), Doc(
        "Open opens it wherever it is.", "More:\n\n\tcode()")),
    ("// Open opens it.\n//\n//go:noinline\n//nolint:all", Doc("Open opens it.", directives=("//go:noinline",
     "//nolint:all"))),
    ("/*\nOpen opens it.\n\nMore.\n*/", Doc("Open opens it.", "More.")),
]  # fmt: skip

CSHARP = [
    (lines("///", "<summary>\nOpens it.\n</summary>\n<remarks>More.</remarks>\n"
     "<typeparam name=\"T\">The kind.</typeparam>\n"
           "<param name=\"path\">\n  Where.\n</param>\n<param name='mode'>How.</param>\n<returns>It.</returns>\n"
           "<exception cref=\"IOException\">If bad.</exception>\n<seealso cref=\"X\"/>"),
     Doc("Opens it.", "More.", generics=(Slot("T", "", "The kind."),), parameters=(
         Slot("path", "", "Where."), Slot("mode", "", "How.")), returns=(Slot("", "", "It."),),
         raises=(Slot("IOException", "", "If bad."),), others=(Section("", '<seealso cref="X"/>'),))),
    (lines("///", "<summary>Opens <c>it</c>, see <see cref=\"X\"/>.</summary>"), Doc(
        'Opens <c>it</c>, see <see cref="X"/>.')),
    # broken: never closed, text without an element, an element without a name
    (lines("///", "<summary>\nOpens it.\n<param name=\"path\">Where.</param>"), Doc("Opens it.", parameters=(
        Slot("path", "", "Where."),))),
    (lines("///", "Opens it.\n\nMore."), Doc("Opens it.", "More.")),
    (lines("///", "<summary>S.</summary>\n<param>Which?</param>"), Doc("S.", others=(
        Section("", "<param>Which?</param>"),))),
]  # fmt: skip

SHELL = [
    ("#######\n# Opens it.\n# Globals:\n#   PATH\n# Arguments:\n#   $1 - where\n#     it is\n#   mode: how\n"
     "# Outputs:\n#   Writes.\n"
     "# Returns:\n#   0 if open,\n#   else 1.\n#######",
     Doc("Opens it.", parameters=(Slot("$1", "", "where it is"), Slot("mode", "", "how")),
         returns=(Slot("", "", "0 if open, else 1."),), others=(Section("Globals", "PATH"), Section("Outputs",
          "Writes.")))),
    ("# Opens it.\n# Arguments:\n#   None\n# shellcheck disable=SC2034", Doc("Opens it.", parameters=(Slot("", "",
     "None"),),
                                                                           directives=("# shellcheck disable=SC2034",
                                                                            ))),
    ("# Opens it: a path.\n# Usage: open PATH", Doc("Opens it: a path. Usage: open PATH")),
]  # fmt: skip

TABLES = {
    "jsdoc": JSDOC, "tsdoc": TSDOC, "javadoc": JAVADOC, "kdoc": JAVADOC[1:], "phpdoc": PHPDOC, "doxygen": DOXYGEN,
    "yard": YARD, "rustdoc": RUSTDOC, "go": GO, "csharp": CSHARP, "shell": SHELL,
}  # fmt: skip

CASES = [(style, *case) for style, table in TABLES.items() for case in table]


def about(style: str):
    return subject(
        "path", "mode", language=LANGUAGE[style], generics=("T",), returns="", raises=("io::Error",), indent="  "
    )


@each_row(("style", "text", "expected"), CASES)
def test_what_a_comment_says(style: str, text: str, expected: Doc) -> None:
    assert flowed(STYLES[style].parse(text, about(style))) == expected


@each_row(("style", "text", "expected"), CASES)
def test_line_ends_and_indentation_do_not_matter(style: str, text: str, expected: Doc) -> None:
    indented = text.replace("\n", "\r\n\t\t")
    assert flowed(STYLES[style].parse(indented, about(style))) == expected


@pytest.mark.parametrize(("style", "text"), [
    ("jsdoc", "/**\n   * Open it.\n   * @param {string}  path   where\n   *                        it is\n"
     "   * @param {number}"
     "  [mode]  how\n   *\n   * @deprecated since 2\n   *\n   * @returns {File}\n   */"),
    ("tsdoc", "/**\n   * Open it.\n   *\n   * @param path - Where.\n   *\n   * @param mode - How.\n"
     "   * @internal\n   */"),
    ("javadoc", "/**\n   * Opens it.\n   *\n   * <p>More.\n   *\n   * @param path where\n   *    it is\n"
     "   * @return it\n   */"),
    ("phpdoc", "/**\n   * Open it.\n   *\n   * @param  string  $path\n   * @return  void\n   */"),
    ("doxygen", "/// \\brief Open it.\n  /// \\param[in]  path  Where.\n  ///\n  /// That was all.\n  ///\n"
     "  /// \\return It."),
    ("rustdoc", "/// Opens it.\n  ///\n  /// # Errors\n  ///\n  /// If bad,\n  /// or worse.\n  ///\n"
     "  /// # Examples\n  ///\n  /// ```\n"
     "  /// open();\n  /// ```"),
    ("go", "// Open opens it.\n  //\n  //\tcode()\n  //\n  //go:noinline"),
    ("csharp", "/// <summary>\n  /// Opens it.\n  /// </summary>\n  /// <param name=\"path\">Where\n"
     "  /// it is.</param>\n"
     "  /// <returns>\n  ///   It.\n  /// </returns>"),
    ("yard", "# Opens it.\n  #\n  # @param [String] path where\n  #   it is\n  # @return [void]"),
    ("shell", "# Opens it.\n  # Globals:\n  #   PATH\n  # Arguments:\n  #   $1 - where\n  # shellcheck disable=SC2034"),
])  # fmt: skip
def test_what_nobody_changed_stays_as_it_is(style: str, text: str) -> None:
    """With the habits of the file, which has no other comment, each comes back to the letter."""
    habits = detect([(text, about(style))], LANGUAGE[style], setting=style)
    assert STYLES[style].render(STYLES[style].parse(text, about(style)), about(style), habits.layout) == text


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("/** **Deprecated** use g. */", "**Deprecated** use g."),
        ("/**\n * *Note* it.\n */", "*Note* it."),
        ("/**** Opens it. ****/", "Opens it."),
        ("/*****\n * Opens it.\n *****/", "Opens it."),
        ("/***/", ""),
    ],
)
def test_stars_of_a_text_are_no_marks(text: str, summary: str) -> None:
    assert STYLES["jsdoc"].parse(text, about("jsdoc")).summary == summary


def test_an_empty_summary_of_an_editor_is_filled() -> None:
    style = STYLES["csharp"]
    doc = style.parse('/// <summary>\n/// \n/// </summary>\n/// <param name="path"></param>', about("csharp"))
    text = style.render(replace(doc, summary="Opens it."), about("csharp"), Layout())
    assert text.replace("\n  ", "\n") == lines("///", '<summary>\nOpens it.\n</summary>\n<param name="path"></param>')


def test_directives_stay_below_the_comment_as_they_are() -> None:
    doc = STYLES["go"].parse("// Open opens it.\n//go:noinline", about("go"))
    assert STYLES["go"].render(doc, about("go"), Layout()) == "// Open opens it.\n  //\n  //go:noinline"
    doc = STYLES["shell"].parse("#!/bin/sh\n# Opens it.\n# shellcheck disable=SC1", about("shell"))
    assert doc.directives == ("#!/bin/sh", "# shellcheck disable=SC1")


def test_errors_of_rust_that_a_docstring_tells_of_together() -> None:
    rust = subject(language="rust", raises=("io::Error", "panic!"), indent="")
    doc = Doc("S.", raises=(Slot("panic!", "", "If full."), Slot("io::Error", "", "If bad.")))
    text = STYLES["rustdoc"].render(doc, rust, Layout())
    assert text == lines("///", "S.\n\n# Errors\n\nIf bad.\n\n# Panics\n\nIf full.")
