"""Training data: holes in other people's code, as text that no model has touched yet. `build.py` is where to start."""
