"""Fix what a diagnostic is about: its line written anew, else the function around it.

The line alone is a hole below a comment that says what stood there and what is wrong with it. Of 15 diagnostics of
Python, TypeScript, JavaScript, Go and Rust the default model mends ten so, and five when it is asked for the line in a
chat. Asked there for the whole function it mends some in which another line is to be changed.
"""

from __future__ import annotations

from aigc_lsp.actions.answer import chatted, code_in, filled_in, has_code, likeness, turn_of
from aigc_lsp.actions.outcome import Changed, checked, replaced
from aigc_lsp.actions.problem import Problem
from aigc_lsp.actions.prompts import conversation
from aigc_lsp.actions.region import around, indent_of_region, indented, plain
from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.errors import ActionRefused
from aigc_lsp.service.backend import Backend
from aigc_lsp.service.wire import InfillRequest
from aigc_lsp.syntax import comment_marks, commented
from aigc_lsp.syntax.place import indent_of
from aigc_lsp.text import Edit, Span

LINE_TOKENS = 64
REGION_TOKENS = 700
LEAST_LIKENESS = 0.5
"""Of the line that was and the one that takes its place: what differs by more is no correction."""

NOTHING = "The model found no correction for this that could be used, so nothing was changed."
_LINES = 80
"""That are shown above the line, and half as many below."""


async def fix(document: Document, problem: Problem, backend: Backend, config: Config) -> Changed:
    """Raises `EngineUnavailable`, and `ActionRefused` where the model finds nothing that is sound."""
    edit = await _line_anew(document, problem, backend, config)
    if edit is None:
        edit = await _region_anew(document, problem, backend, config)
    return Changed((edit,))


async def _line_anew(document: Document, problem: Problem, backend: Backend, config: Config) -> Edit | None:
    text = document.text
    line = text.line_at(problem.span.start)
    old = text.line(line)
    if not old.strip() or text.line_at(problem.span.end) > line + 1:
        return None
    said = await filled_in(backend, config, _hole(document, line, problem.message, config), about=document)
    new = _without_remark(said.text.partition("\n")[0].strip(), old, document.language)
    if not said.ended or not new or new == old.strip() or likeness(new, old.strip()) < LEAST_LIKENESS:
        return None
    start, end = text.line_start(line), text.line_end(line)
    edit = replaced(text, Span(start, end), indent_of(old) + new + old[len(old.rstrip()) :])
    try:
        checked(document.language, text, (edit,), config, document.tree)
    except ActionRefused:
        return None
    return edit


def _hole(document: Document, line: int, message: str, config: Config) -> InfillRequest:
    text, first = document.text, max(0, line - _LINES)
    last = min(text.line_count - 1, line + _LINES // 2)
    old = text.line(line)
    indent = indent_of(old)
    above = "".join(text.line(each) + "\n" for each in range(first, line))
    below = "".join("\n" + text.line(each) for each in range(line + 1, last + 1))
    remark = commented(document.language, f"was: {old.strip()}\nerror: {message}\nfixed:", indent)
    prefix = f"{above}{remark}{indent}"
    return InfillRequest(
        document=turn_of(document),
        filename=document.path.replace("\\", "/").rpartition("/")[2],
        input_prefix=prefix,
        input_suffix=below or "\n",
        n_predict=LINE_TOKENS,
        stop=("\n",),
        model=config.model,
        prefix_tokens=config.context.prefix_tokens,
        suffix_tokens=config.context.suffix_tokens,
    )


def _without_remark(new: str, old: str, language: str) -> str:
    """`new` without a comment at its end, where `old` has none."""
    begin = (comment_marks(language) or ("#", ""))[0]
    if f" {begin}" in old or old.lstrip().startswith(begin):
        return new
    return new.partition(f" {begin} ")[0].rstrip()


async def _region_anew(document: Document, problem: Problem, backend: Backend, config: Config) -> Edit:
    text = document.text
    span = around(document, problem.span)
    code = plain(text.slice(span))
    line = text.line(text.line_at(problem.span.start)).strip()
    messages = conversation("fix", language=document.language, code=code, line=line, message=problem.message)
    said = await chatted(backend, config, messages, about=document, most_tokens=REGION_TOKENS, is_enough=has_code)
    new = code_in(said)
    if plain(new).strip() == code.strip() or likeness(plain(new), code) < LEAST_LIKENESS:
        raise ActionRefused(NOTHING)
    edit = replaced(text, span, indented(new, indent_of_region(text, span)))
    checked(document.language, text, (edit,), config, document.tree)
    return edit
