"""Where orders are kept."""

from dataclasses import dataclass


@dataclass
class Order:
    number: int
    customer: str
    paid: bool = False

    def total(self, *, with_tax: bool = True) -> float:
        return sum(item.price for item in self.items) * (1.2 if with_tax else 1)


class Store:
    def __init__(self, url: str, timeout: float = 3.0) -> None:
        self._url = url

    def find(self, number: int, *, only_paid: bool = False) -> Order | None:
        return self._rows.get(number)

    def put(self, order: Order, replace: bool = False) -> None:
        self._rows[order.number] = order
