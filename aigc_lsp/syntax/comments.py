"""How a line becomes a comment, language by language."""

from __future__ import annotations

_MARKS = {
    ("#", ""): (
        "python ruby shellscript perl r julia elixir powershell yaml dockercompose toml makefile cmake dockerfile nim "
        "nix graphql terraform ignore properties"
    ),
    ("//", ""): (
        "c cpp csharp cuda-cpp dart fsharp go groovy java javascript javascriptreact jsonc kotlin less objective-c "
        "objective-cpp php proto3 rust scala scss swift typescript typescriptreact zig"
    ),
    ("--", ""): "haskell lua sql elm ada vhdl",
    (";", ""): "clojure lisp ini asm",
    ("%", ""): "erlang latex matlab",
    ('"', ""): "vim",
    ("<!--", " -->"): "html markdown svelte vue xml",
    ("/*", " */"): "css",
}
_MARKS_OF = {language: marks for marks, languages in _MARKS.items() for language in languages.split()}


def comment_marks(language_id: str) -> tuple[str, str] | None:
    """What stands before and behind the text of a comment of one line; None where we do not know."""
    return _MARKS_OF.get(language_id)


def commented(language_id: str, text: str, indent: str = "") -> str:
    """The lines of `text` as comments, each with a line break; `#` where the language's own are not known."""
    begin, end = comment_marks(language_id) or ("#", "")
    return "".join(f"{indent}{begin} {line}{end}\n" for line in text.split("\n"))
