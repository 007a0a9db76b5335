"""What linters say of one docstring in a file: ruff's pydocstyle rules, and eslint-plugin-jsdoc.

Both run in processes of their own. ESLint comes from npm, pinned, into the user's cache folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigc_lsp.errors import FetchFailed

SECONDS = 60.0

ESLINT = {"eslint": "10.15.0", "eslint-plugin-jsdoc": "62.9.0"}

_CONVENTIONS = {"google": "google", "numpy": "numpy", "sphinx": "pep257"}

STRUCTURE = frozenset(
    f"jsdoc/{rule}"
    for rule in (
        *("require-param", "check-param-names", "require-param-name", "require-returns", "require-returns-check"),
        *("require-yields", "require-yields-check", "require-throws"),
    )
)
"""The rules that hold a JSDoc comment against its function; `require-throws` is not among the recommended ones."""

_SCRIPT = """
import { ESLint } from "eslint";
import jsdoc from "eslint-plugin-jsdoc";
import * as espree from "espree";
const asked = JSON.parse(await new Response(process.stdin).text());
const eslint = new ESLint({
    overrideConfigFile: true,
    overrideConfig: [
        jsdoc.configs["flat/recommended"],
        { languageOptions: { sourceType: asked.type }, rules: { "jsdoc/require-throws": "warn" } },
    ],
});
const [found] = await eslint.lintText(asked.after, { filePath: "written.js" });
const code = (text) => {
    const options = { ecmaVersion: "latest", sourceType: asked.type };
    return JSON.stringify(espree.tokenize(text, options).map((token) => [token.type, token.value]));
};
let same = false;
try { same = code(asked.before) === code(asked.after); } catch { same = false; }
const messages = found.messages.map(({ line, ruleId, message }) => ({ line, rule: ruleId, message }));
process.stdout.write(JSON.stringify({ same, messages }));
"""


@dataclass(frozen=True, slots=True)
class Message:
    """`line` counts from 1."""

    line: int
    rule: str
    said: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What ESLint says, and whether the code, comments aside, is the same before and after."""

    is_same: bool
    messages: tuple[Message, ...]


def ruff_path() -> str | None:
    return shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")


def ruff(source: str, convention: str) -> list[Message]:
    """What pydocstyle's rules have to say of a file of a convention (google, numpy, sphinx)."""
    command = [
        str(ruff_path()), "check", "--isolated", "--no-cache", "--select", "D", "--output-format", "json",
        "--config", f'lint.pydocstyle.convention="{_CONVENTIONS[convention]}"', "--stdin-filename", "written.py", "-",
    ]  # fmt: skip
    done = subprocess.run(command, input=source, capture_output=True, text=True, timeout=SECONDS)
    return [
        Message(each["location"]["row"], each["code"] or "syntax", each["message"]) for each in json.loads(done.stdout)
    ]


def fetch_eslint(into: Path) -> Path:
    """The folder of ESLint with its plugin, fetched where it is missing. Raises `FetchFailed`."""
    target = into / "-".join(f"{name}-{version}" for name, version in ESLINT.items())
    if (target / "look.mjs").is_file():
        return target
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise FetchFailed("eslint-plugin-jsdoc needs Node.js, which is not on this machine.")
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into, prefix=".fetching-") as scratch:
        fresh = Path(scratch, "eslint")
        fresh.mkdir()
        (fresh / "package.json").write_text(json.dumps({"private": True, "dependencies": ESLINT}))
        (fresh / "look.mjs").write_text(_SCRIPT)
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        done = subprocess.run(command, cwd=fresh, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180)
        if done.returncode:
            raise FetchFailed(f"npm could not fetch ESLint ({done.stderr.strip()[-200:] or done.returncode}).")
        fresh.rename(target)
    return target


def eslint(folder: Path, before: str, after: str) -> Looked:
    """What ESLint from `folder` says of `after`."""
    kind = "module" if any(line.startswith(("import ", "export ")) for line in before.splitlines()) else "commonjs"
    found = _node(folder, {"before": before, "after": after, "type": kind})
    messages = (Message(each["line"], each["rule"] or "syntax", each["message"]) for each in found["messages"])
    return Looked(found["same"], tuple(messages))


def _node(folder: Path, asked: Mapping[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        ["node", "look.mjs"],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    if done.returncode:
        raise FetchFailed(f"ESLint could not be run ({done.stderr.strip()[-300:]}).")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
