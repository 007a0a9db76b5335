"""What a test looks like, language by language: all of it but what is called with which values, and what is expected.

A `Form` has the imports that a file of tests needs, and parts that the model goes on with: each an opening, up to where
values are wanted, and what closes it.
"""

from __future__ import annotations

import builtins
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass

from aigc_lsp.actions.testing_place import PlaceOfTest
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.errors import ActionRefused

_ASSERTS, _BODY = 3, 8
"""Lines that are taken: of calls, one a line, and of a test whose body is free."""


@dataclass(frozen=True, slots=True)
class Part:
    opening: str
    closing: str = ""
    most_lines: int = _BODY
    imports: tuple[str, ...] = ()
    """That it needs beyond those of its form."""


@dataclass(frozen=True, slots=True)
class Form:
    """A new file begins with `imports`, `joint` between them, and `head`; an existing one is given the imports that it
    lacks. `around` is what all parts stand in together. `calls`: what a test that tests something says."""

    head: str
    imports: tuple[str, ...]
    parts: tuple[Part, ...]
    calls: str
    around: tuple[str, str] = ("", "")
    joint: str = "\n"


def form_of(subject: Subject, source: str, place: PlaceOfTest) -> Form:
    """Raises `ActionRefused` where a test cannot reach it."""
    return _FORMS[subject.language](subject, source, place)


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")


def _owner(subject: Subject) -> str:
    """The class that a method is of, or ""."""
    return subject.parent.rpartition(".")[2] if subject.kind in ("method", "property", "constructor") else ""


def _python(subject: Subject, source: str, place: PlaceOfTest) -> Form:
    owner = _owner(subject)
    if subject.parent and not owner:
        raise ActionRefused("This function is inside another one, where no test can reach it.")
    if "." in subject.parent:
        raise ActionRefused("The class is inside another one, and for that no test can be written yet.")
    imported = owner or subject.name
    imports = [f"from {place.module} import {imported}"]
    name = "test_" + "_".join(filter(None, (snake(owner), snake(subject.name).strip("_"))))
    existing = place.before.source if place.before is not None else ""
    name = _free(name, existing)
    arrow = " -> None" if re.search(r"^def test_\w+\(.*\) -> None:", existing, re.M) else ""
    parts = [Part(f"def {name}(){arrow}:\n    {_python_call(subject, owner)}", "", _BODY if owner else _ASSERTS)]
    error = next((each for each in subject.raises if _is_builtin_error(each)), "")
    if error and not owner and not subject.is_async and subject.parameters:
        header = f"def {_free(f'{name}_raises_{snake(error)}', existing)}(){arrow}:"
        parts.append(
            Part(f"{header}\n    with pytest.raises({error}):\n        {subject.name}(", "", 1, ("import pytest",))
        )
    if subject.is_async:
        imports.insert(0, "import asyncio")
    return Form("\n\n\n", tuple(imports), tuple(parts), subject.name, joint="\n\n")


def _python_call(subject: Subject, owner: str) -> str:
    if owner:
        return f"{snake(owner)} = {owner}("
    if subject.yields is not None and not subject.is_async:
        return f"assert list({subject.name}("
    if subject.is_async:
        return f"assert asyncio.run({subject.name}("
    return f"assert {subject.name}(" if subject.returns not in (None, "None") else f"{subject.name}("


def _is_builtin_error(name: str) -> bool:
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, Exception)


def _go(subject: Subject, source: str, place: PlaceOfTest) -> Form:
    package = _first(r"^package (\w+)", source)
    if not package:
        raise ActionRefused("The file says no package, so no test can be written for it.")
    existing = place.before.source if place.before is not None else ""
    inside = _first(r"^package (\w+)", existing) in ("", package)
    if not inside and not subject.name[:1].isupper():
        raise ActionRefused(f"{subject.name} is not exported, and the tests are in a package of their own.")
    call = subject.name if inside else f"{package}.{subject.name}"
    owner = _owner(subject)
    name = _free("Test" + owner + subject.name[:1].upper() + subject.name[1:], existing)
    returns = (subject.returns or "").strip()
    if owner or subject.returns is None:
        body = ""
    elif returns.startswith("(") and re.fullmatch(r"\([^,]+, *error\)", returns):
        body = f"got, err := {call}("
    else:
        body = f"got := {call}(" if not returns.startswith("(") and returns != "error" else f"err := {call}("
    body = "" if returns.startswith("(") and not body.startswith("got, err") else body
    return Form(
        f'package {package}\n\nimport "testing"\n\n',
        (),
        (Part(f"func {name}(t *testing.T) {{\n\t{body}", "}\n"),),
        subject.name,
    )


