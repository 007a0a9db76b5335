"""Docstrings: what one has to say, read off the tree, and how each style says it. Pure: no clock, disk or model."""
