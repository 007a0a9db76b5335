"""What of a model's words a docstring has."""

from __future__ import annotations

from dataclasses import replace

import pytest
from each_row import each_row
from style_samples import subject

from aigc_lsp.docstring import plain_words, words
from aigc_lsp.docstring.detect import Habits
from aigc_lsp.docstring.doc import Slot
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.subject import Parameter

GOOGLE = Habits("google", Layout(width=72))
GIVING = subject("x", returns="")


SUMMARIES = {
    "Scale a number.": "Scale a number",
    'Scale a number."""': "Scale a number",
    "Scales a number. It is fast.": "Scale a number",
    "This function scales a number": "Scale a number",
    "A helper function that returns the sum": "Return the sum",
    "Function to compute the sum": "Compute the sum",
    "Context manager for handling errors": "Handle errors",
    "It applies the patches": "Apply the patches",
    "This method is called when a tool ends.": "Run when a tool ends",
    "Asynchronously fetches the page": "Fetch the page asynchronously",
    "The sum of all numbers": "Return the sum of all numbers",
    "Whether it is there": "Return whether it is there",
    "scale: Scale a number": "Scale a number",
    "`scale` - Scale a number": "Scale a number",
    "Pass the status on.": "Pass the status on",
    "Pass the status on": "Pass the status",
    "Save method calls": "Save method calls",
    "Test the connection": "Test the connection",
    "Status of the thing, e.g. this. And more": "Status of the thing, e.g. this",
    "Scale a number, which is the": "Scale a number",
    "Scale a number (but not": "Scale a number",
    "Scale a `number": "Scale a number",
    "Scale a number that is given by the user with all of what was typed in there": (
        "Scale a number that is given by the user"
    ),
    "Scale a number, a word, and everything else nobody ever saw around here too": "Scale a number and a word",
    "Scale a number, if there is one, and give back everything nobody else wanted": "Scale a number, if there is one",
    "Scale a number :param x: the number": "Scale a number",
    "Scale a number*/ alert(1)": "Scale a number",
    "URL of the page": "URL of the page",
    "": "",
    "TODO: describe this": "",
    "Imperative docstring that says what it does.": "",
    "This": "",
    '"""': "",
    "...": "",
}


@each_row(("said", "expected"), SUMMARIES.items())
def test_a_summary(said: str, expected: str) -> None:
    assert words.summary(said, GIVING, GOOGLE) == expected


def test_a_summary_in_the_file_s_mood() -> None:
    third = replace(GOOGLE, imperative=False)
    assert words.summary("Scale it all", GIVING, third) == "Scales it all"
    assert words.summary("Applies a patch", GIVING, third) == "Applies a patch"
    assert words.summary("Create and tag it", GIVING, third) == "Creates and tags it"
    assert words.summary("Creates or tags it", GIVING, GOOGLE) == "Create or tag it"
    mixed = "Sort the keys and values and optionally reverses the order"
    assert words.summary(mixed, GIVING, GOOGLE) == mixed.replace("reverses", "reverse")
    assert words.summary("This class represents a box", subject(kind="class"), GOOGLE) == "Represents a box"
    assert words.summary("A box of things", subject(kind="class"), GOOGLE) == "A box of things"


PHRASES = [
    ("x", "The number.", "The number."),
    ("x", "the number", "The number."),
    ("x", "x: The number.", "The number."),
    ("x", "x (int, optional): The number.", "The number."),
    ("x", "int: The number.", "The number."),
    ("x", "- `x` - The number", "The number."),
    ("x", "The number. Defaults to 5.", "The number."),
    ("x", "The host (default is 127.0.0.1).", "The host."),
    ("by", "The factor (default: 3).", "The factor."),
    ("by", "The factor, defaults to 2.0.", "The factor, defaults to 2.0."),
    ("x", "The number to scale. It may be anything.", "The number to scale."),
    ("x", "The number\nby: The factor", "The number."),
    ("x", "HTTP's number", "HTTP's number."),
    ("x", "x", ""),
    ("x", "float", ""),
    ("x", "None.", ""),
    ("x", "", ""),
]


@pytest.mark.parametrize(("name", "said", "expected"), PHRASES)
def test_a_phrase(name: str, said: str, expected: str) -> None:
    about = subject(Parameter("x", "float"), Parameter("by", "float", "2.0"))
    assert words.phrase(said, "parameters", Slot(name), about, GOOGLE) == expected


def test_a_phrase_as_the_file_has_them() -> None:
    java = replace(GOOGLE, layout=Layout(capital=False, phrase_stop=False))
    assert words.phrase("The number.", "parameters", Slot("x"), GIVING, java) == "the number"
    assert words.phrase("URL of it.", "parameters", Slot("x"), GIVING, java) == "URL of it"


@pytest.mark.parametrize(("said", "expected"), [
    ("The index of the last assistant turn in the list of roles, or", True),
    ("The index of the last assistant turn in the list of all roles there are", True),
    ("The index of", True),
    ("The index", False),
    ("The index of the last assistant turn in the list of all roles there are.", False),
    ('Limit the concurrency of the model to the given limit, whatever it is"""', False),
    ("", False),
])  # fmt: skip
def test_half_a_sentence(said: str, expected: bool) -> None:
    assert words.is_half(said) is expected


PLAIN = {
    ("function", "compute_total", None): "Compute the total",
    ("function", "total", ""): "Return the total",
    ("function", "total", None): "Handle the total",
    ("function", "isEmpty", ""): "Tell whether it is empty",
    ("constructor", "__init__", None): "Initialize the http box",
    ("class", "OpenBox", None): "An open box",
    ("property", "size", ""): "The size",
    ("function", "x", ""): "Return the x",
    ("function", "_", None): "Do what its name says",
    ("method", "on_tool_end", None): "Handle the tool end",
    ("method", "from_texts", ""): "Create the http box from the texts",
    ("async", "afrom_texts", ""): "Create the http box from the texts",
    ("async", "aget_user", ""): "Get the user",
    ("async", "add_user", None): "Add the user",
    ("method", "to_dict", ""): "Convert the http box to dict",
}


@pytest.mark.parametrize(("kind", "name", "returns"), PLAIN)
def test_plain_words_for_a_summary(kind: str, name: str, returns: str | None) -> None:
    about = subject(kind=kind, name=name, returns=returns, parent="a.http_box", is_async=kind == "async")
    assert plain_words.summary(about) == PLAIN[kind, name, returns]


def test_plain_words_for_slots() -> None:
    about = subject(
        Parameter("maxSize", "int"), Parameter("is_on", "bool"), Parameter("sort", default="True"),
        Parameter("rest", kind="rest"), Parameter("1", alias="file_name"), name="get_user", returns="",
    )  # fmt: skip
    said = [plain_words.phrase("parameters", Slot(each.name), about) for each in about.parameters]
    assert said == ["The max size", "Whether it is on", "Whether to sort", "Further arguments", "The file name"]
    assert plain_words.phrase("returns", Slot(), about) == "The user"
    errors = ("ValueError", "http.PageNotFoundError", "BadGatewayError", "E", "panic!")
    assert [plain_words.phrase("raises", Slot(name), about) for name in errors] == [
        "If a value is not valid", "If the page is not found", "In case of bad gateway", "In case of e",
        "If something is not as it must be",
    ]  # fmt: skip
