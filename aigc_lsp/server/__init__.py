"""The language server: pygls handlers, one file for each group of LSP methods. It never imports torch."""
