"""Actions done, whatever the model says: what is changed, and what is refused with a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripted_chat import Scripted, applied, document

from aigc_lsp.actions import Asked, Changed, Problem, Shown, run
from aigc_lsp.config import CompletionConfig, Config, EngineConfig
from aigc_lsp.errors import ActionRefused
from aigc_lsp.own_actions import OwnAction

SECRET = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"


def fenced(code: str, language: str = "python") -> str:
    return f"Here it is:\n```{language}\n{code}```\nI hope that helps.\n"


async def changed(
    name: str, source: str, backend: Scripted, file: str = "till.py", message: str = "wrong", config: Config = Config()
) -> str:
    made, span = document(source, file)
    own = config.actions[0].title if config.actions else ""
    outcome = await run(Asked(name, span, (Problem(span, message),), own), made, backend, config)  # type: ignore[arg-type]
    assert isinstance(outcome, Changed)
    return applied(made.text, outcome.edits)


# Explain


async def test_explain_shows_what_the_model_says() -> None:
    made, span = document("def f():\r\n    ¦return 1\r\n    return 2¦\r\n")
    backend = Scripted(chatted=" It returns one. ")
    outcome = await run(Asked("explain", span), made, backend, Config())
    assert outcome == Shown("Explanation", "It returns one.")
    (request,) = backend.chats
    assert request.messages[-1][1].endswith("```python\nreturn 1\n    return 2\n```")
    assert request.messages[0][0] == "system"
    assert request.document != made.uri  # the next key typed in it would end the request


async def test_an_explanation_that_breaks_off_ends_with_a_sentence() -> None:
    made, span = document("¦x = 1¦\n")
    outcome = await run(Asked("explain", span), made, Scripted(chatted="One. Two. Thr", limit=True), Config())
    assert outcome == Shown("Explanation", "One. Two.")


async def test_of_a_long_selection_the_beginning_is_read() -> None:
    made, span = document("¦" + "x = 1\n" * 2000 + "¦")
    backend = Scripted(chatted="Many.")
    outcome = await run(Asked("explain", span), made, backend, Config())
    assert isinstance(outcome, Shown)
    assert "beginning" in outcome.markdown
    assert len(backend.chats[0].messages[-1][1]) < 6200


# Fix


FIX = "def read(path):\n    with ¦open(pth)¦ as file:\n        return file.read()\n"


async def test_a_line_is_written_anew() -> None:
    backend = Scripted("with open(path) as file:  # fixed\n        more")
    assert await changed("fix", FIX, backend, message="no `pth`") == FIX.replace("¦", "").replace("pth", "path")
    (hole,) = backend.holes
    assert hole.input_prefix.endswith("    # was: with open(pth) as file:\n    # error: no `pth`\n    # fixed:\n    ")
    assert hole.input_suffix.startswith("\n        return file.read()")
    assert not backend.chats


async def test_the_edit_is_the_least_there_is() -> None:
    made, span = document(FIX)
    asked = Asked("fix", span, (Problem(span, "no"),))
    outcome = await run(asked, made, Scripted("with open(path) as file:"), Config())
    assert isinstance(outcome, Changed)
    (edit,) = outcome.edits
    assert (edit.new_text, len(edit.span)) == ("a", 0)


@pytest.mark.parametrize(
    "said",
    [
        "with open(pth) as file:",  # the same
        "return 1",  # something else
        "with open(path as file:",  # does not parse
        "",
    ],
)
async def test_where_the_line_alone_is_of_no_use_the_function_is_asked_for(said: str) -> None:
    code = "def read(path):\n    with open(path) as file:\n        return file.read()\n"
    backend = Scripted(said, fenced(code))
    assert await changed("fix", FIX, backend) == code
    assert backend.heard.endswith("```\nI ")  # and no further
    assert "    with open(pth) as file:" in backend.chats[0].messages[-1][1]


async def test_a_method_keeps_its_indentation_and_line_ends() -> None:
    source = "class A:\r\n\tdef f(self):\r\n\t\tsum = 0\r\n\t\t¦sum = 1¦\r\n\t\treturn sum\r\n"
    answer = fenced("def f(self):\n\ttotal = 0\n\tsum = 2\n\treturn sum\n")
    after = await changed("fix", source, Scripted("", answer))
    assert after == "class A:\r\n\tdef f(self):\r\n\t\ttotal = 0\r\n\t\tsum = 2\r\n\t\treturn sum\r\n"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("I cannot do that.", "without code"),
        ("```python\n```", "without code"),
        ("```python\ndef read(path):\n    with", "broke off"),
        (fenced("def read(path):\n    with open(pth) as file:\n        return file.read()\n"), "no correction"),
        (fenced("print('hello')\n"), "no correction"),
        (fenced("def read(path):\n    with open(path as file:\n        return file.read()\n"), "does not parse"),
    ],
)
async def test_what_is_no_fix_is_refused(said: str, sentence: str) -> None:
    with pytest.raises(ActionRefused, match=sentence):
        await changed("fix", FIX, Scripted("", said, limit="broke" in sentence))


async def test_an_error_that_was_there_may_stay() -> None:
    source = "def g(:\n    pass\n\n\nx = ¦lst[0]¦\n"
    assert await changed("fix", source, Scripted("x = last[0]")) == "def g(:\n    pass\n\n\nx = last[0]\n"


# Complete TODO


@pytest.mark.parametrize(
    ("source", "said", "expected", "file"),
    [
        (
            "def f(items):\n    # TODO: ¦drop the empty ones\n    return items\n",
            "items = [each for each in items if each]  # drop the empty ones\n    return items\n\n\ndef g():\n",
            "def f(items):\n    # TODO: drop the empty ones\n    items = [each for each in items if each]\n"
            "    return items\n",
            "a.py",
        ),
        (
            "# TODO: ¦a function\n#   that adds\n\nx = 1\n",
            "def add(a, b):\n    return a + b\n\n\nx = 1\n",
            "# TODO: a function\n#   that adds\ndef add(a, b):\n    return a + b\n\nx = 1\n",
            "a.py",
        ),
        (
            "function f(a) {\r\n\t// FIXME ¦refuse nothing\r\n\treturn a;\r\n}\r\n",
            "if (!a) {\n\t\tthrow new Error('nothing');\n\t}\n\treturn a;\n}\n",
            "function f(a) {\r\n\t// FIXME refuse nothing\r\n\tif (!a) {\r\n\t\tthrow new Error('nothing');\r\n\t}\r\n"
            "\treturn a;\r\n}\r\n",
            "a.js",
        ),
        (
            "int f(int a) {\n    /* TODO(bob): ¦double it */\n    return a;\n}\n",
            "a = a * 2;\n    return a;\n}\n",
            "int f(int a) {\n    /* TODO(bob): double it */\n    a = a * 2;\n    return a;\n}\n",
            "a.c",
        ),
        ("x = 1  # TODO: ¦and y\n", "y = 2\n", "x = 1  # TODO: and y\ny = 2\n", "a.py"),
        ("# TODO: ¦print 🙂", "print('🙂')", "# TODO: print 🙂\nprint('🙂')", "a.py"),
    ],
)
async def test_what_a_todo_asks_for_goes_below_it(source: str, said: str, expected: str, file: str) -> None:
    backend = Scripted(said)
    assert await changed("completeTodo", source, backend, file) == expected
    assert "TODO" not in backend.holes[0].input_prefix
    assert "FIXME" not in backend.holes[0].input_prefix


async def test_where_nothing_is_filled_in_a_chat_is_asked() -> None:
    source = "class A:\n    def f(self, items):\n        # TODO: ¦sort them\n        return items\n"
    backend = Scripted("# sort them\n        return items", fenced("items.sort()\n"))
    after = await changed("completeTodo", source, backend)
    assert after == source.replace("¦", "").replace("them\n", "them\n        items.sort()\n")


@pytest.mark.parametrize(
    "said",
    ["No.", fenced("def f(items):\n    items.sort()\n    return items\n"), fenced("items.sort(\n"), fenced("# x\n")],
)
async def test_what_does_no_todo_is_refused(said: str) -> None:
    with pytest.raises(ActionRefused):
        await changed("completeTodo", "def f(items):\n    # TODO: ¦sort\n    return items\n", Scripted("", said))


# Own actions


SOURCE = "import a\n\n\ndef ¦f(x):\n    return ¦x + 1\n"
WHERE = {
    "replace": "import a\n\n\nGOOD = 1\n",
    "above": "import a\n\n\nGOOD = 1\ndef f(x):\n    return x + 1\n",
    "below": "import a\n\n\ndef f(x):\n    return x + 1\nGOOD = 1\n",
}


@pytest.mark.parametrize("where", list(WHERE))
async def test_where_an_own_answer_goes(where: str) -> None:
    own = OwnAction("Do", "{path} {language} {selection}|{function}|{diagnostics}", "refactor", where)  # type: ignore[arg-type]
    backend = Scripted(chatted=fenced("GOOD = 1\n"))
    assert await changed("action", SOURCE, backend, config=Config(actions=(own,))) == WHERE[where]
    said = backend.chats[0].messages[-1][1]
    assert said == "till.py python f(x):\n    return |def f(x):\n    return x + 1|line 4: wrong"


async def test_of_a_part_of_a_line_only_that_is_replaced() -> None:
    config = Config(actions=(OwnAction("Do", "{selection}", "refactor", "replace"),))
    backend = Scripted(chatted=fenced("range(3)\n"))
    assert await changed("action", "for i in ¦[0, 1, 2]¦:\n    pass\n", backend, config=config) == (
        "for i in range(3):\n    pass\n"
    )


async def test_an_own_answer_is_shown() -> None:
    made, span = document("¦x¦ = 1\n")
    config = Config(actions=(OwnAction("Name it", "Name {selection}"),))
    outcome = await run(Asked("action", span, (), "Name it"), made, Scripted(chatted="`count`"), config)
    assert outcome == Shown("Name it", "`count`")
    with pytest.raises(ActionRefused, match="no action called"):
        await run(Asked("action", span, (), "Other"), made, Scripted(), config)
    with pytest.raises(ActionRefused, match="another place"):
        await run(Asked("action", replace(span, end=span.start), (), "Name it"), made, Scripted(), config)


# What never happens


async def test_nothing_that_is_never_to_be_shown() -> None:
    config = Config(completion=CompletionConfig(never=("path",)))
    with pytest.raises(ActionRefused):
        await changed("fix", FIX, Scripted("with open(path) as file:"), config=config)


async def test_what_leaves_the_machine_has_no_secrets() -> None:
    source = f'token = "{SECRET}"\n# TODO: ¦use it\n¦x = tken\n'
    config = Config(
        engine=EngineConfig(url="http://elsewhere"), actions=(OwnAction("Do", "{file}", "refactor", "show"),)
    )
    made, span = document(source)
    backend = Scripted("x = token", "Fine.")
    for name in ("explain", "fix", "completeTodo", "action"):
        asked = Asked(name, replace(span, start=0), (Problem(replace(span, start=span.end), "no tken"),), "Do")  # type: ignore[arg-type]
        if name == "completeTodo":
            asked = replace(asked, span=span)
        await run(asked, made, backend, config)
    assert len(backend.chats) + len(backend.holes) == 4
    assert SECRET not in repr(backend.chats) + repr(backend.holes)
    local = Scripted("x = token", "Fine.")
    await run(Asked("explain", replace(span, start=0)), made, local, Config())
    assert SECRET in repr(local.chats)
