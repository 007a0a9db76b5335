"""Do what a TODO comment asks for, below it.

The model is not shown the word TODO: what stands below a comment that says so is mostly not done, and so it goes on
with what comes next. Below the same words as a plain comment it does them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from aigc_lsp.actions.answer import chatted, code_in, filled_in, has_code, turn_of
from aigc_lsp.actions.outcome import Changed, checked, with_line_ends
from aigc_lsp.actions.prompts import conversation
from aigc_lsp.actions.region import around, indented, plain
from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.context.window import Window, gather
from aigc_lsp.errors import ActionRefused
from aigc_lsp.polish.finish import finished
from aigc_lsp.polish.stop import rule_for, verdict
from aigc_lsp.service.backend import Backend
from aigc_lsp.service.wire import InfillRequest
from aigc_lsp.syntax import comment_marks, place_without_tree
from aigc_lsp.syntax.place import indent_at
from aigc_lsp.text import Edit, Span

MOST_TOKENS = 240
MOST_LINES = 40

_TODO = re.compile(r"\b(?:TODO|FIXME|XXX)\b(?:\([^)\n]*\))?[:\s-]*")
_NOTHING = "The model wrote nothing for this that could be used, so nothing was changed."


@dataclass(frozen=True, slots=True)
class Todo:
    """`mark` is what says that it is to be done, `task` what; the comment ends with the line `last`."""

    mark: Span
    task: str
    last: int


def todo_at(document: Document, offset: int) -> Todo | None:
    """What the comment in the line of `offset` asks for."""
    text, language = document.text, document.language
    line = text.line_at(offset)
    start, said = text.line_start(line), text.line(line)
    match = _TODO.search(said)
    begin, end = comment_marks(language) or ("#", "")
    if match is None or not _is_comment(document, start + match.start(), said[: match.start()], begin):
        return None
    words, last = [_words(said[match.end() :], end)], line
    is_alone = not said[: match.start()].strip(" \t*#/-;%\"'<!")
    while is_alone and last + 1 < text.line_count and _goes_on(text.line(last + 1), begin):
        last += 1
        words.append(_words(text.line(last).strip().lstrip("*#/-;%\"' \t"), end))
    task = " ".join(filter(None, words))
    return Todo(Span(start + match.start(), start + match.end()), task, last) if task else None


async def complete_todo(document: Document, todo: Todo, backend: Backend, config: Config) -> Changed:
    """Raises `EngineUnavailable`, and `ActionRefused` where the model writes nothing that is sound."""
    text = document.text
    at, indent = text.line_end(todo.last), indent_at(text, todo.last)
    found = await _filled_below(document, todo, backend, config) or await _chatted(document, todo, backend, config)
    edit = Edit(Span(at, at), with_line_ends(text, f"\n{indent}{found}"))
    checked(document.language, text, (edit,), config, document.tree)
    return Changed((edit,))


async def _filled_below(document: Document, todo: Todo, backend: Backend, config: Config) -> str:
    """What goes below the comment, at its indentation; "" where there is nothing to show."""
    at, indent = document.text.line_end(todo.last), indent_at(document.text, todo.last)
    opened = Edit(Span(at, at), with_line_ends(document.text, f"\n{indent}"))
    text = document.text.apply(opened)
    tree = document.tree.edit((opened,), text) if document.tree is not None else None
    below, offset = replace(document, text=text, tree=tree), at + len(opened.new_text)
    place = tree.place(offset) if tree is not None else place_without_tree(text, offset, document.language)
    window = gather(
        text,
        offset,
        language=document.language,
        path=document.path.replace("\\", "/").rpartition("/")[2],
        prefix_tokens=config.context.prefix_tokens,
        suffix_tokens=config.context.suffix_tokens,
        tree=tree,
    )
    rule = rule_for(place, window, MOST_LINES)
    if rule is None:
        return ""
    rule = replace(rule, is_block=True)
    said = await filled_in(
        backend,
        config,
        _hole(document, window, document.text.slice(todo.mark), config),
        about=document,
        is_enough=lambda text: verdict(text, rule) is not None,
    )
    found = finished(
        said.text, (), rule, window, below, offset, ended=said.ended, asked=True, never=config.completion.never
    ).insertion.text
    return _without_remarks(found, todo.task, document.language)


def _hole(document: Document, window: Window, mark: str, config: Config) -> InfillRequest:
    before, _, task = window.prefix.rpartition(mark)
    prefix = f"{before}{task[:1].upper()}{task[1:]}"
    return InfillRequest(
        document=turn_of(document),
        filename=window.path,
        input_head=window.head,
        input_prefix=prefix,
        input_suffix=window.suffix,
        n_predict=MOST_TOKENS,
        model=config.model,
        prefix_tokens=config.context.prefix_tokens,
        suffix_tokens=config.context.suffix_tokens,
    )


async def _chatted(document: Document, todo: Todo, backend: Backend, config: Config) -> str:
    code = plain(document.text.slice(around(document, todo.mark)))
    messages = conversation("todo", language=document.language, code=code, task=todo.task)
    said = await chatted(backend, config, messages, about=document, most_tokens=MOST_TOKENS, is_enough=has_code)
    there = {line.strip() for line in code.split("\n")}
    new = plain(code_in(said))
    new = _without_remarks(new, todo.task, document.language)
    if not new or new.split("\n")[0].strip() in there:
        raise ActionRefused(_NOTHING)  # it says the function again, and not what is missing
    return indented(new, indent_at(document.text, todo.last)).lstrip()


def _is_comment(document: Document, offset: int, before: str, begin: str) -> bool:
    if document.tree is not None:
        return document.tree.place(offset).kind == "comment"
    return begin in before or before.lstrip().startswith("*")


def _goes_on(line: str, begin: str) -> bool:
    """Whether a line is comment alone, and goes on with the one above."""
    said = line.strip()
    return said.startswith((begin, "*", "-->")) and not _TODO.search(said)


def _words(said: str, end: str) -> str:
    return said.strip().removesuffix(end.strip() or "\0").removesuffix("*/").strip()


def _without_remarks(code: str, task: str, language: str) -> str:
    """`code` without comments that say the task again, and without those at its end; "" where nothing is left."""
    begin = (comment_marks(language) or ("#", ""))[0]
    again = re.compile(rf"[ \t]*{re.escape(begin)}[ \t]*{re.escape(task)}[ \t]*$", re.I)
    lines = [again.sub("", line) for line in code.split("\n")]
    while lines and (not lines[-1].strip() or lines[-1].strip().startswith(begin)):
        lines.pop()
    return "\n".join(lines)
