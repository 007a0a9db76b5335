"""How languages lay out their blocks in lines, as tables: for where there is no tree, or none to be trusted.

A table is made when its language is first met: the patterns take a millisecond each to compile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from aigc_lsp.syntax.place import ScopeKind

_LONGEST_HEADER = 600


@dataclass(frozen=True, slots=True)
class Layout:
    """How one family of languages lays out blocks.

    opens     matches the part of a line up to its last token where a body is to follow
    ends_header  matches the end of a header that may be of several lines; None: it is of one
    inline    matches that part where the body may follow on the same line; None: wherever `opens` does
    names     (pattern, kind): the line that begins a scope; group 1 is the scope's name
    comment   matches a line that is a comment
    closes    matches what ends a body, or one part of it (`else`); None where its end is told by indentation
    closed    matches code up to a body's end
    block_comment  what begins and ends a comment of many lines
    goes_on   matches what goes on with a header or block that begins above at the same indentation
    aside     matches a line that is indented apart from the block it stands in
    namespace what begins a module whose contents need not be indented; its group 1 is the name, or nothing
    """

    opens: re.Pattern[str]
    names: tuple[tuple[re.Pattern[str], ScopeKind], ...]
    comment: re.Pattern[str]
    closes: re.Pattern[str] | None = None
    closed: re.Pattern[str] | None = None
    inline: re.Pattern[str] | None = None
    block_comment: tuple[str, str] | None = None
    ends_header: re.Pattern[str] | None = None
    goes_on: re.Pattern[str] = re.compile(r"[{)\]}]")
    aside: re.Pattern[str] | None = None
    namespace: re.Pattern[str] | None = None

    @property
    def is_indented(self) -> bool:
        """Whether indentation alone tells where a block ends."""
        return self.closes is None

    def closer_at(self, source: str, offset: int) -> int:
        """The length of what closes a body at `offset`; 0 where nothing does."""
        match = self.closes.match(source, offset) if self.closes else None
        return len(match[0]) if match else 0

    def is_closed(self, source: str, end: int) -> bool:
        """Whether the code that ends at `end` ends a body there."""
        return self.closed is not None and self.closed.search(source, max(end - 16, 0), end) is not None

    def name_of(self, header: str) -> tuple[str, ScopeKind] | None:
        """The scope that a line, or a header of several lines, begins."""
        header = header[:_LONGEST_HEADER].lstrip("\ufeff")
        for pattern, kind in self.names:
            if match := pattern.match(header):
                return match[1], kind
        return None


def _names(*patterns: tuple[str, ScopeKind]) -> tuple[tuple[re.Pattern[str], ScopeKind], ...]:
    return tuple((re.compile(pattern), kind) for pattern, kind in patterns)


def layout_of(language_id: str) -> Layout:
    return _LAYOUTS.get(language_id, _generic)()


_HEADER = r"(?:async\s+)?(?:def|class|if|elif|else|for|while|with|try|except|finally|match|case)\b.*:$"


@cache
def _indented() -> Layout:
    return Layout(
        # A closing bracket at the start of a line ends a header that began on a line above.
        opens=re.compile(rf"^\s*(?:{_HEADER}|[)\]}}].*:$)"),
        names=_names((r"\s*(?:async\s+)?def\s+(\w+)", "function"), (r"\s*class\s+(\w+)", "class")),
        comment=re.compile(r"\s*#"),
        ends_header=re.compile(r":\s*(?:#.*)?$"),
    )


@cache
def _colon() -> Layout:
    return Layout(opens=re.compile(r".*[:{]$"), names=(), comment=re.compile(r"\s*#"))


_NOT_A_NAME: Final = (
    r"(?!(?:if|for|foreach|while|switch|catch|with|return|function|do|else|using|lock|fixed|synchronized|new|match"
    r"|constexpr)\b)"
)
# Behind these a brace begins a value or a pattern, not a body.
_VALUE_BRACE = r"(?:[=(,:\[?&|]|\b(?:return|import|export|const|let|var|default|use))\s*\{$"
_CODE = r"[^'\"`/]*\b"


def _braced(
    *patterns: tuple[str, ScopeKind],
    opens: str = "(?!)",
    closes: str = "(?!)",
    aside: str | None = None,
    namespace: str | None = None,
) -> Layout:
    """Braces; `opens` and `closes` say what else opens and closes a body."""
    return Layout(
        opens=re.compile(rf"^(?!.*{_VALUE_BRACE})(?:.*\{{|{opens})$"),
        names=_names(*patterns),
        comment=re.compile(r"\s*(?://|/\*|\*|#)"),
        closes=re.compile(rf"\}}|{closes}"),
        closed=re.compile(r"(?:\}|\bend(?:if|for|foreach|while|switch))\Z"),
        block_comment=("/*", "*/"),
        ends_header=re.compile(r"\{\s*(?://.*|/\*.*\*/\s*)?$"),
        goes_on=re.compile(r"[{)\]}:]|where\b"),
        aside=re.compile(aside) if aside else None,
        namespace=re.compile(namespace, re.M) if namespace else None,
    )


_CLASS: tuple[str, ScopeKind] = (rf"{_CODE}(?:class|interface|enum|namespace)\s+([\w$.]+)", "class")


@cache
def _generic() -> Layout:
    return _braced(
        (rf"{_CODE}(?:class|interface|enum|namespace|struct|trait|impl)\s+([\w$.]+)", "class"),
        (rf"{_CODE}(?:function|fn|fun|func|def|sub|proc)\b\s*([\w$]+)", "function"),
        (rf"\s*(?:[\w$]+\s+)*?{_NOT_A_NAME}([\w$]+)\s*\([^{{}}]*\)\s*(?::[^{{}}]*)?\{{", "function"),
    )


_MODIFIERS = r"(?:(?:export|default|public|private|protected|static|readonly|async|get|set|override|abstract)\s+)*"
_IN_BRACKETS = r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
_FUNCTION_VALUE: Final = rf"(?:async\s*)?(?:function\b|(?:<[^>]*>\s*)?{_IN_BRACKETS}(?:\s*:[^=]*)?\s*=>|[\w$]+\s*=>)"


@cache
def _javascript() -> Layout:
    return _braced(
        _CLASS,
        (rf"{_CODE}function\b\s*\*?\s*([\w$]+)", "function"),
        (rf"\s*{_MODIFIERS}(?:(?:const|let|var)\s+)?([\w$.#]+)\s*(?::[^=]*)?=\s*{_FUNCTION_VALUE}", "function"),
        (rf"\s*['\"]?([\w$-]+)['\"]?\s*:\s*{_FUNCTION_VALUE}", "function"),
        (rf"\s*{_MODIFIERS}\*?{_NOT_A_NAME}([\w$#]+)(?:<[^>]*>)?\s*\((?!.*=>\s*\{{).*\)\s*(?::.*)?\{{", "function"),
    )


# `static <T> List<T> name(int x) throws E {`: the type before the name may hold brackets but ends in a blank or sign.
_TYPED_FUNCTION: Final = (
    rf"\s*(?!(?:else|new|return|throw|case|await)\b)(?:[\w<>\[\],.?:~@$()]+[\s&*]+)*?{_NOT_A_NAME}([\w:~$]+)"
    r"\s*\([^;]*\)[^;=]*\{"
)
_C_FUNCTION: tuple[str, ScopeKind] = (_TYPED_FUNCTION, "function")

# Directives, labels and `public:`.
_ASIDE: Final = r"#|(?:\w+|(?:public|private|protected)\s+\w+)\s*:\s*(?://.*)?$|(?:case|default)\b"


@cache
def _java() -> Layout:
    return _braced((rf"{_CODE}(?:class|interface|enum|record)\s+(\w+)", "class"), _C_FUNCTION)


@cache
def _csharp() -> Layout:
    return _braced(
        (rf"{_CODE}(?:class|interface|enum|record|struct|namespace)\s+(?:class\s+|struct\s+)?([\w.]+)", "class"),
        _C_FUNCTION,
        (
            r"\s*(?:(?:public|private|protected|internal|static|virtual|override|abstract|sealed|new|required)\s+)+"
            r"[\w<>\[\],.?]+\s+(\w+)\s*\{",
            "function",
        ),
        aside=_ASIDE,
    )


@cache
def _c() -> Layout:
    # The function first: `struct point *f(void) {` is none of a struct. Its name may be qualified, or an operator's.
    return _braced(
        _C_FUNCTION,
        (
            rf"{_CODE}(?:class|struct|union|namespace|enum(?:\s+(?:class|struct))?)\s+(?:[\w()]+\s+)*?([\w:]+)\s*"
            r"(?:final\s*)?(?::[^:].*)?\{",
            "class",
        ),
        aside=_ASIDE,
        namespace=r"^(?:(?:inline|export)\s+)*(?:namespace(?:\s+([\w:]+))?|extern\s+\"C\")\s*\{",
    )


@cache
def _go() -> Layout:
    return _braced(
        (r"\s*func\s+(?:\([^)]*\)\s*)?(\w+)", "function"),
        (r"\s*(?:type\s+)?(\w+)(?:\[.*\])?\s+(?:struct|interface)\s*\{", "class"),
    )


@cache
def _rust() -> Layout:
    return _braced(
        (rf"{_CODE}fn\s+(\w+)", "function"),
        (rf"{_CODE}(?:struct|enum|union|trait|mod)\s+(\w+)", "class"),
        (r"\s*(?:unsafe\s+)?impl\b(?:\s*<.*?>(?=\s))?\s+(?:[^{]*\bfor\s+)?(?:\w+::)*(\w+)", "class"),
    )


@cache
def _php() -> Layout:
    return _braced(
        (rf"{_CODE}(?:class|interface|trait|enum)\s+(\w+)", "class"),
        (rf"{_CODE}function\s+&?\s*(\w+)", "function"),
        (r"namespace\s+([\w\\]+)\s*\{", "class"),
        opens=r"\s*(?:\}\s*)?(?:if|elseif|else|for|foreach|while|switch)\b.*:",
        closes=r"(?:end(?:if|for|foreach|while|switch)|else|elseif)\b",
        namespace=r"^namespace(?:\s+([\w\\]+))?\s*\{",
    )


_PARAMETERS = r"(?:\s*\|[^|]*\|)?$"
_RUBY_INLINE = rf"(?:.*\b(?:do|then)|\s*(?:else|begin|ensure)|(?!.*(?:[=(,:\[?&|]|\breturn)\s*\{{{_PARAMETERS}).*\{{)"
_RUBY_HEADER: Final = (
    r"(?:(?:private|public|protected|private_class_method)\s+)*def\s+(?!\S+(?:\([^()]*\))?\s*=\s).*"
    r"|(?:class|module|while|until|for|rescue|case)\b.*"
    r"|(?:if|unless|elsif|when|in)\b(?!.*\bthen\b).*|rescue"
    r"|[\w.@\[\]:\"']+\s*(?:\|\|)?=\s*(?:if|unless|case|begin|while)\b.*"
)


@cache
def _ruby() -> Layout:
    return Layout(
        opens=re.compile(rf"^(?!.*\bend$)(?:{_RUBY_INLINE}{_PARAMETERS}|\s*(?:{_RUBY_HEADER})$)"),
        inline=re.compile(rf"^{_RUBY_INLINE}{_PARAMETERS}"),
        names=_names(
            (r"\s*(?:class|module)\s+(?!<<)([\w:]+)", "class"),
            (r"\s*(?:\w+\s+)?def\s+(?:\w+\.)?([\w]+[?!=]?|[^\w\s(]+)", "function"),
        ),
        comment=re.compile(r"\s*#|=(?:begin|end)\b"),
        closes=re.compile(r"(?:end|else|elsif|when|in|rescue|ensure)\b|\}"),
        closed=re.compile(r"(?:\bend|\})\Z"),
        goes_on=re.compile(r"[{)\]}]|(?:else|elsif|when|in|rescue|ensure)\b"),
        block_comment=("\n=begin", "\n=end"),
    )


@cache
def _shell() -> Layout:
    return Layout(
        opens=re.compile(
            r"^(?!.*=\($)(?:.*(?:^|[\s;&|])(?:then|do|else|\{|\()|\s*case\b.*\bin|\s*\(?[^\s()=]+\)|.*\(\)\s*[{(])$"
        ),
        names=_names(
            (r"\s*(?:function\s+)?([\w:.@+-]+)\s*\(\s*\)", "function"), (r"\s*function\s+([\w:.@+-]+)", "function")
        ),
        comment=re.compile(r"\s*#"),
        closes=re.compile(r"(?:fi|done|esac|else|elif)\b|\}|;;|\)"),
        closed=re.compile(r"(?:\b(?:fi|done|esac)|\}|;;|\))\Z"),
        ends_header=re.compile(r"(?<!\()[{(]\s*(?:#.*)?$"),
        goes_on=re.compile(r"[{)\]}]|(?:then|do|else|elif)\b"),
    )


@cache
def _ended() -> Layout:
    return Layout(
        opens=re.compile(
            r"^(?!.*\bend$)(?:.*\b(?:do|then|else|repeat)|.*\bfunction\b.*\)|\s*(?:(?:local\s+)?function|def|defp|defmodule|"
            r"if|for|while|try|module|struct|begin|let|quote|macro)\b.*)$"
        ),
        names=_names(
            (r"\s*(?:defmodule|module|(?:mutable\s+)?struct)\s+([\w.]+)", "class"),
            (r"\s*(?:local\s+)?(?:function|defp?|macro)\s+([\w.:?!]+)", "function"),
        ),
        comment=re.compile(r"\s*(?:--|#)"),
        closes=re.compile(r"(?:end|else|elseif|until|rescue|catch|after|finally)\b"),
        closed=re.compile(r"\bend\Z"),
    )


_LAYOUTS = {
    "python": _indented,
    "javascript": _javascript,
    "javascriptreact": _javascript,
    "typescript": _javascript,
    "typescriptreact": _javascript,
    "yaml": _colon,
    "nim": _colon,
    "java": _java,
    "csharp": _csharp,
    "c": _c,
    "cpp": _c,
    "cuda-cpp": _c,
    "objective-c": _c,
    "objective-cpp": _c,
    "go": _go,
    "rust": _rust,
    "php": _php,
    "ruby": _ruby,
    "shellscript": _shell,
    "lua": _ended,
    "elixir": _ended,
    "julia": _ended,
}
