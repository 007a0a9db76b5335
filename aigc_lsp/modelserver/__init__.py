"""The model server, `aigc-lsp engine`: HTTP in front, one engine thread behind. It knows nothing of LSP or editors."""
