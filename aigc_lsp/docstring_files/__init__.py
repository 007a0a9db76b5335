"""`aigc-lsp docstring`: which docstrings of files are missing or stale, and the new ones put into the files."""
