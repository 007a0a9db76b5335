"""What other files of a project say at a cursor, in the form in which the language server shows it.

It looks names up in a table of the project's definitions, where the language server has an index that follows imports:
only what one other file defines, of the names that stand near the cursor. What stands in the hole is not looked at.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from aigc_lsp.context.needs import at_cursor
from aigc_lsp.context.snippet import Snippet, blocks, chosen
from aigc_lsp.context.window import Window
from aigc_lsp.dataset.files import File, has_secrets
from aigc_lsp.gather.told import said
from aigc_lsp.prompt.infill import ExtraFile
from aigc_lsp.syntax import Definition, Tree, family_of, parse
from aigc_lsp.text import Text

ROOM = 640
"""Characters of all snippets of an example."""
NEAR = 400
"""Characters before the cursor in which a name is looked up."""
MOST_FILES = 60
"""Of a project that are read for the table."""


class Table:
    """The definitions of some files of a project."""

    def __init__(self, files: Sequence[File], seed: int) -> None:
        self._files = random.Random(seed).sample(list(files), min(len(files), MOST_FILES))
        self._texts: dict[str, tuple[Text, tuple[Definition, ...], str]] = {}
        self._named: dict[str, list[tuple[str, Definition]]] = {}

    def _read(self) -> None:
        """The files, when they are first asked for."""
        while self._files:
            file = self._files.pop()
            if has_secrets(file):
                continue
            text = Text(file.text)
            tree = parse(file.language, text)
            found = tree.definitions() if tree is not None else ()
            self._texts[file.path] = text, found, family_of(file.language)
            for each in found:
                if each.kind != "module" and len(each.name) > 2:
                    self._named.setdefault(each.name, []).append((file.path, each))

    def find(self, path: str, tree: Tree, offset: int, window: Window) -> list[ExtraFile]:
        """What is said of the names at `offset` of the file at `path`, that the window does not say."""
        self._read()
        names = [name for need in at_cursor(tree.text, offset) for name in (need.name, need.receiver) if name]
        names += reversed([use.name for use in tree.identifiers(offset - NEAR, offset)])
        family = self._texts[path][2] if path in self._texts else family_of(window.language)
        shown = [each for name in dict.fromkeys(names) for each in self._snippets(name, path, family)]
        return [
            ExtraFile(where, what)
            for where, what in blocks(chosen(shown, ROOM, window.head + window.prefix + window.suffix))
        ]

    def _snippets(self, name: str, path: str, family: str) -> list[Snippet]:
        found = [each for each in self._named.get(name, ()) if self._texts[each[0]][2] == family]
        places = {where for where, _ in found}
        if len(places) != 1 or path in places:
            return []  # its own, or it cannot be told which is meant
        where, defined = found[0]
        text, all_of_it, _ = self._texts[where]
        return [Snippet(where, said(text, defined, all_of_it), "definition")]
