"""What projects' files say, and that one in a wrong form says nothing."""

from __future__ import annotations

import json

import pytest

from aigc_lsp.index.projects import Project, is_project_file, project_from, project_of


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a/go.mod", "// c\nmodule x.org/y // v\n", Project("go", "a", "x.org/y")),
        ("go.mod", 'module "x.org/y"\n', Project("go", "", "x.org/y")),
        (
            "a/package.json",
            '{"name": "n", "main": "./lib/i.js", "imports": {"#u/*": {"node": "./src/u/*.js"}}}',
            Project("node", "a", "n", (("#u/*", ("a/src/u/*.js",)),), ("a/lib/i.js",)),
        ),
        ("package.json", '{"name": "n", "exports": "./i.js"}', Project("node", "", "n", (), ("i.js",))),
        (
            "a/tsconfig.json",
            '\ufeff{"compilerOptions": {"paths": {"~/*": ["./s//*", "../../out/*"]}}} // "end"',
            Project("typescript", "a", aliases=(("~/*", ("a/s/*",)),)),
        ),
        (
            "jsconfig.json",
            '{"compilerOptions": {/* "x" */ "baseUrl": "src", "paths": {"a//b": ["c"]}}}',
            Project("typescript", "", aliases=(("a//b", ("src/c",)), ("*", ("src/*",)))),
        ),
        (
            "composer.json",
            '{"autoload": {"psr-4": {"A\\\\": ["s/", "t"]}}}',
            Project("php", "", aliases=(("A/*", ("s/*", "t/*")),)),
        ),
        (
            "c/Cargo.toml",
            '[package]\nname = "a-b"\n',
            Project("rust", "c", "a_b", entries=("c/src/lib.rs", "c/src/main.rs")),
        ),
        ("pyproject.toml", "not toml at all [", Project("python", "")),
    ],
)
def test_what_a_project_s_file_says(path: str, text: str, expected: Project) -> None:
    assert is_project_file(path.rpartition("/")[2])
    found = project_of(path, text)
    assert found == expected
    assert project_from(json.loads(json.dumps(found))) == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package.json", "{"),
        ("package.json", "[]"),
        ("package.json", "null"),
        ("tsconfig.json", "{}"),
        ("tsconfig.json", '{"compilerOptions": {"paths": 3}}'),
        ("tsconfig.json", '{"compilerOptions": []}'),
        ("tsconfig.json", "[" * 100_000),
        ("go.mod", "go 1.22"),
        ("Cargo.toml", "= ="),
        ("Cargo.toml", "[workspace]"),
        ("Cargo.toml", "package = 3"),
        ("composer.json", '{"autoload": {"psr-4": [1]}}'),
    ],
)
def test_a_file_in_a_wrong_form_says_nothing(path: str, text: str) -> None:
    assert project_of(path, text) is None


@pytest.mark.parametrize("name", ["tsconfig.txt", "mytsconfig.json", "package-lock.json", "go.sum", "a.json"])
def test_other_files_are_no_projects(name: str) -> None:
    assert not is_project_file(name)
