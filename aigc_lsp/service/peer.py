"""Who is at the other end of a Unix socket, as the kernel knows it."""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import NamedTuple

SOL_LOCAL, LOCAL_PEERCRED, LOCAL_PEERPID = 0, 1, 2
"""macOS's, from <sys/un.h>; Python does not name them."""


class Peer(NamedTuple):
    pid: int
    """0 where the kernel does not say, or not to this container."""
    uid: int


def peer_of(connection: socket.socket) -> Peer | None:
    """Whoever connected to, or listens on, the other end; None where this platform does not tell."""
    if sys.platform == "linux":
        size = struct.calcsize("3i")
        pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
        return Peer(pid, uid)
    if sys.platform == "darwin":  # written from the headers, never run there
        _, uid = struct.unpack("2I", connection.getsockopt(SOL_LOCAL, LOCAL_PEERCRED, 76)[:8])
        (pid,) = struct.unpack("i", connection.getsockopt(SOL_LOCAL, LOCAL_PEERPID, 4))
        return Peer(pid, uid)
    return None


def is_own(connection: socket.socket) -> bool:
    """Whether the other end is this user's or root's, who may read everything anyway; true where it cannot be known,
    since the folder of the socket is private."""
    peer = peer_of(connection)
    return peer is None or peer.uid in (0, os.getuid())
