"""What a half-written text leaves open, and what would end it: quotes, brackets, tags, blocks that words begin.

A stack for the whole text, whose entries are what closes them. What it says is tried by the gate and never shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aigc_lsp.context.closers import PAIRS
from aigc_lsp.polish.tokens import Token, quoting_of, tokens

_CLOSER_OF = {opener: closer for closer, opener in PAIRS.items()}


def closers_of(text: str, language_id: str, due: str = "") -> str:
    """What ends all that `text` leaves open, the innermost first: a quote, brackets, and blocks that words begin.

    `due` are closing brackets that follow anyway: the outermost that they close are left out.
    """
    found = tokens(text, language_id)
    open_quote, stack = "", list[str]()
    for number, token in enumerate(found):
        if token.closer:
            open_quote = token.closer if token.end == len(text) else ""
        elif token.kind == "mark":
            _bracket(found, number, stack)
            if token.text in "<>" and quoting_of(language_id) == "web":
                _tag(text, found, number, stack)
        elif token.kind == "word" and language_id in _BLOCKS:
            _BLOCKS[language_id](text, found, number, stack)
    while due and stack and stack[0] in PAIRS:
        due, stack = due[:-1], stack[1:]
    if language_id == "shellscript":
        stack = ["\n:\n}" if closer == "}" else closer for closer in stack]  # an empty body is an error
    # A tag whose head is not closed yet is closed in itself.
    stack = [closer for at, closer in enumerate(stack) if stack[at + 1 : at + 2] != ["/>"]]
    return open_quote + "".join(reversed(stack)) + (_python_body(text) if language_id == "python" else "")


def _bracket(found: Sequence[Token], at: int, stack: list[str]) -> None:
    said = found[at].text
    if said in _CLOSER_OF:
        stack.append(_CLOSER_OF[said])
    elif stack and stack[-1] == said:
        stack.pop()


def _tag(text: str, found: Sequence[Token], at: int, stack: list[str]) -> None:
    """A tag of JSX: open it is `/>` on the stack, then `</name>` until it is closed."""
    before, after = (found[at - 1].text if at else ""), (found[at + 1].text if at + 1 < len(found) else "")
    if found[at].text == ">":
        if stack and stack[-1] == "/>":
            stack.pop()
            if before == "/":
                stack.pop()
    elif after == "/":
        if stack and stack[-1].startswith("</"):
            stack.pop()
    elif _begins_line(text, found[at]) or before in _BEFORE_TAG:
        name = _TAG_NAME.match(text, found[at].end)
        stack += [f"</{name[0] if name else ''}>", "/>"]


_TAG_NAME = re.compile(r"[\w.:-]*")
_BEFORE_TAG = frozenset(("(", "{", ">", "=>", "&&", "||", "?", ":", ",", "return", "}"))


def _begins_line(text: str, token: Token) -> bool:
    return not text[text.rfind("\n", 0, token.start) + 1 : token.start].strip()


_RUBY_BLOCKS = frozenset(("def", "class", "module", "if", "unless", "while", "until", "case", "begin", "for"))


def _ruby_block(text: str, found: Sequence[Token], at: int, stack: list[str]) -> None:
    token, before = found[at], found[at - 1] if at else None
    follows_dot = before is not None and before.text in (".", "::", ":", "&.")
    if token.text == "end" and not follows_dot:
        if stack and stack[-1] == _RUBY_END:
            stack.pop()
    elif token.text == "do":
        if not _RUBY_LOOP.match(text, text.rfind("\n", 0, token.start) + 1):
            stack.append(_RUBY_END)
    elif token.text in _RUBY_BLOCKS and (_begins_line(text, token) or (before is not None and before.text == "=")):
        stack.append(_RUBY_END)


_RUBY_LOOP = re.compile(r"[ \t]*(?:while|until|for)\b")
_RUBY_END = "\nend"
_SHELL_OPENS = {"if": "\nthen\n:\nfi", "case": "\nesac"} | dict.fromkeys(("while", "until", "for"), "\ndo\n:\ndone")
_SHELL_BODY = {"then": "\n:\nfi", "do": "\n:\ndone"}
_SHELL_CLOSES = {"fi": "fi", "done": "done", "esac": "esac"}
_SHELL_BEFORE = frozenset((";", "&&", "||", "|", "(", "{", "!", "then", "do", "else", ")", "if", "while", "&", "`"))


def _shell_block(text: str, found: Sequence[Token], at: int, stack: list[str]) -> None:
    token = found[at]
    if not _begins_line(text, token) and not (at and found[at - 1].text in _SHELL_BEFORE):
        return
    if token.text in _SHELL_OPENS:
        stack.append(_SHELL_OPENS[token.text])
    elif token.text in _SHELL_BODY:
        if stack and stack[-1].endswith(_SHELL_BODY[token.text]):
            stack.pop()
        stack.append(_SHELL_BODY[token.text])
    elif stack and token.text in _SHELL_CLOSES and stack[-1].endswith(token.text):
        stack.pop()


_BLOCKS = {"ruby": _ruby_block, "shellscript": _shell_block}
_DECORATED = re.compile(r"^([ \t]*)@[^\n]*\Z", re.M)
_TRY = re.compile(r"^([ \t]*)try\s*:", re.M)


def _python_body(text: str) -> str:
    """A decorator is an error until something follows, a `try` until something handles what it raises."""
    if match := _DECORATED.search(text):
        return f"\n{match[1]}def x(): pass"
    found = list(_TRY.finditer(text))
    if not found or re.compile(rf"^{found[-1][1]}(?:except|finally)\b", re.M).search(text, found[-1].end()):
        return ""
    return f"\n{found[-1][1]}finally:\n{found[-1][1]} pass"
