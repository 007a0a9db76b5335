"""The table: after any changes it is the one that would be built from its entries anew."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from aigc_lsp.index.table import COMMON, MOST_IN_FILE, Defined, Entry, Imported, Index, entry_of, unpacked
from aigc_lsp.syntax import symbols_of
from aigc_lsp.text import Text

SOURCE = '''\
import a.b as c
from .d import e, f as g
from h import *

@decorated
class Shop:
    """Sells."""

    def open(self, hour: int) -> None:
        pass

TAX = 0.2
'''
PIECES = ["def f(): pass\n", "def g(): pass\n", "class C:\n    def f(self): pass\n", "x = 1\n", "import m\n"]


def entry(path: str, source: str, stamp: int = 1) -> Entry:
    return entry_of(path, "python", stamp, symbols_of("python", Text(source)))


def said(source: str, defined: Defined) -> tuple[str, str, str, str]:
    start, end = defined.header.start, defined.header.end
    return defined.kind, defined.parent, defined.name, source[start:end]


def test_an_entry_says_what_is_defined_and_where() -> None:
    index = Index("/w")
    index.put(entry("shop.py", SOURCE))
    assert [said(SOURCE, each) for each in index.in_file("shop.py")] == [
        ("class", "", "Shop", "class Shop:"),
        ("method", "Shop", "open", "def open(self, hour: int) -> None:"),
        ("constant", "", "TAX", "TAX = 0.2"),
    ]
    shop = index.definitions("Shop")[0]
    assert shop.path == "shop.py"
    assert SOURCE[shop.span.start :].startswith("@decorated")
    assert shop.doc is not None
    assert SOURCE[shop.doc.start : shop.doc.end] == "Sells."
    assert index.definitions("open")[0].doc is None


def test_imports_are_kept_as_they_are_written() -> None:
    index = Index("/w")
    index.put(entry("a.py", SOURCE))
    assert index.imports("a.py") == [
        Imported("a.b", (), "c"),
        Imported(".d", (("e", ""), ("f", "g")), ""),
        Imported("h", (), "*"),
    ]
    assert index.imports("unknown.py") == []


def test_no_source_text_is_kept() -> None:
    packed = json.dumps(entry("shop.py", SOURCE).packed())
    assert "Sells" not in packed
    assert "0.2" not in packed


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
@settings(derandomize=True)
def test_an_entry_survives_json(source: str) -> None:
    made = entry("é/a.py", source, stamp=1_700_000_000_000_000_000 << 32 | 12)
    assert unpacked(json.loads(json.dumps(made.packed()))) == made


CHANGES = st.lists(
    st.tuples(st.sampled_from(["a.py", "b.py", "p/c.py"]), st.none() | st.lists(st.sampled_from(PIECES)).map("".join)),
    max_size=12,
)


@given(CHANGES)
@settings(derandomize=True)
def test_changes_lead_to_the_table_built_anew(changes: list[tuple[str, str | None]]) -> None:
    index, sources = Index("/w"), dict[str, str]()
    for path, source in changes:
        if source is None:
            index.drop(path)
            sources.pop(path, None)
        else:
            index.put(entry(path, source))
            sources[path] = source
    anew = Index("/w")
    for path, source in sources.items():
        anew.put(entry(path, source))
    assert dict(index.files) == dict(anew.files)
    for name in ("f", "g", "C", "x", "m"):
        assert index.definitions(name) == anew.definitions(name)
        by_hand = [each for path in sorted(sources) for each in index.in_file(path) if each.name == name]
        assert index.definitions(name) == by_hand
    for path in ("a.py", "b.py", "p/c.py"):
        assert (path in index) == (path in sources) == (path in index.paths)


def test_a_name_that_is_defined_everywhere_is_found_in_its_file_alone() -> None:
    index = Index("/w")
    for number in range(COMMON + 1):
        index.put(entry(f"f{number}.py", "def main(): pass\n"))
    assert index.definitions("main") == []
    assert [each.path for each in index.named_in("f3.py", "main")] == ["f3.py"]
    index.drop("f0.py")
    assert len(index.definitions("main")) == COMMON
    index.put(entry("g.py", "def main(): pass\n"))
    assert index.definitions("main") == []
    index.put(entry("g.py", "def other(): pass\n"))
    assert len(index.definitions("main")) == COMMON


def test_a_file_of_data_is_kept_in_part() -> None:
    index = Index("/w")
    index.put(entry("data.py", "".join(f"x{number} = 1\n" for number in range(MOST_IN_FILE + 5))))
    assert len(index.in_file("data.py")) == MOST_IN_FILE


def test_offsets_are_code_points() -> None:
    source = "# 😀 é\ndef grüße(): pass\n"
    index = Index("/w")
    index.put(entry("a.py", source))
    [found] = index.definitions("grüße")
    assert source[found.header.start : found.header.end] == "def grüße():"
    assert found.span.end == len(source) - 1
