"""Languages: which file is in which, and which of them have a grammar.

A language is named by its LSP languageId. A grammar's wheel is imported when the first text in it is
parsed, and a query compiled when it is first asked, so that importing this package costs nothing. What
differs between languages is a row here, one in `layouts.py` and `quotes.py`, and a query in `queries/`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from pathlib import PurePath

import tree_sitter


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a grammar comes from: `module.function()`, and the query files that are joined for it."""

    module: str
    function: str
    queries: tuple[str, ...]


_JAVASCRIPT = _Source("tree_sitter_javascript", "language", ("javascript", "ecmascript", "jsx"))
_TYPESCRIPT = ("javascript", "typescript")

_GRAMMARS = {
    "c": _Source("tree_sitter_c", "language", ("c",)),
    "cpp": _Source("tree_sitter_cpp", "language", ("c", "cpp")),
    "csharp": _Source("tree_sitter_c_sharp", "language", ("csharp",)),
    "go": _Source("tree_sitter_go", "language", ("go",)),
    "java": _Source("tree_sitter_java", "language", ("java",)),
    "javascript": _JAVASCRIPT,
    "javascriptreact": _JAVASCRIPT,
    "php": _Source("tree_sitter_php", "language_php", ("php",)),
    "python": _Source("tree_sitter_python", "language", ("python",)),
    "ruby": _Source("tree_sitter_ruby", "language", ("ruby",)),
    "rust": _Source("tree_sitter_rust", "language", ("rust",)),
    "shellscript": _Source("tree_sitter_bash", "language", ("bash",)),
    "typescript": _Source("tree_sitter_typescript", "language_typescript", _TYPESCRIPT),
    "typescriptreact": _Source("tree_sitter_typescript", "language_tsx", (*_TYPESCRIPT, "jsx")),
}

_EXTENSIONS = {
    "python": "py pyi pyw",
    "javascript": "js mjs cjs",
    "javascriptreact": "jsx",
    "typescript": "ts mts cts",
    "typescriptreact": "tsx",
    "c": "c h",
    "clojure": "clj cljs cljc edn",
    "cpp": "cc cpp cxx hh hpp hxx ipp tpp",
    "csharp": "cs csx",
    "css": "css",
    "cuda-cpp": "cu cuh",
    "dart": "dart",
    "elixir": "ex exs",
    "elm": "elm",
    "erlang": "erl hrl",
    "fsharp": "fs fsi fsx",
    "go": "go",
    "graphql": "graphql gql",
    "groovy": "groovy gradle",
    "haskell": "hs",
    "html": "html htm",
    "java": "java",
    "json": "json",
    "jsonc": "jsonc",
    "julia": "jl",
    "kotlin": "kt kts",
    "latex": "tex",
    "less": "less",
    "lisp": "el lisp",
    "lua": "lua",
    "makefile": "mk",
    "markdown": "md markdown",
    "nim": "nim",
    "nix": "nix",
    "objective-c": "m",
    "objective-cpp": "mm",
    "ocaml": "ml mli",
    "perl": "pl pm",
    "php": "php phtml",
    "powershell": "ps1 psm1",
    "proto3": "proto",
    "r": "r",
    "restructuredtext": "rst",
    "ruby": "rb rake gemspec ru",
    "rust": "rs",
    "scala": "scala sc",
    "scss": "scss",
    "shellscript": "sh bash zsh ksh",
    "sql": "sql",
    "svelte": "svelte",
    "swift": "swift",
    "terraform": "tf",
    "toml": "toml",
    "vim": "vim",
    "vue": "vue",
    "xml": "xml",
    "yaml": "yaml yml",
    "zig": "zig",
}

_NAMES = {
    "makefile": "makefile",
    "gnumakefile": "makefile",
    "dockerfile": "dockerfile",
    "cmakelists.txt": "cmake",
    "gemfile": "ruby",
    "rakefile": "ruby",
    "vagrantfile": "ruby",
    ".bash_profile": "shellscript",
    ".bashrc": "shellscript",
    ".profile": "shellscript",
    ".zshrc": "shellscript",
}

_LANGUAGE_OF = {"." + ending: language for language, endings in _EXTENSIONS.items() for ending in endings.split()}


_SECTION = re.compile(r"^;;; (\w+)$", re.M)


class Grammar:
    """A grammar, with the queries that `queries/python.scm` explains."""

    def __init__(self, language: tree_sitter.Language, queries: str) -> None:
        self.language = language
        self._sections: dict[str, str] = {}
        parts = _SECTION.split(queries)
        for name, section in zip(parts[1::2], parts[2::2], strict=True):
            self._sections[name] = self._sections.get(name, "") + section

    @cached_property
    def places(self) -> tree_sitter.Query:
        """What a cursor can be in."""
        return self._query("scopes", "places")

    @cached_property
    def definitions(self) -> tree_sitter.Query:
        """What a file defines."""
        return self._query("scopes", "definitions")

    @cached_property
    def imports(self) -> tree_sitter.Query:
        """What a file imports."""
        return self._query("imports")

    @cached_property
    def names(self) -> tree_sitter.Query:
        """What is used."""
        return self._query("names")

    @cached_property
    def signatures(self) -> tree_sitter.Query:
        """What a docstring tells of."""
        return self._query("signatures")

    def _query(self, *sections: str) -> tree_sitter.Query:
        return tree_sitter.Query(self.language, "".join(self._sections.get(name, "") for name in sections))


def language_of(path: str | PurePath) -> str | None:
    """The languageId of a file, judged by its name alone."""
    name = PurePath(path)
    return _NAMES.get(name.name.lower()) or _LANGUAGE_OF.get(name.suffix.lower())


_FAMILIES = {
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), "web"),
    **dict.fromkeys(("c", "cpp", "cuda-cpp"), "c"),
}


def family_of(language_id: str) -> str:
    """What languages have in common whose files use one another."""
    return _FAMILIES.get(language_id, language_id)


def has_grammar(language_id: str) -> bool:
    return language_id in _GRAMMARS


@cache
def grammar(language_id: str) -> Grammar | None:
    """The grammar of a language, or None where there is none."""
    source = _GRAMMARS.get(language_id)
    if source is None:
        return None
    from importlib import resources  # not needed to answer initialize

    language = tree_sitter.Language(getattr(import_module(source.module), source.function)())
    folder = resources.files(__package__) / "queries"
    files = [place / f"{name}.scm" for place in (folder, folder / "signatures") for name in source.queries]
    return Grammar(language, "".join(file.read_text("utf-8") for file in files if file.is_file()))
