"""A reader for crowds. It collects bytes with their times, and parses them after the test.

Parsing while hundreds of answers stream would use more of the machine than the server that is measured.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from tests.faults.reader import PATIENCE, Reader
from tests.live.client import Stream


class LightReader(Reader):
    """A reader that asks once, over one connection, and does not reconnect."""

    async def ask_and_read(self) -> Reader:
        gathered = Gathered(self._request())
        address = urlsplit(self._url)
        await asyncio.get_running_loop().create_connection(lambda: gathered, address.hostname, address.port)
        async with asyncio.timeout(PATIENCE):
            await gathered.is_over
        await self._look_at(gathered)
        return self

    def _request(self) -> bytes:
        """A request of HTTP/1.0, whose response body has no framing and ends with the connection."""
        order = self._order
        body = json.dumps({"prompt": order.prompt, "id": order.key, "clientId": "m1"}).encode()
        fields = self._headers | {"Host": urlsplit(self._url).netloc, "Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"POST /api/chat HTTP/1.0\r\n{head}\r\n".encode() + body

    async def _look_at(self, gathered: Gathered) -> None:
        begun = len(self.frames)
        await self._note(Stream(gathered.body()))
        ends = gathered.ends()
        self.frames[begun:] = [frame._replace(at=at) for frame, at in zip(self.frames[begun:], ends, strict=True)]


class Gathered(asyncio.Protocol):
    """The bytes of one connection, in pieces, with the monotonic time of each."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._pieces: list[tuple[float, bytes]] = []
        self.is_over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._pieces.append((time.monotonic(), data))

    def connection_lost(self, error: Exception | None) -> None:
        if not self.is_over.done():
            self.is_over.set_result(None)

    async def body(self) -> AsyncIterator[bytes]:
        head, _, body = b"".join(data for _, data in self._pieces).partition(b"\r\n\r\n")
        assert b" 200 " in head.partition(b"\r\n")[0], head
        yield body

    def ends(self) -> list[float]:
        """The time at which each frame was complete."""
        found, pending = [], b""
        for at, data in self._pieces:
            *whole, pending = (pending + data).split(b"\n\n")
            found += [at for block in whole if b"id: " in block]
        return found
