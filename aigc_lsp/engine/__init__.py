"""The engine: a model in memory, its KV store, and the loop that turns prompt tokens into text.

It knows nothing of HTTP, LSP, files of source code or prompt formats: tokens go in, pieces of text come out.
"""
