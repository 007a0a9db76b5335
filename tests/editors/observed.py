"""`aigc-lsp serve` under observation: what an editor is given as its `aigc-lsp` in these tests.

    python observed.py FOLDER

It is the real server, in a process of its own. Every message that passes is written to `FOLDER/PID.jsonl`, what it says
on stderr to `FOLDER/PID.stderr`, and the text of every open document, as the server has it, after each change to
`FOLDER/PID.texts.json`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any


def observe(folder: Path) -> int:
    """Stand between the editor and the server until either ends; the server's exit code."""
    name, lock = str(os.getpid()), threading.Lock()
    with (
        (folder / f"{name}.jsonl").open("a", encoding="utf-8") as record,
        (folder / f"{name}.stderr").open("wb") as log,
    ):
        command = [sys.executable, __file__, str(folder / f"{name}.texts.json"), "--serve"]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        assert server.stdin is not None
        assert server.stdout is not None

        def write_down(who: str, message: Any) -> None:
            with lock:
                record.write(json.dumps({"from": who, "at": time.time(), "message": message}) + "\n")
                record.flush()

        def pass_on(who: str, source: IO[bytes], target: IO[bytes]) -> None:
            with contextlib.suppress(ValueError):  # closed meanwhile
                while frame := next_frame(source):
                    write_down(who, json.loads(frame[1]))
                    with contextlib.suppress(BrokenPipeError):  # the other has gone; what is said still counts
                        target.write(b"".join(frame))
                        target.flush()
            if who == "editor":
                with contextlib.suppress(BrokenPipeError):
                    target.close()

        ways = (("editor", sys.stdin.buffer, server.stdin), ("server", server.stdout, sys.stdout.buffer))
        threads = [threading.Thread(target=pass_on, args=way, daemon=True) for way in ways]
        for thread in threads:
            thread.start()
        code = server.wait()
        threads[1].join(5)  # what it has said last
        write_down("exit", code)
        return code


def next_frame(source: IO[bytes]) -> tuple[bytes, bytes] | None:
    """The header and the body of the next message; None at the end."""
    header = b""
    while not header.endswith(b"\r\n\r\n"):
        line = source.readline()
        if not line:
            return None
        header += line
    [length] = [int(line.split(b":")[1]) for line in header.splitlines() if line.lower().startswith(b"content-length")]
    return header, source.read(length)


def serve(texts: Path) -> int:
    """The server itself, telling what it holds."""
    from aigc_lsp.server import app
    from aigc_lsp.server.session import Session

    class Told(Session):
        def open(self, *args: Any) -> None:
            super().open(*args)
            self.tell()

        def change(self, *args: Any) -> bool:
            changed = super().change(*args)
            self.tell()
            return changed

        def tell(self) -> None:
            there = texts.with_suffix(".new")
            there.write_text(json.dumps({uri: document.text.source for uri, document in self.documents.items()}))
            there.replace(texts)

    app.Session = Told  # type: ignore[misc]
    return app.serve()


if __name__ == "__main__":
    place = Path(sys.argv[1])
    os._exit(observe(place)) if "--serve" not in sys.argv else sys.exit(serve(place))
