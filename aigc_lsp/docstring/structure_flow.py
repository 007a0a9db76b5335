"""What leaves a function: what it returns, yields and raises."""

from __future__ import annotations

import builtins
import re

from aigc_lsp.docstring.structure_nest import Definition
from aigc_lsp.syntax import Mark
from aigc_lsp.text import Span

WEB = ("javascript", "javascriptreact", "typescript", "typescriptreact")
# Where the declared type decides, since the body cannot be otherwise.
_DECLARED = ("java", "c", "cpp", "csharp", "go", "rust")
_NOTHING = re.compile(
    r"(?:void|Void|never|undefined|null|None|NoReturn|Never|typing\.NoReturn|\(\)|!|asserts\b.*|unit"
    r"|(?:Promise|PromiseLike)\s*<\s*(?:void|undefined|never)\s*>)$"
)
_NO_VALUE = re.compile(r"(?:None|undefined|nil|)$")
_YIELDED = re.compile(
    r"(?:[\w.]+\.)?(?P<name>Async(?:Iterator|Iterable|Generator)|Iterator|Iterable|IterableIterator|AsyncIterableIterator"
    r"|Generator|IEnumerable|IEnumerator|IAsyncEnumerable|IAsyncEnumerator|ContextManager|Traversable)\s*[\[<](?P<of>.*)[\]>]$",
    re.S,
)
# Possessive, since a row of `#` can be read as any number of comments: all of them would be tried.
_STUB = re.compile(r"(?:\s|;|\.\.\.|pass\b|raise\s+NotImplementedError\b(?:\([^()]*\))?|#[^\r\n]*+)*+$")

_RESULT = re.compile(r"(?P<path>(?:\w+::)*)Result\s*(?:<(?P<of>.*)>)?$", re.S)
_DOTTED = re.compile(r"\$?[\w.\\:]+")
_SELF = re.compile(r"^(?:self|cls|this|\$this|static|type\(self\))(?:\.|->|::)")
_CLASS_LIKE = re.compile(r"_*[A-Z]")
_LOWER = frozenset(("timeout", "herror", "gaierror", "error", "failureException"))
_BARE = re.compile(r"(?:raise|throw|fail)\s*;?$")
# What is thrown is made of a class here, whatever it is called.
_MADE = ("cpp", "java", "csharp", "php")
_FATAL = frozenset(("SystemExit", "KeyboardInterrupt", "GeneratorExit", "CancelledError"))
_ROOTS = frozenset(("BaseException", "Throwable", "object", "...", "Object"))
# Well-known families of languages whose classes cannot be asked.
_FAMILIES = {
    "RuntimeException": {
        "IllegalArgumentException", "IllegalStateException", "NullPointerException", "UnsupportedOperationException",
        "IndexOutOfBoundsException", "ClassCastException", "ArithmeticException", "NumberFormatException",
        "ConcurrentModificationException", "NoSuchElementException", "UncheckedIOException", "DateTimeException",
        "OutOfBoundsException", "RangeException", "OverflowException", "UnderflowException", "UnexpectedValueException",
    },
    "IllegalArgumentException": {"NumberFormatException"},
    "IOException": {"FileNotFoundException", "EOFException", "UncheckedIOException", "DirectoryNotFoundException"},
    "ArgumentException": {"ArgumentNullException", "ArgumentOutOfRangeException"},
    "LogicException": {
        "InvalidArgumentException", "DomainException", "LengthException", "OutOfRangeException",
        "BadFunctionCallException", "BadMethodCallException",
    },
}  # fmt: skip


def returns_of(language: str, found: Definition, source: str, declared: str, is_stub: bool) -> str | None:
    """The type that is returned, "" without one, None where nothing is."""
    if _NOTHING.match(declared) or (language == "csharp" and declared in ("Task", "ValueTask", "System.Void")):
        return None
    if language in _DECLARED or is_stub:
        return declared or None
    values = [mark.part("value") for mark in found.all("return")]
    said = [source[value.start : value.end].strip() for value in values if value is not None]
    if language == "ruby":
        said += _last_of_ruby(found, source)
    if all(_NO_VALUE.match(value) or (language in WEB and value.startswith("void ")) for value in said):
        return None
    return _item(declared, returned=True) if found.all("yield") else declared


