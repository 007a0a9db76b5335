"""What one would look up at a cursor (▏), and how a variable's type is read off the text."""

from __future__ import annotations

import pytest
from each_row import each_row

from aigc_lsp.context.needs import at_cursor, bases, returned, types_of
from aigc_lsp.text import Span, Text


@each_row(
    ("marked", "expected"),
    [
        ("send(▏", ["send"]),
        ("send(to, ▏)", ["send"]),
        ("send(first(1), ▏)", ["send"]),
        ("send(first(▏), 2)", ["first", "send"]),
        ("mail.send(▏", ["mail.send"]),
        ("self.mail.send(▏", ["self.mail.send"]),
        ("a.b.send(▏", ["b.send"]),
        ("client->send(▏", ["client.send"]),
        ("Client::send(▏", ["Client.send"]),
        ("new Store<User>(▏", ["Store"]),
        ("send(\n    to,\n    ▏\n)", ["send"]),
        ("mail.▏", ["mail."]),
        ("mail.se▏", ["mail."]),
        ("self.mail.se▏", ["self.mail."]),
        ("x = [1, ▏]", []),
        ("send(to)▏", []),
        ("if (a) {\n  ▏", []),
        ("while (▏", []),
        ("return (▏", []),
        ("foo(function(▏", ["foo"]),
        ("foo(if (▏", ["foo"]),
        ("x = ▏", []),
        ("▏", []),
    ],
)
def test_what_is_called_and_what_stands_before_the_dot(marked: str, expected: list[str]) -> None:
    found = at_cursor(Text(marked.replace("▏", "")), marked.index("▏"))
    assert [f"{each.receiver}.{each.name}" if each.receiver else each.name for each in found] == expected


@each_row(
    ("source", "expected"),
    [
        ("def f(x: Cart): ...", ["Cart"]),
        ("def f(x: Optional[Cart], y: Other): ...", ["Optional", "Cart"]),
        ("def f(x: 'm.Cart'): ...", []),
        ("x = Cart(1)", ["Cart"]),
        ("x = Cart(1)\nx = Bag()", ["Bag", "Cart"]),
        ("x = await shop.make()", ["shop.make"]),
        ("const x = new Cart<Item>();", ["Cart", "Item"]),
        ("function f(x?: Cart) {}", ["Cart"]),
        ("let x: Map<string, Cart> = a", ["Map", "string", "Cart"]),
        ("x := cart.New(3)", ["cart.New"]),
        ("func f(x *shop.Cart, n int)", ["shop.Cart"]),
        ("void f(Cart x) {", ["Cart"]),
        ("std::vector<Cart> x; Cart& x;", ["Cart"]),
        ("fn f(x: &mut Cart) {", ["Cart"]),
        ("let mut x = Cart::new();", ["Cart::new"]),
        ("with Cart(1) as x:", ["Cart"]),
        ("self.x = Cart()", ["Cart"]),
        ("this.x = new Cart();", ["Cart"]),
        ("other.x = Cart()", []),
        ("max_x = Cart()", []),
        ("if x == Cart: ...", []),
        ("x", []),
    ],
)
def test_the_type_of_a_variable(source: str, expected: list[str]) -> None:
    assert types_of("x", source, Span(0, len(source))) == expected


def test_a_member_is_looked_for_by_its_own_name() -> None:
    source = "self.cart = Cart()\n"
    assert types_of("self.cart", source, Span(0, len(source))) == ["Cart"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("def make(x) -> Cart:", ["Cart"]),
        ("async def make(x: int) -> dict[str, Cart]:", ["dict", "str", "Cart"]),
        ("make(id: number): Promise<User>", ["Promise", "User"]),
        ("func New(size int) *Cart", ["Cart"]),
        ("public static List<Cart> make(int x)", ["List"]),
        ("Cart *make(void)", ["Cart"]),
        ("fn make() -> Result<Cart, Error>", ["Result", "Cart", "Error"]),
        ("def make(x):", []),
        ("function make(x)", []),
        ("make(x)", []),
    ],
)
def test_what_a_function_returns(header: str, expected: list[str]) -> None:
    assert returned(header, "New" if "New" in header else "make") == expected


def test_the_bases_of_a_class() -> None:
    assert bases("class Shop(m.Store, metaclass=Meta):", "Shop") == ["m.Store", "metaclass", "Meta"]
    assert bases("class Shop extends Store implements Open", "Shop") == ["extends", "Store", "implements", "Open"]
    assert bases("class Shop:", "Shop") == []
