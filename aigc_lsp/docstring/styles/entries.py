"""What stands behind a tag: a type, a name and a phrase, in the order and the brackets of its style."""

from __future__ import annotations

import re

from aigc_lsp.docstring.doc import Slot, SlotKind, bare, read
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import prose
from aigc_lsp.docstring.styles.flavours import Flavour
from aigc_lsp.docstring.styles.typed import declared, parameter_of
from aigc_lsp.docstring.subject import Subject

_CLOSING = {"{": "}", "[": "]", "<": ">", "(": ")"}
_NAME = re.compile(r"([^\s,]+(?:,\s*[^\s,]+(?=,|\s+-|\s*$))*),?(?:\s+|$)")
_ERROR = re.compile(r"[\w.\\:]*(?:Error|Exception|Fault|Throwable|Interrupt)[,:]?$")
_LINK = re.compile(r"\{@link\s+([^}|\s]+)[^}]*\}\s*|\{([^}@]+)\}\s*|\[([^\]]+)\](?!\()\s*")
_DASH = re.compile(r"^[-–—:](?:\s+|$)")
_DIRECTION = re.compile(r"\[\s*((?:in|out)(?:\s*,\s*(?:in|out))*|inout)\s*\]\s*")
_YARD_TYPES = {"rest": "Array", "keywords": "Hash", "block": "Proc"}
_DEFAULT_TYPES = (
    (re.compile(r"-?[\d.]+(?:e\d+)?$"), "number"),
    (re.compile(r"[\"'`].*[\"'`]$", re.DOTALL), "string"),
    (re.compile(r"(?:true|false)$"), "boolean"),
    (re.compile(r"\[.*\]$", re.DOTALL), "Array"),
    (re.compile(r"\{.*\}$", re.DOTALL), "object"),
    (re.compile(r".*=>|function\b", re.DOTALL), "(...args: unknown[]) => unknown"),
)


def parsed(kind: SlotKind, tag: str, lines: list[str], subject: Subject, flavour: Flavour) -> Slot | None:
    """The slot that the lines of a tag say; None where a name is missing that the tag needs."""
    rest = lines[0].partition(tag)[2].strip()
    if kind in ("returns", "yields"):
        type, rest = _php_type(rest) if flavour.type == "php" else _type(rest, flavour)
        return _slot(flavour, lines, "", type, rest)
    if kind == "raises":
        name, rest = _error(rest, subject, flavour)
        return _slot(flavour, lines, name, "", rest)
    type, rest = _type(rest, flavour) if kind != "generics" else ("", rest)
    if not rest:
        return None
    name, rest = _name(rest)
    if flavour.type == "[]" and not type:
        type, rest = _type(rest, flavour)
    name = ", ".join(bare(each.strip()) for each in name.partition("=")[0].split(","))
    return _slot(flavour, lines, name, type, _DASH.sub("", rest, count=1))


def _slot(flavour: Flavour, lines: list[str], name: str, type: str, first: str) -> Slot:
    return read(flavour.style, "", lines, name, type, prose.hung([first, *lines[1:]]))


def _bracketed(text: str) -> int:
    """Where the bracket that begins `text` is closed, or -1."""
    opening, closing = text[:1], _CLOSING.get(text[:1], "")
    depth = 0
    for at, character in enumerate(text):
        depth += (character == opening) - (character == closing)
        if depth == 0:
            return at
    return -1


def _type(text: str, flavour: Flavour) -> tuple[str, str]:
    """The type that a text begins with, and the rest."""
    if flavour.type == "php":
        return ("", text) if re.match(r"(?:\.\.\.|&)*\$", text) else _php_type(text)
    if flavour.type == "[in]":
        direction = _DIRECTION.match(text)
        return (direction[1], text[direction.end() :]) if direction else ("", text)
    brackets = {"{}": "{", "[]": "[", "tolerated": "{"}.get(flavour.type)
    if brackets and text.startswith(brackets) and not text.startswith("{@") and (end := _bracketed(text)) > 0:
        return text[1:end].strip(), text[end + 1 :].lstrip()
    return "", text


