"""HTTP by hand, for clients that leave by FIN or by RST, or never read; no client library does that.

Requests are HTTP/1.0, so that the body has no framing and the connection ends with it. Some servers frame it anyway
(uvicorn on httptools), and `rest_of_body` takes that off.
"""

from __future__ import annotations

import asyncio
import json
import select
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

from tests.servers import Site

# Linux makes at least twice 1152 bytes of it.
TINY_BUFFER = 2304


class RawConnection:
    """One request, which is sent when this is made. Call `close`, or leave by `LEAVE`."""

    def __init__(
        self, site: Site, method: str, path: str, *, cookie: str = "", body: Any = None, buffer: int = 0
    ) -> None:
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        address = urlsplit(site.url)
        self.socket.connect((address.hostname, address.port))
        self.socket.setblocking(False)
        content = b"" if body is None else json.dumps(body).encode()
        headers = f"Host: {address.netloc}\r\nCookie: {cookie}\r\nContent-Length: {len(content)}\r\n"
        self.socket.send(f"{method} {path} HTTP/1.0\r\n{headers}\r\n".encode() + content)
        self.received = b""

    async def until(self, text: bytes, within: float = 10) -> bytes:
        """Reads until `text` has arrived, and returns everything that was received."""
        async with asyncio.timeout(within):
            while text not in self.received:
                piece = await asyncio.get_running_loop().sock_recv(self.socket, 512)
                assert piece, self.received
                self.received += piece
        return self.received

    async def rest_of_body(self) -> AsyncIterator[bytes]:
        """Yields the body from its beginning to its end, with what was received before."""
        head, _, begun = (await self.until(b"\r\n\r\n")).partition(b"\r\n\r\n")
        take = Dechunker().take if b"transfer-encoding: chunked" in head.lower() else bytes
        yield take(begun)
        while piece := await asyncio.get_running_loop().sock_recv(self.socket, 65536):
            yield take(piece)

    def close(self) -> None:
        self.socket.close()


class Dechunker:
    """Takes the chunked transfer coding (RFC 9112, section 7.1) off a body that comes in pieces."""

    def __init__(self) -> None:
        self._pending = b""

    def take(self, piece: bytes) -> bytes:
        """Returns the content of the chunks that are complete with this piece."""
        self._pending += piece
        content = b""
        while b"\r\n" in self._pending:
            size_line, _, rest = self._pending.partition(b"\r\n")
            size = int(size_line, 16)
            if len(rest) < size + 2:
                break
            content += rest[:size]
            self._pending = rest[size + 2 :]
        return content


def is_cut(connection: socket.socket) -> bool:
    """True if the other side has reset the connection. Reads nothing."""
    poll = select.poll()
    poll.register(connection, select.POLLERR | select.POLLHUP)
    return bool(poll.poll(0))


def _by_fin(connection: RawConnection) -> None:
    connection.socket.shutdown(socket.SHUT_WR)
    connection.close()


def _by_rst(connection: RawConnection) -> None:
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


LEAVE: dict[str, Callable[[RawConnection], None]] = {"FIN": _by_fin, "RST": _by_rst}
