"""Holes: each kind in each language, where they end, and that they decode back to what was cut."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from each_row import each_row

from aigc_lsp.context.closers import CLOSERS
from aigc_lsp.dataset.cuts import MOST_CHARACTERS, MOST_LINES, SHARES, cut, kind_by
from aigc_lsp.dataset.example import KINDS, Example, Kind
from aigc_lsp.dataset.windows import PREFIX_CHARACTERS, SUFFIX_CHARACTERS, example, sizes
from aigc_lsp.measure.holes import Source
from aigc_lsp.syntax import parse
from aigc_lsp.syntax.parts import parts
from aigc_lsp.text import Text

PYTHON = '''import os


def read(path, mode, size=10):
    """Read it."""
    found = []
    for line in open(path, mode):
        found.append(line.strip())
        found.append(os.path.join(path, line))

    if size > len(found):
        raise ValueError(
            "too short",
            path,
        )
    return found


def write(path, text):
    """Write it."""
    with open(path, "w") as file:
        file.write(text)
        file.flush()
    return len(text)
'''
TYPESCRIPT = """import { load } from "./load";

export function read(path: string, size: number): string[] {
  const found: string[] = [];
  for (const line of load(path, size)) {
    found.push(line.trim());
    found.push(join(path, line));
  }
  if (size > found.length) {
    throw new Error(
      "too short",
    );
  }
  return found;
}
"""
GO = """package read

import "os"

func read(path string, size int) ([]string, error) {
\tfound := []string{}
\tfor _, line := range load(path, size) {
\t\tfound = append(found, line)
\t\tcount(found, line)
\t}
\tif size > len(found) {
\t\treturn nil, os.ErrInvalid
\t}
\treturn found, nil
}
"""
RUBY = """class Reader
  def read(path, size)
    found = []
    load(path, size).each do |line|
      found.push(line.strip)
      count(found, line)
    end
    if size > found.length
      raise Short.new(path, size)
    end
    found
  end
end
"""
TEXTS = {"python": PYTHON, "typescript": TYPESCRIPT, "go": GO, "ruby": RUBY}


def source_of(language: str) -> Source:
    text = Text(TEXTS[language])
    tree = parse(language, text)
    assert tree is not None
    assert not tree.has_errors
    return Source(text, tree)


def made(language: str, kind: Kind, count: int = 40) -> list[Example]:
    source, chance = source_of(language), random.Random(f"{language} {kind}")
    pieces = parts(source.tree)
    cuts = [found for _ in range(count) if (found := cut(source, pieces, kind, chance))]
    rows = [example("p", f"a/{language}", source, found, chance) for found in cuts]
    return [row for row in rows if row is not None]


@each_row("language", list(TEXTS))
def test_examples_decode_back_to_their_source(language: str) -> None:
    text = TEXTS[language]
    for kind in KINDS:
        rows = made(language, kind)
        assert rows, kind
        for row in rows:
            assert row.prefix + row.middle + row.suffix in text, (kind, row)
            assert set(row.head.splitlines()) <= set(text.splitlines())
            assert (row.kind, row.language, row.ends) == (kind, language, True)
            assert len(row.middle) <= MOST_CHARACTERS + 40
            assert row.middle.count("\n") < MOST_LINES
            assert (row.middle == "") is (kind == "empty"), row


def ends_of(language: str, kind: Kind) -> set[str]:
    """The last lines of middles, with what stands in front of them on their line."""
    text = TEXTS[language]
    found = set()
    for row in made(language, kind, 80):
        whole = row.prefix.split("\n")[-1] + row.middle
        assert whole in text
        found.add(whole.split("\n")[-1].strip())
    return found


def test_whole_lines_and_blocks_end_with_statements() -> None:
    complete = {line.strip() for line in PYTHON.split("\n")}
    for kind in ("lines", "block", "statement", "rest_of_line"):
        assert ends_of("python", kind) <= complete  # type: ignore[arg-type]
    assert "return len(text)" in ends_of("python", "block")


def test_a_block_is_begun_on_its_line_or_behind_what_opens_it_and_leaves_its_docstring() -> None:
    bodies = {row.middle for row in made("python", "block", 80)}
    assert "file.write(text)\n        file.flush()" in bodies
    assert "\n        file.write(text)\n        file.flush()" in bodies
    assert not any("Write it" in each for each in bodies)
    closed = {row.middle for row in made("go", "block", 200)}
    assert "return nil, os.ErrInvalid" in closed
    assert "\n\t\treturn nil, os.ErrInvalid" in closed
    assert "\n\t\treturn nil, os.ErrInvalid\n\t}" in closed, "where nothing has closed it"


def test_closers_behind_the_cursor_are_seen_or_written() -> None:
    for row in made("python", "closers", 80):
        assert row.suffix[0] in CLOSERS
    shown = {(row.middle, row.suffix[:1]) for row in made("typescript", "closers", 200)}
    assert ('\n    throw new Error(\n      "too short",\n    );\n  ', "}") in shown
    # Where a window withholds them, the model writes them.
    for row in made("python", "argument", 80):
        rest = row.suffix.partition("\n")[0]
        assert rest.strip(f"{CLOSERS};,: ") or not rest, row


def test_nothing_is_missing_only_where_a_line_or_an_argument_is_complete() -> None:
    for language in TEXTS:
        for row in made(language, "empty", 60):
            line = row.prefix.split("\n")[-1]
            assert not line.rstrip().endswith(("{", "(", "[", ",", ":", "=")), row
            assert row.suffix.lstrip(" ")[:1] in ("\n", *CLOSERS), row


def test_cuts_and_windows_are_the_same_for_the_same_seed_and_differ_in_size() -> None:
    assert [made("go", kind) for kind in KINDS] == [made("go", kind) for kind in KINDS]
    chance = random.Random(1)
    pairs = [sizes(chance) for _ in range(400)]
    prefixes = sorted(prefix for prefix, _ in pairs)
    assert prefixes[-1] == PREFIX_CHARACTERS
    assert max(suffix for _, suffix in pairs) == SUFFIX_CHARACTERS
    assert prefixes[0] < 120 < prefixes[200] < 700
    kinds = Counter(kind_by(chance) for _ in range(4000))
    assert set(kinds) == set(SHARES) == set(KINDS)
    assert abs(kinds["block"] / 4000 - SHARES["block"]) < 0.03
    assert sum(SHARES.values()) == pytest.approx(1)


def test_prefix_first_has_its_share() -> None:
    orders = Counter(row.order for kind in KINDS for row in made("python", kind, 80))
    assert 0.04 < orders["psm"] / orders.total() < 0.25
