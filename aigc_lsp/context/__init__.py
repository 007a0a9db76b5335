"""What the model sees. Pure: contents come in from who owns the I/O."""
