"""The TCP connections of this process, found by their peer's address, whoever opened them: also native code.

    with connections.to(("10.0.0.7", 51234)) as found:      # None when there is none
        found.fileno()

What is handed out is a second handle of the same connection, closed at once: kept, it would keep the connection open.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

Peer = tuple[str, int]
OPEN_FILES = "/dev/fd"
# How old a look at all open files may be, in seconds: it is a crowd that asks at the same time.
LOOK_SECONDS = 1.0


class Connections:
    """Remembers which open file leads to whom, and looks again when that is not so any more."""

    def __init__(self) -> None:
        self._files: dict[Peer, int] = {}
        self._looked_at = -LOOK_SECONDS

    @contextmanager
    def to(self, peer: Peer) -> Iterator[socket.socket | None]:
        """The connection to `peer`."""
        found = self._remembered(peer) or self._looked_up(peer)
        try:
            yield found
        finally:
            if found:
                found.close()

    def _remembered(self, peer: Peer) -> socket.socket | None:
        handle = _handle(self._files.get(peer, -1))
        if handle and _peer_of(handle) != peer:
            handle.close()
            return None
        return handle

    def _looked_up(self, peer: Peer) -> socket.socket | None:
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return None
        self._looked_at = time.monotonic()
        self._files = {found: fileno for fileno in map(int, os.listdir(OPEN_FILES)) if (found := _peer_at(fileno))}
        return self._remembered(peer)


def can_look() -> bool:
    """Whether this system lists a process's open files."""
    return os.path.isdir(OPEN_FILES)


def _handle(fileno: int) -> socket.socket | None:
    try:
        copy = os.dup(fileno)
    except OSError:
        return None
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return None


def _peer_at(fileno: int) -> Peer | None:
    handle = _handle(fileno)
    if handle is None:
        return None
    with handle:
        return _peer_of(handle)


def _peer_of(handle: socket.socket) -> Peer | None:
    """None of what listens, of what has gone, and of what has no address."""
    if handle.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    try:
        host, port = handle.getpeername()[:2]
    except OSError:
        return None
    return host, port


connections = Connections()
