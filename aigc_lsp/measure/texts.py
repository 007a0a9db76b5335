"""The texts that a bench is run on: Python's own library, which every machine has, and code that repeats itself."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

LONG = "argparse.py"
TYPED_IN = ("argparse.py", "configparser.py", "json/decoder.py", "textwrap.py", "difflib.py")
ORDINARY = ("heapq.py", "textwrap.py", "shlex.py")

Encode = Callable[[str], Sequence[int]]


def library(name: str) -> str:
    """The source of a module of the standard library, by its file's name."""
    return (Path(sysconfig.get_path("stdlib")) / name).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Typing:
    """A line being written: `typed` key by key between `prefix` and `suffix`."""

    prefix: str
    typed: str
    suffix: str

    def prefixes(self) -> list[str]:
        """What stands before the cursor: first with nothing typed, then after each key."""
        return [self.prefix + self.typed[:end] for end in range(len(self.typed) + 1)]


def typing(text: str, encode: Encode, before: int, after: int, keys: int) -> Typing:
    """A place in `text` behind about `before` tokens, with about `after` tokens behind it: the first line from there on
    that has more than `keys` characters is typed, and what it has beyond them is not there yet."""
    lines = text.splitlines(keepends=True)
    start = _lines_of(lines, encode, before)
    place = next(number for number in range(start, len(lines)) if len(lines[number].strip()) > keys)
    line = lines[place]
    indent = len(line) - len(line.lstrip())
    behind = lines[place + 1 :]
    return Typing(
        prefix="".join(lines[:place]) + line[:indent],
        typed=line[indent : indent + keys],
        suffix="\n" + "".join(behind[: _lines_of(behind, encode, after)]),
    )


def _lines_of(lines: Sequence[str], encode: Encode, tokens: int) -> int:
    """How many of `lines` have about `tokens` tokens in all."""
    total = 0
    for number, line in enumerate(lines):
        total += len(encode(line))
        if total > tokens:
            return number
    return len(lines)


REPEATED = (
    """\
from shop.rules import Rule

RULES = [
    Rule(code="E101", name="line-too-long", level="error", fixable=False, since="1.0", url="https://rules.example/E101"),
    Rule(code="E102", name="unused-import", level="error", fixable=True, since="1.0", url="https://rules.example/E102"),
    Rule(code="E103", name="unused-name", level="error", fixable=True, since="1.0", url="https://rules.example/E103"),
    Rule(code="E104", name="missing-return", level="error", fixable=False, since="1.0", url="https://rules.example/E104"),
    Rule(code="E105", name="bare-except", level="error", fixable=False, since="1.0", url="https://rules.example/E105"),
    Rule(code="E106",""",
    '''\
def load_users(path: Path, strict: bool = False) -> list[User]:
    """Read the users in `path`, one JSON object a line; blank lines are passed over."""
    users = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                users.append(User.from_json(json.loads(line)))
            except (ValueError, KeyError) as error:
                if strict:
                    raise LoadError(f"{path}:{number}: {error}") from error
                log.warning("%s:%d: %s", path, number, error)
    log.info("%d users read from %s", len(users), path)
    return users


def load_orders(path: Path, strict: bool = False) -> list[Order]:
    """Read the orders in `path`, one JSON object a line; blank lines are passed over."""
    orders = []
''',
    """\
def test_a_reader_may_list_files(client, reader):
    response = client.get("/files", headers={"Authorization": f"Bearer {reader.token}"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert {entry["name"] for entry in response.json()["entries"]} == {"a.txt", "b.txt"}


def test_a_writer_may_list_files(client, writer):
    response = client.get("/files", headers={"Authorization": f"Bearer {writer.token}"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert {entry["name"] for entry in response.json()["entries"]} == {"a.txt", "b.txt"}


def test_an_owner_may_list_files(client, owner):
""",
)
"""A table, a function copied with other names, and a test copied for another user: each goes on as it began."""
