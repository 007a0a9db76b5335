"""A terminal in memory: an editor's real screen, as text and as a picture."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

import pyte

# What pyte takes for text: private modes that it does not know, colons in colours, strings for the terminal itself.
UNKNOWN = re.compile(
    rb"\x1b\[[<=>?][\d;]*[a-zA-Z]|\x1b\[[\d;:?]*\$[a-z]|\x1bP.*?\x1b\\|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
)
CURSOR = re.compile(rb"\x1b\[\?25[hl]|\x1b\[\?1049[hl]")


class Screen:
    """`command` in a terminal of so many columns and rows."""

    def __init__(
        self, command: Sequence[str], environment: dict[str, str], folder: Path, columns: int = 88, rows: int = 24
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env=environment | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
            start_new_session=True,
        )
        os.close(slave)
        # What is asked of a terminal is answered: Neovim 0.12 complains (E1568) of one that is silent.
        self._screen.write_process_input = lambda answer: os.write(self._master, answer.encode())
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        rest = b""
        while True:
            try:
                data = rest + os.read(self._master, 65536)
            except OSError:
                return
            # A sequence that has come in part waits for the remainder.
            cut = data.rfind(b"\x1b")
            data, rest = (data[:cut], data[cut:]) if cut >= len(data) - 64 and cut >= 0 else (data, b"")
            if rest and re.match(rb"\x1b\[[\d;:?<=>]*[a-zA-Z]|\x1b[^\[\]P]", rest):
                data, rest = data + rest, b""
            with self._lock:
                self._stream.feed(UNKNOWN.sub(lambda m: m[0] if CURSOR.fullmatch(m[0]) else b"", data))

    def type(self, keys: str, pause: float = 0.03) -> None:
        """Key by key; special keys as a terminal sends them ("\\x1b" is Escape)."""
        for key in re.findall(r"\x1b\[[^A-Za-z]*[A-Za-z]|\x1b[^\[]|.", keys, re.DOTALL):
            os.write(self._master, key.encode())
            time.sleep(pause)

    def text(self) -> str:
        with self._lock:
            return "\n".join(line.rstrip() for line in self._screen.display)

    def wait_for(self, what: str, condition: Callable[[str], bool], seconds: float = 30) -> str:
        end = time.monotonic() + seconds
        while not condition(text := self.text()):
            assert time.monotonic() < end, f"waited in vain for {what}:\n{text}"
            time.sleep(0.1)
        return text

    def close(self) -> None:
        self._process.send_signal(signal.SIGHUP)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._master)

    def picture(self, path: Path, title: str) -> None:
        """What is on the screen now, as an SVG file."""
        from rich.console import Console
        from rich.style import Style
        from rich.text import Text

        console = Console(record=True, width=self._screen.columns, file=io.StringIO(), color_system="truecolor")
        with self._lock:
            cursor = self._screen.cursor
            for row in range(self._screen.lines):
                cells = [self._screen.buffer[row][column] for column in range(self._screen.columns)]
                styles = [
                    Style(
                        color=_colour(cell.fg),
                        bgcolor=_colour(cell.bg),
                        bold=cell.bold,
                        italic=cell.italics,
                        underline=cell.underscore,
                        reverse=cell.reverse != ((row, column) == (cursor.y, cursor.x) and not cursor.hidden),
                    )
                    for column, cell in enumerate(cells)
                ]
                runs = groupby(zip(cells, styles, strict=True), key=lambda pair: pair[1])
                line = Text.assemble(*(("".join(cell.data for cell, _ in run), style) for style, run in runs))
                console.print(line, no_wrap=True, overflow="crop", highlight=False)
        path.write_text(console.export_svg(title=title, code_format=SVG), encoding="utf-8")


def _colour(name: str) -> str | None:
    """pyte's name of a colour as rich has it."""
    if name == "default":
        return None
    if re.fullmatch("[0-9a-f]{6}", name):
        return f"#{name}"
    return {"brown": "yellow", "brightbrown": "bright_yellow"}.get(name, name.replace("bright", "bright_"))


def _without_fonts_from_afar() -> str:
    """rich's picture of a terminal, with the fonts that the reader has."""
    from rich._export_format import CONSOLE_SVG_FORMAT

    return re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


SVG = _without_fonts_from_afar()
