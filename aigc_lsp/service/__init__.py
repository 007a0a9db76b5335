"""The model server: its HTTP app, its client, its life. It knows nothing of LSP."""
