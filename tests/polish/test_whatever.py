"""Whatever the model says, what is inserted of it parses no worse than before, and goes in cleanly."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aigc_lsp.context.closers import withheld
from aigc_lsp.context.window import gather
from aigc_lsp.polish.closing import closers_of
from aigc_lsp.polish.cut import Insertion, insertion
from aigc_lsp.polish.gate import gated
from aigc_lsp.polish.names import unknown_names
from aigc_lsp.polish.stop import rule_for
from aigc_lsp.polish.tokens import tokens
from aigc_lsp.syntax import Tree, parse, place_without_tree
from aigc_lsp.text import Text, sanitise

sys.path.insert(0, str(Path(__file__).parent.parent / "syntax"))
from language_samples import SAMPLES

LANGUAGES = sorted(SAMPLES)
SIGNS = "()[]{}<>\"'`,;:.=+-*/\\|&!?#@$%^~ \t\n_ax1"
CONTROL = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|endoftext|>", "<|im_end|>", "<fim_suffix>", "```\n")

said_anything = st.one_of(
    st.text(st.sampled_from(SIGNS), max_size=60),
    st.text(max_size=40),
    st.text(st.characters(categories=["Cc", "Cs", "Co"]), max_size=20),
    st.binary(max_size=60).map(lambda data: data.decode("utf-8", "replace")),
    st.tuples(st.sampled_from("([{<\"'`)}]"), st.integers(1, 2_000)).map(lambda drawn: drawn[0] * drawn[1]),
    st.tuples(st.text(st.sampled_from(SIGNS), min_size=1, max_size=8), st.integers(1, 300)).map(
        lambda drawn: drawn[0] * drawn[1]
    ),
    st.lists(
        st.sampled_from((*CONTROL, "return x", "\r\n", "\n", "    ", "def f():", "}", "else {", "end")), max_size=8
    ).map("".join),
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[str, str, int, str]:
    """A language, a buffer, a cursor in it, and what the model says: anything, the prompt, or the suffix once more."""
    language = draw(st.sampled_from(LANGUAGES))
    source = SAMPLES[language].source
    offset = draw(st.integers(0, len(source)))
    if draw(st.booleans()):  # the rest of the line is not there yet
        end = source.find("\n", offset)
        source = source[:offset] + source[end if end >= 0 else len(source) :]
    more = draw(said_anything)
    said = draw(st.sampled_from((more, source[:offset] + more, source[offset:] + more, more + source[offset:])))
    return language, source, offset, said


def inserted(language: str, source: str, offset: int, said: str, *, with_tree: bool) -> tuple[Insertion, Tree | None]:
    text = Text(source)
    tree = parse(language, text) if with_tree else None
    window = gather(text, offset, language=language, prefix_tokens=512, suffix_tokens=128, tree=tree)
    place = tree.place(offset) if tree else place_without_tree(text, offset, language)
    rule = rule_for(place, window, 16)
    assume(rule is not None)
    assert rule is not None
    return insertion(sanitise(said), rule, window, ended=True), tree


def faults(language: str, source: str) -> int:
    tree = parse(language, Text(source))
    found = tree.faults() if tree else ()
    return 10**6 if found is None else len(found)


def is_no_worse(language: str, source: str, offset: int, text: str, replaces: int) -> bool:
    """Whether some way to close what `text` leaves open has no more faults than the buffer before."""
    before, after = source[:offset], source[offset + replaces :]
    line = before[before.rfind("\n") + 1 :]
    allowed = faults(language, source)
    closers = (closers_of(text, language), closers_of(line + text, language))
    return any(
        faults(language, before + text + name + ending + stop + after) <= allowed
        for ending in ("", *closers, *(closer[:-number] for closer in closers for number in range(1, len(closer))))
        for name in ("", "x")
        for stop in ("", ";", ":")
    )


@given(situations())
@settings(suppress_health_check=list(HealthCheck))
def test_it_parses_no_worse(situation: tuple[str, str, int, str]) -> None:
    language, source, offset, said = situation
    assume(faults(language, source) == 0)  # where it is broken already the gate may have nothing to say
    assume("/*" not in source[source.rfind("*/", 0, offset) + 1 : offset])
    found, tree = inserted(language, source, offset, said, with_tree=True)
    text = found.text[: gated(tree, offset, found.text, found.replaces)]
    assume(language not in ("c", "cpp", "csharp") or text != found.text)  # there the preprocessor may excuse it
    assert is_no_worse(language, source, offset, text, found.replaces if text else 0)


@pytest.mark.parametrize("with_tree", [True, False])
@given(situation=situations())
@settings(suppress_health_check=list(HealthCheck))
def test_it_goes_in_cleanly(situation: tuple[str, str, int, str], with_tree: bool) -> None:
    language, source, offset, said = situation
    found, tree = inserted(language, source, offset, said, with_tree=with_tree)
    kept = gated(tree, offset, found.text, found.replaces)
    assert 0 <= kept <= len(found.text)
    rest = source[offset : source.find("\n", offset) if "\n" in source[offset:] else len(source)]
    assert found.replaces <= len(rest)
    assert found.replaces == 0 or withheld(source[source.rfind("\n", 0, offset) + 1 : offset], rest) == rest
    for text in (found.text[:kept], found.alone):
        assert not [mark for mark in text if (mark < " " and mark not in "\t\n") or mark == "\x7f"]
        text.encode()


@given(situations())
@settings(suppress_health_check=list(HealthCheck))
def test_tokens_and_names_never_fail(situation: tuple[str, str, int, str]) -> None:
    language, source, offset, said = situation
    at = 0
    for token in tokens(said, language):
        assert token.start >= at
        assert said.startswith(token.text, token.start)
        assert not said[at : token.start].strip()
        at = token.end
    used = unknown_names(said, language, lambda name: False, source[source.rfind("\n", 0, offset) + 1 : offset])
    assert all(name.lstrip("$@").isidentifier() for name in used)
