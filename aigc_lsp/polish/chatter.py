"""What is no text of the file: control tokens spelled out, fences and phrases of a chat, characters nobody types."""

from __future__ import annotations

import re

from aigc_lsp.polish.lines import is_inside
from aigc_lsp.syntax.place import Kind

_BROKEN = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd]"
_CONTROL = re.compile(
    r"<[|｜][\w▁.:/-]{1,40}[|｜]>"
    r"|</?(?:tool_call|(?:fim|repo|file|gh|issue|jupyter|empty|commit|pr)_\w{1,30})>"
    r"|(?m:^)[ \t]*<(?:filename|reponame|s)>|(?:(?<=\s)|(?m:^)|▁)<(?:PRE|SUF|MID|EOT)>|</s>"
)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.M)
_OF_CODE = "code|function|method|program|script|solution|implementation|class|example|snippet|completion"
_PHRASE = re.compile(
    r"^[ \t]*(?:"
    r"(?:Sure|Certainly|Absolutely|Of course|Great)[!,.][ \n]|Here(?:'s|’s| is| are) [a-z]"
    rf"|(?:(?:In )?[Tt]his|The|Your|The above|In the above) (?:[a-z-]+ )?(?:{_OF_CODE})\b[ ,]"
    r"|(?:I hope|I have|I've|Let me know|Note that|You can|Please note|Feel free|As you can see)\b[ ,]"
    r"|(?:Explanation|Example usage)\s*:[ \n]|#{2,} Explanation\b"
    r")",
    re.M,
)

# Where a sentence or a fence at a line's beginning is as good as any other text.
_PROSE = frozenset(
    ("asciidoc", "bibtex", "csv", "diff", "git-commit", "git-rebase", "html", "json", "latex", "markdown", "mdx", "org",
     "plaintext", "quarto", "restructuredtext", "rmd", "svelte", "tex", "toml", "typst", "vue", "xml", "yaml")
)  # fmt: skip
_MARKUP = frozenset(("html", "xml", "vue", "svelte", "php", "javascriptreact", "typescriptreact", "markdown", "mdx"))


def spelled(text: str) -> frozenset[str]:
    """The control tokens that a file spells out itself: one that is about models, say."""
    return frozenset(match[0].strip() for match in _CONTROL.finditer(text)) if "<" in text else frozenset()


def chatter_at(text: str, language: str, kind: Kind, legitimate: frozenset[str], line_before: str) -> int | None:
    """Where `text` stops to be text of the file, or None. What comes before is what was meant.

    `kind` is what the cursor is inside of, `legitimate` what may be said since the file says it itself.
    """
    found = [_broken_at(text), _control_at(text, language, legitimate, line_before)]
    if kind == "code" and language not in _PROSE:
        for pattern in (_FENCE, _PHRASE):
            found.append(_first_in_code(pattern, text, language, line_before))
    return min((at for at in found if at is not None), default=None)


def _broken_at(text: str) -> int | None:
    match = re.search(_BROKEN, text)
    return match.start() if match else None


def _control_at(text: str, language: str, legitimate: frozenset[str], line_before: str) -> int | None:
    if "<" not in text:
        return None
    for match in _CONTROL.finditer(text):
        token = match[0].strip()
        # A file that spells one may well go on with others, as strings.
        is_string = legitimate and (line_before + text[: match.start()])[-1:] in tuple("\"'`")
        if token not in legitimate and not is_string and not (token in ("<s>", "</s>") and language in _MARKUP):
            return match.start()
    return None


def _first_in_code(pattern: re.Pattern[str], text: str, language: str, line_before: str) -> int | None:
    """Where the first match begins a line that is no part of a string or comment which the text itself begins."""
    for match in pattern.finditer(text):
        begins_line = match.start() > 0 or not line_before.strip()
        if begins_line and not is_inside(text[: match.start()], language):
            return match.start()
    return None
