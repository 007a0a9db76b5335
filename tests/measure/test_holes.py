"""Holes masked in a source tree: what is cut out, and what is left alone."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from aigc_lsp.errors import UsageError
from aigc_lsp.measure.holes import (
    KINDS,
    MAX_BLOCK_LINES,
    MIN_BLOCK_LINES,
    PER_FILE,
    PROMPT_CHARACTERS,
    SUFFIX_CHARACTERS,
    Kind,
    Row,
    build,
    kinds_named,
    mask,
    read_rows,
    read_source,
    source_files,
    to_json,
)

PACKAGE = Path(__file__).resolve().parents[2] / "aigc_lsp"
SAMPLES = Path(__file__).resolve().parents[1] / "samples"

PYTHON = '''\
"""A module."""

# a comment
TABLE = {
    "one": 1,
}


class Tree:
    """A tree."""

    def grow(self, by):
        """Make it larger.

        By much.
        """
        # how
        if by > 1:
            self.size += by
            self.age += 1

        return self.size  # the new one


def small(x):
    return x
'''

JAVASCRIPT = """\
/** Adds. */
class Adder {
  add(a, b) {
    if (a) {
      this.total += a;
      this.count += 1;
    }
    return this.total;
  }
}
const options = {
  first: 1,
  second: 2,
};
"""


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return build(PACKAGE, 50, seed=3, kinds=KINDS)


def holes(folder: Path, name: str, text: str, kind: Kind) -> set[str]:
    """Every hole of `kind` that chance finds in `text`."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    source = read_source(path)
    assert source is not None
    found = [mask(source, kind, random.Random(seed)) for seed in range(100)]
    return {source.text.slice(span) for span in found if span}


def test_a_row_is_a_slice_of_its_file(rows: list[Row]) -> None:
    for row in rows:
        text = (PACKAGE / row.path).read_text(encoding="utf-8")
        whole = row.prompt + row.canonical_solution + row.suffix
        assert whole in text
        assert len(row.prompt) <= PROMPT_CHARACTERS
        assert len(row.suffix) <= SUFFIX_CHARACTERS
        start = text.index(whole)
        assert start == 0 or (text[start - 1] == "\n" and start > 0)
        assert text.endswith(whole) or whole.endswith("\n")
        line, column = map(int, row.task_id.split(":")[1:3])
        assert text.split("\n")[line - 1][column - 1 :].startswith(row.canonical_solution.split("\n")[0])


def test_kinds_are_what_they_say(rows: list[Row]) -> None:
    assert Counter(row.kind for row in rows) == dict.fromkeys(KINDS, 10)
    for row in rows:
        before, lines = row.prompt.rpartition("\n")[2], row.canonical_solution.split("\n")
        ends_line = row.suffix.startswith("\n")
        if row.kind in ("line", "lines", "block"):
            assert not before.strip()
            assert ends_line
        if row.kind == "rest":
            assert before.strip()
            assert ends_line
        several = range(MIN_BLOCK_LINES, MAX_BLOCK_LINES + 1)
        assert len(lines) in {"line": [1], "rest": [1], "span": [1, 2, 3]}.get(row.kind, several)
        assert row.is_one_line is (len(lines) == 1)


def test_the_same_seed_picks_the_same(rows: list[Row]) -> None:
    assert build(PACKAGE, 50, seed=3, kinds=KINDS) == rows
    assert build(PACKAGE, 50, seed=4, kinds=KINDS) != rows


def test_files_are_balanced(rows: list[Row]) -> None:
    assert max(Counter(row.path for row in rows).values()) == 1
    assert max(Counter(row.path for row in build(PACKAGE / "syntax", 1000)).values()) <= PER_FILE


