"""Actions with real weights: what comes of them is sound, and of these plain cases it is what was asked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import processes
import pytest
from scripted_chat import applied, document

from aigc_lsp.actions import Asked, Changed, Placed, PlaceOfTest, Problem, Shown, run
from aigc_lsp.config import Config
from aigc_lsp.service import life
from aigc_lsp.text import Text
from aigc_lsp.weights.store import default_root

pytestmark = pytest.mark.model

READ = "def read(path):\n    with ¦open(pth)¦ as file:\n        return file.read()\n"
LOAD = """async function load(url) {
  const answer = await fetch(url);
  // TODO: ¦throw an Error when it is not ok
  return answer.json();
}
"""
FIRST = """def ¦first(items):
    if not items:
        raise IndexError("no items")
    return items[0]
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    models = default_root()
    homes = processes.home(monkeypatch)
    next(homes)
    monkeypatch.setenv("AIGC_LSP_MODELS_DIR", str(models))
    yield
    assert next(homes, None) is None


async def test_every_action(home: None) -> None:
    client, config = life.connect(), Config()
    await life.attach(client, {})
    health = [health async for health in life.follow(client, None)][-1]
    assert health.ready
    try:
        made, span = document(READ)
        fixed = await run(Asked("fix", span, (Problem(span, "Undefined name `pth`"),)), made, client, config)
        assert isinstance(fixed, Changed)
        assert applied(made.text, fixed.edits) == READ.replace("¦", "").replace("pth", "path")

        made, span = document(LOAD, "load.js")
        done = await run(Asked("completeTodo", span), made, client, config)
        assert isinstance(done, Changed)
        after = applied(made.text, done.edits)
        assert after.count("return answer.json();") == 1
        assert "throw new Error(" in after

        made, span = document(FIRST, "lists.py")
        place = PlaceOfTest("/work/test_lists.py", "test_lists.py", "lists.py", None, "lists")
        tested = await run(Asked("writeTest", span), made, client, config, place)
        assert isinstance(tested, Placed)
        names = [each.name for each in ast.parse(applied(Text(""), tested.edits)).body if hasattr(each, "name")]
        assert names[0] == "test_first"

        made, span = document(f"¦{FIRST.replace('¦', '')}¦", "lists.py")
        shown = await run(Asked("explain", span), made, client, config)
        assert isinstance(shown, Shown)
        assert "first" in shown.markdown
        assert shown.markdown[-1] in ".`"
    finally:
        await life.stop(client)
        await client.close()
