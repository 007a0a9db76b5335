"""Tests and what they test find each other by their names."""

from __future__ import annotations

import pytest

from aigc_lsp.index import subjects
from aigc_lsp.index.paths import Paths

FILES = [
    "src/shop/cart.py",
    "src/shop/admin/cart.py",
    "src/shop/test_support.py",
    "tests/shop/test_cart.py",
    "tests/shop/admin/test_cart.py",
    "tests/test_nothing.py",
    "web/src/button.tsx",
    "web/src/button.test.tsx",
    "web/src/form.ts",
    "web/src/__tests__/form.ts",
    "web/src/types.d.ts",
    "app/src/main/java/org/Cart.java",
    "app/src/test/java/org/CartTest.java",
    "other/src/main/java/org/Cart.java",
    "pkg/cart.go",
    "pkg/cart_test.go",
    "lib/shop/item.rb",
    "spec/shop/item_spec.rb",
    "crate/src/tax.rs",
    "crate/tests/tax.rs",
    "Shop/Item.cs",
    "Shop.Tests/ItemTests.cs",
    "php/src/Money.php",
    "php/tests/MoneyTest.php",
    "c/src/list.c",
    "c/src/list.h",
    "c/tests/test_list.c",
    "bin/run.sh",
    "bin/test_run.sh",
]


@pytest.fixture
def paths() -> Paths:
    found = Paths()
    for path in FILES:
        found.add(path)
    return found


@pytest.mark.parametrize(
    ("test", "subject"),
    [
        ("tests/shop/test_cart.py", "src/shop/cart.py"),
        ("tests/shop/admin/test_cart.py", "src/shop/admin/cart.py"),
        ("web/src/button.test.tsx", "web/src/button.tsx"),
        ("web/src/__tests__/form.ts", "web/src/form.ts"),
        ("app/src/test/java/org/CartTest.java", "app/src/main/java/org/Cart.java"),
        ("pkg/cart_test.go", "pkg/cart.go"),
        ("spec/shop/item_spec.rb", "lib/shop/item.rb"),
        ("crate/tests/tax.rs", "crate/src/tax.rs"),
        ("Shop.Tests/ItemTests.cs", "Shop/Item.cs"),
        ("php/tests/MoneyTest.php", "php/src/Money.php"),
        ("c/tests/test_list.c", "c/src/list.c"),
        ("bin/test_run.sh", "bin/run.sh"),
    ],
)
def test_a_test_and_its_subject(paths: Paths, test: str, subject: str) -> None:
    assert subjects.is_test(test)
    assert not subjects.is_test(subject)
    assert subjects.subject_of(paths, test) == subject
    assert subjects.tests_of(paths, subject) == [test]


@pytest.mark.parametrize("path", ["tests/test_nothing.py", "src/shop/cart.py", "README.md", "test_.py", ""])
def test_no_subject(paths: Paths, path: str) -> None:
    assert subjects.subject_of(paths, path) is None


@pytest.mark.parametrize("path", ["tests/test_nothing.py", "web/src/types.d.ts", "README.md"])
def test_no_tests(paths: Paths, path: str) -> None:
    assert subjects.tests_of(paths, path) == []


def test_another_test_is_no_subject(paths: Paths) -> None:
    assert subjects.subject_of(paths, "other/__tests__/form.ts") == "web/src/form.ts"
    paths.discard("web/src/form.ts")
    assert subjects.subject_of(paths, "other/__tests__/form.ts") is None


def test_of_a_name_that_many_files_have_only_the_nearest_counts(paths: Paths) -> None:
    for number in range(subjects.COMMON + 1):
        paths.add(f"many/m{number}/utils.py")
    assert subjects.subject_of(paths, "tests/test_utils.py") is None
    assert subjects.subject_of(paths, "many/m7/test_utils.py") == "many/m7/utils.py"
    assert subjects.subject_of(paths, "many/m7/tests/test_utils.py") == "many/m7/utils.py"


def test_a_test_that_is_new_need_not_be_known(paths: Paths) -> None:
    assert subjects.subject_of(paths, "tests/shop/cart_test.py") == "src/shop/cart.py"
