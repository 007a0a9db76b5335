"""Languages: which file is in which, and which of them have a grammar.

A language is named by its LSP languageId. A grammar's wheel is imported when the first text in it is
parsed, so that importing this package costs nothing. What differs between languages is a row here or a
query in `queries/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import PurePath

import tree_sitter


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a grammar comes from: `module.function()`, and the query files that are joined for it."""

    module: str
    function: str
    queries: tuple[str, ...]


_JAVASCRIPT = _Source("tree_sitter_javascript", "language", ("javascript", "javascript_fields"))
_TYPESCRIPT = ("javascript", "typescript")

_GRAMMARS = {
    "python": _Source("tree_sitter_python", "language", ("python",)),
    "javascript": _JAVASCRIPT,
    "javascriptreact": _JAVASCRIPT,
    "typescript": _Source("tree_sitter_typescript", "language_typescript", _TYPESCRIPT),
    "typescriptreact": _Source("tree_sitter_typescript", "language_tsx", _TYPESCRIPT),
}

_EXTENSIONS = {
    "python": "py pyi pyw",
    "javascript": "js mjs cjs",
    "javascriptreact": "jsx",
    "typescript": "ts mts cts",
    "typescriptreact": "tsx",
    "c": "c h",
    "clojure": "clj cljs cljc edn",
    "cpp": "cc cpp cxx hh hpp hxx",
    "csharp": "cs",
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
    "php": "php",
    "powershell": "ps1 psm1",
    "proto3": "proto",
    "r": "r",
    "restructuredtext": "rst",
    "ruby": "rb rake",
    "rust": "rs",
    "scala": "scala sc",
    "scss": "scss",
    "shellscript": "sh bash zsh",
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
    ".bashrc": "shellscript",
    ".zshrc": "shellscript",
}

_LANGUAGE_OF = {"." + ending: language for language, endings in _EXTENSIONS.items() for ending in endings.split()}


@dataclass(frozen=True, slots=True)
class Grammar:
    """A grammar ready for use, with the query that `queries/python.scm` explains."""

    language: tree_sitter.Language
    places: tree_sitter.Query


def language_of(path: str | PurePath) -> str | None:
    """The languageId of a file, judged by its name alone."""
    name = PurePath(path)
    return _NAMES.get(name.name.lower()) or _LANGUAGE_OF.get(name.suffix.lower())


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
    queries = "".join((folder / f"{name}.scm").read_text("utf-8") for name in source.queries)
    return Grammar(language, tree_sitter.Query(language, queries))
