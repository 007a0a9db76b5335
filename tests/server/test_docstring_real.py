"""Docstrings in the editor with real weights: resolved, by command, and as ghost text."""

from __future__ import annotations

import time

import pytest
from conftest import Bench
from docstring_bench import Buffer, actions, edited, with_cursor
from harness import until
from test_docstring_writing import command, docstring, without_docstrings
from test_real_session import real  # noqa: F401 - a fixture

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.model]

RESIZE = '''def resize(image, width, height=None, keep_ratio=True, background="white"):
    """"""
    if width <= 0:
        raise ValueError("width must be positive")
    if keep_ratio:
        height = round(image.height * width / image.width)
    canvas = Image.new("RGB", (width, height), background)
    canvas.paste(image.resize((width, height)))
    return canvas
'''
BARE = RESIZE.replace('    """"""\n', "")
NAMES = ("image:", "width:", "height:", "keep_ratio:", "background:", "Returns:", "Raises:", "ValueError:")


async def test_resolved(real: Bench) -> None:  # noqa: F811
    text, span = with_cursor(BARE.replace("def ", "def |"), real.encoding)
    (action,) = await actions(real, real.fresh(text), span)
    began = time.monotonic()
    resolved = await real.client.post("codeAction/resolve", action).reply()
    after = edited(text, resolved["edit"], real.encoding)
    print(f"{time.monotonic() - began:.1f} s\n{after}")
    assert all(name in docstring(after, "resize") for name in NAMES)
    assert without_docstrings(after) == without_docstrings(text)


async def test_by_command(real: Bench) -> None:  # noqa: F811
    buffer = Buffer(real, BARE)
    await command(buffer, "def |resize")
    await until(lambda: buffer.applied, "the edit", 60.0)
    assert all(name in docstring(buffer.text, "resize") for name in NAMES)


async def test_as_ghost_text(real: Bench) -> None:  # noqa: F811
    text, span = with_cursor(RESIZE.replace('"""', '"""|', 1), real.encoding)
    uri = real.fresh(text)
    began = time.monotonic()
    (item,) = await real.client.inline(uri, *span["start"].values())
    took = time.monotonic() - began
    after = edited(text, {"changes": {uri: [{"range": item["range"], "newText": item["insertText"]}]}}, real.encoding)
    print(f"{took:.1f} s\n{after}")
    assert all(name in docstring(after, "resize") for name in NAMES)
    (again,) = await real.client.inline(uri, *span["start"].values())
    assert again["insertText"] == item["insertText"]
