"""Every option of aigc-lsp: declared once, checked once, resolved from layers into one frozen `Config`.

An option is a field below; its metadata holds its documentation, what is allowed and whether a change takes
effect while the server runs. Its dotted key is its path: `completion.max_lines`. Layers, later wins:

    defaults < config.toml < AIGC_LSP_* variables < initializationOptions < workspace/configuration `aigc`

Invariants:
- Resolving never fails. A value that is not allowed leaves the value of the layer below in force and adds
  exactly one message, a sentence for the user; an unknown key adds one too.
- Null (and an empty variable) means unset.
- Whoever holds a `Config` may trust it: types and ranges were checked.

`operator.attrgetter("completion.max_lines")(config)` reads a value by its dotted key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from aigc_lsp import own_actions
from aigc_lsp.own_actions import OwnAction

Value = bool | int | str | tuple[str, ...] | tuple[OwnAction, ...]

VARIABLE_PREFIX = "AIGC_LSP_"
# Variables with our prefix that are no options: where things lie on this machine, and the model server's own secret.
OTHER_VARIABLES = (
    "AIGC_LSP_CONFIG",
    "AIGC_LSP_ENGINE_TOKEN",
    "AIGC_LSP_MODELS_DIR",
    "AIGC_LSP_RUNTIME_DIR",
    "AIGC_LSP_STATE_DIR",
)


def resolve(*layers: Layer) -> Resolved:
    """The configuration that `layers` give on top of the defaults; later layers win. Never raises."""
    values = {option.key: option.default for option in _OPTIONS}
    origins = dict.fromkeys(values, "default")
    messages: list[str] = []
    for layer in layers:
        for key, given in _flatten(layer.values):
            option = _SPELLINGS.get(key)
            if option is not None and option.type == _ACTIONS:
                given, wrong = _sound_actions(given, layer.where(option.key))
                messages += wrong
                if wrong and not given:
                    continue
            if option is None:
                messages.append(_unknown(key, given, layer))
            elif (value := option.check(given)) is None:
                messages.append(_refused(option, given, layer))
            else:
                values[option.key] = value
                origins[option.key] = layer.where(option.key)
    return Resolved(_filled(Config(), values), tuple(messages), origins)


def options() -> list[Option]:
    """Every option, in the order of declaration."""
    return list(_OPTIONS)


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the user's config.toml is, whether it exists or not."""
    if named := environ.get("AIGC_LSP_CONFIG"):
        return Path(os.path.expanduser(named))
    import platformdirs

    return platformdirs.user_config_path("aigc-lsp") / "config.toml"


def file_layer(path: Path | None = None) -> tuple[Layer, list[str]]:
    """The user's config.toml. A missing file is an empty layer; a broken one is that and a message."""
    import tomllib

    path = path or config_path()
    origin = str(path)
    data = b""
    try:
        data = path.read_bytes()
        return Layer(origin, tomllib.loads(data.decode("utf-8-sig"))), []
    except FileNotFoundError:
        return Layer(origin, {}), []
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Layer(origin, {}), [f"The configuration file {origin} cannot be read ({reason}), so it is ignored."]
    except (ValueError, RecursionError) as error:
        where, reason = f"{origin}, line {_line_of(error, data)}", str(error).partition(" (at ")[0]
        return Layer(origin, {}), [f"{where}: this is not valid TOML ({reason}), so the whole file is ignored."]


def environment_layer(environ: Mapping[str, str] = os.environ) -> Layer:
    """`AIGC_LSP_ENGINE_THREADS=4` and the like. Lists are comma-separated; an empty variable is unset."""
    known = {option.variable: option for option in _OPTIONS}
    values: dict[str, object] = {}
    for name, text in environ.items():
        if not name.startswith(VARIABLE_PREFIX) or name in OTHER_VARIABLES or not text.strip():
            continue
        if option := known.get(name):
            values[option.key] = option.parse(text)
        else:
            values[name] = text
    places = {option.key: f"environment variable {name}" for name, option in known.items()}
    return Layer("the environment", values, places)


