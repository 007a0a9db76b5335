"""What is written where, and what is asked for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from scripted_words import Scripted, named, tree_of, written

from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.docstring.manner import manner_of
from aigc_lsp.errors import DocstringRefused, EngineUnavailable, Superseded
from aigc_lsp.service.wire import InfillRequest
from aigc_lsp.writer import write_docstring

PYTHON = """import os


def f(path: str, *parts, deep: bool = False):
    if not path:
        raise ValueError(path)
    return os.path.join(path, *parts)
"""
SAYS = [
    "This function joins a path.",
    "where it begins",
    "What follows.",
    "whether it is deep",
    "The path",
    "it is empty",
]


GOOGLE = '''    """Join a path.

    Args:
        path: Where it begins.
        *parts: What follows.
        deep: Whether it is deep.

    Returns:
        The path.

    Raises:
        ValueError: If it is empty.
    """
'''
NUMPY = '''    """Join a path.

    Parameters
    ----------
    path : str
        Where it begins.
    *parts
        What follows.
    deep : bool, optional
        Whether it is deep.

    Returns
    -------
    The path.

    Raises
    ------
    ValueError
        If it is empty.
    """
'''
SPHINX = '''    """Join a path.

    :param path: Where it begins.
    :param parts: What follows.
    :param deep: Whether it is deep.
    :returns: The path.
    :raises ValueError: If it is empty.
    """
'''


@pytest.mark.parametrize(("style", "docstring"), [("auto", GOOGLE), ("numpy", NUMPY), ("sphinx", SPHINX)])
async def test_the_structure_is_the_tree_s_and_the_words_are_the_model_s(style: str, docstring: str) -> None:
    header = PYTHON.index("    if")
    done = await written(PYTHON, "python", Scripted(SAYS), style=style)
    assert done == PYTHON[:header] + docstring + PYTHON[header:]


OTHERS = {
    "typescript": (
        "export function f(a: number, { b }: P): number {\n  if (!a) throw new RangeError();\n  return a;\n}\n",
        "/**\n * Join a path.\n *\n * @param a - Where it begins.\n * @param p - What follows.\n"
        " * @param p.b - Whether it is deep.\n * @returns The path.\n"
        " * @throws {@link RangeError} If it is empty.\n */\n",
    ),
    "typescriptreact": (
        "export function f({ a }: P, b = 1): JSX.Element {\n  return <p title={a}>{b}</p>;\n}\n",
        "/**\n * Join a path.\n *\n * @param p - Where it begins.\n * @param p.a - What follows.\n"
        " * @param b - Whether it is deep.\n * @returns The path.\n */\n",
    ),
    "java": (
        "  int f(int a) throws IOException { return 1; }\n",
        "/**\n   * Joins a path.\n   *\n   * @param a where it begins\n   * @return what follows\n"
        "   * @throws IOException if whether it is deep\n   */\n  ",
    ),
    "go": ("func f(a int) (int, error) { return a, nil }\n", "// f joins a path.\n"),
    "rust": (
        "pub fn f(a: i32) -> Result<i32, E> { Err(E) }\n",
        "/// Joins a path.\n///\n/// # Errors\n///\n/// Where it begins.\n",
    ),
    "shellscript": (
        'f() {\n  local a="$1"\n  return 3\n}\n',
        "#######################################\n# Join a path.\n# Arguments:\n#   $1 - Where it begins.\n# Returns:\n"
        "#   What follows.\n#######################################\n",
    ),
}


@pytest.mark.parametrize("language", OTHERS)
async def test_other_languages(language: str) -> None:
    source, comment = OTHERS[language]
    around = ("class A {\n", "}\n") if language == "java" else ("package a\n\n", "") if language == "go" else ("", "")
    source = around[0] + source + around[1]
    at = source.index("int f" if language == "java" else source.removeprefix(around[0])[:6])
    assert await written(source, language, Scripted(SAYS)) == source[:at] + comment + source[at:]


MINE = "        {}: My own words\n            on two lines\n"
KEPT = [  # what stands there, what stands there then
    (  # a renamed parameter keeps its words, a new one gets some, what is gone goes
        f'    """Joins  whatever.\n\n    Args:\n{MINE.format("pth")}        gone: Gone.\n    """\n',
        f'    """Joins  whatever.\n\n    Args:\n{MINE.format("path")}        deep: Said.\n    """\n',
    ),
    (  # nothing is stale: what it leaves out is added behind what is there
        '    """Joins  whatever."""\n',
        '    """Joins  whatever.\n\n    Args:\n        path: Said.\n        *parts: Said.\n        deep: Said.\n\n'
        '    Returns:\n        Said.\n\n    Raises:\n        ValueError: If Said.\n    """\n',
    ),
    (  # another style than the file's
        "    '''Join.\n\n    :param path: Mine.\n    :param deep: Mine too.\n    :returns: It.\n    '''\n",
        "    '''Join.\n\n    :param path: Mine.\n    :param parts: Said.\n    :param deep: Mine too.\n"
        "    :returns: It.\n    :raises ValueError: If Said.\n    '''\n",
    ),
    ('    """Join. {@inheritDoc}"""\n', '    """Join. {@inheritDoc}"""\n'),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), KEPT)
