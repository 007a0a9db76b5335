"""Examples that a tiny model learns by heart."""

from aigc_lsp.dataset.example import Example

EXAMPLES = [
    Example("1", "p", "a.py", "python", "rest_of_line", "spm", "def add(a, b):\n    return a", "\nimport os\n", " + b"),
    Example("2", "p", "a.py", "python", "span", "spm", "import os\nfor item in ra", "(10):\n    pass\n", "nge"),
    Example("3", "p", "b.py", "python", "block", "psm", "class Tree:\n    def f(a):\n", "\n", "        a.x = 1\n"),
    Example("4", "p", "b.py", "python", "empty", "spm", "print('日本')\n", "\nx = 2\n", ""),
]  # fmt: skip