def json_layer(origin: str, obj: object) -> tuple[Layer, list[str]]:
    """A client's JSON object; keys in snake_case or camelCase, nested or dotted. Null is an empty layer."""
    if obj is None:
        return Layer(origin, {}), []
    if isinstance(obj, Mapping):
        return Layer(origin, obj), []
    return Layer(origin, {}), [f"The settings in {origin} must be an object, not {_show(obj)}, so they are ignored."]


@dataclass(frozen=True, slots=True)
class Layer:
    """Values from one place. Keys are as the user wrote them; nothing is checked yet.

    Of two spellings of one option the later in `values` wins.
    """

    origin: str  # as messages name it: a path, "initializationOptions", …
    values: Mapping[str, object]
    places: Mapping[str, str] = field(default_factory=dict)  # dotted key → a more exact origin

    def where(self, key: str) -> str:
        return self.places.get(key, self.origin)


@dataclass(frozen=True, slots=True)
class Resolved:
    config: Config
    messages: tuple[str, ...]  # sentences for the user
    origins: Mapping[str, str]  # dotted key → where its value came from; "default" where nobody set it


@dataclass(frozen=True, slots=True)
class About:
    """What a field of `Config` says about itself."""

    doc: str
    low: int | None = None
    high: int | None = None
    choices: tuple[str, ...] = ()
    live: bool = True
    of: str = "str"
    """What a list is of."""


@dataclass(frozen=True, slots=True)
class Option:
    key: str  # dotted: "completion.max_lines"
    type: str  # "bool", "int", "str", "list[str]", "list[action]"
    default: Value
    doc: str
    low: int | None  # inclusive bounds; every int has both, nothing else has any
    high: int | None
    choices: tuple[str, ...]  # empty: any text
    live: bool  # a change takes effect without a restart

    @property
    def allowed(self) -> str:
        """What is allowed, to be read after "must be"."""
        match self.type:
            case "bool":
                return "true or false"
            case "int":
                return f"a whole number from {self.low} to {self.high}"
            case "list[str]":
                return "a list of non-empty texts"
            case "list[action]":
                return "a list of tables, each with at least a title and a prompt"
        return " or ".join(f'"{choice}"' for choice in self.choices) or (
            "a non-empty text" if self.default else "a text"
        )

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return VARIABLE_PREFIX + self.key.upper().replace(".", "_")

    @property
    def camel_key(self) -> str:
        """The dotted key as JSON clients spell it: "completion.maxLines"."""
        return re.sub(r"_([a-z])", lambda match: match[1].upper(), self.key)

    def check(self, given: object) -> Value | None:
        """`given` as this option's value, None where it is not allowed."""
        match self.type, given:
            case "bool", bool():
                return given
            case "int", int() if not isinstance(given, bool):
                return given if self._in_range(given) else None
            case "str", str() if given.strip() or not self.default:
                return given.strip() if not self.choices or given in self.choices else None
            case "list[str]", list() | tuple() if all(isinstance(item, str) and item.strip() for item in given):
                return tuple(given)
            case "list[action]", list() | tuple() if all(isinstance(item, OwnAction) for item in given):
                return tuple(given)
        return None

    def parse(self, text: str) -> object:
        """An environment variable's text as the type of this option; the text itself where it is not one."""
        text = text.strip()
        match self.type:
            case "bool":
                return _BOOL_WORDS.get(text.lower(), text)
            case "int":
                return int(text) if re.fullmatch(r"[+-]?[0-9]{1,20}", text) else text
            case "list[str]":
                return [item.strip() for item in text.split(",") if item.strip()]
            case "list[action]":
                import json

                try:
                    return json.loads(text)
                except ValueError:
                    return text
        return text

    def _in_range(self, number: int) -> bool:
        return (self.low is None or number >= self.low) and (self.high is None or number <= self.high)


