"""What the signature says of a slot: its type, its stars."""

from __future__ import annotations

from aigc_lsp.docstring.doc import Slot, bare
from aigc_lsp.docstring.subject import Parameter, Subject


def parameter_of(slot: Slot, subject: Subject) -> Parameter | None:
    """The parameter or attribute that a slot tells about."""
    candidates = (*subject.parameters, *subject.attributes)
    return next((each for each in candidates if bare(each.name) in map(bare, slot.names)), None)


def declared(slot: Slot, kind: str, subject: Subject) -> str:
    """The type of a slot: what the docstring says, or else the signature, on one line."""
    if slot.type:
        return slot.type
    if kind == "returns":
        return " ".join((subject.returns or "").split())
    if kind == "yields":
        return " ".join((subject.yields or "").split())
    parameter = parameter_of(slot, subject) if kind in ("parameters", "attributes") else None
    return " ".join(parameter.type.split()) if parameter else ""


def starred(slot: Slot, subject: Subject) -> str:
    """A parameter's name with the stars that Python has."""
    kinds = {bare(each.name): each.kind for each in subject.parameters}
    stars = {"rest": "*", "keywords": "**"}
    return ", ".join(stars.get(kinds.get(bare(name), ""), "") + name for name in slot.names)
