"""What speaks to a model server: the shapes on the wire, our own one's client and life, and servers elsewhere."""
