"""How something is called elsewhere."""

from __future__ import annotations

from each_row import each_row

from aigc_lsp.context.usages import calls_of
from aigc_lsp.text import Span, Text


def calls(source: str, name: str = "send", seen: Span | None = None) -> list[str]:
    return list(calls_of(name, Text(source), seen))


@each_row(
    ("source", "expected"),
    [
        ("    x = send(to, 1)\n", ["x = send(to, 1)"]),
        ("send(1)\nother(2)\nsend(3)\n", ["send(1)", "send(3)"]),
        ("  a.send(\n    1,\n    2,\n  )\n", ["a.send(\n  1,\n  2,\n)"]),
        ("return send(1)\n", ["return send(1)"]),
        ("await send(1)\n", ["await send(1)"]),
        ("if send(1):\n", ["if send(1):"]),
        ("new send(1);\n", ["new send(1);"]),
        ("const x = send(a) {\n", ["const x = send(a) {"]),
        ("send(() => {\n  go();\n});\n", ["send(() => {\n  go();\n});"]),
        ("send((a[1], {2: 3}))", ["send((a[1], {2: 3}))"]),
        ("resend(1)\nsend_all(2)\nsend (3)\n", []),
        ("def send(to):\n", []),
        ("async def send(to):\n", []),
        ("function send(to) {\n", []),
        ("export async function send(to) {\n", []),
        ("func (c *Cart) send(to string) error {\n", []),
        ("pub fn send(&self) {\n", []),
        ("  public static void send(String to) {\n", []),
        ("  send(to) {\n", []),
        ("  async send(to: string): Promise<void> {\n", []),
        ("int send(char *to);\n", []),
        ("std::vector<int> send(char *to);\n", []),
        ("#define send(x) y(x)\n", []),
        ("# send(1) sends\n// send(1)\n * send(1)\n", []),
        ("send(\n1,\n2,\n3,\n4,\n5,\n6,\n)\n", []),
        ("send(1", []),
        ("", []),
    ],
)
def test_calls_and_no_definitions(source: str, expected: list[str]) -> None:
    assert calls(source) == expected


def test_what_is_seen_already_is_left_out() -> None:
    source = "send(1)\nsend(2)\nsend(3)\n"
    assert calls(source, seen=Span(8, 16)) == ["send(1)", "send(3)"]
