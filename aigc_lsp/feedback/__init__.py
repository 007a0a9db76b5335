"""What becomes of suggestions: accepted, typed, rejected, kept; what this user's answers say about when to show one.

Pure but for `store`, which keeps the counts in a file. Of the texts themselves nothing leaves memory.
"""
