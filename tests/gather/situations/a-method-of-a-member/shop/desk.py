from shop.store import Store


class Desk:
    def __init__(self, store: Store) -> None:
        self.store = store

    def pay(self, order):
        order.paid = True
        self.store.pu▏
