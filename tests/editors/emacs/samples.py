"""What is edited in these tests, and what is typed."""

PYTHON = '''"""A shop's cart."""

from dataclasses import dataclass, field


@dataclass
class Item:
    name: str
    price: float
    quantity: int = 1


@dataclass
class Cart:
    items: list[Item] = field(default_factory=list)

    def add(self, item: Item) -> None:
        self.items.append(item)

    def total(self) -> float:

    def is_empty(self) -> bool:
        return not self.items
'''
TYPESCRIPT = """interface Item {
  name: string;
  price: number;
  quantity: number;
}

class Cart {
  items: Item[] = [];

  add(item: Item): void {
    this.items.push(item);
  }

  total(): number {

  }
}
"""
CASES = {
    "cart.py": (PYTHON, "def total(self) -> float:", "        return sum(item.pr"),
    "cart.ts": (TYPESCRIPT, "total(): number {", "    return this.items.red"),
}
"""File name → its text, the header of the function that is written, and the keys of its first line."""