def about(
    doc: str,
    low: int | None = None,
    high: int | None = None,
    choices: tuple[str, ...] = (),
    live: bool = True,
    of: str = "str",
) -> dict[str, About]:
    """The metadata of an option's field."""
    return {"about": About(doc, low, high, choices, live, of)}


@dataclass(frozen=True, slots=True)
class CompletionConfig:
    max_lines: int = field(default=16, metadata=about("The most lines that one suggestion has.", 1, 200))
    max_tokens: int = field(
        default=96,
        metadata=about("The most tokens generated for one suggestion; for a single line at most 48 are used.", 1, 1024),
    )
    debounce_ms: int = field(
        default=75,
        metadata=about(
            "The most milliseconds to wait with a question to the model while keys come twice as fast as it answers.",
            0,
            2000,
        ),
    )
    time_budget_ms: int = field(
        default=3000,
        metadata=about("Milliseconds after which a suggestion is shown as far as it has got.", 100, 60_000),
    )
    latency_target_ms: int = field(
        default=250,
        metadata=about(
            "Milliseconds within which a suggestion should come while one types; it bounds how long a line gets.",
            50,
            60_000,
        ),
    )
    cold_latency_target_ms: int = field(
        default=900,
        metadata=about(
            "Milliseconds within which a suggestion should come in a file that was not read before; it bounds how "
            "much of the file is read.",
            100,
            60_000,
        ),
    )
    max_file_bytes: int = field(
        default=2_000_000,
        metadata=about("Documents larger than this many bytes get no suggestions.", 1, 1_000_000_000),
    )
    never: tuple[str, ...] = field(
        default=(), metadata=about("Texts that no suggestion may contain; one that does is not shown.")
    )
    in_secret_files: bool = field(
        default=False,
        metadata=about("Offer suggestions in files for secrets (.env, keys, credentials, …), too."),
    )
    learn: bool = field(
        default=True,
        metadata=about(
            "Learn from what you accept and keep how sure to be before a suggestion is shown. The counts, without any "
            "text, stay in a file on this machine."
        ),
    )


@dataclass(frozen=True, slots=True)
class ContextConfig:
    prefix_tokens: int = field(
        default=1024,
        metadata=about("The most tokens of text before the cursor that the model reads.", 64, 16_384),
    )
    suffix_tokens: int = field(
        default=256,
        metadata=about("The most tokens of text after the cursor that the model reads.", 0, 8192),
    )
    extra_tokens: int = field(
        default=256,
        metadata=about("The most tokens from elsewhere in the workspace that the model reads; 0 for none.", 0, 8192),
    )
    exclude: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Files that are never read as context, and in which nothing is suggested: patterns as in a .gitignore at "
            "the top of the workspace."
        ),
    )


DOCSTRING_STYLES = ("auto", "google", "numpy", "sphinx", "epytext", "plain", "jsdoc", "tsdoc", "javadoc", "kdoc",
                    "phpdoc", "doxygen", "yard", "rustdoc", "go", "csharp", "shell")  # fmt: skip


@dataclass(frozen=True, slots=True)
class DocstringConfig:
    style: str = field(
        default="auto",
        metadata=about(
            "The style of new docstrings; auto is the file's, else the project's, else the language's own. Where the "
            "language cannot have the style it counts as auto.",
            choices=DOCSTRING_STYLES,
        ),
    )
    stale_hints: bool = field(
        default=True,
        metadata=about("Mark what a docstring says of parameters, errors and results that its function does not have."),
    )
    ghost: bool = field(
        default=True,
        metadata=about("Suggest the whole docstring where one is begun (three quotes, /** or ///)."),
    )


