def test_find() -> None:
    store = ▏