async def test_what_a_human_wrote_stays(before: str, after: str) -> None:
    at = PYTHON.index("    if")
    assert (
        await written(PYTHON[:at] + before + PYTHON[at:], "python", Scripted(["Said."]))
        == PYTHON[:at] + after + PYTHON[at:]
    )


PROPS = "/**\n * Do.\n * @param {{object}} props the props\n{} */\nfunction f({{a, b}}, c) {{ return 1; }}\n"
COMPLETED = [  # what is destructured has the name that the docstring gives it; Rust's errors come together
    ("javascript", PROPS.format(""), PROPS.format(" * @param {unknown} c said\n")),
    (
        "javascript",
        PROPS.format(" * @param {string} props.a an a\n * @param c a c\n"),
        PROPS.format(" * @param {string} props.a an a\n * @param {unknown} props.b said\n * @param c a c\n"),
    ),
    ("javascript", PROPS.format(" * @param c a c\n"), PROPS.format(" * @param c a c\n * @returns {unknown} said\n")),
    (
        "rust",
        "/// Do.\n///\n/// # Errors\n///\n/// Mine.\nfn f(a: i32) -> R<i32> { if a { panic!() } Err(E) }\n",
        "/// Do.\n///\n/// # Errors\n///\n/// Mine.\n///\n/// # Panics\n///\n/// Said.\n"
        "fn f(a: i32) -> R<i32> { if a { panic!() } Err(E) }\n",
    ),
]


@pytest.mark.parametrize(("language", "before", "after"), COMPLETED)
async def test_what_is_left_out_finds_its_place(language: str, before: str, after: str) -> None:
    assert await written(before, language, Scripted(["Said."])) == after


async def test_a_right_one_is_left_alone_and_nobody_is_asked() -> None:
    at = PYTHON.index("    if")
    model = Scripted(["Said."])
    source = PYTHON[:at] + GOOGLE + PYTHON[at:]
    assert await written(source, "python", model) == source
    assert model.asked == []


SHAPES = {  # where it goes: `¤` stands for the line end of the file
    "def f(): return 1¤": 'def f():¤    """Do it.¤¤    Returns:¤        Do it.¤    """¤    return 1¤',
    "def f():¤¤    pass¤": 'def f():¤    """Do it."""¤    pass¤',
    "def f():¤\tpass": 'def f():¤\t"""Do it."""¤\tpass',
    "class f:¤    x = 1¤": 'class f:¤    """Do it.¤¤    Attributes:¤        x: Do it.¤    """¤¤    x = 1¤',
    "class A:¤    def f(self): ...": 'class A:¤    def f(self):¤        """Do it."""¤        ...',
    "def f(ä, 𝒙):¤    pass":
        'def f(ä, 𝒙):¤    """Do it.¤¤    Args:¤        ä: Do it.¤        𝒙: Do it.¤    """¤    pass',
}  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("source", list(SHAPES))
async def test_line_ends_tabs_and_blank_lines(source: str, end: str) -> None:
    expected = SHAPES[source].replace("¤", end)
    assert await written(source.replace("¤", end), "python", Scripted(["Do it."])) == expected