@dataclass(frozen=True, slots=True)
class EngineConfig:
    threads: int = field(
        default=0,
        metadata=about("Threads to compute on; 0 means as many as physical cores allow.", 0, 256, live=False),
    )
    device: str = field(
        default="auto",
        metadata=about(
            "Where the model runs; auto takes a CUDA device where there is one.",
            choices=("auto", "cpu", "cuda"),
            live=False,
        ),
    )
    profile: str = field(
        default="fast",
        metadata=about(
            "Which weights are used; fast reads prompts with bfloat16 ones, small has packed ones only.",
            choices=("fast", "small"),
            live=False,
        ),
    )
    kv_bytes: int = field(
        default=512 << 20,
        metadata=about(
            "The most bytes of memory for the KV cache, which makes repeated requests fast.",
            1 << 20,
            1 << 40,
            live=False,
        ),
    )
    memory_bytes: int = field(
        default=0,
        metadata=about(
            "The most bytes of memory that all models together may take; 0 means as much as is free. A model that does "
            "not fit beside another takes its place.",
            0,
            1 << 50,
            live=False,
        ),
    )
    idle_unload: int = field(
        default=900,
        metadata=about(
            "Seconds without a request after which a model's weights are dropped; the next request loads them again "
            "in two or three seconds. 0 means never.",
            0,
            2_592_000,
            live=False,
        ),
    )
    idle_exit: int = field(
        default=1800,
        metadata=about(
            "Seconds without a client or a request after which the model server exits; 0 means never.",
            0,
            2_592_000,
            live=False,
        ),
    )
    start: bool = field(default=True, metadata=about("Start a model server when none runs."))
    url: str = field(
        default="",
        metadata=about(
            "Ask the server at this address (http:// or https://) instead of a model on this machine. Your code goes "
            "there.",
        ),
    )
    api: str = field(
        default="infill",
        metadata=about(
            "What the server at engine.url speaks: infill is llama-server's and ours, openai is /v1/completions.",
            choices=("infill", "openai"),
        ),
    )
    fim: str = field(
        default="render",
        metadata=about(
            "How a hole is told to an OpenAI API: render writes the prompt as `model` wants it, suffix uses the field "
            "of that name.",
            choices=("render", "suffix"),
        ),
    )
    remote_model: str = field(
        default="",
        metadata=about("The model's name at engine.url; else the first that it lists."),
    )
    token_env: str = field(
        default="",
        metadata=about("The environment variable that holds the token for engine.url."),
    )
    timeout_ms: int = field(
        default=5000,
        metadata=about("Milliseconds after which a request to engine.url is given up.", 100, 600_000),
    )


@dataclass(frozen=True, slots=True)
class Config:
    enabled: bool = field(default=True, metadata=about("Offer suggestions at all."))
    languages_off: tuple[str, ...] = field(
        default=(),
        metadata=about("LSP language identifiers (such as markdown) for which nothing is suggested."),
    )
    model: str = field(
        default="qwen2.5-coder-0.5b",
        metadata=about("The model, by its name in the catalogue.", live=False),
    )
    download: bool = field(
        default=True,
        metadata=about("Let the model server fetch a missing model by itself.", live=False),
    )
    completion: CompletionConfig = CompletionConfig()
    context: ContextConfig = ContextConfig()
    docstring: DocstringConfig = DocstringConfig()
    engine: EngineConfig = EngineConfig()
    actions: tuple[OwnAction, ...] = field(
        default=(),
        metadata=about(
            "Code actions of your own: tables with title, prompt, kind, where and languages. A prompt may have "
            + ", ".join(f"{{{name}}}" for name in own_actions.PLACEHOLDERS)
            + "; where (show, replace, above, below) says what becomes of the answer.",
            of="action",
        ),
    )
    log_level: str = field(
        default="warning",
        metadata=about("The least severe messages that are logged.", choices=("debug", "info", "warning", "error")),
    )


