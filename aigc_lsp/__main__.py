"""`python -m aigc_lsp` is the console script `aigc-lsp`."""

from aigc_lsp.cli import main

if __name__ == "__main__":
    main()
