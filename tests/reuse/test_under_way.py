"""What the model is saying at this moment belongs to whoever types on as it says."""

from __future__ import annotations

import asyncio
import gc
from typing import Any, cast

import pytest
from buffer import Buffer, Model

from aigc_lsp.config import Config, EngineConfig
from aigc_lsp.context.document import Document
from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.pipeline import Asked, complete
from aigc_lsp.reuse.stream import ORPHAN_SECONDS
from aigc_lsp.syntax import parse


async def begun(buffer: Buffer) -> asyncio.Task[Any]:
    """A request that waits for the model."""
    task = asyncio.create_task(buffer.ask())
    for _ in range(10):
        await asyncio.sleep(0)
    return task


async def overtaken(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def heard() -> None:
    """What is being said reaches everybody."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_next_key_goes_on_with_it() -> None:
    model = Model("f", "oo", ".bar", "\n")
    model.hold()
    buffer = Buffer("x = $0\n", model)
    first = await begun(buffer)
    await model.let()
    buffer.type("f")
    await overtaken(first)
    second = await begun(buffer)
    await model.let(3)
    found = await second
    assert (found.text, found.source, model.asked, model.hung_up) == ("oo.bar", "under way", 1, 0)


async def test_typed_before_it_was_said() -> None:
    model = Model("foo", ".bar", "\n")
    model.hold()
    buffer = Buffer("x = $0\n", model)
    first = await begun(buffer)
    buffer.type("fo")
    await overtaken(first)
    second = await begun(buffer)
    await model.let(3)
    assert (await second).text == "o.bar"
    assert model.asked == 1


async def test_it_says_something_else_than_was_typed() -> None:
    model = Model("foo", "\n")
    model.hold()
    buffer = Buffer("x = $0\n", model)
    first = await begun(buffer)
    buffer.type("g")
    await overtaken(first)
    second = await begun(buffer)
    await model.let()
    assert model.asked == 2
    model.pieces = ("", "hi", "\n")
    await model.let(9)
    found = await second
    assert found.source == "model"
    assert model.hung_up == 1


async def test_a_key_that_it_did_not_say_ends_it_at_once() -> None:
    """Before the next request comes: the model server is free for it."""
    model = Model("foo", "\n")
    model.hold()
    buffer = Buffer("x = $0\n", model)
    first = await begun(buffer)
    await model.let()
    buffer.type("g")
    await overtaken(first)
    for _ in range(5):
        await asyncio.sleep(0)
    assert model.hung_up == 1


async def test_who_comes_not_again_ends_it_soon() -> None:
    model = Model("foo", "\n")
    model.hold()
    buffer = Buffer("x = $0\n", model)
    await overtaken(await begun(buffer))
    assert model.hung_up == 0
    await asyncio.sleep(ORPHAN_SECONDS * 1.5)
    assert model.hung_up == 1


async def test_a_closer_of_the_editor_is_over_with_it() -> None:
    model = Model("(na", "me)", "\n")
    model.hold()
    buffer = Buffer("print$0\n", model)
    first = await begun(buffer)
    await model.let()
    buffer.type("(", ")")
    await overtaken(first)
    second = await begun(buffer)
    await model.let(3)
    found = await second
    assert (found.text, found.replaces, model.asked) == ("name", 0, 1)


async def test_the_line_after_it_is_there_when_it_is_taken() -> None:
    """After Tab and Enter, nobody is asked."""
    model = Model("a + b", "\n", "print(x)", "\n", "y = 2", "\n")
    buffer = Buffer("x = $0\n", model)
    await buffer.shows("a + b", "model")
    for _ in range(10):
        await asyncio.sleep(0)
    assert model.read == 4  # the next line, and no more
    await buffer.accept()
    await buffer.shows("", "kept")
    buffer.type("\n")
    await buffer.shows("print(x)", "kept")
    assert model.asked == 1


async def test_the_line_after_it_is_not_read_once_something_else_is_typed() -> None:
    model = Model("a + b", "\n", "print(x)", "\n")
    model.hold()
    buffer = Buffer("x = $0\n", model)
    first = await begun(buffer)
    await model.let(2)
    assert (await first).text == "a + b"
    buffer.type("z")
    for _ in range(5):
        await asyncio.sleep(0)
    assert (model.hung_up, model.read) == (1, 2)


async def test_what_it_said_and_nobody_saw_is_known_when_it_is_typed() -> None:
    """It was stopped by the end of the line; the rest of the line needs no model, whatever was shown of it."""
    model = Model("a", ", b", "\n")
    buffer = Buffer("f(x$0\n", model)
    await buffer.ask()
    buffer.memory._suggestions.clear()
    buffer.type("a")
    await buffer.shows(", b", "kept")


async def test_an_answer_that_breaks_off_is_not_taken_for_the_end() -> None:
    class Broken(Model):
        async def _pieces(self, pieces: Any) -> Any:
            async for piece in super()._pieces(pieces):
                yield piece
                raise EngineUnavailable("It fell.")

    model = Broken("fo", "o", "\n")
    buffer = Buffer("x = $0\n", model)
    with pytest.raises(EngineUnavailable):
        await buffer.ask()
    buffer.type("f")
    with pytest.raises(EngineUnavailable):
        await buffer.ask()
    assert model.asked == 2


@pytest.mark.parametrize("stop_type", ["deadline", "limit"])
async def test_what_was_cut_off_is_not_taken_for_all_there_is(stop_type: str) -> None:
    model = Model("\n    a = 1", "\n    b = comp", stop_type=stop_type)
    buffer = Buffer("def f():$0\n", model)
    await buffer.shows("\n    a = 1", "model")
    await buffer.accept()
    model.pieces, model.stop_type = ("b = compute(a)", "\n"), "eos"
    buffer.type("\n    ")
    await buffer.shows("b = compute(a)", "model")
    assert model.asked == 2


async def test_a_line_that_has_ended_says_nothing_of_the_block_behind_it() -> None:
    model = Model("a, b):")
    buffer = Buffer("def f($0\n", model)
    await buffer.accept()
    assert buffer.text.source == "def f(a, b):\n"
    model.pieces = ("\n    return a + b",)
    await buffer.shows("\n    return a + b", "model")


async def test_behind_a_line_that_the_model_ended_the_next_is_asked_for() -> None:
    """After Tab and Enter nobody is asked, nor waited for."""
    model = Model("a + b", then=[("print(x)",), ("y = 2", "\n", "z = 3", "\n")])
    buffer = Buffer("x = $0\n", model)
    await buffer.shows("a + b", "model")
    await heard()
    assert model.asked == 2
    first, second = model.requests
    assert second.input_prefix == first.input_prefix + "a + b\n"
    assert second.prefix_tokens > first.prefix_tokens  # type: ignore[operator]
    assert (second.input_suffix, second.n) == (first.input_suffix, 1)
    await buffer.accept()
    await buffer.shows("", "kept")
    buffer.type("\n")
    await buffer.shows("print(x)", "kept")
    await heard()
    assert (model.asked, model.requests[2].input_prefix) == (3, first.input_prefix + "a + b\nprint(x)\n")
    await buffer.accept()
    buffer.type("\n")
    await buffer.shows("y = 2", "kept")
    await heard()
    assert (model.asked, model.read) == (3, 4)  # it said the next line itself, and was heard no further


async def test_nothing_behind_it_is_nothing() -> None:
    model = Model("a + b")
    buffer = Buffer("x = $0\n", model)
    await buffer.accept()
    await heard()
    buffer.type("\n")
    await buffer.shows("", "kept")
    assert model.asked == 2


async def test_the_line_behind_its_end_is_heard_while_it_comes() -> None:
    model = Model("a + b", then=[("print", "(x)", "\n")])
    model.hold()
    buffer = Buffer("x = $0\n", model)
    first = await begun(buffer)
    await model.let(3)
    assert (await first).text == "a + b"
    await buffer.accept()
    buffer.type("\n")
    second = await begun(buffer)
    await model.let(3)
    found = await second
    assert (found.text, found.source, model.asked, model.hung_up) == ("print(x)", "under way", 2, 0)


async def test_the_line_behind_its_end_is_hung_up_on_once_something_else_is_typed() -> None:
    model = Model("a + b", then=[("print(x)", "\n")])
    model.hold()
    buffer = Buffer("x = $0\n", model)
    first = await begun(buffer)
    await model.let(2)
    assert (await first).text == "a + b"
    assert model.asked == 2
    buffer.type("z")
    await heard()
    assert (model.hung_up, model.read) == (1, 1)


async def test_a_block_does_not_wait_for_the_line_behind_its_header() -> None:
    model = Model("a, b):", then=[("    return", *["x"] * 20)])
    model.hold()
    buffer = Buffer("def f($0\n", model)
    first = await begun(buffer)
    await model.let(3)
    assert (await first).text == "a, b):"
    assert (model.asked, model.read) == (2, 2)
    buffer.type("a, b):")
    model.pieces = ("\n    return a + b",)
    second = await begun(buffer)
    assert (model.asked, model.hung_up) == (3, 1)
    await model.let(2)
    assert (await second).text == "\n    return a + b"


async def test_the_line_behind_one_of_several_choices_is_one() -> None:
    model = Model("a + b))")
    buffer = Buffer("x = f(($0\n", model)
    document = Document("file:///x", "", "python", 1, buffer.text, parse("python", buffer.text))
    by_hand = Asked(choices=3)
    found = await complete(document, buffer.offset, cast(Any, model), Config(), memory=buffer.memory, asked=by_hand)
    assert found.text == "a + b))"
    buffer.type("a + b")
    await buffer.ask()
    buffer.memory._suggestions.clear()
    buffer.type(")")
    await buffer.shows(")", "kept")
    await heard()
    first, second = model.requests
    assert (first.n, first.stop, second.n, second.stop) == (3, ("\n",), 1, ())


async def test_nobody_hears_of_a_line_behind_that_failed() -> None:
    class Fallen(Model):
        async def _pieces(self, pieces: Any) -> Any:
            if not pieces:
                raise EngineUnavailable("It fell.")
            async for piece in super()._pieces(pieces):
                yield piece

    told: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    buffer = Buffer("x = $0\n", Fallen("a + b"))
    await buffer.shows("a + b", "model")
    await heard()
    assert buffer.model.asked == 2
    buffer.memory.fade()
    await asyncio.sleep(ORPHAN_SECONDS * 1.5)
    gc.collect()
    await heard()
    assert told == []
    await buffer.shows("a + b", "model")  # and it is asked anew


@pytest.mark.parametrize(
    ("model", "source", "config", "least"),
    [
        (Model("a + b", logprobs=(-4.0,)), "x = $0\n", Config(), 0.2),
        (Model("a + b"), "x = $0\n", Config(engine=EngineConfig(url="http://127.0.0.1:9")), 0.0),
        (Model(""), "x = $0\n", Config(), 0.0),
        (Model("a + b", stop_type="limit"), "x = $0\n", Config(), 0.0),
        (Model("\n    return 1"), "def f():$0\n", Config(), 0.0),
        (Model("a"), "foo($0, b)\n", Config(), 0.0),
        (Model("a"), "y = $0 if q else r\n", Config(), 0.0),
        (Model("y = 2"), "x = 1\n$0\ny = 2\n", Config(), 0.0),
        (Model("a + b))"), "x = $0\n", Config(), 0.0),
        (Model("foo = a + b"), "foo = $0\n", Config(), 0.0),
        (Model("self."), "    $0this_\n", Config(), 0.0),
    ],
    ids=[
        *("unsure", "elsewhere", "nothing", "cut off", "a block", "arguments", "half a line"),
        *("stands below", "does not parse", "mended", "before code"),
    ],
)
async def test_behind_what_is_not_taken_nothing_is_asked_for(
    model: Model, source: str, config: Config, least: float
) -> None:
    await Buffer(source, model).ask(config, least=least)
    await heard()
    assert model.asked == 1


async def test_what_was_heard_behind_a_doubt_parses_or_is_not_shown() -> None:
    """It was not shown, so nobody has looked whether it parses until half of it was typed."""
    model = Model("max(", "a, b))", "\n", logprobs=(-4.0, -0.01, -0.01))
    buffer = Buffer("x = $0\ny = 1\n", model)
    assert (await buffer.ask(least=0.2)).withheld == "unsure"
    for _ in range(10):
        await asyncio.sleep(0)
    assert model.read == 3  # the rest of the line was heard all the same
    buffer.type("max(")
    for _ in range(2):
        await buffer.shows("a, b)", "kept")
    assert model.asked == 1


async def test_a_server_elsewhere_is_not_heard_to_the_end_behind_a_doubt() -> None:
    model = Model("max(", "a, b)", "\n", logprobs=(-4.0, -0.01, -0.01))
    elsewhere = Config(engine=EngineConfig(url="http://127.0.0.1:9"))
    assert (await Buffer("x = $0\n", model).ask(elsewhere, least=0.2)).withheld == "unsure"
    for _ in range(10):
        await asyncio.sleep(0)
    assert (model.hung_up, model.read) == (1, 1)
