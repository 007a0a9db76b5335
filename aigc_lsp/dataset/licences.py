"""Under which licence a source tree and each of its files stand: what its metadata say, or else its licence files.

Only what is known to be permissive is taken. The first source that says anything decides, also where that is not known.
Of several licences to choose from one will do; of several that hold together each must.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from functools import cache
from itertools import product
from pathlib import Path

PERMISSIVE = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0", "Python-2.0"}
)
APART = frozenset({"MPL-2.0"})
"""File by file permissive enough, but taken only where somebody asks for it."""

_REFUSED = (
    r"Business Source License|\bBUSL\b|\bBSL[- ]1\.1|Functional Source License|\bFSL-\d|Commons[- ]Clause|PolyForm"
    r"|Server Side Public License|\bSSPL\b|Elastic License|\bElastic-2|Source[- ]Available License|Community License"
    r"|Creative Commons Attribution|(?-i:\bCC[- ]BY\b)|creativecommons\.org/licenses/by"
)
"""Texts may have these beside a permissive licence, as what they become later or are but for some uses."""
_GNU = (
    r"GNU (?:(?:Lesser|Affero|Library) )?(?:General Public|[AL]?GPL)"
    r"|\b[AL]?GPL(?: licen[cs]e)?[ ,(-]*(?:v(?:ersion)?\.?)?[ -]?\d"
)
_ADDED = r"advertising materials mentioning|may not be called|complete source code for|for Good, not Evil|SIL OPEN FONT"
"""Conditions beside those of the permissive: in BSD-4-Clause; in Apache-1.1 and PHP; in Sleepycat; in JSON; in OFL."""
_MOZILLA = r"Mozilla Public License,? (?:Version|v\.?) ?2\.0"
_APACHE = r"Apache License,? Version 2\.0"
_TEXTS: Sequence[tuple[str, str]] = (
    ("", rf"{_REFUSED}|{_GNU}|{_ADDED}"),
    ("MPL-2.0", _MOZILLA),
    ("Apache-2.0", rf"{_APACHE},? January 2004|licen[cs]e[sd] [\w ]{{0,30}}under the {_APACHE}"),
    ("PSF-2.0", r"PYTHON SOFTWARE FOUNDATION LICENSE"),
    ("MIT", r"Permission is hereby granted, free of charge, to any person obtaining"),
    ("ISC", r"Permission to use, copy, modify, and(?:/or)? distribute this software for any purpose"),
    ("BSD-3-Clause", r"Redistribution and use in source and binary forms.*Neither the names? of"),
    ("BSD-2-Clause", r"Redistribution and use in source and binary forms"),
)
_ASIDE = re.compile(
    r"means either the GNU .{0,300}? of those licenses|previously distributed under the GNU General Public License"
    r"|combine or link .{0,60}? licensed under the GPLv2",
    re.IGNORECASE,
)
"""Where the MPL-2.0, Python's licence and LLVM's exception name the GNU's."""
_POINTER = re.compile(
    r"in the (?:project |repository )?root|\binclude::|literalinclude|\{include\}|^[./]*/(?:licen[cs]e|copying)",
    re.IGNORECASE,
)
_SHORT = 300  # characters of a text that names a licence or says where it is, and is none