def _declared(section: Any, prefix: str = "") -> Iterator[Option]:
    for each in fields(section):
        key, default = prefix + each.name, getattr(section, each.name)
        if is_dataclass(default):
            yield from _declared(default, f"{key}.")
            continue
        said: About = each.metadata["about"]
        type_name = f"list[{said.of}]" if isinstance(default, tuple) else type(default).__name__
        yield Option(key, type_name, default, said.doc, said.low, said.high, said.choices, said.live)


_ACTIONS = "list[action]"
_BOOL_WORDS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}
_OPTIONS = tuple(_declared(Config()))
_SPELLINGS = {spelling: option for option in _OPTIONS for spelling in (option.key, option.camel_key)}
_SECTIONS = {spelling.rpartition(".")[0] for spelling in _SPELLINGS} - {""}


def _sound_actions(given: object, where: str) -> tuple[object, list[str]]:
    """The actions among `given`, and a sentence for each that is none; `given` itself where it is no list."""
    if not isinstance(given, list | tuple):
        return given, []
    sound, wrong = [], []
    for number, entry in enumerate(given, 1):
        found = own_actions.read(entry)
        if isinstance(found, OwnAction):
            sound.append(found)
        else:
            name = entry.get("title") if isinstance(entry, Mapping) else None
            called = f" ({_show(name)})" if isinstance(name, str) and name.strip() else ""
            wrong.append(f"Number {number} of actions{called} {found}, so it is ignored. It is from {where}.")
    return sound, wrong


def _flatten(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """(dotted key as written, value) of all that is set, in order; enters known sections only."""
    for name, value in values.items():
        key = f"{prefix}{name}"
        if key in _SECTIONS and isinstance(value, Mapping):
            yield from _flatten(value, f"{key}.")
        elif value is not None:
            yield key, value


def _filled(section: Any, values: Mapping[str, Value], prefix: str = "") -> Any:
    """`section` with each field set to its entry in `values`."""
    filled: dict[str, object] = {}
    for each in fields(section):
        key, default = prefix + each.name, getattr(section, each.name)
        filled[each.name] = _filled(default, values, f"{key}.") if is_dataclass(default) else values[key]
    return replace(section, **filled)


def _refused(option: Option, given: object, layer: Layer) -> str:
    where = layer.where(option.key)
    return f"{option.key} must be {option.allowed}, so {_show(given)} from {where} is ignored."


def _unknown(key: str, given: object, layer: Layer) -> str:
    if key in _SECTIONS:
        return f"{key} is a group of options, so {_show(given)} from {layer.origin} is ignored."
    nearest = _nearest(key)
    hint = f" Did you mean {nearest}?" if nearest else ""
    return f"There is no option {_short(key)}, so its value from {layer.origin} is ignored.{hint}"


def _nearest(key: str) -> str | None:
    """The option most like `key`, spelled in the manner of `key`; the section may be left out."""
    from difflib import get_close_matches

    if key.startswith(VARIABLE_PREFIX):
        candidates = {option.variable: option.variable for option in _OPTIONS}
    else:
        candidates = {spelling.rpartition(".")[2]: spelling for spelling in _SPELLINGS}
        candidates |= {spelling: spelling for spelling in _SPELLINGS}
    matches = get_close_matches(key, candidates, n=1)
    return candidates[matches[0]] if matches else None


def _line_of(error: Exception, data: bytes) -> int:
    """The line, from 1, on which decoding `data` failed; the last one where the error does not say."""
    if isinstance(error, UnicodeDecodeError):
        return data.count(b"\n", 0, error.start) + 1
    said = re.search(r"at line (\d+)", str(error))
    return int(said[1]) if said else data.count(b"\n") + 1


def _show(value: object) -> str:
    """`value` as JSON, short enough for a message."""
    import json

    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        text = f"a value of type {type(value).__name__}"
    return _short(text)


def _short(text: str) -> str:
    """`text` fit for a message: at most 60 characters, and no lone surrogates."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 60 else f"{text[:59]}…"
