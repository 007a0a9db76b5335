"""aigc-lsp: ghost-text code completion and docstrings from a code model on your own machine."""

__version__ = "0.1.0"
