"""Every error that a user may see. Each message is a sentence that says what to do next.

AigcError
├── UsageError            the command or its arguments are wrong (exit code 2)
├── ModelError            something about a model
│   ├── UnknownModel      no descriptor of that name
│   ├── ModelMissing      known, but not on this machine
│   ├── ModelDamaged      bytes on disk differ from their digest
│   └── FetchFailed       no source could deliver it, or the disk is full
├── DocstringRefused      a docstring cannot be written here without touching more than docstrings
├── ActionRefused         what the model said is of no use, so nothing is changed
├── DocumentChanged       what an edit was made for is another by now, so it is not applied
└── EngineUnavailable     the model server cannot be reached or cannot serve
    ├── EngineHung        it is there and gives no sign of life
    ├── Superseded        the request was ended before it began
    └── ModelUnavailable  it answers, but cannot have the model
"""

from __future__ import annotations


class AigcError(Exception):
    """Base of all errors with a message fit for a user; `exit_code` is the process's."""

    exit_code = 1


class UsageError(AigcError):
    exit_code = 2


class ModelError(AigcError):
    pass


class UnknownModel(ModelError):
    exit_code = 2


class ModelMissing(ModelError):
    pass


class ModelDamaged(ModelError):
    pass


class FetchFailed(ModelError):
    pass


class PackedElsewhere(ModelDamaged):
    """Packed for another processor or another torch: converting it again mends it."""


class NotEnoughMemory(ModelError):
    pass


class DocstringRefused(AigcError):
    pass


class ActionRefused(AigcError):
    pass


class DocumentChanged(AigcError):
    pass


class EngineUnavailable(AigcError):
    pass


class EngineHung(EngineUnavailable):
    """It is there and gives no sign of life."""


class Superseded(EngineUnavailable):
    """The request was ended before it began: by its client, or by a newer one of the same document."""


class ModelUnavailable(EngineUnavailable):
    pass
