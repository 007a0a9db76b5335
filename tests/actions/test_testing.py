"""Tests that are written: where they go, and all of them but the values, whatever the model says."""

from __future__ import annotations

import pytest
from scripted_chat import Say, Scripted, applied, document

from aigc_lsp.actions import Asked, Placed, PlaceOfTest, run
from aigc_lsp.actions.testing_place import manifests, module_of, place_of
from aigc_lsp.config import Config
from aigc_lsp.errors import ActionRefused
from aigc_lsp.index.paths import Paths
from aigc_lsp.text import Text


def paths(*names: str) -> Paths:
    found = Paths()
    for name in names:
        found.add(name)
    return found


@pytest.mark.parametrize(
    ("subject", "language", "others", "expected"),
    [
        ("till.py", "python", (), "test_till.py"),
        ("shop/till.py", "python", ("tests/test_desk.py",), "tests/test_till.py"),
        ("shop/till.py", "python", ("tests/shop/test_desk.py",), "tests/shop/test_till.py"),
        ("src/shop/till.py", "python", ("tests/shop/test_desk.py",), "tests/shop/test_till.py"),
        ("shop/till.py", "python", ("shop/test_desk.py", "tests/test_all.py"), "shop/test_till.py"),
        ("shop/till.py", "python", ("tests/unit/test_till.py",), "tests/unit/test_till.py"),
        ("shop/till.py", "python", ("shop/till_test.py",), "shop/till_test.py"),
        ("pkg/till.go", "go", (), "pkg/till_test.go"),
        ("src/main/java/a/Till.java", "java", (), "src/test/java/a/TillTest.java"),
        ("src/till.ts", "typescript", (), "src/till.test.ts"),
        ("src/till.ts", "typescript", ("src/desk.spec.ts",), "src/till.spec.ts"),
        ("src/till.ts", "typescript", ("src/__tests__/desk.test.ts",), "src/__tests__/till.test.ts"),
        ("src/till.js", "javascript", ("test/desk.test.js",), "test/till.test.js"),
        ("src/till.rs", "rust", ("tests/till_test.rs",), "src/till.rs"),
    ],
)
def test_where_a_test_goes(subject: str, language: str, others: tuple[str, ...], expected: str) -> None:
    assert place_of(paths(subject, *others), subject, language) == expected


@pytest.mark.parametrize(
    ("subject", "others", "expected"),
    [
        ("till.py", (), "till"),
        ("shop/till.py", ("shop/__init__.py",), "shop.till"),
        ("src/shop/till.py", ("src/shop/__init__.py",), "shop.till"),
        ("src/shop/till.py", (), "shop.till"),
        ("a/b/till.py", ("a/b/__init__.py",), "b.till"),
        ("shop/__init__.py", (), "shop"),
    ],
)
def test_under_which_name_a_test_imports_it(subject: str, others: tuple[str, ...], expected: str) -> None:
    assert module_of(paths(subject, *others), subject) == expected


def test_which_package_json_counts() -> None:
    assert list(manifests("a/b/c.js")) == ["a/b/package.json", "a/package.json", "package.json"]


PYTHON = (
    "def ¦total(prices):\n    if not prices:\n        raise ValueError('none')\n    return sum(prices)\n\n\n"
    "async def later(a):\n    return a\n\n\nclass Till:\n    def open(self):\n        return 1\n"
)
GO = 'package shop\n\nimport "errors"\n\nfunc ¦Total(prices []int) (int, error) {\n\treturn 0, errors.New("x")\n}\n'
TS = "export function ¦total(prices: number[]): number {\n  return 0;\n}\n"
COMMON = "function ¦total(prices) {\n  return 0;\n}\n\nmodule.exports = { total };\n"
JAVA = "package shop;\n\nclass Till {\n    static int ¦total(int a) {\n        return a;\n    }\n}\n"
RUST = "pub fn ¦total(a: i32) -> i32 {\n    a\n}\n"


