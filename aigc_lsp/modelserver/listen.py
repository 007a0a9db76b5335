"""Where the model server listens: its own socket or port for the user's editors and, where it was told to, the network.

Whoever calls this holds the model server's lock, so whatever it finds in its way is of one that lives no more. It loads
nothing heavy: the address is there before the HTTP library is.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aigc_lsp.errors import EngineUnavailable, UsageError
from aigc_lsp.service.place import Record, lock_path, record_path, socket_path, unusable, write_record

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8012
"""Where llama.vim and llama.vscode look for a server."""

TOKEN_VARIABLE = "AIGC_LSP_ENGINE_TOKEN"

Mark = tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Network:
    """An address beside the model server's own; `token` is what it asks for, "" for nothing."""

    family: socket.AddressFamily
    address: tuple[Any, ...]
    token: str = field(default="", repr=False)

    def __str__(self) -> str:
        host, port = self.address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def network(
    host: str | None,
    port: int | None,
    token: str | None,
    token_env: str | None,
    environ: Mapping[str, str] = os.environ,
) -> Network | None:
    """What the command line asks for; None where it asks for no network. Raises `UsageError`."""
    if host is None and port is None:
        if token is not None or token_env is not None:
            raise UsageError("A token is of use only with --host or --port.")
        return None
    if token is not None and token_env is not None:
        raise UsageError("Give one of --token and --token-env, not both.")
    if token_env is not None and not environ.get(token_env):
        raise UsageError(f"The environment variable {token_env} is not set. It should hold the token.")
    token = token if token is not None else environ.get(token_env or TOKEN_VARIABLE, "")
    if not all("!" <= character <= "~" for character in token):
        raise UsageError("The token must be of ASCII letters, digits and signs, without blanks.")
    family, address = _resolved(LOOPBACK if host is None else host, DEFAULT_PORT if port is None else port)
    if not token and not ipaddress.ip_address(address[0]).is_loopback:
        raise UsageError(
            f"{host or address[0]} can be reached from other machines, so a token is needed: set {TOKEN_VARIABLE}, or "
            "name another variable with --token-env."
        )
    return Network(family, address, token)


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    """What to bind: of a name's several addresses the first of IPv4, which every client tries."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{host} is no address of this machine ({error}).") from error
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, address


@dataclass(frozen=True, slots=True)
class Doors:
    """The open sockets, and what is to be said of them."""

    sockets: tuple[socket.socket, ...]
    place: str
    token: str
    """What is asked of those who come over a port; "" for nothing."""
    network: str
    _files: tuple[tuple[Path, Mark], ...]

    def are_intact(self) -> bool:
        """Whether the user's editors can still find us: false where the runtime folder, the lock or the socket was
        removed, or another model server has taken its place."""
        return all(_mark(path) == mark for path, mark in self._files)


@contextlib.contextmanager
def opened(asked: Network | None = None) -> Iterator[Doors]:
    """Bind all there is to bind; in the end nothing is left of it. Raises `EngineUnavailable`."""
    record, path = record_path(), socket_path()
    try:
        record.unlink(missing_ok=True)
    except OSError as error:
        raise unusable(record, error) from error
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(_bind_port(asked))] if asked is not None else []
        token, port = asked.token if asked is not None else "", 0
        if path is not None:
            sockets.append(stack.enter_context(bind_socket(path)))
        else:
            # A port is open to the machine's other users, unlike a socket.
            token = token if asked is not None else secrets.token_urlsafe()
            sockets.append(stack.enter_context(_bind_port(Network(socket.AF_INET, (LOOPBACK, 0)))))
            port = sockets[-1].getsockname()[1]
        if asked is not None or port:
            try:
                write_record(Record(os.getpid(), port, token, str(asked or "")))
            except EngineUnavailable as error:
                if port:
                    raise
                log.warning("%s", error)  # the socket is enough to be found
        files = tuple((each, _mark(each)) for each in (lock_path(), path or record))
        doors = Doors(tuple(sockets), str(path or f"port {port}"), token, str(asked or ""), files)
        try:
            yield doors
        finally:
            if doors.are_intact():  # or they are another's
                for each in filter(None, (path, record)):
                    each.unlink(missing_ok=True)


def bind_socket(path: Path) -> socket.socket:
    """A listening socket that is never open to others, not even for a moment; what lay there is replaced."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    previous = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise unusable(path, error) from error
    finally:
        os.umask(previous)
    return listener


def _bind_port(asked: Network) -> socket.socket:
    both = asked.family == socket.AF_INET6 and asked.address[0] == "::" and socket.has_dualstack_ipv6()
    try:
        listener = socket.create_server(asked.address, family=asked.family, dualstack_ipv6=both)
    except OSError as error:
        raise EngineUnavailable(
            f"The model server cannot listen on {asked} ({error.strerror or error}). Choose another --port or --host."
        ) from error
    # asyncio sends small writes at once (TCP_NODELAY) only where it is told that this is TCP: 40 ms for each answer.
    return socket.socket(asked.family, socket.SOCK_STREAM, socket.IPPROTO_TCP, listener.detach())


def _mark(path: Path) -> Mark:
    """What tells a file from another that took its name; None where there is none.

    Not its times, which whoever tries the lock may change. A new file may have the number of one that was removed, but
    not as long as this process has that open: so the lock is sure to tell, and whoever replaces the rest holds it.
    """
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
