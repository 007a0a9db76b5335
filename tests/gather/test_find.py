"""What is told of the names near the cursor, language by language: a workspace, a cursor (▏), and what is said."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from each_row import each_row
from workspaces import indexed

from aigc_lsp.context.document import Document
from aigc_lsp.context.needs import at_cursor
from aigc_lsp.gather.find import Finder
from aigc_lsp.gather.sources import said
from aigc_lsp.syntax import language_of, parse
from aigc_lsp.text import Text


def told(files: Mapping[str, str], *, tree: bool = True) -> list[str]:
    """What is said for the file with the cursor in it, the most wanted first: `path| text`."""
    own = next(path for path, source in files.items() if "▏" in source)
    offset = files[own].index("▏")
    sources = {path: source.replace("▏", "") for path, source in files.items()}
    texts = {path: Text(source) for path, source in sources.items()}
    language = language_of(own) or ""
    document = Document(
        f"file:///w/{own}", f"/w/{own}", language, 1, texts[own], parse(language, texts[own]) if tree else None
    )
    finder = Finder(indexed(sources), own, document, offset, texts.get)
    found = (each for need in at_cursor(texts[own], offset) for each in finder.find(need))
    return list(dict.fromkeys(f"{each.defined.path}| {said(texts[each.defined.path], each, finder)}" for each in found))


CART_PY = "class Cart:\n    size: int = 0\n    def add(self, name: str, count: int = 1) -> bool: ...\n"
CASES = {
    "a call of what is imported": (
        {
            "p/a.py": "def send(to: str, *, retry=False) -> None:\n    pass\n",
            "p/m.py": "from p.a import send\nsend(▏\n",
        },
        "p/a.py| def send(to: str, *, retry=False) -> None: ...",
    ),
    "under another name": (
        {"p/a.py": "def send(to): ...\n", "p/m.py": "from p.a import send as post\npost(▏)\n"},
        "p/a.py| def send(to): ...",
    ),
    "a class that is called: how it is made, and what it has": (
        {"p/a.py": CART_PY, "p/m.py": "from p.a import Cart\ncart = Cart(▏\n"},
        "p/a.py| class Cart:\n    size: int = 0\n    def add(self, name: str, count: int = 1) -> bool: ...",
    ),
    "a method, by how the variable was made": (
        {"p/a.py": CART_PY, "p/m.py": "from p.a import Cart\n\ndef f():\n    cart = Cart()\n    cart.add(▏)\n"},
        "p/a.py| class Cart:\n    def add(self, name: str, count: int = 1) -> bool: ...",
    ),
    "a method, by what the parameter is said to be": (
        {"p/a.py": CART_PY, "p/m.py": "from p.a import Cart\n\ndef f(cart: Cart | None):\n    cart.add(▏\n"},
        "p/a.py| class Cart:\n    def add(self, name: str, count: int = 1) -> bool: ...",
    ),
    "a method, by what a function returns": (
        {
            "p/a.py": f"{CART_PY}def make() -> Cart: ...\n",
            "p/m.py": "from p.a import make\n\ncart = make()\ncart.add(▏\n",
        },
        "p/a.py| class Cart:\n    def add(self, name: str, count: int = 1) -> bool: ...",
    ),
    "a method of a member": (
        {
            "p/a.py": CART_PY,
            "p/m.py": "from p.a import Cart\n\nclass Shop:\n    def __init__(self, cart: Cart):\n"
            "        self._cart = cart\n\n    def buy(self):\n        self._cart.add(▏\n",
        },
        "p/a.py| class Cart:\n    def add(self, name: str, count: int = 1) -> bool: ...",
    ),
    "a method of a member that the class's base has": (
        {
            "p/a.py": CART_PY,
            "p/b.py": "from p.a import Cart\n\nclass Base:\n    cart: Cart\n",
            "p/m.py": "from p.b import Base\n\nclass Shop(Base):\n    def buy(self):\n        self.cart.add(▏)\n",
        },
        "p/a.py| class Cart:\n    def add(self, name: str, count: int = 1) -> bool: ...",
    ),
    "a method that is inherited in another file": (
        {
            "p/a.py": CART_PY,
            "p/b.py": "from p.a import Cart\n\nclass BigCart(Cart):\n    pass\n",
            "p/m.py": "from p.b import BigCart\n\ndef f(cart: BigCart):\n    cart.add(▏)\n",
        },
        "p/a.py| class Cart:\n    def add(self, name: str, count: int = 1) -> bool: ...",
    ),
    "what a base class has, behind self": (
        {
            "p/a.py": CART_PY,
            "p/m.py": "from p.a import Cart\n\nclass Big(Cart):\n    def f(self):\n        self.add(▏)\n",
        },
        "p/a.py| class Cart:\n    def add(self, name: str, count: int = 1) -> bool: ...",
    ),
    "what a module has, behind its dot": (
        {"p/util.py": "LIMIT = 3\ndef one(a): ...\ndef _two(): ...\n", "p/m.py": "from p import util\n\nx = util.▏\n"},
        "p/util.py| LIMIT = 3",
    ),
    "what a variable has, behind its dot": (
        {"p/a.py": CART_PY, "p/m.py": "from p.a import Cart\n\ndef f(cart: Cart):\n    return cart.si▏\n"},
        "p/a.py| class Cart:\n    size: int = 0\n    def add(self, name: str, count: int = 1) -> bool: ...",
    ),
    "a method whose name only one class has": (
        {"p/a.py": CART_PY.replace("add", "add_item"), "p/m.py": "def f(cart):\n    cart.add_item(▏)\n"},
        "p/a.py| class Cart:\n    def add_item(self, name: str, count: int = 1) -> bool: ...",
    ),
    "TypeScript": (
        {
            "a/store.ts": "export class Store {\n  async load(id: number, fresh = false): Promise<User> { }\n}\n",
            "a/main.ts": "import { Store } from './store';\nconst store = new Store();\nstore.load(▏)\n",
        },
        "a/store.ts| export class Store\n    async load(id: number, fresh = false): Promise<User>",
    ),
    "TypeScript, a member that the constructor takes": (
        {
            "a/store.ts": "export class Store {\n  load(id: number): number { return 1 }\n}\n",
            "a/main.ts": "import { Store } from './store';\nclass App {\n  constructor(private store: Store) {}\n"
            "  go() {\n    this.store.load(▏)\n  }\n}\n",
        },
        "a/store.ts| export class Store\n    load(id: number): number",
    ),
    "TSX": (
        {
            "a/button.tsx": "export function Button(props: { label: string }) { return null }\n",
            "a/main.tsx": "import { Button } from './button';\nconst x = Button(▏);\n",
        },
        "a/button.tsx| export function Button(props: { label: string })",
    ),
    "JavaScript": (
        {
            "a/cart.js": "export class Cart {\n  add(name, count = 1) {}\n}\n",
            "a/main.js": "import { Cart } from './cart.js';\nconst cart = new Cart();\ncart.add(▏);\n",
        },
        "a/cart.js| export class Cart\n    add(name, count = 1)",
    ),
    "Go": (
        {
            "go.mod": "module x.y/z\n",
            "cart/cart.go": "package cart\n\ntype Cart struct {\n\tItems []string\n}\n\n"
            "func New(size int) *Cart { return nil }\n\nfunc (c *Cart) Add(name string, price float64) error {}\n",
            "main.go": 'package main\n\nimport "x.y/z/cart"\n\nfunc main() {\n\tc := cart.New(3)\n\tc.Add(▏)\n}\n',
        },
        "cart/cart.go| type Cart struct\n    func (c *Cart) Add(name string, price float64) error",
    ),
    "Go, in the same package": (
        {
            "cart/a.go": "package cart\n\nfunc total(prices []float64) float64 { return 0 }\n",
            "cart/b.go": "package cart\n\nfunc f() {\n\ttotal(▏)\n}\n",
        },
        "cart/a.go| func total(prices []float64) float64",
    ),
    "Java, in the same package": (
        {
            "s/Cart.java": "package s;\npublic class Cart {\n  public void add(String name, int count) {}\n}\n",
            "s/Main.java": "package s;\nclass Main {\n  void run(Cart cart) {\n    cart.add(▏);\n  }\n}\n",
        },
        "s/Cart.java| public class Cart\n    public void add(String name, int count)",
    ),
    "Rust": (
        {
            "Cargo.toml": '[package]\nname = "shop"\n',
            "src/cart.rs": "pub struct Cart;\nimpl Cart {\n    pub fn add(&mut self, name: &str) -> bool { true }\n}\n",
            "src/main.rs": "mod cart;\nuse cart::Cart;\nfn run(mut c: Cart) {\n    c.add(▏);\n}\n",
        },
        "src/cart.rs| pub struct Cart\n    pub fn add(&mut self, name: &str) -> bool",
    ),
    "C": (
        {
            "cart.h": "int cart_add(struct cart *c, const char *name,\n             int count);\n",
            "main.c": '#include "cart.h"\nint main(void) {\n  cart_add(▏);\n}\n',
        },
        "cart.h| int cart_add(struct cart *c, const char *name, int count)",
    ),
    "C++": (
        {
            "cart.hpp": "class Cart {\npublic:\n  void add(const std::string& name);\n};\n",
            "main.cpp": '#include "cart.hpp"\nvoid run(Cart& cart) {\n  cart.add(▏);\n}\n',
        },
        "cart.hpp| class Cart\n    void add(const std::string& name)",
    ),
    "C#": (
        {
            "Cart.cs": "namespace Shop {\n  public class Cart {\n    public void Add(string name) {}\n  }\n}\n",
            "Main.cs": "using Shop;\nclass P {\n  void Run(Cart cart) {\n    cart.Add(▏);\n  }\n}\n",
        },
        "Cart.cs| public class Cart\n    public void Add(string name)",
    ),
    "PHP": (
        {
            "Cart.php": "<?php\nclass Cart {\n  public function add(string $name): void {}\n}\n",
            "main.php": "<?php\nfunction run(Cart $cart) {\n  $cart->add(▏);\n}\n",
        },
        "Cart.php| class Cart\n    public function add(string $name): void",
    ),
    "Ruby": (
        {
            "cart.rb": "class Cart\n  def add(name, count: 1)\n  end\nend\n",
            "main.rb": "require_relative 'cart'\ncart = Cart.new\ncart.add(▏)\n",
        },
        "cart.rb| class Cart\n    def add(name, count: 1)",
    ),
}


@each_row(("files", "expected"), CASES)
def test_what_is_told_first(files: dict[str, str], expected: str) -> None:
    own = next(path for path, source in files.items() if "▏" in source)
    elsewhere = [each for each in told(files) if not each.startswith(f"{own}|")]
    assert elsewhere[0] == expected


@pytest.mark.parametrize(
    "files",
    [
        {"p/a.py": "class Task:\n    def cancel(self): ...\n", "p/m.py": "def f(t: asyncio.Task):\n    t.cancel(▏)\n"},
        {"p/a.py": "def send(): ...\n", "p/m.py": "from os import send\nsend(▏)\n"},
        {"p/a.py": "def send(): ...\n", "p/m.py": "send(▏)\n"},
        {"p/a.py": "X = 1\n", "p/m.py": "# X ▏\n"},
    ],
    ids=["a method of something else", "imported from outside", "imported from nowhere", "in a comment"],
)
def test_what_is_not_meant_is_not_told(files: dict[str, str]) -> None:
    assert told(files) == []


def test_without_a_tree_what_is_called_is_told() -> None:
    files = {"p/a.py": "def send(to): ...\n", "p/m.py": "from p.a import send\nsend(▏\n"}
    assert told(files, tree=False) == ["p/a.py| def send(to): ..."]


def test_an_unfinished_line_with_errors_around_it() -> None:
    files = {
        "p/a.py": CART_PY,
        "p/m.py": "from p.a import Cart\n\ndef broken(:\n    x = [\n\ndef f(cart: Cart):\n    if cart.add(▏\n",
    }
    assert told(files)[0] == "p/a.py| class Cart:\n    def add(self, name: str, count: int = 1) -> bool: ..."
