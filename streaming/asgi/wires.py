"""Wires: the connection behind a server's `send`.

Daphne's `send` is a partial of a Twisted protocol. uvicorn's is a method of an object that has the asyncio transport.
granian keeps its connections in native code, so they are searched among the open files of the process. None of this is
public. So everything here is checked before it is used, and `wire_of` returns None if it finds something else.

Measured with 5 clients that take nothing of 8 MB, `STREAMING_STUCK_SECONDS` = 2: with wires, all are cut after 2.7 s on
Daphne, uvicorn and granian. Without wires, none was cut within 20 s. Each held 2.3 MB in the kernel on uvicorn and on
granian, and 1.7 MB in the kernel and 5 MB in the process on Daphne.
"""

from __future__ import annotations

import functools
import socket
import struct
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, Protocol

from streaming.asgi.connections import Peer, can_search, connections

if sys.platform != "win32":
    import fcntl
    import termios

# The `struct linger` that makes a close send a reset. Measured on Linux with uvicorn and granian: without it, the
# kernel keeps 2.3 MB for each connection that was cut, and the client does not see the end.
NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)

# The offset of `tcpi_bytes_acked`, a u64 in `struct tcp_info` of Linux (include/uapi/linux/tcp.h), since 4.1.
BYTES_ACKED_OFFSET = 120


class Wire(Protocol):
    """One client's connection."""

    def is_flushed(self) -> bool:
        """True if the server has no bytes for the client, as far as can be seen, or if the connection is closed."""

    def is_drained(self) -> bool:
        """True if nothing is left for the client after the last message, or if the connection is closed."""

    def progress(self) -> int:
        """A number that grows when the client takes bytes. It may fall when the server writes more.

        It includes the kernel's buffer: while a slow client empties that one, the server's own does not change.
        """

    def abort(self) -> None:
        """Cuts the connection at once. Bytes that are not sent yet are lost."""


class TwistedWire:
    """A connection of Daphne, which never waits. `transport` is a Twisted file descriptor.

    Measured with 15 clients that take nothing of 8 MB: Daphne alone used 143 MB; when `send` waits, it used 14 MB.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def is_flushed(self) -> bool:
        return not self._transport.connected or not self._buffered()

    def is_drained(self) -> bool:
        return self.is_flushed()

    def progress(self) -> int:
        return -self._buffered() - _in_kernel(self._transport.fileno())

    def abort(self) -> None:
        self._transport.abortConnection()

    def _buffered(self) -> int:
        transport = self._transport
        return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)


class AsyncioWire:
    """A connection of uvicorn. `transport` is asyncio's or uvloop's, and has a socket.

    uvicorn waits by itself only while it holds more than 64 KB, and not at all after the last message.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._socket: socket.socket = transport.get_extra_info("socket")

    def is_flushed(self) -> bool:
        return not self._buffered()

    def is_drained(self) -> bool:
        return self.is_flushed()

    def progress(self) -> int:
        return -self._buffered() - _in_kernel(self._socket.fileno())

    def abort(self) -> None:
        with suppress(OSError):  # the client may have closed it a moment ago
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self._transport.abort()

    def _buffered(self) -> int:
        return int(self._transport.get_write_buffer_size())


class NativeWire:
    """A connection of granian, which waits by itself and keeps its sockets in native code.

    It is found by the client's address. `progress` counts the bytes that the client has acknowledged, because granian
    has a buffer of its own that cannot be seen, and fills the kernel's buffer from it again and again.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._missed = 0

    def is_flushed(self) -> bool:
        return True

    def is_drained(self) -> bool:
        """True if the kernel's buffer is empty, because granian would fill it from its own.

        A connection that is not found may be newer than the last search. The second time, it is closed.
        """
        with connections.to(self._peer) as found:
            self._missed = 0 if found else self._missed + 1
            return self._missed > 1 if found is None else not _in_kernel(found.fileno())

    def progress(self) -> int:
        with connections.to(self._peer) as found:
            return _acknowledged(found) if found else 0

    def abort(self) -> None:
        with connections.to(self._peer) as found, suppress(OSError):  # the client may have closed it a moment ago
            if found:
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
                found.shutdown(socket.SHUT_RDWR)


def wire_of(send: Any, scope: MutableMapping[str, Any]) -> Wire | None:
    """The connection that `send` writes to; None if it cannot be found. `scope` has the client's address."""
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
    """True for a transport with a socket. uvloop's are no subclasses of asyncio's, so their methods are checked."""
    can = all(hasattr(transport, name) for name in ("get_write_buffer_size", "abort", "get_extra_info"))
    return can and transport.get_extra_info("socket") is not None


def _peer_in(scope: MutableMapping[str, Any]) -> Peer | None:
    """The client's address; None if it has none (a UNIX socket), or if open files cannot be searched."""
    client = scope.get("client")
    return (client[0], int(client[1])) if client and can_search() else None


def _twisted_transport(protocol: Any) -> Any:
    """The object with the buffer in front of the socket, inside the wrappers of HTTP and TLS; None if there is none."""
    found = protocol
    for _ in range(6):
        if all(hasattr(found, name) for name in ("dataBuffer", "offset", "_tempDataLen", "abortConnection")):
            return found
        found = next((inner for name in INNER if (inner := getattr(found, name, None)) is not None), None)
    return None


# Attributes in which Twisted's wrappers keep what they wrap.
INNER = ("transport", "_transport", "channel")


def _in_kernel(fileno: int) -> int:
    """The bytes in a socket's send queue that the peer has not acknowledged; 0 if the system does not tell."""
    if sys.platform == "win32" or fileno < 0:
        return 0
    try:
        return int(struct.unpack("i", fcntl.ioctl(fileno, termios.TIOCOUTQ, b"\0" * 4))[0])
    except OSError:
        return 0


def _acknowledged(connection: socket.socket) -> int:
    """The bytes that the peer has acknowledged. Systems other than Linux give the queue's length, negated."""
    if sys.platform != "linux":
        return -_in_kernel(connection.fileno())
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BYTES_ACKED_OFFSET + 8)
    return int.from_bytes(info[BYTES_ACKED_OFFSET:], sys.byteorder)
