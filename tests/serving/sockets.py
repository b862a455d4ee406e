"""The smallest WebSocket client of the chat: sends a prompt, gives the frames."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.live.client import Visitor


@asynccontextmanager
async def socket_of(visitor: Visitor, **headers: str) -> AsyncIterator[ClientConnection]:
    site = visitor.site
    url = site.url.replace("http", "ws", 1) + "/ws/chat/"
    # A small queue and buffer, so that a test which does not read is a client that does not read.
    async with connect(
        url, origin=site.url, additional_headers={"Cookie": visitor.cookie} | headers, proxy=None, max_queue=1
    ) as connection:
        yield connection


async def ask(connection: ClientConnection, key: str, provider: str, request_id: str = "r1") -> None:
    frame = {"type": "send", "requestId": request_id, "id": key, "prompt": "Hello?", "body": {"provider": provider}}
    await connection.send(json.dumps(frame))


async def resume(connection: ClientConnection, key: str, request_id: str = "r1") -> None:
    await connection.send(json.dumps({"type": "resume", "requestId": request_id, "id": key}))


async def until(connection: ClientConnection, kind: str) -> list[dict[str, Any]]:
    """All frames up to the first of this type, or with a chunk of it."""
    frames: list[dict[str, Any]] = []
    while True:
        frames.append(json.loads(await connection.recv()))
        if kind in (frames[-1]["type"], frames[-1].get("chunk", {}).get("type")):
            return frames
