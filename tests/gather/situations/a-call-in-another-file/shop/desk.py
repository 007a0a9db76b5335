from shop.mail import send_receipt
from shop.store import Store


def close(store: Store, number: int) -> None:
    order = store.find(number)
    send_receipt(▏)
