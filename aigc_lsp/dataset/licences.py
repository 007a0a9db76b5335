"""Under which licence a source tree stands: what its metadata say, or else the text of its licence file.

Only what is known to be permissive is taken. Of several to choose from one will do; of several that hold together each
must.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

PERMISSIVE = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0", "Python-2.0"}
)
APART = frozenset({"MPL-2.0"})
"""File by file permissive enough, but taken only where somebody asks for it."""

_TEXTS: Sequence[tuple[str, str]] = (
    ("", r"GNU (?:LESSER |AFFERO |LIBRARY )?GENERAL PUBLIC LICENSE"),
    ("MPL-2.0", r"Mozilla Public License,? (?:Version|v\.?) ?2\.0"),
    ("Apache-2.0", r"Apache License,?\s+Version 2\.0"),
    ("PSF-2.0", r"PYTHON SOFTWARE FOUNDATION LICENSE"),
    ("MIT", r"Permission is hereby granted, free of charge, to any person obtaining"),
    ("ISC", r"Permission to use, copy, modify, and(?:/or)? distribute this software for any purpose"),
    ("BSD-3-Clause", r"Redistribution and use in source and binary forms.*Neither the names? of"),
    ("BSD-2-Clause", r"Redistribution and use in source and binary forms"),
)
_NAMES: Sequence[tuple[str, str]] = (
    ("", r"\b[AL]?GPL|GNU|proprietary|commercial|CC-BY|SSPL|Business Source|Elastic"),
    ("MPL-2.0", r"MPL|Mozilla Public"),
    ("Apache-2.0", r"Apache"),
    ("MIT-0", r"MIT-0"),
    ("MIT", r"\bMIT\b|\bExpat\b"),
    ("BSD-3-Clause", r"BSD[- ]3|3-clause|New BSD|Modified BSD"),
    ("BSD-2-Clause", r"BSD[- ]2|2-clause|Simplified BSD"),
    ("0BSD", r"\b0BSD"),
    ("BSD-3-Clause", r"\bBSD\b"),
    ("ISC", r"\bISC"),
    ("PSF-2.0", r"\bPSF|Python Software Foundation|^Python-2\.0$"),
)
_OR, _AND = re.compile(r"\s+or\s+|/|\s*\|\|\s*", re.IGNORECASE), re.compile(r"\s+and\s+|,|&", re.IGNORECASE)
_CLASSIFIER = re.compile(r"^Classifier: License :: (?:OSI Approved :: )?(.+)$", re.MULTILINE)
_FOREIGN = re.compile(
    r"GNU (?:Lesser |Affero |Library )?General Public|SPDX-License-Identifier:\s*\(?[AL]?GPL|\bconfidential\b"
    r"|all rights reserved(?!.{0,400}(?:Licensed|Redistribution|Permission|license))",
    re.IGNORECASE | re.DOTALL,
)
_HEADER = 2500  # characters of a file in which it may say that it has another licence


def licence_of(root: Path) -> str:
    """An SPDX expression of what is known; "" where nothing is, or it is not known to be free."""
    for said in _said(root):
        if found := known(said):
            return found
    return ""


def known(said: str) -> str:
    """A licence's name, or the choices among several, in SPDX's words; choices of which a part is not known are left
    out, "" where none is left."""
    found = dict.fromkeys(" AND ".join(dict.fromkeys(each)) for each in _choices(said) if each and all(each))
    return " OR ".join(found)


def _choices(said: str) -> list[list[str]]:
    """Each choice in an expression, as the names that hold together in it; one that is not known is empty."""
    said = said.strip()
    for pattern in (_OR, _AND):
        parts = _split(said, pattern)
        if len(parts) > 1:
            found = [_choices(part) for part in parts]
            if pattern is _OR:
                return [choice for choices in found for choice in choices]
            return [[name for choice in each for name in choice] for each in product(*found)]
    if said.startswith("(") and said.endswith(")"):
        return _choices(said[1:-1])
    return [[_one(said)]]


def _split(said: str, pattern: re.Pattern[str]) -> list[str]:
    """At the matches that stand in no brackets."""
    parts, begin = [], 0
    for match in pattern.finditer(said):
        if said.count("(", 0, match.start()) == said.count(")", 0, match.start()):
            parts.append(said[begin : match.start()])
            begin = match.end()
    return [*parts, said[begin:]]


def is_taken(licence: str, with_apart: bool = False) -> bool:
    """Whether one of the choices in `licence` is taken as a whole."""
    allowed = PERMISSIVE | APART if with_apart else PERMISSIVE
    return any(all(part in allowed for part in each.split(" AND ")) for each in licence.split(" OR ") if each)


def is_foreign(text: str) -> bool:
    """Whether the head of a file says that it stands under another licence than its project."""
    return _FOREIGN.search(text, 0, _HEADER) is not None


def _one(said: str) -> str:
    return next((name for name, pattern in _NAMES if re.search(pattern, said, re.IGNORECASE)), "")


def _said(root: Path) -> Iterator[str]:
    """What the tree says of itself, the most exact first."""
    yield from _metadata(root)
    yield from _debian(root)
    found = [path for path in sorted(root.iterdir()) if re.match(r"(?i)(un)?licen[cs]e|copying", path.name)]
    names = [_by_text(path.read_text("utf-8", "replace")) for path in found if path.is_file()]
    if names and all(names):
        # Several files are a choice by custom (LICENSE-MIT, LICENSE-APACHE).
        yield " OR ".join(names)
    for name in ("Cargo.toml", "pyproject.toml"):
        if match := re.search(r"^license\s*=\s*\"([^\"]+)\"", _text(root / name), re.MULTILINE):
            yield match[1]
    for path in sorted(root.glob("*.gemspec")):
        if match := re.search(r"\.licenses?\s*=\s*\[?\s*[\"']([^\"']+)", _text(path)):
            yield match[1]


def _metadata(root: Path) -> Iterator[str]:
    head = _text(root / "PKG-INFO").partition("\n\n")[0]
    if match := re.search(r"^License-Expression: (.+)$", head, re.MULTILINE):
        yield match[1]
    yield " and ".join(re.sub(r" and ", " ", each) for each in _CLASSIFIER.findall(head))
    if match := re.search(r"^License: (.{2,60})$", head, re.MULTILINE):
        yield match[1]
    for name in ("package.json", "composer.json"):
        try:
            said = json.loads(_text(root / name) or "{}").get("license", "")
        except (ValueError, AttributeError):
            continue
        if said and isinstance(said, str):
            yield said
        elif isinstance(said, list):
            yield " or ".join(map(str, said))


def _debian(root: Path) -> Iterator[str]:
    """What Debian's copyright file says of the upstream files (`Files: *`)."""
    said = _text(root / "debian" / "copyright")
    if match := re.search(r"^Files:\s*\*.*?^License:[ \t]*(\S[^\n]*)$", said, re.MULTILINE | re.DOTALL):
        yield match[1]


def _by_text(text: str) -> str:
    said = re.sub(r"\s+", " ", text)
    return next((name for name, pattern in _TEXTS if re.search(pattern, said, re.IGNORECASE)), "")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace") if path.is_file() else ""
    except OSError:
        return ""
