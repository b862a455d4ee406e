"""Sockets in the test's process, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.backends.db import SessionStore

from streaming.access import VISITOR_KEY
from streaming.consumers import ChatConsumer
from tests.engine import ALICE

Json = dict[str, Any]
PATIENCE = 60
"""How many seconds a test waits for a reply. A loaded machine may stand still for ten."""

Open = Callable[..., Awaitable["Socket"]]
"""The type of the fixture `sockets`: the handshake's query, its headers, and what wraps the consumer."""


class Socket(WebsocketCommunicator):
    """One of Alice's sockets."""

    async def tell(self, **frame: Any) -> None:
        await self.send_json_to(frame)

    async def reply(self) -> Json:
        found: Json = await self.receive_json_from(PATIENCE)
        return found

    async def replies(self, request_id: str = "r") -> list[Json]:
        """Reads on to the last reply of a request."""
        found: list[Json] = []
        while not found or found[-1]["type"] not in ("end", "error", "no-active"):
            if (reply := await self.reply())["requestId"] == request_id:
                found.append(reply)
        return found


async def _disconnect(socket: Socket) -> None:
    """Disconnects a socket, also if the test has waited for it in vain.

    Channels has cancelled the consumer then, and raises its `CancelledError`. pytest would skip all other finalizers.
    """
    with suppress(asyncio.CancelledError):
        await socket.disconnect()


@pytest.fixture
async def sockets(engine: None) -> AsyncIterator[Open]:
    """Opens sockets, and closes them after the test."""
    async with AsyncExitStack() as opened:

        async def connect(query: str = "", around: Callable[[Any], Any] = lambda app: app, **headers: str) -> Socket:
            sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
            socket = Socket(around(ChatConsumer.as_asgi()), f"/ws/chat/{query}", headers=sent)
            socket.scope["session"] = SessionStore()
            socket.scope["session"][VISITOR_KEY] = ALICE.key.partition(":")[2]
            assert (await socket.connect(PATIENCE))[0]
            opened.push_async_callback(_disconnect, socket)
            return socket

        yield connect
