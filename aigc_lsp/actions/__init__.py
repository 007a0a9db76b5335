"""What one may have done besides completion: explain, write a test, fix a diagnostic, complete a TODO, and actions of
the user's own. Prompts are the files in `prompt/actions/`.

Contract
    `offered` looks at a document and asks nobody. `run` asks the model, and gives something to read, or edits that
    parse no worse than what was there. Nothing here reads a file but those prompts, and knows of the editor: which file
    a test goes to, and what is in it, is passed in (`PlaceOfTest`).
"""

from aigc_lsp.actions.offer import Offer, can_chat, offered, tested_at
from aigc_lsp.actions.outcome import Changed, Outcome, Placed, Shown
from aigc_lsp.actions.problem import Problem
from aigc_lsp.actions.run import Asked, run
from aigc_lsp.actions.testing_place import PlaceOfTest

__all__ = [
    "Asked",
    "Changed",
    "Offer",
    "Outcome",
    "PlaceOfTest",
    "Placed",
    "Problem",
    "Shown",
    "can_chat",
    "offered",
    "run",
    "tested_at",
]