_SPELLINGS: Mapping[str, str] = {
    "0BSD": "0bsd|zero clause bsd 0bsd",
    "Apache-2.0": "apache|apache 2|apache 2.0|apache v2|apache v2.0|apache2|apache 2.0 with llvm exception",
    "BSD-2-Clause": "bsd 2|bsd 2 clause|2 clause bsd|bsd 2clause|simplified bsd",
    "BSD-3-Clause": "bsd|bsd 3|bsd 3 clause|3 clause bsd|bsd 3clause|new bsd|modified bsd|revised bsd",
    "ISC": "isc|iscl|isc iscl",
    "MIT": "mit|expat|mit expat",
    "MIT-0": "mit 0|mit no attribution 0",
    "MPL-2.0": "mpl 2|mpl 2.0|mpl 2.0+|mpl v2|mpl v2.0|mozilla public 2.0|mozilla public v2.0|mozilla public 2.0 mpl",
    "PSF-2.0": "psf|psfl|psf 2.0|python foundation",
    "Python-2.0": "python 2.0",
}
"""Each as `_one` reduces it."""
_NAMES = {each: name for name, spellings in _SPELLINGS.items() for each in spellings.split("|")}
_FILLERS = frozenset({"the", "license", "licence", "software", "version"})
_RIDER = re.compile(r"Commons[- ]Clause", re.IGNORECASE)
"""It takes away from whatever licence it is named with."""
_OR = re.compile(r"\s+or\s+|/|\s*\|\|\s*", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+|,(?!\s*v(?:ersion)?\.?\s*\d)|&", re.IGNORECASE)
_LAST_AND = re.compile(r",\s*and\s+", re.IGNORECASE)
"""Behind a comma, in Debian's words, "and" binds less than "or"."""
_SILENT = re.compile(
    r"(?:unknown|osi approved"
    r"|(?:see )?(?:the )?(?:licen[cs]e in )?\W*(?:licen[cs]e|copying)(?:[-.]\w+)*\W*(?:file\W*)?)?",
    re.IGNORECASE,
)
"""What is written where nothing is said, or where the licence file is to say it."""

_SPDX = re.compile(r"SPDX-License-Identifier:[ \t]*([\w(][\w.+(), -]*)")
_MARKS = re.compile(r"\s+(?:(?:[*#;]+|//+|--+)(?=\s)\s*)*")
"""What stands between two words of a comment."""
_FOREIGN = re.compile(
    rf"{_REFUSED}|(?:{_GNU})(?!.{{0,200}}at your option, one of the above)|Mozilla Public License"
    r"|(?:under (?:the )?(?:terms of the )?|licen[cs]e[\s_]*[:=]\s*[\"']?)[AL]?GPL\b",
    re.IGNORECASE,
)
_RESERVED = re.compile(
    r"\bconfidential\b|all rights reserved(?!.{0,400}(?:Licensed|Redistribution|Permission|license))",
    re.IGNORECASE | re.DOTALL,
)
_HEADER = 2500  # characters of a file in which it may say that it has another licence

_LICENCE_FILE = re.compile(
    r"(?:UN)?LICEN[CS]E.*|COPYING.*|(?i:(?:un)?licen[cs]e|copying)(?:-\w+)?(?:\.(?:txt|md|rst))?"
)
_FIELD = re.compile(r"^(Files|License):(.*(?:\n[ \t].*)*)", re.MULTILINE | re.IGNORECASE)


def licence_of(root: Path) -> str:
    """An SPDX expression of what is known; "" where nothing is, or it is not known to be free."""
    return next(_said(root), "")


def known(said: str) -> str:
    """A licence's name, or the choices among several, in SPDX's words; choices of which a part is not known are left
    out, "" where none is left."""
    if _RIDER.search(said):
        return ""
    found = dict.fromkeys(" AND ".join(dict.fromkeys(each)) for each in _choices(said) if each and all(each))
    return " OR ".join(found)


def _choices(said: str) -> list[list[str]]:
    """Each choice in an expression, as the names that hold together in it; one that is not known is empty."""
    said = said.strip()
    for pattern in (_LAST_AND, _OR, _AND):
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
    return [part for part in (*parts, said[begin:]) if part.strip()]


def _one(said: str) -> str:
    """The licence of which this is a name, as a whole: "MIT with Commons Clause" is none."""
    # A dict, because many say it twice: "MIT License (MIT)".
    words = dict.fromkeys(re.findall(r"\w+(?:\.\w+)*\+?", said.lower()))
    return _NAMES.get(" ".join(word for word in words if word not in _FILLERS), "")


def is_taken(licence: str, with_apart: bool = False) -> bool:
    """Whether one of the choices in `licence` is taken as a whole."""
    allowed = PERMISSIVE | APART if with_apart else PERMISSIVE
    return any(all(part in allowed for part in each.split(" AND ")) for each in licence.split(" OR ") if each)


def is_foreign(text: str, with_apart: bool = False) -> bool:
    """Whether the head of a file says that it stands under a licence that is not taken."""
    head = text[:_HEADER]
    if not all(is_taken(known(said.strip(" -")), with_apart) for said in _SPDX.findall(head)):
        return True
    if _RESERVED.search(head):
        return True
    words = _MARKS.sub(" ", _SPDX.sub("", head))
    if with_apart:
        words = re.sub(_MOZILLA, "", words, flags=re.IGNORECASE)
    return _FOREIGN.search(words) is not None


class Terms:
    """Which files of a tree stand under a licence that is taken, by what the tree says of its folders and files.

    The tree's own licence is asked for before.
    """

    def __init__(self, root: Path, with_apart: bool = False) -> None:
        self._root, self._with_apart = root, with_apart
        self._stanzas = list(_stanzas(root))
        self._folders = {root: True}

    def takes(self, path: Path) -> bool:
        name = path.relative_to(self._root).as_posix()
        last = next((each.licence for each in reversed(self._stanzas) if each.names(name)), None)
        return (last is None or is_taken(last, self._with_apart)) and self._takes_folder(path.parent)

    def _takes_folder(self, folder: Path) -> bool:
        """Not where it, or one above, has a licence file of its own that says otherwise."""
        if folder not in self._folders:
            own = _of_files(folder)
            is_own = own is None or is_taken(own, self._with_apart)
            self._folders[folder] = is_own and self._takes_folder(folder.parent)
        return self._folders[folder]


@dataclass(frozen=True, slots=True)
class _Stanza:
    """What Debian's copyright file says of some files; the last that names a file holds."""

    patterns: tuple[str, ...]
    licence: str

    def names(self, path: str) -> bool:
        return any(_glob(each).fullmatch(path) for each in self.patterns)


def _stanzas(root: Path) -> Iterator[_Stanza]:
    found = [
        {name.lower(): said.strip() for name, said in _FIELD.findall(paragraph)}
        for paragraph in re.split(r"\n\s*\n", _text(root / "debian" / "copyright"))
    ]
    texts: dict[str, str] = {}
    for said in (each.get("license", "") for each in found):
        name, _, text = said.partition("\n")
        if text:
            texts.setdefault(name.strip(), said)
    for each in found:
        if "files" in each:
            name = each.get("license", "").partition("\n")[0].strip()
            # Many a name is the file's own, and what its text says.
            licence = known(name) or _judged(texts.get(name, "")) or ""
            yield _Stanza(tuple(pattern.rstrip(",") for pattern in each["files"].split()), licence)


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    """Debian's own: `*` and `?` stand for slashes as well, a backslash makes them signs like others."""
    signs = re.findall(r"\\.|.", pattern.removeprefix("./"))
    return re.compile("".join({"*": ".*", "?": "."}.get(sign) or re.escape(sign[-1]) for sign in signs))


def _said(root: Path) -> Iterator[str]:
    """What the tree says of itself, as `known` has it, the most exact first."""
    yield from [each.licence for each in _stanzas(root) if "*" in each.patterns][-1:]
    yield from (found for said in _metadata(root) if (found := _judged(said)) is not None)
    if (found := _of_files(root)) is not None:
        yield found


def _metadata(root: Path) -> Iterator[str]:
    head = HeaderParser().parsestr(_text(root / "PKG-INFO"))
    yield head.get("License-Expression", "")
    classifiers = [each.removeprefix("License :: ") for each in head.get_all("Classifier", []) if "License ::" in each]
    named = [each.removeprefix("OSI Approved").removeprefix(" :: ") for each in classifiers]
    yield " and ".join(each.replace(" and ", " ") for each in named if each)
    yield head.get("License", "")
    for name in ("package.json", "composer.json"):
        yield from _of_json(_text(root / name))
    for name in ("Cargo.toml", "pyproject.toml"):
        if match := re.search(r"^license\s*=\s*(?:\{\s*text\s*=\s*)?[\"']([^\"']+)", _text(root / name), re.MULTILINE):
            yield match[1]
    for path in sorted(root.glob("*.gemspec")):
        if match := re.search(r"\.licenses?\s*=\s*\[?\s*[\"']([^\"']+)", _text(path)):
            yield match[1]


def _of_json(text: str) -> Iterator[str]:
    try:
        said = json.loads(text or "{}").get("license", "")
    except (ValueError, AttributeError):
        return
    said = said if isinstance(said, list) else [said]
    named = [each.get("type", "") if isinstance(each, dict) else each for each in said]
    yield " or ".join(map(str, filter(None, named)))


def _of_files(folder: Path) -> str | None:
    """What the licence files in a folder say; None where there is none, or it says nothing."""
    found = [path for path in sorted(folder.iterdir()) if _LICENCE_FILE.fullmatch(path.name) and path.is_file()]
    names = [name for path in found if (name := _judged(_text(path))) is not None]
    # Several files are a choice by custom (LICENSE-MIT, LICENSE-APACHE).
    return (" OR ".join(dict.fromkeys(names)) if all(names) else "") if names else None


def _judged(said: str) -> str | None:
    """The licence that a name or a text says; "" where it is not known, None where nothing is said."""
    said = _ASIDE.sub("", " ".join(re.sub(r"^ +\.$", "", said, flags=re.MULTILINE).split()))
    if _SILENT.fullmatch(said) or (len(said) < _SHORT and _POINTER.search(said)):
        return None
    if len(said) < _SHORT and (name := known(said)):
        return name
    return next((name for name, pattern in _TEXTS if re.search(pattern, said, re.IGNORECASE)), "")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace") if path.is_file() else ""
    except OSError:
        return ""