def _php_type(text: str) -> tuple[str, str]:
    """PHP has the type first, up to a blank that stands in no brackets."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character in "<({[") - (character in ">)}]")
        if character.isspace() and depth <= 0:
            return text[:at], text[at:].lstrip()
    return text, ""


def _name(text: str) -> tuple[str, str]:
    """A parameter's name, in brackets with its default where JSDoc says that it is optional, and the rest."""
    if text.startswith("[") and (end := _bracketed(text)) > 0:
        return text[1:end].strip(), text[end + 1 :].lstrip()
    found = _NAME.match(text)
    return (found[1], text[found.end() :]) if found else (text, "")


def _error(text: str, subject: Subject, flavour: Flavour) -> tuple[str, str]:
    """The error's name and the rest; where a style does not always name one, only what looks like an error is one."""
    link = _LINK.match(text)
    if link is not None and flavour.raised != "{}":
        return (link[1] or link[2] or link[3]).strip(), _DASH.sub("", text[link.end() :], count=1)
    name, _, rest = text.partition(" ")
    known = name.rstrip(":,") in subject.raises or bool(_ERROR.match(name))
    if flavour.raised == "{}" or known:
        return name, rest.lstrip()
    return "", text


def head(slot: Slot, kind: str, subject: Subject, layout: Layout, flavour: Flavour) -> str:
    """The tag, the type and the name of a slot that is written anew."""
    tag = next((each for each, of in flavour.kinds.items() if of == kind), "")
    if kind == "generics":
        tag = tag or "param"
        return f"{tag} {flavour.generic.format(slot.name)}"
    if kind == "raises":
        return f"{tag} {flavour.raised.format(slot.name)}" if slot.name else tag
    type = _type_to_write(slot, kind, subject, layout, flavour)
    name = _name_to_write(slot, subject, flavour) if kind in ("parameters", "attributes") else ""
    if flavour.style == "doxygen":
        return f"{tag}{f'[{type}]' if type else ''} {name}".rstrip()
    typed = {"{}": f"{{{type}}}", "tolerated": f"{{{type}}}", "[]": f"[{type}]"}.get(flavour.type, type) if type else ""
    words = (tag, name, typed) if flavour.type == "[]" else (tag, typed, name)
    return " ".join(word for word in words if word)


def _type_to_write(slot: Slot, kind: str, subject: Subject, layout: Layout, flavour: Flavour) -> str:
    """What the docstring says, or, where the file's docstrings have types, the signature or a default tells."""
    if slot.type or flavour.type in ("", "[in]", "tolerated"):
        return slot.type
    if flavour.type == "php" and kind == "returns":
        return declared(slot, kind, subject) or "mixed"
    if not layout.types:
        return ""
    if type := declared(slot, kind, subject):
        return type
    parameter = parameter_of(slot, subject)
    if flavour.style == "yard" and kind in ("parameters", "returns"):
        return _YARD_TYPES.get(parameter.kind if parameter else "", "Object")
    if flavour.style != "jsdoc":
        return ""
    if parameter is None:
        return "unknown" if subject.always_returns or kind != "returns" else "unknown | undefined"
    if any(each.name.startswith(f"{parameter.name}.") for each in subject.parameters):
        return "object"
    guess = next((name for pattern, name in _DEFAULT_TYPES if pattern.match(parameter.default)), "unknown")
    return f"...{guess}" if parameter.kind == "rest" else guess


def _name_to_write(slot: Slot, subject: Subject, flavour: Flavour) -> str:
    parameter = parameter_of(slot, subject)
    if flavour.style == "phpdoc":
        dots = "..." if parameter and parameter.kind == "rest" else ""
        return ", ".join(f"{dots}${name}" for name in slot.names)
    if flavour.style == "jsdoc" and parameter and parameter.optional | bool(parameter.default):
        return f"[{slot.name}]"  # the default is the code's to say (eslint-plugin-jsdoc's no-defaults)
    return slot.name