async def test_a_file_s_own_docstring() -> None:
    assert await written("# Licence\n\nx = 1\n", "python", Scripted(["Hold an x."]), "file") == (
        '# Licence\n\n"""Hold an x."""\n\nx = 1\n'
    )
    assert await written("pub fn f() {}\n", "rust", Scripted(["Hold an f."]), "file") == (
        "//! Hold an f.\n\npub fn f() {}\n"
    )


async def test_prompts_only_grow_and_show_the_body() -> None:
    """One prefix in the KV cache for all phrases."""
    model = Scripted(SAYS)
    await written(PYTHON, "python", model)
    assert "os.path.join" in model.prompts[0]
    for before, after in zip(model.prompts, model.prompts[1:], strict=False):
        assert after.startswith(before)
    assert [prompt.rsplit("\n", 1)[1] for prompt in model.prompts] == [
        '    """', "        path: ", "        *parts: ", "        deep: ", "        ", "        ValueError: If ",
    ]  # fmt: skip
    assert {(each.order, each.stop, each.input_suffix) for each in model.asked} == {("prefix", ("\n",), "")}


async def test_a_line_broken_within_a_sentence_is_gone_on_with() -> None:
    def says(request: InfillRequest) -> str:
        return "path." if request.input_prefix.endswith("the ") else "Join what is given to one, which is the"

    assert '"""Join what is given to one, which is the path."""' in await written(
        "def f(): pass\n", "python", Scripted(says)
    )


async def test_what_was_broken_off_ends_with_a_clause() -> None:
    model = Scripted(["Join the parts of a path, and then without any end or"], ended="limit")
    assert '"""Join the parts of a path."""' in await written("def f(): pass\n", "python", model)


async def test_a_long_function_is_shown_without_its_middle() -> None:
    lines = "".join(f"    x{number} = {number}\n" for number in range(2000))
    model = Scripted(SAYS)
    await written(f"def f(path):\n{lines}    return path\n", "python", model)
    assert len(model.prompts[-1]) < 8000
    assert "x0 = 0" in model.prompts[0]
    assert "return path" in model.prompts[0]


async def test_progress() -> None:
    heard: list[tuple[int, int]] = []
    await written(PYTHON, "python", Scripted(SAYS), progress=lambda done, of: heard.append((done, of)))
    assert heard == [(number, 6) for number in range(7)]


async def test_cancelling_hangs_up() -> None:
    model = Scripted(lambda _: None)
    task = asyncio.create_task(written(PYTHON, "python", model))
    while not model.open:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.open == 0


@pytest.mark.parametrize("first", [
    "@param {string} a", 'Imperative docstring that says what it does."""', "", "Greedy algorithm for fields.",
])  # fmt: skip
async def test_a_summary_of_no_use_is_asked_for_again_with_a_verb(first: str) -> None:
    def says(request: InfillRequest) -> str:
        return "the fields of it." if request.input_prefix.endswith(" Parse ") else first

    model = Scripted(says)
    done = await written("function parseAll() { go(); }\n", "javascript", model, "parseAll")
    assert done == "/** Parse the fields of it. */\nfunction parseAll() { go(); }\n"
    assert len(model.asked) == 2


