"""Actions that users bring with their settings (`own_actions`)."""

from __future__ import annotations

from aigc_lsp.actions.answer import chatted, code_in, has_code
from aigc_lsp.actions.outcome import Changed, Outcome, Shown, checked, replaced, with_line_ends
from aigc_lsp.actions.problem import Problem
from aigc_lsp.actions.prompts import conversation
from aigc_lsp.actions.region import function_at, indent_of_region, indented, plain, whole_lines
from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.context.window import CHARACTERS_PER_TOKEN
from aigc_lsp.errors import ActionRefused
from aigc_lsp.own_actions import OwnAction, filled
from aigc_lsp.service.backend import Backend
from aigc_lsp.text import Edit, Span

MOST_TOKENS = 700

_CODE = "Answer with code only, in one fenced block."
_SHOWN = "Answer in Markdown, briefly."


def is_possible(own: OwnAction, document: Document, span: Span, problems: int) -> bool:
    """Whether its placeholders have something to say here, and what it changes is here."""
    if own.languages and document.language not in own.languages:
        return False
    wanted, has_selection = own.placeholders, bool(document.text.slice(span).strip())
    if "selection" in wanted and not has_selection:
        return False
    if "diagnostics" in wanted and not problems:
        return False
    if "function" in wanted or (own.where != "show" and not has_selection):
        return function_at(document, span.start) is not None
    return True


async def run_own(
    own: OwnAction, document: Document, span: Span, problems: tuple[Problem, ...], backend: Backend, config: Config
) -> Outcome:
    """Raises `EngineUnavailable`, and `ActionRefused` where there is nothing to do, or nothing sound to do it with."""
    if not is_possible(own, document, span, len(problems)):
        raise ActionRefused(f"“{own.title}” is for another place than this.")
    prompt = filled(own.prompt, _values(document, span, problems, config))
    form = _SHOWN if own.where == "show" else _CODE
    messages = conversation("own", prompt=prompt, form=form)
    enough = has_code if own.where != "show" else (lambda text: False)
    said = await chatted(backend, config, messages, about=document, most_tokens=MOST_TOKENS, is_enough=enough)
    if own.where == "show":
        if not said.text.strip():
            raise ActionRefused("The model has nothing to say of this.")
        return Shown(own.title, said.text.strip() + ("" if said.ended else " …"))
    edit = _edit(own, document, span, code_in(said))
    checked(document.language, document.text, (edit,), config, document.tree)
    return Changed((edit,))


def _edit(own: OwnAction, document: Document, span: Span, code: str) -> Edit:
    text = document.text
    is_within_line = own.where == "replace" and _is_within_line(document, span)
    lines = whole_lines(text, _target(document, span))
    new = indented(code, indent_of_region(text, lines))
    if is_within_line:
        return replaced(text, span, plain(code).strip("\n"))
    if own.where == "replace":
        return replaced(text, lines, new)
    if own.where == "above":
        return Edit(Span(lines.start, lines.start), with_line_ends(text, new + "\n"))
    return Edit(Span(lines.end, lines.end), with_line_ends(text, "\n" + new))


def _target(document: Document, span: Span) -> Span:
    """The selection, else the function."""
    if document.text.slice(span).strip():
        return span
    function = function_at(document, span.start)
    assert function is not None, "is_possible has asked"
    return function.span


def _is_within_line(document: Document, span: Span) -> bool:
    """Whether the selection is a part of one line."""
    text = document.text
    selected, line = text.slice(span), text.line(text.line_at(span.start))
    return bool(selected.strip()) and "\n" not in selected and selected.strip() != line.strip()


def _values(document: Document, span: Span, problems: tuple[Problem, ...], config: Config) -> dict[str, str]:
    text = document.text
    function = function_at(document, span.start)
    most = config.context.prefix_tokens * CHARACTERS_PER_TOKEN
    return {
        "selection": plain(text.slice(span))[:most],
        "function": plain(text.slice(whole_lines(text, function.span)))[:most] if function is not None else "",
        "file": plain(text.source)[:most],
        "path": document.path.replace("\\", "/").rpartition("/")[2],
        "language": document.language,
        "diagnostics": "\n".join(f"line {text.line_at(each.span.start) + 1}: {each.message}" for each in problems),
    }
