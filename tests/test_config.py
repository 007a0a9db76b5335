"""Options: declared once, every bad value survived with one message, later layers win."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, is_dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from each_row import each_row

from aigc_lsp.config import (
    OTHER_VARIABLES,
    Config,
    Layer,
    Option,
    config_path,
    environment_layer,
    file_layer,
    json_layer,
    options,
    resolve,
)
from aigc_lsp.own_actions import OwnAction

EVERY = each_row("option", {option.key: option for option in options()})


def given(**values: object) -> Layer:
    return Layer("here", values)


def another_value(option: Option) -> Any:
    """A valid value that is not the default."""
    match option.type:
        case "bool":
            return not option.default
        case "int":
            return option.high if option.default != option.high else option.low
        case "list[str]":
            return ["markdown", "plaintext"]
        case "list[action]":
            return [OwnAction("Name it", "Name {selection}.")]
    return next((choice for choice in option.choices if choice != option.default), "another")


def bad_values(option: Option) -> list[object]:
    match option.type:
        case "bool":
            return [1, 0, "true", [], {}]
        case "int":
            assert option.low is not None
            assert option.high is not None
            return [True, "7", 7.0, [7], {}, option.low - 1, option.high + 1, float("nan")]
        case "list[str]":
            return ["python", [1], [""], {"python": True}, True]
        case "list[action]":
            return ["Name it", {"title": "Name it", "prompt": "Name it."}, True, 7]
    # No text at all is a text where that is the default.
    return [3, True, ["cpu"], {}] + ["", "  "] * bool(option.default) + ["unheard of"] * bool(option.choices)


# Declaration


def leaves(section: Any, prefix: str = "") -> list[str]:
    keys = []
    for each in fields(section):
        value = getattr(section, each.name)
        keys += leaves(value, f"{prefix}{each.name}.") if is_dataclass(value) else [prefix + each.name]
    return keys


def test_options_are_the_fields_of_config_each_once() -> None:
    assert [option.key for option in options()] == leaves(Config())


def test_no_two_options_share_a_variable_or_a_document() -> None:
    for name in ("key", "camel_key", "variable", "doc"):
        assert len({getattr(option, name) for option in options()}) == len(options())
    assert not {option.variable for option in options()} & set(OTHER_VARIABLES)


@EVERY
def test_option_is_documented(option: Option) -> None:
    assert option.doc[0].isupper()
    assert option.doc.endswith(".")
    assert option.allowed
    assert (option.type == "int") == (option.low is not None) == (option.high is not None)


@EVERY
def test_default_is_valid(option: Option) -> None:
    assert option.check(option.default) == option.default
    assert attrgetter(option.key)(Config()) == option.default


def test_defaults_without_layers() -> None:
    resolved = resolve()
    assert resolved.config == Config()
    assert resolved.messages == ()
    assert set(resolved.origins.values()) == {"default"}
    assert list(resolved.origins) == [option.key for option in options()]


# Values


@EVERY
def test_every_spelling_sets_the_option(option: Option) -> None:
    value = another_value(option)
    want = tuple(value) if isinstance(value, list) else value
    section, _, name = option.camel_key.rpartition(".")
    nested = {section: {name: value}} if section else {name: value}
    for values in ({option.key: value}, {option.camel_key: value}, nested):
        resolved = resolve(Layer("here", values))
        assert resolved.messages == ()
        assert attrgetter(option.key)(resolved.config) == want
        assert resolved.origins[option.key] == "here"
        assert [key for key, origin in resolved.origins.items() if origin != "default"] == [option.key]


@EVERY
def test_bounds_are_inclusive(option: Option) -> None:
    for bound in (option.low, option.high):
        if bound is not None:
            assert attrgetter(option.key)(resolve(Layer("here", {option.key: bound})).config) == bound


@EVERY
def test_bad_value_leaves_the_layer_below_and_one_message(option: Option) -> None:
    below = Layer("below", {option.key: another_value(option)})
    want = resolve(below)
    for bad in bad_values(option):
        resolved = resolve(below, Layer("above", {option.camel_key: bad}))
        assert resolved.config == want.config
        assert resolved.origins[option.key] == "below"
        (message,) = resolved.messages
        assert message.startswith(f"{option.key} must be {option.allowed}, so ")
        assert message.endswith(" from above is ignored.")


@EVERY
def test_null_means_unset(option: Option) -> None:
    below = Layer("below", {option.key: another_value(option)})
    assert resolve(below, Layer("above", {option.key: None})) == resolve(below)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"completion": {"maxLines": 0}},
            "completion.max_lines must be a whole number from 1 to 200, so 0 from here is ignored.",
        ),
        (
            {"engine.device": "tpu"},
            'engine.device must be "auto" or "cpu" or "cuda", so "tpu" from here is ignored.',
        ),
        ({"enabled": "no"}, 'enabled must be true or false, so "no" from here is ignored.'),
        (
            {"languagesOff": "python"},
            'languages_off must be a list of non-empty texts, so "python" from here is ignored.',
        ),
        ({"model": ""}, 'model must be a non-empty text, so "" from here is ignored.'),
        ({"completion": 5}, "completion is a group of options, so 5 from here is ignored."),
        ({"completion": [1]}, "completion is a group of options, so [1] from here is ignored."),
    ],
)
def test_messages_of_bad_values(values: dict[str, object], message: str) -> None:
    assert resolve(Layer("here", values)).messages == (message,)


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("completion.max_line", "completion.max_lines"),
        ("completion.maxLine", "completion.maxLines"),
        ("maxLines", "completion.maxLines"),
        ("start", "engine.start"),
        ("threads", "engine.threads"),
        ("loglevel", "log_level"),
        ("AIGC_LSP_THREADS", "AIGC_LSP_ENGINE_THREADS"),
        ("zzz", None),
        ("", None),
    ],
)
def test_unknown_key_is_one_message_with_the_nearest_option(key: str, hint: str | None) -> None:
    resolved = resolve(Layer("here", {key: {"a": 1, "b": 2}}))
    assert resolved.config == Config()
    (message,) = resolved.messages
    assert message.startswith(f"There is no option {key}, so its value from here is ignored.")
    assert message.endswith(f"Did you mean {hint}?" if hint else "ignored.")


def test_unknown_null_and_empty_sections_are_silent() -> None:
    assert resolve(given(zzz=None, completion=None, engine={})).messages == ()


def test_one_bad_value_does_not_spoil_its_neighbours() -> None:
    resolved = resolve(given(completion={"max_lines": -1, "max_tokens": 7}, enabled=False))
    assert (resolved.config.completion.max_lines, resolved.config.completion.max_tokens) == (16, 7)
    assert not resolved.config.enabled
    assert len(resolved.messages) == 1


def test_of_two_spellings_in_one_layer_the_later_wins() -> None:
    layer = given(completion={"max_lines": 1, "maxLines": 2})
    assert resolve(layer).config.completion.max_lines == 2


def deep(levels: int) -> list[object]:
    nest: list[object] = []
    for _ in range(levels):
        nest = [nest]
    return nest


@pytest.mark.parametrize(
    "value", [deep(50_000), 1 << 100_000, "x" * 9999, "\udcff", b"\0", object(), {1: {2}}], ids=type
)
def test_messages_of_strange_values_are_short_text(value: object) -> None:
    (message,) = resolve(Layer("here", {"completion.max_lines": value})).messages
    assert len(message) < 200
    message.encode()


def test_strange_keys_make_short_messages() -> None:
    for message in resolve(Layer("here", {"k" * 9999: 1, "\udcff": 1})).messages:
        assert len(message) < 200
        message.encode()


def test_keys_need_not_be_text() -> None:
    values: Any = {1: 2, None: 3, "completion": {4: 5}}
    assert len(resolve(Layer("here", values)).messages) == 3


# Layers


def test_precedence(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[completion]\nmax_lines = 1\nmax_tokens = 1\ndebounce_ms = 1\ntime_budget_ms = 101\n")
    environ = {f"AIGC_LSP_COMPLETION_{name}": "102" for name in ("MAX_TOKENS", "DEBOUNCE_MS", "TIME_BUDGET_MS")}
    layers = [
        file_layer(file)[0],
        environment_layer(environ),
        json_layer("initializationOptions", {"completion": {"debounceMs": 103, "timeBudgetMs": 103}})[0],
        json_layer("workspace/configuration", {"completion.timeBudgetMs": 104})[0],
    ]
    resolved = resolve(*layers)
    assert resolved.messages == ()
    completion = resolved.config.completion
    found = completion.max_lines, completion.max_tokens, completion.debounce_ms, completion.time_budget_ms
    assert found == (1, 102, 103, 104)
    assert [origin for origin in resolved.origins.values() if origin != "default"] == [
        str(file),
        "environment variable AIGC_LSP_COMPLETION_MAX_TOKENS",
        "initializationOptions",
        "workspace/configuration",
    ]


@pytest.mark.parametrize(
    ("name", "text", "key", "value"),
    [
        ("AIGC_LSP_ENGINE_THREADS", "4", "engine.threads", 4),
        ("AIGC_LSP_ENGINE_THREADS", " 4 ", "engine.threads", 4),
        ("AIGC_LSP_ENABLED", "0", "enabled", False),
        ("AIGC_LSP_ENABLED", "Off", "enabled", False),
        ("AIGC_LSP_ENGINE_START", "false", "engine.start", False),
        ("AIGC_LSP_DOWNLOAD", "no", "download", False),
        ("AIGC_LSP_LOG_LEVEL", "debug", "log_level", "debug"),
        ("AIGC_LSP_MODEL", "starcoder2-3b", "model", "starcoder2-3b"),
        ("AIGC_LSP_LANGUAGES_OFF", "markdown, plaintext,", "languages_off", ("markdown", "plaintext")),
    ],
)
def test_environment(name: str, text: str, key: str, value: object) -> None:
    resolved = resolve(environment_layer({name: text, "PATH": "/bin"}))
    assert resolved.messages == ()
    assert attrgetter(key)(resolved.config) == value
    assert resolved.origins[key] == f"environment variable {name}"


@pytest.mark.parametrize("text", ["four", "4.0", "-1", "257", "true", "9" * 5000, "٤"])
def test_bad_environment_variable_is_named(text: str) -> None:
    resolved = resolve(environment_layer({"AIGC_LSP_ENGINE_THREADS": text}))
    assert resolved.config == Config()
    (message,) = resolved.messages
    assert message.startswith("engine.threads must be a whole number from 0 to 256, so ")
    assert message.endswith(" from environment variable AIGC_LSP_ENGINE_THREADS is ignored.")


def test_environment_ignores_what_is_not_an_option_and_what_is_empty() -> None:
    environ = dict.fromkeys(OTHER_VARIABLES, "/somewhere") | {"AIGC_LSP_MODEL": "", "HOME": "/home/u"}
    assert resolve(environment_layer(environ)) == resolve()


def test_unknown_environment_variable() -> None:
    (message,) = resolve(environment_layer({"AIGC_LSP_ENGINE_THRAEDS": "4"})).messages
    assert message == (
        "There is no option AIGC_LSP_ENGINE_THRAEDS, so its value from the environment is ignored."
        " Did you mean AIGC_LSP_ENGINE_THREADS?"
    )


def test_config_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert config_path({"AIGC_LSP_CONFIG": "/etc/aigc.toml"}) == Path("/etc/aigc.toml")
    assert config_path({}).parts[-2:] == ("aigc-lsp", "config.toml")
    file = tmp_path / "mine.toml"
    file.write_text("enabled = false\n")
    monkeypatch.setenv("AIGC_LSP_CONFIG", str(file))
    layer, messages = file_layer()
    assert (layer.origin, dict(layer.values), messages) == (str(file), {"enabled": False}, [])


def test_missing_file_is_an_empty_layer(tmp_path: Path) -> None:
    assert file_layer(tmp_path / "config.toml") == (Layer(str(tmp_path / "config.toml"), {}), [])


def test_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbfenabled = false\r\n")
    assert file_layer(file)[0].values == {"enabled": False}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"enabled = true\nmodel = \n", 2),
        (b"enabled = true\n\n[completion\n", 3),
        (b"enabled = true\nenabled = false\n", 2),
        (b'enabled = true\nmodel = """', 2),
        (b'enabled = true\nmodel = "\xff"\n', 2),
        (b"x = " + b"9" * 5000, 1),
        (b"x = " + b"[" * 20_000, 1),
    ],
)
def test_broken_file_is_one_message_with_its_line(tmp_path: Path, content: bytes, line: int) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(content)
    layer, (message,) = file_layer(file)
    assert layer == Layer(str(file), {})
    assert message.startswith(f"{file}, line {line}: this is not valid TOML (")
    assert message.endswith("), so the whole file is ignored.")


def test_unreadable_file_is_one_message(tmp_path: Path) -> None:
    layer, messages = file_layer(tmp_path)
    assert layer == Layer(str(tmp_path), {})
    assert messages == [f"The configuration file {tmp_path} cannot be read (Is a directory), so it is ignored."]


@pytest.mark.parametrize("obj", [[], "text", 3, True, False, 0, ""])
def test_json_that_is_no_object_is_one_message(obj: object) -> None:
    layer, (message,) = json_layer("initializationOptions", obj)
    assert layer == Layer("initializationOptions", {})
    assert message.startswith("The settings in initializationOptions must be an object, not ")


def test_json_null_is_an_empty_layer() -> None:
    assert json_layer("initializationOptions", None) == (Layer("initializationOptions", {}), [])


def test_importing_loads_nothing_heavy() -> None:
    probe = "import sys, aigc_lsp.config; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert not {"torch", "pygls", "typer", "tomllib", "platformdirs", "difflib"} & set(done.stdout.split())