def test_holes_of_a_file_do_not_touch(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(PYTHON)
    rows = build(tmp_path, 30, per_file=30)
    spans = sorted((len(row.prompt), len(row.prompt) + len(row.canonical_solution)) for row in rows)
    assert len(spans) >= 4
    assert all(end < start for (_, end), (start, _) in pairwise(spans))


def test_shares_of_kinds() -> None:
    rows = build(PACKAGE, 20, kinds=("rest", "rest", "rest", "block"))
    assert Counter(row.kind for row in rows) == {"rest": 15, "block": 5}


def test_lines(tmp_path: Path) -> None:
    assert holes(tmp_path, "a.py", PYTHON, "line") == {
        "TABLE = {",
        '"one": 1,',
        "class Tree:",
        "def grow(self, by):",
        "if by > 1:",
        "self.size += by",
        "self.age += 1",
        "def small(x):",
        "return x",
    }


def test_rests_are_ends_of_lines(tmp_path: Path) -> None:
    found = holes(tmp_path, "a.py", PYTHON, "rest")
    lines = holes(tmp_path, "a.py", PYTHON, "line")
    assert found
    assert all(any(line.endswith(rest) and line != rest for line in lines) for rest in found)


def test_spans_begin_and_end_in_code(tmp_path: Path) -> None:
    found = holes(tmp_path, "a.py", PYTHON, "span")
    assert any("\n" in span for span in found)
    assert all(span == span.strip() and "#" not in span and '"""' not in span for span in found)


def test_spans_do_not_begin_and_end_within_words(tmp_path: Path) -> None:
    found = holes(tmp_path, "a.py", "wonderful = 1\n", "span")
    assert any(not span.startswith("w") and span[0].isalpha() for span in found)
    assert all(span.startswith("w") or span[-1] in "l=1" for span in found)


def test_several_lines(tmp_path: Path) -> None:
    found = holes(tmp_path, "a.py", PYTHON, "lines")
    branch = "if by > 1:\n            self.size += by"
    body = f"{branch}\n            self.age += 1"
    # A comment ends the line behind it; what begins in one function ends in it.
    assert found == {branch, body, body.partition("\n")[2].strip(), 'TABLE = {\n    "one": 1,'}


def test_blocks(tmp_path: Path) -> None:
    body = "if by > 1:\n            self.size += by\n            self.age += 1\n\n        return self.size"
    # The whole method ends in a comment, so that only the branch is left.
    assert holes(tmp_path, "a.py", PYTHON, "block") == {"self.size += by\n            self.age += 1"}
    assert holes(tmp_path, "a.py", PYTHON.replace("  # the new one", ""), "block") == {
        "self.size += by\n            self.age += 1",
        body,
    }
    assert holes(tmp_path, "a.js", JAVASCRIPT, "block") == {
        "this.total += a;\n      this.count += 1;",
        "if (a) {\n      this.total += a;\n      this.count += 1;\n    }\n    return this.total;",
    }


def test_long_blocks_are_left(tmp_path: Path) -> None:
    long = "def f():\n" + "    go()\n" * (MAX_BLOCK_LINES + 1)
    assert holes(tmp_path, "a.py", long, "block") == set()


def test_minified_lines_are_left(tmp_path: Path) -> None:
    assert holes(tmp_path, "a.js", "var a = 1;\nvar b = " + "1 + " * 100 + "1;\n", "line") == {"var a = 1;"}


def test_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbfvalue = 1\r\nother = 2\r\n")
    (row,) = build(tmp_path, 1, kinds=("line",))
    assert row.prompt + row.canonical_solution + row.suffix == "value = 1\nother = 2\n"


def test_context_is_cut_at_lines(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("".join(f"value_{n:05} = {n:05}\n" for n in range(2000)))
    rows = build(tmp_path, 4, kinds=("line",))
    for row in rows:
        assert len(row.prompt) == PROMPT_CHARACTERS // 20 * 20
        assert row.prompt.startswith("value_")
        assert row.suffix.endswith("\n")
        assert SUFFIX_CHARACTERS - 20 < len(row.suffix) <= SUFFIX_CHARACTERS


def test_files_that_are_left(tmp_path: Path) -> None:
    good = "value = 1\n"
    for name in (
        "a.py",
        "sub/b.py",
        "docs/c.py",
        "sub/node_modules/p/d.js",
        ".git/e.py",
        "__pycache__/f.py",
        "g.min.js",
        "h.d.ts",
        "i.zig",
        "j.txt",
        "k.ts",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(good)
    (tmp_path / "l.py").write_text("x = 1\n" * 40_000)

    def names(root: Path = tmp_path, suffixes: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> list[str]:
        return [path.relative_to(tmp_path).as_posix() for path in source_files(root, suffixes, exclude)]

    assert names() == ["a.py", "k.ts", "docs/c.py", "sub/b.py"]
    assert names(suffixes=(".py",), exclude=("docs",)) == ["a.py", "sub/b.py"]
    assert names(tmp_path / "sub/node_modules/p") == ["sub/node_modules/p/d.js"]


def test_links_are_left(tmp_path: Path) -> None:
    """They may lead out of a tree that somebody else made."""
    (tmp_path / "tree").mkdir()
    for name in ("private.py", "folder/private.py", "tree/a.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("value = 1\n")
    (tmp_path / "tree/b.py").symlink_to(tmp_path / "private.py")
    (tmp_path / "tree/c").symlink_to(tmp_path / "folder")
    (tmp_path / "link").symlink_to(tmp_path / "tree")
    for root in ("tree", "link"):
        assert list(source_files(tmp_path / root)) == [tmp_path / root / "a.py"]


def test_files_without_a_sound_tree_give_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(:\n    value = = 2\n")
    (tmp_path / "b.py").write_bytes("naïve = 1\n".encode("latin-1"))
    assert build(tmp_path, 5) == []


@pytest.mark.parametrize(("suffixes", "word"), [(("zig",), ".zig"), (("",), "no grammar")])
def test_endings_without_grammar(tmp_path: Path, suffixes: tuple[str, ...], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        build(tmp_path, 1, suffixes=suffixes)


def test_a_root_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a folder"):
        build(tmp_path / "missing", 1)


def test_names_of_kinds() -> None:
    assert kinds_named("rest, rest,block") == ("rest", "rest", "block")
    for said in ("", "word", "line,word"):
        with pytest.raises(UsageError, match="line, rest, span, lines, block"):
            kinds_named(said)


def test_written_and_read_again(tmp_path: Path, rows: list[Row]) -> None:
    strange = Row("é\u2028🙂", "\r\n", "", test="def check(f): ...", entry_point="f")
    (tmp_path / "a.jsonl").write_text(to_json([*rows, strange]), encoding="utf-8", newline="")
    assert read_rows(tmp_path / "a.jsonl") == [*rows, strange]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"prompt": "", "suffix": ""}', "has no field `canonical_solution`"),
        ('{"prompt": "", "suffix": 1, "canonical_solution": ""}', "`suffix` must be a text"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, part: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('\n{"prompt": "", "suffix": "", "canonical_solution": "x"}\n' + line)
    with pytest.raises(UsageError, match=f"Line 3 of {path}.*{part}"):
        read_rows(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "latin.jsonl").write_bytes(b"\xe9")
    for name, part in (("missing", "No such file"), ("empty.jsonl", "no rows"), ("latin.jsonl", "UTF-8")):
        with pytest.raises(UsageError, match=part):
            read_rows(tmp_path / name)
