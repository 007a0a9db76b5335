"""Teaching a model: examples to tokens, adapters of low rank, the loop that trains them, and what comes of it."""
