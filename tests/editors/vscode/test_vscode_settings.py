"""package.json says of the options what config.py says, and keeps from a workspace what is not for it to set."""

from __future__ import annotations

import copy
import json
import sys

import pytest
from desk import REPOSITORY

from aigc_lsp import __version__
from aigc_lsp.config import Layer, options, resolve

FOLDER = REPOSITORY / "editors" / "vscode"
sys.path.insert(0, str(FOLDER))

import settings  # noqa: E402

PACKAGE = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
DECLARED = {
    name: each for group in PACKAGE["contributes"]["configuration"] for name, each in group["properties"].items()
}


def test_every_option_is_a_setting_as_it_is_declared() -> None:
    assert settings.filled(copy.deepcopy(PACKAGE)) == PACKAGE, "run `python editors/vscode/settings.py`"
    assert set(DECLARED) - set(settings.OURS) == {f"aigc.{option.camel_key}" for option in options()}


def test_the_defaults_are_allowed_and_are_the_defaults() -> None:
    ours = {name.removeprefix("aigc."): each["default"] for name, each in DECLARED.items() if name not in settings.OURS}
    found = resolve(Layer("VS Code", ours))
    assert found.messages == ()
    assert found.config == resolve().config


@pytest.mark.parametrize("name", ["aigc.server.command", "aigc.engine.url", "aigc.engine.tokenEnv", "aigc.download"])
def test_the_machine_says_what_runs_and_where_code_goes(name: str) -> None:
    assert DECLARED[name]["scope"] == "machine"


def test_an_untrusted_workspace_sets_little() -> None:
    free = set(DECLARED) - set(PACKAGE["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"])
    assert not {name for name in free if name.startswith(("aigc.engine.", "aigc.context.", "aigc.server."))}
    assert not free & {"aigc.model", "aigc.completion.inSecretFiles", "aigc.completion.never"}
    assert {"aigc.enabled", "aigc.languagesOff"} <= free


def test_every_command_of_ours_is_declared_and_the_version_is_the_server_s() -> None:
    source = (FOLDER / "src" / "extension.ts").read_text(encoding="utf-8")
    declared = [each["command"] for each in PACKAGE["contributes"]["commands"]]
    assert len(declared) == len(set(declared))
    of_the_server = {"aigc.writeDocstring", "aigc.explain", "aigc.writeTest", "aigc.completeTodo"}
    assert {name for name in declared if f'command("{name}"' not in source} == of_the_server
    assert PACKAGE["version"] == __version__
