"""Wires: the connection behind a server's `send`, as far as the server lets it be found.

Daphne hands out a partial of a Twisted protocol, uvicorn a method of an object that has the asyncio transport; granian
hides its connections in native code, where only the operating system can find them. None of it is public, so everything
here looks before it leaps and gives None where it finds something else.
"""

from __future__ import annotations

import functools
import socket
import struct
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, Protocol

from streaming.asgi.connections import Peer, can_look, connections

if sys.platform != "win32":
    import fcntl
    import termios

# What a server may hold for one client before `send` waits, and what must be left before it goes on.
FULL_BYTES = 256 * 1024
RELIEVED_BYTES = 64 * 1024
# `struct linger` that makes of a close a reset: closing alone would leave the kernel with megabytes it cannot deliver.
NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)

# Of `tcpi_bytes_acked`, a u64 in Linux's `struct tcp_info` (include/uapi/linux/tcp.h), since 4.1.
BYTES_ACKED_OFFSET = 120


class Wire(Protocol):
    """One client's connection."""

    def is_full(self) -> bool:
        """Whether `send` should wait now: only ever true where the server itself does not wait."""

    def is_relieved(self) -> bool:
        """Whether it may go on; also when the connection has gone."""

    def progress(self) -> int:
        """A number that grows when the client takes something, and may fall when more is written.

        Only the kernel's count moves for minutes when the client is slow.
        """

    def abort(self) -> None:
        """Cut the connection at once, without sending what is left."""


class TwistedWire:
    """Of Daphne, which never waits. `transport` is a Twisted file descriptor."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def is_full(self) -> bool:
        return self._buffered() > FULL_BYTES

    def is_relieved(self) -> bool:
        return not self._transport.connected or self._buffered() <= RELIEVED_BYTES

    def progress(self) -> int:
        return -self._buffered() - _in_kernel(self._transport.fileno())

    def abort(self) -> None:
        self._transport.abortConnection()

    def _buffered(self) -> int:
        transport = self._transport
        return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)


class AsyncioWire:
    """Of uvicorn, which waits by itself. `transport` has a socket, and is asyncio's or uvloop's."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._socket: socket.socket = transport.get_extra_info("socket")

    def is_full(self) -> bool:
        return False

    def is_relieved(self) -> bool:
        return True

    def progress(self) -> int:
        return -int(self._transport.get_write_buffer_size()) - _in_kernel(self._socket.fileno())

    def abort(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self._transport.abort()


class NativeWire:
    """Of granian, which waits by itself and keeps its sockets in native code. Found by the client's address.

    The server's own buffer is not seen, and refills the kernel's whenever it empties: what counts is what was taken.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def is_full(self) -> bool:
        return False

    def is_relieved(self) -> bool:
        return True

    def progress(self) -> int:
        with connections.to(self._peer) as found:
            return _acknowledged(found) if found else 0

    def abort(self) -> None:
        with connections.to(self._peer) as found, suppress(OSError):  # it may have gone a moment earlier
            if found:
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
                found.shutdown(socket.SHUT_RDWR)


def wire_of(send: Any, scope: MutableMapping[str, Any]) -> Wire | None:
    """The connection that `send` writes to, for a client as `scope` has it; None when it cannot be found."""
    if isinstance(send, functools.partial) and send.args:
        transport = _twisted_transport(send.args[0])
        return None if transport is None else TwistedWire(transport)
    server = getattr(send, "__self__", None)
    transport = getattr(server, "transport", None)
    if _has_socket(transport):
        return AsyncioWire(transport)
    if type(server).__module__.startswith("granian") and (peer := _peer_in(scope)):
        return NativeWire(peer)
    return None


def _has_socket(transport: Any) -> bool:
    """By what it can do: uvloop's transports are no subclasses of asyncio's."""
    can = all(hasattr(transport, name) for name in ("get_write_buffer_size", "abort", "get_extra_info"))
    return can and transport.get_extra_info("socket") is not None


def _peer_in(scope: MutableMapping[str, Any]) -> Peer | None:
    """The client's address; None where it has none (a UNIX socket), or nothing can be found by it."""
    client = scope.get("client")
    return (client[0], int(client[1])) if client and can_look() else None


def _twisted_transport(protocol: Any) -> Any:
    """Below TLS and HTTP's own wrapping: what has a buffer in front of the socket."""
    found = protocol
    for _ in range(6):
        if all(hasattr(found, name) for name in ("dataBuffer", "offset", "_tempDataLen", "abortConnection")):
            return found
        found = next((inner for name in INNER if (inner := getattr(found, name, None)) is not None), None)
    return None


INNER = ("transport", "_transport", "channel")


def _in_kernel(fileno: int) -> int:
    """Bytes in a socket's send queue that the peer has not acknowledged; 0 where that cannot be asked."""
    if sys.platform == "win32" or fileno < 0:
        return 0
    try:
        return int(struct.unpack("i", fcntl.ioctl(fileno, termios.TIOCOUTQ, b"\0" * 4))[0])
    except OSError:
        return 0


def _acknowledged(connection: socket.socket) -> int:
    """Bytes that the peer has acknowledged so far; where the system does not say, those in the queue, negated."""
    if sys.platform != "linux":
        return -_in_kernel(connection.fileno())
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BYTES_ACKED_OFFSET + 8)
    return int.from_bytes(info[BYTES_ACKED_OFFSET:], sys.byteorder)
