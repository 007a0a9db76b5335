"""The window that the model has read stays while somebody types on, also where closers came between."""

from __future__ import annotations

import pytest

from aigc_lsp.context.steady import STRETCH, steady_suffix
from aigc_lsp.context.window import CHARACTERS_PER_TOKEN, Window, gather
from aigc_lsp.syntax import parse
from aigc_lsp.text import Text

BELOW = "\n\nfunction next() {\n  return 1;\n}\n"
LONG = "\n" + "".join(f"const value{number} = {number};\n" for number in range(20))


@pytest.mark.parametrize(
    ("suffix", "read", "stays"),
    [
        ("\n}" + BELOW, BELOW, True),
        ("\n})" + BELOW, BELOW, True),
        ("\n  });" + BELOW, BELOW, True),
        ("\n    ],\n\n  }\n}" + BELOW, BELOW, True),
        ("\n}\n", "\n", True),
        ("\n}\n", "", True),
        ("\n}" + LONG, LONG + "const more = 1;\n", True),  # the window reached farther then
        ("\n}" + LONG + "const more = 1;\n", LONG, True),
        (BELOW, BELOW, True),
        ("\n}" + BELOW, "\n}" + BELOW.replace("1", "2"), False),
        ("\n  else" + BELOW, BELOW, False),
        ("\n  end" + BELOW, BELOW, False),
        (") {" + "\n}" + BELOW, BELOW, False),  # the cursor's line goes on
        ("\n}\n" + "const other = 1;\n", "\n", False),
        ("\n}" + LONG, LONG[:60], False),
        ("\n" + "}\n" * 9 + BELOW[1:], BELOW, False),
        ("", BELOW, False),
    ],
)
def test_closers_alone(suffix: str, read: str, stays: bool) -> None:
    assert steady_suffix(suffix, read) == (read if stays else None)


ABOVE = "import os\n\n\n" + "".join(f"def function_{number}():\n    return {number}\n\n\n" for number in range(30))
TYPED = "".join(f"    value_{number} = os.path.join('a', {number})\n" for number in range(80))
UNDER = "\n\n\ndef last():\n    pass\n"
BUDGET = 128


def window_at(source: str, offset: int, read: Window | None) -> Window:
    text = Text(source)
    tree = parse("python", text)
    return gather(text, offset, language="python", prefix_tokens=BUDGET, suffix_tokens=50, tree=tree, read=read)


def test_a_window_grows_before_it_begins_anew() -> None:
    head, before, read = f"{ABOVE}def typed():\n", TYPED[: BUDGET * 4], None
    beginnings, sizes = [], []
    for at in range(len(before), len(TYPED), 7):
        typed = head + TYPED[:at]
        window = window_at(typed + UNDER, len(typed), read)
        if read is not None and window.start == read.start:
            assert (window.head, window.below) == (read.head, read.suffix)
            assert window.prefix.startswith(read.prefix)
        else:
            beginnings.append(window.start)
        assert typed.endswith(window.prefix)
        sizes.append(len(window.prefix))
        read = window
    fresh = {window_at(head + TYPED[:at] + UNDER, len(head) + at, None).start for at in range(512, len(TYPED), 7)}
    assert max(sizes) <= STRETCH * BUDGET * CHARACTERS_PER_TOKEN
    assert len(beginnings) <= len(fresh) / 3


def test_enter_between_braces_leaves_all_as_it_was_read() -> None:
    head, tail = "const a = 1;\n\nfunction f() {", "}\n\nfunction g() {\n  return a;\n}\n"

    def at(source: str, offset: int, read: Window | None) -> Window:
        return gather(Text(source), offset, language="typescript", prefix_tokens=99, suffix_tokens=99, read=read)

    read = at(head + tail, len(head), None)
    inside = f"{head}\n  return "
    window = at(f"{inside}\n{tail}", len(inside), read)
    assert window.below == read.suffix == tail[1:]
    assert window.suffix == f"\n{tail}"  # for what looks at what really stands there
    again = at(f"{inside}[\n    \n  ]\n{tail}", len(f"{inside}[\n    "), window)
    assert again.below == read.suffix


@pytest.mark.parametrize(
    ("edit", "is_fresh"),
    [
        (lambda source: source, False),
        (lambda source: source.replace("import os", "import os, sys"), True),
        (lambda source: source.replace("value_22 =", "value_22_ ="), False),
        (lambda source: source.replace("def last", "def other"), True),
    ],
)
def test_what_was_edited_elsewhere_is_read_anew(edit, is_fresh: bool) -> None:  # type: ignore[no-untyped-def]
    before = f"{ABOVE}def typed():\n{TYPED[:900]}"
    read = window_at(before + UNDER, len(before), None)
    after = edit(f"{ABOVE}def typed():\n{TYPED[:1200]}" + UNDER)
    offset = after.index("\n\n\ndef", after.index("typed()"))
    window, fresh = window_at(after, offset, read), window_at(after, offset, None)
    assert (window.start == fresh.start) == is_fresh
    assert after[window.start : offset] == window.prefix


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_is_put_at_the_very_beginning_is_seen(mark: str) -> None:
    read = gather(Text(f"{mark}x"), len(mark), language="python", prefix_tokens=99, suffix_tokens=99)
    window = gather(Text(f"{mark}ax"), len(mark) + 1, language="python", prefix_tokens=99, suffix_tokens=99, read=read)
    assert window.prefix == "a"
