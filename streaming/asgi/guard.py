"""The guard of one connection: `send` waits for a slow client, and a stuck client is cut off.

`send` first waits until the server has passed on what was sent before; after the last message, it also waits for that
one. So the application lives, and counts the stream as open, as long as the server has bytes for the client.

The wait comes first because Daphne and uvloop write a message to the kernel one or two turns of the event loop later.
The next message comes later than that, and has nothing to wait for.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

from streaming.access import open_streams
from streaming.asgi.types import Message, Send
from streaming.asgi.wires import Wire
from streaming.conf import settings

# The turns of the event loop after which a server has written to the kernel, if the client takes it.
TURNS = 2
# Seconds between two checks of a server's buffer while `send` waits for it.
RELIEF_SECONDS = 0.02
# Seconds between two checks for a stuck client, which may be cut off so much later.
CHECK_SECONDS = 1.0
# A kernel takes at least so much at once. Shorter responses cannot leave anything behind in a server.
SMALL_BYTES = 64 * 1024


class Guard:
    """Wraps the `send` of one connection: it waits for the server's buffer, and cuts off a stuck client.

    `has_begun` is True once an HTTP response has begun; it stays False for a WebSocket.
    `is_complete` is True once the application has sent its last message.
    """

    def __init__(self, send: Send, wire: Wire) -> None:
        self._send = send
        self._wire = wire
        self.has_begun = self.is_complete = False
        self._on_begin: Callable[[], None] | None = None
        self._waiting = 0
        self._sent = 0  # bytes; a text counts its characters, which is near enough
        self._is_over = False
        self._last_progress: tuple[int, float] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def send(self, message: Message) -> None:
        """Sends a message once the server has passed on those before it."""
        if self._timer is None:
            self._check_later()
        self._waiting += 1
        self._sent += len(message.get("body") or message.get("text") or message.get("bytes") or b"")
        if message["type"] == "http.response.start":
            self._begin()
        try:
            if not self._wire.is_flushed():
                await self._until_flushed()
            self._last_progress = None
            self.is_complete = _is_last(message)
            await self._send(message)
            if self.is_complete and not self._wire.is_flushed():
                await self._until_flushed()
        finally:
            self._waiting -= 1

    def when_begun(self, call: Callable[[], None]) -> None:
        """Calls `call` when the response begins, at once if it has begun, and in any case at the end."""
        self._on_begin = call
        if self.has_begun:
            call()

    def _begin(self) -> None:
        self.has_begun = True
        if self._on_begin:
            self._on_begin()

    async def _until_flushed(self) -> None:
        for seconds in itertools.chain(itertools.repeat(0, TURNS), itertools.repeat(RELIEF_SECONDS)):
            await asyncio.sleep(seconds)  # no server says when its buffer is empty
            if self._wire.is_flushed():
                return

    def abort(self) -> None:
        """Cuts the connection, so that the client sees an error and not an end."""
        self._wire.abort()

    def close(self) -> None:
        """Stops the checks of the connection, or lets them go on until the client has everything or is cut.

        Only granian needs that. The other servers have nothing left for the client, because `send` has waited.
        """
        self._is_over = True
        if self._on_begin:
            self._on_begin()
        if self._timer and (self._sent <= SMALL_BYTES or self._wire.is_drained()):
            self._timer.cancel()

    def _check_later(self) -> None:
        seconds = min(CHECK_SECONDS, settings.STUCK_SECONDS / 4)
        self._timer = asyncio.get_running_loop().call_later(seconds, self._check)

    def _check(self) -> None:
        if self._is_over and self._wire.is_drained():
            return
        if (self._waiting or self._is_over or not self._wire.is_flushed()) and self._is_stuck():
            self._wire.abort()
        else:
            self._check_later()

    def _is_stuck(self) -> bool:
        """True if the client has taken nothing for `STREAMING_STUCK_SECONDS`, or if the process is about to end."""
        progress, now = self._wire.progress(), asyncio.get_running_loop().time()
        if self._last_progress is None or progress > self._last_progress[0]:
            self._last_progress = (progress, now)
        return now - self._last_progress[1] >= settings.STUCK_SECONDS or open_streams().is_closing


def _is_last(message: Message) -> bool:
    """True for the message after which a client gets nothing more."""
    return message["type"] == "websocket.close" or (
        message["type"] == "http.response.body" and not message.get("more_body", False)
    )
