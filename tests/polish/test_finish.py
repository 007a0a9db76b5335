"""What was seen to parse is not parsed again."""

from __future__ import annotations

import pytest

from aigc_lsp.context.document import Document
from aigc_lsp.context.window import gather
from aigc_lsp.polish.finish import Finished, finished
from aigc_lsp.polish.stop import rule_for
from aigc_lsp.syntax import parse
from aigc_lsp.text import Text

BEFORE = "def f(a, b):\n    return "


def of(said: str, *, sound_to: int = 0, tree: bool = True) -> Finished:
    text = Text(f"{BEFORE}\n")
    found = parse("python", text)
    assert found is not None
    document = Document("u", "p", "python", 1, text, found if tree else None)
    window = gather(text, len(BEFORE), language="python", prefix_tokens=99, suffix_tokens=99, tree=found)
    rule = rule_for(found.place(len(BEFORE)), window, 8)
    assert rule is not None
    return finished(said, (), rule, window, document, len(BEFORE), ended=True, sound_to=sound_to)


@pytest.mark.parametrize(
    ("said", "sound_to", "tree", "shown", "faulty_at", "seen"),
    [
        ("a + b", 0, True, "a + b", None, 5),
        ("a + b", 5, True, "a + b", None, 5),
        ("a b c )", 0, True, "a", 1, 1),
        ("a b c )", 7, True, "a b c )", None, 7),  # somebody has looked, and knows better
        ("a b c )", 6, True, "a", 1, 1),  # not at all of it
        ("a b c )", 0, False, "a b c )", None, 0),  # nobody can tell
    ],
)
def test_what_is_known_to_parse(
    said: str, sound_to: int, tree: bool, shown: str, faulty_at: int | None, seen: int
) -> None:
    found = of(said, sound_to=sound_to, tree=tree)
    assert (found.insertion.text, found.faulty_at, found.sound_to) == (shown, faulty_at, seen)