async def test_plain_words_for_what_comes_too_late() -> None:
    """What was said by then stays."""
    model = Scripted(lambda request: "Join a path." if request.input_prefix.endswith('"""') else None)
    late = asyncio.get_running_loop().time() + 0.2
    done = await written(PYTHON, "python", model, until=late)
    told = [line.strip() for line in done.split('"""')[1].splitlines()]
    assert told[0] == "Join a path."
    assert told[3:6] == ["path: The path.", "*parts: Further arguments.", "deep: Whether deep."]
    assert model.open == 0
    assert len(model.asked) == 2


async def test_no_model_no_docstring() -> None:
    def fails(_: InfillRequest) -> str:
        raise EngineUnavailable("It is away.")

    with pytest.raises(EngineUnavailable, match="It is away"):
        await written(PYTHON, "python", Scripted(fails))
    with pytest.raises(Superseded):
        await written(PYTHON, "python", Scripted(SAYS, ended="cancelled"))


async def test_a_file_without_a_tree_is_refused() -> None:
    tree = tree_of(PYTHON, "python")
    document = Document("file:///p/a", "/p/a", "python", 1, tree.text)
    with pytest.raises(DocstringRefused, match="cannot be parsed"):
        await write_docstring(document, named(tree, "f"), manner_of(tree), Scripted(), Config())  # type: ignore[arg-type]


SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1"])
async def test_secrets_leave_no_machine(url: str) -> None:
    source = f'TOKEN = "{SECRET}"\n\ndef f(a):\n    return ask(a, "{SECRET}")\n'
    config = Config(engine=replace(Config().engine, url=url))
    model = Scripted(SAYS)
    done = await written(source, "python", model, config=config)
    assert [SECRET in prompt for prompt in model.prompts] == [not url] * len(model.prompts)
    assert done.count(SECRET) == 2
    assert [prompt[-1].isspace() for prompt in model.prompts[1:]] == [
        not url or prompt.endswith("       ") for prompt in model.prompts[1:]
    ]


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1"])
async def test_nor_do_those_of_a_docstring_that_is_there(url: str) -> None:
    docstring = f'"""Ask with {SECRET}.\n\n    Args:\n        a: What to ask.\n    """'
    source = f"def f(a, key):\n    {docstring}\n    return ask(a, key)\n"
    model = Scripted(SAYS)
    done = await written(source, "python", model, config=Config(engine=replace(Config().engine, url=url)))
    assert model.prompts
    assert [SECRET in prompt for prompt in model.prompts] == [not url] * len(model.prompts)
    assert f"Ask with {SECRET}." in done


BEGUN = {
    "google": ("    Args:\n", "Args:"),
    "numpy": ("    Parameters\n    ----------\n", "Parameters"),
    "google with more": ("    Args:\n\n    Example:\n        f(1)\n", "Args:"),
}


@pytest.mark.parametrize("style", BEGUN)
async def test_a_section_that_was_begun_is_filled_and_not_doubled(style: str) -> None:
    section, title = BEGUN[style]
    source = f'def f(a, b):\n    """Do it.\n\n{section}    """\n    print(a, b)\n'
    done = await written(source, "python", Scripted(["Said."]), style=style.partition(" ")[0])
    assert done.count(title) == 1
    assert done.index("Do it.") < done.index(title) < done.index("Said.")
    assert done.count("Said.") == 2
    assert ("Example:" in done) == ("more" in style)


async def test_an_attribute_between_lines_of_a_comment_stays() -> None:
    source = "/// Reads it.\n#[must_use]\n/// May fail.\npub fn f() -> Result<u8, E> { Err(E) }\n"
    done = await written(source, "rust", Scripted(SAYS))
    assert "\n#[must_use]\n" in done
    assert "[must_use]" not in done.replace("#[must_use]", "")


async def test_several_literals_are_left_as_they_are() -> None:
    for docstring in ("'a' 'b'", '"""A.""" "B."'):
        with pytest.raises(DocstringRefused, match="several literals"):
            await written(f"def f(a):\n    {docstring}\n    return a\n", "python", Scripted(SAYS))
