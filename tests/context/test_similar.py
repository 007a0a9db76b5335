"""Pieces of other files that resemble a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.context.similar import MOST_LINES, Ranking, pieces_of, words_of
from aigc_lsp.text import Text

READER = "def read_config(path):\n    with open(path) as file:\n        return parse_toml(file.read())\n"
WRITER = "def write_report(rows, target):\n    for row in rows:\n        target.write(format_row(row))\n"
SUMMER = "def total(prices):\n    return sum(price.amount for price in prices)\n"


def test_words_are_identifiers_and_their_parts() -> None:
    found = words_of("readConfig(read_config, HTTPServer, x, of)")
    assert found["readconfig"] == 1
    assert found["read_config"] == 1
    assert found["read"] == found["config"] == 2
    assert found["http"] == found["server"] == 1
    assert "x" not in found
    assert "of" not in found


def test_the_piece_with_the_same_rare_words_is_the_best() -> None:
    ranking = Ranking(
        piece for name, text in (("r", READER), ("w", WRITER), ("s", SUMMER)) for piece in pieces_of(name, Text(text))
    )
    assert ranking.best(words_of("config = parse_toml(configPath)"), 3)[0][1].path == "r"
    assert ranking.best(words_of("for row in report_rows:"), 1)[0][1].path == "w"
    assert [piece.path for _, piece in ranking.best(words_of("prices"), 3)] == ["s"]


def test_nothing_resembles_what_shares_nothing() -> None:
    assert Ranking(pieces_of("r", Text(READER))).best(words_of("unheard of"), 3) == []
    assert Ranking([]).best(words_of(READER), 3) == []


def test_what_every_piece_says_counts_for_nothing() -> None:
    common = [piece for name in "abc" for piece in pieces_of(name, Text(f"import common\nvalue_{name} = common\n"))]
    assert Ranking(common).best(words_of("common and things of its own"), 3) == []
    assert Ranking(common).best(words_of("common value_b"), 3)[0][1].path == "b"


def test_pieces_begin_where_something_begins() -> None:
    text = Text(
        "\n\n".join(f"def f{at}():\n" + "\n".join(f"    step_{at}_{line}()" for line in range(7)) for at in range(5))
    )
    pieces = pieces_of("a", text)
    assert all(piece.text.startswith("def f") for piece in pieces)
    assert len(pieces) == 5


@given(st.text(st.sampled_from("ab_ \n\r\t{}"), max_size=400))
def test_pieces_leave_out_blank_lines_only(source: str) -> None:
    text = Text(source)
    pieces = pieces_of("a", text)
    said = [line for piece in pieces for line in piece.text.split("\n") if line.strip()]
    assert said == [line for at in range(text.line_count) if (line := text.line(at)).strip()]
    assert all(piece.text.count("\n") < MOST_LINES for piece in pieces)