def _web(subject: Subject, source: str, place: PlaceOfTest) -> Form:
    owner = _owner(subject)
    name = owner or subject.name
    from_ = _relative_import(place)
    exported = rf"export\s+(?:async\s+)?(?:abstract\s+)?(?:function\*?|const|let|class)\s+{re.escape(name)}\b"
    word = re.escape(name)
    listed = rf"export\s*\{{[^}}]*\b{word}\b|exports\.{word}\b|module\.exports\s*=\s*\{{[^}}]*\b{word}\b"
    if re.search(rf"export\s+default\s+(?:async\s+)?(?:function\*?\s+|class\s+)?{re.escape(name)}\b", source):
        imported = f"import {name} from '{from_}';"
    elif "module.exports" in source or re.search(r"^exports\.", source, re.M):
        imported = f"const {{ {name} }} = require('{from_}');" if re.search(listed, source) else ""
    else:
        imported = f"import {{ {name} }} from '{from_}';" if re.search(f"{exported}|{listed}", source) else ""
    if not imported:
        raise ActionRefused(f"{name} is not exported, so no test can reach it.")
    imports, equals = _web_framework(place, imported.startswith("const"))
    wait = "await " if subject.is_async else ""
    opened = f"  it('works', {'async ' if wait else ''}() => {{\n    "
    if owner:
        opened += f"const {owner[:1].lower()}{owner[1:]} = new {owner}("
    elif subject.returns is not None:
        opened += f"{equals}({wait}{subject.name}("
    parts = [Part(opened, "  });\n", _BODY if owner else _ASSERTS)]
    lines = (*imports, imported)
    return Form("\n\n", lines, tuple(parts), subject.name, (f"describe('{name}', () => {{\n", "});\n"))


def _web_framework(place: PlaceOfTest, is_common: bool) -> tuple[tuple[str, ...], str]:
    """The import lines that a test needs, and what compares."""
    said = (place.before.source if place.before is not None else "") + place.manifest
    if "vitest" in said:
        return ("import { describe, expect, it } from 'vitest';",), "expect"
    if "jest" in said or "expect(" in said:
        return (), "expect"
    if is_common:
        return (
            "const assert = require('node:assert/strict');",
            "const { describe, it } = require('node:test');",
        ), "assert.deepEqual"
    return ("import assert from 'node:assert/strict';", "import { describe, it } from 'node:test';"), "assert.deepEqual"


def _relative_import(place: PlaceOfTest) -> str:
    found = posixpath.relpath(place.subject, posixpath.dirname(place.relative) or ".")
    stem, ending = posixpath.splitext(found)
    stem = stem if stem.startswith(".") else f"./{stem}"
    return f"{stem}{ending}" if ending in (".mjs", ".cjs") else stem


def _java(subject: Subject, source: str, place: PlaceOfTest) -> Form:
    owner = subject.parent.rpartition(".")[2]
    if "." in subject.parent or not owner:
        raise ActionRefused("The class is inside another one, and for that no test can be written yet.")
    package = _first(r"^package ([\w.]+);", source)
    package = f"package {package};\n\n" if package else ""
    head = (
        f"{package}import static org.junit.jupiter.api.Assertions.*;\n\nimport java.util.*;\n"
        f"import org.junit.jupiter.api.Test;\n\nclass {owner}Test {{\n"
    )
    existing = place.before.source if place.before is not None else ""
    name = _free(subject.name, existing, r"\bvoid {}\(")
    returns = subject.returns not in (None, "void")
    body = f"assertEquals({owner}.{subject.name}(" if subject.is_static and returns else f"{owner} it = new {owner}("
    return Form(head, (), (Part(f"    @Test\n    void {name}() {{\n        {body}", "    }\n", 4),), subject.name)


def _rust(subject: Subject, source: str, place: PlaceOfTest) -> Form:
    if subject.parent:
        raise ActionRefused("For methods no test can be written yet in Rust.")
    name = _free(f"{subject.name}_works", source, r"\bfn {}\(")
    body = f"assert_eq!({subject.name}(" if subject.returns is not None else f"{subject.name}("
    head = "\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n"
    return Form(
        head, (), (Part(f"    #[test]\n    fn {name}() {{\n        {body}", "    }\n", _ASSERTS),), subject.name
    )


def _free(name: str, existing: str, form: str = r"\b{}\b") -> str:
    """`name`, with a number where it is taken."""
    number, found = 2, name
    while re.search(form.format(re.escape(found)), existing):
        found, number = f"{name}_{number}", number + 1
    return found


def _first(pattern: str, source: str) -> str:
    match = re.search(pattern, source, re.M)
    return match[1] if match else ""


_FORMS: dict[str, Callable[[Subject, str, PlaceOfTest], Form]] = {
    "python": _python,
    "go": _go,
    "java": _java,
    "rust": _rust,
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), _web),
}
