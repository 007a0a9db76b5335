"""The index: which name is defined in which file of the workspace, and which file an import means.

`table` is the table in memory, `resolve` reads imports by it, `build` keeps both true in the background. What is
kept are names and positions, never source text.
"""
