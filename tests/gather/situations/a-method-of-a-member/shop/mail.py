from shop.store import Order, Store


def send_receipt(order: Order, to: str, *, dry_run: bool = False) -> bool:
    """Send it."""
    return True


def remind(store: Store, number: int) -> None:
    order = store.find(number, only_paid=False)
    if order is not None:
        send_receipt(order, order.customer, dry_run=True)
