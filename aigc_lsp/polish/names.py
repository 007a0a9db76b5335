"""Names that a suggestion uses and that exist nowhere: most likely the model made them up.

Read off tokens, so it says something of half a statement too. It is sparing: only what is called, what something is
asked of, and plain operands are looked at, and whatever the suggestion itself may give a name to is left out. A name
that is found is a reason to doubt, never one to veto.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from aigc_lsp.context.closers import PAIRS
from aigc_lsp.polish.builtin_names import BUILTIN_NAMES
from aigc_lsp.polish.tokens import Token, tokens

# What stands before a member, and what before something that is no name: an annotation, a lifetime, a directive.
_MEMBER = frozenset((".", "->", "?.", "&.", "@", "'", "\\", "#", "%", "::", "`"))
# Behind these words a name is given.
# fmt: off
_GIVES = frozenset((
    "def", "class", "fn", "func", "function", "let", "var", "const", "type", "struct", "enum", "trait", "interface",
    "union", "import", "as", "for", "mod", "use", "package", "namespace", "module", "catch", "rescue", "lambda", "mut",
    "val", "using", "global", "nonlocal", "goto", "break", "continue", "export", "record", "extends", "implements",
    "delegate", "operator", "macro_rules", "typedef", "case", "new",
))
# fmt: on
_IMPORTS = re.compile(
    r"^[ \t]*(?:#|@|\[|require|include|(?:import|from|use|using|package|namespace|mod|extern|global)\b"
    r"|(?:export\b|\}).*\bfrom\b)"
)
_GIVEN_BY = frozenset(("=", ":", ":=", "=>", "<-", "?"))
_BEFORE_GIVEN = frozenset(("*", "&", ">", "..."))
_LISTS = frozenset(("=", ":=", "of", "in"))
_LISTS_FOLLOW = frozenset(
    ("def", "function", "fn", "func", "lambda", "|", "for", "catch", "class", "import", "delegate")
)
_CONDITIONS = frozenset(
    ("if", "while", "switch", "match", "elif", "elseif", "return", "with", "foreach", "synchronized")
)
_OPERAND = frozenset(
    ("=", "(", ",", "[", "return", "+", "-", "*", "/", "==", "!=", "&&", "||", "and", "or", "not", "!")
)
_AFTER_OPERAND = frozenset((")", ",", ";", "]", "+", "-", "*", "/", "==", "!=", "&&", "||", "and", "or", "is", "["))
# Tokens of a list of names that are looked at.
_REACH = 80
# There a type stands before the name it gives.
_TYPED = frozenset(("c", "cpp", "java", "csharp"))


def unknown_names(text: str, language_id: str, known: Callable[[str], bool], before: str = "") -> tuple[str, ...]:
    """The names that `text` uses and nobody knows, each once, in order.

    `before` is the cursor's line up to it, `known` says whether a word stands in the document or the index. Nothing
    for shell scripts, for languages without a grammar and where `text` begins inside a string.
    """
    builtin = BUILTIN_NAMES.get(language_id)
    if builtin is None:
        return ()
    whole = before + text
    found = [token for token in tokens(whole, language_id) if token.kind != "comment"]
    if any(token.kind == "string" and token.start < len(before) < token.end for token in found):
        return ()
    given = set(_given(whole, found, language_id))
    used = []
    for at, token in enumerate(found):
        if token.kind == "word" and token.end > len(before) and _is_used(whole, found, at, language_id):
            name = token.text.lstrip("$@")
            if name not in builtin and name not in given and not known(name):
                used.append(name)
    return tuple(dict.fromkeys(used))


def _is_used(text: str, found: Sequence[Token], at: int, language_id: str) -> bool:
    """Whether the word is called, asked for a member, or an operand by itself."""
    token, before, after = found[at], _said(found, at - 1), _said(found, at + 1)
    if before in _MEMBER or before in _GIVES or _IMPORTS.match(_line(text, token.start)) or token.text.startswith("@"):
        return False
    is_macro = after == "!" and language_id == "rust"
    if after == "(" or is_macro:
        return not (before and _is_word(found[at - 1]) and language_id in (*_TYPED, "go")) or before in _OPERAND
    if after in (".", "->", "?.", "::"):
        return True
    return before in _OPERAND and (after in _AFTER_OPERAND or not after or _breaks(text, token, found[at + 1]))


def _given(text: str, found: Sequence[Token], language_id: str) -> Iterator[str]:
    """Names that the text gives: targets, parameters, loop variables, imports, keys."""
    for at, token in enumerate(found):
        before, after = _said(found, at - 1), _said(found, at + 1)
        if token.kind == "word" and (
            after in _GIVEN_BY
            or before in _GIVES
            or before in _BEFORE_GIVEN
            or _has_type(found, at, language_id)
            or _IMPORTS.match(_line(text, token.start))
        ):
            yield token.text.lstrip("$@")
        if token.text in _LISTS or (before == ")" and token.text in ("{", "->", ":", "=>")):
            yield from _listed(found, at - 1)
        elif token.text in _LISTS_FOLLOW:
            yield from _following(text, found, at)


def _has_type(found: Sequence[Token], at: int, language_id: str) -> bool:
    """Whether a type stands beside the name, as where a variable is declared."""
    is_behind = at > 0 and _is_word(found[at - 1]) and language_id in (*_TYPED, "php", "go", "rust")
    return is_behind or (language_id == "go" and at + 1 < len(found) and _is_word(found[at + 1]))


def _listed(found: Sequence[Token], at: int) -> list[str]:
    """The words of the list that ends at `at`: `a, b`, `(a, b)`, `{a, b: c}`; not those of a condition."""
    depth, names = 0, []
    for number in range(at, max(at - _REACH, -1), -1):
        said = found[number].text
        if said in PAIRS:
            depth += 1
        elif said in PAIRS.values():
            depth -= 1
        elif not depth and "," not in (said, _said(found, number - 1), _said(found, number + 1)):
            break
        elif found[number].kind == "word":
            names.append(said.lstrip("$@"))
        if depth < 0 or (not depth and said in PAIRS.values()):
            return [] if _said(found, number - 1) in _CONDITIONS else names
    return names


def _following(text: str, found: Sequence[Token], at: int) -> Iterator[str]:
    """The words behind `def`, `lambda`, `|`: up to the end of the brackets or of the line."""
    depth = 0
    for number in range(at + 1, min(at + _REACH, len(found))):
        said = found[number].text
        depth += (said in PAIRS.values()) - (said in PAIRS)
        if found[number].kind == "word":
            yield said.lstrip("$@")
        if depth < 0 or (
            not depth and (said in (")", ":", "|", "{") or _breaks(text, found[number - 1], found[number]))
        ):
            return


def _is_word(token: Token) -> bool:
    return token.kind == "word" and token.text not in _OPERAND


def _said(found: Sequence[Token], at: int) -> str:
    return found[at].text if 0 <= at < len(found) else ""


def _breaks(text: str, token: Token, after: Token) -> bool:
    return "\n" in text[token.end : after.start]


def _line(text: str, offset: int) -> str:
    end = text.find("\n", offset)
    return text[text.rfind("\n", 0, offset) + 1 : end if end >= 0 else len(text)]
