"""A small shop: the file that `make demo` types into."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Item:
    """One line of an order."""

    name: str
    price: float
    quantity: int = 1

    def subtotal(self) -> float:
        """Price of all pieces of this item."""
        return self.price * self.quantity


@dataclass
class Order:
    """What a customer wants to buy."""

    customer: str
    items: list[Item] = field(default_factory=list)

    def add(self, item: Item) -> None:
        """Put an item into the order, joined with an item of the same name."""
        for other in self.items:
            if other.name == item.name:
                other.quantity += item.quantity
                return
        self.items.append(item)

    def remove(self, name: str) -> None:
        """Take all items of that name out of the order."""
        self.items = [item for item in self.items if item.name != name]

    def total(self) -> float:
        """Price of the whole order."""
        return sum(item.subtotal() for item in self.items)

    def is_empty(self) -> bool:
        return not self.items

    def to_json(self) -> str:
        """The order as JSON text."""
        return json.dumps({"customer": self.customer, "items": [vars(item) for item in self.items]})


def load_orders(path: Path) -> list[Order]:
    """Orders from a JSON file that holds a list of them."""
    orders = []
    for entry in json.loads(path.read_text(encoding="utf-8")):
        items = [Item(**item) for item in entry["items"]]
        orders.append(Order(entry["customer"], items))
    return orders


def best_customer(orders: list[Order]) -> str | None:
    """The customer whose orders are worth most in all; None without orders."""
    totals: dict[str, float] = {}
    for order in orders:
        totals[order.customer] = totals.get(order.customer, 0.0) + order.total()
    return max(totals, key=totals.__getitem__, default=None)
