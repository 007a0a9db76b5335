"""What the rest of the workspace has to say about the place where the cursor is.

`find` says which definitions are meant, `gatherer` reads them, and everything else that is worth showing, without
keeping anybody waiting. What is shown of it is decided in `context/`, which is pure.
"""