def yields_of(language: str, found: Definition, declared: str) -> str | None:
    """The type of what is yielded, "" without one, None where nothing is."""
    if not found.all("yield"):
        return None
    return _item(declared)


def is_stub(language: str, found: Definition, source: str, docstring: Span | None) -> bool:
    """Whether it has no body to be judged by."""
    body = found.body
    if body is None:
        return True
    if language != "python":
        return False
    start = docstring.end if docstring is not None else body.start
    return _STUB.match(source, start, body.end) is not None


def _item(declared: str, returned: bool = False) -> str:
    """Of `Iterator[int]`, `int`; of `Generator[Y, S, R]`, `Y`, or `R` where asked for what is returned."""
    match = _YIELDED.match(declared.strip())
    if match is None:
        return "" if returned else declared
    parts = _split(match["of"])
    if not returned:
        return parts[0]
    at = 2 if declared.rstrip().endswith("]") else 1
    return parts[at] if "Generator" in match["name"] and len(parts) > at else ""


def _split(inside: str) -> list[str]:
    """At the commas that are in no brackets."""
    parts, depth = [""], 0
    for sign in inside:
        depth += (sign in "[<({") - (sign in "]>)}")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


_SAYS_NOTHING = re.compile(
    r"(?:puts|print|p|pp|warn|raise|fail|require|require_relative|exit|abort|sleep|while|until|for|loop|return|nil|yield"
    r"|attr_\w+)\b|@{1,2}\w+\s*(?:\|\||[-+*/])?=(?!=)"
)


def _last_of_ruby(found: Definition, source: str) -> list[str]:
    """What the last statement of a method gives, where it gives something that is meant."""
    name = found.mark.parts["name"][0]
    if source[name.start : name.end] == "initialize" or source[name.end - 1] == "=" or found.body is None:
        return []
    last = next((mark.span for mark in reversed(found.all("last")) if mark.span.end <= found.body.end), found.body)
    said = source[last.start : last.end].strip()
    return [] if _SAYS_NOTHING.match(said) else [said]


def raises_of(language: str, found: Definition, source: str, declared: str) -> tuple[str, ...]:
    """The names of what leaves the body, in order, each once; before them errors that the type tells of."""
    told: list[str] = []
    if language == "go" and any(part.split()[-1:] == ["error"] for part in _split(declared.strip("()"))):
        told = ["error"]
    elif language == "rust" and (result := _RESULT.match(declared)) is not None:
        parts = _split(result["of"] or "")
        told = [parts[1] if len(parts) > 1 else f"{result['path'] or ''}Error"]
    return tuple(dict.fromkeys(told + _Raises(language, found, source).read()))


