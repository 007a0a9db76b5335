"""What imports mean, language by language: each case is a workspace, a file in it, and what is expected."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from each_row import each_row
from workspaces import indexed

from aigc_lsp.index.resolve import meant, resolve
from aigc_lsp.syntax import language_of

PYTHON = {
    "pyproject.toml": "",
    "src/shop/__init__.py": "from .cart import Cart\nfrom . import tax as taxes\n",
    "src/shop/cart.py": "class Cart:\n    def add(self): pass\n",
    "src/shop/tax.py": "def rate(): pass\n",
    "src/shop/io/__init__.py": "",
    "src/shop/io/json.py": "def dump(): pass\n",
    "tests/helpers.py": "def make(): pass\n",
    "tests/test_cart.py": "",
    "other/src/shop_two/deep.py": "",
    "scripts/run.py": "",
    "tools/src/json.py": "",
    "vendored/requests.py": "",
}
WEB = {
    "tsconfig.base.json": """{// for all
        "compilerOptions": {"baseUrl": ".", "paths": {"@lib/*": ["libs/*/src"], "#x": ["app/x.ts"],},}
    }""",
    "package.json": '{"name": "root", "workspaces": ["packages/*"]}',
    "packages/ui/package.json": """{
        "name": "@org/ui", "main": "dist/index.js", "exports": {".": {"import": "./entry.mjs"}}
    }""",
    "packages/ui/entry.mjs": "",
    "packages/ui/src/button.tsx": "export function Button() {}\n",
    "packages/core/package.json": '{"name": "@org/core"}',
    "packages/core/src/index.ts": "export * from './deep';\nexport {low as high} from './low';\n",
    "packages/core/src/deep.ts": "export class Deep { run() {} }\n",
    "packages/core/src/low.ts": "export const low = 1;\n",
    "libs/math/src/index.ts": "",
    "app/x.ts": "",
    "app/main.ts": "",
    "app/view.tsx": "",
    "app/styles.js": "",
    "app/parts/index.ts": "export default class Parts {}\n",
    "app/src/api.ts": "",
    "app/util.d.ts": "",
}
GO = {
    "go.mod": "module example.com/shop\n\ngo 1.22\n",
    "main.go": "",
    "cart/cart.go": "package cart\nfunc New() *Cart { return nil }\n",
    "cart/item.go": "package cart\n",
    "cart/cart_test.go": "package cart\n",
    "tools/go.mod": "module example.com/shop/tools/v2\n",
    "tools/gen/gen.go": "package gen\nfunc Run() {}\n",
}
JAVA = {
    "app/src/main/java/org/shop/Cart.java": "package org.shop;\nclass Cart { static int of() { return 1; } }\n",
    "app/src/main/java/org/shop/Item.java": "package org.shop;\nclass Item {}\n",
    "app/src/test/java/org/shop/CartTest.java": "package org.shop;\n",
    "lib/src/main/java/org/shop/Cart.java": "package org.shop;\nclass Cart {}\n",
    "Main.java": "",
}
CSHARP = {
    "Shop/Cart.cs": "namespace Acme.Shop;\nclass Cart { static int Of() { return 1; } }\n",
    "Shop/Item.cs": "namespace Acme.Shop { class Item {} }\n",
    "Other/Cart.cs": "namespace Other;\nclass Cart {}\n",
    "Main.cs": "",
}
PHP = {
    "composer.json": r"""{
        "autoload": {"psr-4": {"Acme\\Shop\\": "src/"}}, "autoload-dev": {"psr-4": {"Tests\\": ["tests"]}}
    }""",
    "src/Cart/Item.php": "<?php\nnamespace Acme\\Shop\\Cart;\nclass Item {}\n",
    "tests/Base.php": "<?php\nclass Base {}\n",
    "old/Legacy/Thing.php": "<?php\nclass Thing {}\n",
    "old/boot.php": "<?php\nfunction boot() {}\n",
    "old/main.php": "",
}
RUST = {
    "Cargo.toml": "[workspace]\nmembers = ['core', 'cli']\n",
    "core/Cargo.toml": "[package]\nname = 'shop-core'\n",
    "core/src/main.rs": "",
    "core/src/lib.rs": "pub mod cart;\npub use cart::Cart;\n",
    "core/src/cart.rs": "pub struct Cart;\nmod item;\n",
    "core/src/cart/item.rs": "pub struct Item;\n",
    "core/src/tax/mod.rs": "pub fn rate() {}\n",
    "core/src/tax/eu.rs": "",
    "core/tests/buy.rs": "",
    "cli/Cargo.toml": "[package]\nname = 'cli'\n[lib]\npath = 'lib/top.rs'\n",
    "cli/lib/top.rs": "",
    "cli/lib/args.rs": "",
}
C = {
    "src/main.c": "",
    "src/cart.h": "int total(void);\n",
    "include/shop/tax.h": "",
    "include/shop.h": "",
    "lib/cart.h": "",
    "lib/string.h": "",
    "lib/deep/only.h": "",
}
RUBY = {"lib/shop/cart.rb": "class Cart\nend\n", "lib/shop.rb": "", "spec/helper.rb": "", "spec/cart_spec.rb": ""}
BASH = {"lib/log.sh": "log() { :; }\n", "bin/run.sh": "", "bin/near.sh": "", "bin/deep/more.sh": ""}


def resolved(files: Mapping[str, str], path: str, line: str) -> list[str]:
    """What the first import in `line` means where it stands in the file at `path`."""
    index = indexed({**files, path: line})
    language = language_of(path)
    assert language
    return resolve(index, path, language, index.imports(path)[0])


@pytest.mark.parametrize(
    ("path", "line", "expected"),
    [
        ("src/shop/a.py", "from . import tax", ["src/shop/tax.py", "src/shop/__init__.py"]),
        ("src/shop/a.py", "from .cart import Cart", ["src/shop/cart.py"]),
        ("src/shop/io/a.py", "from ..cart import Cart", ["src/shop/cart.py"]),
        ("src/shop/io/a.py", "from .. import missing", ["src/shop/__init__.py"]),
        ("src/shop/a.py", "from ....beyond import x", []),
        ("tests/test_cart.py", "import shop.cart", ["src/shop/cart.py"]),
        ("tests/test_cart.py", "from shop import cart, Cart", ["src/shop/cart.py", "src/shop/__init__.py"]),
        ("tests/test_cart.py", "import shop", ["src/shop/__init__.py"]),
        ("tests/test_cart.py", "import helpers", ["tests/helpers.py"]),
        ("src/shop/a.py", "from shop_two.deep import x", ["other/src/shop_two/deep.py"]),
        # The one that comes with Python, though there is a file of that name.
        ("src/shop/a.py", "import json", []),
        ("scripts/run.py", "import json", []),
        # A package's module is not imported by its last name alone.
        ("src/shop/a.py", "import cart", []),
        # A folder that nothing says to be on Python's path.
        ("src/shop/a.py", "import requests", []),
        ("src/shop/a.py", "import numpy", []),
    ],
)  # fmt: skip
def test_python(path: str, line: str, expected: list[str]) -> None:
    assert resolved(PYTHON, path, line) == expected


def test_python_prefers_the_root_that_the_file_is_in() -> None:
    files = {"one/lib/shop/a.py": "", "two/lib/shop/a.py": "", "shop/a.py": ""}
    for root in ("one/lib/", "two/lib/"):
        assert resolved(files, f"{root}main.py", "import shop.a")[0] == f"{root}shop/a.py"
    assert resolved(files, "main.py", "import shop.a")[0] == "shop/a.py"


def test_python_in_its_own_library() -> None:
    files = {"Lib/json/__init__.py": "", "Lib/json/decoder.py": ""}
    assert resolved(files, "Lib/ast.py", "import json") == ["Lib/json/__init__.py"]
    assert resolved(files, "Lib/ast.py", "from json import decoder")[0] == "Lib/json/decoder.py"


@pytest.mark.parametrize(
    ("path", "line", "expected"),
    [
        ("app/main.ts", "import {x} from './x'", ["app/x.ts"]),
        ("app/main.ts", "import {x} from './x.js'", ["app/x.ts"]),
        ("app/main.ts", "import v from './view.js'", ["app/view.tsx"]),
        ("app/main.ts", "import s from './styles'", ["app/styles.js"]),
        ("app/main.ts", "import P from './parts'", ["app/parts/index.ts"]),
        ("app/parts/a.ts", "import {x} from '../x'", ["app/x.ts"]),
        ("app/parts/a.ts", "import P from '.'", ["app/parts/index.ts"]),
        ("app/main.ts", "import {u} from './util'", ["app/util.d.ts"]),
        ("app/main.js", "const x = require('./x')", ["app/x.ts"]),
        ("app/main.ts", "import x from '../../../etc/passwd'", []),
        ("app/main.ts", "import m from '@lib/math'", ["libs/math/src/index.ts"]),
        ("app/main.ts", "import x from '#x'", ["app/x.ts"]),
        ("app/main.ts", "import x from 'app/x'", ["app/x.ts"]),
        ("app/main.ts", "import a from '@/api'", ["app/src/api.ts"]),
        ("app/main.ts", "import {Deep} from '@org/core'", ["packages/core/src/index.ts"]),
        ("app/main.ts", "import {Button} from '@org/ui/button'", ["packages/ui/src/button.tsx"]),
        ("app/main.ts", "import ui from '@org/ui'", ["packages/ui/entry.mjs"]),
        ("app/main.ts", "import raw from './x.ts?raw'", ["app/x.ts"]),
        ("app/main.ts", "import react from 'react'", []),
    ],
)
def test_web(path: str, line: str, expected: list[str]) -> None:
    assert resolved(WEB, path, line) == expected


@pytest.mark.parametrize(
    ("path", "line", "expected"),
    [
        ("main.go", 'package main\nimport "example.com/shop/cart"', ["cart/cart.go", "cart/item.go"]),
        ("cart/a.go", 'package cart\nimport "example.com/shop"', ["main.go"]),
        ("main.go", 'package main\nimport "example.com/shop/tools/v2/gen"', ["tools/gen/gen.go"]),
        ("main.go", 'package main\nimport "example.com/shopping/cart"', []),
        ("main.go", 'package main\nimport "fmt"', []),
    ],
)
def test_go(path: str, line: str, expected: list[str]) -> None:
    assert resolved(GO, path, line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("import org.shop.Cart;", ["app/src/main/java/org/shop/Cart.java"]),
        ("import static org.shop.Item.name;", ["app/src/main/java/org/shop/Item.java"]),
        ("import static org.shop.Item.*;", ["app/src/main/java/org/shop/Item.java"]),
        (
            "import org.shop.*;",
            [
                "app/src/main/java/org/shop/Cart.java",
                "app/src/main/java/org/shop/Item.java",
                "app/src/test/java/org/shop/CartTest.java",
                "lib/src/main/java/org/shop/Cart.java",
            ],
        ),
        ("import java.util.List;", []),
    ],
)
def test_java(line: str, expected: list[str]) -> None:
    assert resolved(JAVA, "app/src/main/java/org/Main.java", line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("using Acme.Shop;", ["Shop/Cart.cs", "Shop/Item.cs"]),
        ("using static Acme.Shop.Cart;", ["Shop/Cart.cs"]),
        ("using C = Other.Cart;", ["Other/Cart.cs"]),
        ("using System.Collections;", []),
    ],
)
def test_csharp(line: str, expected: list[str]) -> None:
    assert resolved(CSHARP, "Main.cs", line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("use Acme\\Shop\\Cart\\Item;", ["src/Cart/Item.php"]),
        ("use Acme\\Shop\\{Cart\\Item, Nothing};", ["src/Cart/Item.php"]),
        ("use Tests\\Base;", ["tests/Base.php"]),
        ("use Unknown\\Legacy\\Thing;", ["old/Legacy/Thing.php"]),
        ("require 'boot.php';", ["old/boot.php"]),
        ("require __DIR__ . '/boot.php';", ["old/boot.php"]),
        ("use Exception;", []),
    ],
)
def test_php(line: str, expected: list[str]) -> None:
    assert resolved(PHP, "old/main.php", f"<?php\n{line}") == expected


@pytest.mark.parametrize(
    ("path", "line", "expected"),
    [
        ("core/src/a.rs", "use crate::cart::Cart;", ["core/src/cart.rs"]),
        ("core/src/a.rs", "use crate::cart::item::{Item};", ["core/src/cart/item.rs"]),
        ("core/src/a.rs", "use crate::cart::{item, Cart};", ["core/src/cart/item.rs", "core/src/cart.rs"]),
        ("core/src/cart/b.rs", "use super::Cart;", ["core/src/cart.rs"]),
        ("core/src/cart/b.rs", "use super::super::tax::rate;", ["core/src/tax/mod.rs"]),
        ("core/src/tax/mod.rs", "use self::eu::x;", ["core/src/tax/eu.rs"]),
        ("core/src/tax/mod.rs", "mod eu;", ["core/src/tax/eu.rs"]),
        ("core/tests/buy.rs", "use shop_core::cart::Cart;", ["core/src/cart.rs"]),
        ("core/tests/buy.rs", "use shop_core::Cart;", ["core/src/lib.rs"]),
        ("cli/lib/top.rs", "use crate::args::Args;", ["cli/lib/args.rs"]),
        ("cli/lib/top.rs", "use shop_core::tax;", ["core/src/tax/mod.rs"]),
        ("cli/lib/top.rs", "use std::io;", []),
        ("core/src/main.rs", "use std::io;", []),
    ],
)
def test_rust(path: str, line: str, expected: list[str]) -> None:
    assert resolved(RUST, path, line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('#include "cart.h"', ["src/cart.h"]),
        ('#include "../lib/cart.h"', ["lib/cart.h"]),
        ('#include "shop/tax.h"', ["include/shop/tax.h"]),
        ("#include <shop/tax.h>", ["include/shop/tax.h"]),
        ("#include <shop.h>", ["include/shop.h"]),
        ('#include "only.h"', ["lib/deep/only.h"]),
        ("#include <string.h>", []),
        ('#include "../../../etc/passwd.h"', []),
    ],
)
def test_c(line: str, expected: list[str]) -> None:
    assert resolved(C, "src/main.c", line + "\n") == expected
    assert resolved(C, "src/main.cpp", line + "\n") == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("require 'shop/cart'", ["lib/shop/cart.rb"]),
        ("require_relative 'helper'", ["spec/helper.rb"]),
        ("require_relative '../lib/shop'", ["lib/shop.rb"]),
        ("require 'json'", []),
    ],
)
def test_ruby(line: str, expected: list[str]) -> None:
    assert resolved(RUBY, "spec/cart_spec.rb", line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("source ./near.sh", ["bin/near.sh"]),
        (". ../lib/log.sh", ["lib/log.sh"]),
        ('source "$DIR/near.sh"', ["bin/near.sh"]),
        ('source "$(dirname "$0")/near.sh"', ["bin/near.sh"]),
        ('. "${ROOT}/lib/log.sh"', ["lib/log.sh"]),
        ("source /etc/profile.sh", []),
    ],
)
def test_bash(line: str, expected: list[str]) -> None:
    assert resolved(BASH, "bin/run.sh", line + "\n") == expected


def named(
    files: Mapping[str, str], path: str, source: str, name: str, receiver: str = ""
) -> list[tuple[str, str, str]]:
    index = indexed({**files, path: source})
    language = language_of(path)
    assert language
    found = meant(index, path, language, index.imports(path), name, receiver)
    return [(each.path, each.parent, each.name) for each in found]


@each_row(
    ("files", "path", "source", "use", "expected"),
    [
        (PYTHON, "tests/a.py", "from shop.cart import Cart", "Cart", ("src/shop/cart.py", "", "Cart")),
        (PYTHON, "tests/a.py", "from shop.cart import Cart as C", "C", ("src/shop/cart.py", "", "Cart")),
        (PYTHON, "tests/a.py", "from shop import Cart", "Cart", ("src/shop/cart.py", "", "Cart")),
        (PYTHON, "tests/a.py", "from shop import Cart", "Cart.add", ("src/shop/cart.py", "Cart", "add")),
        (PYTHON, "tests/a.py", "from shop import tax", "tax.rate", ("src/shop/tax.py", "", "rate")),
        (PYTHON, "tests/a.py", "import shop.tax as t", "t.rate", ("src/shop/tax.py", "", "rate")),
        (PYTHON, "tests/a.py", "from shop.tax import *", "rate", ("src/shop/tax.py", "", "rate")),
        (WEB, "app/main.ts", "import {Deep} from '@org/core'", "Deep", ("packages/core/src/deep.ts", "", "Deep")),
        (WEB, "app/main.ts", "import {high} from '@org/core'", "high", ("packages/core/src/low.ts", "", "low")),
        (WEB, "app/main.ts", "import * as c from '@org/core'", "c.Deep", ("packages/core/src/deep.ts", "", "Deep")),
        (WEB, "app/main.ts", "import {Deep} from '@org/core'", "Deep.run",
         ("packages/core/src/deep.ts", "Deep", "run")),
        (WEB, "app/main.ts", "import Whatever from './parts'", "Whatever", ("app/parts/index.ts", "", "Parts")),
        (GO, "main.go", 'package main\nimport "example.com/shop/cart"', "cart.New", ("cart/cart.go", "cart", "New")),
        (GO, "main.go", 'package main\nimport g "example.com/shop/tools/v2/gen"', "g.Run",
         ("tools/gen/gen.go", "gen", "Run")),
        (JAVA, "Main.java", "import org.shop.Item;", "Item",
         ("app/src/main/java/org/shop/Item.java", "org.shop", "Item")),
        (CSHARP, "Main.cs", "using Acme.Shop;", "Cart", ("Shop/Cart.cs", "Acme.Shop", "Cart")),
        (CSHARP, "Main.cs", "using Acme.Shop;", "Cart.Of", ("Shop/Cart.cs", "Acme.Shop.Cart", "Of")),
        (PHP, "old/main.php", "<?php\nuse Acme\\Shop\\Cart\\Item as I;", "I",
         ("src/Cart/Item.php", "Acme.Shop.Cart", "Item")),
        (RUST, "core/tests/buy.rs", "use shop_core::Cart;", "Cart", ("core/src/cart.rs", "", "Cart")),
        (RUST, "core/tests/buy.rs", "use shop_core::tax;", "tax.rate", ("core/src/tax/mod.rs", "", "rate")),
        (C, "src/main.c", '#include "cart.h"\n', "total", ("src/cart.h", "", "total")),
        (RUBY, "spec/a.rb", "require 'shop/cart'", "Cart", ("lib/shop/cart.rb", "", "Cart")),
        (BASH, "bin/run.sh", "source ../lib/log.sh\n", "log", ("lib/log.sh", "", "log")),
    ],
)  # fmt: skip
def test_what_a_name_stands_for(
    files: dict[str, str], path: str, source: str, use: str, expected: tuple[str, str, str]
) -> None:
    receiver, _, name = use.rpartition(".")
    assert named(files, path, source, name, receiver) == [expected]


def test_a_name_that_no_import_brings_stands_for_nothing() -> None:
    assert named(PYTHON, "tests/a.py", "from shop.cart import Cart", "rate") == []
    assert named(PYTHON, "tests/a.py", "from shop.cart import Cart", "add") == []
    assert named(PYTHON, "tests/a.py", "import shop.cart", "Cart") == []


def test_a_function_comes_before_a_method_of_its_name() -> None:
    files = {"m.py": "class A:\n    def run(self): pass\n\ndef run(): pass\n"}
    assert named(files, "main.py", "from m import run", "run") == [("m.py", "", "run")]
    assert named(files, "main.py", "from m import A", "run", "A") == [("m.py", "A", "run")]


def test_no_file_is_looked_into_twice_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = [f"m{number}" for number in range(12)]
    files = {f"{one}.py": "".join(f"from {other} import *\n" for other in modules if other != one) for one in modules}
    index, asked = indexed({**files, "main.py": "from m0 import x\n"}), list[str]()
    named_in = index.named_in
    monkeypatch.setattr(index, "named_in", lambda path, name: asked.append(path) or named_in(path, name))
    assert meant(index, "main.py", "python", index.imports("main.py"), "x") == []
    assert sorted(asked) == sorted(files)


def test_files_that_hand_on_to_each_other() -> None:
    files = {
        "a.py": "from b import *\nfrom c import *\n",
        "b.py": "from a import *\nfrom c import *\n",
        "c.py": "x = 1\n",
    }
    assert named(files, "main.py", "from a import x", "x") == [("c.py", "", "x")]
    assert named(files, "main.py", "from a import y", "y") == []
