"""The settings in package.json, made of the options of aigc-lsp; `python editors/vscode/settings.py` writes them.

Every option is a setting. What decides which program runs, what it runs on and where code goes is not for a workspace
to say: `engine.*` belongs to the machine, and an untrusted workspace sets nothing but what is `HARMLESS`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aigc_lsp.config import Option, options
from aigc_lsp.own_actions import WHERE

PACKAGE = Path(__file__).with_name("package.json")

TITLES = {
    "": "Suggestions",
    "completion": "Suggestions: details",
    "context": "What the model sees",
    "docstring": "Docstrings",
    "engine": "The model server",
}
MACHINE = ("engine.", "download", "server.")
HARMLESS = ("enabled", "languages_off", "completion.max_", "completion.debounce", "completion.latency", "docstring.")
TYPES: dict[str, dict[str, Any]] = {
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "str": {"type": "string"},
    "list[str]": {"type": "array", "items": {"type": "string"}},
    "list[action]": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["title", "prompt"],
            "additionalProperties": False,
            "properties": {
                **{name: {"type": "string"} for name in ("title", "prompt", "kind")},
                "where": {"enum": list(WHERE), "enumDescriptions": list(WHERE.values())},
                "languages": {"type": "array", "items": {"type": "string"}},
            },
        },
    },
}
OURS = {
    "aigc.server.command": {
        "type": "array",
        "items": {"type": "string"},
        "default": [],
        "scope": "machine",
        "markdownDescription": "The program `aigc-lsp` and its arguments, without `serve`: such as "
        '`["/home/me/venv/bin/aigc-lsp"]`. Empty: the one on PATH, else the one that this extension has set up.',
    },
    "aigc.server.pipArguments": {
        "type": "array",
        "items": {"type": "string"},
        "default": [],
        "scope": "machine",
        "markdownDescription": "More arguments for `pip install` where this extension sets the server up: such as an "
        "index that has PyTorch's build for CPUs, which is a tenth as large.",
    },
    "aigc.trace.server": {
        "type": "string",
        "enum": ["off", "messages", "verbose"],
        "default": "off",
        "scope": "window",
        "description": "Write what passes between VS Code and the server to the log. It holds your source text.",
    },
}


def configuration() -> list[dict[str, Any]]:
    """`contributes.configuration`: a group for each section of the options, and our own."""
    groups: dict[str, dict[str, Any]] = {section: {} for section in TITLES}
    for option in options():
        section = option.key.rpartition(".")[0]
        groups.setdefault(section, {})[f"aigc.{option.camel_key}"] = _setting(option)
    named = [(TITLES.get(section, section.capitalize()), settings) for section, settings in groups.items() if settings]
    return [{"title": title, "properties": settings} for title, settings in [*named, ("The language server", OURS)]]


def restricted() -> list[str]:
    """What an untrusted workspace does not set."""
    return ["aigc.server.command", "aigc.server.pipArguments"] + [
        f"aigc.{option.camel_key}" for option in options() if not option.key.startswith(HARMLESS)
    ]


def filled(package: dict[str, Any]) -> dict[str, Any]:
    package["contributes"]["configuration"] = configuration()
    package["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"] = restricted()
    return package


def _setting(option: Option) -> dict[str, Any]:
    default = list(option.default) if isinstance(option.default, tuple) else option.default
    setting = TYPES[option.type] | {"default": default}
    if option.low is not None:
        setting |= {"minimum": option.low, "maximum": option.high}
    if option.choices:
        setting["enum"] = list(option.choices)
    scope = "machine" if option.key.startswith(MACHINE) else "window"
    return setting | {"scope": scope, "description": option.doc}


if __name__ == "__main__":
    written = filled(json.loads(PACKAGE.read_text(encoding="utf-8")))
    PACKAGE.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