class _Raises:
    """What one definition raises."""

    def __init__(self, language: str, found: Definition, source: str) -> None:
        self._language = language
        self._source = source
        self._raises = found.all("raise")
        self._tries = found.all("try")
        self._catches = found.all("catch")
        self._bound = found.all("bound")

    def read(self) -> list[str]:
        return [name for mark in self._raises for name in self._names(mark) if self._leaves(name, mark)]

    def _said(self, span: Span | None) -> str:
        return "" if span is None else self._source[span.start : span.end].strip()

    def _names(self, mark: Mark) -> list[str]:
        """The classes that one statement raises."""
        if mark.sort:
            return ["panic!" if mark.sort == "panic" else mark.sort]
        if (error := mark.part("error")) is not None:
            said = self._said(error)
            if self._language in _MADE and (match := _DOTTED.match(said)):
                return [match[0].lstrip("\\")]
            named = self._class_name(said)
            return [named] if named else self._of_variable(said, mark)
        value = self._said(mark.part("value"))
        if not value:
            if not _BARE.match(self._said(mark.span)):
                return []
            catch = self._catch_around(mark)
            return [] if catch is None else self._caught(catch)
        return self._of_variable(value, mark)

    def _of_variable(self, value: str, mark: Mark) -> list[str]:
        value = re.sub(r"\.with_traceback$|\.with_traceback\(.*", "", value, flags=re.S)
        for catch in reversed(self._catches):
            if self._said(catch.part("as")) == value and _within(mark.span, catch.span):
                return self._caught(catch) or self._unknown()
        # The last that is given to it before, or the ones in the arms of an `if`.
        named = [
            name
            for bound in self._bound
            if self._said(bound.part("name")) == value and bound.span.start < mark.span.start
            and (name := self._class_name(self._said(bound.part("error"))))
        ]  # fmt: skip
        if named:
            return named
        name = self._class_name(value) if self._language in ("python", "ruby") else ""
        return [name] if name else self._unknown()

    def _unknown(self) -> list[str]:
        return ["Error"] if self._language in WEB else []

    def _class_name(self, said: str) -> str:
        """The class that `said` names or makes, or ""."""
        match = _DOTTED.match(said)
        if match is None or said[match.end() : match.end() + 1] not in ("", "(", "<", "{", " ", "\n"):
            return ""
        name = _SELF.sub("", match[0]).removesuffix(".with_traceback").removesuffix(".new")
        last = re.split(r"[.\\]|::", name)[-1]
        return name if _CLASS_LIKE.match(last) or (self._language == "python" and last in _LOWER) else ""

    def _caught(self, catch: Mark) -> list[str]:
        """The classes that a handler is for."""
        said = [self._said(span) for span in catch.parts.get("caught", [])]
        return [
            self._class_name(name) or name for each in said for name in re.split(r"\s*\|\s*", each) if name != "..."
        ]

    def _catch_around(self, mark: Mark) -> Mark | None:
        return next((catch for catch in reversed(self._catches) if _within(mark.span, catch.span)), None)

    def _leaves(self, name: str, mark: Mark) -> bool:
        """Whether no handler around takes it."""
        for each in self._tries:
            body = self._body(each)
            if not _within(mark.span, body):
                continue
            for catch in self._catches:
                # Those of this very `try`: in it, not in its body, nor in what one of its handlers tries.
                is_own = _within(catch.span, each.span) and not _within(catch.span, body)
                nearer = any(
                    other is not each and _within(catch.span, other.span) and _within(other.span, each.span)
                    and not _within(other.span, body) for other in self._tries
                )  # fmt: skip
                if is_own and not nearer and self._takes(catch, name):
                    return False
        return True

    def _body(self, each: Mark) -> Span:
        """What is tried: up to the first handler where the grammar does not say it."""
        body = each.part("body")
        if body is not None and self._language != "ruby":
            return body
        first = next((catch.span.start for catch in self._catches if _within(catch.span, each.span)), each.span.end)
        return Span(each.span.start, max(first, each.span.start))

    def _takes(self, catch: Mark, name: str) -> bool:
        if catch.sort == "filtered":
            return False
        caught = [self._said(span) for span in catch.parts.get("caught", [])]
        if not caught or self._language in WEB:
            if self._language == "ruby":
                return name not in ("Exception", "NotImplementedError", "Interrupt", "SystemExit")
            return True
        return any(self._is_a(name, one) for each in caught for one in re.split(r"\s*\|\s*", each))

    def _is_a(self, name: str, caught: str) -> bool:
        last, other = (re.split(r"[.\\]|::", said)[-1] for said in (name, caught))
        other = re.sub(r"^const\s+|[\s&*]+$", "", other)
        if last == other or other in _ROOTS or caught.strip("() ") == "...":
            return True
        if self._language == "python":
            raised, taken = getattr(builtins, last, None), getattr(builtins, other, None)
            if isinstance(taken, type) and isinstance(raised, type):
                return issubclass(raised, taken)
            return other == "Exception" and last not in _FATAL
        if other in ("Exception", "StandardError"):
            return self._language not in ("java", "php") or not last.endswith("Error")
        if other == "exception":
            return name.startswith("std::")
        return last in _FAMILIES.get(other, ())


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end
