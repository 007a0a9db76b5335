from shapes.base import Shape


class BlueShape(Shape):
    colour = "blue"

    def paint(self, brush):
        ▏
