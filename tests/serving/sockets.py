"""A minimal WebSocket client of the chat: it sends a prompt and returns the messages of the server."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.live.client import Visitor


@asynccontextmanager
async def socket_of(visitor: Visitor, buffer: int = 0, **headers: str) -> AsyncIterator[ClientConnection]:
    """Opens a socket of the visitor. `buffer` is the size of its receive buffer in bytes.

    With a small buffer, a test that does not read is a client that does not read.
    """
    site = visitor.site
    url = site.url.replace("http", "ws", 1) + "/ws/chat/"
    plain = socket.socket()
    if buffer:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    plain.connect(("127.0.0.1", site.port))
    headers |= {"Cookie": visitor.cookie}
    # Compression would make nearly nothing of the eight megabytes of one letter.
    options = {"origin": site.url, "additional_headers": headers, "sock": plain, "max_queue": 1, "compression": None}
    async with connect(url, **options) as connection:
        yield connection


async def ask(connection: ClientConnection, key: str, provider: str, request_id: str = "r1") -> None:
    frame = {"type": "send", "requestId": request_id, "id": key, "prompt": "Hello?", "body": {"provider": provider}}
    await connection.send(json.dumps(frame))


async def resume(connection: ClientConnection, key: str, request_id: str = "r1") -> None:
    await connection.send(json.dumps({"type": "resume", "requestId": request_id, "id": key}))


async def until(connection: ClientConnection, kind: str) -> list[dict[str, Any]]:
    """Returns all messages up to the first of this type, or with a chunk of this type."""
    frames: list[dict[str, Any]] = []
    while True:
        frames.append(json.loads(await connection.recv()))
        if kind in (frames[-1]["type"], frames[-1].get("chunk", {}).get("type")):
            return frames