async def written(
    source: str, name: str, said: Say, before: str | None = None, manifest: str = "", relative: str = "t/x"
) -> str:
    made, span = document(source, name)
    place = PlaceOfTest("/work/t", relative, name, None if before is None else Text(before), "shop.till", manifest)
    backend = Scripted(said)
    outcome = await run(Asked("writeTest", span), made, backend, Config(), place)
    assert isinstance(outcome, Placed)
    assert outcome.path == "/work/t"
    assert all(source.replace("¦", "")[:40] in hole.input_extra[0][1] for hole in backend.holes)
    return applied(outcome.before or Text(""), outcome.edits)


ASSERTS = (
    "[1]) == 1\n    assert total([2]) == 2\n    assert total([3]) == 3\n    assert total([4]) == 4\n\n\ndef more():\n"
)


async def test_a_new_file_in_python() -> None:
    assert await written(PYTHON, "shop/till.py", ASSERTS, relative="tests/test_till.py") == (
        "from shop.till import total\n\n\ndef test_total():\n"
        "    assert total([1]) == 1\n    assert total([2]) == 2\n    assert total([3]) == 3\n"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_an_existing_file_in_python(end: str) -> None:
    before = (
        "from __future__ import annotations\n\nfrom shop.till import Till\n\n\n"
        "def test_total() -> None:\n    assert Till()\n\n\nif __name__ == '__main__':\n    main()\n"
    )
    after = await written(PYTHON, "shop/till.py", "[1]) == 1\n", before.replace("\n", end))
    assert after == (
        "from __future__ import annotations\n\nfrom shop.till import Till\nfrom shop.till import total\n\n\n"
        "def test_total() -> None:\n    assert Till()\n\n\n"
        "def test_total_2() -> None:\n    assert total([1]) == 1\n\n\nif __name__ == '__main__':\n    main()\n"
    ).replace("\n", end)


@pytest.mark.parametrize(("wrong", "is_kept"), [("[]", True), ("[1]", False)])
async def test_what_raises_is_tested_where_the_model_knows_how(wrong: str, is_kept: bool) -> None:
    after = await written(
        PYTHON, "shop/till.py", lambda hole: f"{wrong})\n" if "raises(" in hole.input_prefix else "[1]) == 1\n"
    )
    plain = "from shop.till import total\n\n\ndef test_total():\n    assert total([1]) == 1\n"
    more = "\n\ndef test_total_raises_value_error():\n    with pytest.raises(ValueError):\n        total([])\n"
    assert after == (f"import pytest\n\n{plain}{more}" if is_kept else plain)


@pytest.mark.parametrize(
    ("at", "said", "expected"),
    [
        (
            "later",
            "1)) == 1\n",
            "import asyncio\n\nfrom shop.till import later\n\n\n"
            "def test_later():\n    assert asyncio.run(later(1)) == 1\n",
        ),
        (
            "open",
            ")\n    assert till.open() == 1\n",
            "from shop.till import Till\n\n\ndef test_till_open():\n    till = Till()\n    assert till.open() == 1\n",
        ),
    ],
)
async def test_other_shapes_in_python(at: str, said: str, expected: str) -> None:
    source = PYTHON.replace("¦", "").replace(f"def {at}", f"def ¦{at}")
    assert await written(source, "shop/till.py", said) == expected


@pytest.mark.parametrize(
    ("source", "name", "relative", "said", "manifest", "expected"),
    [
        (
            GO,
            "shop/till.go",
            "shop/till_test.go",
            "[]int{1})\n\tif err != nil || got != 1 {\n\t\tt.Error(got)\n\t}\n}\n\nfunc x() {}\n",
            "",
            'package shop\n\nimport "testing"\n\nfunc TestTotal(t *testing.T) {\n\tgot, err := Total([]int{1})\n'
            "\tif err != nil || got != 1 {\n\t\tt.Error(got)\n\t}\n}\n",
        ),
        (
            TS,
            "src/till.ts",
            "test/till.test.ts",
            "[])).toBe(0);\n    expect(total([1])).toBe(0);\n  });\n});\n",
            '{"devDependencies": {"vitest": "*"}}',
            "import { describe, expect, it } from 'vitest';\nimport { total } from '../src/till';\n\n"
            "describe('total', () => {\n  it('works', () => {\n    expect(total([])).toBe(0);\n"
            "    expect(total([1])).toBe(0);\n  });\n});\n",
        ),
        (
            COMMON,
            "src/till.js",
            "src/till.test.js",
            "[]), 0);\n  });\n",
            "",
            "const assert = require('node:assert/strict');\nconst { describe, it } = require('node:test');\n"
            "const { total } = require('./till');\n\ndescribe('total', () => {\n  it('works', () => {\n"
            "    assert.deepEqual(total([]), 0);\n  });\n});\n",
        ),
        (
            JAVA,
            "Till.java",
            "TillTest.java",
            "1), 1);\n    }\n}\n",
            "",
            "package shop;\n\nimport static org.junit.jupiter.api.Assertions.*;\n\nimport java.util.*;\n"
            "import org.junit.jupiter.api.Test;\n\nclass TillTest {\n    @Test\n    void total() {\n"
            "        assertEquals(Till.total(1), 1);\n    }\n}\n",
        ),
    ],
)
async def test_new_files_in_other_languages(
    source: str, name: str, relative: str, said: str, manifest: str, expected: str
) -> None:
    assert await written(source, name, said, None, manifest, relative) == expected


@pytest.mark.parametrize(
    ("source", "name", "before", "said", "expected"),
    [
        (
            RUST,
            "till.rs",
            RUST.replace("¦", ""),
            "1), 1);\n    }\n",
            RUST.replace("¦", "") + "\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n"
            "    fn total_works() {\n        assert_eq!(total(1), 1);\n    }\n}\n",
        ),
        (
            JAVA,
            "Till.java",
            "class TillTest {\n    @Test\n    void total() {\n    }\n}\n",
            "1), 1);\n    }\n",
            "class TillTest {\n    @Test\n    void total() {\n    }\n\n    @Test\n    void total_2() {\n"
            "        assertEquals(Till.total(1), 1);\n    }\n}\n",
        ),
        (
            GO,
            "till.go",
            'package shop_test\n\nimport "testing"\n',
            "nil)\n\tif err == nil {\n\t\tt.Error(got)\n\t}\n}\n",
            'package shop_test\n\nimport "testing"\n\nfunc TestTotal(t *testing.T) {\n'
            "\tgot, err := shop.Total(nil)\n\tif err == nil {\n\t\tt.Error(got)\n\t}\n}\n",
        ),
    ],
)
async def test_existing_files_in_other_languages(source: str, name: str, before: str, said: str, expected: str) -> None:
    assert await written(source, name, said, before) == expected


@pytest.mark.parametrize(
    ("source", "name", "said", "sentence"),
    [
        (PYTHON, "shop/till.py", "", "no test"),
        (PYTHON, "shop/till.py", "# nothing", "nothing was changed"),
        ("def f():\n    def ¦g(a):\n        return a\n    return g\n", "a.py", "1) == 1", "inside another"),
        (TS.replace("export ", ""), "till.ts", "1)).toBe(1);", "not exported"),
        ("impl A {\n    fn ¦f(&self) -> i32 { 1 }\n}\n", "a.rs", "1)", "Rust"),
    ],
)
async def test_where_no_test_is_written_it_is_said_why(source: str, name: str, said: str, sentence: str) -> None:
    with pytest.raises(ActionRefused, match=sentence):
        await written(source, name, said)


@pytest.mark.parametrize("deeper", ["try:\n    import numpy\nexcept ImportError:\n    numpy = None\n",
                                    "def test_b():\n    import json\n    assert json\n"])  # fmt: skip
async def test_imports_go_behind_the_last_that_is_everybody_s(deeper: str) -> None:
    before = f"from shop.till import Till\n\n\n{deeper}"
    after = await written(PYTHON, "shop/till.py", "[1]) == 1\n", before)
    assert after.startswith(f"from shop.till import Till\nfrom shop.till import total\n\n\n{deeper}")
    assert "assert total([1]) == 1" in after
