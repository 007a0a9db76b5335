"""Which definitions others use, so that a docstring is missed where there is none.

What pydocstyle has for Python: no underscore before its name or that of what encloses it, in no function, in `__all__`
where there is one. Unlike there, a module without code, a constructor, a special method, and what a decorator says to
be told about elsewhere (an overload, an override, a property's setter) need none, and neither do tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from aigc_lsp.docstring.subject import Subject
from aigc_lsp.text import Span, Text

_TEST = re.compile(r"(?:^|/)(?:(?:tests?|__tests__|spec)/|test_|conftest\.py$)|[._](?:test|spec)\.\w+$|_tests?\.\w+$")
_ELSEWHERE = re.compile(r"(?:.*\.)?(?:overload|override|overrides|setter|deleter|Override)$")
_ALL = re.compile(r"^__all__\s*(?::[^=\n]*)?\+?=\s*[\[(]([^\])]*)[\])]", re.MULTILINE)
_EXPORTS = re.compile(r"\bexport\s*(?:type\s*)?\{([^}]*)\}|\bexport\s+default\s+(\w+)\s*;?\s*$", re.MULTILINE)
_ESM = re.compile(r"^\s*export\b", re.MULTILINE)


def is_test(path: str) -> bool:
    """Whether the file at `path`, relative to what was asked for, holds tests by its name."""
    return _TEST.search(path.replace("\\", "/")) is not None


def public(found: Sequence[Subject], text: Text) -> list[Subject]:
    """Those of a file's subjects that others use, in order."""
    if not found:
        return []
    source = text.source
    seen = _SEEN.get(found[0].language, _anything)
    exported = _exported(source, found[0].language)
    kept: list[Subject] = []
    around: list[tuple[Subject, bool]] = []  # what encloses the next, and whether that is public
    for subject in found:
        while around and not _holds(around[-1][0].span, subject.span):
            around.pop()
        is_inner = any(_is_called(each) for each, _ in around)
        is_public = not is_inner and all(shown for _, shown in around) and seen(subject, source)
        if exported is not None and not around and subject.kind != "module":
            is_public = is_public and _is_exported(subject, source, exported)
        if subject.kind != "module":
            around.append((subject, is_public))
        if is_public and not _needs_none(subject, source):
            kept.append(subject)
    return kept


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _is_called(subject: Subject) -> bool:
    return subject.kind not in ("class", "module")


def _needs_none(subject: Subject, source: str) -> bool:
    if subject.kind == "module":
        return subject.language != "python" or not _has_code(source)
    if subject.is_overload or subject.kind == "constructor":
        return True
    if any(_ELSEWHERE.match(name) for name in subject.decorators):
        return True
    return subject.language == "python" and re.fullmatch(r"__\w+__", subject.name) is not None


def _has_code(source: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in source.splitlines())


def _exported(source: str, language: str) -> set[str] | None:
    """The names that a file hands out, where it says so."""
    if language == "python":
        listed = _ALL.findall(source)
        return set(re.findall(r"[\"'](\w+)[\"']", " ".join(listed))) if listed else None
    if language in _WEB and _ESM.search(source):
        return _words(name for found in _EXPORTS.findall(source) for name in found)
    return None


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in re.findall(r"\w+", text)}


def _is_exported(subject: Subject, source: str, exported: set[str]) -> bool:
    lead = source[subject.span.start : subject.header.end]
    return subject.name in exported or (subject.language in _WEB and re.match(r"[^({]*\bexport\b", lead) is not None)


def _anything(subject: Subject, source: str) -> bool:
    return not subject.name.startswith("_")


def _python(subject: Subject, source: str) -> bool:
    return not subject.name.startswith("_") or re.fullmatch(r"__\w+__", subject.name) is not None


def _web(subject: Subject, source: str) -> bool:
    return not subject.name.startswith(("_", "#")) and not re.search(
        r"\b(?:private|protected)\b", _lead(subject, source)
    )


def _go(subject: Subject, source: str) -> bool:
    return subject.kind == "module" or all(
        name[:1].isupper() for name in [subject.name, *subject.parent.split(".")] if name
    )


def _rust(subject: Subject, source: str) -> bool:
    return subject.kind == "module" or re.search(r"\bpub(?!\s*\()", _lead(subject, source)) is not None


def _declared_public(subject: Subject, source: str) -> bool:
    return re.search(r"\bpublic\b", _lead(subject, source)) is not None


def _php(subject: Subject, source: str) -> bool:
    return not re.search(r"\b(?:private|protected)\b", _lead(subject, source))


def _c(subject: Subject, source: str) -> bool:
    return not subject.name.startswith("_") and not re.match(r"\s*static\b", _lead(subject, source))


def _lead(subject: Subject, source: str) -> str:
    """What stands before the name."""
    return source[subject.header.start : subject.header.end].partition(subject.name)[0]


_WEB = ("javascript", "javascriptreact", "typescript", "typescriptreact")
_SEEN: dict[str, Callable[[Subject, str], bool]] = {
    "python": _python,
    **dict.fromkeys(_WEB, _web),
    "go": _go,
    "rust": _rust,
    "java": _declared_public,
    "csharp": _declared_public,
    "php": _php,
    "c": _c,
    "cpp": _c,
}
