"""An action that was chosen, done."""

from __future__ import annotations

from dataclasses import dataclass

from aigc_lsp.actions.explain import explain
from aigc_lsp.actions.fix import fix
from aigc_lsp.actions.offer import Name, tested_at
from aigc_lsp.actions.outcome import Outcome
from aigc_lsp.actions.own import run_own
from aigc_lsp.actions.problem import Problem
from aigc_lsp.actions.testing import write_test
from aigc_lsp.actions.testing_place import PlaceOfTest
from aigc_lsp.actions.todo import complete_todo, todo_at
from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.errors import ActionRefused
from aigc_lsp.service.backend import Backend
from aigc_lsp.text import Span


@dataclass(frozen=True, slots=True)
class Asked:
    """`problems` are what a fix is for, or what an action of the user's own is told of. `own` is its title."""

    name: Name
    span: Span
    problems: tuple[Problem, ...] = ()
    own: str = ""


async def run(
    asked: Asked, document: Document, backend: Backend, config: Config, place: PlaceOfTest | None = None
) -> Outcome:
    """`place` is where a test goes. Raises `EngineUnavailable`, and `ActionRefused` with a sentence where nothing comes
    of it."""
    match asked.name:
        case "explain":
            if not document.text.slice(asked.span).strip():
                raise ActionRefused("Select the code that is to be explained.")
            return await explain(document, asked.span, backend, config)
        case "fix":
            if not asked.problems:
                raise ActionRefused("There is no diagnostic here that could be fixed.")
            return await fix(document, asked.problems[0], backend, config)
        case "completeTodo":
            if (todo := todo_at(document, asked.span.start)) is None:
                raise ActionRefused("There is no TODO comment in this line that says what to do.")
            return await complete_todo(document, todo, backend, config)
        case "writeTest":
            subject = tested_at(document, asked.span)
            if subject is None or place is None:
                raise ActionRefused("There is no function here for which a test can be written.")
            return await write_test(document, subject, place, backend, config)
        case "action":
            own = next((each for each in config.actions if each.title == asked.own), None)
            if own is None:
                raise ActionRefused(f"There is no action called “{asked.own}” in the settings.")
            return await run_own(own, document, asked.span, asked.problems, backend, config)
