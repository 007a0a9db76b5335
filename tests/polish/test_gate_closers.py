"""What would end a text that leaves something open."""

from __future__ import annotations

import pytest
from each_row import each_row

from aigc_lsp.polish.closing import closers_of
from aigc_lsp.polish.tokens import tokens

CASES = {
    "brackets": ("python", "f(a[{1", "", "}])"),
    "closed": ("python", "f(a[{1}])", "", ""),
    "more closed than opened": ("python", "a) + f(", "", ")"),
    "what follows anyway": ("python", "f(g(a", ")", ")"),
    "a string": ("python", "f('a (", "", "')"),
    "a string over lines": ("python", '"""A (\n', "", '"""'),
    "brackets in strings": ("javascript", "f('(', \"[\", `{`", "", ")"),
    "a template": ("typescript", "f(`a ${b", "", "`)"),
    "a comment": ("java", "f( // (", "", "\n)"),
    "a comment over lines": ("c", "f( /* (", "", "*/)"),
    "a comment that ended": ("c", "f( /* ( */", "", ")"),
    "a lifetime": ("rust", "fn f(a: &'a str, b: &'a str", "", ")"),
    "a character": ("go", "f('('", "", ")"),
    "a pattern": ("javascript", "f(/[(]/, a", "", ")"),
    "a division": ("javascript", "f(a / b, (c) / d", "", ")"),
    "try": ("python", "    try:\n        f(", "", ")\n    finally:\n     pass"),
    "try that is handled": ("python", "try:\n    f()\nexcept A:\n    g(", "", ")"),
    "a decorator": ("python", "a = 1\n@b", "", "\ndef x(): pass"),
    "words": ("ruby", "def f\n  a.each do |b|\n    if c", "", "\nend\nend\nend"),
    "words behind": ("ruby", "f(a) if b\nreturn c unless d", "", ""),
    "while … do": ("ruby", "while a do\n  b", "", "\nend"),
    "words that ended": ("ruby", "x = if a\n  b\nend\nc.end", "", ""),
    "a here document": ("ruby", "a = <<~SQL\n  SELECT (", "", "\nSQL\n"),
    "an if": ("shellscript", "if [ -n a ]", "", "\nthen\n:\nfi"),
    "then": ("shellscript", "if [ -n a ]; then b", "", "\n:\nfi"),
    "a loop in a function": ("shellscript", "f() {\n  for a in b; do", "", "\n:\ndone\n:\n}"),
    "a case": ("shellscript", "case a in\n  b) c ;;", "", "\nesac"),
    "if is said": ("shellscript", "echo for a then b if", "", ""),
    "a tag": ("typescriptreact", "return (\n  <A b={1}>", "", "</A>)"),
    "half a tag": ("typescriptreact", "return (\n  <A>\n    <B c={", "", "}/></A>)"),
    "tags that are closed": ("javascriptreact", "return (\n  <A><B />{c}</A>", "", ")"),
    "less than": ("typescriptreact", "f(a < b, c > d", "", ")"),
    "no grammar": ("lua", "f(", "", ""),
}


@each_row("case", list(CASES))
def test_closers(case: str) -> None:
    language, text, due, closers = CASES[case]
    assert closers_of(text, language, due) == closers


TOKENS = {
    "Python": ("python", "a1 = rb'x' + 1.5  # c", "w:a1 m:= s:rb'x' m:+ n:1.5 c:# c"),
    "an empty string": ("python", "f('', \"\")", "w:f m:( s:'' m:, s:\"\" m:)"),
    "PHP": ("php", "$a->b('c')", "w:$a m:-> w:b m:( s:'c' m:)"),
    "a length": ("shellscript", "$#", "m:$ m:#"),
    "words of others": ("ruby", "größe = 1", "w:größe m:= n:1"),
}


@pytest.mark.parametrize("case", TOKENS)
def test_tokens(case: str) -> None:
    language, text, said = TOKENS[case]
    assert " ".join(f"{token.kind[0]}:{token.text}" for token in tokens(text, language)) == said
