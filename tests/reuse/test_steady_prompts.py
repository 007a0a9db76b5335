"""What the model has read stays first in what it is asked next."""

from __future__ import annotations

import pytest
from buffer import Buffer, Model

from aigc_lsp.service.wire import InfillRequest

pytestmark = pytest.mark.asyncio

BELOW = "\n\nfunction next() {\n  return 1;\n}\n"


def grown(before: InfillRequest, after: InfillRequest) -> str:
    """By what the prompt has grown at its end."""
    assert (after.input_extra, after.input_head) == (before.input_extra, before.input_head)
    assert after.input_suffix == before.input_suffix
    assert after.input_prefix.startswith(before.input_prefix)
    return after.input_prefix.removeprefix(before.input_prefix)


async def test_enter_between_braces() -> None:
    model = Model("zzz")
    buffer = Buffer(f"const a = 1;\n\nfunction f() {{ $0}}{BELOW}", model, "typescript")
    await buffer.ask()
    buffer.type("\n  re", "\n")
    found = await buffer.ask()
    buffer.type("turn [\n    a, ", "\n  ]")
    await buffer.ask()
    assert model.asked == 3
    assert grown(*model.requests[:2]) == "\n  re"
    assert grown(*model.requests[1:]) == "turn [\n    a, "
    assert found.replaces == 0


async def test_a_prompt_is_read_anew_once_in_so_many_lines() -> None:
    """Each eighth time the window would have begun elsewhere."""
    model = Model("zzz")
    above = "".join(f"value_{number} = {number}\n" for number in range(900))
    buffer = Buffer(f"{above}\n\ndef typed():\n    a = $0\n\n\ndef last():\n    pass\n", model)
    for number in range(40):
        await buffer.ask()
        buffer.type("".join(f"name_{number}(\n        x[{at}])\n    a = " for at in range(10)))
    assert model.asked == 40
    pairs = list(zip(model.requests, model.requests[1:], strict=False))
    anew = [not after.input_prefix.startswith(before.input_prefix) for before, after in pairs]
    assert sum(anew) == 2
    for is_anew, (before, after) in zip(anew, pairs, strict=True):
        assert before.input_suffix == after.input_suffix
        assert is_anew or before.input_head == after.input_head
