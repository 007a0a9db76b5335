class Shape:
    outline: list[int]

    def paint(self, brush) -> bool:
        raise NotImplementedError
