from shapes.base import Shape


class RedShape(Shape):
    colour = "red"

    def paint(self, brush):
        brush.begin(self.outline, colour=self.colour)
        brush.stroke(width=2)
        return brush.end()
